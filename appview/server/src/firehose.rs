//! Follows the firehose into the index, and does what comes of it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use huddle_appview_indexer::{Indexer, Keeper, Measured, Requests, TakenOver};
use huddle_firehose::ingest::{Answer, Config, Ingest, Limits, Notice, Pace, Question, Source};
use huddle_native::{Firehose, FirehosePorts, FirehoseStore, OsRandom, SystemClock, TimerPause};
use huddle_ports::{FetchLimits, Metrics, Random as _, Url};
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tracing::{debug, info, warn};

/// How often requests that wait for somebody are looked at again.
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// How often it is looked for people whose names are not known: who books for the first time is soon to be called by it.
const NAME_EVERY: Duration = Duration::from_secs(10);
/// How often what is over is forgotten.
const FORGET_EVERY: Duration = Duration::from_hours(1);
/// So many people are named at a time, and so many accounts asked what they have published.
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
    measured: Measured,
    check_every: Duration,
}

impl Following {
    /// Goes on from what the index holds, and every so often compares that with what is published. `ports` are what the
    /// driver needs beside a store.
    pub(crate) async fn begin(
        hosts: &[Url],
        indexer: Indexer,
        requests: Requests,
        metrics: Arc<dyn Metrics>,
        check_every: Duration,
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
        let measured = Measured::new(metrics, Arc::new(SystemClock));
        let store = Arc::new(Store {
            keeper,
            asked: asked.clone(),
            measured: measured.clone(),
        });
        Ok(Self {
            indexer,
            requests,
            asked,
            firehose: Firehose::new(ingest, ports(store)),
            measured,
            check_every,
        })
    }

    /// Follows it until `stop` is there.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = self.firehose.run(stop) => {}
            () = sweep(&self.requests, &self.asked) => {}
            () = name(&self.indexer) => {}
            () = check(&self.indexer, &self.measured, self.check_every) => {}
            () = forget(&self.indexer) => {}
        }
    }
}

/// Does what requests ask for whenever one has come, and every minute what had to wait.
async fn sweep(requests: &Requests, asked: &Notify) {
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
    }
}

/// Looks up what people are called. What they have asked for does not wait for that: whoever knows may be slow to answer.
async fn name(indexer: &Indexer) {
    let mut times = every(NAME_EVERY);
    loop {
        times.tick().await;
        if let Err(error) = indexer.name_hosts(NAMES).await {
            warn!(%error, "people wait to be named");
        }
    }
}

/// Compares what is held with what is published.
async fn check(indexer: &Indexer, measured: &Measured, period: Duration) {
    let mut times = every(period);
    loop {
        times.tick().await;
        match indexer.check_drift(CHECKS).await {
            Ok(drift) => {
                info!(
                    drift.same,
                    drift.different, drift.untold, "accounts compared"
                );
                measured.compared(drift);
            }
            Err(error) => warn!(%error, "accounts wait to be compared"),
        }
    }
}

/// Forgets what has been kept for long enough.
async fn forget(indexer: &Indexer) {
    let mut hours = every(FORGET_EVERY);
    loop {
        hours.tick().await;
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
    measured: Measured,
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
        self.measured.notice(&notice);
        report(&notice);
    }

    fn pace(&self, pace: Pace) {
        self.measured.pace(pace);
    }
}

