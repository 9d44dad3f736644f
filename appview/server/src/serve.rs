//! `huddle serve`

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use huddle_appview_router::{
    Identities, MetricsRegistry, Operations, OperatorPages, OperatorToken,
};
use huddle_core::Limits;
use huddle_core::booking::BookingIds;
use huddle_identity::{IdentityConfig, IdentityResolver, ServiceRef};
use huddle_native::{ActorStore, OsRandom, ReqwestTransport, SqliteIndex, SystemClock, SystemDns};
use huddle_ports::{Clock, FetchPolicy, GuardedFetch, HeaderName, MemoryCache, Url};
use huddle_testkit::{HostWindows, ListedWindows};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tracing::{info, warn};

use crate::app::{App, Parts};
use crate::{client_address, request_id, secrets};

/// Serve the `com.huddle` methods.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Address and port to listen at.
    #[arg(long, env = "HUDDLE_LISTEN", default_value = "127.0.0.1:2480")]
    listen: SocketAddr,

    /// Folder of the databases and of the secret that bookings are named with; made if it is missing.
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

    /// JSON file of hosts and their windows, in milliseconds since 1970, which stands in for offers:
    /// `[{"host": "did:…", "windows": [[1764583200000, 1764590400000]]}]`. Without it nobody has time.
    #[arg(long, env = "HUDDLE_WINDOWS", value_name = "FILE")]
    windows: Option<PathBuf>,

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
        let App { router, pump } = self.parts()?.assemble();
        let listener = TcpListener::bind(self.listen).await.with_context(|| {
            format!(
                "cannot listen at {}: name another with --listen",
                self.listen
            )
        })?;
        info!(address = %listener.local_addr()?, service = %self.service, "listening");
        let (stop, stopped) = oneshot::channel::<()>();
        let pump = tokio::spawn(pump.run(async {
            // An error says that the sender is gone, which means the same.
            let _ = stopped.await;
        }));
        let router = request_id::named(client_address::noted(router, self.client_address_header));
        axum::serve(
            listener,
            router.into_make_service_with_connect_info::<SocketAddr>(),
        )
        .with_graceful_shutdown(told_to_stop())
        .await?;
        info!("stopping");
        drop(stop);
        pump.await.context("the outbox stopped working")
    }

    fn parts(&self) -> Result<Parts> {
        fs::create_dir_all(&self.data)
            .with_context(|| format!("cannot make the folder {}", self.data.display()))?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let limits = self.limits()?;
        let identity = self.identity(clock.clone())?;
        let windows = Arc::new(self.windows()?);
        let secret = secrets::load_or_make(&self.data.join("booking-ids.secret"), &OsRandom)?;
        let actors = ActorStore::open(
            &self.data.join("actors.sqlite"),
            clock.clone(),
            limits.clone(),
        )?;
        Ok(Parts {
            actors: Arc::new(actors),
            index: Arc::new(SqliteIndex::open(&self.data.join("index.sqlite"))?),
            availability: windows.clone(),
            slots: windows,
            directory: Arc::new(Identities(identity.clone())),
            keys: Arc::new(identity),
            clock,
            ids: BookingIds::new(&secret),
            limits,
            service: self.service.clone(),
            operations: self.operations(),
        })
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

    fn windows(&self) -> Result<ListedWindows> {
        let Some(path) = &self.windows else {
            warn!("nobody has time: name hosts and windows with --windows");
            return Ok(ListedWindows::default());
        };
        let read = || -> Result<Vec<HostWindows>> {
            Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
        };
        let hosts = read().with_context(|| format!("the windows in {}", path.display()))?;
        Ok(ListedWindows::new(hosts))
    }

    fn identity(&self, clock: Arc<dyn Clock>) -> Result<IdentityResolver> {
        let policy = if self.development {
            FetchPolicy::development()
        } else {
            FetchPolicy::public()
        };
        let dns = Arc::new(SystemDns::new()?);
        let agent = concat!("Huddle/", env!("CARGO_PKG_VERSION"));
        let transport = ReqwestTransport::new(dns.clone(), agent, &[])?;
        let config = IdentityConfig {
            plc_directory: self.plc.clone(),
            policy: policy.clone(),
            ..IdentityConfig::default()
        };
        Ok(IdentityResolver::new(
            Arc::new(GuardedFetch::new(transport, policy)),
            dns,
            Arc::new(MemoryCache::new(clock.clone())),
            clock,
            config,
        ))
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
