//! The firehose in a task, against a scripted host on this machine.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

#[path = "../../../firehose/tests/ingest/messages.rs"]
mod messages;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{SinkExt as _, StreamExt as _};
use huddle_firehose::Filter;
use huddle_firehose::ingest::{
    Answer, Config, Ended, Event, GapCause, Ingest, Limits, News, Notice, Question, Source,
    Unavailable,
};
use huddle_firehose::jetstream::Dictionary;
use huddle_native::{
    AddressLookup, Firehose, FirehosePorts, FirehoseStore, SystemClock, WebSockets,
};
use huddle_ports::{Clock, FetchError, FetchPolicy, Timestamp};
use huddle_testkit::SteppingClock;
use messages::{DICTIONARY, check_life, compress, life};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request as Upgrade, Response as Upgraded};

const DID: &str = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa";
/// Of whom nothing comes.
const WANTED: &str = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa";

/// For anything to happen on a machine that has a lot else to do: a test that has to wait for so long has failed.
const PATIENCE: Duration = Duration::from_mins(5);

/// Every host is on this machine.
struct ThisMachine;

#[async_trait]
impl AddressLookup for ThisMachine {
    async fn addresses(&self, _: &str) -> Result<Vec<IpAddr>, FetchError> {
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }
}

/// What was delivered, kept and reported.
#[derive(Clone, Default)]
struct Seen {
    events: Vec<Event>,
    cursors: BTreeMap<String, i64>,
    notices: Vec<Notice>,
    /// Whose state was read.
    read: Vec<String>,
}

/// A store that tells when something has happened.
struct Store {
    seen: watch::Sender<Seen>,
    /// While it is locked nothing is taken over.
    gate: tokio::sync::Mutex<()>,
    /// While it is locked no cursor is kept.
    cursor_gate: tokio::sync::Mutex<()>,
    /// Accounts to be fetched, until they have been asked for.
    wanted: Mutex<Vec<String>>,
}

#[async_trait]
impl FirehoseStore for Store {
    async fn answer(&self, question: Question) -> Answer {
        match question {
            Question::Account { did } => {
                self.seen.send_modify(|seen| seen.read.push(did.clone()));
                Answer::Account { did, account: None }
            }
            Question::Identity { did } => Answer::Identity {
                did,
                found: Err(Unavailable::ForNow),
            },
            Question::Repository { did } => Answer::Repository {
                did,
                car: Err(Unavailable::ForNow),
            },
            Question::TakeOver { ticket, event } => {
                let _open = self.gate.lock().await;
                self.seen.send_modify(|seen| seen.events.push(event));
                Answer::TakenOver { ticket }
            }
            Question::KeepCursor { host, cursor } => {
                let _open = self.cursor_gate.lock().await;
                self.seen.send_modify(|seen| match cursor {
                    Some(cursor) => drop(seen.cursors.insert(host, cursor)),
                    None => drop(seen.cursors.remove(&host)),
                });
                Answer::CursorKept
            }
            Question::Wanted { .. } => Answer::Wanted {
                dids: std::mem::take(&mut *self.wanted.lock().unwrap()),
            },
        }
    }

    fn report(&self, notice: Notice) {
        self.seen.send_modify(|seen| seen.notices.push(notice));
    }
}

impl Store {
    async fn until(&self, happened: impl Fn(&Seen) -> bool) -> Seen {
        let mut seen = self.seen.subscribe();
        let waited = tokio::time::timeout(PATIENCE, seen.wait_for(|s| happened(s)));
        waited.await.expect("it happens").unwrap().clone()
    }

    async fn until_handles(&self, expect: &[&str]) -> Seen {
        self.until(|seen| handles(seen).len() >= expect.len()).await
    }
}

fn handles(seen: &Seen) -> Vec<String> {
    let handle = |event: &Event| match event {
        Event::Account {
            news: News::Identity { handle },
            ..
        } => handle.clone(),
        _ => None,
    };
    seen.events.iter().filter_map(handle).collect()
}

/// A host that does what the test says.
struct Host {
    listener: TcpListener,
    origin: String,
}

type Socket = WebSocketStream<TcpStream>;

