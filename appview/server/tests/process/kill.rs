//! Nothing is lost when the process is killed at any instant, and nothing is done that must not be.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use huddle_lexicon::com::huddle::defs::BookingStatus;
use huddle_native::{Backlog, Contradiction, OsRandom, SystemClock};
use huddle_ports::{Clock as _, Random as _, Url};
use huddle_syntax::Did;
use huddle_testdata::is_full;
use tokio::task::JoinSet;

use crate::program::Serving;
use crate::world::World;

const GUESTS: usize = 12;
const HOSTS: usize = 3;
const AT_ONCE: usize = 6;

/// What somebody was told of a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Confirmed,
    Canceled,
    /// A cancellation was asked for, and not answered.
    Unknown,
}

/// Whoever asks, until the server is gone; what they were told.
struct Load {
    world: Arc<World>,
    server: Url,
    hosts: Vec<Did>,
    stop: AtomicBool,
    requests: AtomicU64,
    round: u64,
}

impl Load {
    async fn ask_on(&self, worker: usize) -> Vec<(usize, String, Told)> {
        let mut told = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            let number = self.requests.fetch_add(1, Ordering::Relaxed);
            let guest = (worker + usize::try_from(number).unwrap() * 5) % GUESTS;
            let host = &self.hosts[usize::try_from(number).unwrap() % self.hosts.len()];
            if let Some((id, outcome)) = self.meet(guest, host, number).await {
                told.push((guest, id, outcome));
            }
        }
        told
    }

    /// Waits until so many meetings were asked for.
    async fn until_asked(&self, count: u64) {
        while self.requests.load(Ordering::Relaxed) < count {
            tokio::task::yield_now().await;
        }
    }

    async fn meet(&self, guest: usize, host: &Did, number: u64) -> Option<(String, Told)> {
        let (world, server) = (&self.world, &self.server);
        let person = &world.guests[guest];
        let key = format!("{} {number}", self.round);
        let held = world.ask(server, person, host, &key).await?;
        let accepted = world.accept(server, person, &held.id).await?;
        if accepted.status != BookingStatus::Confirmed {
            return None;
        }
        let told = match number % 3 {
            0 => match world.cancel(server, person, &held.id).await {
                Some(_) => Told::Canceled,
                None => Told::Unknown,
            },
            1 => {
                // Wherever it is then, it stands.
                world.reschedule(server, person, &held.id).await;
                Told::Confirmed
            }
            _ => Told::Confirmed,
        };
        Some((held.id, told))
    }
}

/// A number below `end`, by chance.
fn any_below(end: u64) -> u64 {
    let mut bytes = [0; 8];
    OsRandom.fill(&mut bytes);
    u64::from_le_bytes(bytes) % end
}

#[track_caller]
fn assert_sound(data: &Path, when: &str) {
    let found = Contradiction::find(data, SystemClock.now()).unwrap();
    let found: Vec<_> = found.iter().map(Contradiction::to_string).collect();
    assert!(found.is_empty(), "{when}: {found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_at_any_instant_loses_nothing_and_does_nothing_twice() {
    let rounds = if is_full() { 200 } else { 5 };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("huddle-data");
    let world = Arc::new(World::new(GUESTS).await);
    let hosts: Vec<Did> = (0..HOSTS)
        .map(|n| world.host(&format!("host{n}")))
        .collect();
    let mut late = Vec::new();
    let mut told: BTreeMap<String, (usize, Told)> = BTreeMap::new();
    for round in 0..rounds {
        let server = Serving::start(world.serve(folder.path())).unwrap();
        for host in &hosts {
            world.until_known(&server.url, host).await;
        }
        let load = Arc::new(Load {
            world: world.clone(),
            server: server.url.clone(),
            hosts: hosts.clone(),
            stop: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            round,
        });
        let mut workers = JoinSet::new();
        for worker in 0..AT_ONCE {
            let load = load.clone();
            workers.spawn(async move { load.ask_on(worker).await });
        }
        let kill_at = 10 + any_below(50);
        let somebody_new_at = any_below(kill_at);
        load.until_asked(somebody_new_at).await;
        late.push(world.host(&format!("late{round}")));
        load.until_asked(kill_at).await;
        server.kill();
        load.stop.store(true, Ordering::Relaxed);
        for (guest, id, outcome) in workers.join_all().await.into_iter().flatten() {
            told.insert(id, (guest, outcome));
        }
        assert_sound(&data, &format!("after round {round}"));
    }
    assert!(
        told.len() > rounds.try_into().unwrap(),
        "hardly anything was booked: {}",
        told.len()
    );

    let server = Serving::start(world.serve(folder.path())).unwrap();
    for host in &late {
        world.until_known(&server.url, host).await;
    }
    for (id, (guest, told)) in &told {
        let status = settled(&world, &server.url, *guest, id).await;
        let expected: &[BookingStatus] = match told {
            Told::Confirmed => &[BookingStatus::Confirmed],
            Told::Canceled => &[BookingStatus::Canceled],
            Told::Unknown => &[BookingStatus::Confirmed, BookingStatus::Canceled],
        };
        assert!(
            expected.contains(&status),
            "{id} was {told:?}, and is {status:?}"
        );
    }
    loop {
        let backlog = Backlog::read(&data).unwrap();
        assert_eq!(backlog.dead, 0, "something was given up");
        // What was cut off is left alone until its lease is over, which only a full run waits for.
        let rests = |due| !is_full() && SystemClock.now() < due;
        if backlog.oldest.is_none_or(rests) {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_sound(&data, "at rest");
}

/// The status of a booking once nobody is at work on it any more, which may take until a lease is over.
async fn settled(world: &World, server: &Url, guest: usize, id: &str) -> BookingStatus {
    loop {
        let booking = world.booking(server, &world.guests[guest], id).await;
        let status = booking.map(|it| it.status);
        match status {
            Some(status) if status != BookingStatus::Finalizing => return status,
            _ => tokio::task::yield_now().await,
        }
    }
}
