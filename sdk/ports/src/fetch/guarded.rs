//! The one implementation of [`Fetch`] for real networks: what an adapter must not get wrong is
//! done here.

use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::pin;
use std::task::Poll;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{self, HeaderName};
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use super::policy::literal_address;
use super::{Fetch, FetchError, FetchPolicy, RedirectError, Request, Response};

/// What a runtime brings to make requests: look up a name, carry one request, wait.
///
/// A transport decides nothing about whom to ask, and adds nothing to what it is given: no
/// redirects, no proxy from the environment, no cookies, no credentials of its own.
///
/// Each policy has a transport of its own, pool of connections included: a connection that one
/// policy allowed must not carry a request that another would not have let out.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Every address of the absolute name `host`, found without a search list, from a source that
    /// the transport will not ask again when it connects.
    ///
    /// A platform that resolves names itself when it connects answers with a lookup of its own, for
    /// example DNS over HTTPS: what is vetted is then at least what DNS said, and the platform must
    /// not route to private networks.
    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, FetchError>;

    /// Carries one request to one of its `addresses` and nowhere else, and gives the response as
    /// soon as its headers are there, whatever its status.
    async fn send(&self, hop: Hop<'_>) -> Result<HopResponse, FetchError>;

    /// Returns when `duration` has passed, not earlier. Ends what takes too long: whatever the
    /// transport was doing for that request is dropped then.
    async fn sleep(&self, duration: std::time::Duration);
}

/// One request on its way to one host.
#[derive(Clone, Copy)]
pub struct Hop<'a> {
    /// The method.
    pub method: &'a Method,
    /// The URL, without user information or fragment.
    pub url: &'a Url,
    /// The headers, without those that are the transport's own.
    pub headers: &'a HeaderMap,
    /// The body, empty for none.
    pub body: &'a Bytes,
    /// Where to connect: one or more addresses, every one of them vetted. The port is the URL's.
    pub addresses: &'a [IpAddr],
}

impl std::fmt::Debug for Hop<'_> {
    /// Leaves out what may be secret, as [`Request`] does.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hop")
            .field("method", &self.method)
            .field("origin", &self.url.origin().ascii_serialization())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

/// The answer to one request, its body still to be read.
pub struct HopResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers. A transport that decompresses removes `Content-Encoding` and `Content-Length`.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Box<dyn ResponseBody>,
}

impl std::fmt::Debug for HopResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HopResponse")
            .field("status", &self.status)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// A body that arrives in pieces.
#[async_trait]
pub trait ResponseBody: Send {
    /// The next piece, or `None` after the last. A transport that decompresses gives what it has at
    /// bounded intervals: it never inflates a whole body first.
    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError>;
}

/// A body that is already there: one piece.
#[async_trait]
impl ResponseBody for Bytes {
    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        let rest = std::mem::take(self);
        Ok((!rest.is_empty()).then_some(rest))
    }
}

/// A [`Fetch`] that makes only the requests that its policy allows.
///
/// For the request and again for each redirect it
/// - checks the URL, then looks the host up, then checks **every** address, and lets the transport
///   connect to those addresses only: a name whose next lookup says something else (DNS rebinding)
///   gains nothing;
/// - follows redirects itself, at most as many as the request allows. Another origin gets no
///   credentials (`Authorization`, `Cookie`, `DPoP`, `Proxy-Authorization` and every header that is
///   marked sensitive), and no method that changes something. As in browsers a redirected
///   `POST` becomes a `GET`, but for 307 and 308;
/// - reads no more of the body than the limit, and all of it within the time of the request.
#[derive(Clone, Debug)]
pub struct GuardedFetch<T> {
    transport: T,
    policy: FetchPolicy,
}

impl<T: Transport> GuardedFetch<T> {
    /// Requests over `transport`, which no other policy uses, under `policy`.
    pub fn new(transport: T, policy: FetchPolicy) -> Self {
        Self { transport, policy }
    }

    /// The policy that requests are held to.
    pub fn policy(&self) -> &FetchPolicy {
        &self.policy
    }

    async fn follow(&self, mut request: Request) -> Result<Response, FetchError> {
        for name in TRANSPORT_HEADERS {
            request.headers.remove(*name);
        }
        let mut redirects_left = request.limits.max_redirects;
        loop {
            request.url.set_fragment(None);
            let addresses = self.vet(&request.url).await?;
            let response = self
                .transport
                .send(Hop {
                    method: &request.method,
                    url: &request.url,
                    headers: &request.headers,
                    body: &request.body,
                    addresses: &addresses,
                })
                .await?;
            if !is_redirect(response.status) {
                return collect(response, request).await;
            }
            redirects_left = redirects_left
                .checked_sub(1)
                .ok_or(RedirectError::TooMany)?;
            redirect(&mut request, &response)?;
        }
    }

