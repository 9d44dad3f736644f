//! Follows the firehose: does what [`Ingest`] asks for, until the platform ends it.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use huddle_appview_indexer::Wanted;
use huddle_core::index::IndexError;
use huddle_firehose::Account;
use huddle_firehose::ingest::{
    Action, Config, ConnectionId, Event, Identity, Ingest, Limits, MIN_QUEUED_BYTES, News, Notice,
    Source, Ticket, Unavailable,
};
use huddle_ports::{Clock as _, FetchLimits};
use huddle_syntax::Did;
use huddle_workers_platform::WorkersClock;
use serde::Serialize;
use worker::{Delay, console_error, console_log, js_sys};

use crate::Trouble;
use crate::parts::Parts;
use crate::socket::{Received, Socket};

/// How long what failed rests before it is tried again: twice as long each time, up to the longest.
const FIRST_REST: Duration = Duration::from_millis(250);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// How often the index is asked whose repositories are to be fetched.
const ASK_EVERY: Duration = Duration::from_mins(1);

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
}

/// Follows the firehose for ever, from where the index says; unless it cannot begin.
pub(crate) async fn follow(parts: Parts, progress: Rc<Progress>) -> Trouble {
    match Follower::begin(parts, progress).await {
        Ok(follower) => match follower.run().await {},
        Err(trouble) => trouble,
    }
}

/// What came of something that was asked for.
enum Answer {
    Connected(ConnectionId, Option<Socket>),
    Account(String, Option<Account>),
    Identity(String, Result<Identity, Unavailable>),
    Repository(String, Result<Vec<u8>, Unavailable>),
    Done(Ticket),
    Kept,
    Wanted(Wanted, Vec<Did>),
}

/// What happens next.
enum Next {
    Answer(Answer),
    Received(ConnectionId, Received),
    Wake,
}

