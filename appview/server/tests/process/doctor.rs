//! `huddle doctor`

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::program::{Done, Serving, huddle, run};
use crate::smtp::Smtp;
use crate::world::World;

/// Nobody is reached over the network here.
fn doctor(folder: &Path) -> Done {
    doctor_with(folder, &[])
}

/// The same with more settings.
fn doctor_with(folder: &Path, more: &[&str]) -> Done {
    let nobody = "http://127.0.0.1:1";
    let arguments = ["doctor", "--json", "--development"];
    let arguments = [&arguments[..], &["--plc", nobody, "--graph", nobody], more];
    run(folder, arguments.concat())
}

/// What is found of one check, with the verdict.
#[track_caller]
fn findings(done: &Done, check: &str) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&done.printed).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let of_check = findings.iter().filter(|it| it["check"] == check);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    of_check
        .map(|it| (text(&it["verdict"]), text(&it["found"])))
        .collect()
}

fn installation() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut command = huddle(folder.path());
    command.arg("serve");
    Serving::start(command).unwrap().stop();
    folder
}

#[test]
fn an_installation_that_is_sound_is_said_to_be() {
    let folder = installation();
    let done = doctor(folder.path());
    for check in ["keys", "database", "outbox", "bookings"] {
        let findings = findings(&done, check);
        assert!(!findings.is_empty(), "{check}");
        for (verdict, found) in findings {
            assert_eq!(verdict, "ok", "{check}: {found}");
        }
    }
    // Whether the database of them is old depends on when this is run.
    assert_eq!(findings(&done, "time zones").len(), 1);
    // A directory that cannot be reached is no small matter.
    assert_eq!(findings(&done, "directory")[0].0, "fail");
    assert_eq!(done.code, Some(1));
}

