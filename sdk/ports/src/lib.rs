//! What Huddle asks of the world: HTTP under an SSRF policy, DNS text records, the time, randomness,
//! a cache, and somebody to tell how things go.
//!
//! Every port is a plain, object-safe trait that is `Send + Sync` on every target; a runtime brings
//! the adapters. The rules that must not differ between runtimes live here and not in the adapters:
//! [`GuardedFetch`] decides what may be asked of whom, and an adapter of [`Transport`] only carries
//! one request to one of the addresses that it is given.

pub mod cache;
pub mod clock;
pub mod dns;
pub mod fetch;
pub mod metrics;
pub mod random;

pub use bytes::Bytes;
pub use cache::{Cache, MemoryCache, MemoryCacheLimits};
pub use clock::{Clock, Timestamp};
pub use dns::{DnsError, DnsSrv, DnsTxt, Srv, dns_labels};
pub use fetch::{
    AddressKind, Blocked, Fetch, FetchError, FetchLimits, FetchPolicy, GuardedFetch, Hop,
    HopResponse, RedirectError, Request, Response, ResponseBody, Transport,
};
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
pub use metrics::{Metric, MetricKind, Metrics, NoMetrics};
pub use random::Random;
pub use url::Url;
