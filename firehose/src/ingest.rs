//! Follows a stream: a driver without I/O, for any runtime.
//!
//! [`Ingest`] is a value. What happens outside goes in (a frame, an answer, the time), and what is to be done comes
//! out ([`Action`]): connect, look up a key, fetch a repository, keep a cursor, and deliver an [`Event`]. A task of
//! tokio and a Durable Object drive the same code, by a [`Runner`]: all that is left to them is connections and timers.
//!
//! # Who keeps what
//!
//! [`Ingest`] itself is kept nowhere, and need not be. Everything that has to outlive it is kept by the consumer: the
//! records, each account's state ([`Account`], a short text) in one transaction with what an event changes, and a cursor
//! a host ([`Action::KeepCursor`]). Whatever was in flight comes again after the cursor, and what had been taken over
//! already is told by the account's state. So it may end after any step, as a Durable Object does that is evicted: while
//! its WebSocket is open it stays in memory, and without one there is nothing to hibernate with but those. At its start a
//! process names the accounts that it holds in the [`Filter`], and calls [`Ingest::resync`] for those whose state is
//! [lost](Account::is_lost): how long they had rested is not remembered.
//!
//! # What it cannot know
//!
//! Some relays do not say that a cursor is outdated, and numbers have gaps anyway. What an account did in such a gap is
//! noticed with its next commit, which does not follow on what is held. Who was away for longer than the host keeps
//! its events (relays: some days) calls [`Ingest::resync`] for all that is held. And a host that has begun to number its
//! events anew, and has come past the cursor again before anybody asked, cannot be told from one that has not.

mod action;
mod allowance;
mod backoff;
mod clock;
mod config;
mod connection;
mod desk;
mod event;
mod judge;
mod lane;
mod pace;
mod progress;
pub(crate) mod records;
mod repository;
mod rests;
mod runner;
mod stream;
mod work;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

pub use self::action::{Action, ConnectionId, Full, Identity, Ticket, Unavailable};
pub use self::allowance::Allowance;
pub use self::config::{Config, ConfigError, Limits, MAX_COLLECTIONS, MIN_QUEUED_BYTES, Source};
pub use self::event::{
    BadFrame, Change, Ended, Event, GapCause, LostTrack, MAX_RECORD_LEN, News, Notice, Outcome,
    Proof, RecordProblem, RepositoryError,
};
pub use self::pace::Pace;
pub use self::runner::{Answer, Question, Runner, Step};

use self::allowance::Fetches;
use self::backoff::Backoff;
use self::clock::Clock;
use self::connection::Connection;
use self::desk::Desk;
use self::lane::{Item, Kind, Lane, Lanes, Need, Share, Wait};
use self::pace::Arrivals;
use self::progress::Progress;
use self::rests::Rests;
use crate::frame::MAX_FRAME_LEN;
use crate::jetstream::Decompressor;
use crate::{Account, Filter, Verifier};

