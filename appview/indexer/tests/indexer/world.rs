//! A network in memory, an index, and what drives the one into the other.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use huddle_appview_indexer::{Indexer, LeftOut, Ports};
use huddle_core::index::{Index, IndexError, Statement};
use huddle_core::sql::{Row, Value};
use huddle_firehose::ingest::{Action, Config, ConnectionId, Ingest, Limits, Source};
use huddle_identity::{IdentityConfig, IdentityResolver};
use huddle_native::SqliteIndex;
use huddle_ports::{
    Bytes, Clock as _, Fetch, FetchError, FetchLimits, FetchPolicy, MemoryCache, Request, Response,
    Timestamp, Url,
};
use huddle_syntax::{Did, Handle, RecordKey};
use huddle_testkit::network::Places;
use huddle_testkit::{CountingRandom, Network, SteppingClock};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_796_000_000_000);
/// The most bytes of a record that is kept.
pub(crate) const RECORD_BYTES: u32 = 4096;
pub(crate) const HOST: &str = "wss://pds.test";

/// Fails when it is told to.
pub(crate) struct Faulty {
    inner: Arc<SqliteIndex>,
    /// How many calls are still answered.
    left: AtomicUsize,
    /// Whether the call after those is carried out all the same.
    is_late: bool,
}

impl Faulty {
    fn fails(&self) -> bool {
        let left = &self.left;
        let spend = |left: usize| left.checked_sub(1);
        left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, spend)
            .is_err()
    }

    fn problem() -> IndexError {
        IndexError("told to fail".to_owned())
    }
}

#[async_trait]
impl Index for Faulty {
    async fn query(&self, statement: Statement) -> Result<Vec<Row>, IndexError> {
        if self.fails() {
            return Err(Self::problem());
        }
        self.inner.query(statement).await
    }

    async fn batch(&self, statements: Vec<Statement>) -> Result<(), IndexError> {
        let fails = self.fails();
        if fails && !self.is_late {
            return Err(Self::problem());
        }
        self.inner.batch(statements).await?;
        if fails { Err(Self::problem()) } else { Ok(()) }
    }
}

/// The hosts of accounts, watched; they may give no answers.
pub(crate) struct Hosts {
    network: Arc<Network>,
    answers: Answers,
    asked: Mutex<Vec<Request>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    AtOnce,
    /// The connection is refused.
    Refused,
    Never,
    /// At once, but for the first.
    NeverTheFirst,
}

impl Hosts {
    /// What they were asked so far.
    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Fetch for Hosts {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        let is_first = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(request.clone());
            asked.len() == 1
        };
        match self.answers {
            Answers::Refused => Err(FetchError::Timeout),
            Answers::Never => std::future::pending().await,
            Answers::NeverTheFirst if is_first => std::future::pending().await,
            Answers::AtOnce | Answers::NeverTheFirst => self.network.fetch(request).await,
        }
    }
}

/// All that there is.
pub(crate) struct World {
    pub(crate) clock: Arc<SteppingClock>,
    pub(crate) network: Arc<Network>,
    pub(crate) index: Arc<SqliteIndex>,
}

pub(crate) fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

pub(crate) fn rkey(text: &str) -> RecordKey {
    text.parse().unwrap()
}

pub(crate) fn handle(name: &str) -> Handle {
    format!("{name}.example.com").parse().unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(SteppingClock::at(NOW));
        let places = Places {
            directory: url("https://plc.test"),
            host: url("https://pds.test"),
        };
        let random = Arc::new(CountingRandom::default());
        Self {
            network: Arc::new(Network::new(places, clock.clone(), random)),
            index: Arc::new(SqliteIndex::in_memory().unwrap()),
            clock,
        }
    }

    pub(crate) fn sign_up(&self, name: &str) -> Did {
        self.network.sign_up(&handle(name))
    }

    pub(crate) fn identity(&self) -> IdentityResolver {
        let config = IdentityConfig {
            plc_directory: url("https://plc.test"),
            policy: FetchPolicy::development(),
            ..IdentityConfig::default()
        };
        let cache = Arc::new(MemoryCache::new(self.clock.clone()));
        let (network, clock) = (self.network.clone(), self.clock.clone());
        IdentityResolver::new(network.clone(), network, cache, clock, config)
    }

    pub(crate) fn hosts(&self, answers: Answers) -> Arc<Hosts> {
        Arc::new(Hosts {
            network: self.network.clone(),
            answers,
            asked: Mutex::default(),
        })
    }

    pub(crate) fn indexer_over(&self, index: Arc<dyn Index>) -> Indexer {
        self.indexer_with(index, self.network.clone())
    }

    /// An indexer that asks these hosts.
    pub(crate) fn indexer_asking(&self, hosts: Arc<Hosts>) -> Indexer {
        self.indexer_with(self.index.clone(), hosts)
    }

    fn indexer_with(&self, index: Arc<dyn Index>, fetch: Arc<dyn Fetch>) -> Indexer {
        Indexer::new(Ports {
            index,
            identity: self.identity(),
            fetch,
            cache: Arc::new(MemoryCache::new(self.clock.clone())),
            clock: self.clock.clone(),
            record_bytes: RECORD_BYTES,
        })
    }

    pub(crate) fn indexer(&self) -> Indexer {
        self.indexer_over(self.index.clone())
    }

    /// An indexer whose index answers so many calls; the next one may be carried out, but is not answered either.
    pub(crate) fn failing_indexer(&self, left: usize, is_late: bool) -> Indexer {
        self.indexer_over(Arc::new(Faulty {
            inner: self.index.clone(),
            left: AtomicUsize::new(left),
            is_late,
        }))
    }

    /// Follows the stream to its end.
    pub(crate) async fn follow(&self) -> Vec<LeftOut> {
        Process::start(self, self.indexer())
            .await
            .unwrap()
            .run()
            .await
            .unwrap()
    }

    /// All rows of all tables, but for the numbers that rows have.
    pub(crate) async fn dump(&self) -> Vec<String> {
        let mut dump = Vec::new();
        for sql in [
            // How far a repository was known that is gone depends on when it was asked for.
            "SELECT 'repos', did, hosting, iif(hosting = 'deleted', NULL, rev), data, \
             iif(hosting = 'deleted', NULL, base), stale FROM repos ORDER BY did",
            "SELECT 'people', did, handle, offered IS NULL FROM people ORDER BY did",
            "SELECT 'words', p.did, w.words FROM host_words w LEFT JOIN people p ON p.id = w.rowid ORDER BY 2",
            "SELECT 'services', did, rev, cid, appview FROM services ORDER BY did",
            "SELECT 'offers', uri, host_did, rev, cid, kind, starts, ends, policy, mode, note, record FROM offers ORDER BY uri",
            "SELECT 'requests', uri, version, guest_did, host_did, rev, record, state FROM requests ORDER BY uri, version",
            "SELECT 'audit', subject, kind, detail FROM audit ORDER BY id",
        ] {
            dump.extend(self.rows(sql).await);
        }
        dump
    }

    pub(crate) async fn rows(&self, sql: &'static str) -> Vec<String> {
        let bindings = vec![];
        let rows = self.index.query(Statement { sql, bindings }).await.unwrap();
        let value = |value: &Value| match value {
            Value::Null => "-".to_owned(),
            Value::Integer(integer) => integer.to_string(),
            Value::Text(text) => text.clone(),
        };
        let row = |row: &Row| row.0.iter().map(value).collect::<Vec<_>>().join(" | ");
        rows.iter().map(row).collect()
    }
}

