//! `huddle serve`, and what an app that embeds the AppView starts.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use huddle_appview_indexer::{Indexer, Ports, Requests};
use huddle_appview_router::{MetricsRegistry, Operations, OperatorPages};
use huddle_calendars::CalendarPorts;
use huddle_core::booking::BookingIds;
use huddle_core::index::Index;
use huddle_core::matching::{Matching, Sources};
use huddle_graph::BlueskyGraph;
use huddle_identity::{IdentityConfig, IdentityResolver};
use huddle_native::{
    ActorStore, Database, FirehosePorts, FirehoseStore, OsRandom, ReqwestTransport, SqliteIndex,
    SystemClock, SystemDns, WebSockets,
};
use huddle_ports::{Cache, Clock, Fetch, FetchPolicy, GuardedFetch, MemoryCache, Url};
use huddle_schedule::disclosure::DisclosureKey;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::sleep;
use tracing::{info, warn};

use crate::app::{App, Parts};
use crate::calendars::Connecting;
use crate::config::Config;
use crate::firehose::Following;
use crate::listen::{self, Patience};
use crate::secrets::{self, Secret};
use crate::{backlog, client_address, installation, request_id};

impl Config {
    /// Serves until the process is told to stop, and then finishes what has begun, unless it is told once more.
    pub(crate) async fn run(self) -> Result<()> {
        // Before anybody can know of it, and so tell it to end.
        let mut signals = Signals::listen().context("cannot hear of signals")?;
        let listener = TcpListener::bind(self.listen).await.with_context(|| {
            format!(
                "cannot listen at {}: name another with --listen",
                self.listen
            )
        })?;
        let (stop, stopped) = oneshot::channel::<()>();
        let mut serving = pin!(self.serve(listener, async {
            // Nothing is ever sent: it is the sender's end that counts.
            let _ = stopped.await;
        }));
        tokio::select! {
            done = &mut serving => return done,
            () = signals.next() => drop(stop),
        }
        info!("told to end: what has begun is finished first");
        tokio::select! {
            done = serving => done,
            () = signals.next() => bail!("told to end twice, and so without finishing what had begun"),
            // Whoever never ends their request would keep it for ever. Nothing that was answered is lost.
            () = sleep(DRAIN) => bail!("some requests did not end within {} seconds", DRAIN.as_secs()),
        }
    }