/// Follows a stream, and says what to do about it.
///
/// # Order
///
/// The events of one account are delivered in the order of the stream, the next one not before the one before has been
/// [acknowledged](Ingest::done). Those of different accounts do not wait for each other, so a consumer may take over
/// as many at the same time as there are.
///
/// A fetched repository takes its place in that order: events that came before are delivered before it, and those that
/// came after, and are not part of it, after it. For example, `a` being an account of which nothing is known yet, and
/// `b` one that is synced:
///
/// ```text
/// stream      a:commit 1   b:commit 2   a:commit 3   b:identity 4   a:commit 5
/// asked for   a's state, a's key, a's repository, which turns out to have 1 and 3
/// delivered                b:commit 2                b:identity 4                  a:repository   a:commit 5
/// cursor      0 (1 is not done yet)                                                               after done: 5
/// ```
///
/// # What is lost, and what comes twice
///
/// Nothing is lost: the cursor that is kept is below everything that has not been acknowledged, so what an earlier
/// process did not finish comes again. A consumer that keeps the account's state with what an event changes gets no
/// commit twice; the others (identity, hosting, gap) tell how things stand, and come again if they were acknowledged
/// after the cursor that was kept last. Within a process nothing comes twice while the host stays the same. Another
/// host tells the same in its own order: what it repeats of commits is stale, what it repeats of the others comes again.
///
/// # Memory
///
/// What waits, and what has been delivered and not acknowledged, is counted against [`Limits::max_queued_bytes`];
/// before a frame could exceed it, frames are no longer [wanted](Ingest::wants_frames), and are refused. Beside that
/// there are [`Limits::max_fetches`] repositories of at most [`Limits::max_repository_bytes`] of records, the state
/// of [`Limits::max_accounts`] accounts, and the moments at which [`Limits::max_resting`] accounts are tried again. Paths
/// that have the same record share its bytes. Frames and what is delivered of them take at most twice what is counted:
/// `tests/memory` measures that of hostile streams.
///
/// One thing has no limit: the [`Filter`] has the DID of every account that is followed, as long as it is. Who follows
/// ever more accounts has to count with some 100 bytes for each.
///
/// No account takes the room of the others. While one waits for its repository or its identity, a sixteenth of what may
/// wait does behind it, and less once half of all does. Of what comes then only the newest is kept: the newest commit,
/// identity and hosting. The commits that are passed over are *covered* by the repository: the newest one does not follow
/// on what is held, so that a repository is fetched that is at least as new, and until that has been taken over, or the
/// account's state has been kept as [lost](Account::is_lost), the cursor stays before the oldest of them. A consumer that
/// is slow is waited for, and nothing is passed over because of it.
///
/// Anybody can name accounts of which nobody has heard, and whose keys are at hosts that never answer. So the frames of
/// such *strangers*, each a `did:web` that is not followed, have a quarter of what may wait, and half of the look-ups.
/// Those that come beyond that are not taken ([`Notice::NoKey`]). What the account has published until then is fetched
/// with the next of its commits that is taken.
///
/// # What others can make it do
///
/// Whatever comes, the identity of one account is found at most three times in [`Limits::lookup_every`], as long as the
/// account is remembered: when it was looked up is forgotten with it, once [`Limits::max_accounts`] others have had
/// something to do after it. A look-up that fails for now does not count. It is tried again after growing waits, and
/// given up after [`Limits::max_attempts`].
///
/// Repositories are fetched as [`Limits::fetches`] and [`Limits::fetches_of_one_host`] allow. An account beyond that is
/// given up for now ([`News::Desynchronized`]), and so is one that could not be fetched: it rests, and is fetched when
/// that is over, which [`wake_at`](Ingest::wake_at) knows of.
///
/// An account that only the stream has named is not followed, and no state of it is delivered, before its key has been
/// found. Where that fails for now it rests, too, but only the process knows of that ([`Limits::max_resting`]): the
/// next process learns of the account with its next commit.
///
/// # Time
///
/// The clock may jump. Set back, it stands for no time at all; set forward, whatever was due by then is due.
#[derive(Debug)]
pub struct Ingest {
    config: Config,
    filter: Filter,
    verifier: Verifier,
    decompressor: Decompressor,
    backoff: Backoff,
    connection: Connection,
    progress: Progress,
    arrivals: Arrivals,
    lanes: Lanes,
    identities: Desk,
    repositories: Desk,
    fetches: Fetches,
    rests: Rests,
    /// What has been delivered and not acknowledged.
    delivered: BTreeMap<Ticket, Delivered>,
    next_ticket: u64,
    /// By host.
    gaps: Vec<Gap>,
    outbox: VecDeque<Action>,
    /// How many frames in a row were no events.
    garbage: u32,
    next_keep: Duration,
    clock: Clock,
    /// The time by the clock.
    now: Duration,
}

#[derive(Debug)]
enum Delivered {
    /// Of an account: what comes next for its lane.
    Account {
        did: String,
        then: Then,
    },
    Gap {
        host: usize,
    },
}

/// What comes after an event has been acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The next item.
    Next,
    /// The same item again.
    Again,
    /// The same item again, and a repository less is held in memory.
    Fetched,
}

/// What is to be said of gaps in one host's stream.
#[derive(Clone, Copy, Debug, Default)]
struct Gap {
    /// One that has not been delivered, and how many items had come before it.
    waiting: Option<(GapCause, u64)>,
    /// Whether one has been delivered and not acknowledged.
    is_delivered: bool,
    /// The reason for the next gap: the cursor was of no use with the host, and was given up.
    lost_cursor: Option<GapCause>,
    /// The cursor from which on the host sent nothing but garbage.
    garbage_after: Option<i64>,
}

/// So many frames in a row that are no events are no stream.
const MAX_GARBAGE: u32 = 100;
/// The most characters of a host's words that are passed on.
const MAX_WORDS: usize = 300;

