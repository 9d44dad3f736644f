//! What an operator does with the files: bringing them up to date, copying them, looking whether they are sound.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use huddle_core::booking::{Asked, BookingId, Create};
use huddle_core::migrations::{self, ACTOR, INDEX, Migration, Schema};
use huddle_core::outbox::{self, Task};
use huddle_core::transport::ask;
use huddle_core::{ActorName, Limits, Sql as _};
use huddle_ports::Timestamp;
use huddle_testkit::SteppingClock;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::store::sqlite::SqliteSql;
use crate::store::{ActorStore, BackupError, Contradiction, Database, OpenError, SqliteIndex};

const ID: &str = "3hq7n2k5x4d6m7p2r5t7";

/// An installation with one booking, of which the index knows nothing.
async fn installation() -> TempDir {
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(SteppingClock::at(Timestamp::UNIX_EPOCH));
    let path = Database::Actors.path(folder.path());
    let actors = ActorStore::open(&path, clock, Limits::default()).unwrap();
    SqliteIndex::open(&Database::Index.path(folder.path())).unwrap();
    let asked = Asked::new(
        "did:web:host.example.com".parse().unwrap(),
        "did:web:guest.example.com".parse().unwrap(),
    );
    let create = Create {
        asked,
        body_hash: String::new(),
    };
    let name = ActorName::booking(&ID.parse().unwrap());
    ask(&actors, &name, create).await.unwrap().unwrap();
    folder
}

fn run(folder: &Path, database: Database, script: &str) {
    let connection = Connection::open(database.path(folder)).unwrap();
    connection.execute_batch(script).unwrap();
}

#[track_caller]
fn found(folder: &Path) -> Vec<String> {
    let found = Contradiction::find(folder, Timestamp::UNIX_EPOCH).unwrap();
    found.iter().map(Contradiction::to_string).collect()
}

/// A database as each earlier version has left it, with a row for each of its tables' kinds, keeps its rows.
#[test]
fn a_database_of_any_earlier_version_is_brought_up_to_date_with_what_is_in_it() {
    let rows = "INSERT INTO bookings (id, revision, host_did, guest_did, status, created, updated, document) \
                VALUES ('b', 1, 'h', 'g', 'held', 0, 0, '{}')";
    upgrades(Database::Index, INDEX, rows, "bookings");
    let rows = "INSERT INTO booking (actor, document) VALUES ('booking/b', '{}'); \
                INSERT INTO outbox (actor, task, due) VALUES ('booking/b', '{}', 0)";
    upgrades(Database::Actors, ACTOR, rows, "booking");
}

/// Leaves what a version would that had these steps.
fn leave(sql: &mut SqliteSql<'_>, steps: &[Migration]) {
    sql.script("CREATE TABLE migration (name TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID")
        .unwrap();
    for step in steps {
        sql.script(step.script).unwrap();
        let note = "INSERT INTO migration (name) VALUES (?1)";
        sql.query(note, &[step.name.into()]).unwrap();
    }
}

fn upgrades(database: Database, Schema { steps, .. }: Schema, rows: &str, table: &str) {
    for earlier in 1..steps.len() {
        let folder = TempDir::new().unwrap();
        let path = database.path(folder.path());
        let connection = Connection::open(&path).unwrap();
        let id = match database {
            Database::Actors => i32::from_be_bytes(*b"Hudl"),
            Database::Index => i32::from_be_bytes(*b"HudI"),
        };
        connection
            .pragma_update(None, "application_id", id)
            .unwrap();
        let mut sql = SqliteSql(&connection);
        leave(&mut sql, &steps[..earlier]);
        sql.script(rows).unwrap();
        drop(connection);

        let lacked: Vec<_> = steps[earlier..].iter().map(|step| step.name).collect();
        assert_eq!(database.missing(&path).unwrap(), lacked);
        assert_eq!(database.condition(&path).unwrap().missing, lacked);
        assert_eq!(database.migrate(&path).unwrap(), lacked);
        assert!(database.missing(&path).unwrap().is_empty());
        let connection = Connection::open(&path).unwrap();
        let count = format!("SELECT count(*) FROM {table}");
        let count: i64 = connection.query_row(&count, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 1, "{lacked:?}");
    }
}

#[test]
fn a_new_database_is_what_all_steps_lead_to() {
    for schema in [ACTOR, INDEX] {
        let [new, old] = [(); 2].map(|()| Connection::open_in_memory().unwrap());
        let ran = migrations::migrate(&mut SqliteSql(&new), &schema).unwrap();
        leave(&mut SqliteSql(&old), schema.steps);
        assert_eq!(ran.len(), schema.steps.len());
        assert!(
            migrations::migrate(&mut SqliteSql(&new), &schema)
                .unwrap()
                .is_empty()
        );
        assert_eq!(definitions(&new), definitions(&old));
    }
}

