//! A world, and everything outside that its effects reach: each port of it may be where a process dies.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use huddle_core::booking::{Booking, Constraints};
use huddle_core::calendar_events::{BookedTime, CalendarEvents, Outcome};
use huddle_core::direct_messages::{DirectMessage, DirectMessages};
use huddle_core::directory::{Directory, DirectoryError};
use huddle_core::effects::{Effects, Post, WebhookPost};
use huddle_core::index::people::{self, Names};
use huddle_core::index::{Index, IndexError, Statement};
use huddle_core::mail::{Addresses, Delivery, Letter, Mail};
use huddle_core::outbox::Task;
use huddle_core::sql::Row;
use huddle_core::tasks::{TaskError, Tasks};
use huddle_core::transport::ask;
use huddle_core::user_connector::connector::{Access, Connect, ConnectorId, Provider};
use huddle_core::user_connector::sealing::{KeyRing, Sealed};
use huddle_core::webhooks::{SetRefused, Webhooks};
use huddle_core::{ActorName, ActorTransport, Command, Reply, Unreachable};
use huddle_mail::{Letters, Mailer, Message};
use huddle_native::{ActorStore, SqliteIndex};
use huddle_ports::{
    Bytes, Clock as _, Fetch, FetchError, FetchPolicy, HeaderMap, Request, Response, StatusCode,
    Timestamp, header,
};
use huddle_syntax::{AtIdentifier, Did};
use huddle_testkit::CountingRandom;
use tokio::sync::Notify;

use super::world::{World, did, key};

/// The process dies at a point, and whatever is under way with it.
#[derive(Default)]
pub(crate) struct Cut {
    /// Points that were passed.
    pub(crate) passed: AtomicUsize,
    /// The one that is not passed; 0 is none.
    pub(crate) at: AtomicUsize,
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
pub(crate) struct Outside {
    /// The messages that every mailbox got.
    pub(crate) mail: Mutex<Vec<Message>>,
    /// The tokens that were mailed.
    pub(crate) tokens: Mutex<Vec<String>>,
    /// What calendars have shown, one after the other.
    pub(crate) shown: Mutex<BTreeMap<Did, Vec<Option<BookedTime>>>>,
    /// What the mail server says instead of taking a message.
    pub(crate) instead: Mutex<Option<Delivery>>,
    /// What was sent to accounts.
    pub(crate) messages: Mutex<Vec<DirectMessage>>,
    /// What was posted to apps.
    pub(crate) posted: Mutex<Vec<Posted>>,
    /// What apps answer; `None` is that they take it.
    pub(crate) answer: Mutex<Option<Result<Answer, FetchError>>>,
    /// Whether apps never answer.
    pub(crate) hangs: AtomicBool,
}

/// A message as an app gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Posted {
    pub(crate) to: String,
    pub(crate) id: String,
    pub(crate) at: String,
    pub(crate) signature: String,
    pub(crate) body: String,
}

impl Posted {
    /// What it is about.
    pub(crate) fn kind(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["type"].as_str().unwrap().to_owned()
    }
}

/// What an app answers: a status, and for how many seconds it wants to be left alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u32>,
}

#[async_trait]
impl Fetch for Cutting<Arc<Outside>> {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        let text = |name: &str| request.headers[name].to_str().unwrap().to_owned();
        let take = async {
            let posted = Posted {
                to: request.url.to_string(),
                id: text("webhook-id"),
                at: text("webhook-timestamp"),
                signature: text("webhook-signature"),
                body: String::from_utf8(request.body.to_vec()).unwrap(),
            };
            assert_eq!(request.limits.max_redirects, 0);
            self.port.posted.lock().unwrap().push(posted);
            if self.port.hangs.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            let taken = Answer {
                status: 204,
                retry_after: None,
            };
            let answer = self.port.answer.lock().unwrap().clone();
            let answer = answer.unwrap_or(Ok(taken))?;
            let mut headers = HeaderMap::new();
            if let Some(seconds) = answer.retry_after {
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
            Ok(Response {
                status: StatusCode::from_u16(answer.status).unwrap(),
                headers,
                body: Bytes::new(),
                final_url: request.url.clone(),
            })
        };
        self.around(take).await
    }
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

#[async_trait]
impl DirectMessages for Cutting<Arc<Outside>> {
    async fn send(&self, message: &DirectMessage) -> Delivery {
        let take = async {
            self.port.messages.lock().unwrap().push(message.clone());
            Delivery::Sent
        };
        self.around(take).await
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

/// Knows by which handle each is called who is `did:web:` and that.
struct Handles(Arc<SqliteIndex>);

#[async_trait]
impl Directory for Handles {
    async fn find(&self, _: &AtIdentifier) -> Result<Option<Did>, DirectoryError> {
        Ok(None)
    }

    async fn name(&self, who: &Did) -> Result<(), DirectoryError> {
        let handle = who.as_str().strip_prefix("did:web:").unwrap();
        let names = Names {
            handle: handle.parse().ok(),
            display_name: None,
        };
        let statements = people::name(who, &names, Timestamp::from_millis(1)).to_vec();
        self.0.batch(statements).await.unwrap();
        Ok(())
    }
}

/// The world, and what its effects reach.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) outside: Arc<Outside>,
    pub(crate) cut: Arc<Cut>,
    pub(crate) addresses: Addresses,
    pub(crate) webhooks: Webhooks,
    pub(crate) tasks: Tasks,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(|effects, _, _| effects)
    }

