//! How fast a firehose comes into the index, from the socket to the disk, with everything verified: of frames that are
//! of interest, of a flood of others, and how long it takes until a single record that was written is found. The
//! network that is followed is made up, and its firehose is on loopback; it shares the machine.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark measures time, prints it, and may end in a panic"
)]

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::{SinkExt as _, StreamExt as _};
use huddle_appview_indexer::{Indexer, Keeper, Ports};
use huddle_core::index::{Index as _, Statement};
use huddle_firehose::Tid;
use huddle_firehose::ingest::{Allowance, Answer, Config, Ingest, Limits, Question, Source};
use huddle_identity::{IdentityConfig, IdentityResolver};
use huddle_lexicon::com::huddle::defs::Policy;
use huddle_lexicon::com::huddle::slot_offer::SlotOffer;
use huddle_native::{
    Firehose, FirehosePorts, FirehoseStore, OsRandom, SqliteIndex, SystemClock, SystemDns,
    TimerPause, WebSockets,
};
use huddle_ports::{Clock as _, FetchLimits, FetchPolicy, MemoryCache, Url};
use huddle_syntax::{Datetime, Did};
use huddle_testkit::Network;
use huddle_testkit::network::Places;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

/// Of each account there is what every account begins with, and so many offers.
const HOSTS: usize = 1_000;
const OFFERS: usize = 8;
const OTHERS: usize = 50_000;
const SINGLE: usize = 200;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(measure());
}

async fn measure() {
    let (wanted, index) = (Scene::start().await, "SELECT count(*) FROM offers");
    let hosts: Vec<Did> = (0..HOSTS).map(|number| wanted.sign_up(number)).collect();
    for host in &hosts {
        for offer in 0..OFFERS {
            wanted.offer(host, offer);
        }
    }
    let offers = HOSTS * OFFERS;
    let took = wanted.follow_until(index, offers).await;
    row("commits with an offer, of new hosts", offers, took);
    wanted.is_silent.store(true, Ordering::SeqCst);
    for host in &hosts {
        for offer in OFFERS..2 * OFFERS {
            wanted.offer(host, offer);
        }
    }
    let begun = Instant::now();
    wanted.is_silent.store(false, Ordering::SeqCst);
    wanted.until(index, 2 * offers).await;
    row(
        "commits with an offer, of known hosts",
        offers,
        begun.elapsed(),
    );
    Scene::tell_memory();

    let others = Scene::start().await;
    let somebody = others.sign_up(0);
    let post = "app.bsky.feed.post".parse().unwrap();
    for number in 0..OTHERS {
        // One record that changes all the time: trees of the stand-in are built anew with each commit.
        let record = huddle_syntax::data::to_cbor(&serde_json::json!({
            "$type": "app.bsky.feed.post", "text": number.to_string(),
        }));
        let key = "3kaaaaaaaaa22".parse().unwrap();
        others
            .network
            .put_bytes(&somebody, &post, &key, record.unwrap())
            .unwrap();
    }
    let host = others.sign_up(1);
    others.offer(&host, 0);
    let took = others.follow_until(index, 1).await;
    row("commits of others, passed over", OTHERS, took);
    Scene::tell_memory();

    let mut times = Vec::new();
    for offer in 1..=SINGLE {
        let begun = Instant::now();
        others.offer(&host, offer);
        others.until(index, offer + 1).await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    println!(
        "from a write until it is found: p50 {:.1?}, p99 {:.1?}",
        times[SINGLE / 2],
        times[SINGLE * 99 / 100]
    );
}

fn row(what: &str, count: usize, took: Duration) {
    let count = f64::from(u32::try_from(count).unwrap());
    println!("{what}: {:.0} a second", count / took.as_secs_f64());
}

/// A network, and who follows it.
struct Scene {
    network: Arc<Network>,
    index: Arc<SqliteIndex>,
    firehose: Url,
    following: std::sync::OnceLock<JoinHandle<()>>,
    /// Whether the network keeps what is new to itself for now.
    is_silent: Arc<AtomicBool>,
    _folder: TempDir,
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(following) = self.following.get() {
            following.abort();
        }
    }
}

