//! Everything at once, at random, from a seed: accounts that publish, a host that drops, repeats and forgets, answers
//! that take their time or fail, a consumer that takes over in any order, and a process that dies at any step.
//!
//! The model is what the accounts have done. What was kept in the end must be that, whatever happened on the way.

mod consumer;
mod host;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use huddle_firehose::ingest::{
    Action, Allowance, Config, ConnectionId, Event, Ingest, Limits, Notice, Source, Ticket,
};
use huddle_firehose::{Filter, Hosting};

use crate::driven::{PING_EVERY, identity};
use crate::frames::START;
use consumer::Consumer;
use host::{Host, PREFIX};

/// Random numbers, the same ones for the same seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides as u64).expect("it is below a usize")
    }

    /// Happens once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.roll(times) == 0
    }
}

/// What may happen beside the usual.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// The host forgets old events, and loses its numbering.
    Gaps,
    Crashes,
    /// The host leaves out, repeats, swaps, forges and changes what it passes on, and takes accounts down.
    Hostile,
    /// The clock is set back and forward.
    Clock,
}

use Trouble::{Clock, Crashes, Gaps, Hostile};

/// How many things may wait, which leaves a lane that waits no room beside its first; and how many leave some.
const NARROW: usize = 12;
const ROOMY: usize = 100;

struct Simulation {
    dice: Dice,
    trouble: &'static [Trouble],
    max_queued: usize,
    host: Host,
    consumer: Consumer,
    process: Process,
    now: Duration,
    crashes: usize,
    /// Accounts of which something was not taken because nobody could tell their key.
    keyless: BTreeSet<String>,
}

/// What dies with a process.
struct Process {
    ingest: Ingest,
    connection: Option<ConnectionId>,
    /// The accounts whose repositories are to be fetched because the consumer says so.
    wanted: Vec<String>,
    /// How many repositories were asked for, and since when.
    fetches: u64,
    begun: Duration,
    asked: Vec<Action>,
    delivered: Vec<(Ticket, Event)>,
    witness: consumer::Witness,
}

const FETCHES: Allowance = Allowance {
    burst: 3,
    every: Duration::from_secs(10),
};
const HOST: &str = "wss://host.example.com";

fn config(max_queued: usize) -> Config {
    Config {
        source: Source::Repos,
        hosts: vec![HOST.to_owned()],
        limits: Limits {
            max_queued,
            max_accounts: 2,
            max_resting: 4,
            max_lookups: 2,
            max_fetches: 2,
            fetches: FETCHES,
            max_attempts: 2,
            rest: Duration::from_mins(1),
            longest_rest: Duration::from_hours(1),
            ..Limits::default()
        },
    }
}

impl Process {
    fn start(consumer: &Consumer, max_queued: usize, now: Duration, seed: u64) -> Self {
        let mut filter = Filter::new([PREFIX]);
        for did in consumer.held() {
            filter.add_account(did);
        }
        let config = config(max_queued);
        let ingest = Ingest::new(config, filter, &consumer.cursors, seed);
        Self {
            ingest: ingest.expect("the limits are fine"),
            connection: None,
            wanted: consumer.lost.iter().cloned().collect(),
            fetches: 0,
            begun: now,
            asked: Vec::new(),
            delivered: Vec::new(),
            witness: consumer::Witness::default(),
        }
    }
}

impl Simulation {
    fn new(seed: u64, max_queued: usize, trouble: &'static [Trouble]) -> Self {
        // From number 0 on the host has everything.
        let consumer = Consumer {
            cursors: BTreeMap::from([(HOST.to_owned(), 0)]),
            ..Consumer::default()
        };
        Self {
            dice: Dice(seed),
            trouble,
            max_queued,
            host: Host::new(),
            process: Process::start(&consumer, max_queued, START, seed),
            consumer,
            now: START,
            crashes: 0,
            keyless: BTreeSet::new(),
        }
    }

    fn has(&self, trouble: Trouble) -> bool {
        self.trouble.contains(&trouble)
    }

    fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            self.step();
            self.carry_out();
        }
        self.settle();
    }

    fn step(&mut self) {
        if self.has(Hostile) && self.dice.once_in(12) {
            self.host.do_harm(&mut self.dice);
        }
        if self.has(Clock) && self.dice.once_in(40) {
            self.set_clock();
        }
        match self.dice.roll(100) {
            0..25 => self.host.publish(&mut self.dice),
            25..55 => self.receive(),
            55..75 => self.answer(false),
            75..90 => self.take_over(),
            90..92 => self.drop_connection(),
            92..95 => self.now += Duration::from_millis(self.dice.roll(20_000) as u64),
            95..97 => self.ask_for_repositories(),
            97 if self.has(Gaps) && self.dice.once_in(3) => {
                self.host.forget(&mut self.dice);
            }
            98 if self.has(Gaps) && self.dice.once_in(5) => {
                self.host.renumber();
                self.drop_connection();
            }
            99 if self.has(Crashes) => self.crash(),
            _ => {}
        }
    }

    /// Does what the driver wants done, as far as it is done at once.
    fn carry_out(&mut self) {
        while let Some(action) = self.process.ingest.next_action(self.now) {
            match action {
                Action::Connect { connection, url } => {
                    self.process.connection = Some(connection);
                    self.host.connect(&url, &mut self.dice);
                    assert!(self.process.ingest.opened(connection, self.now));
                }
                Action::Disconnect { connection } => {
                    // It may have been closed from outside meanwhile.
                    self.process.connection.take_if(|open| *open == connection);
                }
                Action::FetchRepository { .. } => {
                    self.process.fetches += 1;
                    self.process.asked.push(action);
                }
                Action::KeepCursor { host, cursor } => match cursor {
                    Some(cursor) => drop(self.consumer.cursors.insert(host, cursor)),
                    None => drop(self.consumer.cursors.remove(&host)),
                },
                Action::Deliver { ticket, event } => {
                    let waiting = self.process.delivered.iter().map(|(_, event)| event);
                    self.process.witness.see(&event, waiting, &self.host);
                    self.process.delivered.push((ticket, event));
                }
                Action::Report(Notice::NoKey { did, .. }) => drop(self.keyless.insert(did)),
                Action::Report(_) => {}
                ask => self.process.asked.push(ask),
            }
        }
        let (items, bytes) = self.process.ingest.queued();
        let limits = config(self.max_queued).limits;
        assert!(items <= limits.max_queued, "{items} items");
        assert!(bytes <= limits.max_queued_bytes, "{bytes} bytes");
        if !self.has(Clock) {
            let time = self.now.saturating_sub(self.process.begun);
            let more = time.as_secs() / FETCHES.every.as_secs();
            let most = u64::from(FETCHES.burst) + more;
            assert!(
                self.process.fetches <= most,
                "{} fetches",
                self.process.fetches
            );
        }
    }

    fn receive(&mut self) {
        let Some(connection) = self.process.connection else {
            return;
        };
        if !self.process.ingest.wants_frames() {
            return;
        }
        match self.host.send() {
            host::Sent::Frame(frame) => self
                .process
                .ingest
                .frame(connection, &frame, self.now)
                .expect("frames are wanted"),
            host::Sent::Close => self.drop_connection(),
            host::Sent::Nothing => {}
        }
    }

    fn answer(&mut self, surely: bool) {
        if self.process.asked.is_empty() {
            return;
        }
        let which = self.dice.roll(self.process.asked.len());
        let fails = !surely && self.dice.once_in(4);
        let Process { ingest, asked, .. } = &mut self.process;
        match asked.swap_remove(which) {
            Action::ReadAccount { did } => ingest.account(&did, self.consumer.state(&did)),
            Action::FindIdentity { did } => {
                let found = identity(self.host.account(&did).key());
                let found = host::unless(fails, &found).cloned();
                ingest.identity(&did, found, self.now);
            }
            Action::FetchRepository { did } => {
                let car = self.host.account(&did).repository(fails);
                ingest.repository(&did, car, self.now);
            }
            other => panic!("{other:?} is not asked for"),
        }
    }

    /// Takes over a delivered event, and says so, unless the process dies in between.
    fn take_over(&mut self) {
        if self.process.delivered.is_empty() {
            return;
        }
        let which = self.dice.roll(self.process.delivered.len());
        let (ticket, event) = self.process.delivered.swap_remove(which);
        self.take(&event);
        if self.has(Crashes) && self.dice.once_in(40) {
            self.crash();
        } else {
            self.process.ingest.done(ticket);
        }
    }

    fn take(&mut self, event: &Event) {
        self.consumer.take(event, &self.host);
        if matches!(event, Event::Gap { .. }) {
            self.process.wanted = self.consumer.lost.iter().cloned().collect();
        }
    }

    /// An hour back, or a day forward.
    fn set_clock(&mut self) {
        if self.dice.once_in(2) {
            self.now -= Duration::from_hours(1);
        } else {
            self.now += Duration::from_hours(24);
        }
    }

    fn drop_connection(&mut self) {
        if let Some(connection) = self.process.connection.take() {
            self.process.ingest.closed(connection, self.now);
        }
    }

    /// Asks for repositories, after a gap and at the start of a process; what the driver could not have it gets by
    /// itself.
    fn ask_for_repositories(&mut self) {
        let Process { ingest, wanted, .. } = &mut self.process;
        wanted.retain(|did| ingest.resync(did).is_err());
    }

    fn crash(&mut self) {
        self.crashes += 1;
        let seed = self.dice.roll(1000) as u64;
        self.process = Process::start(&self.consumer, self.max_queued, self.now, seed);
    }

    /// Nothing goes wrong any more, and everything that is left is done.
    fn settle(&mut self) {
        self.host.come_back();
        for _ in 0..20_000 {
            self.carry_out();
            let is_open = self.process.connection.is_some();
            if is_open && self.process.ingest.wants_frames() && self.host.has_more() {
                self.receive();
            } else if !self.process.asked.is_empty() {
                self.answer(true);
            } else if let Some((ticket, event)) = self.process.delivered.pop() {
                self.take(&event);
                self.process.ingest.done(ticket);
            } else if !self.process.wanted.is_empty() && self.process.ingest.wants_resyncs() {
                self.ask_for_repositories();
            } else if is_open && self.process.ingest.queued().0 == 0 && self.has_all() {
                return;
            } else {
                let wake_at = self.process.ingest.wake_at();
                let wake_at = wake_at.expect("there is something to wait for");
                self.now = self.now.max(wake_at.min(self.now + PING_EVERY));
                if let Some(connection) = self.process.connection {
                    self.process.ingest.heard(connection, self.now);
                }
            }
        }
        panic!(
            "it does not come to rest: {:?} to do, lost {:?}",
            self.process.ingest.queued(),
            self.consumer.lost
        );
    }

    /// Whether nothing is lost that anybody could give out.
    fn has_all(&self) -> bool {
        let mut lost = self.consumer.lost.iter();
        !lost.any(|did| self.host.account(did).repository(false).is_ok())
    }

    #[track_caller]
    fn check(&self) {
        let misses = self.has(Gaps) || self.has(Hostile);
        for account in self.host.accounts() {
            let did = account.did();
            let Some(kept) = self.consumer.accounts.get(did) else {
                // That an account rests of which nothing is held is not kept.
                let is_told = misses || self.keyless.contains(did);
                assert!(is_told || !account.has_published(), "{did} was lost");
                continue;
            };
            if kept.hosting == Hosting::Deleted {
                // It comes back with its next commit of interest.
                assert!(self.has(Hostile) && kept.records.is_empty(), "{did}");
                continue;
            }
            assert_eq!(kept.records, account.published(), "{did}");
            // A word that was missed is not made up for.
            let stays = self.has(Gaps) && kept.hosting == Hosting::TakenDown;
            assert!(stays || kept.hosting == Hosting::Active, "{did}");
            let told = kept.handles.values().copied().max().unwrap_or(0);
            assert!(told <= 1 + self.crashes, "{did} had a handle {told} times");
            // Of several that wait the newest is enough.
            if let (false, Some(newest)) = (misses, account.handles()[kept.handles_before..].last())
            {
                assert!(kept.handles.contains_key(newest), "{newest} was lost");
            }
        }
        let cursor = self.consumer.cursors.get(HOST);
        let newest = self.host.newest();
        assert!(cursor.is_none_or(|cursor| *cursor <= newest), "{cursor:?}");
    }
}

