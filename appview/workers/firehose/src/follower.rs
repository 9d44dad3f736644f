//! Follows the firehose: does what [`Ingest`] asks for, until the platform ends it.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use huddle_appview_indexer::{Keeper, TakenOver};
use huddle_firehose::ingest::{
    Answer, Config, ConnectionId, Ingest, Limits, MIN_QUEUED_BYTES, Notice, Question, Runner,
    Source, Step,
};
use huddle_ports::{Clock as _, FetchLimits};
use huddle_workers_platform::{WorkersClock, log};
use serde::Serialize;
use worker::wasm_bindgen::JsCast as _;
use worker::{Delay, js_sys, wasm_bindgen};

use crate::Trouble;
use crate::parts::Parts;
use crate::socket::{Received, Socket};

/// The longest that one timer of the platform is set for.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How often it is said how far the driver is, at most.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// The most that a repository may take. An isolate has 128 MB for all that it does, and a repository that is read in is
/// there twice for a moment.
const REPOSITORY: FetchLimits = FetchLimits {
    timeout: Duration::from_mins(1),
    max_response_bytes: 32 << 20,
    max_redirects: 3,
};

/// What everything may take in an isolate.
fn limits() -> Limits {
    let limits = Limits::default();
    Limits {
        max_queued_bytes: MIN_QUEUED_BYTES,
        max_queued: 2_000,
        max_accounts: 2_000,
        max_lookups: 4,
        max_fetches: 1,
        max_repository_bytes: 8 << 20,
        // Hosts cannot be asked for a sign of life here, so a frame is the only one.
        silence: limits.idle,
        ..limits
    }
}

/// How far it is, for whoever looks.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Progress {
    /// Whether a connection is open.
    connected: Cell<bool>,
    /// How many frames have come.
    frames: Cell<u64>,
    /// How old the newest was when it came.
    behind_secs: Cell<Option<u64>>,
    /// How many bytes wait, in whatever state.
    waiting_bytes: Cell<usize>,
    /// How much memory the code has taken of the platform so far, of which it gives nothing back.
    memory_bytes: Cell<u32>,
}

/// Follows the firehose for ever, from where the index says; unless it cannot begin.
pub(crate) async fn follow(parts: Parts, progress: Rc<Progress>) -> Trouble {
    match Follower::begin(parts, progress).await {
        Ok(follower) => match follower.run().await {},
        Err(trouble) => trouble,
    }
}

/// What came of something that was to be done.
enum Done {
    Connected(ConnectionId, Option<Socket>),
    Answered(Answer),
}

/// What happens next.
enum Next {
    Done(Done),
    Received(ConnectionId, Received),
    Wake,
}

struct Follower {
    runner: Runner,
    parts: Parts,
    keeper: Keeper,
    progress: Rc<Progress>,
    socket: Option<(ConnectionId, Socket)>,
    tasks: FuturesUnordered<LocalBoxFuture<'static, Done>>,
    /// When to look again even if nothing happens until then.
    timer: Option<(Duration, Pin<Box<Delay>>)>,
    tell_at: Duration,
}

impl Follower {
    async fn begin(parts: Parts, progress: Rc<Progress>) -> Result<Self, Trouble> {
        let config = Config {
            source: Source::Repos,
            hosts: parts.hosts.to_vec(),
            limits: limits(),
        };
        let filter = parts.indexer.filter().await?;
        let cursors = parts.indexer.cursors().await?;
        let ingest = Ingest::new(config, filter, &cursors, seed())?;
        let keeper = Keeper {
            indexer: parts.indexer.clone(),
            pause: Arc::new(WorkersClock),
            repository: REPOSITORY,
            on_failure: |error| log::waits("the firehose waits for the index", error),
        };
        Ok(Self {
            runner: Runner::new(ingest),
            parts,
            keeper,
            progress,
            socket: None,
            tasks: FuturesUnordered::new(),
            timer: None,
            tell_at: Duration::ZERO,
        })
    }