impl Ingest {
    /// A driver that goes on from the cursors that were kept, by host.
    ///
    /// `filter` names the accounts of which something is held. `seed` is to be random: it spreads the attempts of
    /// different processes.
    pub fn new(
        config: Config,
        filter: Filter,
        cursors: &BTreeMap<String, i64>,
        seed: u64,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let limits = &config.limits;
        let hosts = config.hosts.len();
        Ok(Self {
            filter,
            verifier: Verifier::new(),
            decompressor: config.source.decompressor()?,
            backoff: Backoff::new(seed),
            connection: Connection::new(hosts),
            progress: Progress::new(config.hosts.iter().map(|host| cursors.get(host).copied())),
            arrivals: Arrivals::default(),
            lanes: Lanes::default(),
            identities: Desk::new(limits.max_lookups),
            repositories: Desk::new(limits.max_fetches),
            fetches: Fetches::new(limits.fetches, limits.fetches_of_one_host),
            rests: Rests::new(limits.max_resting),
            delivered: BTreeMap::new(),
            next_ticket: 0,
            gaps: vec![Gap::default(); hosts],
            outbox: VecDeque::new(),
            garbage: 0,
            next_keep: Duration::ZERO,
            clock: Clock::default(),
            now: Duration::ZERO,
            config,
        })
    }

    /// What to do next, if anything; to be asked until there is nothing. `now` is the time since 1970, here and
    /// elsewhere.
    pub fn next_action(&mut self, now: Duration) -> Option<Action> {
        self.tick(now);
        loop {
            if let Some(action) = self.outbox.pop_front() {
                return Some(action);
            }
            if self.connection.is_stopped() {
                return self.keep_cursor(Duration::ZERO);
            }
            if let Some(gap) = self.deliver_gap() {
                return Some(gap);
            }
            if let Some((did, need)) = self.lanes.next_awake(self.now) {
                self.ask(&did, need);
            } else if let Some(did) = self.lanes.next_ready() {
                self.look_at(&did);
            } else if !self.end_rest() {
                let action = self.keep_cursor(self.next_keep);
                return action.or_else(|| self.connect());
            }
        }
    }

    /// When [`next_action`](Self::next_action) has to be asked again even if nothing happens until then.
    pub fn wake_at(&self) -> Option<Duration> {
        if self.connection.is_stopped() {
            return None;
        }
        let limits = &self.config.limits;
        let hosts = &mut self.progress.hosts();
        let keeps = hosts.any(|host| self.progress.unkept(host).is_some());
        let moments = [
            // While nobody listens, nobody can tell silence.
            self.connection
                .wake_at(limits)
                .filter(|_| self.wants_frames() || self.connection.current().is_none()),
            self.lanes.next_moment(),
            self.rests.next_end().filter(|_| self.wants_resyncs()),
            keeps.then_some(self.next_keep),
        ];
        let next = moments.into_iter().flatten().min()?;
        Some(self.clock.will_say(next))
    }

    /// Whether there is room for another frame. While there is not, the socket is not to be read: that slows the host
    /// down, or makes it end the connection, which then goes on from the same place.
    pub fn wants_frames(&self) -> bool {
        let (items, bytes) = self.lanes.usage();
        let limits = &self.config.limits;
        !self.connection.is_stopped()
            && items < limits.max_queued
            && self.outbox.len() < limits.max_queued
            && bytes + Item::cost("", MAX_FRAME_LEN) + MAX_DIDS <= limits.max_queued_bytes
    }

    /// Whether there is room for another [`resync`](Self::resync): half of what may wait is left for frames.
    pub fn wants_resyncs(&self) -> bool {
        let (items, _) = self.lanes.usage();
        self.wants_frames() && items < self.config.limits.max_queued.div_ceil(2)
    }

    /// How much of what may wait one lane may have while others wait for it.
    fn share(&self) -> Share {
        let (items, bytes) = self.lanes.usage();
        let Limits {
            max_queued,
            max_queued_bytes,
            ..
        } = self.config.limits;
        if items > max_queued / 2 || bytes > max_queued_bytes / 2 {
            return Share { items: 0, bytes: 0 };
        }
        Share {
            items: max_queued / SHARES,
            bytes: max_queued_bytes / SHARES,
        }
    }

    /// How much of what may wait all strangers may have who have their keys at hosts of their own.
    const fn share_of_strangers(&self) -> Share {
        let limits = &self.config.limits;
        Share {
            items: limits.max_queued.div_ceil(4),
            bytes: limits.max_queued_bytes / 4,
        }
    }

    /// How often the host is to be asked for a sign of life, by a ping: several times in [`Limits::silence`], as an answer
    /// may be late.
    pub fn ping_every(&self) -> Duration {
        let every = self.config.limits.silence / 4;
        every.max(Duration::from_millis(1))
    }

