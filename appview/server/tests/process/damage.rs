//! A page of a database that is damaged, whichever it is: nothing that was decided is told or done otherwise for it.

use std::fmt::{Debug, Display};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::join_all;
use huddle_core::Limits;
use huddle_core::booking::{Asked, Booking, BookingId, BookingIds, Constraints};
use huddle_core::flows::Flows;
use huddle_core::idempotency::Key;
use huddle_core::index::bookings::{self, Filter};
use huddle_core::index::{Paging, project};
use huddle_native::{ActorStore, Contradiction, Database, OpenError, SqliteIndex};
use huddle_ports::Timestamp;
use huddle_syntax::Did;
use huddle_testdata::is_full;
use huddle_testkit::{ListedWindows, SteppingClock};
use tempfile::TempDir;

/// The bytes of a page of a database.
const PAGE: usize = 4096;
/// So many hosts, each of whom has a guest already.
const HOSTS: i64 = 8;
const HOUR: i64 = 3_600_000;
const NOW: Timestamp = Timestamp::from_millis(1000 * HOUR);

/// What is said of damage: what to do about it, or what of a row it has made unreadable.
const CLEAR: [&str; 3] = [
    "restore a backup",
    "a stored document cannot be read",
    "of a row is not what it should be",
];

fn did(name: &str, number: i64) -> Did {
    format!("did:web:{name}{number}.example.com")
        .parse()
        .unwrap()
}

/// Some hosts have time for one meeting, and the others for two.
fn windows() -> ListedWindows {
    let mut windows = ListedWindows::default();
    for number in 0..HOSTS {
        let start = 1024 * HOUR;
        let end = start + HOUR / (1 + number / 4 % 2);
        let [start, end] = [start, end].map(Timestamp::from_millis);
        windows.add(&did("host", number), start, end).unwrap();
    }
    windows
}

/// An installation, as a process has it open.
struct Installation {
    flows: Flows,
    index: SqliteIndex,
}

type Answer = Result<String, String>;

fn answer<T: Debug, E: Display>(outcome: Result<T, E>) -> Answer {
    outcome
        .map(|it| format!("{it:?}"))
        .map_err(|it| it.to_string())
}

impl Installation {
    fn open(folder: &Path) -> Result<Self, OpenError> {
        let clock = Arc::new(SteppingClock::at(NOW));
        let actors = Database::Actors.path(folder);
        let actors = ActorStore::open(&actors, clock.clone(), Limits::default())?;
        let index = SqliteIndex::open(&Database::Index.path(folder))?;
        let windows = Arc::new(windows());
        let flows = Flows::new(Arc::new(actors), windows, clock, Arc::default());
        Ok(Self { flows, index })
    }

    /// One in which meetings stand, were moved or called off, or are held.
    async fn fill(folder: &Path) {
        let there = Self::open(folder).unwrap();
        for number in 0..HOSTS {
            there.ask("guest", number).await.unwrap();
            if number % 4 > 0 {
                there.accept(number).await.unwrap();
            }
            match number % 4 {
                1 => drop(there.cancel(number).await.unwrap()),
                2 => drop(there.reschedule(number).await.unwrap()),
                _ => {}
            }
            let booking = there.read(number).await;
            let stands = ["held", "canceled", "confirmed", "confirmed"];
            let position = usize::try_from(number % 4).unwrap();
            assert_eq!(booking.phase.word(), stands[position]);
            project(&there.index, &booking).await.unwrap();
        }
    }

    async fn ask(&self, name: &str, number: i64) -> Answer {
        let guest = did(name, number);
        let asked = Asked::new(did("host", number), guest.clone());
        answer(self.flows.request(&id(&guest), asked, String::new()).await)
    }

    async fn accept(&self, number: i64) -> Answer {
        let (id, key) = of_guest(number, "com.huddle.finalize");
        answer(self.flows.finalize(&id, key).await)
    }

    async fn cancel(&self, number: i64) -> Answer {
        let (id, key) = of_guest(number, "com.huddle.cancelBooking");
        answer(self.flows.cancel(&id, key, None).await)
    }

    async fn reschedule(&self, number: i64) -> Answer {
        let (id, key) = of_guest(number, "com.huddle.rescheduleBooking");
        let wishes = Constraints::default();
        answer(self.flows.reschedule(&id, key, wishes, None).await)
    }

