//! What we write: its form, what it comes back as, and that nobody's words become properties.

use huddle_ports::Timestamp;
use huddle_schedule::icalendar::{
    Agenda, Attendee, CalendarAddress, Component, Invitation, Kind, Limits, Method, Participation,
    Person, WriteError, parse, plain,
};
use huddle_schedule::{Interval, Zone};
use proptest::prelude::*;
use std::time::Duration;

fn moment(text: &str) -> Timestamp {
    Zone::UTC.instant(text.parse().expect("a time"))
}

fn invitation() -> Invitation {
    let person = |name: &str, address: &str| Person {
        name: name.to_owned(),
        address: address.parse().expect("an address"),
    };
    let start = moment("2026-03-27T14:00:00");
    Invitation {
        method: Method::Request,
        uid: "3kbooking@huddle.example".to_owned(),
        sequence: 2,
        stamp: moment("2026-03-01T12:00:00"),
        interval: Interval::lasting(start, Duration::from_mins(45)).expect("45 minutes"),
        zone: "Europe/Berlin".parse().expect("a zone"),
        summary: "Ada and Grace: compilers, and more".to_owned(),
        description: Some("First line\nsecond; line\\end".to_owned()),
        location: Some("Café Ørsted".to_owned()),
        url: Some("https://huddle.example/b/3kbooking".to_owned()),
        organizer: person("ada.example.com", "mailto:calendar@huddle.example"),
        attendees: vec![
            Attendee {
                person: person("Grace \"Amazing\" Hopper", "mailto:grace@example.com"),
                participation: Participation::Accepted,
                rsvp: false,
            },
            Attendee {
                person: person(
                    "ada.example.com",
                    "https://bsky.app/profile/ada.example.com",
                ),
                participation: Participation::NeedsAction,
                rsvp: true,
            },
        ],
    }
}

fn write(invitation: &Invitation) -> String {
    invitation.write().expect("it can be written")
}

#[test]
fn an_invitation_is_written_as_the_rfc_has_it() {
    let written = write(&invitation()).replace("\r\n", "\n");
    let (head, event) = written.split_once("BEGIN:VEVENT").expect("an event");
    let head = head.replace("20250220T150000", "START");
    assert_eq!(
        head,
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Huddle//Huddle//EN\nCALSCALE:GREGORIAN\nMETHOD:REQUEST\n\
         BEGIN:VTIMEZONE\nTZID:Europe/Berlin\n\
         BEGIN:STANDARD\nDTSTART:START\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\n\
         BEGIN:DAYLIGHT\nDTSTART:20250330T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nEND:DAYLIGHT\n\
         BEGIN:STANDARD\nDTSTART:20251026T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nEND:STANDARD\n\
         BEGIN:DAYLIGHT\nDTSTART:20260329T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nEND:DAYLIGHT\n\
         BEGIN:STANDARD\nDTSTART:20261025T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nEND:STANDARD\n\
         BEGIN:DAYLIGHT\nDTSTART:20270328T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nEND:DAYLIGHT\n\
         END:VTIMEZONE\n"
    );
    assert_eq!(
        event,
        "\nUID:3kbooking@huddle.example\nSEQUENCE:2\nDTSTAMP:20260301T120000Z\n\
         DTSTART;TZID=Europe/Berlin:20260327T150000\nDTEND;TZID=Europe/Berlin:20260327T154500\n\
         SUMMARY:Ada and Grace: compilers\\, and more\n\
         DESCRIPTION:First line\\nsecond\\; line\\\\end\nLOCATION:Café Ørsted\n\
         URL:https://huddle.example/b/3kbooking\nSTATUS:CONFIRMED\nTRANSP:OPAQUE\n\
         ORGANIZER;CN=ada.example.com:mailto:calendar@huddle.example\n\
         ATTENDEE;CN=Grace ^'Amazing^' Hopper;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED\n ;RSVP=FALSE:mailto:grace@example.com\n\
         ATTENDEE;CN=ada.example.com;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP\n =TRUE:https://bsky.app/profile/ada.example.com\n\
         END:VEVENT\nEND:VCALENDAR\n"
    );
}

#[test]
fn a_cancellation_says_so_twice() {
    let canceled = Invitation {
        method: Method::Cancel,
        sequence: 3,
        ..invitation()
    };
    let written = write(&canceled);
    for line in [
        "METHOD:CANCEL",
        "STATUS:CANCELLED",
        "SEQUENCE:3",
        "UID:3kbooking@huddle.example",
    ] {
        assert!(
            written.contains(&format!("\r\n{line}\r\n")),
            "{line} is not in {written}"
        );
    }
}