    /// The addresses of the host of `url`, all of them allowed.
    async fn vet(&self, url: &Url) -> Result<Vec<IpAddr>, FetchError> {
        self.policy.check_url(url)?;
        let addresses = match literal_address(url) {
            Some(address) => vec![address],
            None => {
                self.transport
                    .resolve(url.host_str().unwrap_or_default())
                    .await?
            }
        };
        if addresses.is_empty() {
            return Err(FetchError::UnknownHost);
        }
        self.policy.check_addresses(url, &addresses)?;
        Ok(addresses)
    }
}

#[async_trait]
impl<T: Transport> Fetch for GuardedFetch<T> {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        let mut deadline = pin!(self.transport.sleep(request.limits.timeout));
        let mut answer = pin!(self.follow(request));
        poll_fn(|context| {
            if let Poll::Ready(answer) = answer.as_mut().poll(context) {
                return Poll::Ready(answer);
            }
            let timed_out = deadline.as_mut().poll(context);
            timed_out.map(|()| Err(FetchError::Timeout))
        })
        .await
    }
}

/// Headers about the connection, the framing and the encoding, which only the transport can get
/// right.
const TRANSPORT_HEADERS: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers that prove who asks. Others can be marked with `HeaderValue::set_sensitive`.
const CREDENTIAL_HEADERS: &[&str] = &["authorization", "cookie", "dpop", "proxy-authorization"];

/// Whether a response with this status stands for one elsewhere (RFC 9110 §15.4; 300 leaves the
/// choice to a person, 304 is an answer).
fn is_redirect(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    )
}

/// Turns `request` into the one that `response` asks for.
fn redirect(request: &mut Request, response: &HopResponse) -> Result<(), RedirectError> {
    let mut locations = response.headers.get_all(header::LOCATION).iter();
    let (Some(location), None) = (locations.next(), locations.next()) else {
        return Err(RedirectError::NoLocation);
    };
    let target = std::str::from_utf8(location.as_bytes())
        .ok()
        .and_then(|location| request.url.join(location).ok())
        .ok_or(RedirectError::BadLocation)?;

    if becomes_get(&request.method, response.status) {
        request.method = Method::GET;
        request.body = Bytes::new();
        for name in [
            header::CONTENT_TYPE,
            header::CONTENT_ENCODING,
            header::CONTENT_LANGUAGE,
            header::CONTENT_LOCATION,
        ] {
            request.headers.remove(name);
        }
    }
    if target.origin() != request.url.origin() {
        if !only_reads(&request.method) {
            return Err(RedirectError::ChangeAcrossOrigins);
        }
        let sensitive: Vec<HeaderName> = request
            .headers
            .iter()
            .filter(|(name, value)| {
                value.is_sensitive() || CREDENTIAL_HEADERS.contains(&name.as_str())
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in sensitive {
            request.headers.remove(name);
        }
    }
    request.url = target;
    Ok(())
}

/// The method after a redirect, as the Fetch standard has it (HTTP-redirect fetch, step 12).
fn becomes_get(method: &Method, status: StatusCode) -> bool {
    match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => method == Method::POST,
        StatusCode::SEE_OTHER => method != Method::GET && method != Method::HEAD,
        _ => false,
    }
}

/// Methods whose body is a question: those of RFC 9110 §9.2.1 and WebDAV's.
fn only_reads(method: &Method) -> bool {
    method.is_safe() || matches!(method.as_str(), "PROPFIND" | "REPORT" | "SEARCH" | "QUERY")
}

/// Reads the body, as far as the limit.
async fn collect(mut response: HopResponse, request: Request) -> Result<Response, FetchError> {
    let limit = request.limits.max_response_bytes;
    let mut body = Vec::new();
    while let Some(chunk) = response.body.chunk().await? {
        if chunk.len() > limit - body.len() {
            return Err(FetchError::TooLarge { limit });
        }
        let needed = body.len() + chunk.len();
        if needed > body.capacity() {
            // Twice as much each time, but never more than is taken: a runtime may have little more memory than that.
            let room = (2 * body.capacity()).min(limit).max(needed);
            body.reserve_exact(room - body.len());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response {
        status: response.status,
        headers: response.headers,
        body: body.into(),
        final_url: request.url,
    })
}
