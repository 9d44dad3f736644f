//! Follows the firehose in a task of tokio: does what [`Ingest`] asks for.

mod answer;
mod socket;

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use huddle_firehose::Account;
use huddle_firehose::ingest::{Action, ConnectionId, Event, Ingest, Notice, Pace};
use huddle_identity::IdentityResolver;
use huddle_ports::{Clock, Fetch};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::MissedTickBehavior;

pub use self::socket::{WebSocketSetupError, WebSockets};

use self::answer::Answer;
use self::socket::{Received, Socket};

/// Keeps what comes from a firehose.
///
/// What fails is tried again here: whoever asks cannot do anything about it, and waits.
#[async_trait]
pub trait FirehoseStore: Send + Sync {
    /// The state of an account that was kept last.
    async fn account(&self, did: &str) -> Option<Account>;

    /// Takes an event over, its account's state with it, and returns when that is for good. Events of different
    /// accounts are taken over at the same time.
    async fn take_over(&self, event: Event);

    /// Keeps the cursor of a host, or forgets it.
    async fn keep_cursor(&self, host: &str, cursor: Option<i64>);

    /// Accounts whose repositories are to be fetched, for another reason than what comes from the firehose: those that
    /// have [lost track](Account::is_lost) when the firehose begins, and whatever the store finds out by itself. It is
    /// asked every minute, unless those that it has named last still wait.
    async fn wanted(&self) -> Vec<String> {
        Vec::new()
    }

    /// Hears what an operator may want to know.
    fn report(&self, notice: Notice) {
        drop(notice);
    }

    /// Hears every ten seconds how the stream goes.
    fn pace(&self, pace: Pace) {
        let _ = pace;
    }
}

/// What a [`Firehose`] uses.
#[derive(Clone)]
pub struct FirehosePorts {
    /// Keeps what comes.
    pub store: Arc<dyn FirehoseStore>,
    /// Says who accounts are: their keys, and where their repositories are.
    pub identity: IdentityResolver,
    /// Fetches repositories.
    pub fetch: Arc<dyn Fetch>,
    /// Opens connections.
    pub sockets: WebSockets,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// Follows a firehose.
pub struct Firehose {
    ingest: Ingest,
    ports: FirehosePorts,
    socket: Option<(ConnectionId, Socket)>,
    /// The connection that was begun last.
    opening: Option<(ConnectionId, AbortHandle)>,
    answers: JoinSet<Answer>,
    /// Cursors that are to be kept, by host: only the newest counts.
    cursors: BTreeMap<String, Option<i64>>,
    /// Whether a cursor is being kept: one after the other, so that an older one does not come last.
    is_keeping: bool,
    /// Accounts whose repositories are to be fetched, as soon as there is room.
    wanted: VecDeque<String>,
    /// Whether the store is being asked for more of them.
    is_asking: bool,
    /// Connections that are being closed.
    goodbyes: JoinSet<()>,
}

/// How often a host is asked for a sign of life; several times in [`Limits::silence`].
///
/// [`Limits::silence`]: huddle_firehose::ingest::Limits::silence
const PING_EVERY: Duration = Duration::from_secs(25);

/// How often the store is asked whose repositories are to be fetched.
const ASK_EVERY: Duration = Duration::from_mins(1);

/// How often the store hears how the stream goes.
const PACE_EVERY: Duration = Duration::from_secs(10);

/// How long what was delivered may still take once the task is to stop.
const GRACE: Duration = Duration::from_secs(10);

/// What happens next.
enum Next {
    Stop,
    GiveUp,
    Answer(Answer),
    Received(Received),
    Ping,
    Ask,
    Pace,
    Wake,
}

impl Firehose {
    /// Drives `ingest` with these.
    pub fn new(ingest: Ingest, ports: FirehosePorts) -> Self {
        Self {
            ingest,
            ports,
            socket: None,
            opening: None,
            answers: JoinSet::new(),
            cursors: BTreeMap::new(),
            is_keeping: false,
            wanted: VecDeque::new(),
            is_asking: false,
            goodbyes: JoinSet::new(),
        }
    }

    /// Runs until `stop` is there. Then what has been delivered is still taken over, and the cursors are kept, for up to
    /// ten seconds.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut is_stopping = false;
        let mut grace = pin!(tokio::time::sleep(Duration::MAX));
        let [mut pings, mut asks, mut paces] = [PING_EVERY, ASK_EVERY, PACE_EVERY].map(every);
        loop {
            self.act();
            if self.ingest.is_settled() && !self.is_keeping {
                break;
            }
            let wake_in = self.wake_in();
            let wants_frames = self.ingest.wants_frames();
            let is_open = self.socket.is_some();
            let next = tokio::select! {
                () = &mut stop, if !is_stopping => Next::Stop,
                () = &mut grace, if is_stopping => Next::GiveUp,
                Some(answer) = self.answers.join_next() => answered(answer),
                received = receive(&mut self.socket), if is_open && wants_frames => {
                    Next::Received(received)
                }
                _ = pings.tick(), if is_open => Next::Ping,
                _ = asks.tick(), if !is_stopping => Next::Ask,
                _ = paces.tick() => Next::Pace,
                () = tokio::time::sleep(wake_in) => Next::Wake,
            };
            match next {
                Next::Stop => {
                    is_stopping = true;
                    grace.set(tokio::time::sleep(GRACE));
                    self.ingest.stop();
                }
                Next::GiveUp => break,
                Next::Answer(answer) => self.take_answer(answer),
                Next::Received(received) => self.take_received(received),
                Next::Ping => self.ping().await,
                Next::Ask => self.ask_for_wanted(),
                Next::Pace => self.ports.store.pace(self.ingest.pace(self.now())),
                Next::Wake => {}
            }
        }
        self.goodbyes.join_all().await;
    }

