//! How long `huddle serve` takes until it answers, with a hundred thousand bookings in its databases, and how much memory
//! it has then, and at rest once it has answered. By `cargo bench` it fails where that is more than is bearable.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark measures time, prints it, and may end in a panic"
)]

#[path = "../tests/process/program.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod program;
#[path = "support/usage.rs"]
mod usage;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use clap::Parser;
use huddle_appview::app::{App, Parts};
use huddle_appview_router::Operations;
use huddle_core::Limits;
use huddle_core::booking::{Asked, BookingIds};
use huddle_core::directory::{Directory, DirectoryError};
use huddle_core::flows::Flows;
use huddle_core::idempotency::Key;
use huddle_identity::crypto::PublicKey;
use huddle_identity::{Freshness, IdentityError, SigningKeys};
use huddle_native::{ActorStore, Backlog, Database, SqliteIndex, SystemClock};
use huddle_ports::{Clock as _, Timestamp};
use huddle_syntax::{AtIdentifier, Did};
use huddle_testkit::ListedWindows;
use tokio::task::JoinSet;

use program::{Serving, huddle};

/// An operator who starts it anew waits no longer, and a small machine has room for it.
const LONGEST_START: Duration = Duration::from_millis(300);
const MOST_MEMORY_KIB: u64 = 50 << 10;

/// At rest is when nothing is left of what was done before.
const REST: Duration = Duration::from_secs(3);

/// So much is asked before the memory is measured again.
const QUESTIONS: usize = 2_000;

/// Many share a commit.
const AT_ONCE: usize = 256;

#[derive(Parser)]
struct Options {
    /// How many bookings there are.
    #[arg(long)]
    bookings: Option<usize>,
    /// Said by cargo, to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
    /// Said to every benchmark, too: which ones are to run.
    #[arg(hide = true)]
    filter: Option<String>,
}

/// Nobody is asked over the network: everything is done by the flows.
struct Nobody;

#[async_trait]
impl SigningKeys for Nobody {
    async fn signing_key(
        &self,
        _: &Did,
        _: &str,
        _: Freshness,
    ) -> Result<PublicKey, IdentityError> {
        unreachable!("no token is shown")
    }
}

#[async_trait]
impl Directory for Nobody {
    async fn find(&self, _: &AtIdentifier) -> Result<Option<Did>, DirectoryError> {
        Ok(None)
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options
        .filter
        .is_some_and(|filter| !"start".contains(&filter))
    {
        return ExitCode::SUCCESS;
    }
    // `cargo test` runs each benchmark once, to see that it runs.
    let usual = if options.bench { 100_000 } else { 100 };
    let bookings = options.bookings.unwrap_or(usual);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("huddle-data");
    std::fs::create_dir(&data).unwrap();
    runtime.block_on(fill(&data, bookings));
    let begun = Instant::now();
    let mut command = huddle(folder.path());
    command.arg("serve");
    // Whoever asks here asks all at once.
    command.env("HUDDLE_ANONYMOUS_PER_MINUTE", "100000");
    command.env("HUDDLE_ANONYMOUS_BURST", "100000");
    let server = Serving::start(command).unwrap();
    let started = begun.elapsed();
    std::thread::sleep(REST);
    let usage = usage::of(server.child.id());
    ask(&server, QUESTIONS);
    std::thread::sleep(REST);
    let after = usage::of(server.child.id()).memory_kib;
    println!(
        "bookings    until it listens    memory at rest    open files    after {QUESTIONS} answers"
    );
    println!(
        "{bookings:8} {started:19.0?} {:13} KiB {:13} {after:19} KiB",
        usage.memory_kib, usage.handles
    );
    let is_bearable = started <= LONGEST_START && usage.memory_kib.max(after) <= MOST_MEMORY_KIB;
    // `cargo test` has it built without optimizations.
    if is_bearable || !options.bench {
        return ExitCode::SUCCESS;
    }
    println!("at most {LONGEST_START:?} and {MOST_MEMORY_KIB} KiB are allowed");
    ExitCode::FAILURE
}

/// Has it answer so many questions, each on a connection of its own.
fn ask(server: &Serving, questions: usize) {
    let place = server.url.socket_addrs(|| None).unwrap()[0];
    for n in 0..questions {
        let mut client = TcpStream::connect(place).unwrap();
        let question = format!(
            "GET /xrpc/com.huddle.searchHosts?q=host{n} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        );
        client.write_all(question.as_bytes()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

/// Confirms so many meetings, each of people who are in no other.
async fn fill(data: &Path, bookings: usize) {
    let did =
        |kind: &str, n: usize| -> Did { format!("did:web:{kind}{n}.example.com").parse().unwrap() };
    let start = SystemClock.now().as_millis() + 86_400_000;
    let mut windows = ListedWindows::default();
    for n in 0..bookings {
        let (start, end) = (start, start + 1_800_000);
        let window = [start, end].map(Timestamp::from_millis);
        windows.add(&did("host", n), window[0], window[1]).unwrap();
    }
    let clock = Arc::new(SystemClock);
    let actors = Database::Actors.path(data);
    let actors = ActorStore::open(&actors, clock.clone(), Limits::default()).unwrap();
    let index = SqliteIndex::open(&Database::Index.path(data)).unwrap();
    let windows = Arc::new(windows);
    let parts = Parts {
        actors: Arc::new(actors),
        index: Arc::new(index),
        availability: windows.clone(),
        slots: windows,
        keys: Arc::new(Nobody),
        directory: Arc::new(Nobody),
        clock,
        ids: BookingIds::new(&[7; 32]),
        limits: Limits::default(),
        service: "did:web:localhost#huddle_appview".parse().unwrap(),
        operations: Operations::default(),
        connecting: None,
        post: None,
    };
    let App { pump, flows, .. } = parts.assemble();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let pump = tokio::spawn(pump.run(async {
        // The end of the other side is the sign.
        let _ = stopped.await;
    }));
    let mut people = JoinSet::new();
    for worker in 0..AT_ONCE {
        let flows = flows.clone();
        people.spawn(async move {
            for n in (worker..bookings).step_by(AT_ONCE) {
                meet(&flows, did("host", n), did("guest", n)).await;
            }
        });
    }
    people.join_all().await;
    while Backlog::read(data).unwrap().waiting > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(stop);
    pump.await.unwrap();
}

async fn meet(flows: &Flows, host: Did, guest: Did) {
    let id = BookingIds::new(&[7; 32]).of_request(&guest, "com.huddle.match", "one");
    let asked = Asked::new(host, guest.clone());
    let held = flows.request(&id, asked, String::new()).await;
    held.unwrap().unwrap();
    let key = Key {
        caller: guest,
        method: "com.huddle.finalize".to_owned(),
        key: "one".to_owned(),
        body_hash: String::new(),
    };
    let confirmed = flows.finalize(&id, key).await.unwrap().unwrap();
    assert_eq!(confirmed.phase.word(), "confirmed");
}
