//! One account's events, waiting in the order in which they came.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::desk::identity_host;
use super::progress::Place;
use super::{Event, Identity};
use crate::{Account, Frame, Repository, Tid};

/// How often the identity of one account is looked up in a row: whoever is new is told of several times, by as many
/// events, and should not have to wait for that.
const LOOKUPS: usize = 3;

/// What is known of an account, and what waits for it.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) items: VecDeque<Item>,
    /// `None` until it has been asked for.
    pub(super) account: Option<Account>,
    /// `None` where it is not known, or there is none.
    pub(super) identity: Option<Identity>,
    /// Whether the look-up has found that there is no key.
    is_keyless: bool,
    /// How many items had come, to whatever lane, when the identity was asked for that is known.
    asked_after: u64,
    /// When it was looked up, the last time first.
    looked_up: [Option<Duration>; LOOKUPS],
    pub(super) wait: Wait,
    /// How often something was asked for the first item, in vain.
    pub(super) failures: u32,
    /// How much memory the items are counted for.
    bytes: usize,
    /// When it ran out of items, by the count of such moments.
    idle_since: Option<u64>,
}

impl Lane {
    /// Where the first item stands in its stream; 0 for what did not come by one.
    pub(super) fn seq(&self) -> i64 {
        let place = self.items.front().and_then(|item| item.place);
        place.map_or(0, |place| place.seq)
    }

    /// The identity is asked for.
    pub(super) fn ask_identity(&mut self, arrived: u64) {
        self.asked_after = arrived;
    }

    /// The identity has been looked up; `None` if there is no key.
    pub(super) fn set_identity(&mut self, identity: Option<Identity>, now: Duration) {
        self.is_keyless = identity.is_none();
        self.identity = identity;
        self.looked_up.rotate_right(1);
        self.looked_up[0] = Some(now);
    }

    /// What is known of the identity may be what it was.
    pub(super) fn forget_identity(&mut self) {
        self.is_keyless = false;
        self.identity = None;
        self.asked_after = 0;
    }

    /// Until when the identity is not looked up again, if it has been as often as it may.
    pub(super) fn no_lookup_before(&self, every: Duration) -> Option<Duration> {
        let [.., first] = self.looked_up;
        Some(first?.saturating_add(every))
    }

    /// Until when the last look-up counts as recent, if there was one.
    pub(super) fn recent_until(&self, every: Duration) -> Option<Duration> {
        Some(self.looked_up[0]?.saturating_add(every))
    }

    /// Whether the identity has been looked up since the first item came. One look-up does for all that have come before
    /// it: many signatures that are wrong do not cause as many.
    fn is_fresh(&self) -> bool {
        let arrival = self.items.front().map(|item| item.arrival);
        arrival.is_some_and(|arrival| arrival < self.asked_after)
    }

    /// Whether there is a key that was looked up since the first item came.
    pub(super) fn has_fresh_key(&self) -> bool {
        self.identity.is_some() && self.is_fresh()
    }

    /// Whether it was found since the first item came that the account has no key.
    pub(super) fn has_no_key(&self) -> bool {
        self.is_keyless && self.is_fresh()
    }

    /// Whether the first item waits for something that others decide about: the host of the account, or who looks up
    /// identities. How long that takes is no reason to let other accounts wait.
    fn is_held_up(&self) -> bool {
        match self.wait {
            Wait::Turn(need) | Wait::Answer(need) | Wait::Moment(need, _) => need != Need::Account,
            // Its repository is being taken over.
            Wait::Nothing | Wait::Done => self.items.front().is_some_and(|item| item.fetched),
        }
    }

    /// Whether nothing of the account is held or has been verified, and nobody has asked for its repository: all there
    /// is is a stream that names it.
    pub(super) fn is_unproven(&self) -> bool {
        let first = self.items.front().map(|item| &item.kind);
        self.account == Some(Account::new()) && !matches!(first, Some(Kind::Resync))
    }

    /// Whether the first item came by a stream.
    pub(super) fn is_at_frame(&self) -> bool {
        let mut items = self.items.iter();
        items
            .next()
            .is_some_and(|item| matches!(item.kind, Kind::Frame(_)))
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
    /// The account's key, and where its repository is.
    Identity,
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
    /// Whether commits that came before it were passed over, as the repository has them that is being fetched.
    pub(super) skips: bool,
    pub(super) whose: Whose,
}

/// Whose an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// One of the [strangers'](super::desk::Crowd::Strangers).
    Strangers,
    Others,
}

impl Whose {
    pub(super) fn of(did: &str, is_known: bool) -> Self {
        if is_known || identity_host(did).is_none() {
            Self::Others
        } else {
            Self::Strangers
        }
    }
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Kind {
    /// What a frame says, which has been decoded once.
    Frame(Box<[u8]>),
    /// Somebody wants the repository to be fetched.
    Resync,
    /// The repository is to be fetched if that has not happened since it could not be, so many times in a row.
    Recover(u32),
    /// Nothing but to deliver it; `None` once that has been done.
    Deliver(Option<Box<Event>>),
}

/// What a frame is about. Of each but the newest can be passed over, if it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Repository,
    Identity,
    Hosting,
}