impl Scene {
    async fn start() -> Self {
        let place = |text| Url::parse(text).unwrap();
        let places = Places {
            directory: place("https://plc.test"),
            host: place("https://pds.test"),
        };
        let network = Network::new(places, Arc::new(SystemClock), Arc::new(OsRandom));
        let network = Arc::new(network);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let firehose = format!("ws://{}", listener.local_addr().unwrap());
        let is_silent = Arc::new(AtomicBool::new(false));
        let telling = (network.clone(), is_silent.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (network, is_silent) = telling.clone();
                tokio::spawn(tell(network, is_silent, stream));
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let index = SqliteIndex::open(&folder.path().join("index.sqlite")).unwrap();
        Self {
            network,
            index: Arc::new(index),
            firehose: place(&firehose),
            following: std::sync::OnceLock::new(),
            is_silent,
            _folder: folder,
        }
    }

    fn sign_up(&self, number: usize) -> Did {
        let handle = format!("host{number}.test").parse().unwrap();
        self.network.sign_up(&handle)
    }

    fn offer(&self, host: &Did, nth: usize) {
        let now = SystemClock.now();
        let at = |hours| {
            let time = now + Duration::from_hours(hours);
            Datetime::from_timestamp_millis(time.as_millis()).unwrap()
        };
        let offer = SlotOffer::new(at(24), at(32), Policy::Anyone, at(0));
        let key = Tid::from_time(Duration::from_secs(nth as u64))
            .to_string()
            .parse()
            .unwrap();
        self.network.put(host, &key, &offer).unwrap();
    }

    /// Follows the firehose from its beginning, and says how long it took until so many rows were there.
    async fn follow_until(&self, count: &'static str, rows: usize) -> Duration {
        let begun = Instant::now();
        let firehose = self.firehose().await;
        let following = tokio::spawn(firehose.run(std::future::pending()));
        self.following.set(following).unwrap();
        self.until(count, rows).await;
        begun.elapsed()
    }

    async fn until(&self, sql: &'static str, rows: usize) {
        loop {
            let statement = Statement {
                sql,
                bindings: vec![],
            };
            let answer = self.index.query(statement).await.unwrap();
            if answer[0].get::<u32>(0).unwrap() as usize >= rows {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn firehose(&self) -> Firehose {
        let clock = Arc::new(SystemClock);
        let cache = Arc::new(MemoryCache::new(clock.clone()));
        let config = IdentityConfig {
            plc_directory: self.network.places().directory.clone(),
            ..IdentityConfig::default()
        };
        let (fetch, dns) = (self.network.clone(), self.network.clone());
        let identity = IdentityResolver::new(fetch, dns, cache.clone(), clock.clone(), config);
        let indexer = Indexer::new(Ports {
            index: self.index.clone(),
            identity,
            fetch: self.network.clone(),
            cache,
            clock: clock.clone(),
            record_bytes: huddle_core::Limits::default().record_bytes,
        });
        let config = Config {
            source: Source::Repos,
            hosts: vec![self.firehose.as_str().trim_end_matches('/').to_owned()],
            limits: limits(),
        };
        let filter = indexer.filter().await.unwrap();
        // From the first event on: without a cursor, it would begin with what comes next.
        let cursors = BTreeMap::from([(config.hosts[0].clone(), 0)]);
        let ingest = Ingest::new(config, filter, &cursors, 7).unwrap();
        let dns = Arc::new(SystemDns::new().unwrap());
        let sockets = WebSockets::new(dns, FetchPolicy::development(), "huddle-bench", &[]);
        let keeper = Keeper {
            indexer,
            pause: Arc::new(TimerPause::new(clock.clone())),
            repository: FetchLimits::default(),
            on_failure: |error| panic!("{error}"),
        };
        Firehose::new(
            ingest,
            FirehosePorts {
                store: Arc::new(Store(keeper)),
                sockets: sockets.unwrap(),
                clock,
            },
        )
    }

    /// The most memory that the process has had so far, the made-up network included.
    fn tell_memory() {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find(|line| line.starts_with("VmHWM"));
        println!("  {}", peak.unwrap_or("memory: not known here"));
    }
}

/// Whoever is new has their repository fetched once. All are at one host here, which is to be spared nothing.
fn limits() -> Limits {
    let all = Allowance {
        burst: u32::MAX,
        every: Duration::from_millis(1),
    };
    Limits {
        fetches: all,
        fetches_of_one_host: all,
        ..Limits::default()
    }
}

struct Store(Keeper);

#[async_trait]
impl FirehoseStore for Store {
    async fn answer(&self, question: Question) -> Answer {
        self.0.answer(question).await.0
    }
}

/// Tells one listener of everything, and then of what is new.
async fn tell(network: Arc<Network>, is_silent: Arc<AtomicBool>, stream: TcpStream) {
    let (mut to, _from) = tokio_tungstenite::accept_async(stream)
        .await
        .unwrap()
        .split();
    let mut cursor = 0;
    loop {
        let silent = is_silent.load(Ordering::SeqCst);
        let new = || network.events_after(Some(cursor));
        for event in (!silent).then(new).unwrap_or_default() {
            cursor += 1;
            if to.feed(Message::Binary(event)).await.is_err() {
                return;
            }
        }
        if to.flush().await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
}
