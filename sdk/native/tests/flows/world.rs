//! The flows over a store on disk, a clock that is set by hand, and offers that do as they are told.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use huddle_core::availability::{Availability, Checked, Found, Proposal, Search};
use huddle_core::booking::{
    Asked, Booking, BookingId, BookingIds, CreateRefused, GuestSide, Mode, Place, Resume, Terms,
};
use huddle_core::flows::Flows;
use huddle_core::host_match::{Cap, Margins};
use huddle_core::idempotency::Key;
use huddle_core::outbox::Task;
use huddle_core::tasks::Tasks;
use huddle_core::transport::ask;
use huddle_core::{ActorName, Interval, Limits};
use huddle_native::{ActorStore, OsRandom, Pump, SqliteIndex, TaskFailed, TaskRunner, Trouble};
use huddle_ports::{Clock as _, Timestamp};
use huddle_syntax::Did;
use huddle_testkit::SteppingClock;
use rusqlite::Connection;
use tempfile::TempDir;

const NOON: Timestamp = Timestamp::from_millis(1_767_268_800_000);

pub(crate) fn did(name: &str) -> Did {
    format!("did:web:{name}.example.com").parse().unwrap()
}

/// What the offers and calendars say, until they are told otherwise.
#[derive(Debug)]
pub(crate) struct Says {
    /// The hours of tomorrow that every host offers.
    pub(crate) hours: Vec<u32>,
    /// What hosts keep free after a meeting.
    pub(crate) after: Duration,
    /// The most meetings that hosts want.
    pub(crate) caps: Vec<Cap>,
    /// Whether hosts want to be asked first.
    pub(crate) mode: Mode,
    /// How long the next search takes.
    pub(crate) search_takes: Duration,
    /// A booking that another driver takes over during the next search.
    pub(crate) taken_over: Option<BookingId>,
    pub(crate) checked: Checked,
    /// Whether guests are strangers to their hosts.
    pub(crate) strangers: bool,
    /// What searches find in place of slots.
    pub(crate) instead: Option<Found>,
    /// By when an answer was wanted, so far.
    pub(crate) deadlines: Vec<Timestamp>,
}

pub(crate) struct World {
    pub(crate) flows: Flows,
    pub(crate) tasks: Tasks,
    pub(crate) clock: Arc<SteppingClock>,
    pub(crate) index: Arc<SqliteIndex>,
    pub(crate) store: Arc<ActorStore>,
    says: Arc<Mutex<Says>>,
    folder: TempDir,
}

struct Script {
    says: Arc<Mutex<Says>>,
    clock: Arc<SteppingClock>,
    store: Arc<ActorStore>,
}

#[async_trait]
impl Availability for Script {
    async fn search(&self, search: &Search, deadline: Timestamp) -> Found {
        let (found, taken_over) = {
            let mut says = self.says.lock().unwrap();
            says.deadlines.push(deadline);
            self.clock.step(std::mem::take(&mut says.search_takes));
            let found = says.instead.clone();
            let found = found.unwrap_or_else(|| says.found(search));
            (found, says.taken_over.take())
        };
        if let Some(id) = taken_over {
            let booking = ActorName::booking(&id);
            ask(&*self.store, &booking, Resume {})
                .await
                .unwrap()
                .unwrap();
        }
        found
    }

    async fn check(&self, _: &Booking, _: &Place, deadline: Timestamp) -> Checked {
        let mut says = self.says.lock().unwrap();
        says.deadlines.push(deadline);
        says.checked
    }
}

impl Says {
    fn found(&self, search: &Search) -> Found {
        let terms = Terms {
            offer: None,
            tz: "Europe/Madrid".into(),
            mode: self.mode,
            guest_side: GuestSide::Checked,
        };
        if let Some(until) = search.strangers_wait.filter(|_| self.strangers) {
            return Found::StrangersWait(until);
        }
        if self.mode == Mode::Approve && !search.approved {
            return Found::NeedsApproval(terms);
        }
        let proposals = self.hours.iter().map(|hour| Proposal {
            place: Place {
                slot: tomorrow(*hour),
                terms: terms.clone(),
            },
            host: Margins {
                after: self.after,
                caps: self.caps.clone(),
                ..Margins::default()
            },
            guest: Margins::default(),
        });
        Found::Proposals(proposals.collect())
    }
}