impl Host {
    async fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let origin = format!("ws://{}", listener.local_addr().unwrap());
        Self { listener, origin }
    }

    /// The next connection, and what it asked for.
    #[expect(clippy::result_large_err, reason = "the signature is the library's")]
    async fn accept(&self) -> (Socket, String) {
        let (stream, _) = self.listener.accept().await.unwrap();
        let asked = Arc::new(Mutex::new(String::new()));
        let note = Arc::clone(&asked);
        let upgrade = move |request: &Upgrade, response: Upgraded| {
            *note.lock().unwrap() = request.uri().to_string();
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(stream, upgrade).await;
        let asked = asked.lock().unwrap().clone();
        (socket.unwrap(), asked)
    }
}

/// What comes from the other side beside its own pings.
async fn answer(socket: &mut Socket) -> Message {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Ping(_) => {}
            other => return other,
        }
    }
}

/// `{"op": 1, "t": "#identity"}` and a body with a number and a handle.
fn identity(seq: u8, handle: &str) -> Message {
    let mut frame = b"\xa2\x61t\x69#identity\x62op\x01\xa4".to_vec();
    let text = |text: &str, to: &mut Vec<u8>| {
        to.extend([0x78, u8::try_from(text.len()).unwrap()]);
        to.extend_from_slice(text.as_bytes());
    };
    frame.extend_from_slice(b"\x63did");
    text(DID, &mut frame);
    frame.extend_from_slice(b"\x63seq\x18");
    frame.push(seq);
    frame.extend_from_slice(b"\x64time\x60\x66handle");
    text(handle, &mut frame);
    Message::Binary(frame.into())
}

fn error(name: &str) -> Message {
    let mut frame = b"\xa1\x62op\x20\xa1\x65error".to_vec();
    frame.push(0x60 | u8::try_from(name.len()).unwrap());
    frame.extend_from_slice(name.as_bytes());
    Message::Binary(frame.into())
}

/// A handle of a length that is written in a byte of its own.
fn handle(number: usize) -> String {
    format!("handle-number-{number:03}.example.com")
}

/// Whether a connection has ended, or did not come about.
fn refused(seen: &Seen) -> bool {
    let is_closed = |notice: &Notice| {
        let Notice::Disconnected { why, .. } = notice else {
            return false;
        };
        *why == Ended::Closed
    };
    seen.notices.iter().any(is_closed)
}

struct Running {
    store: Arc<Store>,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start(origin: &str, policy: FetchPolicy, limits: Limits, cursors: &[(&str, i64)]) -> Self {
        let sockets = WebSockets::new(Arc::new(ThisMachine), policy, "Huddle tests", &[]);
        Self::with(sockets.unwrap(), origin, limits, cursors)
    }

    fn with(sockets: WebSockets, origin: &str, limits: Limits, cursors: &[(&str, i64)]) -> Self {
        Self::wanting(sockets, origin, limits, cursors, &[])
    }

    /// One whose store wants the repositories of some accounts.
    fn wanting(
        sockets: WebSockets,
        origin: &str,
        limits: Limits,
        cursors: &[(&str, i64)],
        wanted: &[&str],
    ) -> Self {
        let ingest = Self::ingest(origin, limits, cursors);
        Self::driving(ingest, sockets, wanted, Arc::new(SystemClock))
    }

    /// One that is told the time by a test. Its timers run by themselves.
    fn at(clock: Arc<SteppingClock>, host: &Host, limits: Limits) -> Self {
        let policy = FetchPolicy::development();
        let sockets = WebSockets::new(Arc::new(ThisMachine), policy, "Huddle tests", &[]);
        let ingest = Self::ingest(&host.origin, limits, &[(&host.origin, 30)]);
        Self::driving(ingest, sockets.unwrap(), &[], clock)
    }

    fn ingest(origin: &str, limits: Limits, cursors: &[(&str, i64)]) -> Ingest {
        let mut filter = Filter::default();
        filter.add_account(DID);
        let config = Config {
            source: Source::Repos,
            hosts: vec![origin.to_owned()],
            limits,
        };
        let cursors = cursors.iter().map(|(host, at)| ((*host).to_owned(), *at));
        Ingest::new(config, filter, &cursors.collect(), 1).unwrap()
    }