/// How many subjects there are.
const SUBJECTS: usize = 3;

/// How much may wait behind the first item of one lane that is [held up](Lane::is_held_up), or of all strangers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    pub(super) items: usize,
    pub(super) bytes: usize,
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
            skips: false,
            whose: Whose::Others,
        }
    }

    /// What a frame is about; `None` for what is no frame.
    fn frame(&self) -> Option<(Subject, Option<Tid>)> {
        let Kind::Frame(bytes) = &self.kind else {
            return None;
        };
        Some(match Frame::decode(bytes).ok()? {
            Frame::Commit(event) => (Subject::Repository, event.rev.parse().ok()),
            Frame::Sync(event) => (Subject::Repository, event.rev.parse().ok()),
            Frame::Identity(_) => (Subject::Identity, None),
            Frame::Account(_) => (Subject::Hosting, None),
            Frame::Info(_) | Frame::Error(_) | Frame::Unknown(_) => return None,
        })
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
    /// How many of the items are of strangers, and their bytes.
    of_strangers: (usize, usize),
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

    /// Whether strangers have all that they may.
    pub(super) fn are_strangers_full(&self, share: Share) -> bool {
        let (items, bytes) = self.of_strangers;
        items >= share.items || bytes >= share.bytes
    }

    fn count(&mut self, item: &Item) {
        self.arrivals.insert(item.arrival);
        self.bytes += item.bytes;
        if item.whose == Whose::Strangers {
            self.of_strangers.0 += 1;
            self.of_strangers.1 += item.bytes;
        }
    }

    fn discount(&mut self, item: &Item) {
        self.arrivals.remove(&item.arrival);
        self.bytes -= item.bytes;
        if item.whose == Whose::Strangers {
            self.of_strangers.0 -= 1;
            self.of_strangers.1 -= item.bytes;
        }
    }

    /// How many items have come.
    pub(super) fn arrived(&self) -> u64 {
        self.arrived
    }

    /// Whether of the first so many items that have come all are done.
    pub(super) fn are_done(&self, arrived: u64) -> bool {
        self.arrivals.first().is_none_or(|first| *first >= arrived)
    }

    /// Puts an item at the end of its lane. Returns the place of one that is not needed any more: a lane that is held up
    /// and has had its share keeps no more than the newest frame about each subject.
    ///
    /// That stands at the end, and in the stream where the oldest one stood that was passed over for it, so that no
    /// cursor is kept beyond what is not done.
    pub(super) fn push_frame(&mut self, did: &str, mut item: Item, share: Share) -> Option<Place> {
        let is_crowded = self.by_did.get(did).is_some_and(|lane| {
            let behind = lane.items.iter().skip(1);
            let bytes = lane.bytes - lane.items.front().map_or(0, |first| first.bytes);
            lane.is_held_up() && (behind.len() >= share.items || bytes >= share.bytes)
        });
        let older = is_crowded.then(|| self.take_older(did, &item)).flatten();
        let Some(older) = older else {
            self.push(did, item);
            return None;
        };
        let unneeded = std::mem::replace(&mut item.place, older.place);
        if let (Some((Subject::Repository, old)), Some((_, new))) = (older.frame(), item.frame()) {
            item.skips = true;
            // Whatever has come since is in a repository that has this one.
            if old > new {
                item.kind = older.kind;
                item.bytes = older.bytes;
            }
        }
        self.push(did, item);
        unneeded
    }

    /// Takes out of a lane what an item makes unneeded, which nobody has looked at yet.
    fn take_older(&mut self, did: &str, item: &Item) -> Option<Item> {
        let (subject, _) = item.frame()?;
        let lane = self.by_did.get_mut(did)?;
        let last = lane.items.len().saturating_sub(SUBJECTS).max(1)..lane.items.len();
        let at = last.rev().find(|at| {
            let older = &lane.items[*at];
            let is_same = older.frame().is_some_and(|(other, _)| other == subject);
            let places = older.place.zip(item.place);
            is_same && places.is_some_and(|(older, newer)| older.is_of_stream(newer))
        })?;
        let older = lane.items.remove(at)?;
        lane.bytes -= older.bytes;
        self.discount(&older);
        Some(older)
    }

    pub(super) fn push(&mut self, did: &str, mut item: Item) {
        item.arrival = self.arrived;
        self.arrived += 1;
        self.count(&item);
        let lane = self.by_did.entry(did.to_owned()).or_default();
        lane.bytes += item.bytes;
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
        lane.bytes -= item.bytes;
        if lane.items.is_empty() {
            self.idled += 1;
            lane.idle_since = Some(self.idled);
            self.idle.insert(self.idled, did.to_owned());
        } else {
            self.ready.push_back(did.to_owned());
        }
        self.discount(&item);
        while self.idle.len() > max_idle
            && let Some((_, oldest)) = self.idle.pop_first()
        {
            self.by_did.remove(&oldest);
        }
        Some(item)
    }
}
