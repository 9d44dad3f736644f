//! `huddle demo` tells its story to the end, and leaves the invitation.

use std::fs;
use std::process::Command;

#[test]
fn the_demonstration_ends_with_an_invitation() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("meeting.ics");
    let demo = Command::new(env!("CARGO_BIN_EXE_huddle"))
        .args(["demo", "--invitation"])
        .arg(&file)
        .output()
        .unwrap();
    let told = String::from_utf8(demo.stdout).unwrap();
    let trouble = String::from_utf8_lossy(&demo.stderr);
    assert!(demo.status.success(), "{told}\n{trouble}");
    for step in [
        "The stranger asks for half an hour: NoSlot.",
        "is held on both sides",
        "the meeting is confirmed",
        "The host sees: confirmed",
        "The guest sees: confirmed",
        "The stranger sees nothing",
    ] {
        assert!(told.contains(step), "{step}: {told}");
    }
    let invitation = fs::read_to_string(file).unwrap();
    for line in ["METHOD:REQUEST", "SEQUENCE:0", "TZID:Europe/Berlin"] {
        assert!(invitation.contains(line), "{line}: {invitation}");
    }
}
