//! An AppView on loopback, and people who call it.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use huddle_appview::app::{App, Parts};
use huddle_appview::calendars::Connecting;
use huddle_appview_router::{Operations, Pages};
use huddle_appview_web::{CONNECT_PATH, SETTINGS_PATH};
use huddle_calendars::{CalendarPorts, ConnectedCalendars};
use huddle_core::availability::Availability;
use huddle_core::booking::{BookingIds, Read};
use huddle_core::directory::{Directory, DirectoryError};
use huddle_core::effects::Post;
use huddle_core::mail::{Addresses, Delivery, Letter, Links, Mail};
use huddle_core::matching::Slots;
use huddle_core::transport::ask;
use huddle_core::user_connector::sealing::KeyRing;
use huddle_core::{ActorName, Limits, index::Index};
use huddle_identity::crypto::{Curve, PublicKey, SigningKey};
use huddle_identity::{Freshness, IdentityError, ServiceAuthMinter, ServiceRef, SigningKeys};
use huddle_lexicon::schema::{ErrorName, Method, Procedure};
use huddle_native::{ActorStore, OsRandom, ReqwestTransport, SqliteIndex, SystemClock, SystemDns};
use huddle_ports::{Clock, Fetch, FetchPolicy, GuardedFetch, Timestamp, Url};
use huddle_syntax::{AtIdentifier, Did};
use huddle_testkit::ListedWindows;
use huddle_xrpc::client::{Client, ClientError};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

const SERVICE: &str = "did:web:huddle.example.com#huddle_appview";

