//! Mixed load at seven tenths of what `huddle serve` can bear, for as long as is said, and what the process uses
//! meanwhile: memory, open files, and how long the oldest task of the outbox has waited.
//!
//! `-- --seconds 1800 --out DIR` writes `soak.csv` and `soak.svg` there. Client and server share the machine. It fails
//! where one of these has not stayed as it was over the second half, or where that says little because fewer meetings came
//! about than were due: what all that means is in `support/trend.rs`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark measures time, prints it, and may end in a panic"
)]

#[path = "support/plot.rs"]
mod plot;
#[path = "../tests/process/program.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod program;
#[path = "support/trend.rs"]
mod trend;
#[path = "support/usage.rs"]
mod usage;
#[path = "../tests/process/world.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use huddle_lexicon::com::huddle::defs::Mode;
use huddle_lexicon::com::huddle::list_slots::{self, ListSlots};
use huddle_native::{Backlog, SystemClock};
use huddle_ports::{Clock as _, Url};
use huddle_syntax::Did;
use huddle_xrpc::client::ClientError;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use plot::Sample;
use program::Serving;
use trend::Meetings;
use world::{World, account};

/// As many as are asked at a time: guests who want the same slot of the same host do not all get one.
const PEOPLE: usize = 16;
/// So many guests, and as many hosts, get letters.
const READERS: usize = 4;
/// So many other hosts have their guests choose of slots that are listed.
const LISTING: usize = 4;
/// So many are at work at a time while it is measured how much can be borne.
const AT_ONCE: usize = 16;
/// What part of the whole that takes, within bounds: at first everything is cold, and a trial is to be over soon.
const CALIBRATION_SHARE: u32 = 60;
const SHORTEST_CALIBRATION: Duration = Duration::from_secs(3);
const LONGEST_CALIBRATION: Duration = Duration::from_secs(30);

#[derive(Parser)]
struct Options {
    /// How long to go on.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Where to write the samples and their picture.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Said by cargo, to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
    /// Said to every benchmark, too: which ones are to run.
    #[arg(hide = true)]
    filter: Option<String>,
}

/// What one person does after another: asks, accepts, looks and calls it off; some move it, look at lists or slots first, or
/// have a host change their office hours.
struct Load {
    world: World,
    server: Url,
    hosts: Vec<Did>,
    listing: Vec<Did>,
    number: AtomicU64,
    done: AtomicU64,
    refused: AtomicU64,
}

impl Load {
    async fn meet(&self) {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let done = self.meeting(number).await.is_some();
        let count = if done { &self.done } else { &self.refused };
        count.fetch_add(1, Ordering::Relaxed);
    }

    async fn meeting(&self, number: u64) -> Option<()> {
        let (world, server) = (&self.world, &self.server);
        let position = usize::try_from(number).unwrap();
        let guest = &world.guests[position % PEOPLE];
        let host = &self.hosts[(position + position / PEOPLE) % PEOPLE];
        match number % 8 {
            1 => {
                world.bookings(server, guest).await?;
            }
            3 => {
                world.offers(server, host).await?;
            }
            5 => {
                let host = &self.listing[position / 8 % LISTING];
                slots(world, server, guest, host).await?;
            }
            7 => world.offer(host, Mode::Auto),
            _ => {}
        }
        let held = world.ask(server, guest, host, &number.to_string()).await?;
        world.accept(server, guest, &held.id).await?;
        world.booking(server, guest, &held.id).await?;
        if number.is_multiple_of(4) {
            world.reschedule(server, guest, &held.id).await?;
        }
        world.cancel(server, guest, &held.id).await.map(drop)
    }
}

