//! Follows the firehose into the index, and does what comes of it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use huddle_appview_indexer::{Indexer, Keeper, Requests, TakenOver};
use huddle_firehose::ingest::{
    Answer, Config, Ingest, Limits, LostTrack, Notice, Pace, Question, Source,
};
use huddle_native::{Firehose, FirehosePorts, FirehoseStore, OsRandom, SystemClock, TimerPause};
use huddle_ports::metrics::{INGEST_EVENTS, INGEST_LAG_SECONDS, SYNC_FAILURES};
use huddle_ports::{FetchLimits, Metrics, Random as _, Url};
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tracing::{debug, info, warn};

/// How often requests that wait for somebody are looked at again, and hosts are asked what they are called.
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// How often what is held is compared with what is published.
const CHECK_EVERY: Duration = Duration::from_hours(1);
/// So many hosts are asked at a time what they are called, and so many accounts what they have published.
const NAMES: u32 = 50;
const CHECKS: u32 = 200;
/// The most that a repository may take. Those of people who have posted for years come near it.
const REPOSITORY: FetchLimits = FetchLimits {
    timeout: Duration::from_mins(2),
    max_response_bytes: 128 << 20,
    max_redirects: 3,
};

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
        let keeper = Keeper {
            indexer: indexer.clone(),
            pause: Arc::new(TimerPause::new(Arc::new(SystemClock))),
            repository: REPOSITORY,
            on_failure: |error| warn!(%error, "the firehose waits for the index"),
        };
        let store = Arc::new(Store {
            keeper,
            asked: asked.clone(),
            metrics,
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
            warn!(%error, "what is over waits to be forgotten");
        }
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Keeps what comes of the firehose, and tells of it.
struct Store {
    keeper: Keeper,
    /// Told when there may be something to ask for.
    asked: Arc<Notify>,
    metrics: Arc<dyn Metrics>,
}

#[async_trait]
impl FirehoseStore for Store {
    async fn answer(&self, question: Question) -> Answer {
        let (answer, taken) = self.keeper.answer(question).await;
        if let Some(taken) = taken {
            self.tell(&taken);
        }
        answer
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
    fn tell(&self, taken: &TakenOver) {
        self.metrics.count(&INGEST_EVENTS, &[taken.kind]);
        if let Some(why) = taken.lost {
            info!(%why, "a repository is to be fetched later");
            self.metrics.count(&SYNC_FAILURES, &[reason(why)]);
        }
        for record in &taken.left_out {
            info!(record.collection, record.why, "a record is left out");
            self.metrics.count(&INGEST_EVENTS, &["left out"]);
        }
        if taken.asks {
            self.asked.notify_one();
        }
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