/// The time of the machine, and how many milliseconds a test has gone ahead of it.
#[derive(Debug, Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    /// Goes ahead.
    pub(crate) fn step(&self, by: Duration) {
        let millis = by.as_millis().try_into().unwrap();
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// Goes back.
    pub(crate) fn step_back(&self, by: Duration) {
        let millis = by.as_millis().try_into().unwrap();
        self.0.fetch_sub(millis, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let now = SystemClock.now().as_millis();
        Timestamp::from_millis(now + self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct Server {
    /// What it answers with.
    pub(crate) router: axum::Router,
    pub(crate) clock: Arc<TestClock>,
    client: Client,
    key: SigningKey,
    service: ServiceRef,
    keys_made: AtomicU64,
    pub(crate) actors: Arc<ActorStore>,
    pub(crate) index: Arc<SqliteIndex>,
    /// What was mailed.
    pub(crate) letters: mpsc::UnboundedReceiver<Letter>,
    tasks: Vec<JoinHandle<()>>,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Everybody signs with one key: whose it is, is tested elsewhere.
struct OneKey(PublicKey);

#[async_trait]
impl SigningKeys for OneKey {
    async fn signing_key(
        &self,
        _: &Did,
        _: &str,
        _: Freshness,
    ) -> Result<PublicKey, IdentityError> {
        Ok(self.0.clone())
    }
}

/// Whoever is named by a DID is there, and nobody goes by a handle.
struct NobodyElse;

#[async_trait]
impl Directory for NobodyElse {
    async fn find(&self, who: &AtIdentifier) -> Result<Option<Did>, DirectoryError> {
        Ok(match who {
            AtIdentifier::Did(did) => Some(did.clone()),
            AtIdentifier::Handle(_) => None,
        })
    }
}

/// Hands every letter to the test.
struct Mailbox(mpsc::UnboundedSender<Letter>);

#[async_trait]
impl Mail for Mailbox {
    async fn send(&self, letter: &Letter) -> Delivery {
        // A test that is over reads no more of them.
        let _ = self.0.send(letter.clone());
        Delivery::Sent
    }
}

/// The way to the mailbox of a test, whose letters lead to `url`.
fn post(letters: mpsc::UnboundedSender<Letter>, url: &Url) -> Post {
    let keys = KeyRing::parse(&KeyRing::new_key("1", &OsRandom)).unwrap();
    let random = Arc::new(OsRandom);
    Post {
        mail: Arc::new(Mailbox(letters)),
        addresses: Addresses::new(keys.clone(), random.clone()),
        links: Some(Links::new(url.clone(), keys, random)),
    }
}

/// The way to this machine.
pub(crate) fn network() -> Arc<dyn Fetch> {
    let dns = Arc::new(SystemDns::new().unwrap());
    let transport = ReqwestTransport::new(dns, "huddle-test", &[]).unwrap();
    Arc::new(GuardedFetch::new(transport, FetchPolicy::development()))
}

/// Calendars that are connected at `url`.
fn connecting(actors: Arc<ActorStore>, fetch: Arc<dyn Fetch>, url: &Url) -> Connecting {
    let keys = KeyRing::parse(&KeyRing::new_key("1", &OsRandom)).unwrap();
    let ports = CalendarPorts {
        actors,
        fetch,
        clock: Arc::new(SystemClock),
        random: Arc::new(OsRandom),
    };
    Connecting {
        calendars: ConnectedCalendars::new(ports, keys.clone(), &Limits::default()),
        pages: Pages {
            connect: url.join(CONNECT_PATH).unwrap(),
            settings: url.join(SETTINGS_PATH).unwrap(),
            keys,
            random: Arc::new(OsRandom),
        },
    }
}

impl Server {
    pub(crate) async fn start(windows: ListedWindows, limits: Limits) -> Self {
        Self::start_with(limits, |_, _| windows).await
    }

    /// One that finds times by what `find` makes of its actors and its index.
    pub(crate) async fn start_with<A: Availability + Slots + 'static>(
        limits: Limits,
        find: impl FnOnce(Arc<ActorStore>, Arc<SqliteIndex>) -> A,
    ) -> Self {
        Self::start_at(Arc::default(), limits, find).await
    }

    /// The same, where the time is what this clock says.
    pub(crate) async fn start_at<A: Availability + Slots + 'static>(
        clock: Arc<TestClock>,
        limits: Limits,
        find: impl FnOnce(Arc<ActorStore>, Arc<SqliteIndex>) -> A,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let actors = folder.path().join("actors.sqlite");
        let actors = ActorStore::open(&actors, clock.clone(), limits.clone()).unwrap();
        let actors = Arc::new(actors);
        let index = Arc::new(SqliteIndex::open(&folder.path().join("index.sqlite")).unwrap());
        let key = SigningKey::generate(Curve::K256, &OsRandom);
        let service: ServiceRef = SERVICE.parse().unwrap();
        let found = Arc::new(find(actors.clone(), index.clone()));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let fetch = network();
        let (mailbox, letters) = mpsc::unbounded_channel();
        let parts = Parts {
            actors: actors.clone(),
            index: index.clone() as Arc<dyn Index>,
            availability: found.clone(),
            slots: found,
            keys: Arc::new(OneKey(key.public_key())),
            directory: Arc::new(NobodyElse),
            clock: clock.clone(),
            ids: BookingIds::new(&[7; 32]),
            limits,
            service: service.clone(),
            operations: Operations::default(),
            connecting: Some(connecting(actors.clone(), fetch.clone(), &url)),
            post: Some(post(mailbox, &url)),
        };
        let App { router, pump, .. } = parts.assemble();
        let served = router.clone();
        let serving = tokio::spawn(async { axum::serve(listener, served).await.unwrap() });
        let pumping = tokio::spawn(pump.run(std::future::pending()));
        Self {
            router,
            clock,
            client: Client::new(fetch, url),
            key,
            service,
            keys_made: AtomicU64::new(0),
            actors,
            index,
            letters,
            tasks: vec![serving, pumping],
            _folder: folder,
        }
    }

    /// A token of this person, for one call of one method.
    pub(crate) fn token<M: Method>(&self, person: &Did) -> String {
        let minter = ServiceAuthMinter::new(person.clone().into(), self.key.clone());
        let method = M::NSID.parse().unwrap();
        let token = minter.mint(&self.service, &method, self.clock.now(), &OsRandom);
        token.as_str().to_owned()
    }

    /// A client that is signed in as this person, for one call of one method.
    pub(crate) fn as_caller<M: Method>(&self, person: &Did) -> Client {
        let client = self.client.clone();
        client.with_bearer(&self.token::<M>(person)).unwrap()
    }

    /// Calls a procedure as this person.
    pub(crate) async fn call<M: Procedure<Params = ()>>(
        &self,
        person: &Did,
        input: &M::Input,
    ) -> Result<M::Output, ClientError<M::Error>>
    where
        M::Input: huddle_lexicon::schema::Body,
    {
        let client = self.as_caller::<M>(person);
        Ok(client.procedure::<M>(&(), input).await?.output)
    }

    /// The status of a booking once nobody is at work on it any more: on a slow machine an answer may come
    /// before. Bounded by the test runner.
    pub(crate) async fn settled(&self, id: &str) -> &'static str {
        let name = ActorName::booking(&id.parse().unwrap());
        loop {
            // Past the limits on what people may ask.
            let booking = ask(&*self.actors, &name, Read { by: None }).await.unwrap();
            let booking = booking.unwrap();
            if booking.lease.is_none() {
                return booking.phase.word();
            }
            tokio::task::yield_now().await;
        }
    }

    /// A key that no request has had before.
    pub(crate) fn fresh_key(&self) -> String {
        let count = self.keys_made.fetch_add(1, Ordering::Relaxed);
        format!("key-{count}")
    }
}

/// The declared error of a call that must end with one.
#[track_caller]
pub(crate) fn declared<T: std::fmt::Debug, E: ErrorName>(outcome: Result<T, ClientError<E>>) -> E {
    match outcome {
        Err(ClientError::Declared(response)) => response.error,
        other => panic!("expected a declared error, and got {other:?}"),
    }
}

pub(crate) fn did(name: &str) -> Did {
    format!("did:web:{name}.example.com").parse().unwrap()
}

/// A moment `minutes` after a full hour that is about a day ahead, and the same however often it is asked for.
pub(crate) fn tomorrow(minutes: i64) -> Timestamp {
    const HOUR: i64 = 3_600_000;
    static TOMORROW: LazyLock<i64> =
        LazyLock::new(|| SystemClock.now().as_millis() / HOUR * HOUR + 24 * HOUR);
    Timestamp::from_millis(*TOMORROW + minutes * 60_000)
}