/// When the only event of a file is, by the file's own rules: under a name that the database does not know.
fn told(written: &str, around: Interval) -> (Timestamp, Timestamp, Kind) {
    let renamed = written
        .replace("Europe/", "Elsewhere/")
        .replace("Australia/", "Elsewhere/");
    let limits = Limits::default();
    let components = parse(&renamed, &limits).expect("it can be read");
    let window = around.widened(Duration::from_hours(24), Duration::from_hours(24));
    let expansion = Agenda::of(&components, limits).expand(window, Zone::UTC);
    assert!(
        expansion.problems.is_empty(),
        "{:?} in {renamed}",
        expansion.problems
    );
    let [only] = expansion.occurrences[..] else {
        panic!("{} occurrences", expansion.occurrences.len());
    };
    (only.start, only.end, only.kind)
}

#[test]
fn the_described_zone_alone_tells_the_right_moments() {
    let half_hour = Duration::from_mins(30);
    for zone in [
        "Europe/Berlin",
        "Europe/Dublin",
        "Australia/Lord_Howe",
        "Europe/Istanbul",
        "UTC",
    ] {
        let zone: Zone = zone.parse().expect("a zone");
        for start in [
            "2026-01-15T12:00:00",
            "2026-03-29T00:30:00",
            "2026-03-29T01:00:00",
            // The clock shows these twice.
            "2026-10-25T00:30:00",
            "2026-10-25T01:30:00",
            "2026-04-04T14:45:00",
            "2026-04-04T15:15:00",
            "2026-10-03T15:30:00",
        ] {
            let interval = Interval::lasting(moment(start), half_hour).expect("half an hour");
            let written = write(&Invitation {
                interval,
                zone,
                ..invitation()
            });
            let expected = (interval.start(), interval.end(), Kind::Zoned);
            assert_eq!(
                told(&written, interval),
                expected,
                "{zone} {start}\n{written}"
            );
        }
    }
}

#[test]
fn what_means_something_to_programs_is_refused_if_it_is_not_of_its_kind() {
    let refused = |change: fn(&mut Invitation)| {
        let mut changed = invitation();
        change(&mut changed);
        changed.write()
    };
    for (result, expected) in [
        (
            refused(|i| i.uid = "abc\r\nSEQUENCE:999".into()),
            WriteError::Uid,
        ),
        (refused(|i| i.uid = String::new()), WriteError::Uid),
        (refused(|i| i.uid = "a,b".into()), WriteError::Uid),
        (refused(|i| i.uid = "a;b".into()), WriteError::Uid),
        (refused(|i| i.uid = "a\\b".into()), WriteError::Uid),
        (refused(|i| i.uid = "x".repeat(256)), WriteError::Uid),
        (
            refused(|i| i.url = Some("javascript:alert(1)".into())),
            WriteError::Link,
        ),
        (
            refused(|i| i.url = Some("https://a\r\nX:1".into())),
            WriteError::Link,
        ),
        (
            refused(|i| i.url = Some("https://".into())),
            WriteError::Link,
        ),
        (refused(|i| i.stamp = Timestamp::MAX), WriteError::Time),
        (refused(|i| i.interval = Interval::ALWAYS), WriteError::Time),
    ] {
        assert_eq!(result, Err(expected));
    }
}

/// Names and values of all properties of the event that came back, and how many components there are.
fn shape(written: &str) -> (usize, Vec<String>) {
    let components = parse(written, &Limits::default()).expect("it can be read");
    let [calendar] = &components[..] else {
        panic!("{} components", components.len());
    };
    let event = event(calendar);
    let names = event
        .properties
        .iter()
        .map(|property| property.name().to_owned());
    (
        calendar.components.len() + event.components.len(),
        names.collect(),
    )
}

fn event<'a, 'd>(calendar: &'a Component<'d>) -> &'a Component<'d> {
    let mut events = calendar
        .components
        .iter()
        .filter(|component| component.is("VEVENT"));
    let event = events.next().expect("an event");
    assert!(events.next().is_none(), "more than one event");
    event
}

/// Every line by itself, in whichever way a program may split lines.
fn lines_of_any_kind(written: &str) -> usize {
    let breaks = [
        '\r', '\n', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}', '\0',
    ];
    written
        .replace("\r\n ", "")
        .replace("\r\n", "\n")
        .split(breaks)
        .count()
}

