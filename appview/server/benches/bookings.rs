//! How many meetings an AppView on one machine takes from the first word to the confirmation, over HTTP with signed tokens
//! and with every commit on the disk. Client and server share the machine.
//!
//! A pair is a `match` and the `finalize` that accepts it, of people who are in no other meeting. When hosts have time
//! stands in a list, so the search over offers and calendars is in none of this: that is for `load`. What the outbox still
//! has to do when the last answer is out is timed too, and has to be done soon. Of one pair it is counted what it writes.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark measures time, prints it, and may end in a panic"
)]

#[path = "../tests/http/server.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod server;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use huddle_core::Limits;
use huddle_core::index::{Index as _, Statement};
use huddle_lexicon::com::huddle::defs::BookingStatus;
use huddle_lexicon::com::huddle::{finalize, r#match as matching};
use huddle_native::{Backlog, Database};
use huddle_syntax::Did;
use huddle_testkit::ListedWindows;
use rusqlite::Connection;
use tokio::task::JoinSet;

use server::{Server, did, tomorrow};

const PAIRS: usize = 4000;
const AT_ONCE: [usize; 3] = [1, 16, 64];
/// By then nothing is left to be done outside.
const SOON: Duration = Duration::from_secs(10);

fn main() {
    // Where each server has its folder, one at a time.
    let folders = tempfile::tempdir().unwrap();
    tempfile::env::override_temp_dir(folders.path()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    println!(
        "at once    pairs/s    match p50    match p99    finalize p50    finalize p99    outbox empty after"
    );
    let mut slowest = Duration::ZERO;
    for at_once in AT_ONCE {
        let pairs = if at_once == 1 { PAIRS / 10 } else { PAIRS };
        let (line, emptied) = runtime.block_on(run(folders.path(), pairs, at_once));
        println!("{line}");
        slowest = slowest.max(emptied);
    }
    let (rows, commits) = runtime.block_on(written(folders.path()));
    println!("written for a booking: {rows} rows, {commits} commits");
    assert!(
        slowest <= SOON,
        "the outbox is empty {slowest:.1?} after the last answer"
    );
}

async fn run(folders: &Path, pairs: usize, at_once: usize) -> (String, Duration) {
    let hosts: Arc<Vec<Did>> = Arc::new((0..pairs).map(|n| did(&format!("host{n}"))).collect());
    let server = Arc::new(start(&hosts).await);
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..at_once {
        let (server, hosts, next) = (server.clone(), hosts.clone(), next.clone());
        clients.spawn(async move {
            let mut times = Vec::new();
            while let Some(host) = hosts.get(next.fetch_add(1, Ordering::Relaxed)) {
                times.push(pair(&server, host).await);
            }
            times
        });
    }
    let times: Vec<_> = clients.join_all().await.into_iter().flatten().collect();
    let took = begun.elapsed();
    empty(&server, folders, pairs).await;
    let emptied = begun.elapsed().saturating_sub(took);
    let (matched, finalized): (Vec<_>, Vec<_>) = times.into_iter().unzip();
    let line = format!(
        "{at_once:7} {:10.0} {} {emptied:16.1?}",
        f64::from(u32::try_from(pairs).unwrap()) / took.as_secs_f64(),
        [percentiles(matched), percentiles(finalized)].join("    "),
    );
    (line, emptied)
}

/// A server of hosts who have half an hour tomorrow.
async fn start(hosts: &[Did]) -> Server {
    let mut windows = ListedWindows::default();
    for host in hosts {
        windows.add(host, tomorrow(0), tomorrow(30)).unwrap();
    }
    Server::start(windows, Limits::default()).await
}

async fn pair(server: &Server, host: &Did) -> (Duration, Duration) {
    let guest = did(&server.fresh_key());
    let begun = Instant::now();
    let mut ask = matching::Input::new(host.clone());
    ask.idempotency_key = Some(server.fresh_key());
    let held = server.call::<matching::Match>(&guest, &ask).await.unwrap();
    let matched = begun.elapsed();
    let mut accept = finalize::Input::new(held.booking.unwrap().id);
    accept.idempotency_key = Some(server.fresh_key());
    let confirmed = server.call::<finalize::Finalize>(&guest, &accept).await;
    assert_eq!(confirmed.unwrap().booking.status, BookingStatus::Confirmed);
    (matched, begun.elapsed().saturating_sub(matched))
}

/// Waits until nothing is to be done outside any more, and sees that the index knows of all bookings then.
async fn empty(server: &Server, folders: &Path, bookings: usize) {
    let folder = folder(folders);
    while Backlog::read(&folder).unwrap().waiting > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let count = Statement {
        sql: "SELECT count(*) FROM bookings WHERE status = 'confirmed'",
        bindings: vec![],
    };
    let rows = server.index.query(count).await.unwrap();
    let known: i64 = rows[0].get(0).unwrap();
    assert_eq!(known, i64::try_from(bookings).unwrap());
}

/// The folder of the server that runs.
fn folder(folders: &Path) -> PathBuf {
    let mut entries = folders.read_dir().unwrap();
    entries.next().unwrap().unwrap().path()
}

/// The rows that a booking writes into the store of the actors, with all that follows from it, those of indexes left out;
/// and the commits.
async fn written(folders: &Path) -> (u32, u32) {
    let hosts = [did("host0"), did("host1")];
    let server = start(&hosts).await;
    let store = Database::Actors.path(&folder(folders));
    // Whatever is done once is done for the first.
    pair(&server, &hosts[0]).await;
    empty(&server, folders, 1).await;
    let connection = Connection::open(&store).unwrap();
    count_rows(&connection);
    let before = commits(&store);
    pair(&server, &hosts[1]).await;
    empty(&server, folders, 2).await;
    let rows = connection.query_row("SELECT rows FROM written", [], |row| row.get(0));
    (rows.unwrap(), commits(&store) - before)
}

/// Has every row counted that is written from now on.
fn count_rows(connection: &Connection) {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let mut tables = connection.prepare(tables).unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut script =
        "CREATE TABLE written (rows INTEGER); INSERT INTO written VALUES (0);".to_owned();
    let triggers = tables.map(Result::unwrap).flat_map(|table| {
        ["INSERT", "UPDATE", "DELETE"].map(|operation| {
            format!(
                "CREATE TRIGGER written_{table}_{operation} AFTER {operation} ON {table} \
                 BEGIN UPDATE written SET rows = rows + 1; END;"
            )
        })
    });
    script.extend(triggers);
    connection.execute_batch(&script).unwrap();
}

/// The commits in the log that SQLite writes ahead: <https://www.sqlite.org/fileformat2.html#walformat>
fn commits(store: &Path) -> u32 {
    const HEADER: usize = 32;
    const FRAME_HEADER: usize = 24;
    let log = std::fs::read(store.with_extension("sqlite-wal")).unwrap();
    let (header, frames) = log.split_at(HEADER);
    let page = u32::from_be_bytes(header[8..12].try_into().unwrap());
    let frames = frames.chunks_exact(FRAME_HEADER + usize::try_from(page).unwrap());
    // A frame that ends a commit says how large the database is after it. Frames with another salt are of an earlier round.
    let commits = frames.filter(|frame| frame[8..16] == header[16..24] && frame[4..8] != [0; 4]);
    u32::try_from(commits.count()).unwrap()
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    format!("{:9.1?}    {:9.1?}", at(50), at(99))
}
