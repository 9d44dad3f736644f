mod upkeep;

use std::fs;
use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use huddle_core::outbox;
use huddle_core::sql::Value;
use huddle_ports::Timestamp;
use huddle_testkit::SteppingClock;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::writer::{Failure, Pending};
use super::*;

/// A store in a folder of its own, and a second way to its file.
struct World {
    store: ActorStore,
    folder: TempDir,
}

const FILE: &str = "actors.sqlite";

impl World {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self {
            store: open(&folder.path().join(FILE)),
            folder,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(FILE)
    }

    /// What another process would see.
    fn committed(&self) -> Vec<String> {
        names(&self.path())
    }

    async fn add(&self, name: &'static str) -> Pending<()> {
        self.store.writer.queue(move |sql| add(sql, name)).await
    }

    /// Begins a piece of work that does not end before it is told to.
    async fn hold(&self) -> Hold {
        let (begun, told) = oneshot::channel();
        let (go_on, wait) = mpsc::channel::<()>();
        let hold = move |_: &mut dyn Sql| {
            begun.send(()).unwrap();
            // The end of the other side is the sign.
            let _ = wait.recv();
            Ok(())
        };
        let pending = self.store.writer.queue(hold).await;
        Hold {
            begun: told,
            go_on,
            pending,
        }
    }

    /// Holds the thread, so that what is queued next is one batch.
    async fn begun_hold(&self) -> Hold {
        let mut hold = self.hold().await;
        (&mut hold.begun).await.unwrap();
        hold
    }
}

struct Hold {
    begun: oneshot::Receiver<()>,
    go_on: mpsc::Sender<()>,
    pending: Pending<()>,
}

impl Hold {
    async fn end(self) -> Result<(), Failure> {
        drop(self.go_on);
        self.pending.answer().await
    }
}

fn open(path: &Path) -> ActorStore {
    let clock = Arc::new(SteppingClock::at(Timestamp::UNIX_EPOCH));
    ActorStore::open(path, clock, Limits::default()).unwrap()
}

