//! One account's events, waiting in the order in which they came.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::Event;
use super::progress::Place;
use crate::{Account, Repository, VerifyingKey};

/// What is known of an account, and what waits for it.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) items: VecDeque<Item>,
    /// `None` until it has been asked for.
    pub(super) account: Option<Account>,
    pub(super) key: Option<VerifyingKey>,
    /// How many items had come, to whatever lane, when the key was asked for that is known.
    pub(super) key_asked_after: u64,
    pub(super) wait: Wait,
    /// How often something was asked for the first item, in vain.
    pub(super) failures: u32,
    /// Until when its repository is not asked for again by itself.
    pub(super) rests_until: Option<Duration>,
    /// When it ran out of items, by the count of such moments.
    idle_since: Option<u64>,
}

impl Lane {
    /// Where the first item stands in its stream; 0 for what did not come by one.
    pub(super) fn seq(&self) -> i64 {
        let place = self.items.front().and_then(|item| item.place);
        place.map_or(0, |place| place.seq)
    }

    /// Whether the key has been looked up since the first item came. One look-up does for all that have come before it:
    /// many signatures that are wrong do not cause as many.
    pub(super) fn has_fresh_key(&self) -> bool {
        let arrival = self.items.front().map(|item| item.arrival);
        self.key.is_some() && arrival.is_some_and(|arrival| arrival < self.key_asked_after)
    }

    /// Whether what is held of the account is known not to be what it has published.
    pub(super) fn has_lost_track(&self) -> bool {
        let repository = self.account.map(|account| account.repository);
        matches!(
            repository,
            Some(Repository::Desynchronized { at_least: Some(_) })
        )
    }
}

/// What the first item of a lane waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Wait {
    /// Nothing: it can be looked at.
    #[default]
    Nothing,
    /// For its turn to ask.
    Turn(Need),
    /// For an answer.
    Answer(Need),
    /// For a moment, to ask again.
    Moment(Need, Duration),
    /// For its event to be acknowledged.
    Done,
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// What is kept of the account.
    Account,
    /// The account's key.
    Key,
    /// The account's repository.
    Repository,
}

/// Something to be done for an account.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) kind: Kind,
    /// Where it stands in a stream; `None` for what did not come by one.
    pub(super) place: Option<Place>,
    /// How much memory it is counted for.
    pub(super) bytes: usize,
    /// How many items came before it.
    arrival: u64,
    /// Whether the repository has been fetched since it came.
    pub(super) fetched: bool,
    /// Whether its own event has been delivered, and only the repository remains to be fetched.
    pub(super) told: bool,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Kind {
    /// What a frame says, which has been decoded once.
    Frame(Box<[u8]>),
    /// Somebody wants the repository to be fetched.
    Resync,
    /// Nothing but to deliver it; `None` once that has been done.
    Deliver(Option<Box<Event>>),
}

/// What an item takes beside its bytes, and a lane with it.
const OVERHEAD: usize = 1024;

impl Item {
    pub(super) fn new(kind: Kind, did: &str, payload: usize, place: Option<Place>) -> Self {
        Self {
            kind,
            place,
            bytes: Self::cost(did, payload),
            arrival: 0,
            fetched: false,
            told: false,
        }
    }

    /// How much memory an item is counted for, the DID as often as it is written down.
    pub(super) const fn cost(did: &str, payload: usize) -> usize {
        payload + 4 * did.len() + OVERHEAD
    }
}

/// The lanes of all accounts of which something is known.
///
/// Lanes without items are kept for what they know, and the ones that have been so for the longest time go first.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    by_did: BTreeMap<String, Lane>,
    /// Lanes whose first item can be looked at.
    ready: VecDeque<String>,
    /// Lanes without items, by when they became so.
    idle: BTreeMap<u64, String>,
    /// How often a lane ran out of items.
    idled: u64,
    /// Lanes that wait for a moment.
    moments: BTreeSet<(Duration, String)>,
    /// The items, by how many came before.
    arrivals: BTreeSet<u64>,
    arrived: u64,
    bytes: usize,
}

impl Lanes {
    pub(super) fn get_mut(&mut self, did: &str) -> Option<&mut Lane> {
        self.by_did.get_mut(did)
    }

    /// Whether something is to be done for an account.
    pub(super) fn is_busy(&self, did: &str) -> bool {
        let lane = self.by_did.get(did);
        lane.is_some_and(|lane| !lane.items.is_empty())
    }

    /// How many items there are, and how much memory they are counted for.
    pub(super) fn usage(&self) -> (usize, usize) {
        (self.arrivals.len(), self.bytes)
    }

    /// How many items have come.
    pub(super) fn arrived(&self) -> u64 {
        self.arrived
    }

    /// Whether of the first so many items that have come all are done.
    pub(super) fn are_done(&self, arrived: u64) -> bool {
        self.arrivals.first().is_none_or(|first| *first >= arrived)
    }

    pub(super) fn push(&mut self, did: &str, mut item: Item) {
        item.arrival = self.arrived;
        self.arrivals.insert(item.arrival);
        self.arrived += 1;
        self.bytes += item.bytes;
        let lane = self.by_did.entry(did.to_owned()).or_default();
        if let Some(since) = lane.idle_since.take() {
            self.idle.remove(&since);
        }
        lane.items.push_back(item);
        if lane.items.len() == 1 {
            self.ready.push_back(did.to_owned());
        }
    }

    /// The next lane whose first item can be looked at.
    pub(super) fn next_ready(&mut self) -> Option<String> {
        self.ready.pop_front()
    }

    /// The first item of a lane can be looked at again.
    pub(super) fn wake(&mut self, did: &str) {
        if let Some(lane) = self.by_did.get_mut(did) {
            lane.wait = Wait::Nothing;
            self.ready.push_back(did.to_owned());
        }
    }

    /// The first item waits for a moment.
    pub(super) fn sleep(&mut self, did: &str, need: Need, until: Duration) {
        if let Some(lane) = self.by_did.get_mut(did) {
            lane.wait = Wait::Moment(need, until);
            self.moments.insert((until, did.to_owned()));
        }
    }

    /// A lane whose moment has come, and what it waits for.
    pub(super) fn next_awake(&mut self, now: Duration) -> Option<(String, Need)> {
        while self.next_moment().is_some_and(|until| until <= now) {
            let (until, did) = self.moments.pop_first()?;
            match self.by_did.get(&did).map(|lane| lane.wait) {
                Some(Wait::Moment(need, moment)) if moment == until => return Some((did, need)),
                _ => {}
            }
        }
        None
    }

    pub(super) fn next_moment(&self) -> Option<Duration> {
        self.moments.first().map(|(until, _)| *until)
    }

    /// Takes the first item of a lane away, as it is done. At most so many lanes are kept that have nothing to do.
    pub(super) fn pop(&mut self, did: &str, max_idle: usize) -> Option<Item> {
        let lane = self.by_did.get_mut(did)?;
        let item = lane.items.pop_front()?;
        lane.failures = 0;
        lane.wait = Wait::Nothing;
        self.arrivals.remove(&item.arrival);
        self.bytes -= item.bytes;
        if lane.items.is_empty() {
            self.idled += 1;
            lane.idle_since = Some(self.idled);
            self.idle.insert(self.idled, did.to_owned());
        } else {
            self.ready.push_back(did.to_owned());
        }
        while self.idle.len() > max_idle
            && let Some((_, oldest)) = self.idle.pop_first()
        {
            self.by_did.remove(&oldest);
        }
        Some(item)
    }
}