#[track_caller]
fn check_words(words: &str) {
    let baseline = write(&invitation());
    let mut invitation = invitation();
    words.clone_into(&mut invitation.summary);
    invitation.description = Some(words.to_owned());
    invitation.location = Some(words.to_owned());
    words.clone_into(&mut invitation.organizer.name);
    words.clone_into(&mut invitation.attendees[0].person.name);
    let written = write(&invitation);
    assert_eq!(shape(&written), shape(&baseline), "{words:?} in {written}");
    assert_eq!(
        lines_of_any_kind(&written),
        lines_of_any_kind(&baseline),
        "{written:?}"
    );
    assert!(
        written.split("\r\n").all(|line| line.len() <= 75),
        "{written}"
    );
    let components = parse(&written, &Limits::default()).expect("it can be read");
    let event = event(&components[0]);
    for name in ["SUMMARY", "DESCRIPTION", "LOCATION"] {
        let text = event.property(name).expect(name).text();
        assert_eq!(text, plain(words));
    }
    for name in ["ORGANIZER", "ATTENDEE"] {
        let property = event.property(name).expect(name);
        // White space at the ends of a name means nothing.
        let name = property.parameter("CN").expect("a name");
        assert_eq!(name.trim(), plain(words).trim());
    }
    let expected = ["CN", "ROLE", "PARTSTAT", "RSVP"];
    let attendee = event.property("ATTENDEE").expect("an attendee");
    assert!(
        attendee.parameters().map(|(name, _)| name).eq(expected),
        "{attendee:?}"
    );
}

#[test]
fn injection_cases_add_nothing_and_come_back_as_text() {
    let Some(cases) = huddle_testdata::shared_text("conformance/ics_injection_cases.json") else {
        return;
    };
    let cases: serde_json::Value = serde_json::from_str(&cases).expect("JSON");
    let cases = cases["cases"].as_array().expect("a list");
    assert!(cases.len() >= 22);
    for case in cases {
        let input = case["input"].as_str().expect("an input");
        check_words(input);
        let mut as_uid = invitation();
        as_uid.uid = input.to_owned();
        let mut as_link = invitation();
        as_link.url = Some(input.to_owned());
        for other in [as_uid, as_link] {
            // Refused, or as harmless as the plain one.
            if let Ok(written) = other.write() {
                assert_eq!(shape(&written), shape(&write(&invitation())), "{written}");
            }
        }
        for address in [
            input.to_owned(),
            format!("mailto:{input}"),
            format!("mailto:{input}@a.b"),
        ] {
            if let Ok(address) = address.parse::<CalendarAddress>() {
                let mut somebody = invitation();
                somebody.organizer.address = address;
                assert_eq!(shape(&write(&somebody)), shape(&write(&invitation())));
            }
        }
        assert!(input.parse::<Zone>().is_err(), "{input:?} is a zone");
    }
}

/// A component as other programs may write it.
fn components() -> impl Strategy<Value = String> {
    let line =
        "[A-Z-]{1,12}(;[A-Z]{1,6}=(\"[^\"\\p{C}]{0,30}\"|[a-zA-Z0-9/]{0,90}))?:[^\\p{C}]{0,120}";
    let lines = prop::collection::vec(line, 0..6)
        .prop_map(|lines| {
            lines
                .into_iter()
                .filter(|l| !l.starts_with("BEGIN:") && !l.starts_with("END:"))
        })
        .prop_map(|lines| lines.map(|line| line + "\n").collect::<String>());
    let leaf = lines
        .clone()
        .prop_map(|lines| format!("BEGIN:VALARM\n{lines}END:VALARM\n"));
    let event = (lines.clone(), leaf)
        .prop_map(|(lines, leaf)| format!("BEGIN:VEVENT\n{lines}{leaf}END:VEVENT\n"));
    (lines, prop::collection::vec(event, 0..3)).prop_map(|(lines, events)| {
        format!("BEGIN:VCALENDAR\n{lines}{}END:VCALENDAR\n", events.concat())
    })
}

proptest! {
    #[test]
    fn what_is_read_prints_as_the_same_and_reads_as_the_same(text in components()) {
        let limits = Limits::default();
        let components = parse(&text, &limits).expect("it can be read");
        let printed: String = components.iter().map(ToString::to_string).collect();
        let again = parse(&printed, &limits).expect("it can be read again");
        prop_assert_eq!(&again, &components);
        let reprinted: String = again.iter().map(ToString::to_string).collect();
        prop_assert_eq!(reprinted, printed);
    }

    #[test]
    fn no_words_become_properties(words in "\\PC{0,80}|(?s).{0,80}") {
        check_words(&words);
    }
}