/// A process that follows the stream, until it ends or the index fails.
pub(crate) struct Process<'w> {
    world: &'w World,
    indexer: Indexer,
    ingest: Ingest,
    connection: Option<ConnectionId>,
    frames: VecDeque<Bytes>,
    left_out: Vec<LeftOut>,
}

impl<'w> Process<'w> {
    pub(crate) async fn start(world: &'w World, indexer: Indexer) -> Result<Self, IndexError> {
        let config = Config {
            source: Source::Repos,
            hosts: vec![HOST.to_owned()],
            limits: Limits::default(),
        };
        let (filter, cursors) = (indexer.filter().await?, indexer.cursors().await?);
        let mut ingest = Ingest::new(config, filter, &cursors, 1).unwrap();
        for did in indexer.lost("", 100).await? {
            ingest.resync(did.as_str()).unwrap();
        }
        Ok(Self {
            world,
            indexer,
            ingest,
            connection: None,
            frames: VecDeque::new(),
            left_out: Vec::new(),
        })
    }

    fn now(&self) -> Duration {
        let millis = self.world.clock.now().as_millis();
        Duration::from_millis(millis.try_into().unwrap())
    }

    /// Follows the stream to its end; says which records were left out.
    pub(crate) async fn run(mut self) -> Result<Vec<LeftOut>, IndexError> {
        loop {
            while let Some(action) = self.ingest.next_action(self.now()) {
                self.act(action).await?;
            }
            if let (Some(connection), Some(frame)) = (self.connection, self.frames.pop_front()) {
                self.ingest.frame(connection, &frame, self.now()).unwrap();
            } else if self.ingest.queued().0 > 0 {
                // Something waits for its time to come.
                let at = self.ingest.wake_at().expect("what waits is woken");
                let wait = at.saturating_sub(self.now());
                self.world.clock.step(wait);
            } else {
                let stale = self.indexer.stale("", 100).await?;
                if stale.is_empty() {
                    break;
                }
                for did in stale {
                    self.ingest.resync(did.as_str()).unwrap();
                }
            }
        }
        self.ingest.stop();
        while let Some(action) = self.ingest.next_action(self.now()) {
            self.act(action).await?;
        }
        Ok(self.left_out)
    }

    async fn act(&mut self, action: Action) -> Result<(), IndexError> {
        let now = self.now();
        match action {
            Action::Connect {
                connection,
                url: at,
            } => {
                let at = url(&at);
                let mut pairs = at.query_pairs();
                let cursor = pairs.find(|(name, _)| name == "cursor");
                let cursor = cursor.map(|(_, cursor)| cursor.parse().unwrap());
                self.ingest.opened(connection, now);
                self.connection = Some(connection);
                self.frames = self.world.network.events_after(cursor).into();
            }
            Action::ReadAccount { did } => {
                let account = self.indexer.account(&did).await?;
                self.ingest.account(&did, account);
            }
            Action::FindIdentity { did } => {
                let found = self.indexer.identity(&did).await;
                self.ingest.identity(&did, found, now);
            }
            Action::FetchRepository { did } => {
                let car = self.indexer.repository(&did, FetchLimits::default()).await;
                let car = car.as_deref().map_err(|why| *why);
                self.ingest.repository(&did, car, now);
            }
            Action::Deliver { ticket, event } => {
                let taken = self.indexer.take_over(&event).await?;
                self.left_out.extend(taken.left_out);
                self.ingest.done(ticket);
            }
            Action::KeepCursor { host, cursor } => {
                self.indexer.keep_cursor(&host, cursor).await?;
            }
            Action::Disconnect { .. } | Action::Report(_) => {}
        }
        Ok(())
    }
}
