//! Target `icalendar`: a text as calendars, what happens in them, and what comes of it when it is written again.

use crate::Target;
use crate::mutate::Random;
use huddle_ports::Timestamp;
use huddle_schedule::busy::BusyRules;
use huddle_schedule::icalendar::{Agenda, Component, Limits, Owner, decode, parse, plain};
use huddle_schedule::{Interval, Zone};
use std::sync::LazyLock;
use std::time::Duration;

/// Components print as equal components; what happens lies in its window, in order; busy time lies there too, and is
/// no less for what could not be read.
pub const TARGET: Target = Target {
    name: "icalendar",
    check,
    mutate,
    seeds,
};

fn limits() -> Limits {
    Limits {
        bytes: 1 << 16,
        steps: 50_000,
        ..Limits::default()
    }
}

fn check(input: &[u8]) {
    let text = decode(input);
    assert_eq!(plain(&plain(&text)), plain(&text));
    let Ok(components) = parse(&text, &limits()) else {
        return;
    };
    let printed: String = components.iter().map(ToString::to_string).collect();
    // Folds take room.
    let roomy = Limits {
        bytes: 1 << 18,
        ..limits()
    };
    assert_eq!(
        parse(&printed, &roomy).as_ref(),
        Ok(&components),
        "{printed:?}"
    );
    let agenda = Agenda::of(&components, limits());
    let start = Timestamp::from_secs(1_772_668_800).expect("5 March 2026");
    let month = Interval::lasting(start, Duration::from_hours(30 * 24)).expect("thirty days");
    let zone: Zone = "Europe/Berlin".parse().expect("a zone");
    let says_so = !text.to_ascii_uppercase().contains("CANCEL");
    for window in [month, Interval::ALWAYS] {
        check_window(&agenda, window, zone, says_so);
    }
}

/// `says_so`: an event that is off says so itself.
fn check_window(agenda: &Agenda<'_>, window: Interval, zone: Zone, says_so: bool) {
    let expansion = agenda.expand(window, zone);
    let occurrences = &expansion.occurrences;
    assert!(occurrences.is_sorted_by_key(|at| at.start));
    assert!(
        occurrences
            .iter()
            .all(|at| at.start <= at.end && at.start < window.end())
    );
    assert!(occurrences.iter().all(|at| at.end >= window.start()));
    let owner = Owner {
        zone,
        addresses: &["owner@example.com"],
    };
    let busy = agenda.busy(window, owner, &BusyRules::default(), None);
    assert!(
        busy.intervals
            .iter()
            .all(|interval| window.covers(interval))
    );
    assert_eq!(busy.problems, expansion.problems);
    if !says_so {
        return;
    }
    for at in occurrences.iter().filter(|at| is_plain(at.component)) {
        let interval = Interval::new(at.start, at.end).and_then(|at| at.intersection(window));
        assert!(interval.is_none_or(|interval| busy.intervals.covers(interval)));
    }
}

/// Says nothing that could make it free.
fn is_plain(event: &Component<'_>) -> bool {
    ["STATUS", "TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS", "ATTENDEE"]
        .iter()
        .all(|name| event.property(name).is_none())
}

/// The files of the conformance data, and what is made to be hard.
static SEEDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut seeds = vec![OWN.to_owned()];
    if let Some(folder) = huddle_testdata::shared("conformance/ics") {
        let files = folder.read_dir().into_iter().flatten().flatten();
        let mut texts: Vec<String> = files
            .filter_map(|file| std::fs::read(file.path()).ok())
            .filter(|bytes| bytes.len() <= 4096)
            .map(|bytes| decode(&bytes).into_owned())
            .collect();
        texts.sort();
        seeds.extend(texts);
    }
    seeds
});

const OWN: &str = "BEGIN:VCALENDAR\r
X-WR-TIMEZONE:Europe/Berlin\r
METHOD:PUBLISH\r
BEGIN:VTIMEZONE\r
TZID:Custom\r
BEGIN:STANDARD\r
DTSTART:16010101T030000\r
TZOFFSETFROM:+0200\r
TZOFFSETTO:+0100\r
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r
END:STANDARD\r
END:VTIMEZONE\r
BEGIN:VEVENT\r
UID:1\r
SEQUENCE:1\r
DTSTART;TZID=Custom:20260302T090000\r
DTEND;TZID=\"W. Europe Standard Time\":20260302T100000\r
RRULE:FREQ=WEEKLY;BYDAY=MO,WE\r
EXDATE:20260309T080000Z\r
RDATE;VALUE=PERIOD:20260310T100000Z/PT3H\r
ATTENDEE;CN=\"a^nb\";PARTSTAT=DECLINED:mailto:owner@example.com\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:1\r
RECURRENCE-ID;RANGE=THISANDFUTURE:20260316T080000Z\r
DTSTART:20260317T100000Z\r
DURATION:P1DT2H\r
X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE\r
END:VEVENT\r
BEGIN:VFREEBUSY\r
FREEBUSY;FBTYPE=BUSY:20260318T090000Z/PT1H,20260319/20260320\r
END:VFREEBUSY\r
END:VCALENDAR\r
";

fn seeds() -> Vec<Vec<u8>> {
    SEEDS.iter().map(|seed| seed.clone().into_bytes()).collect()
}

/// Lines are taken out, put in from elsewhere, or changed within.
fn mutate(input: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let text = str::from_utf8(input).ok()?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return Some(OWN.into());
    }
    let place = random.below(lines.len());
    let donor: Vec<&str> = random.pick(&SEEDS)?.lines().collect();
    let lent = (*random.pick(&donor)?).to_owned();
    match random.below(5) {
        0 => drop(lines.remove(place)),
        1 => lines.insert(place, lent),
        2 => lines.insert(place, lines[random.below(lines.len())].clone()),
        3 => {
            // The name of one, the value of another.
            let name = lines[place]
                .split(':')
                .next()
                .unwrap_or_default()
                .to_owned();
            let value = lent.split_once(':').map_or("", |(_, value)| value);
            lines[place] = format!("{name}:{value}");
        }
        _ => {
            let digits: Vec<usize> = lines[place]
                .bytes()
                .enumerate()
                .filter(|(_, byte)| byte.is_ascii_digit())
                .map(|(at, _)| at)
                .collect();
            let at = *random.pick(&digits)?;
            lines[place].replace_range(at..=at, &random.below(10).to_string());
        }
    }
    Some(lines.join("\r\n").into_bytes())
}