    /// One that follows a Jetstream, of which nothing is verified.
    fn jetstream(host: &Host, dictionary: Option<&[u8]>) -> Self {
        let config = Config {
            source: Source::Jetstream {
                collections: vec!["com.example.*".to_owned()],
                dictionary: dictionary.map(Dictionary::new),
            },
            hosts: vec![host.origin.clone()],
            limits: Limits::default(),
        };
        let cursors = BTreeMap::from([(host.origin.clone(), 100)]);
        let ingest = Ingest::new(config, Filter::new(["com.example."]), &cursors, 1).unwrap();
        let policy = FetchPolicy::development();
        let sockets = WebSockets::new(Arc::new(ThisMachine), policy, "Huddle tests", &[]);
        Self::driving(ingest, sockets.unwrap(), &[], Arc::new(SystemClock))
    }

    fn driving(
        ingest: Ingest,
        sockets: WebSockets,
        wanted: &[&str],
        clock: Arc<dyn Clock>,
    ) -> Self {
        let store = Arc::new(Store {
            seen: watch::Sender::new(Seen::default()),
            gate: tokio::sync::Mutex::new(()),
            cursor_gate: tokio::sync::Mutex::new(()),
            wanted: Mutex::new(wanted.iter().map(|did| (*did).to_owned()).collect()),
        });
        let ports = FirehosePorts {
            store: store.clone(),
            sockets,
            clock,
        };
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(Firehose::new(ingest, ports).run(async {
            let _ = stopped.await;
        }));
        Self { store, stop, task }
    }

    fn local(host: &Host) -> Self {
        let cursors = [(host.origin.as_str(), 30)];
        let policy = FetchPolicy::development();
        Self::start(&host.origin, policy, Limits::default(), &cursors)
    }

    async fn stop(self) -> Seen {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
        self.store.seen.borrow().clone()
    }
}

#[tokio::test]
async fn what_the_host_sends_is_delivered_and_the_cursor_is_kept_when_it_stops() {
    let host = Host::new().await;
    let running = Running::local(&host);
    let (mut socket, asked) = host.accept().await;
    assert_eq!(asked, "/xrpc/com.atproto.sync.subscribeRepos?cursor=30");
    let (one, two) = (handle(1), handle(2));
    socket.send(identity(40, &one)).await.unwrap();
    socket.send(identity(41, &two)).await.unwrap();
    let seen = running.store.until_handles(&[&one, &two]).await;
    assert_eq!(handles(&seen), [one, two]);
    let seen = running.stop().await;
    assert_eq!(seen.cursors[&host.origin], 41);
    let last = answer(&mut socket).await;
    assert!(matches!(last, Message::Close(_)), "{last:?}");
}

#[tokio::test]
async fn a_dropped_connection_goes_on_where_it_was() {
    let host = Host::new().await;
    let running = Running::local(&host);
    let (mut socket, _) = host.accept().await;
    socket.send(identity(40, &handle(1))).await.unwrap();
    running.store.until_handles(&[&handle(1)]).await;
    drop(socket);
    let (mut socket, asked) = host.accept().await;
    assert!(asked.ends_with("?cursor=40"), "{asked}");
    socket.send(identity(41, &handle(2))).await.unwrap();
    let seen = running.store.until_handles(&["", ""]).await;
    assert_eq!(handles(&seen), [handle(1), handle(2)]);
}

#[tokio::test]
async fn an_error_of_the_host_is_reported_and_a_future_cursor_begins_anew() {
    let host = Host::new().await;
    let running = Running::local(&host);
    let (mut socket, _) = host.accept().await;
    socket.send(error("FutureCursor")).await.unwrap();
    let (_socket, asked) = host.accept().await;
    assert!(asked.ends_with("subscribeRepos"), "{asked}");
    let seen = running.store.until(|seen| !seen.events.is_empty()).await;
    let gap = Event::Gap {
        host: host.origin.clone(),
        cause: GapCause::FutureCursor { cursor: 30 },
    };
    assert_eq!(seen.events, [gap]);
    let says_why = |notice: &Notice| {
        matches!(
            notice,
            Notice::Disconnected { why: Ended::Error { name, .. }, .. } if name == "FutureCursor"
        )
    };
    assert!(seen.notices.iter().any(says_why), "{:#?}", seen.notices);
}

#[tokio::test]
async fn a_message_of_more_bytes_than_a_frame_may_have_ends_the_connection() {
    let host = Host::new().await;
    let _running = Running::local(&host);
    let (mut socket, _) = host.accept().await;
    let flood = async move {
        // The other side may hang up before it has all of it.
        let _ = socket
            .send(Message::Binary(vec![0; 5_000_001].into()))
            .await;
        socket
    };
    let (_socket, (_again, asked)) = tokio::join!(flood, host.accept());
    assert!(asked.ends_with("?cursor=30"), "{asked}");
}

