//! What we write, read by libraries that nobody here wrote: `icalendar` for Python and `ical.js`. They agree with us
//! on every field, and on how many properties and components there are.

use huddle_ports::Timestamp;
use huddle_schedule::icalendar::{
    Attendee, CalendarAddress, Invitation, Method, Participation, Person, plain,
};
use huddle_schedule::{Interval, Zone};
use huddle_testdata::workspace_root;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Where the libraries are; `None` where they are not installed, as for [`huddle_testdata::skip`].
fn installed() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    let folder = target
        .expect("the folder for tests lies in the target folder")
        .join("peers/ics");
    if folder.join(".installed").exists() {
        return Some(folder);
    }
    huddle_testdata::skip(
        "icalendar and ical.js are not installed; tests/peers/ics/install does that",
    );
    None
}

/// What a program says of some files.
fn read(mut program: Command, files: &[String]) -> Vec<Value> {
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let input = serde_json::to_vec(files).expect("texts are JSON");
    child
        .stdin
        .take()
        .expect("the input is piped")
        .write_all(&input)
        .expect("the program reads all of it");
    let output = child
        .wait_with_output()
        .expect("the program is ours to wait for");
    assert!(output.status.success(), "{program:?}: {}", output.status);
    let output = String::from_utf8(output.stdout).expect("the program writes UTF-8");
    output
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

fn invitation(words: &str) -> Invitation {
    let person = |address: &str| Person {
        name: words.to_owned(),
        address: address.parse().expect("an address"),
    };
    Invitation {
        method: Method::Request,
        uid: "3kbooking@huddle.example".to_owned(),
        sequence: 7,
        stamp: moment("2026-03-01T12:00:00"),
        interval: Interval::lasting(moment("2026-03-27T14:00:00"), Duration::from_mins(45))
            .expect("45 minutes"),
        zone: "Europe/Berlin".parse().expect("a zone"),
        summary: words.to_owned(),
        description: Some(words.to_owned()),
        location: Some(words.to_owned()),
        url: Some("https://huddle.example/b/3k?a=1&b=2".to_owned()),
        organizer: person("mailto:calendar@huddle.example"),
        attendees: vec![
            Attendee {
                person: person("mailto:grace+huddle@example.com"),
                participation: Participation::Accepted,
                rsvp: false,
            },
            Attendee {
                person: person("https://bsky.app/profile/ada.example.com"),
                participation: Participation::NeedsAction,
                rsvp: true,
            },
        ],
    }
}

fn moment(text: &str) -> Timestamp {
    Zone::UTC.instant(text.parse().expect("a time"))
}

/// What a reader has to find.
fn expected(invitation: &Invitation, components: usize) -> Value {
    let at = |moment| Zone::UTC.local(moment).format("%FT%TZ").to_string();
    let text = |text: &Option<String>| plain(text.as_deref().unwrap_or_default());
    let person = |person: &Person| json!({ "address": CalendarAddress::as_str(&person.address), "name": plain(&person.name) });
    let attendees = invitation.attendees.iter().map(|attendee| {
        let mut value = person(&attendee.person);
        value["role"] = json!("REQ-PARTICIPANT");
        value["partstat"] = match attendee.participation {
            Participation::NeedsAction => "NEEDS-ACTION",
            Participation::Accepted => "ACCEPTED",
            Participation::Declined => "DECLINED",
            Participation::Tentative => "TENTATIVE",
        }
        .into();
        value["rsvp"] = if attendee.rsvp { "TRUE" } else { "FALSE" }.into();
        value
    });
    let (method, status) = match invitation.method {
        Method::Request => ("REQUEST", "CONFIRMED"),
        Method::Cancel => ("CANCEL", "CANCELLED"),
        Method::Publish => ("PUBLISH", "CONFIRMED"),
    };
    json!({
        "method": method,
        "components": components,
        "properties": 14,
        "uid": invitation.uid,
        "sequence": invitation.sequence,
        "stamp": at(invitation.stamp),
        "start": at(invitation.interval.start()),
        "end": at(invitation.interval.end()),
        "summary": plain(&invitation.summary),
        "description": text(&invitation.description),
        "location": text(&invitation.location),
        "url": invitation.url,
        "status": status,
        "transparency": "OPAQUE",
        "organizer": person(&invitation.organizer),
        "attendees": attendees.collect::<Vec<_>>(),
    })
}

/// In parameters, ical.js takes `\\n` for a line break beside the `^n` of RFC 6868. No way to write it would be read as
/// it was meant by everybody.
fn break_names_at_backslash_n(expected: &mut Value) {
    let persons = expected["attendees"].as_array_mut().into_iter().flatten();
    for person in persons {
        person["name"] = person["name"]
            .as_str()
            .unwrap_or_default()
            .replace("\\n", "\n")
            .into();
    }
    let organizer = &mut expected["organizer"];
    organizer["name"] = organizer["name"]
        .as_str()
        .unwrap_or_default()
        .replace("\\n", "\n")
        .into();
}

/// Invitations of all kinds, with the words of the injection cases where people write words.
fn invitations() -> Vec<Invitation> {
    let mut all: Vec<Invitation> = [
        "Grace \"Amazing\" Hopper, née Murray; 100 % ^n",
        "Zoë",
        "👩‍👩‍👧‍👦".repeat(30).as_str(),
    ]
    .into_iter()
    .map(invitation)
    .collect();
    for method in [Method::Cancel, Method::Publish] {
        all.push(Invitation {
            method,
            ..invitation("Zoë")
        });
    }
    // Zones that no release of the database has changed lately: readers go by their own.
    let zones = [
        "UTC",
        "America/New_York",
        "Europe/Dublin",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Antarctica/Troll",
    ];
    let starts = [
        "2026-01-15T12:00:00",
        "2026-03-29T00:30:00",
        "2026-10-25T00:30:00",
        "2026-10-25T01:30:00",
        "2026-04-04T14:45:00",
    ];
    for zone in zones {
        for start in starts {
            let interval =
                Interval::lasting(moment(start), Duration::from_mins(50)).expect("50 minutes");
            let zone = zone.parse().expect("a zone");
            all.push(Invitation {
                zone,
                interval,
                ..invitation("Zoë")
            });
        }
    }
    if let Some(cases) = huddle_testdata::shared_text("conformance/ics_injection_cases.json") {
        let cases: Value = serde_json::from_str(&cases).expect("JSON");
        for case in cases["cases"].as_array().expect("a list") {
            all.push(invitation(case["input"].as_str().expect("an input")));
        }
    }
    all
}

#[test]
fn two_foreign_readers_agree_with_us_on_every_field() {
    let Some(folder) = installed() else { return };
    let scripts = workspace_root().join("tests/peers/ics");
    let invitations = invitations();
    let files: Vec<String> = invitations
        .iter()
        .map(|i| i.write().expect("it can be written"))
        .collect();
    let mut python = Command::new(folder.join("venv/bin/python"));
    python.arg(scripts.join("read.py"));
    let mut node = Command::new("node");
    node.arg(scripts.join("read.mjs")).arg(&folder);
    for (program, reads_backslash_n) in [(python, false), (node, true)] {
        let name = format!("{program:?}");
        let found = read(program, &files);
        assert_eq!(found.len(), files.len());
        for ((invitation, file), found) in invitations.iter().zip(&files).zip(found) {
            let components = file.matches("\r\nBEGIN:").count() + 1;
            let mut expected = expected(invitation, components);
            if reads_backslash_n {
                break_names_at_backslash_n(&mut expected);
            }
            assert_eq!(found, expected, "{name} reads {file}");
        }
    }
}