    /// Serves at `listener` until `stop` is there.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) -> Result<()> {
        let service = self.service.clone();
        let running = self.start().await?;
        info!(address = %listener.local_addr()?, %service, "listening");
        let router = running.router();
        listen::serve(listener, router, Patience::default(), stop).await;
        info!("stopping");
        running.finish().await
    }

    /// Starts what an AppView does beside answering: it follows the firehose, and works off what bookings leave to be
    /// done. [`Running::router`] is to be served by whoever asks. Links for people lead to [`Self::public_url`], or without
    /// it to [`Self::listen`], which is not listened at here.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from beginning, with what to do about it: a limit out of its range, a folder that is served
    /// already, a folder or a database that cannot be opened, or keys that cannot be read.
    pub async fn start(self) -> Result<Running> {
        self.limits.0.check().context("limits")?;
        for gap in self.missing_for_production() {
            warn!("not for production yet: {gap}");
        }
        let claim = self.claim()?;
        let network = self.network()?;
        let (parts, indexer) = self.parts(&network)?;
        let (ids, metrics) = (parts.ids.clone(), parts.operations.metrics.clone());
        let is_measured = parts.operations.pages.is_some();
        let App {
            router,
            pump,
            flows,
        } = parts.assemble();
        let requests = Requests::new(indexer.clone(), flows, ids, self.service.did().clone());
        let following = match &self.firehose[..] {
            [] => None,
            hosts => {
                let ways = |store| network.firehose(store);
                let compare = Duration::from_secs(self.limits.0.drift_secs.into());
                let metrics = metrics.clone();
                let begun = Following::begin(hosts, indexer, requests, metrics, compare, ways);
                Some(begun.await.context("the firehose cannot begin")?)
            }
        };
        let (ending, ended) = watch::channel(());
        let until_finished = || {
            let mut ended = ended.clone();
            async move {
                // Nothing is ever sent: it is the sender's end that counts.
                let _ = ended.changed().await;
            }
        };
        let folder = self.data.path().to_owned();
        Ok(Running {
            router: request_id::named(client_address::noted(router, self.client_address_header)),
            pump: tokio::spawn(pump.run(until_finished())),
            following: following.map(|it| tokio::spawn(it.run(until_finished()))),
            measuring: is_measured.then(|| {
                let finished = until_finished();
                tokio::spawn(async move {
                    tokio::select! {
                        () = backlog::measure(folder, metrics) => {}
                        () = finished => {}
                    }
                })
            }),
            ending,
            _claim: claim,
        })
    }

    /// Makes the folder if there is none, and takes the right to serve it.
    fn claim(&self) -> Result<File> {
        let data = self.data.path();
        // What is in it is nobody else's business on this machine.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data)
            .with_context(|| format!("cannot make the folder {}", data.display()))?;
        installation::claim(data)
    }

    /// The parts, and the indexer that is one of them.
    fn parts(&self, network: &Network) -> Result<(Parts, Indexer)> {
        let data = self.data.path();
        let clock = network.clock.clone();
        let limits = self.limits.0.clone();
        let index = Arc::new(SqliteIndex::open(&Database::Index.path(data))?);
        let secret = |secret: &Secret| secret.load_or_make(data, &OsRandom);
        let actors = Database::Actors.path(data);
        let actors = Arc::new(ActorStore::open(&actors, clock.clone(), limits.clone())?);
        let graph_cache = Duration::from_secs(limits.graph_cache_secs.into());
        let operations = self.operations()?;
        let connecting = self.connecting(network, actors.clone())?;
        let connecting = connecting.measured(operations.metrics.clone());
        let sources = Sources {
            index: index.clone(),
            actors: actors.clone(),
            relationships: Arc::new(network.graph(self.graph.clone(), graph_cache)),
            calendars: Arc::new(connecting.calendars.clone()),
            clock: clock.clone(),
        };
        let matching = Arc::new(Matching::new(
            sources,
            self.service.did().clone(),
            DisclosureKey::new(&*secret(&secrets::DISCLOSURE)?),
            Arc::new(limits.clone()),
        ));
        let indexer = network.indexer(index.clone(), limits.record_bytes);
        let parts = Parts {
            actors,
            index,
            availability: matching.clone(),
            slots: matching,
            directory: Arc::new(indexer.clone()),
            keys: Arc::new(network.identity.clone()),
            clock,
            ids: BookingIds::new(&*secret(&secrets::BOOKING_IDS)?),
            limits,
            service: self.service.clone(),
            operations,
            post: self
                .mail
                .post(&connecting.pages.keys, &connecting.pages.connect.join("/")?)?,
            connecting: Some(connecting),
        };
        Ok((parts, indexer))
    }

    /// The calendars that people connect, on a page at the address from outside, or else on this machine.
    fn connecting(&self, network: &Network, actors: Arc<ActorStore>) -> Result<Connecting> {
        let ports = CalendarPorts {
            actors,
            fetch: network.fetch.clone(),
            clock: network.clock.clone(),
            random: Arc::new(OsRandom),
        };
        let here = || Url::parse(&format!("http://{}", self.listen));
        let address = self.public_url.clone().map_or_else(here, Ok)?;
        Connecting::new(self.data.path(), ports, &self.limits.0, &address)
    }

    /// Nobody measures where nobody may look.
    fn operations(&self) -> Result<Operations> {
        let mut operations = Operations {
            public_url: self.public_url.clone(),
            ..Operations::default()
        };
        if let Some(token) = self.operator_token()? {
            let registry = Arc::new(MetricsRegistry::new());
            operations.metrics = registry.clone();
            operations.pages = Some(OperatorPages { token, registry });
        }
        Ok(operations)
    }

    pub(crate) fn network(&self) -> Result<Network> {
        let policy = if self.development {
            FetchPolicy::development()
        } else {
            FetchPolicy::public()
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let cache: Arc<dyn Cache> = Arc::new(MemoryCache::new(clock.clone()));
        let dns = Arc::new(SystemDns::new()?);
        let transport = ReqwestTransport::new(dns.clone(), USER_AGENT, &[])?;
        let fetch: Arc<dyn Fetch> = Arc::new(GuardedFetch::new(transport, policy.clone()));
        let secs = |limit: u32| Duration::from_secs(limit.into());
        let limits = &self.limits.0;
        let config = IdentityConfig {
            plc_directory: self.plc.clone(),
            policy: policy.clone(),
            document_ttl: secs(limits.document_cache_secs),
            handle_ttl: secs(limits.handle_cache_secs),
            error_ttl: secs(limits.identity_error_secs),
            ..IdentityConfig::default()
        };
        Ok(Network {
            identity: IdentityResolver::new(
                fetch.clone(),
                dns.clone(),
                cache.clone(),
                clock.clone(),
                config,
            ),
            sockets: WebSockets::new(dns, policy, USER_AGENT, &[])?,
            fetch,
            cache,
            clock,
        })
    }
}