    async fn read(&self, number: i64) -> Booking {
        let booking = self.flows.read(&id(&did("guest", number)), None).await;
        booking.unwrap().unwrap()
    }

    async fn look(&self, number: i64) -> Answer {
        let guest = did("guest", number);
        answer(self.flows.read(&id(&guest), Some(guest)).await)
    }

    async fn list(&self, number: i64) -> Answer {
        let paging = Paging {
            cursor: None,
            limit: 10,
        };
        let host = did("host", number);
        answer(bookings::list(&self.index, &host, &Filter::default(), paging).await)
    }

    /// What people are answered out of a database: first of what was decided, and then to what they want besides. No answer
    /// depends on another, so that one that is a fault changes no other.
    async fn answers(&self, of: Database) -> Vec<Answer> {
        if of == Database::Index {
            return join_all((0..HOSTS).map(|number| self.list(number))).await;
        }
        let mut answers = join_all((0..HOSTS).map(|number| self.look(number))).await;
        answers.extend(join_all((0..HOSTS).map(|number| self.ask("late", number))).await);
        let further = (0..HOSTS).map(async |number| match number % 4 {
            0 => self.accept(number).await,
            3 => self.cancel(number).await,
            _ => self.ask("guest", number).await,
        });
        answers.extend(join_all(further).await);
        answers
    }
}

fn id(guest: &Did) -> BookingId {
    BookingIds::new(&[7; 32]).of_request(guest, "com.huddle.match", "one")
}

fn of_guest(number: i64, method: &str) -> (BookingId, Key) {
    let caller = did("guest", number);
    let key = Key {
        caller: caller.clone(),
        method: method.to_owned(),
        key: "one".to_owned(),
        body_hash: String::new(),
    };
    (id(&caller), key)
}

fn copy(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for database in Database::ALL {
        fs::copy(database.path(folder), database.path(copy.path())).unwrap();
    }
    copy
}

/// Whether it is noticed that a database is damaged. Where it is not, every answer is as if it were not.
async fn is_noticed(folder: &Path, of: Database, intact: &[Answer], damage: &str) -> bool {
    let mut faults = Vec::new();
    match Installation::open(folder) {
        Err(refused) => faults.push(refused.to_string()),
        Ok(there) => {
            for (answer, intact) in there.answers(of).await.into_iter().zip(intact) {
                match answer {
                    Ok(_) => assert_eq!(&answer, intact, "{damage}"),
                    Err(fault) => faults.push(fault),
                }
            }
            drop(there);
            match Contradiction::find(folder, NOW) {
                Ok(found) => assert!(found.is_empty(), "{damage}: {found:?}"),
                Err(fault) => faults.push(fault.to_string()),
            }
        }
    }
    for fault in &faults {
        let is_clear = CLEAR.iter().any(|clear| fault.contains(clear));
        assert!(is_clear, "{damage}: {fault}");
    }
    !faults.is_empty()
}

/// What is written over a page: one of these, or where there is time both.
fn garbage(page: usize) -> Vec<u8> {
    let mut garbage = vec![0xff, 0];
    if !is_full() {
        garbage.remove(page % 2);
    }
    garbage
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_page_is_damaged_everything_is_answered_as_before_or_not_at_all() {
    let whole = tempfile::tempdir().unwrap();
    Installation::fill(whole.path()).await;
    for database in Database::ALL {
        let untouched = copy(whole.path());
        let there = Installation::open(untouched.path()).unwrap();
        let intact = there.answers(database).await;
        assert!(intact.iter().all(Result::is_ok), "{intact:#?}");
        let bytes = fs::read(database.path(whole.path())).unwrap();
        let pages = bytes.len() / PAGE;
        let mut noticed = 0;
        for page in 0..pages {
            for garbage in garbage(page) {
                let mut bytes = bytes.clone();
                bytes[page * PAGE..][..PAGE].fill(garbage);
                let damaged = copy(whole.path());
                fs::write(database.path(damaged.path()), bytes).unwrap();
                let damage = format!("{database:?} at page {page}: {garbage:#x}");
                let is_noticed = is_noticed(damaged.path(), database, &intact, &damage);
                noticed += usize::from(is_noticed.await);
            }
        }
        // Tables that nobody has asked for are not read.
        assert!(noticed > pages / 5, "{database:?}: {noticed} of {pages}");
    }
}