/// What a database consists of: as it was written, without comments and whatever else makes no difference.
fn definitions(connection: &Connection) -> Vec<String> {
    let all = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name";
    let mut all = connection.prepare(all).unwrap();
    let all = all.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let plain = |sql: String| {
        let code = sql.lines().map(|line| line.split("--").next().unwrap());
        let code = code.collect::<Vec<_>>().join(" ").replace('"', "");
        let apart = code.replace(',', " , ").replace(')', " ) ");
        apart.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    all.map(|sql| plain(sql.unwrap())).collect()
}

/// An earlier version found out about apps while it wrote a letter, and this one when it publishes.
#[test]
fn of_a_letter_that_waits_from_an_earlier_version_its_booking_is_published_once_more() {
    let connection = Connection::open_in_memory().unwrap();
    let mut sql = SqliteSql(&connection);
    let earlier = |step: &Migration| step.name < "0007";
    leave(
        &mut sql,
        &ACTOR.steps[..ACTOR.steps.partition_point(earlier)],
    );
    for party in ["host", "guest"] {
        let task = format!(
            r#"{{"Effect":{{"booking":"{ID}","party":"{party}","channel":"mail","revision":4}}}}"#
        );
        let row = format!(
            "INSERT INTO outbox (actor, kind, task, due) VALUES ('booking/{ID}', 'mail', '{task}', 9)"
        );
        sql.script(&row).unwrap();
    }
    migrations::migrate(&mut sql, &ACTOR).unwrap();
    let mut waiting = |kind| {
        let due = outbox::due(&mut sql, kind, Timestamp::from_millis(9), 10).unwrap();
        due.into_iter().map(|entry| entry.task).collect::<Vec<_>>()
    };
    assert_eq!(waiting("project"), [Task::Project(ID.parse().unwrap())]);
    assert_eq!(waiting("mail").len(), 2);
}

#[tokio::test]
async fn a_command_beside_the_server_changes_no_schema_and_makes_no_file() {
    let folder = installation().await;
    let path = Database::Actors.path(folder.path());
    let open = || {
        let clock = Arc::new(SteppingClock::at(Timestamp::UNIX_EPOCH));
        ActorStore::open_existing(&path, clock, Limits::default()).map(drop)
    };
    assert!(open().is_ok());
    let last = ACTOR.steps.last().unwrap().name;
    let forget = format!("DELETE FROM migration WHERE name = '{last}'");
    run(folder.path(), Database::Actors, &forget);
    assert!(matches!(
        open(),
        Err(OpenError::Outdated { missing, .. }) if missing == [last]
    ));
    fs::remove_file(&path).unwrap();
    assert!(matches!(open(), Err(OpenError::Unavailable { .. })));
    assert!(!path.exists());
}

#[tokio::test]
async fn a_copy_is_whole_and_its_index_will_hear_of_what_it_lacks() {
    let folder = installation().await;
    let known = "UPDATE booking SET document = json_set(document, '$.known', json('true')); DELETE FROM outbox";
    run(folder.path(), Database::Actors, known);
    assert_eq!(
        found(folder.path()),
        [format!("lists are behind with booking {ID}")]
    );
    let copy = TempDir::new().unwrap();
    let copied = Database::back_up(folder.path(), copy.path()).unwrap();
    let [(_, actors), (_, index)] = &copied[..] else {
        panic!("{copied:?}");
    };
    let bookings = ("bookings", 1);
    assert!(actors.counts.contains(&bookings), "{actors:?}");
    assert!(actors.counts.contains(&("tasks", 1)), "{actors:?}");
    assert!(index.problems.is_empty() && index.missing.is_empty());
    assert!(found(copy.path()).is_empty());
    // It is not the original that was told.
    assert_eq!(found(folder.path()).len(), 1);
}

#[tokio::test]
async fn whom_searches_find_is_as_recent_in_a_copy_as_what_they_wish() {
    let folder = installation().await;
    let set = "DELETE FROM outbox; \
               INSERT INTO preferences (actor, document, revision) VALUES \
               ('user-connector/did:web:ada.example.com', '{\"listing\":\"unlisted\"}', 2), \
               ('user-connector/did:web:bob.example.com', '{}', 1)";
    run(folder.path(), Database::Actors, set);
    let listed = "INSERT INTO people (did, first_seen, listed, listed_by) VALUES \
                  ('did:web:ada.example.com', 0, 1, 1), ('did:web:bob.example.com', 0, 1, 1)";
    run(folder.path(), Database::Index, listed);
    let copy = TempDir::new().unwrap();
    Database::back_up(folder.path(), copy.path()).unwrap();
    let connection = Connection::open(Database::Actors.path(copy.path())).unwrap();
    let due = outbox::due(
        &mut SqliteSql(&connection),
        "project",
        Timestamp::UNIX_EPOCH,
        10,
    );
    let waiting: Vec<Task> = due.unwrap().into_iter().map(|entry| entry.task).collect();
    let unlisted = Task::List {
        person: "did:web:ada.example.com".parse().unwrap(),
        listed: false,
        revision: 2,
        at: Timestamp::UNIX_EPOCH,
    };
    assert_eq!(waiting, [unlisted]);
}

#[tokio::test]
async fn nothing_is_copied_over_what_is_there() {
    let folder = installation().await;
    let copy = TempDir::new().unwrap();
    fs::write(Database::Index.path(copy.path()), "mine").unwrap();
    let refused = Database::back_up(folder.path(), copy.path()).unwrap_err();
    assert!(matches!(refused, BackupError::Write { .. }), "{refused}");
    let left = fs::read_to_string(Database::Index.path(copy.path())).unwrap();
    assert_eq!(left, "mine");
}

#[tokio::test]
async fn a_page_that_is_damaged_is_found_and_is_never_copied() {
    let folder = installation().await;
    let path = Database::Actors.path(folder.path());
    let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
                INSERT INTO actor (name, latest) SELECT 'a' || i, i FROM n; PRAGMA wal_checkpoint(TRUNCATE)";
    run(folder.path(), Database::Actors, many);
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let pages = file.metadata().unwrap().len() / 4096;
    for page in pages / 2..pages {
        file.write_all_at(&[0xff; 4096], page * 4096).unwrap();
    }
    let condition = Database::Actors.condition(&path);
    let is_found = match &condition {
        Ok(condition) => !condition.problems.is_empty(),
        Err(error) => matches!(error, OpenError::Damaged { .. }),
    };
    assert!(is_found, "{condition:?}");
    let copy = TempDir::new().unwrap();
    assert!(Database::back_up(folder.path(), copy.path()).is_err());
}

#[tokio::test]
async fn what_contradicts_itself_is_found() {
    let folder = installation().await;
    assert!(found(folder.path()).is_empty());
    let claim = |booking: &str, state: &str, guard: [i64; 2], slot: [i64; 2]| {
        format!(
            "INSERT INTO claim (actor, booking, attempt, state, starts, ends, guard_starts, guard_ends, role, \
             counterpart, limited, due) VALUES ('host-match/p', '{booking}', 1, '{state}', {}, {}, {}, {}, 'host', \
             'q', 0, 9);",
            slot[0], slot[1], guard[0], guard[1]
        )
    };
    let actor = "INSERT INTO actor (name, latest) VALUES ('host-match/p', 5);";
    // Buffers may overlap, and a hold that is over counts no more.
    let sound = [
        actor.to_owned(),
        claim("a", "prepared", [0, 4], [1, 3]),
        claim("b", "held", [3, 7], [4, 6]),
    ];
    run(folder.path(), Database::Actors, &sound.concat());
    assert!(found(folder.path()).is_empty());
    let overlapping = claim("c", "prepared", [5, 8], [5, 8]);
    run(folder.path(), Database::Actors, &overlapping);
    assert_eq!(
        found(folder.path()),
        ["bookings b and c of one person overlap"]
    );
    let over = "UPDATE actor SET latest = 9 WHERE name = 'host-match/p'";
    run(folder.path(), Database::Actors, over);
    assert!(found(folder.path()).is_empty());
    let booked = claim(ID, "booked", [20, 30], [20, 30]);
    run(folder.path(), Database::Actors, &booked);
    assert_eq!(
        found(folder.path()),
        [format!(
            "time is given away to booking {ID}, which was never confirmed for it"
        )]
    );
}

#[tokio::test]
async fn a_meeting_that_nobodys_time_knows_of_is_found() {
    let folder = installation().await;
    let confirmed = r#"UPDATE booking SET document = json_set(document, '$.phase', json('{"Confirmed": {"attempt": 1,
        "place": {"slot": [10, 20], "terms": {"offer": null, "tz": "UTC", "mode": "auto",
        "guest_side": "unchecked"}}, "change": null}}'))"#;
    run(folder.path(), Database::Actors, confirmed);
    let unclaimed: BookingId = ID.parse().unwrap();
    let unclaimed =
        format!("booking {unclaimed} is confirmed, and the time of one side is not taken");
    assert_eq!(found(folder.path()), [unclaimed.clone(), unclaimed]);
}
