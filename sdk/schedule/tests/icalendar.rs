//! iCalendar: the conformance calendars, text vectors that a person can check, hostile files, and what we write.

#[path = "../examples/conformance/ics.rs"]
mod conformance;
#[path = "icalendar/writing.rs"]
mod writing;

use huddle_ports::Timestamp;
use huddle_schedule::busy::BusyRules;
use huddle_schedule::icalendar::{Agenda, Busy, Limits, Owner, ReadError, decode, parse};
use huddle_schedule::{Interval, Zone};
use std::fmt::Write as _;

const VECTORS: &str = include_str!("vectors/icalendar/busy.txt");

#[test]
fn every_difference_from_the_other_engine_has_its_verdict() {
    let Some(folder) = huddle_testdata::shared("conformance/ics") else {
        return;
    };
    let occurrences = folder.with_file_name("ics_occurrences.json");
    let outcomes = conformance::compare(&folder, &occurrences).expect("the files can be read");
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|(_, result)| result.is_err())
        .collect();
    assert!(failed.is_empty() && outcomes.len() >= 132, "{failed:#?}");
}

fn day(date: &str) -> Timestamp {
    let date: chrono::NaiveDate = date.parse().expect("a date");
    Zone::UTC.instant(date.into())
}

fn window(from: &str, to: &str) -> Interval {
    Interval::new(day(from), day(to)).expect("a window")
}

fn busy(file: &[u8], zone: Zone, window: Interval) -> Result<Busy, ReadError> {
    busy_within(Limits::default(), file, zone, window)
}

fn busy_within(
    limits: Limits,
    file: &[u8],
    zone: Zone,
    window: Interval,
) -> Result<Busy, ReadError> {
    let text = decode(file);
    let components = parse(&text, &limits)?;
    let owner = Owner {
        zone,
        addresses: &["owner@example.com"],
    };
    let agenda = Agenda::of(&components, limits);
    Ok(agenda.busy(window, owner, &BusyRules::default(), None))
}

/// On the owner's clock, with its offset.
fn print(busy: &Busy, zone: Zone) -> String {
    let mut out = String::new();
    let at = |moment: Timestamp| {
        let local = zone.local(moment);
        let minutes = (local - Zone::UTC.local(moment)).num_minutes();
        let sign = if minutes < 0 { '-' } else { '+' };
        let minutes = minutes.abs();
        format!(
            "{}{sign}{:02}:{:02}",
            local.format("%F %a %R"),
            minutes / 60,
            minutes % 60
        )
    };
    for interval in busy.intervals.iter() {
        writeln!(out, "{} .. {}", at(interval.start()), at(interval.end())).expect("a string");
    }
    for problem in &busy.problems {
        writeln!(out, "! {problem}").expect("a string");
    }
    out
}

/// The calendar of a case, inside a `VCALENDAR` if it brings none, its lines ended in turn by CR LF, LF and CR.
fn file_of(text: &str) -> Vec<u8> {
    let whole = if text.starts_with("BEGIN:VCALENDAR") {
        text.to_owned()
    } else {
        format!("BEGIN:VCALENDAR\n{text}END:VCALENDAR\n")
    };
    let ends = ["\r\n", "\n", "\r"].into_iter().cycle();
    let lines = whole
        .lines()
        .zip(ends)
        .map(|(line, end)| format!("{line}{end}"));
    lines.collect::<String>().into_bytes()
}

#[test]
fn calendars_make_the_busy_time_of_the_vectors() {
    let mut found = String::new();
    let mut cases = VECTORS.split("\n== ");
    found.push_str(cases.next().unwrap_or_default());
    for case in cases {
        let (name, rest) = case.split_once('\n').expect("a name");
        let (who, rest) = rest.split_once('\n').expect("who reads");
        let (file, _) = rest.split_once("--\n").expect("an end");
        let [zone, from, to] = who.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{name}: {who}");
        };
        let zone: Zone = zone.parse().expect("a zone");
        let busy = busy(&file_of(file), zone, window(from, to)).expect(name);
        write!(
            found,
            "\n== {name}\n{who}\n{file}--\n{}",
            print(&busy, zone)
        )
        .expect("a string");
    }
    let expected = VECTORS.trim_end();
    let found = found.trim_end();
    assert!(found == expected, "what comes out:\n{found}");
}

#[track_caller]
fn refused(file: &str, limits: Limits, expected: &ReadError) {
    assert_eq!(&parse(file, &limits).expect_err("it is refused"), expected);
}

#[test]
fn what_is_no_calendar_is_never_free_time() {
    let limits = Limits::default();
    for nothing in [
        "",
        "\r\n",
        "<html><body>Sign in</body></html>",
        "END:VCALENDAR\n",
        "{}",
    ] {
        refused(nothing, limits, &ReadError::NoComponent);
    }
    let cut = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260302T090000Z\n";
    let component = "VCALENDAR".to_owned();
    refused(cut, limits, &ReadError::CutOff { component });
}

