//! What a runner of [`Ingest`] does in the same way on every runtime: all but connections and timers.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::clock::Clock;
use super::{Action, ConnectionId, Event, Identity, Ingest, Notice, Ticket, Unavailable};
use crate::Account;

/// An [`Ingest`] that puts questions to whoever keeps what comes: each is answered by itself, at the same time as the
/// others, and when it has an answer.
///
/// One cursor is kept at a time, so that an older one does not come last. And beside what the stream makes necessary, the
/// repositories of accounts are fetched whom the keeper [names](Question::Wanted).
#[derive(Debug)]
pub struct Runner {
    /// The driver: what happens to the connection is told to it, and it is asked how things stand.
    pub ingest: Ingest,
    /// Cursors that are to be kept, by host: only the newest counts.
    cursors: BTreeMap<String, Option<i64>>,
    /// Whether a cursor is being kept.
    is_keeping: bool,
    /// Accounts whose repositories are to be fetched, as soon as there is room.
    wanted: VecDeque<String>,
    /// The last account that was named of those that had lost track before; `None` once those are through.
    lost_after: Option<String>,
    /// Whether the keeper is being asked for more of them.
    is_asking: bool,
    ask_at: Duration,
    is_stopped: bool,
    clock: Clock,
}

/// How often the keeper is asked whose repositories are to be fetched.
const ASK_EVERY: Duration = Duration::from_mins(1);

/// Something for a runtime to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// [`Action::Connect`]
    Connect {
        /// The number of the connection.
        connection: ConnectionId,
        /// Where to, with the cursor.
        url: String,
    },
    /// [`Action::Disconnect`]
    Disconnect {
        /// Which one.
        connection: ConnectionId,
    },
    /// Have this answered, and bring the answer: [`Runner::answer`].
    Ask(Question),
    /// Tell the operator.
    Report(Notice),
}

/// What is asked of whoever keeps what comes. What fails is tried again there: there is nobody else to do anything about
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// What was kept of an account: the state of the newest event that had one.
    Account {
        /// The account.
        did: String,
    },
    /// The identity of an account, whatever is remembered of it.
    Identity {
        /// The account.
        did: String,
    },
    /// The repository of an account, from where its DID document says that it is.
    Repository {
        /// The account.
        did: String,
    },
    /// Take over an event, its account's state with it, for good. Those of different accounts are taken over at the same
    /// time.
    TakeOver {
        /// The number to say so with.
        ticket: Ticket,
        /// The event.
        event: Event,
    },
    /// Keep the cursor of a host, or forget it.
    KeepCursor {
        /// The host.
        host: String,
        /// The cursor; `None` where it is to be forgotten.
        cursor: Option<i64>,
    },
    /// Some accounts whose repositories are to be fetched, for another reason than what comes from the stream. It is asked
    /// every minute, unless those that were named last still wait.
    Wanted {
        /// Those that had [lost track](Account::is_lost) before the stream began, in the order of their names from after
        /// this one on; `None` once those are through, for whatever the keeper finds out by itself.
        lost_after: Option<String>,
    },
}

/// The answer to a [`Question`].
#[derive(Debug)]
pub enum Answer {
    /// To [`Question::Account`].
    Account {
        /// The account.
        did: String,
        /// What was kept of it, if anything.
        account: Option<Account>,
    },
    /// To [`Question::Identity`].
    Identity {
        /// The account.
        did: String,
        /// Its identity, or why there is none.
        found: Result<Identity, Unavailable>,
    },
    /// To [`Question::Repository`].
    Repository {
        /// The account.
        did: String,
        /// Its repository as CAR, or why there is none.
        car: Result<Vec<u8>, Unavailable>,
    },
    /// To [`Question::TakeOver`].
    TakenOver {
        /// The number of the event.
        ticket: Ticket,
    },
    /// To [`Question::KeepCursor`].
    CursorKept,
    /// To [`Question::Wanted`].
    Wanted {
        /// The accounts; none, if there are no more.
        dids: Vec<String>,
    },
}

