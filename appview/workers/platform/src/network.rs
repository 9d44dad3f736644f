//! The ways to everybody else.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use huddle_core::Limits;
use huddle_identity::{IdentityConfig, IdentityResolver};
use huddle_ports::{
    Blocked, Cache, Fetch, FetchError, FetchPolicy, GuardedFetch, Transport as _, Url,
};
use url::Host;
use worker::{Env, WebSocket};

use crate::clock::WorkersClock;
use crate::config::{Misconfigured, variable};
use crate::dns::DnsOverHttps;
use crate::fetch::{self, WorkersTransport};

static POLICY: OnceLock<FetchPolicy> = OnceLock::new();

/// Has this script ask whom `policy` allows, in place of whoever is public: for builds that are never deployed. To be
/// called before the first event, which settles it; no variable and no request can change it.
pub fn ask(policy: FetchPolicy) {
    // Settled before: that was this very call, or the build is what is deployed.
    let _ = POLICY.set(policy);
}

/// The ways to everybody else, as the variables say: `PLC` is the directory of did:plc, `DNS` a resolver that speaks
/// DNS over HTTPS.
#[derive(Clone)]
pub struct Network {
    /// Who accounts are.
    pub identity: IdentityResolver,
    /// Asks anybody, under the policy.
    pub fetch: Arc<dyn Fetch>,
    /// What was looked up.
    pub cache: Arc<dyn Cache>,
    /// Where services are.
    pub dns: DnsOverHttps,
    transport: WorkersTransport,
    policy: FetchPolicy,
}

impl Network {
    /// The ways to others, remembering in `cache` what was looked up, for as long as `limits` say.
    pub fn read(env: &Env, cache: Arc<dyn Cache>, limits: &Limits) -> Result<Self, Misconfigured> {
        let policy = POLICY.get_or_init(FetchPolicy::public).clone();
        let dns = DnsOverHttps::new(variable(env, "DNS")?);
        let transport = WorkersTransport::new(dns.clone());
        let fetch: Arc<dyn Fetch> = Arc::new(GuardedFetch::new(transport.clone(), policy.clone()));
        let secs = |limit: u32| Duration::from_secs(limit.into());
        let config = IdentityConfig {
            plc_directory: variable(env, "PLC")?,
            policy: policy.clone(),
            document_ttl: secs(limits.document_cache_secs),
            handle_ttl: secs(limits.handle_cache_secs),
            error_ttl: secs(limits.identity_error_secs),
            ..IdentityConfig::default()
        };
        let identity = IdentityResolver::new(
            fetch.clone(),
            Arc::new(dns.clone()),
            cache.clone(),
            Arc::new(WorkersClock),
            config,
        );
        Ok(Self {
            identity,
            fetch,
            cache,
            dns,
            transport,
            policy,
        })
    }

    /// Opens a WebSocket at a URL of `wss`, which counts as `https`, or `ws`, as `http`: to nobody but its host, and by
    /// the same rules as for HTTP. It is accepted by whoever listens to it.
    pub async fn open_websocket(&self, url: &str) -> Result<WebSocket, NoWebSocket> {
        let url = http_url(url).ok_or(NoWebSocket::Url)?;
        self.vet(&url).await?;
        Ok(fetch::upgrade(&url).await?)
    }

    async fn vet(&self, url: &Url) -> Result<(), NoWebSocket> {
        self.policy.check_url(url)?;
        let addresses = match url.host().ok_or(Blocked::NoHost)? {
            Host::Domain(name) => self.transport.resolve(name).await?,
            Host::Ipv4(address) => vec![address.into()],
            Host::Ipv6(address) => vec![address.into()],
        };
        Ok(self.policy.check_addresses(url, &addresses)?)
    }
}

/// Why there is no WebSocket.
#[derive(Debug, thiserror::Error)]
pub enum NoWebSocket {
    /// The URL is of another scheme.
    #[error("not the URL of a WebSocket")]
    Url,
    /// The host is not to be asked.
    #[error("the host is not allowed: {0}")]
    Blocked(#[from] Blocked),
    /// The host is not known.
    #[error("the host was not found: {0}")]
    Lookup(#[from] FetchError),
    /// The host did not take the connection, or speaks no WebSocket.
    #[error("no WebSocket: {0}")]
    Platform(#[from] worker::Error),
}

/// The same address for HTTP, as the policy knows it.
fn http_url(url: &str) -> Option<Url> {
    let mut url = Url::parse(url).ok()?;
    let scheme = match url.scheme() {
        "wss" => "https",
        "ws" => "http",
        _ => return None,
    };
    url.set_scheme(scheme).ok()?;
    Some(url)
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expect: Option<&str>) {
        let found = http_url(url);
        assert_eq!(found.as_ref().map(Url::as_str), expect, "{url}");
    }

    #[test]
    fn a_websocket_is_vetted_as_the_http_that_it_begins_with() {
        check(
            "wss://relay.example.com/xrpc/a?cursor=1",
            Some("https://relay.example.com/xrpc/a?cursor=1"),
        );
        check("ws://localhost:2583", Some("http://localhost:2583/"));
        for other in ["https://relay.example.com", "relay.example.com", "file:///"] {
            check(other, None);
        }
    }
}
