//! A driver with everything around it that a test has to say something about.

use std::collections::BTreeMap;
use std::time::Duration;

use huddle_firehose::ingest::{
    Action, Config, ConnectionId, Event, Identity, Ingest, Limits, News, Notice, Source, Ticket,
};
use huddle_firehose::{Account, Filter};

use crate::frames::{Made, Records, START, make, record, verifying_key};

/// Where the repositories of all accounts are.
const PDS: &str = "pds.example.com";

/// How often a host answers at least.
pub(crate) const PING_EVERY: Duration = Duration::from_secs(30);
pub(crate) const HOST: &str = "wss://host.example.com";
pub(crate) const ALICE: &str = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa";
pub(crate) const BOB: &str = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb";

/// A driver, and what it has wanted so far.
pub(crate) struct Driven {
    pub(crate) ingest: Ingest,
    pub(crate) now: Duration,
    pub(crate) actions: Vec<Action>,
    connection: Option<ConnectionId>,
}

pub(crate) fn config(limits: Limits) -> Config {
    Config {
        source: Source::Repos,
        hosts: vec![HOST.to_owned()],
        limits,
    }
}

impl Driven {
    /// Of a stream from number 100 on, with an interest in `com.example.` and in these accounts.
    pub(crate) fn new(limits: Limits, accounts: &[&str]) -> Self {
        Self::with(config(limits), accounts, Some(100))
    }

    pub(crate) fn with(config: Config, accounts: &[&str], cursor: Option<i64>) -> Self {
        let mut filter = Filter::new(["com.example."]);
        for did in accounts {
            filter.add_account(did);
        }
        let cursors: BTreeMap<_, _> = cursor.map(|at| (HOST.to_owned(), at)).into_iter().collect();
        Self {
            ingest: Ingest::new(config, filter, &cursors, 1).expect("the limits are fine"),
            now: START,
            actions: Vec::new(),
            connection: None,
        }
    }

    /// Collects what is to be done now.
    pub(crate) fn act(&mut self) -> &[Action] {
        let before = self.actions.len();
        while let Some(action) = self.ingest.next_action(self.now) {
            self.actions.push(action);
        }
        &self.actions[before..]
    }

    /// Waits for the next connection, opens it, and says where it leads.
    #[track_caller]
    pub(crate) fn open(&mut self) -> (ConnectionId, String) {
        for _ in 0..5 {
            let found = self.act().iter().find_map(|action| match action {
                Action::Connect { connection, url } => Some((*connection, url.clone())),
                _ => None,
            });
            if let Some((connection, url)) = found {
                assert!(self.ingest.opened(connection, self.now));
                self.connection = Some(connection);
                self.act();
                return (connection, url);
            }
            self.now = self.ingest.wake_at().expect("it waits to connect");
        }
        panic!("it does not connect: {:#?}", self.actions);
    }

    /// The connection that was opened last.
    pub(crate) fn connection(&self) -> ConnectionId {
        self.connection.expect("there is a connection")
    }

    #[track_caller]
    pub(crate) fn send(&mut self, connection: ConnectionId, frame: &[u8]) -> &[Action] {
        self.ingest
            .frame(connection, frame, self.now)
            .expect("there is room");
        self.act()
    }

    /// Answers everything that is asked for, now and when it is time for it, and acknowledges everything, until nothing
    /// is left. The answers are those of a store without anything in it, a key, and a repository, or that there is none.
    pub(crate) fn run(&mut self, key: u8, car: Option<&[u8]>) -> Vec<Event> {
        let mut events = Vec::new();
        let mut at = 0;
        loop {
            self.act();
            let Some(action) = self.actions.get(at).cloned() else {
                if self.ingest.queued().0 == 0 {
                    return events;
                }
                self.wait();
                continue;
            };
            at += 1;
            match action {
                Action::ReadAccount { did } => self.ingest.account(&did, None),
                Action::FindIdentity { did } => {
                    self.ingest.identity(&did, Ok(identity(key)), self.now);
                }
                Action::FetchRepository { did } => {
                    let car = car.ok_or(huddle_firehose::ingest::Unavailable::AtAll);
                    self.ingest.repository(&did, car, self.now);
                }
                Action::Deliver { ticket, event } => {
                    events.push(event);
                    self.ingest.done(ticket);
                }
                _ => {}
            }
        }
    }

    /// Lets the time pass until something may be to be done, while the host gives signs of life.
    pub(crate) fn wait(&mut self) {
        let wake_at = self.ingest.wake_at().expect("there is something to come");
        self.now = wake_at.min(self.now + PING_EVERY);
        if let Some(connection) = self.connection {
            self.ingest.heard(connection, self.now);
        }
    }

    /// What has been delivered so far.
    pub(crate) fn delivered(&self) -> Vec<(Ticket, Event)> {
        let delivered = self.actions.iter().filter_map(|action| match action {
            Action::Deliver { ticket, event } => Some((*ticket, event.clone())),
            _ => None,
        });
        delivered.collect()
    }

    pub(crate) fn notices(&self) -> Vec<&Notice> {
        let notices = self.actions.iter().filter_map(|action| match action {
            Action::Report(notice) => Some(notice),
            _ => None,
        });
        notices.collect()
    }

    /// The cursors that were to be kept, `None` for one that was to be forgotten.
    pub(crate) fn kept(&self) -> Vec<Option<i64>> {
        let kept = self.actions.iter().filter_map(|action| match action {
            Action::KeepCursor { cursor, .. } => Some(*cursor),
            _ => None,
        });
        kept.collect()
    }

    /// Lets the time pass after which cursors are kept.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.act();
    }
}

/// So many commits: the first changes nothing, each one after it adds a record.
pub(crate) fn chain(did: &str, commits: usize) -> Vec<Made> {
    let mut made = vec![make(did, None, Records::new(), 1)];
    while made.len() < commits {
        let before = made.last().expect("the first is there");
        let mut records = before.records.clone();
        let number = i64::try_from(made.len()).expect("few commits");
        let path = format!("com.example.a/{number}");
        records.insert(path, record("com.example.a", number));
        made.push(make(did, Some(before), records, 1));
    }
    made
}

/// What is looked up of an account with this key.
pub(crate) fn identity(key: u8) -> Identity {
    Identity {
        key: verifying_key(key),
        host: Some(PDS.into()),
    }
}

/// News of an account, and its state.
#[track_caller]
pub(crate) fn news(event: &Event) -> (&News, Option<&Account>) {
    match event {
        Event::Account { news, state, .. } => (news, state.as_ref()),
        Event::Gap { .. } => panic!("{event:?}"),
    }
}