/// An hour of tomorrow.
pub(crate) fn tomorrow(hour: u32) -> Interval {
    let hour_long = Duration::from_hours(1);
    let start = NOON + Duration::from_hours(24) + hour_long * hour;
    Interval::new(start, start + hour_long).unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Arc::new(SteppingClock::at(NOON));
        let path = folder.path().join("actors.sqlite");
        let store = ActorStore::open(&path, clock.clone(), Limits::default()).unwrap();
        let store = Arc::new(store);
        let says = Arc::new(Mutex::new(Says {
            hours: vec![0, 1],
            after: Duration::ZERO,
            caps: Vec::new(),
            mode: Mode::Auto,
            search_takes: Duration::ZERO,
            taken_over: None,
            checked: Checked::Free,
            strangers: false,
            instead: None,
            deadlines: Vec::new(),
        }));
        let script = Script {
            says: says.clone(),
            clock: clock.clone(),
            store: store.clone(),
        };
        let flows = Flows::new(
            store.clone(),
            Arc::new(script),
            clock.clone(),
            Arc::new(Limits::default()),
        );
        let index = Arc::new(SqliteIndex::in_memory().unwrap());
        Self {
            tasks: Tasks::new(store.clone(), flows.clone(), index.clone()),
            flows,
            clock,
            index,
            store,
            says,
            folder,
        }
    }

    pub(crate) fn say<T>(&self, change: impl FnOnce(&mut Says) -> T) -> T {
        change(&mut self.says.lock().unwrap())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("actors.sqlite")
    }

    pub(crate) fn connection(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    /// How many rows the actors have in a table.
    pub(crate) fn count(&self, table: &str) -> u32 {
        let statement = format!("SELECT count(*) FROM {table}");
        let connection = self.connection();
        connection
            .query_row(&statement, [], |row| row.get(0))
            .unwrap()
    }

    /// A request of a guest, which its key names.
    pub(crate) async fn request(
        &self,
        guest: &str,
        host: &str,
        key: &str,
    ) -> Result<Booking, CreateRefused> {
        let id = request_id(guest, key);
        let requested = self.flows.request(&id, asked(guest, host), "hash".into());
        requested.await.unwrap()
    }

    pub(crate) async fn rehearse(&self, guest: &str, host: &str) -> Booking {
        let id = request_id(guest, "rehearsal");
        self.flows.rehearse(&id, asked(guest, host)).await.unwrap()
    }

    /// Does all that is due in the outbox and by timers.
    pub(crate) async fn settle(&self) {
        let runner = Arc::new(Runner(self.tasks.clone()));
        let pump = Pump::new(self.store.clone(), runner, Arc::new(OsRandom));
        let now = self.clock.now().as_millis();
        let is_settled = || {
            let due = "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM timer WHERE due <= ?1)";
            let connection = self.connection();
            let left: u32 = connection.query_row(due, [now], |row| row.get(0)).unwrap();
            left == 0
        };
        // Bounded by the test runner.
        let settled = async {
            while !is_settled() {
                tokio::task::yield_now().await;
            }
        };
        pump.run(settled).await;
    }
}

struct Runner(Tasks);

#[async_trait]
impl TaskRunner for Runner {
    async fn run(&self, task: &Task) -> Result<(), TaskFailed> {
        let done = self.0.run(task).await;
        done.map_err(TaskFailed::from)
    }

    fn report(&self, trouble: &Trouble<'_>) {
        panic!("{trouble}");
    }
}

pub(crate) fn request_id(guest: &str, key: &str) -> BookingId {
    BookingIds::new(&[7; 32]).of_request(&did(guest), "match", key)
}

pub(crate) fn asked(guest: &str, host: &str) -> Asked {
    Asked::new(did(host), did(guest))
}

pub(crate) fn key(caller: &str, method: &str, key: &str) -> Key {
    Key {
        caller: did(caller),
        method: method.into(),
        key: key.into(),
        body_hash: "hash".into(),
    }
}
