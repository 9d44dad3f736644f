//! `huddle serve`

use std::fs::{self, DirBuilder};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use huddle_appview_indexer::{Indexer, Ports, Requests};
use huddle_appview_router::{MetricsRegistry, Operations, OperatorPages, OperatorToken};
use huddle_core::Limits;
use huddle_core::booking::BookingIds;
use huddle_core::index::Index;
use huddle_core::matching::{Matching, NoCalendars, Sources};
use huddle_graph::BlueskyGraph;
use huddle_identity::{IdentityConfig, IdentityResolver, ServiceRef};
use huddle_native::{
    ActorStore, FirehosePorts, FirehoseStore, OsRandom, ReqwestTransport, SqliteIndex, SystemClock,
    SystemDns, WebSockets,
};
use huddle_ports::{Cache, Clock, Fetch, FetchPolicy, GuardedFetch, HeaderName, MemoryCache, Url};
use huddle_schedule::disclosure::DisclosureKey;
use huddle_testkit::network::Places;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::app::{App, Parts};
use crate::firehose::Following;
use crate::{client_address, request_id, secrets};

/// Serve the `com.huddle` methods.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Address and port to listen at.
    #[arg(long, env = "HUDDLE_LISTEN", default_value = "127.0.0.1:2480")]
    listen: SocketAddr,

    /// Folder of the databases and of the secrets that go with them; made if it is missing. Back up all of it.
    #[arg(long, env = "HUDDLE_DATA", default_value = "huddle-data")]
    data: PathBuf,

    /// DID and service that callers' tokens are made out to.
    #[arg(
        long,
        env = "HUDDLE_SERVICE",
        default_value = "did:web:localhost#huddle_appview"
    )]
    service: ServiceRef,

    /// Directory of did:plc.
    #[arg(long, env = "HUDDLE_PLC", default_value = "https://plc.directory")]
    plc: Url,

    /// Look people up on this machine too, over plain HTTP: for trying things out, never in public.
    #[arg(long, env = "HUDDLE_DEVELOPMENT")]
    development: bool,

    /// Hosts of the firehose that keeps what is known of offers up to date, best first, e.g. `wss://relay.example.com`:
    /// a relay, or one data server. Without it nobody's offers are known.
    #[arg(
        long,
        env = "HUDDLE_FIREHOSE",
        value_name = "URL",
        value_delimiter = ','
    )]
    firehose: Vec<Url>,

    /// AppView that tells who follows and who blocks whom.
    #[arg(
        long,
        env = "HUDDLE_GRAPH",
        value_name = "URL",
        default_value = "https://public.api.bsky.app"
    )]
    graph: Url,

    /// Header in which the reverse proxy in front says where a request comes from, e.g. `x-forwarded-for`: its last
    /// address counts. Without it, the address that connects does.
    #[arg(long, env = "HUDDLE_CLIENT_ADDRESS_HEADER", value_name = "NAME")]
    client_address_header: Option<HeaderName>,

    /// JSON file of limits that differ from their defaults, e.g. `{"hold_secs": 600}`.
    #[arg(long, env = "HUDDLE_LIMITS", value_name = "FILE")]
    limits: Option<PathBuf>,

    /// Where this is reached from outside, e.g. `https://huddle.example.com`. If the service's DID is that host's
    /// did:web, its document is served at /.well-known/did.json.
    #[arg(long, env = "HUDDLE_PUBLIC_URL", value_name = "URL")]
    public_url: Option<Url>,

    /// Bearer token that shows /internal/metrics and /zpages, which are not there without it. Rather set it in the
    /// environment: arguments can be read by everybody on this machine.
    #[arg(
        long,
        env = "HUDDLE_OPERATOR_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    operator_token: Option<OperatorToken>,
}

impl Options {
    /// Serves until the process is told to stop, and then finishes what has begun.
    pub async fn run(self) -> Result<()> {
        let listener = TcpListener::bind(self.listen).await.with_context(|| {
            format!(
                "cannot listen at {}: name another with --listen",
                self.listen
            )
        })?;
        self.serve(listener, told_to_stop()).await
    }

    /// What serves people of one network on this machine.
    pub(crate) fn on_loopback(
        data: PathBuf,
        service: ServiceRef,
        places: &Places,
        firehose: Url,
    ) -> Self {
        Self {
            data,
            service,
            plc: places.directory.clone(),
            graph: places.host.clone(),
            firehose: vec![firehose],
            development: true,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_url: None,
            operator_token: None,
            client_address_header: None,
            limits: None,
        }
    }

