//! Follows the firehose into the index, and does what comes of it.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use huddle_appview_indexer::{Indexer, Requests};
use huddle_core::index::IndexError;
use huddle_firehose::Account;
use huddle_firehose::ingest::{
    Config, Event, Ingest, Limits, LostTrack, News, Notice, Pace, Source,
};
use huddle_native::{Firehose, FirehosePorts, FirehoseStore, OsRandom};
use huddle_ports::metrics::{INGEST_EVENTS, INGEST_LAG_SECONDS, SYNC_FAILURES};
use huddle_ports::{Metrics, Random as _, Url};
use huddle_syntax::Did;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tracing::{debug, info, warn};

/// How long what failed rests before it is tried again: twice as long each time, up to the longest.
const FIRST_REST: Duration = Duration::from_millis(250);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// How often requests that wait for somebody are looked at again, and hosts are asked what they are called.
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// How often what is held is compared with what is published.
const CHECK_EVERY: Duration = Duration::from_hours(1);
/// So many hosts are asked at a time what they are called, and so many accounts what they have published.
const NAMES: u32 = 50;
const CHECKS: u32 = 200;
/// So many accounts are handed to the driver at a time, to be fetched.
const WANTED: u32 = 500;

/// A firehose that is about to be followed.
pub(crate) struct Following {
    indexer: Indexer,
    requests: Requests,
    asked: Arc<Notify>,
    firehose: Firehose,
}

impl Following {
    /// Goes on from what the index holds. `ports` are what the driver needs beside a store.
    pub(crate) async fn begin(
        hosts: &[Url],
        indexer: Indexer,
        requests: Requests,
        metrics: Arc<dyn Metrics>,
        ports: impl FnOnce(Arc<dyn FirehoseStore>) -> FirehosePorts,
    ) -> Result<Self> {
        let hosts = hosts.iter().map(Url::as_str);
        let config = Config {
            source: Source::Repos,
            hosts: hosts
                .map(|it| it.trim_end_matches('/').to_owned())
                .collect(),
            limits: Limits::default(),
        };
        let mut seed = [0; 8];
        OsRandom.fill(&mut seed);
        let seed = u64::from_le_bytes(seed);
        let (filter, cursors) = (indexer.filter().await?, indexer.cursors().await?);
        let ingest = Ingest::new(config, filter, &cursors, seed)?;
        let asked = Arc::new(Notify::new());
        let store = Arc::new(Store {
            indexer: indexer.clone(),
            asked: asked.clone(),
            metrics,
            lost_after: Mutex::new(Some(String::new())),
        });
        Ok(Self {
            indexer,
            requests,
            asked,
            firehose: Firehose::new(ingest, ports(store)),
        })
    }

    /// Follows it until `stop` is there.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = self.firehose.run(stop) => {}
            () = sweep(&self.requests, &self.indexer, &self.asked) => {}
            () = check(&self.indexer) => {}
        }
    }
}

/// Does what requests ask for whenever one has come, and every minute what had to wait; then names hosts.
async fn sweep(requests: &Requests, indexer: &Indexer, asked: &Notify) {
    let mut minutes = every(SWEEP_EVERY);
    loop {
        tokio::select! {
            () = asked.notified() => {}
            _ = minutes.tick() => {}
        }
        match requests.sweep().await {
            Ok(swept) => debug!(settled = swept.settled, waiting = swept.waiting, "requests"),
            Err(error) => warn!(%error, "requests wait"),
        }
        if let Err(error) = indexer.name_hosts(NAMES).await {
            warn!(%error, "hosts wait to be named");
        }
    }
}