    /// One that reaches people's accounts, too.
    pub(crate) fn with_direct_messages() -> Self {
        Self::with(|effects, outside, _| effects.with_direct_messages(Arc::new(outside)))
    }

    /// One where it can be found out that people have the handle `NAME.example.com`.
    pub(crate) fn with_handles() -> Self {
        Self::with(|effects, _, world| {
            effects.with_directory(Arc::new(Handles(world.index.clone())))
        })
    }

    fn with(more: impl FnOnce(Effects, Cutting<Arc<Outside>>, &World) -> Effects) -> Self {
        let world = World::new();
        let (outside, cut) = (Arc::<Outside>::default(), Arc::<Cut>::default());
        let keys = KeyRing::parse(&format!("k:{:064x}", 7)).unwrap();
        let random = Arc::new(CountingRandom::default());
        let webhooks = Webhooks::new(keys.clone(), random.clone(), FetchPolicy::public());
        let addresses = Addresses::new(keys, random);
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
            })
            .with_webhooks(WebhookPost {
                fetch: Arc::new(cutting()),
                webhooks: webhooks.clone(),
            });
        let effects = more(effects, cutting(), &world);
        Self {
            tasks: world.tasks.clone().with_effects(effects),
            world,
            outside,
            cut,
            addresses,
            webhooks,
        }
    }

    /// What is to be published and brought about.
    pub(crate) fn due(&self) -> Vec<(i64, Task)> {
        let connection = self.world.connection();
        let mut rows = connection
            .prepare("SELECT id, task FROM outbox WHERE kind <> 'tell' ORDER BY id")
            .unwrap();
        let task = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, String>(1)?));
        let rows = rows.query_map([], task).unwrap().map(Result::unwrap);
        rows.map(|(id, task)| (id, serde_json::from_str(&task).unwrap()))
            .collect()
    }

    pub(crate) fn done(&self, id: i64) {
        let connection = self.world.connection();
        connection
            .execute("DELETE FROM outbox WHERE id = ?1", [id])
            .unwrap();
    }

    /// Publishes what has changed, and gives what is to be brought about then.
    pub(crate) async fn published(&self) -> Vec<(i64, Task)> {
        for (id, task) in self.due() {
            if task.kind() == "project" {
                self.tasks.run(&task).await.unwrap();
                self.done(id);
            }
        }
        self.due()
    }

    /// Brings everything about. Where the process dies, another one takes over after a while.
    pub(crate) async fn bring_about(&self) {
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
    pub(crate) async fn run(&self, task: &Task) -> Option<Result<(), TaskError>> {
        let (run, died) = (self.tasks.run(task), self.cut.died.notified());
        match select(pin!(run), pin!(died)).await {
            Either::Left((outcome, _)) => Some(outcome),
            Either::Right(_) => None,
        }
    }

    /// Somebody has a calendar that bookings are written to.
    pub(crate) async fn connect_calendar(&self, name: &str) {
        let connect = Connect {
            nonce: "stage".into(),
            ticket_expires_at: self.world.clock.now() + Duration::from_mins(15),
            id: ConnectorId::from("stage".to_owned()),
            anew: false,
            provider: Provider::CalDav,
            access: Access::Events,
            label: None,
            credentials: Sealed::from("k.AAAA".to_owned()),
        };
        let person = ActorName::user_connector(&did(name));
        let connected = ask(&*self.world.store, &person, connect).await;
        connected.unwrap().unwrap();
    }

    /// Somebody's address is confirmed.
    pub(crate) async fn confirm_address(&self, name: &str) {
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

    /// Somebody has their news posted to an app. Gives what it is signed with.
    pub(crate) async fn hook(&self, name: &str, url: &str) -> Result<String, SetRefused> {
        // The key is stored as it is.
        let key = key(name, "hook", &url.len().to_string());
        let set = self.webhooks.set(&*self.world.store, key, url).await;
        set.unwrap().map(|secret| secret.to_string())
    }

    /// What was posted to an address, each message once: of the same the first.
    pub(crate) fn posted(&self, to: &str) -> Vec<Posted> {
        let mut posted = Vec::<Posted>::new();
        for message in self.outside.posted.lock().unwrap().iter() {
            if message.to != to {
                continue;
            }
            match posted.iter().find(|known| known.id == message.id) {
                Some(known) => assert_eq!(known.body, message.body),
                None => posted.push(message.clone()),
            }
        }
        posted
    }

    /// A meeting that is confirmed, of which nobody was told yet.
    pub(crate) async fn confirmed(&self) -> Booking {
        let booking = self.world.request("bob", "ada", "k").await.unwrap();
        let accept = key("bob", "finalize", "k");
        let accepted = self.world.flows.finalize(&booking.id, accept);
        accepted.await.unwrap().unwrap()
    }

    /// A meeting is held, confirmed, moved and called off.
    pub(crate) async fn meeting(&self) -> Vec<BookedTime> {
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
    pub(crate) fn messages(&self) -> BTreeMap<String, String> {
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
    pub(crate) fn told(&self) -> BTreeMap<String, Vec<String>> {
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
pub(crate) fn header(text: &str, name: &str) -> String {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.unwrap_or_default().trim().to_owned()
}

pub(crate) async fn stage_of_two() -> Stage {
    with_two(Stage::new()).await
}

/// Ada and Bob read mail on this stage.
pub(crate) async fn with_two(stage: Stage) -> Stage {
    stage.confirm_address("ada").await;
    stage.confirm_address("bob").await;
    stage
}
