//! HTTP requests to the outside, and the rules about whom may be asked.
//!
//! What other people write (a DID document, a handle, a calendar's URL) decides where Huddle
//! connects, so every request is vetted. [`Fetch`] is the port that everything above uses;
//! [`GuardedFetch`] implements it over a [`Transport`], the only part that a runtime brings. The
//! rules themselves are a [`FetchPolicy`].

mod address;
mod guarded;
mod policy;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

pub use address::AddressKind;
pub use guarded::{GuardedFetch, Hop, HopResponse, ResponseBody, Transport};
pub use policy::{Blocked, FetchPolicy};

/// Makes HTTP requests.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Makes `request` within its limits. Any status is an `Ok` response, except a redirect that
    /// may not be followed.
    async fn fetch(&self, request: Request) -> Result<Response, FetchError>;
}

#[async_trait]
impl<F: Fetch + ?Sized> Fetch for Arc<F> {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        (**self).fetch(request).await
    }
}

/// A request with a body in memory, and how much it may cost.
///
/// ```
/// use huddle_ports::{Request, Url, header};
///
/// let url = Url::parse("https://plc.directory/did:plc:z72i7hdynmk6r22z27h6tvur").unwrap();
/// let json = header::HeaderValue::from_static("application/json");
/// let request = Request::get(url).header(header::ACCEPT, json);
/// assert_eq!(request.limits.max_redirects, 0);
/// ```
#[derive(Clone)]
pub struct Request {
    /// The method. Not every runtime knows all those of WebDAV and CalDAV: of these, `PROPFIND` and `REPORT` are known
    /// to all, and `MKCALENDAR` is not.
    pub method: Method,
    /// The absolute URL; its fragment is not sent.
    pub url: Url,
    /// Headers. Those about the connection, the framing and the encoding (`Host`, `Content-Length`,
    /// `Accept-Encoding` …) are the transport's own, and ignored here.
    pub headers: HeaderMap,
    /// The body, empty for none. Not every runtime sends one with `GET` or `HEAD`, to which it means nothing (RFC 9110
    /// §9.3.1).
    pub body: Bytes,
    /// What the whole request may cost, redirects included.
    pub limits: FetchLimits,
}

impl Request {
    /// A request without headers or body, with the default limits.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            limits: FetchLimits::default(),
        }
    }

    /// A `GET` with the default limits.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// A `POST` of `body` with the default limits; its content type is a header to be added.
    pub fn post(url: Url, body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            ..Self::new(Method::POST, url)
        }
    }

    /// The same request with this header in place of any of that name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The same request within other limits.
    #[must_use]
    pub fn limits(mut self, limits: FetchLimits) -> Self {
        self.limits = limits;
        self
    }
}

impl fmt::Debug for Request {
    /// Leaves out what may be secret: a path and a query (calendar feeds), header values, the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("origin", &self.url.origin().ascii_serialization())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// What a request may cost at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchLimits {
    /// From the call to the last byte of the body: look-ups and redirects included.
    pub timeout: Duration,
    /// The largest body to accept, after decompression.
    pub max_response_bytes: usize,
    /// How many redirects to follow. With none, an answer that redirects is an error.
    pub max_redirects: u8,
}

impl Default for FetchLimits {
    /// 10 seconds, 1 MiB, no redirects.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            max_response_bytes: 1024 * 1024,
            max_redirects: 0,
        }
    }
}

/// A response, its body read whole and decompressed.
#[derive(Clone)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers. Values of several of one name may have come as one, with commas in between, which means the same
    /// (RFC 9110 §5.3); those of `Set-Cookie` have not. With a body that was decompressed there is no
    /// `Content-Encoding` and no `Content-Length`; one in an encoding that is not known is left as it came.
    pub headers: HeaderMap,
    /// The body, never longer than the request's limit, and never shorter than it was announced.
    pub body: Bytes,
    /// Where the answer came from: the request's URL, without its fragment, unless redirects were followed.
    pub final_url: Url,
}

impl fmt::Debug for Response {
    /// Leaves out what may be secret, as [`Request`] does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .field("origin", &self.final_url.origin().ascii_serialization())
            .finish_non_exhaustive()
    }
}

/// Why there is no response. No variant carries a URL, a header or a body: they may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The policy forbids asking that host, at the start or after a redirect.
    #[error("the request is not allowed: {0}")]
    Blocked(#[from] Blocked),
    /// DNS knows no address of the host.
    #[error("the host is unknown")]
    UnknownHost,
    /// The addresses of the host could not be found out.
    #[error("the host could not be looked up")]
    Resolve,
    /// No connection could be made. Says why in the transport's words. Where the platform connects, and does not say
    /// what of, this is [`Broken`](Self::Broken).
    #[error("no connection: {0}")]
    Connect(String),
    /// The host did not prove to be the one that was asked for. Says why in the transport's words, where it knows.
    #[error("the host has no valid certificate: {0}")]
    Certificate(String),
    /// The limit on time was reached.
    #[error("no complete answer in time")]
    Timeout,
    /// The body is longer than the limit, in bytes.
    #[error("the answer is longer than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// A redirect that is not followed.
    #[error("the answer redirects, {0}")]
    Redirect(#[from] RedirectError),
    /// The connection broke, or what came over it was not HTTP. Says why in the transport's words.
    #[error("the connection failed: {0}")]
    Broken(String),
}

impl FetchError {
    /// Whether the same request may succeed later without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Resolve | Self::Connect(_) | Self::Timeout | Self::Broken(_) => true,
            Self::Blocked(_)
            | Self::UnknownHost
            | Self::Certificate(_)
            | Self::TooLarge { .. }
            | Self::Redirect(_) => false,
        }
    }
}

/// Why a redirect was not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// More redirects than the request allows.
    #[error("once too often")]
    TooMany,
    /// No `Location`, or several. Where the platform gives several as one, that leads to neither of them.
    #[error("but not to one place")]
    NoLocation,
    /// A `Location` that is not a URL.
    #[error("but not to a URL")]
    BadLocation,
    /// It would repeat a request that changes something at another origin, which the caller did not
    /// choose.
    #[error("a request that changes something to another origin")]
    ChangeAcrossOrigins,
}