/// How many slots of a host are listed to a guest, who may have seen enough of them.
async fn slots(world: &World, server: &Url, guest: &Did, host: &Did) -> Option<usize> {
    let client = world.signed_in::<ListSlots>(server, guest);
    let params = list_slots::Params::new(host.clone());
    match client.query::<ListSlots>(&params).await {
        Ok(answer) => Some(answer.output.slots.len()),
        Err(ClientError::Declared(_)) => Some(0),
        Err(_) => None,
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options
        .filter
        .is_some_and(|filter| !"soak".contains(&filter))
    {
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let (samples, meetings) = runtime.block_on(soak(Duration::from_secs(options.seconds)));
    let (first, last) = (samples.first().unwrap(), samples.last().unwrap());
    println!("           memory    handles    oldest task    meetings/s");
    for (when, sample) in [("at first", first), ("at last", last)] {
        println!(
            "{when:8} {:5} MiB {:10} {:11} ms {:13}",
            sample.memory_kib >> 10,
            sample.handles,
            sample.queue_age_millis,
            sample.meetings
        );
    }
    let Meetings { due, done, refused } = meetings;
    println!("{due:.0} meetings were due, {done} came about, and {refused} came to nothing");
    if let Some(out) = options.out {
        std::fs::write(out.join("soak.csv"), plot::csv(&samples)).unwrap();
        std::fs::write(out.join("soak.svg"), plot::svg(&samples)).unwrap();
    }
    let Some(verdict) = trend::verdict(&samples, meetings) else {
        return ExitCode::SUCCESS;
    };
    print!("{}", verdict.lines);
    if verdict.is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn soak(length: Duration) -> (Vec<Sample>, Meetings) {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(PEOPLE).await;
    let server = Serving::start(world.serve_with_mail(folder.path())).unwrap();
    let hosts = (0..PEOPLE).map(|n| world.host(&format!("host{n}")));
    let hosts: Vec<Did> = hosts.collect();
    let listing = (0..LISTING).map(|n| world.host_by(&format!("listing{n}"), Mode::Pick));
    let listing: Vec<Did> = listing.collect();
    for host in hosts.iter().chain(&listing) {
        world.until_known(&server.url, host).await;
    }
    for person in world.guests[..READERS].iter().chain(&hosts[..READERS]) {
        let address = format!("{}@mail.test", account(person));
        world.confirm_address(&server.url, person, &address).await;
    }
    let load = Arc::new(Load {
        world,
        server: server.url.clone(),
        hosts,
        listing,
        number: AtomicU64::new(0),
        done: AtomicU64::new(0),
        refused: AtomicU64::new(0),
    });
    let each = capacity(&load, length).await.mul_f64(1.0 / 0.7);
    let mut meetings = interval(each);
    meetings.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut seconds = interval(Duration::from_secs(1));
    let (begun, mut at_work, mut samples) = (Instant::now(), JoinSet::new(), Vec::new());
    let mut before = 0;
    while begun.elapsed() < length {
        tokio::select! {
            _ = meetings.tick() => {
                let load = load.clone();
                at_work.spawn(async move { load.meet().await });
            }
            Some(_) = at_work.join_next() => {}
            _ = seconds.tick() => {
                let done = load.done.load(Ordering::Relaxed);
                let data = folder.path().join("huddle-data");
                samples.push(sample(&server, &data, begun, done - before));
                before = done;
            }
        }
    }
    // What has not come about by now is late.
    let meetings = Meetings {
        due: begun.elapsed().div_duration_f64(each),
        done: load.done.load(Ordering::Relaxed),
        refused: load.refused.load(Ordering::Relaxed),
    };
    at_work.join_all().await;
    (samples, meetings)
}

/// How long a meeting takes when as many as possible are at work, before a soak of this length. None of them counts.
async fn capacity(load: &Arc<Load>, length: Duration) -> Duration {
    let calibration = (length / CALIBRATION_SHARE).clamp(SHORTEST_CALIBRATION, LONGEST_CALIBRATION);
    let begun = Instant::now();
    let mut people = JoinSet::new();
    for _ in 0..AT_ONCE {
        let load = load.clone();
        people.spawn(async move {
            while begun.elapsed() < calibration {
                load.meet().await;
            }
        });
    }
    people.join_all().await;
    load.refused.store(0, Ordering::Relaxed);
    let done = u32::try_from(load.done.swap(0, Ordering::Relaxed)).unwrap();
    begun.elapsed() / done.max(1)
}

fn sample(server: &Serving, data: &Path, begun: Instant, meetings: u64) -> Sample {
    let usage = usage::of(server.child.id());
    let oldest = Backlog::read(data).unwrap().oldest;
    let age = oldest.map_or(0, |due| SystemClock.now().since(due).as_millis());
    Sample {
        second: begun.elapsed().as_secs(),
        memory_kib: usage.memory_kib,
        handles: usage.handles,
        queue_age_millis: u64::try_from(age).unwrap(),
        meetings,
    }
}
