//! `huddle demo` tells its story to the end, and leaves the invitation.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What the demonstration prints when it leaves the invitation in this file.
fn demonstrate(file: &Path, arguments: &[&str]) -> String {
    let demo = Command::new(env!("CARGO_BIN_EXE_huddle"))
        .args(["demo", "--invitation"])
        .arg(file)
        .args(arguments)
        .output()
        .unwrap();
    let told = String::from_utf8(demo.stdout).unwrap();
    let trouble = String::from_utf8_lossy(&demo.stderr);
    assert!(demo.status.success(), "{told}\n{trouble}");
    assert_eq!(trouble, "", "nothing has gone wrong");
    told
}

#[test]
fn the_demonstration_ends_with_an_invitation() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("meeting.ics");
    let told = demonstrate(&file, &[]);
    let invitation = fs::read_to_string(file).unwrap();
    for line in ["METHOD:REQUEST", "SEQUENCE:0", "TZID:Europe/Berlin"] {
        assert!(invitation.contains(line), "{line}: {invitation}");
    }
    for line in told.lines().filter(|line| !line.contains("meeting.ics")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let words: Vec<_> = told.split_whitespace().collect();
    let words = words.join(" ");
    for step in [
        "1. The host publishes office hours",
        "the signature was the host's",
        "2. A stranger asks for half an hour They are told NoSlot:",
        "3. The host connects a calendar",
        "would do, and it would.",
        "would do: NoSlot, and not why.",
        "4. Host and guest say where they read mail",
        "5. The guest asks for half an hour, on that day or later",
        "is held on both sides",
        "A tentative event of the host's calendar shows it.",
        "6. The guest accepts The calendar was read afresh, and the meeting is confirmed.",
        "The event in the host's calendar is confirmed, too.",
        "An invitation is in the mailbox of either of them.",
        "7. What each of them sees The host sees: confirmed",
        "The guest sees: confirmed",
        "The stranger sees nothing.",
        "Neither guest nor stranger sees what takes the host's time",
    ] {
        assert!(words.contains(step), "{step}: {told}");
    }
}

#[test]
fn programs_get_the_same_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("meeting.ics");
    let told: Value = serde_json::from_str(&demonstrate(&file, &["--json"])).unwrap();
    assert!(told["seconds"].as_f64().unwrap() > 0.0, "{told}");
    assert_eq!(told["steps"].as_array().unwrap().len(), 7);
    assert_eq!(told["meeting"]["status"], "confirmed");
    assert_eq!(told["invitation"], file.to_str().unwrap());
    let invitation = fs::read_to_string(file).unwrap();
    let uid = format!("UID:{}", told["meeting"]["id"].as_str().unwrap());
    assert!(invitation.contains(&uid), "{invitation}");
}