    fn now(&self) -> Duration {
        let millis = self.ports.clock.now().as_millis();
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    fn wake_in(&self) -> Duration {
        let wake_at = self.ingest.wake_at();
        wake_at.map_or(Duration::MAX, |at| at.saturating_sub(self.now()))
    }

    fn ask_for_wanted(&mut self) {
        if self.is_asking || !self.wanted.is_empty() {
            return;
        }
        self.is_asking = true;
        let store = Arc::clone(&self.ports.store);
        self.answers
            .spawn(async move { Answer::Wanted(store.wanted().await) });
    }

    fn resync_wanted(&mut self) {
        while let Some(did) = self.wanted.front() {
            if self.ingest.resync(did).is_err() {
                break;
            }
            self.wanted.pop_front();
        }
    }

    /// Does what is to be done.
    fn act(&mut self) {
        self.resync_wanted();
        while let Some(action) = self.ingest.next_action(self.now()) {
            match action {
                Action::Disconnect { connection } => self.disconnect(connection),
                Action::KeepCursor { host, cursor } => {
                    self.cursors.insert(host, cursor);
                }
                Action::Report(notice) => self.ports.store.report(notice),
                Action::Connect { connection, url } => {
                    let sockets = self.ports.sockets.clone();
                    let task = self
                        .answers
                        .spawn(async move { answer::connect(&sockets, connection, &url).await });
                    self.opening = Some((connection, task));
                }
                Action::ReadAccount { did } => {
                    let store = Arc::clone(&self.ports.store);
                    self.answers
                        .spawn(async move { answer::account(&*store, did).await });
                }
                Action::FindIdentity { did } => {
                    let resolver = self.ports.identity.clone();
                    self.answers
                        .spawn(async move { answer::identity(&resolver, did).await });
                }
                Action::FetchRepository { did } => {
                    let (identity, fetch) =
                        (self.ports.identity.clone(), Arc::clone(&self.ports.fetch));
                    self.answers
                        .spawn(async move { answer::repository(&identity, &*fetch, did).await });
                }
                Action::Deliver { ticket, event } => {
                    let store = Arc::clone(&self.ports.store);
                    self.answers.spawn(async move {
                        store.take_over(event).await;
                        Answer::Done(ticket)
                    });
                }
            }
        }
        self.keep_cursor();
    }

    /// Keeps the next cursor, if none is being kept.
    fn keep_cursor(&mut self) {
        if self.is_keeping {
            return;
        }
        if let Some((host, cursor)) = self.cursors.pop_first() {
            self.is_keeping = true;
            let store = Arc::clone(&self.ports.store);
            self.answers.spawn(async move {
                store.keep_cursor(&host, cursor).await;
                Answer::Kept
            });
        }
    }

    fn take_answer(&mut self, answer: Answer) {
        let now = self.now();
        match answer {
            Answer::Connected(connection, Some(socket)) => {
                // It may have taken longer than it may take.
                if self.ingest.opened(connection, now) {
                    self.socket = Some((connection, *socket));
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
            Answer::Wanted(dids) => {
                self.is_asking = false;
                self.wanted.extend(dids);
            }
        }
    }

    fn take_received(&mut self, received: Received) {
        let now = self.now();
        let Some((connection, _)) = &self.socket else {
            return;
        };
        let connection = *connection;
        match received {
            Received::Frame(bytes) => {
                if self.ingest.frame(connection, &bytes, now).is_err() {
                    // It was asked before, and nothing has come since; a frame is not lost in any case.
                    self.hang_up();
                }
            }
            Received::SignOfLife => self.ingest.heard(connection, now),
            Received::Closed => self.hang_up(),
        }
    }

    async fn ping(&mut self) {
        let Some((_, socket)) = &mut self.socket else {
            return;
        };
        if !socket.ping().await {
            self.hang_up();
        }
    }

    fn hang_up(&mut self) {
        if let Some((connection, _)) = self.socket.take() {
            let now = self.now();
            self.ingest.closed(connection, now);
        }
    }

    fn disconnect(&mut self, connection: ConnectionId) {
        if let Some((_, task)) = self.opening.take_if(|(begun, _)| *begun == connection) {
            task.abort();
        }
        if let Some((_, socket)) = self.socket.take_if(|(open, _)| *open == connection) {
            while self.goodbyes.try_join_next().is_some() {}
            self.goodbyes.spawn(socket.close());
        }
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

async fn receive(socket: &mut Option<(ConnectionId, Socket)>) -> Received {
    match socket {
        Some((_, socket)) => socket.receive().await,
        None => Received::Closed,
    }
}

fn answered(outcome: Result<Answer, JoinError>) -> Next {
    match outcome.map_err(JoinError::try_into_panic) {
        Ok(answer) => Next::Answer(answer),
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // It opened a connection that is not wanted any more.
        Err(Err(_)) => Next::Wake,
    }
}

impl std::fmt::Debug for Firehose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Firehose")
            .field("ingest", &self.ingest)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for FirehosePorts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FirehosePorts").finish_non_exhaustive()
    }
}