#[test]
fn everything_that_grows_has_its_limit() {
    let limits = Limits {
        bytes: 200,
        events: 2,
        lines: 20,
        depth: 3,
        ..Limits::default()
    };
    refused(&"x".repeat(201), limits, &ReadError::TooLarge { most: 200 });
    refused(
        &"x\n".repeat(21),
        limits,
        &ReadError::TooManyLines { most: 20 },
    );
    refused(
        &"BEGIN:A\n".repeat(4),
        limits,
        &ReadError::TooDeep { most: 3 },
    );
    let event = "BEGIN:VEVENT\nEND:VEVENT\n";
    refused(
        &event.repeat(3),
        limits,
        &ReadError::TooManyEvents { most: 2 },
    );
    assert!(parse(&event.repeat(2), &limits).is_ok());
}

/// A calendar of as many lines as there may be, or as many bytes.
fn many(line: impl Fn(usize) -> String, count: usize) -> String {
    let lines: String = (0..count).map(line).collect();
    format!("BEGIN:VCALENDAR\n{lines}END:VCALENDAR\n")
}

/// Files that are made to be slow. Each ends because of a limit or without, and leaves no time free that it may take.
#[test]
fn hostile_calendars_block_what_they_do_not_say() {
    let march = window("2026-03-01", "2026-04-01");
    // Enough for all that is meant, and little enough for a build that is not optimised.
    let limits = Limits {
        steps: 200_000,
        ..Limits::default()
    };
    let event = |n: usize, lines: &str| {
        format!("BEGIN:VEVENT\nUID:{n}\nDTSTART:20000101T000000Z\n{lines}\nEND:VEVENT\n")
    };
    for file in [
        many(|n| event(n, "RRULE:FREQ=SECONDLY;BYSETPOS=2"), 200),
        many(|n| event(n, "RRULE:FREQ=SECONDLY"), 200),
        many(|n| event(n, "RRULE:FREQ=SECONDLY;COUNT=4000000000"), 50),
        many(|n| event(n, "DURATION:P36500D\nRRULE:FREQ=HOURLY"), 200),
        many(|_| event(0, "RRULE:FREQ=MINUTELY;COUNT=1000000"), 200),
        many(
            |n| {
                event(
                    n,
                    &format!("RRULE:FREQ=SECONDLY;BYDAY={}", "MO,".repeat(500) + "MO"),
                )
            },
            200,
        ),
    ] {
        let busy = busy_within(limits, file.as_bytes(), Zone::UTC, march).expect("it can be read");
        let all = huddle_schedule::IntervalSet::from(march);
        assert!(
            busy.intervals == all && !busy.problems.is_empty(),
            "{}",
            &file[..200]
        );
    }
}

#[test]
fn a_rule_that_never_comes_true_takes_only_its_start() {
    let file = many(
        |_| {
            "BEGIN:VEVENT\nDTSTART:20260302T090000Z\nDURATION:PT1H\n\
             RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30\nEND:VEVENT\n"
                .to_owned()
        },
        500,
    );
    let busy = busy(
        file.as_bytes(),
        Zone::UTC,
        window("2026-03-01", "2026-04-01"),
    )
    .expect("it can be read");
    assert_eq!(busy.intervals.len(), 1);
    assert!(busy.problems.is_empty());
}

#[test]
fn a_zone_that_many_calendars_describe_costs_what_one_does() {
    let file = |comment: fn(usize) -> String| -> String {
        let calendar = |n: usize| {
            format!(
                "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Home\nCOMMENT:{}\nBEGIN:STANDARD\n\
                 DTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\n\
                 RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\n\
                 DTSTART;TZID=Home:20260302T100000\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR\n",
                comment(n)
            )
        };
        (0..500).map(calendar).collect()
    };
    let limits = Limits {
        steps: 1_000,
        ..Limits::default()
    };
    let march = window("2026-03-01", "2026-04-01");
    let problems = |file: String| {
        let busy = busy_within(limits, file.as_bytes(), Zone::UTC, march);
        busy.expect("it can be read").problems.len()
    };
    assert_eq!(problems(file(|_| "the same".to_owned())), 0);
    assert!(
        problems(file(|n| n.to_string())) > 0,
        "different zones share the steps"
    );
}

#[test]
fn a_booking_that_moves_is_not_in_its_own_way() {
    let file = many(
        |n| {
            format!(
                "BEGIN:VEVENT\nUID:{n}\nDTSTART:2026030{}T090000Z\nDURATION:PT1H\nEND:VEVENT\n",
                n + 1
            )
        },
        3,
    );
    let limits = Limits::default();
    let components = parse(&file, &limits).expect("it can be read");
    let owner = Owner {
        zone: Zone::UTC,
        addresses: &[],
    };
    let agenda = Agenda::of(&components, limits);
    let march = window("2026-03-01", "2026-04-01");
    let busy = |ignoring| {
        agenda
            .busy(march, owner, &BusyRules::default(), ignoring)
            .intervals
            .len()
    };
    assert_eq!((busy(None), busy(Some("1"))), (3, 2));
}
