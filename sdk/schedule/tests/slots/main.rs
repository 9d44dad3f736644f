//! The cases of `vectors/slots`: what a host has said, and the slots that come of it, written so that a person can
//! check them with a calendar and a clock. `case.rs` says what a case can say.

use std::fmt::Write as _;
use std::path::Path;

mod case;
mod setting;

/// Runs the cases of a file.
#[track_caller]
fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors/slots")
        .join(name);
    let text = std::fs::read_to_string(&path).expect("the file can be read");
    let mut differences = String::new();
    let cases = case::read(&text);
    assert!(!cases.is_empty(), "{name} has no cases");
    for case in cases {
        let made = case.run();
        if made != case.expect {
            write!(
                differences,
                "\n== {}\n{}",
                case.title,
                diff(&case.expect, &made)
            )
            .expect("a string can be written to");
        }
    }
    assert!(differences.is_empty(), "{name}{differences}");
}

/// Lines that were expected with `-`, lines that were made with `+`.
fn diff(expect: &[String], made: &[String]) -> String {
    let gone = expect
        .iter()
        .filter(|line| !made.contains(line))
        .map(|line| format!("- {line}\n"));
    let come = made
        .iter()
        .filter(|line| !expect.contains(line))
        .map(|line| format!("+ {line}\n"));
    let lines: String = gone.chain(come).collect();
    if lines.is_empty() {
        "the lines are in another order\n".to_owned()
    } else {
        lines
    }
}

macro_rules! files {
    ($( $test:ident: $file:literal, )+) => {
        $( #[test]
        fn $test() {
            check($file);
        } )+

        /// No file is forgotten.
        const FILES: &[&str] = &[$( $file, )+];
    };
}

files! {
    clocks_that_go_forward: "clocks_go_forward.txt",
    clocks_that_go_back: "clocks_go_back.txt",
    windows_over_midnight: "midnight.txt",
    days_that_do_not_exist: "skipped_days.txt",
    zones_of_their_own_kind: "odd_zones.txt",
    office_hours_and_offers: "office_hours.txt",
    busy_time_and_buffers: "busy.txt",
    limits_of_the_host: "limits.txt",
    holds_and_bookings: "meetings.txt",
    guests_elsewhere: "guests.txt",
    several_people: "people.txt",
    ranking: "ranking.txt",
    reasons: "reasons.txt",
}

#[test]
fn every_file_is_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/slots");
    let mut names: Vec<String> = folder
        .read_dir()
        .expect("the folder can be read")
        .map(|entry| {
            entry
                .expect("an entry can be read")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort_unstable();
    let mut files = FILES.to_vec();
    files.sort_unstable();
    assert_eq!(names, files);
}