#[tokio::test]
async fn a_slow_store_slows_the_host_down_and_loses_nothing() {
    let host = Host::new().await;
    let limits = Limits {
        max_queued: 2,
        ..Limits::default()
    };
    let cursors = [(host.origin.as_str(), 30)];
    let policy = FetchPolicy::development();
    let running = Running::start(&host.origin, policy, limits, &cursors);
    let closed = running.store.gate.lock().await;
    let (mut socket, _) = host.accept().await;
    let expect: Vec<String> = (0..60).map(handle).collect();
    for (seq, handle) in (40..).zip(&expect) {
        socket.send(identity(seq, handle)).await.unwrap();
    }
    drop(closed);
    let seen = running
        .store
        .until(|seen| handles(seen).len() == expect.len())
        .await;
    assert_eq!(handles(&seen), expect);
}

#[tokio::test]
async fn a_store_that_keeps_no_cursor_holds_up_neither_events_nor_the_end() {
    let host = Host::new().await;
    let Running { store, stop, task } = Running::local(&host);
    let _closed = store.cursor_gate.lock().await;
    let (mut socket, _) = host.accept().await;
    socket.send(identity(40, &handle(1))).await.unwrap();
    store.until_handles(&[""]).await;
    socket.send(identity(41, &handle(2))).await.unwrap();
    store.until_handles(&["", ""]).await;
    // From here on time passes whenever nothing else happens.
    tokio::time::pause();
    stop.send(()).unwrap();
    let ended = tokio::time::timeout(Duration::from_mins(1), task).await;
    ended.expect("it ends").unwrap();
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_in_time_is_closed() {
    let host = Host::new().await;
    let limits = Limits {
        connect_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let policy = FetchPolicy::development();
    let _running = Running::start(&host.origin, policy, limits, &[]);
    // It takes each connection, and does not answer. One may be given up before anything was sent over it.
    let closed = async {
        loop {
            let (mut stream, _) = host.listener.accept().await.unwrap();
            let mut asked = Vec::new();
            // A connection that is closed with something unread is reset.
            let _ = stream.read_to_end(&mut asked).await;
            if asked.starts_with(b"GET ") {
                return;
            }
        }
    };
    let closed = tokio::time::timeout(PATIENCE, closed).await;
    closed.expect("it is closed");
}

#[tokio::test]
async fn a_repository_that_the_store_wants_is_fetched_though_nothing_has_come_of_its_account() {
    let host = Host::new().await;
    let sockets = WebSockets::new(
        Arc::new(ThisMachine),
        FetchPolicy::development(),
        "Huddle tests",
        &[],
    );
    let wanted = [WANTED];
    let running = Running::wanting(
        sockets.unwrap(),
        &host.origin,
        Limits::default(),
        &[],
        &wanted,
    );
    let asked = |seen: &Seen| seen.read.iter().any(|did| did == WANTED);
    running.store.until(asked).await;
}

/// Sends the messages of a life over a Jetstream, and checks what comes of them.
async fn check_jetstream(
    dictionary: Option<&[u8]>,
    query: &str,
    send: impl Fn(Vec<u8>) -> Message,
) {
    let host = Host::new().await;
    let running = Running::jetstream(&host, dictionary);
    let (mut socket, asked) = host.accept().await;
    assert_eq!(asked, format!("/subscribe?{query}"));
    for message in life() {
        socket.send(send(message)).await.unwrap();
    }
    let is_over = |seen: &Seen| seen.events.len() >= 3;
    running.store.until(is_over).await;
    let seen = running.stop().await;
    check_life(&seen.events);
}

fn as_text(message: Vec<u8>) -> Message {
    Message::Text(String::from_utf8(message).unwrap().into())
}

#[tokio::test]
async fn a_jetstream_comes_to_the_same_events_compressed_or_not() {
    let collections = "wantedCollections=com.example.*";
    let plain = format!("{collections}&cursor=100");
    check_jetstream(None, &plain, as_text).await;
    let compressed = format!("{collections}&compress=true&cursor=100");
    let compress = |message: Vec<u8>| Message::Binary(compress(&DICTIONARY, &message).into());
    check_jetstream(Some(&DICTIONARY), &compressed, compress).await;
    // From a host that does not compress, though it was asked to.
    check_jetstream(Some(&DICTIONARY), &compressed, as_text).await;
}

#[tokio::test]
async fn a_ping_is_answered() {
    let host = Host::new().await;
    let _running = Running::local(&host);
    let (mut socket, _) = host.accept().await;
    socket.send(Message::Ping("hello".into())).await.unwrap();
    let pong = answer(&mut socket).await;
    assert_eq!(pong, Message::Pong("hello".into()));
}

/// Waits for a ping, which is answered when the next message is waited for.
async fn pinged(socket: &mut Socket) {
    let message = tokio::time::timeout(PATIENCE, socket.next()).await;
    let message = message.expect("it asks for a sign of life");
    assert!(matches!(message, Some(Ok(Message::Ping(_)))), "{message:?}");
}

#[tokio::test]
async fn a_quiet_host_is_kept_while_it_answers_pings_and_left_when_it_does_not() {
    let host = Host::new().await;
    let limits = Limits {
        silence: Duration::from_millis(200),
        ..Limits::default()
    };
    let silence = limits.silence;
    let clock = Arc::new(SteppingClock::at(Timestamp::from_millis(1_800_000_000_000)));
    let running = Running::at(clock.clone(), &host, limits);
    let (mut socket, _) = host.accept().await;
    for _ in 0..4 {
        clock.step(silence * 3 / 4);
        // When the third one comes, the answer to the first is there.
        for _ in 0..3 {
            pinged(&mut socket).await;
        }
    }
    // From here on it listens no more.
    let is_silent = |notice: &Notice| {
        let why = Ended::Silent;
        matches!(notice, Notice::Disconnected { why: w, .. } if *w == why)
    };
    let mut silent = pin!(
        running
            .store
            .until(|seen| seen.notices.iter().any(is_silent))
    );
    let mut steps = tokio::time::interval(Duration::from_millis(50));
    let seen = loop {
        tokio::select! {
            seen = &mut silent => break seen,
            // An answer of before may be read after a step: then it takes one more.
            _ = steps.tick() => clock.step(silence),
        }
    };
    let ends = |notice: &&Notice| matches!(notice, Notice::Disconnected { .. });
    assert_eq!(seen.notices.iter().filter(ends).count(), 1);
    clock.step(Duration::from_secs(30));
    let (_socket, asked) = host.accept().await;
    assert!(asked.ends_with("?cursor=30"), "{asked}");
}

#[tokio::test]
async fn no_connection_is_made_to_an_address_that_is_not_allowed() {
    let host = Host::new().await;
    let running = Running::start(&host.origin, FetchPolicy::public(), Limits::default(), &[]);
    running.store.until(refused).await;
    let accepted = tokio::select! {
        biased;
        _ = host.listener.accept() => true,
        () = std::future::ready(()) => false,
    };
    assert!(!accepted);
    // By a name, too, that leads to an address that is not public.
    let named = host.origin.replace("127.0.0.1", "relay.example.org");
    let named = named.replace("ws://", "wss://");
    let policy = FetchPolicy::public().with_port(host.listener.local_addr().unwrap().port());
    let running = Running::start(&named, policy, Limits::default(), &[]);
    running.store.until(refused).await;
}

/// A certificate for a name, and the authority that issued it, in PEM.
fn certificate(name: &str) -> (TlsAcceptor, String) {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), authority.pem())
}

#[tokio::test]
async fn a_secure_host_has_to_prove_its_name() {
    let (tls, authority) = certificate("relay.huddle.internal");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let host = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let tls = tls.clone();
            tokio::spawn(async move {
                let stream = tls.accept(stream).await.ok()?;
                let mut socket = tokio_tungstenite::accept_async(stream).await.ok()?;
                socket.send(identity(40, &handle(1))).await.ok()?;
                // Until the other side closes it.
                while socket.next().await.is_some() {}
                Some(())
            });
        }
    });
    let follow = |name: &str, roots: &[&[u8]]| {
        let policy = FetchPolicy::development();
        let sockets = WebSockets::new(Arc::new(ThisMachine), policy, "Huddle tests", roots);
        let origin = format!("wss://{name}.huddle.internal:{port}");
        Running::with(sockets.unwrap(), &origin, Limits::default(), &[])
    };
    let roots = [authority.as_bytes()];
    follow("relay", &[]).store.until(refused).await;
    follow("other", &roots).store.until(refused).await;
    follow("relay", &roots).store.until_handles(&[""]).await;
    host.abort();
}