    /// How many things wait to be done, and how much memory they are counted for, in bytes.
    pub fn queued(&self) -> (usize, usize) {
        self.lanes.usage()
    }

    /// How the stream goes.
    pub fn pace(&self, now: Duration) -> Pace {
        Pace {
            frames: self.arrivals.frames,
            behind: self.arrivals.behind(now),
        }
    }

    /// The WebSocket is open. `false` if it is not wanted any more: then it is to be closed.
    pub fn opened(&mut self, connection: ConnectionId, now: Duration) -> bool {
        self.tick(now);
        let is_wanted = self.connection.opened(connection, self.now);
        if is_wanted {
            self.begin_stream();
        }
        is_wanted
    }

    /// A message has come: of a stream of repositories a binary one, of a Jetstream one of either kind.
    pub fn frame(
        &mut self,
        connection: ConnectionId,
        bytes: &[u8],
        now: Duration,
    ) -> Result<(), Full> {
        self.tick(now);
        if !self.connection.is_open(connection) {
            return Ok(());
        }
        if !self.wants_frames() {
            return Err(Full);
        }
        self.connection.received(self.now);
        self.arrivals.frames += 1;
        match self.config.source {
            Source::Repos => self.repos_frame(bytes),
            Source::Jetstream { .. } => self.jetstream_message(bytes),
        }
        Ok(())
    }

    /// The host has given another sign of life, such as the answer to a ping.
    pub fn heard(&mut self, connection: ConnectionId, now: Duration) {
        self.tick(now);
        if self.connection.is_open(connection) {
            self.connection.heard(self.now);
        }
    }

    /// The WebSocket is closed, or could not be opened.
    pub fn closed(&mut self, connection: ConnectionId, now: Duration) {
        self.tick(now);
        if self.connection.is_current(connection) {
            self.ended(Ended::Closed);
        }
    }

    /// What was kept of an account: the state of the newest event that had one.
    pub fn account(&mut self, did: &str, account: Option<Account>) {
        if let Some(lane) = self.awaiting(did, Need::Account) {
            lane.account = Some(account.unwrap_or_default());
            self.lanes.wake(did);
        }
    }

    /// The identity of an account, or why there is none.
    pub fn identity(&mut self, did: &str, found: Result<Identity, Unavailable>, now: Duration) {
        self.tick(now);
        let now = self.now;
        let Some(lane) = self.awaiting(did, Need::Identity) else {
            return;
        };
        let is_known = !matches!(found, Err(Unavailable::ForNow));
        if is_known {
            lane.set_identity(found.ok(), now);
            lane.failures = 0;
        } else {
            lane.forget_identity();
        }
        self.leave_identities(did);
        if is_known {
            self.lanes.wake(did);
        } else {
            self.retry(did, Need::Identity, LostTrack::Identity);
        }
    }

    /// The repository of an account as CAR, or why there is none.
    pub fn repository(&mut self, did: &str, car: Result<&[u8], Unavailable>, now: Duration) {
        self.tick(now);
        if self.awaiting(did, Need::Repository).is_none() {
            return;
        }
        let failed = match car {
            Ok(car) => match self.take_repository(did, car) {
                // It is held in memory until it has been taken over.
                Ok(()) => return,
                Err(why) => Ok(LostTrack::Refused(why)),
            },
            Err(Unavailable::ForNow) => Ok(LostTrack::Unavailable),
            Err(why) => Err(why),
        };
        self.leave_repositories(did);
        match failed {
            Ok(why) => self.retry(did, Need::Repository, why),
            Err(Unavailable::Inactive) => self.hide(did),
            Err(Unavailable::TooLarge(limit)) => self.give_up(did, LostTrack::TooLarge(limit)),
            Err(_) => self.give_up(did, LostTrack::Unavailable),
        }
    }

    /// A delivered event has been taken over, for good.
    pub fn done(&mut self, ticket: Ticket) {
        match self.delivered.remove(&ticket) {
            Some(Delivered::Account {
                did,
                then: Then::Next,
            }) => self.finish(&did),
            // What is left to be done for the item comes again to whoever goes on from the cursor.
            Some(Delivered::Account { .. }) if self.connection.is_stopped() => {}
            Some(Delivered::Account { did, then }) => {
                if then == Then::Fetched {
                    self.leave_repositories(&did);
                }
                self.lanes.wake(&did);
            }
            Some(Delivered::Gap { host }) => {
                self.gaps[host].is_delivered = false;
                self.progress.close_gap(host);
            }
            None => {}
        }
    }

