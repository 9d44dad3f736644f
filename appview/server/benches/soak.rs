//! Mixed load at seven tenths of what `huddle serve` can bear, for as long as is said, and what the process uses
//! meanwhile: memory, open files, and how long the oldest task of the outbox has waited.
//!
//! `-- --seconds 1800 --out DIR` writes `soak.csv` and `soak.svg` there. Client and server share the machine.

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
#[path = "support/usage.rs"]
mod usage;
#[path = "../tests/process/world.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod world;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use huddle_native::{Backlog, SystemClock};
use huddle_ports::{Clock as _, Url};
use huddle_syntax::Did;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use plot::Sample;
use program::Serving;
use world::World;

/// As many as are asked at a time: guests who want the same slot of the same host do not all get one.
const PEOPLE: usize = 16;
/// So many are at work at a time while it is measured how much can be borne.
const AT_ONCE: usize = 16;
/// How long that takes.
const CALIBRATION: Duration = Duration::from_secs(3);

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

/// What one person does after another: asks, accepts, looks, moves every fourth meeting, and calls it off.
struct Load {
    world: World,
    server: Url,
    hosts: Vec<Did>,
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
        let held = world.ask(server, guest, host, &number.to_string()).await?;
        world.accept(server, guest, &held.id).await?;
        world.booking(server, guest, &held.id).await?;
        if number.is_multiple_of(4) {
            world.reschedule(server, guest, &held.id).await?;
        }
        world.cancel(server, guest, &held.id).await.map(drop)
    }
}

fn main() {
    let options = Options::parse();
    if options
        .filter
        .is_some_and(|filter| !"soak".contains(&filter))
    {
        return;
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
    println!("{meetings}");
    if let Some(out) = options.out {
        std::fs::write(out.join("soak.csv"), plot::csv(&samples)).unwrap();
        std::fs::write(out.join("soak.svg"), plot::svg(&samples)).unwrap();
    }
}

/// The samples, and a word on how many meetings came about.
async fn soak(length: Duration) -> (Vec<Sample>, String) {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(PEOPLE).await;
    let server = Serving::start(world.serve(folder.path())).unwrap();
    let hosts: Vec<Did> = (0..PEOPLE)
        .map(|n| world.host(&format!("host{n}")))
        .collect();
    for host in &hosts {
        world.until_known(&server.url, host).await;
    }
    let load = Arc::new(Load {
        world,
        server: server.url.clone(),
        hosts,
        number: AtomicU64::new(0),
        done: AtomicU64::new(0),
        refused: AtomicU64::new(0),
    });
    let each = capacity(&load).await.mul_f64(1.0 / 0.7);
    let mut meetings = interval(each);
    meetings.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut seconds = interval(Duration::from_secs(1));
    let (begun, mut at_work, mut samples) = (Instant::now(), JoinSet::new(), Vec::new());
    let mut before = load.done.load(Ordering::Relaxed);
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
    at_work.join_all().await;
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (done, refused) = (count(&load.done), count(&load.refused));
    let meetings = format!("{done} meetings, and {refused} that came to nothing");
    (samples, meetings)
}

/// How long a meeting takes when as many as possible are at work.
async fn capacity(load: &Arc<Load>) -> Duration {
    let begun = Instant::now();
    let mut people = JoinSet::new();
    for _ in 0..AT_ONCE {
        let load = load.clone();
        people.spawn(async move {
            while begun.elapsed() < CALIBRATION {
                load.meet().await;
            }
        });
    }
    people.join_all().await;
    let done = u32::try_from(load.done.load(Ordering::Relaxed)).unwrap();
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
