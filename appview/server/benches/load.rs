//! How long a caller waits for a match, over HTTP with signed tokens and every commit on the disk: at 200 requests a
//! second, with ever more hosts in the index; and of one host, with ever more meetings in their calendar. Client and
//! server share the machine.
//!
//! At 200 a second, requests are sent when their time has come, whether or not those before have been answered, and are
//! measured from that time on: a server that falls behind is not waited for. Of one host they are sent one after the
//! other: with thousands of meetings a single one keeps a core busy for longer than 200 a second would leave it, and what
//! would be measured is how long they wait for each other.
//!
//! What is on the network is left out, as it would be where everybody has called before: keys and who follows whom are
//! known at once, in place of the caches that have them then. The process as a whole, with the real ones over a network on
//! loopback, is under load in `soak.rs`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark measures time, prints it, and may end in a panic"
)]

#[path = "support/hosts.rs"]
mod hosts;
#[path = "../tests/http/server.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod server;

use std::slice;
use std::sync::Arc;
use std::time::{Duration, Instant};

use huddle_core::booking::{Attempt, BookingIds};
use huddle_core::host_match::{Candidate, Ending, Finish, Hold, Margins, Prepare, Role};
use huddle_core::matching::{Matching, NoCalendars, Sources};
use huddle_core::transport::ask;
use huddle_core::{ActorName, Interval, Limits};
use huddle_lexicon::com::huddle::r#match as matching;
use huddle_native::SystemClock;
use huddle_ports::{Clock as _, Timestamp};
use huddle_schedule::disclosure::DisclosureKey;
use huddle_syntax::Did;
use tokio::task::JoinSet;

use hosts::{Friends, publish};
use server::{Server, did};

const PER_SECOND: u32 = 200;
const REQUESTS: u32 = 3000;
/// So many that one host's office hours have room for them, within the days that a search looks at.
const WITH_ONE_HOST: usize = 400;
/// The first ones find everything cold.
const WARM_UP: usize = 200;
const HOSTS: [usize; 3] = [10, 1_000, 100_000];
const MEETINGS: [usize; 4] = [10, 100, 1_000, 10_000];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    println!("hosts in the index    match p50    match p99    slowest");
    for hosts in HOSTS {
        println!("{hosts:18} {}", runtime.block_on(many_hosts(hosts)));
    }
    println!("meetings of the host    match p50    match p99    slowest");
    for meetings in MEETINGS {
        println!("{meetings:20} {}", runtime.block_on(one_host(meetings)));
    }
}

async fn many_hosts(hosts: usize) -> String {
    let server = Arc::new(start().await);
    for from in (0..hosts).step_by(100) {
        let some = from..hosts.min(from + 100);
        let some: Vec<_> = some.map(host).collect();
        publish(&server.index, &some).await;
    }
    let begun = Instant::now();
    let mut asking = JoinSet::new();
    for request in 0..REQUESTS {
        let due = begun + Duration::from_secs(1) * request / PER_SECOND;
        tokio::time::sleep_until(due.into()).await;
        // Spread over all hosts, and not in the order in which they were written.
        let host = host(request as usize * 7919 % hosts);
        let server = server.clone();
        asking.spawn(async move {
            ask_for_a_meeting(&server, host).await;
            (request, due.elapsed())
        });
    }
    let mut times = asking.join_all().await;
    times.sort_unstable_by_key(|(request, _)| *request);
    percentiles(times.into_iter().skip(WARM_UP).map(|(_, time)| time))
}

async fn one_host(meetings: usize) -> String {
    let server = start().await;
    let host = host(0);
    publish(&server.index, slice::from_ref(&host)).await;
    meet(&server, &host, meetings).await;
    let mut times = Vec::new();
    for _ in 0..WITH_ONE_HOST {
        let begun = Instant::now();
        ask_for_a_meeting(&server, host.clone()).await;
        times.push(begun.elapsed());
    }
    percentiles(times.into_iter().skip(WARM_UP))
}

async fn start() -> Server {
    let limits = Limits::default();
    let of_matching = Arc::new(limits.clone());
    Server::start_with(limits, |actors, index| {
        let sources = Sources {
            index,
            actors,
            relationships: Arc::new(Friends),
            calendars: Arc::new(NoCalendars),
            clock: Arc::new(SystemClock),
        };
        let key = DisclosureKey::new(&[7; 32]);
        Matching::new(sources, did("huddle"), key, of_matching)
    })
    .await
}

fn host(number: usize) -> Did {
    did(&format!("host{number}"))
}

/// Gives a host so many meetings of five minutes each, from tomorrow on and outside their office hours.
async fn meet(server: &Server, host: &Did, meetings: usize) {
    const DAY: i64 = 86_400_000;
    const MINUTES: i64 = 60_000;
    let tomorrow = (SystemClock.now().as_millis() / DAY + 1) * DAY;
    let starts = (0..60).flat_map(|day| {
        let evening = tomorrow + day * DAY + 17 * 60 * MINUTES;
        (0..192).map(move |nth| evening + nth * 5 * MINUTES)
    });
    let name = ActorName::host_match(host);
    let ids = BookingIds::new(&[7; 32]);
    let mut meeting = JoinSet::new();
    for (nth, start) in starts.take(meetings).enumerate() {
        let (actors, name) = (server.actors.clone(), name.clone());
        let counterpart = did(&format!("met{nth}"));
        let booking = ids.of_request(&counterpart, "load", "meeting");
        meeting.spawn(async move {
            let start = Timestamp::from_millis(start);
            let slot = Interval::lasting(start, Duration::from_mins(5)).unwrap();
            let attempt = Attempt::FIRST;
            let hold = Hold {
                booking: booking.clone(),
                attempt,
                candidates: vec![Candidate {
                    slot,
                    margins: Margins::default(),
                }],
                until: SystemClock.now() + Duration::from_mins(15),
                role: Role::Host,
                counterpart,
                limited: false,
            };
            ask(&*actors, &name, hold).await.unwrap().unwrap();
            let prepare = Prepare {
                booking: booking.clone(),
                attempt,
                slot,
            };
            ask(&*actors, &name, prepare).await.unwrap().unwrap();
            let finish = Finish {
                booking,
                attempt,
                ending: Ending::Confirmed,
            };
            ask(&*actors, &name, finish).await.unwrap();
        });
        if meeting.len() == 256 {
            meeting.join_next().await;
        }
    }
    meeting.join_all().await;
}

async fn ask_for_a_meeting(server: &Server, host: Did) {
    let guest = did(&server.fresh_key());
    let mut ask = matching::Input::new(host);
    ask.idempotency_key = Some("load".into());
    let held = server.call::<matching::Match>(&guest, &ask).await.unwrap();
    assert!(held.booking.unwrap().start.is_some());
}

fn percentiles(times: impl Iterator<Item = Duration>) -> String {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    let at = |percent: usize| times[times.len() * percent / 100];
    let slowest = times[times.len() - 1];
    format!("{:12.1?} {:12.1?} {slowest:10.1?}", at(50), at(99))
}
