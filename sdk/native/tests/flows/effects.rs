//! What is shown outside: that it is shown to both, once, in order, and also where a process dies at any point.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, join_all, select};
use huddle_core::booking::{Booking, Constraints};
use huddle_core::calendar_events::{BookedTime, CalendarEvents, Outcome};
use huddle_core::effects::{Effects, NotBrought, Post};
use huddle_core::index::{Index, IndexError, Statement};
use huddle_core::mail::{Addresses, AskRefused, ConfirmRefused, Delivery, Letter, Mail};
use huddle_core::outbox::Task;
use huddle_core::sql::Row;
use huddle_core::tasks::{TaskError, Tasks};
use huddle_core::user_connector::rotation::reseal;
use huddle_core::user_connector::sealing::KeyRing;
use huddle_core::{ActorName, ActorTransport, Command, Reply, Unreachable};
use huddle_mail::{Letters, Mailer, Message};
use huddle_native::{ActorStore, SqliteIndex};
use huddle_ports::Clock as _;
use huddle_syntax::Did;
use huddle_testkit::CountingRandom;
use tokio::sync::Notify;

use super::world::{World, did, key};

/// The process dies at a point, and whatever is under way with it.
#[derive(Default)]
struct Cut {
    /// Points that were passed.
    passed: AtomicUsize,
    /// The one that is not passed; 0 is none.
    at: AtomicUsize,
    died: Notify,
}

