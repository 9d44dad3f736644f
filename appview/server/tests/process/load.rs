//! People who book, move and call off as fast as they are answered, and what they were told of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use huddle_lexicon::com::huddle::defs::{BookingStatus, BookingView};
use huddle_ports::Url;
use huddle_syntax::{Datetime, Did};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::world::World;

/// So many ask at a time.
const AT_ONCE: usize = 6;
/// A full run may wait for minutes.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What somebody was told of a booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It stands, and from when on; `None` where a move was asked for, and where to was not answered.
    Confirmed(Option<Datetime>),
    Canceled,
    /// A cancellation was asked for, and not answered.
    Unknown,
    /// A slot was held, and nothing is known of what became of it.
    Held,
}

/// What was told of bookings, and to which guest, by their ids.
pub(crate) type AllTold = BTreeMap<String, (usize, Told)>;

/// Whoever asks, until they are told to stop.
pub(crate) struct Load {
    asking: Arc<Asking>,
    workers: JoinSet<Vec<(String, (usize, Told))>>,
}

struct Asking {
    world: Arc<World>,
    server: Url,
    hosts: Vec<Did>,
    stop: AtomicBool,
    requests: AtomicU64,
    round: u64,
}

impl Load {
    /// All guests ask these hosts. What they ask in one round is not asked in another.
    pub(crate) fn begin(world: Arc<World>, server: &Url, hosts: Vec<Did>, round: u64) -> Self {
        let asking = Arc::new(Asking {
            world,
            server: server.clone(),
            hosts,
            stop: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            round,
        });
        let mut workers = JoinSet::new();
        for worker in 0..AT_ONCE {
            let asking = asking.clone();
            workers.spawn(async move { asking.ask_on(worker).await });
        }
        Self { asking, workers }
    }

    /// Waits until so many meetings were asked for.
    pub(crate) async fn until_asked(&self, count: u64) {
        while self.asking.requests.load(Ordering::Relaxed) < count {
            tokio::task::yield_now().await;
        }
    }

    /// How many meetings were asked for.
    pub(crate) fn asked(&self) -> u64 {
        self.asking.requests.load(Ordering::Relaxed)
    }

    /// Stops, and gives what was told.
    pub(crate) async fn end(self) -> AllTold {
        self.asking.stop.store(true, Ordering::Relaxed);
        self.workers
            .join_all()
            .await
            .into_iter()
            .flatten()
            .collect()
    }
}

impl Asking {
    async fn ask_on(&self, worker: usize) -> Vec<(String, (usize, Told))> {
        let guests = self.world.guests.len();
        let mut told = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            let number = self.requests.fetch_add(1, Ordering::Relaxed);
            let guest = (worker + usize::try_from(number).unwrap() * 5) % guests;
            let host = &self.hosts[usize::try_from(number).unwrap() % self.hosts.len()];
            if let Some((id, outcome)) = self.meet(guest, host, number).await {
                told.push((id, (guest, outcome)));
            }
        }
        told
    }

    async fn meet(&self, guest: usize, host: &Did, number: u64) -> Option<(String, Told)> {
        let (world, server) = (&self.world, &self.server);
        let person = &world.guests[guest];
        let key = format!("{} {number}", self.round);
        let held = world.ask(server, person, host, &key).await?;
        let accepted = world.accept(server, person, &held.id).await;
        let Some(accepted) = accepted.filter(is_confirmed) else {
            return Some((held.id, Told::Held));
        };
        let told = match number % 3 {
            0 => match world.cancel(server, person, &held.id).await {
                Some(_) => Told::Canceled,
                None => Told::Unknown,
            },
            1 => {
                let moved = world.reschedule(server, person, &held.id).await;
                let moved = moved.filter(|it| is_confirmed(it) && is_settled(it));
                Told::Confirmed(moved.and_then(|it| it.start))
            }
            _ => Told::Confirmed(accepted.start),
        };
        Some((held.id, told))
    }
}

fn is_confirmed(booking: &BookingView) -> bool {
    booking.status == BookingStatus::Confirmed
}

/// Whether nobody is at work on it any more: a move that takes long is answered with where the meeting was, and when to look
/// again.
fn is_settled(booking: &BookingView) -> bool {
    booking.poll_after_seconds.is_none()
}

/// Whatever was told is so, once nobody is at work on it any more.
pub(crate) async fn assert_told(world: &World, server: &Url, told: &AllTold) {
    use BookingStatus::{Canceled, Confirmed, Expired, Held};

    for (id, (guest, told)) in told {
        let expected: &[BookingStatus] = match told {
            Told::Confirmed(_) => &[Confirmed],
            Told::Canceled => &[Canceled],
            Told::Unknown => &[Confirmed, Canceled],
            // It was accepted in any case, which may have been heard or not, and too late.
            Told::Held => &[Held, Confirmed, Expired],
        };
        let booking = settled(world, server, *guest, id).await;
        let is_there = match told {
            Told::Confirmed(Some(start)) => booking.start.as_ref() == Some(start),
            _ => true,
        };
        assert!(
            expected.contains(&booking.status) && is_there,
            "{id} was {told:?}, and is {:?} at {:?}",
            booking.status,
            booking.start
        );
    }
}

/// A booking once nobody is at work on it any more, which may take until a lease is over; and where a guest holds as much as
/// they may, until that has lapsed.
async fn settled(world: &World, server: &Url, guest: usize, id: &str) -> BookingView {
    loop {
        let booking = world.booking(server, &world.guests[guest], id).await;
        match booking {
            Some(booking) if is_settled(&booking) => return booking,
            _ => sleep(LOOK_EVERY).await,
        }
    }
}
