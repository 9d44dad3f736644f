//! How long calendars take: read and expanded, and rules by themselves. `peers/icalendar` beside this file compares both
//! with other engines.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use huddle_ports::Timestamp;
use huddle_schedule::busy::BusyRules;
use huddle_schedule::icalendar::{Agenda, Busy, Limits, Owner, decode, parse};
use huddle_schedule::recurrence::Rule;
use huddle_schedule::{Interval, Zone};
use std::fmt::Write as _;
use std::time::Duration;

fn main() {
    divan::main();
}

/// As a calendar of one person may be: a third recurs, in three zones, some of it since years, with exceptions,
/// attendees and descriptions.
fn calendar(events: usize) -> String {
    let mut text = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\n");
    let zones = [
        "Europe/Berlin",
        "America/New_York",
        "W. Europe Standard Time",
    ];
    let rules = [
        "FREQ=WEEKLY;BYDAY=MO,WE,FR",
        "FREQ=DAILY;COUNT=200",
        "FREQ=MONTHLY;BYDAY=-1TH",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;UNTIL=20261231T225959Z",
        "FREQ=YEARLY",
    ];
    for n in 0..events {
        let (zone, hour, day) = (zones[n % 3], 8 + n % 10, 1 + n % 28);
        let (year, month) = if n % 3 == 0 {
            (2020 + n % 6, 1 + n % 12)
        } else {
            (2026, 1 + n % 6)
        };
        let date = format!("{year}{month:02}{day:02}");
        write!(
            text,
            "BEGIN:VEVENT\r\nUID:event-{n}@example.com\r\nDTSTAMP:20260101T000000Z\r\n\
             DTSTART;TZID={zone}:{date}T{hour:02}0000\r\nDTEND;TZID={zone}:{date}T{hour:02}4500\r\n\
             SUMMARY:Meeting number {n}\r\nSEQUENCE:1\r\nSTATUS:CONFIRMED\r\nTRANSP:OPAQUE\r\n\
             DESCRIPTION:What there is to be talked about\\, and whatever else comes up in the\r\n  \
             course of the meeting\r\n\
             ORGANIZER;CN=Ada Lovelace:mailto:ada@example.com\r\n\
             ATTENDEE;CN=\"Hopper, Grace\";ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED:mailto:grace@example.\r\n com\r\n"
        )
        .expect("a string");
        if n % 3 == 0 {
            let rule = rules[n / 3 % rules.len()];
            write!(
                text,
                "RRULE:{rule}\r\nEXDATE;TZID={zone}:20260302T{hour:02}0000\r\n"
            )
            .expect("a string");
        }
        text.push_str("END:VEVENT\r\n");
    }
    text.push_str("END:VCALENDAR\r\n");
    text
}

/// Thirty days with a change of the clock in them.
fn window() -> Interval {
    let start = Timestamp::from_secs(1_772_668_800).expect("5 March 2026");
    Interval::lasting(start, Duration::from_hours(30 * 24)).expect("thirty days")
}

fn busy(file: &[u8]) -> Busy {
    let limits = Limits::default();
    let text = decode(file);
    let Ok(components) = parse(&text, &limits) else {
        return Busy::default();
    };
    let owner = Owner {
        zone: Zone::UTC,
        addresses: &["grace@example.com"],
    };
    Agenda::of(&components, limits).busy(window(), owner, &BusyRules::default(), None)
}

#[divan::bench(args = [100, 1_000, 5_000])]
fn read_and_expanded(bencher: Bencher<'_, '_>, events: usize) {
    let file = calendar(events);
    assert!(busy(file.as_bytes()).problems.is_empty());
    bencher
        .counter(ItemsCount::new(events))
        .counter(BytesCount::new(file.len()))
        .bench(|| busy(black_box(file.as_bytes())));
}

#[divan::bench]
fn parsed_1000(bencher: Bencher<'_, '_>) {
    let file = calendar(1_000);
    let limits = Limits::default();
    bencher.bench(|| parse(black_box(&file), &limits).map(|components| components.len()));
}

#[divan::bench]
fn expanded_1000(bencher: Bencher<'_, '_>) {
    let file = calendar(1_000);
    let limits = Limits::default();
    let components = parse(&file, &limits).expect("a calendar");
    let agenda = Agenda::of(&components, limits);
    bencher.bench(|| {
        agenda
            .expand(black_box(window()), Zone::UTC)
            .occurrences
            .len()
    });
}

/// Rules, and where what is asked for begins: at the start, or decades later.
const RULES: [(&str, &str); 6] = [
    ("FREQ=DAILY", "19700101T090000"),
    ("FREQ=WEEKLY;BYDAY=MO,WE,FR", "20260105T090000"),
    ("FREQ=WEEKLY;BYDAY=MO,WE,FR", "19700105T090000"),
    ("FREQ=MONTHLY;BYDAY=-1TH", "20100101T090000"),
    ("FREQ=YEARLY;BYMONTH=3;BYDAY=2SU", "20100101T090000"),
    ("FREQ=HOURLY;INTERVAL=5", "19700101T000000"),
];

#[divan::bench(args = 0..RULES.len())]
fn rule_in_a_month(bencher: Bencher<'_, '_>, which: usize) {
    let (rule, start) = RULES[which];
    let time = |text| chrono::NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").expect("a time");
    let (start, from, to) = (
        time(start),
        time("20260301T000000"),
        time("20260401T000000"),
    );
    bencher.bench(|| {
        let rule: Rule = black_box(rule).parse().expect("a rule");
        rule.occurrences(start).from(from).to(to).count()
    });
}

/// Files that are made to be slow.
#[divan::bench(args = 0..6, sample_count = 3, sample_size = 1)]
fn hostile(bencher: Bencher<'_, '_>, which: usize) {
    let event = |n: usize, lines: &str| {
        format!("BEGIN:VEVENT\nUID:{n}\nDTSTART:19000101T000000Z\n{lines}\nEND:VEVENT\n")
    };
    let body: String = match which {
        0 => (0..20_000)
            .map(|n| event(n, "RRULE:FREQ=SECONDLY;BYSETPOS=2"))
            .collect(),
        1 => (0..20_000)
            .map(|n| event(n, "RRULE:FREQ=HOURLY;BYMINUTE=0,5,10"))
            .collect(),
        2 => (0..20_000)
            .map(|n| event(n, "RRULE:FREQ=YEARLY;BYDAY=-3MO;COUNT=4000000000"))
            .collect(),
        3 => (0..20_000)
            .map(|n| {
                format!(
                    "RECURRENCE-ID:2026{:02}{:02}T000000Z",
                    1 + n % 12,
                    1 + n % 28
                )
            })
            .map(|line| event(0, &format!("{line}\nRRULE:FREQ=DAILY;COUNT=9000")))
            .chain([event(0, "SEQUENCE:1\nRRULE:FREQ=DAILY;COUNT=50000")])
            .collect(),
        4 => event(
            0,
            &"EXDATE;TZID=Europe/Berlin:20260301T000000\n".repeat(110_000),
        ),
        _ => "A:B\n".repeat(499_000),
    };
    let file = format!("BEGIN:VCALENDAR\n{body}END:VCALENDAR\n");
    bencher.bench(|| busy(black_box(file.as_bytes())));
}