impl Store {
    fn tell(&self, taken: &TakenOver) {
        self.measured.taken_over(taken);
        if let Some(why) = taken.lost {
            info!(%why, "a repository is to be fetched later");
        }
        for record in &taken.left_out {
            info!(record.collection, record.why, "a record is left out");
        }
        if taken.asks {
            self.asked.notify_one();
        }
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

#[cfg(test)]
mod tests {
    use std::future::pending;

    use huddle_appview_indexer::Ports;
    use huddle_appview_router::MetricsRegistry;
    use huddle_core::Limits;
    use huddle_core::booking::BookingIds;
    use huddle_core::flows::Flows;
    use huddle_core::index::{Index as _, Statement, people, repos};
    use huddle_identity::{IdentityConfig, IdentityResolver};
    use huddle_lexicon::com::huddle::service::Service;
    use huddle_native::{ActorStore, SqliteIndex};
    use huddle_ports::{Fetch, FetchError, FetchPolicy, MemoryCache, Request, Response, Timestamp};
    use huddle_testkit::network::{Network, Places};
    use huddle_testkit::{CountingRandom, ListedWindows, SteppingClock};
    use tokio::task::yield_now;

    use super::*;

    /// A network and an index.
    struct World {
        clock: Arc<SteppingClock>,
        network: Arc<Network>,
        index: Arc<SqliteIndex>,
    }

    impl World {
        fn new() -> Self {
            let clock = Arc::new(SteppingClock::at(Timestamp::from_millis(1_800_000_000_000)));
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

        /// An indexer that asks the hosts of accounts by this.
        fn indexer(&self, fetch: Arc<dyn Fetch>) -> Indexer {
            let cache = Arc::new(MemoryCache::new(self.clock.clone()));
            let config = IdentityConfig {
                plc_directory: url("https://plc.test"),
                policy: FetchPolicy::development(),
                ..IdentityConfig::default()
            };
            let (network, clock) = (self.network.clone(), self.clock.clone());
            Indexer::new(Ports {
                index: self.index.clone(),
                identity: IdentityResolver::new(
                    network.clone(),
                    network,
                    cache.clone(),
                    clock.clone(),
                    config,
                ),
                fetch,
                cache,
                clock,
                record_bytes: Limits::default().record_bytes,
            })
        }

        fn requests(&self, indexer: Indexer) -> Requests {
            let actors = ActorStore::in_memory(self.clock.clone(), Limits::default()).unwrap();
            let windows = Arc::new(ListedWindows::default());
            let limits = Arc::new(Limits::default());
            let flows = Flows::new(Arc::new(actors), windows, self.clock.clone(), limits);
            let us = "did:web:huddle.example".parse().unwrap();
            Requests::new(indexer, flows, BookingIds::new(&[7; 32]), us)
        }
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    /// Answers nobody, and tells when it was asked.
    #[derive(Default)]
    struct Silent(Notify);

    #[async_trait]
    impl Fetch for Silent {
        async fn fetch(&self, _: Request) -> Result<Response, FetchError> {
            self.0.notify_one();
            pending().await
        }
    }

    #[tokio::test]
    async fn a_request_does_not_wait_for_whoever_is_slow_to_say_what_people_are_called() {
        let world = World::new();
        let ada = world.network.sign_up(&"ada.example.com".parse().unwrap());
        let bob = world.network.sign_up(&"bob.example.com".parse().unwrap());
        let now = Timestamp::from_millis(0);
        let meet = people::meet([&ada, &bob], now, now);
        world.index.batch(vec![meet]).await.unwrap();
        let silent = Arc::new(Silent::default());
        let indexer = world.indexer(silent.clone());
        let requests = world.requests(indexer.clone());
        let asked = Notify::new();
        let run = |sql| {
            let bindings = vec![];
            world.index.query(Statement { sql, bindings })
        };
        tokio::select! {
            () = sweep(&requests, &asked) => panic!("it goes on"),
            () = name(&indexer) => panic!("it goes on"),
            () = async {
                silent.0.notified().await;
                run("INSERT INTO requests \
                     (uri, version, guest_did, host_did, rev, record, first_seen, state) \
                     VALUES ('at://did:web:bob.example/com.huddle.bookingRequest/a', 'v', \
                     'did:web:bob.example', 'did:web:ada.example', 'a', '{}', 0, 'withdrawing')")
                .await
                .unwrap();
                asked.notify_one();
                let open = "SELECT uri FROM requests WHERE state = 'withdrawing'";
                while !run(open).await.unwrap().is_empty() {
                    yield_now().await;
                }
            } => {}
        }
    }

    /// Waits until that many accounts were found to have published something else than is held.
    async fn until_different(registry: &MetricsRegistry, times: u32) {
        let line = format!("huddle_drift_checks_total{{outcome=\"different\"}} {times}.0\n");
        while !registry.text().contains(&line) {
            yield_now().await;
        }
    }

    #[tokio::test]
    async fn accounts_are_compared_again_and_again_and_that_is_measured() {
        let world = World::new();
        let World {
            clock,
            network,
            index,
        } = &world;
        let indexer = world.indexer(network.clone());
        // Of whom nothing is held.
        let ada = network.sign_up(&"ada.example.com".parse().unwrap());
        let service = Service::new(ada.clone(), "2026-01-01T00:00:00Z".parse().unwrap());
        let rkey = "self".parse().unwrap();
        network.put(&ada, &rkey, &service).unwrap();
        index
            .batch(vec![repos::follow(ada.as_str())])
            .await
            .unwrap();

        let registry = Arc::new(MetricsRegistry::new());
        let measured = Measured::new(registry.clone(), clock.clone());
        tokio::select! {
            () = check(&indexer, &measured, Duration::from_millis(1)) => panic!("it goes on"),
            () = async {
                until_different(&registry, 1).await;
                clock.step(Duration::from_hours(25));
                until_different(&registry, 2).await;
            } => {}
        }
        let told = registry.text();
        assert!(
            told.contains("huddle_drift_checked_timestamp_seconds{} "),
            "{told}"
        );
    }
}