fn names(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("SELECT name FROM actor ORDER BY name")
        .unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

fn add(sql: &mut dyn Sql, name: &str) -> Result<(), SqlError> {
    sql.query(
        "INSERT INTO actor (name, latest) VALUES (?1, 0)",
        &[name.into()],
    )?;
    Ok(())
}

fn problem<R: std::fmt::Debug>(outcome: Result<R, Failure>) -> String {
    outcome.unwrap_err().to_string()
}

#[tokio::test]
async fn of_a_batch_only_what_fails_or_panics_is_rolled_back() {
    let world = World::new();
    let hold = world.begun_hold().await;
    let first = world.add("first").await;
    let fails = world.store.writer.queue(|sql| {
        add(sql, "fails")?;
        add(sql, "fails")
    });
    let fails = fails.await;
    let panics = world.store.writer.queue(|sql| -> Result<(), SqlError> {
        add(sql, "panics")?;
        panic!("out of {}", "cheese")
    });
    let panics = panics.await;
    let last = world.add("last").await;
    hold.end().await.unwrap();
    first.answer().await.unwrap();
    assert_eq!(
        problem(fails.answer().await),
        "the store failed: UNIQUE constraint failed: actor.name"
    );
    assert_eq!(problem(panics.answer().await), "it panicked: out of cheese");
    last.answer().await.unwrap();
    assert_eq!(world.committed(), ["first", "last"]);
}

#[tokio::test]
async fn nothing_is_answered_before_it_is_committed() {
    let world = World::new();
    let before = world.begun_hold().await;
    let mut added = world.add("a").await;
    let mut after = world.hold().await;
    before.end().await.unwrap();
    (&mut after.begun).await.unwrap();
    assert!(matches!(added.0.try_recv(), Err(TryRecvError::Empty)));
    assert!(world.committed().is_empty());
    after.end().await.unwrap();
    added.answer().await.unwrap();
    assert_eq!(world.committed(), ["a"]);
}

#[tokio::test]
async fn a_commit_that_fails_is_an_error_for_all_of_its_batch() {
    let world = World::new();
    let schema =
        "CREATE TABLE child (parent TEXT REFERENCES actor (name) DEFERRABLE INITIALLY DEFERRED)";
    world
        .store
        .writer
        .run(|sql| sql.script(schema))
        .await
        .unwrap();
    let hold = world.begun_hold().await;
    let first = world.add("first").await;
    let orphan = world
        .store
        .writer
        .queue(|sql| sql.query("INSERT INTO child VALUES ('nobody')", &[]));
    let orphan = orphan.await;
    let last = world.add("last").await;
    let all_failed = "the transaction was rolled back: FOREIGN KEY constraint failed";
    drop(hold.go_on);
    assert_eq!(problem(first.answer().await), all_failed);
    assert_eq!(problem(orphan.answer().await), all_failed);
    assert_eq!(problem(last.answer().await), all_failed);
    assert!(world.committed().is_empty());
    world.add("next").await.answer().await.unwrap();
    assert_eq!(world.committed(), ["next"]);
}

/// SQLite rolls the whole transaction back when it finds the disk full, not the savepoint alone.
#[tokio::test]
async fn a_full_disk_is_an_error_for_all_of_a_batch_and_not_the_end() {
    let world = World::new();
    let no_more_pages = |sql: &mut dyn Sql| {
        let pages: i64 = sql.query("PRAGMA page_count", &[])?[0].get(0)?;
        sql.query(&format!("PRAGMA max_page_count = {pages}"), &[])
    };
    world.store.writer.run(no_more_pages).await.unwrap();
    let hold = world.begun_hold().await;
    let first = world.add("first").await;
    let long = world
        .store
        .writer
        .queue(|sql| add(sql, &"long".repeat(10_000)));
    let long = long.await;
    let last = world.add("last").await;
    drop(hold.go_on);
    let all_failed = "the transaction was rolled back: the store failed: database or disk is full";
    assert_eq!(problem(first.answer().await), all_failed);
    assert_eq!(problem(long.answer().await), all_failed);
    assert_eq!(problem(last.answer().await), all_failed);
    assert!(world.committed().is_empty());
    world.add("short").await.answer().await.unwrap();
    assert_eq!(world.committed(), ["short"]);
}

/// What is on the disk at some moment is what a process leaves that is killed at that moment.
#[tokio::test]
async fn a_killed_process_loses_only_what_was_not_answered() {
    let world = World::new();
    world.add("answered").await.answer().await.unwrap();
    let before = world.begun_hold().await;
    let mut unanswered = world.add("unanswered").await;
    let mut after = world.hold().await;
    before.end().await.unwrap();
    (&mut after.begun).await.unwrap();
    let left = TempDir::new().unwrap();
    for end in ["", "-wal"] {
        let name = format!("{FILE}{end}");
        fs::copy(world.folder.path().join(&name), left.path().join(&name)).unwrap();
    }
    assert!(unanswered.0.try_recv().is_err());
    let left = left.path().join(FILE);
    drop(open(&left));
    assert_eq!(names(&left), ["answered"]);
    after.end().await.unwrap();
}

#[tokio::test]
async fn what_is_queued_when_a_store_is_dropped_is_done_first() {
    let world = World::new();
    let hold = world.begun_hold().await;
    let first = world.add("first").await;
    let second = world.add("second").await;
    drop(hold.go_on);
    let World { store, folder } = world;
    drop(store);
    assert_eq!(names(&folder.path().join(FILE)), ["first", "second"]);
    first.answer().await.unwrap();
    second.answer().await.unwrap();
}

#[tokio::test]
async fn who_comes_when_the_queue_is_full_waits_for_a_place() {
    let world = World::new();
    let hold = world.begun_hold().await;
    let mut queued = Vec::new();
    let waiting = loop {
        let one_more = world.store.writer.queue(|sql| sql.query("SELECT 1", &[]));
        let mut one_more = Box::pin(one_more);
        tokio::select! {
            biased;
            pending = &mut one_more => queued.push(pending),
            () = ready(()) => break one_more,
        }
        assert!(queued.len() < 10_000, "the queue has no end");
    };
    hold.end().await.unwrap();
    queued.push(waiting.await);
    for pending in queued {
        let rows = pending.answer().await.unwrap();
        assert_eq!(rows[0].0, [Value::Integer(1)]);
    }
}

#[tokio::test]
async fn a_commit_is_on_the_disk_before_it_is_over() {
    let world = World::new();
    let writer = &world.store.writer;
    let pragma = |name: &'static str| async move {
        let statement = format!("PRAGMA {name}");
        let value = writer.run(move |sql| sql.query(&statement, &[]));
        value.await.unwrap()[0].0[0].clone()
    };
    assert_eq!(pragma("journal_mode").await, Value::Text("wal".into()));
    assert_eq!(pragma("synchronous").await, Value::Integer(2), "FULL");
    assert_eq!(pragma("foreign_keys").await, Value::Integer(1));
}

