//! Follows the firehose in a task of tokio: does what a [`Runner`] asks for.

mod socket;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use huddle_firehose::ingest::{Answer, ConnectionId, Ingest, Notice, Pace, Question, Runner, Step};
use huddle_ports::Clock;
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::MissedTickBehavior;

pub use self::socket::{NoWebSocket, WebSocketSetupError, WebSockets};

use self::socket::{Received, Socket};

/// Keeps what comes from a firehose, and knows who accounts are.
#[async_trait]
pub trait FirehoseStore: Send + Sync {
    /// Answers a question. What fails is tried again here: whoever asks cannot do anything about it, and waits. Many are
    /// asked at the same time.
    async fn answer(&self, question: Question) -> Answer;

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
    /// Opens connections.
    pub sockets: WebSockets,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// Follows a firehose.
pub struct Firehose {
    runner: Runner,
    ports: FirehosePorts,
    socket: Option<(ConnectionId, Socket)>,
    /// The connection that was begun last.
    opening: Option<(ConnectionId, AbortHandle)>,
    tasks: JoinSet<Done>,
    /// Connections that are being closed.
    goodbyes: JoinSet<()>,
}

/// How often the store hears how the stream goes.
const PACE_EVERY: Duration = Duration::from_secs(10);

/// How long what was delivered may still take once the task is to stop.
const GRACE: Duration = Duration::from_secs(10);

/// What came of a task.
enum Done {
    Connected(ConnectionId, Option<Box<Socket>>),
    Answered(Answer),
}

/// What happens next.
enum Next {
    Stop,
    GiveUp,
    Done(Done),
    Received(Received),
    Ping,
    Pace,
    Wake,
}

impl Firehose {
    /// Drives `ingest` with these.
    pub fn new(ingest: Ingest, ports: FirehosePorts) -> Self {
        Self {
            runner: Runner::new(ingest),
            ports,
            socket: None,
            opening: None,
            tasks: JoinSet::new(),
            goodbyes: JoinSet::new(),
        }
    }

    /// Runs until `stop` is there. Then what has been delivered is still taken over, and the cursors are kept, for up to
    /// ten seconds.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut is_stopping = false;
        let mut grace = pin!(tokio::time::sleep(Duration::MAX));
        let [mut pings, mut paces] = [self.runner.ingest.ping_every(), PACE_EVERY].map(every);
        loop {
            self.act();
            if self.runner.is_settled() {
                break;
            }
            let wake_in = self.wake_in();
            let wants_frames = self.runner.ingest.wants_frames();
            let is_open = self.socket.is_some();
            let next = tokio::select! {
                () = &mut stop, if !is_stopping => Next::Stop,
                () = &mut grace, if is_stopping => Next::GiveUp,
                Some(task) = self.tasks.join_next() => joined(task),
                received = receive(&mut self.socket), if is_open && wants_frames => {
                    Next::Received(received)
                }
                _ = pings.tick(), if is_open => Next::Ping,
                _ = paces.tick() => Next::Pace,
                () = tokio::time::sleep(wake_in) => Next::Wake,
            };
            match next {
                Next::Stop => {
                    is_stopping = true;
                    grace.set(tokio::time::sleep(GRACE));
                    self.runner.stop();
                }
                Next::GiveUp => break,
                Next::Done(done) => self.take(done),
                Next::Received(received) => self.take_received(received),
                Next::Ping => self.ping().await,
                Next::Pace => self.ports.store.pace(self.runner.ingest.pace(self.now())),
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
        let wake_at = self.runner.wake_at();
        wake_at.map_or(Duration::MAX, |at| at.saturating_sub(self.now()))
    }

    /// Does what is to be done.
    fn act(&mut self) {
        while let Some(step) = self.runner.next_step(self.now()) {
            match step {
                Step::Disconnect { connection } => self.disconnect(connection),
                Step::Report(notice) => self.ports.store.report(notice),
                Step::Connect { connection, url } => {
                    let sockets = self.ports.sockets.clone();
                    let task = self.tasks.spawn(async move {
                        let socket = sockets.open(&url).await;
                        Done::Connected(connection, socket.ok().map(Box::new))
                    });
                    self.opening = Some((connection, task));
                }
                Step::Ask(question) => {
                    let store = Arc::clone(&self.ports.store);
                    self.tasks
                        .spawn(async move { Done::Answered(store.answer(question).await) });
                }
            }
        }
    }

    fn take(&mut self, done: Done) {
        let now = self.now();
        match done {
            Done::Connected(connection, Some(socket)) => {
                // It may have taken longer than it may take.
                if self.runner.ingest.opened(connection, now) {
                    self.socket = Some((connection, *socket));
                }
            }
            Done::Connected(connection, None) => self.runner.ingest.closed(connection, now),
            Done::Answered(answer) => self.runner.answer(answer, now),
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
                if self.runner.ingest.frame(connection, &bytes, now).is_err() {
                    // It was asked before, and nothing has come since; a frame is not lost in any case.
                    self.hang_up();
                }
            }
            Received::SignOfLife => self.runner.ingest.heard(connection, now),
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
            self.runner.ingest.closed(connection, now);
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

fn joined(task: Result<Done, JoinError>) -> Next {
    match task.map_err(JoinError::try_into_panic) {
        Ok(done) => Next::Done(done),
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // It opened a connection that is not wanted any more.
        Err(Err(_)) => Next::Wake,
    }
}

impl std::fmt::Debug for Firehose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Firehose")
            .field("ingest", &self.runner.ingest)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for FirehosePorts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FirehosePorts").finish_non_exhaustive()
    }
}