/// Compares what is held with what is published, and forgets what has been kept for long enough.
async fn check(indexer: &Indexer) {
    let mut hours = every(CHECK_EVERY);
    loop {
        hours.tick().await;
        match indexer.check_drift(CHECKS).await {
            Ok(drift) => info!(
                drift.same,
                drift.different, drift.untold, "accounts compared"
            ),
            Err(error) => warn!(%error, "accounts wait to be compared"),
        }
        if let Err(error) = indexer.forget().await {
            warn!(%error, "replies wait to be forgotten");
        }
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// The index, as the driver of the firehose wants it.
struct Store {
    indexer: Indexer,
    /// Told when there may be something to ask for.
    asked: Arc<Notify>,
    metrics: Arc<dyn Metrics>,
    /// The last account that was wanted for it had lost track before the firehose began; `None` once those are through.
    lost_after: Mutex<Option<String>>,
}

/// Tries until it succeeds.
async fn persist<T, F: Future<Output = Result<T, IndexError>>>(attempt: impl Fn() -> F) -> T {
    let mut rest = FIRST_REST;
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(error) => warn!(%error, "the firehose waits for the index"),
        }
        tokio::time::sleep(rest).await;
        rest = (rest * 2).min(LONGEST_REST);
    }
}

#[async_trait]
impl FirehoseStore for Store {
    async fn account(&self, did: &str) -> Option<Account> {
        persist(|| self.indexer.account(did)).await
    }

    async fn take_over(&self, event: Event) {
        let taken = persist(|| self.indexer.take_over(&event)).await;
        self.metrics.count(&INGEST_EVENTS, &[kind(&event)]);
        if let Event::Account {
            news: News::Desynchronized(why),
            ..
        } = &event
        {
            info!(%why, "a repository is to be fetched later");
            self.metrics.count(&SYNC_FAILURES, &[reason(*why)]);
        }
        for record in &taken.left_out {
            info!(record.collection, record.why, "a record is left out");
            self.metrics.count(&INGEST_EVENTS, &["left out"]);
        }
        if taken.asks {
            self.asked.notify_one();
        }
    }

    async fn keep_cursor(&self, host: &str, cursor: Option<i64>) {
        persist(|| self.indexer.keep_cursor(host, cursor)).await;
    }

    async fn wanted(&self) -> Vec<String> {
        match self.next_wanted().await {
            Ok(dids) => dids.iter().map(Did::to_string).collect(),
            Err(error) => {
                warn!(%error, "repositories wait to be fetched");
                Vec::new()
            }
        }
    }

    fn report(&self, notice: Notice) {
        if let Notice::BadFrame { .. } | Notice::Rejected { .. } | Notice::NoKey { .. } = notice {
            self.metrics.count(&INGEST_EVENTS, &["rejected"]);
        }
        report(&notice);
    }

    fn pace(&self, pace: Pace) {
        if let Some(behind) = pace.behind {
            self.metrics
                .record(&INGEST_LAG_SECONDS, &[], behind.as_secs_f64());
        }
    }
}

impl Store {
    async fn next_wanted(&self) -> Result<Vec<Did>, IndexError> {
        let after = self.lost_after().clone();
        let Some(after) = after else {
            return self.indexer.stale("", WANTED).await;
        };
        let lost = self.indexer.lost(&after, WANTED).await?;
        *self.lost_after() = lost.last().map(Did::to_string);
        Ok(lost)
    }

    fn lost_after(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.lost_after
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// One word for what an event is.
fn kind(event: &Event) -> &'static str {
    let news = match event {
        Event::Gap { .. } => return "gap",
        Event::Account { news, .. } => news,
    };
    match news {
        News::Changes { .. } => "changes",
        News::Repository { .. } => "repository",
        News::Identity { .. } => "identity",
        News::Hosting(_) => "hosting",
        News::Desynchronized(_) => "desynchronized",
    }
}

/// One word for why a repository could not be had.
fn reason(why: LostTrack) -> &'static str {
    match why {
        LostTrack::Identity => "identity",
        LostTrack::Unavailable => "unavailable",
        LostTrack::Postponed => "postponed",
        LostTrack::Refused(_) => "refused",
    }
}

/// Says what the driver tells, and of whom nobody.
fn report(notice: &Notice) {
    match notice {
        Notice::Connected { host } => info!(host, "the firehose is connected"),
        Notice::Disconnected { host, why, .. } => warn!(host, ?why, "the firehose is disconnected"),
        Notice::Info { name, message } => info!(name, message, "the firehose says"),
        Notice::BadFrame { why } => warn!(%why, "the firehose sent no event"),
        Notice::Rejected { seq, why, .. } => info!(seq, %why, "an event is not taken"),
        Notice::NoKey { seq, .. } => info!(seq, "an event is of an account without a key"),
    }
}