#[tokio::test]
async fn a_task_that_this_version_cannot_read_is_a_dead_letter_and_holds_nothing_up() {
    let world = World::new();
    let fill = |sql: &mut dyn Sql| {
        for (actor, task) in [
            ("booking/3hq7n2k5x4d6m7p2r5t7", r#"{"FromTheFuture":{}}"#),
            ("future/x", r#"{"Project":"3hq7n2k5x4d6m7p2r5t7"}"#),
            (
                "booking/3hq7n2k5x4d6m7p2r5t7",
                r#"{"Project":"3hq7n2k5x4d6m7p2r5t7"}"#,
            ),
        ] {
            let statement = "INSERT INTO outbox (actor, task, due) VALUES (?1, ?2, 0)";
            sql.query(statement, &[actor.into(), task.into()])?;
        }
        let due = outbox::due(sql, outbox::TELL, Timestamp::UNIX_EPOCH, 10)?;
        let dead = sql.query("SELECT count(*) FROM outbox WHERE due IS NULL", &[])?;
        Ok((due.len(), dead[0].get::<i64>(0)?))
    };
    assert_eq!(world.store.writer.run(fill).await.unwrap(), (1, 2));
}

#[test]
fn sqlite_keeps_to_the_contract_of_sql() {
    let connection = Connection::open_in_memory().unwrap();
    let mut sql = sqlite::SqliteSql(&connection);
    assert_eq!(huddle_testkit::contract::sql(&mut sql), Ok(()));
}

#[tokio::test]
async fn the_log_is_carried_over_and_begun_anew_while_commits_go_on() {
    let world = World::new();
    let log = world.folder.path().join(format!("{FILE}-wal"));
    let length = || fs::metadata(&log).unwrap().len();
    let (mut longest, mut since_it_grew, mut next) = (0, 0, 0);
    // A log that is begun anew grows no more; one that is not grows with each commit.
    while since_it_grew < 20 {
        assert!(next < 500_000, "the log has grown to {longest} bytes");
        let names = next..next + 500;
        next = names.end;
        let work = world.store.writer.run(move |sql| {
            names
                .into_iter()
                .try_for_each(|number| add(sql, &format!("actor {number}")))
        });
        work.await.unwrap();
        since_it_grew = if length() > longest {
            0
        } else {
            since_it_grew + 1
        };
        longest = longest.max(length());
    }
    drop(world.store);
    assert!(!log.exists(), "it is carried over when the store is closed");
    assert_eq!(names(&world.folder.path().join(FILE)).len(), next);
}

#[tokio::test]
async fn of_a_store_that_was_closed_no_log_is_left() {
    for _ in 0..50 {
        let world = World::new();
        world.add("first").await.answer().await.unwrap();
        drop(world.store);
        assert!(!world.folder.path().join(format!("{FILE}-wal")).exists());
    }
}