impl Runner {
    /// Runs a driver that has just begun.
    pub fn new(ingest: Ingest) -> Self {
        Self {
            ingest,
            cursors: BTreeMap::new(),
            is_keeping: false,
            wanted: VecDeque::new(),
            lost_after: Some(String::new()),
            is_asking: false,
            ask_at: Duration::ZERO,
            is_stopped: false,
            clock: Clock::default(),
        }
    }

    /// What to do next, if anything; to be asked until there is nothing, whenever something has happened. `now` is the
    /// time since 1970, here and elsewhere.
    pub fn next_step(&mut self, now: Duration) -> Option<Step> {
        let at = self.clock.tick(now);
        self.resync_wanted();
        if let Some(question) = self.ask_for_wanted(at) {
            return Some(Step::Ask(question));
        }
        while let Some(action) = self.ingest.next_action(now) {
            return Some(match action {
                Action::KeepCursor { host, cursor } => {
                    self.cursors.insert(host, cursor);
                    continue;
                }
                Action::Connect { connection, url } => Step::Connect { connection, url },
                Action::Disconnect { connection } => Step::Disconnect { connection },
                Action::Report(notice) => Step::Report(notice),
                Action::ReadAccount { did } => Step::Ask(Question::Account { did }),
                Action::FindIdentity { did } => Step::Ask(Question::Identity { did }),
                Action::FetchRepository { did } => Step::Ask(Question::Repository { did }),
                Action::Deliver { ticket, event } => {
                    Step::Ask(Question::TakeOver { ticket, event })
                }
            });
        }
        self.keep_cursor().map(Step::Ask)
    }

    /// When [`next_step`](Self::next_step) has to be asked again even if nothing happens until then.
    pub fn wake_at(&self) -> Option<Duration> {
        let asks = self.may_ask().then(|| self.clock.will_say(self.ask_at));
        self.ingest.wake_at().into_iter().chain(asks).min()
    }

    /// Takes an answer.
    pub fn answer(&mut self, answer: Answer, now: Duration) {
        match answer {
            Answer::Account { did, account } => self.ingest.account(&did, account),
            Answer::Identity { did, found } => self.ingest.identity(&did, found, now),
            Answer::Repository { did, car } => {
                let car = car.as_deref().map_err(|why| *why);
                self.ingest.repository(&did, car, now);
            }
            Answer::TakenOver { ticket } => self.ingest.done(ticket),
            Answer::CursorKept => self.is_keeping = false,
            Answer::Wanted { dids } => {
                self.is_asking = false;
                if self.lost_after.is_some() {
                    self.lost_after = dids.last().cloned();
                }
                self.wanted.extend(dids);
            }
        }
    }

    /// Ends the connection for good: see [`Ingest::stop`].
    pub fn stop(&mut self) {
        self.is_stopped = true;
        self.ingest.stop();
    }

    /// Whether it has been [stopped](Self::stop), everything that was delivered has been taken over, and the cursors are
    /// kept.
    pub fn is_settled(&self) -> bool {
        self.ingest.is_settled() && !self.is_keeping && self.cursors.is_empty()
    }

    /// The next cursor to keep, if none is being kept.
    fn keep_cursor(&mut self) -> Option<Question> {
        if self.is_keeping {
            return None;
        }
        let (host, cursor) = self.cursors.pop_first()?;
        self.is_keeping = true;
        Some(Question::KeepCursor { host, cursor })
    }

    fn may_ask(&self) -> bool {
        !self.is_stopped && !self.is_asking && self.wanted.is_empty()
    }

    fn ask_for_wanted(&mut self, at: Duration) -> Option<Question> {
        if !self.may_ask() || at < self.ask_at {
            return None;
        }
        self.is_asking = true;
        self.ask_at = at.saturating_add(ASK_EVERY);
        Some(Question::Wanted {
            lost_after: self.lost_after.clone(),
        })
    }

    fn resync_wanted(&mut self) {
        while let Some(did) = self.wanted.front() {
            if self.ingest.resync(did).is_err() {
                break;
            }
            self.wanted.pop_front();
        }
    }
}