struct Follower {
    ingest: Ingest,
    parts: Parts,
    progress: Rc<Progress>,
    socket: Option<(ConnectionId, Socket)>,
    answers: FuturesUnordered<LocalBoxFuture<'static, Answer>>,
    /// When to look again even if nothing happens until then.
    timer: Option<(Duration, Pin<Box<Delay>>)>,
    /// Cursors that are to be kept, by host: only the newest counts.
    cursors: BTreeMap<String, Option<i64>>,
    /// Whether a cursor is being kept: one after the other, so that an older one does not come last.
    is_keeping: bool,
    /// Accounts whose repositories are to be fetched, as soon as there is room.
    wanted: VecDeque<Did>,
    /// Who says whose those are, unless it is being asked.
    source: Option<Wanted>,
    ask_at: Duration,
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
        Ok(Self {
            ingest: Ingest::new(config, filter, &cursors, seed())?,
            parts,
            progress,
            socket: None,
            answers: FuturesUnordered::new(),
            timer: None,
            cursors: BTreeMap::new(),
            is_keeping: false,
            wanted: VecDeque::new(),
            source: Some(Wanted::default()),
            ask_at: Duration::ZERO,
            tell_at: Duration::ZERO,
        })
    }

    async fn run(mut self) -> Infallible {
        loop {
            self.act();
            self.tell();
            match poll_fn(|context| self.poll(context)).await {
                Next::Answer(answer) => self.take_answer(answer),
                Next::Received(connection, received) => self.take_received(connection, received),
                Next::Wake => {}
            }
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Next> {
        if let Poll::Ready(Some(answer)) = self.answers.poll_next_unpin(context) {
            return Poll::Ready(Next::Answer(answer));
        }
        if let Some((connection, socket)) = &self.socket
            && self.ingest.wants_frames()
            && let Poll::Ready(received) = socket.poll(context)
        {
            return Poll::Ready(Next::Received(*connection, received));
        }
        self.poll_timer(context).map(|()| Next::Wake)
    }

    /// Is ready once there is something to do by the clock.
    fn poll_timer(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let asks = (self.source.is_some() && self.wanted.is_empty()).then_some(self.ask_at);
        let Some(next) = self.ingest.wake_at().into_iter().chain(asks).min() else {
            return Poll::Pending;
        };
        let (at, mut timer) = match self.timer.take() {
            // One that rings too early costs a look.
            Some((at, timer)) if at <= next => (at, timer),
            _ => {
                let wait = next.saturating_sub(now()).min(ASK_EVERY);
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
        self.ask_for_wanted();
        self.resync_wanted();
        while let Some(action) = self.ingest.next_action(now()) {
            match action {
                Action::Disconnect { connection } => {
                    self.socket.take_if(|(open, _)| *open == connection);
                }
                Action::KeepCursor { host, cursor } => {
                    self.cursors.insert(host, cursor);
                }
                Action::Report(notice) => report(&notice),
                Action::Connect { connection, url } => {
                    let parts = self.parts.clone();
                    self.start(async move {
                        Answer::Connected(connection, connect(&parts, &url).await)
                    });
                }
                Action::ReadAccount { did } => {
                    let indexer = self.parts.indexer.clone();
                    self.start(async move {
                        let account = persist(|| indexer.account(&did)).await;
                        Answer::Account(did, account)
                    });
                }
                Action::FindIdentity { did } => {
                    let indexer = self.parts.indexer.clone();
                    self.start(async move {
                        let found = indexer.identity(&did).await;
                        Answer::Identity(did, found)
                    });
                }
                Action::FetchRepository { did } => {
                    let indexer = self.parts.indexer.clone();
                    self.start(async move {
                        let car = indexer.repository(&did, REPOSITORY).await;
                        Answer::Repository(did, car)
                    });
                }
                Action::Deliver { ticket, event } => {
                    let parts = self.parts.clone();
                    self.start(async move {
                        take_over(&parts, &event).await;
                        Answer::Done(ticket)
                    });
                }
            }
        }
        self.keep_cursor();
    }

    fn start(&self, task: impl Future<Output = Answer> + 'static) {
        self.answers.push(Box::pin(task));
    }

    /// Keeps the next cursor, if none is being kept.
    fn keep_cursor(&mut self) {
        if self.is_keeping {
            return;
        }
        if let Some((host, cursor)) = self.cursors.pop_first() {
            self.is_keeping = true;
            let indexer = self.parts.indexer.clone();
            self.start(async move {
                persist(|| indexer.keep_cursor(&host, cursor)).await;
                Answer::Kept
            });
        }
    }

    fn ask_for_wanted(&mut self) {
        if !self.wanted.is_empty() || now() < self.ask_at {
            return;
        }
        if let Some(mut source) = self.source.take() {
            self.ask_at = now() + ASK_EVERY;
            let indexer = self.parts.indexer.clone();
            self.start(async move {
                let wanted = source.next(&indexer).await.unwrap_or_else(|error| {
                    console_error!("repositories wait to be fetched: {error}");
                    Vec::new()
                });
                Answer::Wanted(source, wanted)
            });
        }
    }

    fn resync_wanted(&mut self) {
        while let Some(did) = self.wanted.front() {
            if self.ingest.resync(did.as_str()).is_err() {
                break;
            }
            self.wanted.pop_front();
        }
    }

    fn take_answer(&mut self, answer: Answer) {
        let now = now();
        match answer {
            Answer::Connected(connection, Some(socket)) => {
                // It may have taken longer than it may take.
                if self.ingest.opened(connection, now) {
                    self.socket = Some((connection, socket));
                }
            }
            Answer::Connected(connection, None) => self.ingest.closed(connection, now),
            Answer::Account(did, account) => self.ingest.account(&did, account),
            Answer::Identity(did, found) => self.ingest.identity(&did, found, now),
            Answer::Repository(did, car) => {
                let car = car.as_deref().map_err(|why| *why);
                self.ingest.repository(&did, car, now);
            }
            Answer::Done(ticket) => self.ingest.done(ticket),
            Answer::Kept => self.is_keeping = false,
            Answer::Wanted(source, wanted) => {
                self.source = Some(source);
                self.wanted.extend(wanted);
            }
        }
    }

    fn take_received(&mut self, connection: ConnectionId, received: Received) {
        let now = now();
        match received {
            Received::Frame(bytes) => {
                if self.ingest.frame(connection, &bytes, now).is_ok() {
                    return;
                }
                // It was asked before, and nothing has come since; a frame is not lost in any case.
            }
            Received::Closed => {}
        }
        self.socket = None;
        self.ingest.closed(connection, now);
    }

    /// Says how far it is, now and then.
    fn tell(&mut self) {
        let now = now();
        if now < self.tell_at {
            return;
        }
        self.tell_at = now + TELL_EVERY;
        let (_, queued) = self.ingest.queued();
        let socket = self.socket.as_ref();
        let waiting = socket.map_or(0, |(_, socket)| socket.waiting_bytes());
        let pace = self.ingest.pace(now);
        let progress = &self.progress;
        progress.connected.set(socket.is_some());
        progress.frames.set(pace.frames);
        progress.behind_secs.set(pace.behind.map(|it| it.as_secs()));
        progress.waiting_bytes.set(queued + waiting);
    }
}

/// The time since 1970.
fn now() -> Duration {
    let millis = WorkersClock.now().as_millis();
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

fn seed() -> u64 {
    js_sys::Math::random().to_bits()
}

async fn connect(parts: &Parts, url: &str) -> Option<Socket> {
    match parts.network.open_websocket(url).await {
        Ok(websocket) => Socket::listen(&websocket).ok(),
        Err(error) => {
            console_error!("the firehose cannot be connected: {error}");
            None
        }
    }
}

async fn take_over(parts: &Parts, event: &Event) {
    let taken = persist(|| parts.indexer.take_over(event)).await;
    if let Event::Account {
        news: News::Desynchronized(why),
        ..
    } = event
    {
        console_log!("a repository is to be fetched later: {why}");
    }
    for record in &taken.left_out {
        console_log!(
            "a record of {} is left out: {}",
            record.collection,
            record.why
        );
    }
    if taken.asks
        && let Err(error) = parts.ask_for_bookings().await
    {
        // It is said again every minute.
        console_error!("requests wait: {error}");
    }
}

/// Tries until it succeeds: whoever asks cannot do anything about it, and waits.
async fn persist<T, F: Future<Output = Result<T, IndexError>>>(attempt: impl Fn() -> F) -> T {
    let mut rest = FIRST_REST;
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(error) => console_error!("the firehose waits for the index: {error}"),
        }
        Delay::from(rest).await;
        rest = (rest * 2).min(LONGEST_REST);
    }
}

/// Says what the driver tells, and of whom nobody.
fn report(notice: &Notice) {
    match notice {
        Notice::Connected { host } => console_log!("the firehose is connected: {host}"),
        Notice::Disconnected { host, why, .. } => {
            console_error!("the firehose is disconnected: {host}: {why:?}");
        }
        Notice::Info { name, message } => console_log!("the firehose says {name}: {message:?}"),
        Notice::BadFrame { why } => console_error!("the firehose sent no event: {why}"),
        Notice::Rejected { seq, why, .. } => console_log!("event {seq} is not taken: {why}"),
        Notice::NoKey { seq, .. } => console_log!("event {seq} is of an account without a key"),
    }
}
