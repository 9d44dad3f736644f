//! Flags before the environment, that before a file, that before defaults; and what is none of them.

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::program::{Done, Serving, finish, huddle, run};

/// The value that `doctor` tells of a limit; the checks themselves are about other things.
#[track_caller]
fn hold_secs(done: &Done) -> Value {
    let report: Value = serde_json::from_str(&done.printed).unwrap();
    let limits = report["limits"].as_array().unwrap();
    let limit = limits.iter().find(|limit| limit["name"] == "hold_secs");
    limit.unwrap()["value"].clone()
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = "http://127.0.0.1:1";
    let doctor = |file: bool, variable: bool, flag: bool| {
        let path = folder.path().join("huddle.toml");
        let _ = fs::remove_file(&path);
        if file {
            fs::write(&path, "[limits]\nhold_secs = 301").unwrap();
        }
        let mut command = huddle(folder.path());
        command.args(["doctor", "--json", "--plc", nobody, "--graph", nobody]);
        if variable {
            command.env("HUDDLE_HOLD_SECS", "302");
        }
        if flag {
            command.args(["--hold-secs", "303"]);
        }
        hold_secs(&finish(&mut command))
    };
    assert_eq!(doctor(false, false, false), json!(900));
    assert_eq!(doctor(true, false, false), json!(301));
    assert_eq!(doctor(true, true, false), json!(302));
    assert_eq!(doctor(true, true, true), json!(303));
}

#[test]
fn what_is_typed_beside_a_server_finds_the_folder_that_the_file_names() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("huddle.toml"), "data = \"elsewhere\"").unwrap();
    let mut command = huddle(folder.path());
    command.arg("serve");
    let _server = Serving::start(command).unwrap();
    assert!(folder.path().join("elsewhere/actors.sqlite").exists());
    for words in [
        &["migrate", "--dry-run"][..],
        &["backup", "copy"],
        &["jobs", "list"],
        &["connector", "list", "did:web:host.example.com"],
        &["keys", "list"],
        &["keys", "rotate"],
        &["keys", "reseal"],
    ] {
        run(folder.path(), words).text();
    }
    let folder_named = ["keys", "list", "--data", "huddle-data"];
    run(folder.path(), folder_named).fails(1, "in huddle-data: name the folder");
}

#[test]
fn a_file_that_is_wrong_is_told_by_its_name_and_ends_like_a_wrong_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    fs::write(&file, "listn = \"127.0.0.1:1\"").unwrap();
    let with_file = || run(folder.path(), ["serve", "--config", "settings.toml"]);
    with_file().fails(2, "settings.toml: listn is no setting: listen may be meant");
    fs::write(&file, "[limits]\nhold_secs = 60").unwrap();
    with_file().fails(2, "hold_secs: 60 is not in 120..=1800");
    fs::write(&file, "operator_token = \"secret\"").unwrap();
    let done = with_file();
    assert!(!done.complained.contains("\"secret\""), "{done:?}");
    done.fails(2, "operator_token is a secret");
    fs::remove_file(&file).unwrap();
    with_file().fails(2, "settings.toml");
    run(folder.path(), ["serve", "--listn", "127.0.0.1:1"]).fails(2, "--listen");
    let dear = ["serve", "--account-burst", "1"];
    run(folder.path(), dear).fails(2, "raise account_burst");
}

#[test]
fn help_teaches_and_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(folder.path(), ["--help"]).text();
    for taught in ["Exit codes:", "Examples:", "[limits]", "huddle doctor"] {
        assert!(help.contains(taught), "{taught}: {help}");
    }
    for command in [
        "demo",
        "serve",
        "doctor",
        "migrate",
        "backup",
        "jobs",
        "bookings",
        "hosts",
        "connector",
        "keys",
        "import",
        "completions",
    ] {
        assert!(help.contains(command), "{command}: {help}");
        run(folder.path(), [command, "--help"]).text();
    }
    assert!(
        run(folder.path(), ["serve", "--help"])
            .text()
            .contains("--hold-secs")
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn shells_learn_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = run(folder.path(), ["completions", shell]).text();
        assert!(script.contains("doctor"), "{shell}");
    }
}

#[test]
fn who_stops_reading_makes_no_failure_of_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = huddle(folder.path());
    command.args(["completions", "bash"]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