impl Cut {
    async fn point(&self) {
        let point = self.passed.fetch_add(1, Ordering::SeqCst) + 1;
        if point == self.at.load(Ordering::SeqCst) {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// A port of a process that may die just after it was used; nothing is lost between that and the next use.
struct Cutting<P> {
    port: P,
    cut: Arc<Cut>,
}

impl<P> Cutting<P> {
    async fn around<T>(&self, used: impl Future<Output = T>) -> T {
        let outcome = used.await;
        self.cut.point().await;
        outcome
    }
}

#[async_trait]
impl ActorTransport for Cutting<Arc<ActorStore>> {
    async fn send(&self, to: &ActorName, command: Command) -> Result<Reply, Unreachable> {
        self.around(self.port.send(to, command)).await
    }
}

#[async_trait]
impl Index for Cutting<Arc<SqliteIndex>> {
    async fn query(&self, statement: Statement) -> Result<Vec<Row>, IndexError> {
        self.around(self.port.query(statement)).await
    }

    async fn batch(&self, statements: Vec<Statement>) -> Result<(), IndexError> {
        self.around(self.port.batch(statements)).await
    }
}

/// Everything outside.
#[derive(Default)]
struct Outside {
    /// The messages that every mailbox got.
    mail: Mutex<Vec<Message>>,
    /// The tokens that were mailed.
    tokens: Mutex<Vec<String>>,
    /// What calendars have shown, one after the other.
    shown: Mutex<BTreeMap<Did, Vec<Option<BookedTime>>>>,
    /// What the mail server says instead of taking a message.
    instead: Mutex<Option<Delivery>>,
}

#[async_trait]
impl Mailer for Cutting<Arc<Outside>> {
    async fn send(&self, message: &Message) -> Delivery {
        let take = async {
            if let Some(instead) = self.port.instead.lock().unwrap().clone() {
                return instead;
            }
            self.port.mail.lock().unwrap().push(message.clone());
            Delivery::Sent
        };
        self.around(take).await
    }
}

#[async_trait]
impl CalendarEvents for Cutting<Arc<Outside>> {
    async fn bring(&self, person: &Did, booking: &Booking, _: &str) -> Outcome {
        let bring = async {
            let mut shown = self.port.shown.lock().unwrap();
            let shown = shown.entry(person.clone()).or_default();
            let time = BookedTime::of(booking);
            // To bring the same again changes nothing.
            if shown.last() != Some(&time) {
                shown.push(time);
            }
            Outcome::Done
        };
        self.around(bring).await
    }
}

/// Reads the tokens that letters carry.
struct Reading {
    letters: Letters,
    outside: Arc<Outside>,
}

#[async_trait]
impl Mail for Reading {
    async fn send(&self, letter: &Letter) -> Delivery {
        if let Letter::ConfirmAddress(question) = letter {
            let mut tokens = self.outside.tokens.lock().unwrap();
            tokens.push(question.token.clone());
        }
        self.letters.send(letter).await
    }
}

/// The world, and what its effects reach.
struct Stage {
    world: World,
    outside: Arc<Outside>,
    cut: Arc<Cut>,
    addresses: Addresses,
    tasks: Tasks,
}

impl Stage {
    fn new() -> Self {
        let world = World::new();
        let (outside, cut) = (Arc::<Outside>::default(), Arc::<Cut>::default());
        let keys = KeyRing::parse(&format!("k:{:064x}", 7)).unwrap();
        let addresses = Addresses::new(keys, Arc::new(CountingRandom::default()));
        let cutting = || Cutting {
            port: outside.clone(),
            cut: cut.clone(),
        };
        let sender = "Huddle <bookings@huddle.example>".parse().unwrap();
        let mail = Reading {
            letters: Letters::new(Arc::new(cutting()), sender),
            outside: outside.clone(),
        };
        let actors = Cutting {
            port: world.store.clone(),
            cut: cut.clone(),
        };
        let index = Cutting {
            port: world.index.clone(),
            cut: cut.clone(),
        };
        let effects = Effects::new(Arc::new(actors), Arc::new(index), world.clock.clone())
            .with_calendars(Arc::new(cutting()))
            .with_mail(Post {
                mail: Arc::new(mail),
                addresses: addresses.clone(),
                links: None,
            });
        Self {
            tasks: world.tasks.clone().with_effects(effects),
            world,
            outside,
            cut,
            addresses,
        }
    }

    /// What is to be brought about.
    fn due(&self) -> Vec<(i64, Task)> {
        let connection = self.world.connection();
        let mut rows = connection
            .prepare("SELECT id, task FROM outbox WHERE task NOT LIKE '{\"Tell\"%' AND task NOT LIKE '{\"Project\"%'")
            .unwrap();
        let task = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, String>(1)?));
        let rows = rows.query_map([], task).unwrap().map(Result::unwrap);
        rows.map(|(id, task)| (id, serde_json::from_str(&task).unwrap()))
            .collect()
    }

    fn done(&self, id: i64) {
        let connection = self.world.connection();
        connection
            .execute("DELETE FROM outbox WHERE id = ?1", [id])
            .unwrap();
    }

    /// Brings everything about. Where the process dies, another one takes over after a while.
    async fn bring_about(&self) {
        loop {
            let Some((id, task)) = self.due().into_iter().next() else {
                return;
            };
            match self.run(&task).await {
                Some(outcome) => {
                    outcome.unwrap();
                    self.done(id);
                }
                None => self.world.clock.step(Duration::from_mins(2)),
            }
        }
    }

    /// Runs a task; `None` if the process dies over it.
    async fn run(&self, task: &Task) -> Option<Result<(), TaskError>> {
        let (run, died) = (self.tasks.run(task), self.cut.died.notified());
        match select(pin!(run), pin!(died)).await {
            Either::Left((outcome, _)) => Some(outcome),
            Either::Right(_) => None,
        }
    }

    /// Somebody's address is confirmed.
    async fn confirm_address(&self, name: &str) {
        let address = format!("{name}@mail.example").parse().unwrap();
        let key = |key_text| key(name, "address", key_text);
        let (actors, now) = (&*self.world.store, self.world.clock.now());
        let asked = self
            .addresses
            .ask_to_confirm(actors, key("ask"), &address, now);
        asked.await.unwrap().unwrap();
        self.bring_about().await;
        let token = self.outside.tokens.lock().unwrap().pop().unwrap();
        let confirmed = self.addresses.confirm(actors, key("confirm"), &token);
        confirmed.await.unwrap().unwrap();
        self.outside.mail.lock().unwrap().clear();
        self.outside.tokens.lock().unwrap().clear();
    }

    /// A meeting is held, confirmed, moved and called off.
    async fn meeting(&self) -> Vec<BookedTime> {
        let flows = &self.world.flows;
        let mut times = Vec::new();
        let booking = self.world.request("bob", "ada", "k").await.unwrap();
        times.extend(BookedTime::of(&booking));
        self.bring_about().await;
        let accepted = flows.finalize(&booking.id, key("bob", "finalize", "k"));
        let booking = accepted.await.unwrap().unwrap();
        times.extend(BookedTime::of(&booking));
        self.bring_about().await;
        self.world.settle().await;
        let moved = key("bob", "reschedule", "k");
        let moved = flows.reschedule(&booking.id, moved, Constraints::default(), None);
        let booking = moved.await.unwrap().unwrap();
        times.extend(BookedTime::of(&booking));
        self.bring_about().await;
        self.world.settle().await;
        let canceled = flows.cancel(&booking.id, key("ada", "cancel", "k"), None);
        canceled.await.unwrap().unwrap();
        self.bring_about().await;
        times
    }

    /// The messages, each once, by Message-ID; those that came twice were the same.
    #[track_caller]
    fn messages(&self) -> BTreeMap<String, String> {
        let mut messages = BTreeMap::new();
        for message in self.outside.mail.lock().unwrap().iter() {
            let text = String::from_utf8(message.bytes.clone()).unwrap();
            let known = messages
                .entry(header(&text, "Message-ID"))
                .or_insert(text.clone());
            assert_eq!(*known, text);
        }
        messages
    }

    /// The SEQUENCE that each mailbox was told, in order, each once.
    fn told(&self) -> BTreeMap<String, Vec<String>> {
        let mut told = BTreeMap::<String, Vec<String>>::new();
        for message in self.outside.mail.lock().unwrap().iter() {
            let text = String::from_utf8(message.bytes.clone()).unwrap();
            let news = format!("{} {}", header(&text, "METHOD"), header(&text, "SEQUENCE"));
            let told = told.entry(message.to.as_str().to_owned()).or_default();
            if !told.contains(&news) {
                told.push(news);
            }
        }
        told
    }
}

/// What stands behind a name and a colon.
fn header(text: &str, name: &str) -> String {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.unwrap_or_default().trim().to_owned()
}

async fn stage_of_two() -> Stage {
    let stage = Stage::new();
    stage.confirm_address("ada").await;
    stage.confirm_address("bob").await;
    stage
}

/// Plays a meeting through in a process that dies at a point, and says how many points there are.
async fn play(at: usize) -> usize {
    let stage = stage_of_two().await;
    stage.cut.passed.store(0, Ordering::SeqCst);
    stage.cut.at.store(at, Ordering::SeqCst);
    let times = stage.meeting().await;
    let news = ["REQUEST 0", "REQUEST 1", "CANCEL 2"].map(str::to_owned);
    let told = ["ada@mail.example", "bob@mail.example"].map(|to| (to.to_owned(), news.to_vec()));
    assert_eq!(stage.told(), BTreeMap::from(told), "{at}");
    assert_eq!(stage.messages().len(), 6, "{at}");
    let shown: Vec<_> = times.into_iter().map(Some).chain([None]).collect();
    let shown = ["ada", "bob"].map(|name| (did(name), shown.clone()));
    let calendars = stage.outside.shown.lock().unwrap();
    assert_eq!(*calendars, BTreeMap::from(shown), "{at}");
    let connection = stage.world.connection();
    let brought = "SELECT count(*) FROM effect WHERE brought > 0 AND lease IS NULL";
    let brought: u32 = connection.query_row(brought, [], |row| row.get(0)).unwrap();
    assert_eq!(brought, 4, "{at}");
    stage.cut.passed.load(Ordering::SeqCst)
}

#[tokio::test]
async fn wherever_a_process_dies_both_are_told_the_same_once_and_in_order() {
    let points = play(0).await;
    assert!(points > 50, "{points}");
    let plays: Vec<usize> = (1..=points).collect();
    // Most of a play is waiting for the disk.
    for some in plays.chunks(16) {
        join_all(some.iter().map(|at| play(*at))).await;
    }
}

#[tokio::test]
async fn whoever_has_confirmed_no_address_gets_no_mail() {
    let stage = Stage::new();
    let address = "bob@mail.example".parse().unwrap();
    let (actors, now) = (&*stage.world.store, stage.world.clock.now());
    let ask = key("bob", "address", "k");
    let asked = stage.addresses.ask_to_confirm(actors, ask, &address, now);
    asked.await.unwrap().unwrap();
    stage.bring_about().await;
    stage.meeting().await;
    let mail = stage.outside.mail.lock().unwrap();
    let subjects: BTreeSet<String> = mail
        .iter()
        .map(|message| header(&String::from_utf8_lossy(&message.bytes), "Subject"))
        .collect();
    assert_eq!(
        subjects,
        BTreeSet::from(["Is this your address?".to_owned()])
    );
}

#[tokio::test]
async fn what_comes_late_or_twice_is_recognised() {
    let stage = stage_of_two().await;
    let booking = stage.world.request("bob", "ada", "k").await.unwrap();
    let accept = key("bob", "finalize", "k");
    stage
        .world
        .flows
        .finalize(&booking.id, accept)
        .await
        .unwrap()
        .unwrap();
    let late = stage.due();
    stage.world.settle().await;
    let cancel = key("ada", "cancel", "k");
    stage
        .world
        .flows
        .cancel(&booking.id, cancel, None)
        .await
        .unwrap()
        .unwrap();
    for (_, task) in late.iter().chain(&stage.due()).chain(&late) {
        stage.tasks.run(task).await.unwrap();
    }
    // What was confirmed is canceled by now, and nobody is told that it stands.
    let told = stage.told();
    assert!(told.values().all(|told| *told == ["CANCEL 1"]), "{told:?}");
    assert_eq!(stage.outside.mail.lock().unwrap().len(), 2);
}

/// A meeting that is confirmed, and the first letter that is to go out for it.
async fn with_a_letter_to_send() -> (Stage, Task) {
    let stage = stage_of_two().await;
    let booking = stage.world.request("bob", "ada", "k").await.unwrap();
    let accept = key("bob", "finalize", "k");
    stage
        .world
        .flows
        .finalize(&booking.id, accept)
        .await
        .unwrap()
        .unwrap();
    let mut due = stage.due().into_iter().map(|(_, task)| task);
    let letter = due.find(|task| task.kind() == "mail").unwrap();
    (stage, letter)
}

#[tokio::test]
async fn a_second_worker_waits_until_the_first_one_can_be_given_up() {
    let (stage, task) = with_a_letter_to_send().await;
    // The first dies once it has begun.
    stage.cut.at.store(
        stage.cut.passed.load(Ordering::SeqCst) + 2,
        Ordering::SeqCst,
    );
    assert_eq!(stage.run(&task).await, None);
    let busy = stage.tasks.run(&task).await.unwrap_err();
    let TaskError::Effect(NotBrought::Later {
        after: Some(wait), ..
    }) = busy
    else {
        panic!("{busy:?}");
    };
    stage.world.clock.step(wait);
    stage.tasks.run(&task).await.unwrap();
    assert_eq!(stage.outside.mail.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_the_mail_server_says_decides_whether_it_is_tried_again() {
    use huddle_core::tasks::Retry;

    let (stage, task) = with_a_letter_to_send().await;
    let later = |after| Delivery::TryLater {
        after,
        problem: "not now".into(),
    };
    let minute = Duration::from_mins(1);
    for (says, retry) in [
        (later(None), Retry::Later),
        (later(Some(minute)), Retry::After(minute)),
        (Delivery::Refused("never".into()), Retry::Never),
    ] {
        *stage.outside.instead.lock().unwrap() = Some(says);
        assert_eq!(stage.tasks.run(&task).await.unwrap_err().retry(), retry);
    }
    *stage.outside.instead.lock().unwrap() = None;
    stage.tasks.run(&task).await.unwrap();
    assert_eq!(stage.outside.mail.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_is_good_once_for_its_person_and_for_a_day() {
    let stage = Stage::new();
    let (actors, clock) = (&*stage.world.store, &stage.world.clock);
    let ask = async |key_text: &str| {
        let address = "bob@mail.example".parse().unwrap();
        let ask = key("bob", "address", key_text);
        let asked = stage
            .addresses
            .ask_to_confirm(actors, ask, &address, clock.now());
        asked.await.unwrap().unwrap();
        stage.bring_about().await;
        stage.outside.tokens.lock().unwrap().pop().unwrap()
    };
    let confirm = async |name: &str, key_text: &str, token: &str| {
        let confirm = key(name, "confirm", key_text);
        stage
            .addresses
            .confirm(actors, confirm, token)
            .await
            .unwrap()
    };
    let first = ask("a").await;
    let second = ask("b").await;
    assert_eq!(
        confirm("bob", "1", &first).await,
        Err(ConfirmRefused::Invalid)
    );
    assert_eq!(
        confirm("ada", "2", &second).await,
        Err(ConfirmRefused::Invalid)
    );
    assert_eq!(
        confirm("bob", "3", "k.AAAA").await,
        Err(ConfirmRefused::Invalid)
    );
    assert_eq!(confirm("bob", "4", &second).await, Ok(()));
    assert_eq!(confirm("bob", "4", &second).await, Ok(()));
    assert_eq!(
        confirm("bob", "5", &second).await,
        Err(ConfirmRefused::Invalid)
    );
    let third = ask("c").await;
    clock.step(Duration::from_hours(24));
    assert_eq!(
        confirm("bob", "6", &third).await,
        Err(ConfirmRefused::Expired)
    );
    // What nobody confirms is forgotten.
    clock.step(Duration::from_hours(7 * 24));
    stage.world.settle().await;
    assert_eq!(stage.world.count("address"), 0);
}

#[tokio::test]
async fn neither_an_account_nor_a_mailbox_is_asked_often() {
    let stage = Stage::new();
    let ask = async |name: &str, to: &str, key_text: &str| {
        let (actors, now) = (&*stage.world.store, stage.world.clock.now());
        let address = to.parse().unwrap();
        let ask = key(name, "address", key_text);
        let asked = stage
            .addresses
            .ask_to_confirm(actors, ask, &address, now)
            .await;
        asked.unwrap()
    };
    let too_often = |asked| matches!(asked, Err(AskRefused::TooOften { .. }));
    // One mailbox, whoever asks and however its address is written.
    assert!(ask("ada", "eve@mail.example", "k").await.is_ok());
    assert!(
        ask("ada", "eve@mail.example", "k").await.is_ok(),
        "the same once more"
    );
    assert!(ask("bob", "EVE@mail.example", "k").await.is_ok());
    assert!(ask("cyd", "eve+1@mail.example", "k").await.is_ok());
    assert!(too_often(ask("dan", "eve@mail.example", "k").await));
    // One account, whatever the mailbox.
    for number in 0..5 {
        let to = format!("{number}@mail.example");
        assert!(ask("fay", &to, &to).await.is_ok());
    }
    assert!(too_often(ask("fay", "6@mail.example", "k").await));
    stage.world.clock.step(Duration::from_hours(24));
    assert!(ask("fay", "eve@mail.example", "l").await.is_ok());
}

#[tokio::test]
async fn addresses_are_sealed_anew_with_a_new_key() {
    let stage = stage_of_two().await;
    let store = &*stage.world.store;
    let both = KeyRing::parse(&format!("new:{:064x} k:{:064x}", 8, 7)).unwrap();
    let people = store.sealed_otherwise(both.newest(), "", 10).await.unwrap();
    let expect = ["ada", "bob"].map(|name| ActorName::user_connector(&did(name)));
    assert_eq!(people, expect);
    let random = Arc::new(CountingRandom::default());
    for person in &people {
        assert_eq!(reseal(store, &both, &*random, person).await, Ok(1));
    }
    assert_eq!(
        store.sealed_otherwise(both.newest(), "", 10).await,
        Ok(Vec::new())
    );
    let new = KeyRing::parse(&format!("new:{:064x}", 8)).unwrap();
    let address = Addresses::new(new, random)
        .of(store, &did("ada"))
        .await
        .unwrap();
    assert_eq!(address.unwrap().0.as_str(), "ada@mail.example");
}

#[tokio::test]
async fn no_address_is_readable_in_the_store() {
    let stage = stage_of_two().await;
    stage.meeting().await;
    let connection = stage.world.connection();
    connection
        .execute("PRAGMA wal_checkpoint(TRUNCATE)", [])
        .ok();
    let store = std::fs::read(stage.world.path()).unwrap();
    for secret in ["mail.example", "ada@", "bob@"] {
        let found = store
            .windows(secret.len())
            .any(|it| it == secret.as_bytes());
        assert!(!found, "{secret}");
    }
}
