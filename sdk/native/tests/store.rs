//! Actors in a file: what they are asked, what stays, and which files are refused.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::path::Path;
use std::sync::Arc;

use huddle_core::rate_limiter::{Rate, Spend, Verdict};
use huddle_core::transport::ask;
use huddle_core::{ActorName, ActorTransport, Limits};
use huddle_native::{ActorStore, OpenError};
use huddle_ports::Timestamp;
use huddle_syntax::Did;
use huddle_testkit::SteppingClock;
use rusqlite::Connection;
use tempfile::TempDir;

fn clock() -> Arc<SteppingClock> {
    let noon = Timestamp::from_millis(1_767_268_800_000);
    Arc::new(SteppingClock::at(noon))
}

fn open(path: &Path) -> Result<ActorStore, OpenError> {
    ActorStore::open(path, clock(), Limits::default())
}

fn limiter() -> ActorName {
    ActorName::rate_limiter("ip/192.0.2.7")
}

/// One token of a bucket of three.
fn spend() -> Spend {
    Spend {
        rate: Rate {
            per_minute: 1,
            burst: 3,
        },
        cost: 1,
        nonce: None,
    }
}

#[tokio::test]
async fn what_was_answered_is_there_when_the_file_is_opened_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("actors.sqlite");
    for remaining in [2, 1, 0] {
        let store = open(&path).unwrap();
        let verdict = ask(&store, &limiter(), spend()).await.unwrap();
        assert_eq!(verdict, Verdict::Allowed { remaining });
    }
}

#[tokio::test]
async fn of_many_who_ask_at_once_no_more_are_served_than_can_be() {
    let store = Arc::new(ActorStore::in_memory(clock(), Limits::default()).unwrap());
    let asked: Vec<_> = (0..600)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { ask(&*store, &limiter(), spend()).await.unwrap() })
        })
        .collect();
    let mut allowed = 0;
    for verdict in asked {
        if let Verdict::Allowed { .. } = verdict.await.unwrap() {
            allowed += 1;
        }
    }
    assert_eq!(allowed, 3);
}

#[tokio::test]
async fn a_command_for_another_kind_of_actor_is_an_error() {
    let store = ActorStore::in_memory(clock(), Limits::default()).unwrap();
    let ada: Did = "did:web:ada.example.com".parse().unwrap();
    let ada = ActorName::host_match(&ada);
    let error = store.send(&ada, spend().into()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no answer from host-match: a command for another kind of actor"
    );
}

/// Opens a file after it was made by `make`; gives the error without the path that it begins with,
/// and checks that a file that was refused is as it was.
#[track_caller]
fn check_refused(make: impl FnOnce(&Path), expect: &str) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("actors.sqlite");
    make(&path);
    let before = std::fs::read(&path).ok();
    let error = open(&path).unwrap_err().to_string();
    let error = error.replace(&path.display().to_string(), "FILE");
    assert_eq!(error, expect);
    assert_eq!(std::fs::read(&path).ok(), before);
}

fn script(path: &Path, script: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(script).unwrap();
}

#[test]
fn a_file_of_another_application_is_refused_and_left_alone() {
    let expect = "FILE is the database of another application: name another file";
    check_refused(|path| script(path, "PRAGMA application_id = 7"), expect);
    check_refused(|path| script(path, "CREATE TABLE t (a)"), expect);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    check_refused(
        |path| std::fs::write(path, "Dear diary, ".repeat(100)).unwrap(),
        "FILE is no intact SQLite database (file is not a database): \
         restore a backup, or name another file",
    );
}

#[test]
fn a_damaged_file_is_refused() {
    check_refused(
        |path| {
            drop(open(path).unwrap());
            let mut bytes = std::fs::read(path).unwrap();
            // After the header, the first page holds the schema.
            bytes[100..4096].fill(0xff);
            std::fs::write(path, bytes).unwrap();
        },
        "FILE is no intact SQLite database (database disk image is malformed): \
         restore a backup, or name another file",
    );
}

#[test]
fn a_file_of_a_later_version_is_refused_and_left_alone() {
    check_refused(
        |path| {
            drop(open(path).unwrap());
            script(path, "INSERT INTO migration VALUES ('9999_later')");
        },
        "FILE cannot be used: the store failed: it was written by a later version of Huddle \
         (9999_later); run that version or restore a backup",
    );
}

#[test]
fn a_file_in_a_folder_that_is_missing_cannot_be_opened() {
    let folder = TempDir::new().unwrap();
    let error = open(&folder.path().join("missing/actors.sqlite")).unwrap_err();
    assert!(matches!(error, OpenError::Unavailable { .. }), "{error}");
}