    /// Serves at `listener` until `stop` is there.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<()> {
        let network = self.network()?;
        let (parts, indexer) = self.parts(&network)?;
        let ids = parts.ids.clone();
        let App {
            router,
            pump,
            flows,
        } = parts.assemble();
        let requests = Requests::new(indexer.clone(), flows, ids, self.service.did().clone());
        let following = match &self.firehose[..] {
            [] => {
                warn!("nobody's offers are known: name a firehose with --firehose");
                None
            }
            hosts => {
                let begun = Following::begin(hosts, indexer, requests, |it| network.firehose(it));
                Some(begun.await.context("the firehose cannot begin")?)
            }
        };
        info!(address = %listener.local_addr()?, service = %self.service, "listening");
        let (ending, ended) = watch::channel(());
        let until_stopped = || {
            let mut ended = ended.clone();
            async move {
                // Nothing is ever sent: it is the sender's end that counts.
                let _ = ended.changed().await;
            }
        };
        let pump = tokio::spawn(pump.run(until_stopped()));
        let following = following.map(|it| tokio::spawn(it.run(until_stopped())));
        let router = request_id::named(client_address::noted(router, self.client_address_header));
        axum::serve(
            listener,
            router.into_make_service_with_connect_info::<SocketAddr>(),
        )
        .with_graceful_shutdown(stop)
        .await?;
        info!("stopping");
        drop(ending);
        if let Some(following) = following {
            following.await.context("the firehose stopped working")?;
        }
        pump.await.context("the outbox stopped working")
    }

    /// The parts, and the indexer that is one of them.
    fn parts(&self, network: &Network) -> Result<(Parts, Indexer)> {
        // What is in it is nobody else's business on this machine.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.data)
            .with_context(|| format!("cannot make the folder {}", self.data.display()))?;
        let clock = network.clock.clone();
        let limits = self.limits()?;
        let index = Arc::new(SqliteIndex::open(&self.data.join("index.sqlite"))?);
        let secret = |name| secrets::load_or_make(&self.data.join(name), &OsRandom);
        let actors = self.data.join("actors.sqlite");
        let actors = Arc::new(ActorStore::open(&actors, clock.clone(), limits.clone())?);
        let graph_cache = Duration::from_secs(limits.graph_cache_secs.into());
        let sources = Sources {
            index: index.clone(),
            actors: actors.clone(),
            relationships: Arc::new(network.graph(self.graph.clone(), graph_cache)),
            calendars: Arc::new(NoCalendars),
            clock: clock.clone(),
        };
        let matching = Arc::new(Matching::new(
            sources,
            self.service.did().clone(),
            DisclosureKey::new(secret("disclosure.secret")?),
            Arc::new(limits.clone()),
        ));
        let indexer = network.indexer(index.clone());
        let parts = Parts {
            actors,
            index,
            availability: matching.clone(),
            slots: matching,
            directory: Arc::new(indexer.clone()),
            keys: Arc::new(network.identity.clone()),
            clock,
            ids: BookingIds::new(&secret("booking-ids.secret")?),
            limits,
            service: self.service.clone(),
            operations: self.operations(),
        };
        Ok((parts, indexer))
    }

    /// Nobody measures where nobody may look.
    fn operations(&self) -> Operations {
        let mut operations = Operations {
            public_url: self.public_url.clone(),
            ..Operations::default()
        };
        if let Some(token) = self.operator_token.clone() {
            let registry = Arc::new(MetricsRegistry::new());
            operations.metrics = registry.clone();
            operations.pages = Some(OperatorPages { token, registry });
        }
        operations
    }

    fn limits(&self) -> Result<Limits> {
        let Some(path) = &self.limits else {
            return Ok(Limits::default());
        };
        let read = || -> Result<Limits> {
            let limits: Limits = serde_json::from_str(&fs::read_to_string(path)?)?;
            limits.check()?;
            Ok(limits)
        };
        read().with_context(|| format!("the limits in {}", path.display()))
    }

    fn network(&self) -> Result<Network> {
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
        let config = IdentityConfig {
            plc_directory: self.plc.clone(),
            policy: policy.clone(),
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

const USER_AGENT: &str = concat!("Huddle/", env!("CARGO_PKG_VERSION"));

/// The ways to everybody else.
struct Network {
    identity: IdentityResolver,
    fetch: Arc<dyn Fetch>,
    sockets: WebSockets,
    cache: Arc<dyn Cache>,
    clock: Arc<dyn Clock>,
}

impl Network {
    fn indexer(&self, index: Arc<dyn Index>) -> Indexer {
        Indexer::new(Ports {
            index,
            identity: self.identity.clone(),
            fetch: self.fetch.clone(),
            cache: self.cache.clone(),
            clock: self.clock.clone(),
        })
    }

    fn graph(&self, appview: Url, keep: Duration) -> BlueskyGraph {
        let (fetch, cache) = (self.fetch.clone(), self.cache.clone());
        BlueskyGraph::new(fetch, appview, cache, self.clock.clone(), keep)
    }

    fn firehose(&self, store: Arc<dyn FirehoseStore>) -> FirehosePorts {
        FirehosePorts {
            store,
            identity: self.identity.clone(),
            fetch: self.fetch.clone(),
            sockets: self.sockets.clone(),
            clock: self.clock.clone(),
        }
    }
}

/// Resolves when the process is asked to end.
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};

    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(error) => {
            warn!(%error, "SIGTERM will end the process at once");
            // Without a handler for it, there is nothing else to wait for.
            let _ = interrupt.await;
        }
    }
}
