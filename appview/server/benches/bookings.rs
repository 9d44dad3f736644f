//! How many meetings an AppView on one machine takes from the first word to the confirmation, with
//! every commit on the disk: by the flows alone, and over HTTP with signed tokens. Client and server
//! share the machine.
//!
//! A pair is a `match` and the `finalize` that accepts it, of people who are in no other meeting. What
//! the outbox still has to do when the last answer is out is timed too.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark measures time, prints it, and may end in a panic"
)]

#[path = "../tests/http/server.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use huddle_core::Limits;
use huddle_core::index::{Index as _, Statement};
use huddle_lexicon::com::huddle::defs::BookingStatus;
use huddle_lexicon::com::huddle::{finalize, r#match as matching};
use huddle_syntax::Did;
use huddle_testkit::ListedWindows;
use tokio::task::JoinSet;

use server::{Server, did, tomorrow};

const PAIRS: usize = 4000;
const AT_ONCE: [usize; 3] = [1, 16, 64];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    println!(
        "at once    pairs/s    match p50    match p99    finalize p50    finalize p99    outbox empty after"
    );
    for at_once in AT_ONCE {
        let pairs = if at_once == 1 { PAIRS / 10 } else { PAIRS };
        println!("{}", runtime.block_on(run(pairs, at_once)));
    }
}

async fn run(pairs: usize, at_once: usize) -> String {
    let hosts: Arc<Vec<Did>> = Arc::new((0..pairs).map(|n| did(&format!("host{n}"))).collect());
    let mut windows = ListedWindows::default();
    for host in hosts.iter() {
        windows.add(host, tomorrow(0), tomorrow(30)).unwrap();
    }
    let server = Arc::new(Server::start(windows, Limits::default()).await);
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
    let emptied = emptied(&server, pairs).await;
    let (matched, finalized): (Vec<_>, Vec<_>) = times.into_iter().unzip();
    format!(
        "{at_once:7} {:10.0} {} {:16.1?}",
        f64::from(u32::try_from(pairs).unwrap()) / took.as_secs_f64(),
        [percentiles(matched), percentiles(finalized)].join("    "),
        emptied.duration_since(begun).saturating_sub(took),
    )
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

/// When the index knows that all are confirmed, which is the last that the outbox does.
async fn emptied(server: &Server, bookings: usize) -> Instant {
    let count = Statement {
        sql: "SELECT count(*) FROM bookings WHERE status = 'confirmed'",
        bindings: vec![],
    };
    loop {
        let rows = server.index.query(count.clone()).await.unwrap();
        if rows[0].get::<i64>(0).unwrap() == i64::try_from(bookings).unwrap() {
            return Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    format!("{:9.1?}    {:9.1?}", at(50), at(99))
}