    /// Fetches the repository of an account, once its events up to now have been delivered, and delivers it.
    pub fn resync(&mut self, did: &str) -> Result<(), Full> {
        if !self.wants_resyncs() {
            return Err(Full);
        }
        let is_waiting = self.lanes.get_mut(did).is_some_and(|lane| {
            let mut items = lane.items.iter();
            items.any(|item| matches!(item.kind, Kind::Resync) && !item.fetched)
        });
        if !is_waiting {
            self.lanes.push(did, Item::new(Kind::Resync, did, 0, None));
        }
        Ok(())
    }

    /// Takes an interest in all events of an account, or none any more but in those of its records.
    pub fn set_interest(&mut self, did: &str, interested: bool) {
        if interested {
            self.filter.add_account(did);
        } else {
            self.filter.remove_account(did);
        }
    }

    /// Ends the connection for good. What has been delivered can still be acknowledged, and cursors are still to be
    /// kept, or forgotten. Nothing more is asked for or delivered: that comes again to whoever goes on from those. A
    /// connection that is still to be opened is closed at once.
    pub fn stop(&mut self) {
        let delivered = &mut self.delivered;
        self.outbox.retain(|action| match action {
            Action::Deliver { ticket, .. } => {
                delivered.remove(ticket);
                false
            }
            Action::ReadAccount { .. }
            | Action::FindIdentity { .. }
            | Action::FetchRepository { .. } => false,
            Action::Connect { .. }
            | Action::Disconnect { .. }
            | Action::KeepCursor { .. }
            | Action::Report(_) => true,
        });
        if let Some(connection) = self.connection.current() {
            self.outbox.push_back(Action::Disconnect { connection });
        }
        self.connection.stop();
    }

    /// Whether it has been [stopped](Self::stop), and everything that was delivered has been acknowledged.
    pub fn is_settled(&self) -> bool {
        self.connection.is_stopped() && self.delivered.is_empty()
    }

    /// The lane of an account, if it waits for this answer. After a stop none does.
    fn awaiting(&mut self, did: &str, need: Need) -> Option<&mut Lane> {
        let is_stopped = self.connection.is_stopped();
        let lane = self.lanes.get_mut(did);
        lane.filter(|lane| !is_stopped && lane.wait == Wait::Answer(need))
    }

    fn tick(&mut self, now: Duration) {
        self.now = self.clock.tick(now);
        let host = self.connection.host();
        if !self.wants_frames() {
            self.connection.received(self.now);
        } else if self.config.hosts.len() == 1 && self.progress.newest(host).is_none() {
            // Without a cursor another connection costs a gap, and there is no better host.
            self.connection.excuse(self.now);
        }
        if let Some(why) = self.connection.overdue(&self.config.limits, self.now) {
            self.hang_up(why);
        }
    }

    fn report(&mut self, notice: Notice) {
        self.outbox.push_back(Action::Report(notice));
    }

    fn connect(&mut self) -> Option<Action> {
        let connection = self.connection.begin(self.now)?;
        let host = self.connection.host();
        let cursor = self.progress.newest(host);
        let url = self.config.source.url(&self.config.hosts[host], cursor);
        Some(Action::Connect { connection, url })
    }

    /// Ends the connection from here.
    fn hang_up(&mut self, why: Ended) {
        if let Some(connection) = self.connection.current() {
            self.outbox.push_back(Action::Disconnect { connection });
            self.ended(why);
        }
    }

    fn ended(&mut self, why: Ended) {
        let host = self.config.hosts[self.connection.host()].clone();
        let limits = &self.config.limits;
        let next = self
            .connection
            .ended(&why, limits, &mut self.backoff, self.now);
        let next = self.clock.will_say(next);
        self.report(Notice::Disconnected { host, why, next });
    }

    /// The first cursor to be kept, from `at` on.
    fn keep_cursor(&mut self, at: Duration) -> Option<Action> {
        if self.now < at {
            return None;
        }
        let mut hosts = self.progress.hosts();
        let (host, cursor) = hosts.find_map(|host| Some((host, self.progress.unkept(host)?)))?;
        self.progress.keep(host, cursor);
        self.next_keep = self.now.saturating_add(self.config.limits.keep_every);
        Some(Action::KeepCursor {
            host: self.config.hosts[host].clone(),
            cursor: Some(cursor),
        })
    }
}

/// How many lanes that others wait for have room beside each other.
const SHARES: usize = 16;

/// How often a DID of the greatest length is written down for an item.
const MAX_DIDS: usize = 4 * 2048;
