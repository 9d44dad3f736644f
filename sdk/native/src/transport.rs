//! HTTP by reqwest and rustls, to vetted addresses only.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use huddle_ports::{FetchError, Hop, HopResponse, ResponseBody, Transport, Url};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};
use tokio_rustls::rustls;

use crate::dns::AddressLookup;

/// Carries requests with one pool of connections.
///
/// The client cannot look names up: it knows only the addresses that were vetted for a request that
/// is on its way, and any other name fails. Connections are kept open for half a minute, and used
/// again only for the same scheme, host and port: by whatever policy, so each policy has a
/// transport of its own. The clones of one share its connections. No proxy of the environment is
/// used, as it would connect wherever it likes.
#[derive(Clone)]
pub struct ReqwestTransport {
    client: Client,
    lookup: Arc<dyn AddressLookup>,
    vetted: Arc<Vetted>,
}

/// The HTTP client cannot be set up, for example with a root certificate that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be set up: {0}")]
pub struct TransportSetupError(String);

impl ReqwestTransport {
    /// A transport that looks names up with `lookup`, calls itself `user_agent`, and trusts, beside
    /// the certificate authorities of the system, those in `extra_roots` (PEM).
    pub fn new(
        lookup: Arc<dyn AddressLookup>,
        user_agent: &str,
        extra_roots: &[&[u8]],
    ) -> Result<Self, TransportSetupError> {
        let vetted = Arc::new(Vetted::default());
        let mut builder = Client::builder()
            .user_agent(user_agent)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            // Shared out among the addresses of a host, so that a silent one leaves time for the next;
            // it also ends a connection that is still being made when its request is gone.
            .connect_timeout(Duration::from_secs(3))
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(8)
            .dns_resolver(PinnedResolver(Arc::clone(&vetted)));
        for pem in extra_roots {
            let certificates =
                Certificate::from_pem_bundle(pem).map_err(|error| setup_error(&error))?;
            builder = builder.tls_certs_merge(certificates);
        }
        Ok(Self {
            client: builder.build().map_err(|error| setup_error(&error))?,
            lookup,
            vetted,
        })
    }
}

fn setup_error(error: &reqwest::Error) -> TransportSetupError {
    TransportSetupError(chain(error))
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, FetchError> {
        self.lookup.addresses(host).await
    }

    async fn send(&self, hop: Hop<'_>) -> Result<HopResponse, FetchError> {
        let _pin = self.vetted.pin(hop.url, hop.addresses);
        let mut response = self
            .client
            .request(hop.method.clone(), hop.url.clone())
            .headers(hop.headers.clone())
            .body(hop.body.clone())
            .send()
            .await
            .map_err(fetch_error)?;
        Ok(HopResponse {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: Box::new(Body(response)),
        })
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// What is left of a response when its headers are taken.
struct Body(reqwest::Response);

#[async_trait]
impl ResponseBody for Body {
    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        self.0.chunk().await.map_err(fetch_error)
    }
}

fn fetch_error(error: reqwest::Error) -> FetchError {
    let error = error.without_url();
    if error.is_timeout() {
        FetchError::Timeout
    } else if is_bad_certificate(&error) {
        FetchError::Certificate(chain(&error))
    } else if error.is_connect() {
        FetchError::Connect(chain(&error))
    } else {
        FetchError::Broken(chain(&error))
    }
}

/// Whether the connection was refused for the certificate that the host showed.
fn is_bad_certificate(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| {
        matches!(
            unwrapped(cause).downcast_ref(),
            Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)
        )
    })
}

/// What an I/O error was made of, which is not among its causes.
fn unwrapped<'a>(mut error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    while let Some(inner) = error.downcast_ref().and_then(io::Error::get_ref) {
        error = inner;
    }
    error
}

/// An error, what caused it, and so on to the first cause.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// What went wrong down to the first cause, which names the trouble best. The URL was left out
/// before.
fn chain(error: &(dyn Error + 'static)) -> String {
    let texts: Vec<String> = causes(error).map(ToString::to_string).collect();
    texts.join(": ")
}

/// The addresses that may be connected to at this moment, by host.
#[derive(Default)]
struct Vetted(Mutex<Pins>);

#[derive(Default)]
struct Pins {
    next_id: u64,
    /// Of several requests to one host each pins its own; all of them are vetted, and the newest
    /// counts.
    by_host: HashMap<String, Vec<(u64, Vec<IpAddr>)>>,
}

impl Vetted {
    fn lock(&self) -> MutexGuard<'_, Pins> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the client connect to `addresses` for the host of `url`, until the pin is dropped.
    fn pin<'a>(&'a self, url: &Url, addresses: &[IpAddr]) -> Pin<'a> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let mut pins = self.lock();
        let id = pins.next_id;
        pins.next_id += 1;
        let of_host = pins.by_host.entry(host.clone()).or_default();
        of_host.push((id, addresses.to_vec()));
        Pin {
            vetted: self,
            host,
            id,
        }
    }

    fn addresses(&self, host: &str) -> Option<Vec<IpAddr>> {
        let pins = self.lock();
        let (_, addresses) = pins.by_host.get(host)?.last()?;
        Some(addresses.clone())
    }
}

struct Pin<'a> {
    vetted: &'a Vetted,
    host: String,
    id: u64,
}

impl Drop for Pin<'_> {
    fn drop(&mut self) {
        let mut pins = self.vetted.lock();
        if let Some(of_host) = pins.by_host.get_mut(&self.host) {
            of_host.retain(|(id, _)| *id != self.id);
            if of_host.is_empty() {
                pins.by_host.remove(&self.host);
            }
        }
    }
}

/// Answers with what was vetted, and never looks anything up.
struct PinnedResolver(Arc<Vetted>);

#[derive(Debug, thiserror::Error)]
#[error("no address of the host was vetted")]
struct NotVetted;

impl Resolve for PinnedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.0.addresses(name.as_str());
        Box::pin(async move {
            let addresses = addresses.ok_or(NotVetted)?;
            // The port is the URL's; 0 stands for that.
            let addresses: Addrs = Box::new(addresses.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(addresses)
        })
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport").finish_non_exhaustive()
    }
}