#[track_caller]
fn check(seeds: std::ops::Range<u64>, max_queued: usize, trouble: &'static [Trouble]) {
    for seed in seeds {
        let mut simulation = Simulation::new(seed, max_queued, trouble);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            simulation.run(600);
            simulation.check();
        }));
        assert!(outcome.is_ok(), "it fails with seed {seed}");
    }
}

#[test]
fn all_that_accounts_publish_is_kept_once_and_in_order() {
    check(0..40, NARROW, &[]);
    check(40..60, ROOMY, &[]);
}

#[test]
fn a_process_that_dies_now_and_then_loses_nothing() {
    check(0..40, NARROW, &[Crashes]);
    check(40..60, ROOMY, &[Crashes]);
}

#[test]
fn what_a_host_forgets_is_fetched_for_every_account_that_is_held() {
    check(0..60, NARROW, &[Gaps, Crashes]);
}

#[test]
fn what_a_host_changes_leaves_out_or_makes_up_is_made_good() {
    check(0..30, NARROW, &[Hostile]);
    check(30..60, ROOMY, &[Hostile, Crashes]);
}

#[test]
fn a_clock_that_is_set_changes_nothing() {
    check(0..30, NARROW, &[Clock]);
    check(30..60, NARROW, &[Clock, Gaps, Crashes, Hostile]);
}

/// Nothing of a process outlives it but what the consumer keeps.
#[test]
fn a_process_may_end_after_any_step() {
    for last in 0..150 {
        let mut simulation = Simulation::new(7, NARROW, &[]);
        for step in 0..150 {
            simulation.step();
            simulation.carry_out();
            if step == last {
                simulation.crash();
            }
        }
        simulation.settle();
        simulation.check();
    }
}