/// An AppView at work, whose answers are still to be served. What it does beside answering ends when this is dropped, too,
/// and nobody waits for it then.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct Running {
    router: axum::Router,
    pump: JoinHandle<()>,
    following: Option<JoinHandle<()>>,
    measuring: Option<JoinHandle<()>>,
    ending: watch::Sender<()>,
    /// As long as this is there, nobody else serves the folder.
    _claim: File,
}

impl Running {
    /// Everything that it answers, not found included: an app that has pages of its own serves this as the
    /// [`fallback_service`](axum::Router::fallback_service) behind them.
    ///
    /// What strangers may ask is counted by the address that a request comes from, so serve it with
    /// [`into_make_service_with_connect_info`](axum::Router::into_make_service_with_connect_info) of a
    /// [`SocketAddr`](std::net::SocketAddr), or by [`listen::serve`], which waits for slow clients no longer than is good.
    pub fn router(&self) -> axum::Router {
        self.router.clone()
    }

    /// Ends what it does beside answering, once nothing is served any more, and waits until what has begun is done.
    ///
    /// # Errors
    ///
    /// Says what stopped working before it was to end.
    pub async fn finish(self) -> Result<()> {
        drop(self.ending);
        let following = ended(self.following).await;
        let measuring = ended(self.measuring).await;
        let pump = self.pump.await;
        pump.context("the outbox stopped working")?;
        following.context("the firehose stopped working")?;
        measuring.context("measuring stopped working")
    }
}

async fn ended(task: Option<JoinHandle<()>>) -> Result<(), JoinError> {
    match task {
        Some(task) => task.await,
        None => Ok(()),
    }
}

/// How long what has begun may take, once the process is told to end.
const DRAIN: Duration = Duration::from_secs(30);

const USER_AGENT: &str = concat!("Huddle/", env!("CARGO_PKG_VERSION"));

/// The ways to everybody else.
pub(crate) struct Network {
    pub(crate) identity: IdentityResolver,
    pub(crate) fetch: Arc<dyn Fetch>,
    pub(crate) sockets: WebSockets,
    cache: Arc<dyn Cache>,
    clock: Arc<dyn Clock>,
}

impl Network {
    fn indexer(&self, index: Arc<dyn Index>, record_bytes: u32) -> Indexer {
        Indexer::new(Ports {
            index,
            identity: self.identity.clone(),
            fetch: self.fetch.clone(),
            cache: self.cache.clone(),
            clock: self.clock.clone(),
            record_bytes,
        })
    }

    fn graph(&self, appview: Url, keep: Duration) -> BlueskyGraph {
        let (fetch, cache) = (self.fetch.clone(), self.cache.clone());
        BlueskyGraph::new(fetch, appview, cache, self.clock.clone(), keep)
    }

    pub(crate) fn firehose(&self, store: Arc<dyn FirehoseStore>) -> FirehosePorts {
        FirehosePorts {
            store,
            sockets: self.sockets.clone(),
            clock: self.clock.clone(),
        }
    }
}

/// What tells the process to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// From now on they do not end it by themselves.
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next of them.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use huddle_core::Limits;

    use super::*;

    #[tokio::test]
    async fn what_is_known_of_accounts_is_believed_for_as_long_as_the_limits_say() {
        let mut config = Config::default();
        config.limits.0 = Limits {
            document_cache_secs: 61,
            handle_cache_secs: 62,
            identity_error_secs: 63,
            ..Limits::default()
        };
        let network = config.network().unwrap();
        let believed = network.identity.config();
        let times = [
            believed.document_ttl,
            believed.handle_ttl,
            believed.error_ttl,
        ];
        assert_eq!(times.map(|it| it.as_secs()), [61, 62, 63]);
    }
}