    async fn run(mut self) -> Infallible {
        loop {
            self.act();
            self.tell();
            match poll_fn(|context| self.poll(context)).await {
                Next::Done(done) => self.take(done),
                Next::Received(connection, received) => self.take_received(connection, received),
                Next::Wake => {}
            }
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Next> {
        if let Poll::Ready(Some(done)) = self.tasks.poll_next_unpin(context) {
            return Poll::Ready(Next::Done(done));
        }
        if let Some((connection, socket)) = &self.socket
            && self.runner.ingest.wants_frames()
            && let Poll::Ready(received) = socket.poll(context)
        {
            return Poll::Ready(Next::Received(*connection, received));
        }
        self.poll_timer(context).map(|()| Next::Wake)
    }

    /// Is ready once there is something to do by the clock.
    fn poll_timer(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(next) = self.runner.wake_at() else {
            return Poll::Pending;
        };
        let (at, mut timer) = match self.timer.take() {
            // One that rings too early costs a look.
            Some((at, timer)) if at <= next => (at, timer),
            _ => {
                let wait = next.saturating_sub(now()).min(LONGEST_WAIT);
                (next, Box::pin(Delay::from(wait)))
            }
        };
        let rung = timer.as_mut().poll(context);
        if rung.is_pending() {
            self.timer = Some((at, timer));
        }
        rung
    }

    /// Does what is to be done.
    fn act(&mut self) {
        while let Some(step) = self.runner.next_step(now()) {
            match step {
                Step::Disconnect { connection } => {
                    self.socket.take_if(|(open, _)| *open == connection);
                }
                Step::Report(notice) => {
                    self.parts.measured.notice(&notice);
                    report(&notice);
                }
                Step::Connect { connection, url } => {
                    let parts = self.parts.clone();
                    self.start(
                        async move { Done::Connected(connection, connect(&parts, &url).await) },
                    );
                }
                Step::Ask(question) => {
                    let (keeper, parts) = (self.keeper.clone(), self.parts.clone());
                    self.start(
                        async move { Done::Answered(answer(&keeper, &parts, question).await) },
                    );
                }
            }
        }
    }

    fn start(&self, task: impl Future<Output = Done> + 'static) {
        self.tasks.push(Box::pin(task));
    }

    fn take(&mut self, done: Done) {
        let now = now();
        match done {
            Done::Connected(connection, Some(socket)) => {
                // It may have taken longer than it may take.
                if self.runner.ingest.opened(connection, now) {
                    self.socket = Some((connection, socket));
                }
            }
            Done::Connected(connection, None) => self.runner.ingest.closed(connection, now),
            Done::Answered(answer) => self.runner.answer(answer, now),
        }
    }

    fn take_received(&mut self, connection: ConnectionId, received: Received) {
        let now = now();
        match received {
            Received::Frame(bytes) => {
                if self.runner.ingest.frame(connection, &bytes, now).is_ok() {
                    return;
                }
                // It was asked before, and nothing has come since; a frame is not lost in any case.
            }
            Received::Closed => {}
        }
        self.socket = None;
        self.runner.ingest.closed(connection, now);
    }

    /// Says how far it is, now and then.
    fn tell(&mut self) {
        let now = now();
        if now < self.tell_at {
            return;
        }
        self.tell_at = now + TELL_EVERY;
        let (_, queued) = self.runner.ingest.queued();
        let socket = self.socket.as_ref();
        let waiting = socket.map_or(0, |(_, socket)| socket.waiting_bytes());
        let pace = self.runner.ingest.pace(now);
        self.parts.measured.pace(pace);
        let progress = &self.progress;
        progress.connected.set(socket.is_some());
        progress.frames.set(pace.frames);
        progress.behind_secs.set(pace.behind.map(|it| it.as_secs()));
        progress.waiting_bytes.set(queued + waiting);
        progress.memory_bytes.set(memory_bytes());
    }
}

/// The time since 1970.
fn now() -> Duration {
    let millis = WorkersClock.now().as_millis();
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

fn memory_bytes() -> u32 {
    let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    let bytes: js_sys::ArrayBuffer = memory.buffer().unchecked_into();
    bytes.byte_length()
}

fn seed() -> u64 {
    js_sys::Math::random().to_bits()
}

async fn connect(parts: &Parts, url: &str) -> Option<Socket> {
    match parts.network.open_websocket(url).await {
        Ok(websocket) => Socket::listen(&websocket).ok(),
        Err(error) => {
            log::failed("the firehose cannot be connected", &error);
            None
        }
    }
}

async fn answer(keeper: &Keeper, parts: &Parts, question: Question) -> Answer {
    let (answer, taken) = keeper.answer(question).await;
    if let Some(taken) = taken {
        parts.measured.taken_over(&taken);
        tell(&taken);
        if taken.asks
            && let Err(error) = parts.ask_for_bookings().await
        {
            // It is said again every minute.
            log::waits("requests wait", &error);
        }
    }
    answer
}

/// Says what came of an event that an operator may want to know.
fn tell(taken: &TakenOver) {
    if let Some(why) = taken.lost {
        let fields = [("why", why.to_string().into())];
        log::info("a repository is to be fetched later", fields);
    }
    for record in &taken.left_out {
        let (collection, why) = (
            record.collection.as_str().into(),
            record.why.as_str().into(),
        );
        let fields = [("collection", collection), ("why", why)];
        log::info("a record is left out", fields);
    }
}

/// Says what the driver tells, and of whom nobody.
fn report(notice: &Notice) {
    match notice {
        Notice::Connected { host } => {
            log::info(
                "the firehose is connected",
                [("host", host.as_str().into())],
            );
        }
        Notice::Disconnected { host, why, .. } => {
            let (host, why) = (host.as_str().into(), format!("{why:?}").into());
            log::warn(
                "the firehose is disconnected",
                [("host", host), ("why", why)],
            );
        }
        Notice::Info { name, message } => {
            let (name, said) = (name.as_str().into(), message.as_deref().into());
            log::info("the firehose says", [("name", name), ("said", said)]);
        }
        Notice::BadFrame { why } => {
            log::warn(
                "the firehose sent no event",
                [("why", why.to_string().into())],
            );
        }
        Notice::Rejected { seq, why, .. } => {
            let why = why.to_string().into();
            log::info(
                "an event is not taken",
                [("seq", (*seq).into()), ("why", why)],
            );
        }
        Notice::NoKey { seq, .. } => {
            log::info(
                "an event is of an account without a key",
                [("seq", (*seq).into())],
            );
        }
    }
}