/// Where a network on loopback is found, as settings.
fn network(world: &World) -> Vec<String> {
    let (places, smtp) = (&world.network.places, &world.network.smtp);
    let settings = [
        ["--plc", places.directory.as_str()],
        ["--graph", places.host.as_str()],
        ["--firehose", world.network.firehose.as_str()],
        ["--smtp-url", smtp.as_str()],
        ["--mail-from", "bookings@huddle.test"],
    ];
    settings.concat().into_iter().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn where_everybody_answers_nothing_fails() {
    let folder = installation();
    let settings = network(&World::new(0).await);
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let arguments = [&["doctor", "--json", "--development"][..], &settings].concat();
    let done = run(folder.path(), arguments);
    assert_eq!(done.code, Some(0), "{done:?}");
    for check in ["clock", "directory", "firehose", "mail"] {
        for (verdict, found) in findings(&done, check) {
            assert_eq!(verdict, "ok", "{check}: {found}");
        }
        assert_eq!(findings(&done, check).len(), 1, "{check}: {done:?}");
    }

    let arguments = [&["doctor", "--development"][..], &settings].concat();
    let told = run(folder.path(), arguments).text();
    for line in [
        format!("ok    firehose       {} can be followed", settings[5]),
        "warn  configuration  nobody can call it".to_owned(),
        format!("{:20} → name your service with --service", ""),
        format!("{:32} {:>8}  120 to 1800", "hold_secs", 900),
    ] {
        assert!(
            told.lines().any(|it| it.starts_with(&line)),
            "{line}: {told}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_and_has_no_firehose_cannot_be_followed() {
    let world = World::new(0).await;
    let folder = tempfile::tempdir().unwrap();
    let directory = world.network.places.directory.as_str();
    let no_firehose = directory.replacen("http", "ws", 1);
    for (url, why) in [
        (&*no_firehose, "HTTP error: 404"),
        ("ws://127.0.0.1:1", "Connection refused"),
    ] {
        let done = doctor_with(folder.path(), &["--firehose", url]);
        let [(verdict, found)] = &findings(&done, "firehose")[..] else {
            panic!("{done:?}");
        };
        assert_eq!(verdict, "fail", "{found}");
        assert!(
            found.contains("cannot be followed: ") && found.contains(why),
            "{found}"
        );
        assert_eq!(done.code, Some(1));
    }
}

#[test]
fn a_secret_that_others_may_read_or_that_is_none_fails() {
    let folder = installation();
    let secret = folder.path().join("huddle-data/booking-ids.secret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let found = findings(&doctor(folder.path()), "keys");
    assert!(
        found
            .iter()
            .any(|(verdict, found)| verdict == "fail" && found.contains("644")),
        "{found:?}"
    );
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&secret, "abc").unwrap();
    let found = findings(&doctor(folder.path()), "keys");
    assert!(
        found
            .iter()
            .any(|(verdict, found)| verdict == "fail" && found.contains("holds no secret")),
        "{found:?}"
    );
}

#[test]
fn a_key_that_something_is_sealed_with_and_that_is_lost_fails() {
    let folder = installation();
    let actors = Connection::open(folder.path().join("huddle-data/actors.sqlite")).unwrap();
    for (table, row) in [
        (
            "connector",
            "(actor, id, provider, access, created, revision, credentials, sealed_with, state) \
             VALUES ('a', 'c', 'ics', 'read', 0, 1, 'lost.AAAA', 'lost', 'connected')",
        ),
        (
            "address",
            "(actor, sealed, confirmed, expires) VALUES ('a', 'lost.AAAA', 1, 0)",
        ),
        ("webhook", "(actor, sealed) VALUES ('a', 'lost.AAAA')"),
    ] {
        let insert = format!("INSERT INTO {table} {row}");
        actors.execute(&insert, []).unwrap();
        let done = doctor(folder.path());
        let found = findings(&done, "keys");
        let is_told = |(verdict, found): &(String, String)| {
            verdict == "fail" && found.ends_with("sealed with: lost")
        };
        assert!(found.iter().any(is_told), "{table}: {found:?}");
        // It is copied all the same: what else is in it may be needed.
        let copied = run(folder.path(), ["backup", table, "--json"]).json();
        assert_eq!(copied["lost_keys"], json!(["lost"]), "{table}");
        actors.execute(&format!("DELETE FROM {table}"), []).unwrap();
    }
    let found = findings(&doctor(folder.path()), "keys");
    assert!(
        found.iter().all(|(verdict, _)| verdict == "ok"),
        "{found:?}"
    );
}

#[test]
fn a_database_that_is_damaged_fails() {
    let folder = installation();
    let path = folder.path().join("huddle-data/actors.sqlite");
    let mut bytes = fs::read(&path).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let done = doctor(folder.path());
    let found = findings(&done, "database");
    assert!(
        found.iter().any(|(verdict, _)| verdict == "fail"),
        "{found:?}"
    );
    assert_eq!(done.code, Some(1));
}

#[test]
fn without_an_installation_it_says_how_to_make_one_and_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let found = findings(&doctor(folder.path()), "folder");
    assert_eq!(found[0].0, "warn");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_variable_that_is_no_setting_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = huddle(folder.path());
    command.args(["doctor", "--json", "--plc", "http://127.0.0.1:1"]);
    command.env("HUDDLE_LISTN", "127.0.0.1:1");
    let done = crate::program::finish(&mut command);
    let found = findings(&done, "configuration");
    assert!(
        found
            .iter()
            .any(|(_, found)| found.contains("HUDDLE_LISTN")),
        "{found:?}"
    );
}

/// What is found of a mail server at this address.
fn mail(url: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let from = ["--mail-from", "bookings@huddle.invalid"];
    let done = doctor_with(folder.path(), &[&["--smtp-url", url], &from[..]].concat());
    assert!(!done.printed.contains("tellnobody"), "{}", done.printed);
    let [found] = &findings(&done, "mail")[..] else {
        panic!("{}", done.printed);
    };
    // Nobody can have a domain of that name (RFC 2606 §2).
    let sender = findings(&done, "sender");
    assert!(
        sender.iter().all(|(verdict, _)| verdict == "warn"),
        "{sender:?}"
    );
    assert_eq!(sender.len(), 1);
    found.clone()
}

#[test]
fn a_mail_server_is_talked_to_and_shown_who_we_are() {
    let sound = Smtp::start(|_| None);
    let (verdict, found) = mail(&format!("smtp://{}", sound.place));
    assert_eq!(verdict, "ok", "{found}");
    assert!(sound.mail.mail_for("bookings@huddle.invalid").is_empty());

    let unknown = Smtp::start(|verb| match verb {
        "EHLO" => Some("250-mail.test\r\n250 AUTH PLAIN LOGIN\r\n"),
        "AUTH" => Some("535 5.7.8 no\r\n"),
        _ => None,
    });
    let away = Smtp::start(|verb| (verb == "EHLO").then_some("421 not now\r\n"));
    for (url, expect) in [
        (format!("smtp://huddle:tellnobody@{}", unknown.place), "535"),
        (format!("smtp://{}", away.place), "421"),
        (format!("smtp://{}?tls=required", sound.place), "STARTTLS"),
        ("smtp://127.0.0.1:1".to_owned(), "refused"),
    ] {
        let (verdict, found) = mail(&url);
        assert_eq!(verdict, "fail", "{url}: {found}");
        assert!(found.contains(expect), "{url}: {found}");
    }
}
