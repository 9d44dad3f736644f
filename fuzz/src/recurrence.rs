//! Target `recurrence`: a text as a recurrence rule, and what it gives.

use crate::Target;
use crate::mutate::Random;
use chrono::NaiveDateTime;
use huddle_schedule::recurrence::{Occurrences, Rule, Until};

/// A rule prints as an equal rule; its occurrences ascend from the start to the end, and are the same wherever one
/// begins to look.
pub const TARGET: Target = Target {
    name: "recurrence",
    check,
    mutate,
    seeds,
};

/// Enough to find some, and little enough to be quick.
const STEPS: u64 = 20_000;

fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    let Ok(rule) = text.parse::<Rule>() else {
        return;
    };
    assert_eq!(rule.to_string().parse(), Ok(rule.clone()), "{rule}");
    for start in ["20240229T235959", "19991231T000000", "99990101T120000"] {
        let start = NaiveDateTime::parse_from_str(start, "%Y%m%dT%H%M%S").expect("a time");
        check_from(&rule, start);
    }
}

/// Those that are found in time, and whether there are more.
fn first(occurrences: Occurrences<'_>, most: usize) -> (Vec<NaiveDateTime>, bool) {
    let found: Vec<_> = occurrences.steps(STEPS).take(most).collect();
    let complete = found.iter().all(Result::is_ok);
    (found.into_iter().flatten().collect(), complete)
}

fn check_from(rule: &Rule, start: NaiveDateTime) {
    let (found, _) = first(rule.occurrences(start), 64);
    assert!(found.is_sorted_by(|a, b| a < b), "{rule} from {start}");
    assert!(
        found.iter().all(|time| *time >= start),
        "{rule} from {start}"
    );
    let last = rule.until().map(Until::last);
    assert!(
        found
            .iter()
            .all(|time| last.is_none_or(|last| *time <= last))
    );
    let Some(&middle) = found.get(found.len() / 2) else {
        return;
    };
    let rest = &found[found.len() / 2..];
    let (later, complete) = first(rule.occurrences(start).from(middle), rest.len());
    assert!(
        !complete || later == rest,
        "{rule} from {start} at {middle}"
    );
}

const PARTS: &[&str] = &[
    "FREQ=YEARLY",
    "FREQ=MONTHLY",
    "FREQ=WEEKLY",
    "FREQ=DAILY",
    "FREQ=HOURLY",
    "FREQ=MINUTELY",
    "FREQ=SECONDLY",
    "INTERVAL=2",
    "INTERVAL=90061",
    "COUNT=3",
    "UNTIL=20301231T235959Z",
    "UNTIL=20250101",
    "BYMONTH=1,3",
    "BYMONTH=2",
    "BYMONTHDAY=30",
    "BYMONTHDAY=-1,1",
    "BYYEARDAY=-366,100",
    "BYWEEKNO=1,53,-1",
    "BYDAY=MO,-1FR",
    "BYDAY=5SU",
    "BYHOUR=0,23",
    "BYMINUTE=59",
    "BYSECOND=60",
    "BYSETPOS=-1,2,366",
    "WKST=SU",
];

fn seeds() -> Vec<Vec<u8>> {
    let single = PARTS.iter().map(|part| format!("FREQ=DAILY;{part}"));
    let pairs = PARTS[..7].iter().flat_map(|frequency| {
        PARTS[7..]
            .iter()
            .map(move |part| format!("{frequency};{part};BYSETPOS=1"))
    });
    single.chain(pairs).map(String::into_bytes).collect()
}

/// Parts are taken out, put in, and their numbers changed.
fn mutate(input: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let text = str::from_utf8(input).ok()?;
    let mut parts: Vec<String> = text.split(';').map(str::to_owned).collect();
    let place = random.below(parts.len());
    match random.below(4) {
        0 if parts.len() > 1 => drop(parts.remove(place)),
        1 => parts.insert(place, (*random.pick(PARTS)?).to_owned()),
        2 => (*random.pick(PARTS)?).clone_into(&mut parts[place]),
        _ => {
            let number = random.number() % 400;
            let sign = if random.one_in(2) { "-" } else { "" };
            parts[place].extend([",", sign, &number.to_string()]);
        }
    }
    Some(parts.join(";").into_bytes())
}
