//! HTTP by the platform's `fetch`.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use huddle_ports::{
    Bytes, FetchError, HeaderMap, HeaderName, HeaderValue, Hop, HopResponse, Method, ResponseBody,
    StatusCode, Transport, Url, header,
};
use worker::send::{SendFuture, SendWrapper};
use worker::{
    ByteStream, CacheMode, Delay, Fetch, Headers, Request, RequestInit, RequestRedirect,
    ResponseBody as PlatformBody, WebSocket, js_sys, web_sys,
};

use crate::dns::DnsOverHttps;

const USER_AGENT: &str = concat!("Huddle/", env!("CARGO_PKG_VERSION"));

/// Carries requests by `fetch`, and redirects back to whoever vets them.
///
/// The platform looks names up by itself when it connects, and cannot be told an address. So what is vetted is what
/// DNS over HTTPS said shortly before: a name whose next look-up says something else gets past that. What then
/// stands between it and a private network is the platform, from whose own network there is no way to one. In
/// `wrangler dev` there is, to that of the machine.
#[derive(Clone, Debug)]
pub(crate) struct WorkersTransport(DnsOverHttps);

impl WorkersTransport {
    pub(crate) fn new(dns: DnsOverHttps) -> Self {
        Self(dns)
    }
}

#[async_trait]
impl Transport for WorkersTransport {
    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, FetchError> {
        self.0.addresses(host).await
    }

    async fn send(&self, hop: Hop<'_>) -> Result<HopResponse, FetchError> {
        send(hop.method, hop.url, hop.headers, hop.body).await
    }

    async fn sleep(&self, duration: Duration) {
        SendFuture::new(Delay::from(duration)).await;
    }
}

/// Makes one request, to nobody but the host of `url`.
pub(crate) async fn send(
    method: &Method,
    url: &Url,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<HopResponse, FetchError> {
    SendFuture::new(fetch(method, url, headers, body))
        .await
        .map_err(broken)
}

async fn fetch(
    method: &Method,
    url: &Url,
    headers: &HeaderMap,
    body: &Bytes,
) -> worker::Result<HopResponse> {
    let mut init = RequestInit::new();
    init.with_headers(to_platform(headers)?)
        .with_redirect(RequestRedirect::Manual)
        // What is kept, and for how long, is for whoever asks to say.
        .with_cache(CacheMode::NoStore);
    if !body.is_empty() {
        init.with_body(Some(js_sys::Uint8Array::from(&**body).into()));
    }
    let init = web_sys::RequestInit::from(&init);
    // The bindings know some methods only, and take all others for GET.
    init.set_method(method.as_str());
    let waiting = Waiting(web_sys::AbortController::new()?);
    init.set_signal(Some(&waiting.0.signal()));
    let request = web_sys::Request::new_with_str_and_init(url.as_str(), &init)?;
    let mut response = Fetch::Request(request.into()).send().await?;
    let status = StatusCode::from_u16(response.status_code())?;
    let headers = from_platform(response.headers());
    let body: Box<dyn ResponseBody> = match response.body() {
        PlatformBody::Stream(_) => Box::new(Body {
            stream: SendWrapper::new(response.stream()?),
            _waiting: SendWrapper::new(waiting),
        }),
        PlatformBody::Body(bytes) => Box::new(Bytes::copy_from_slice(bytes)),
        PlatformBody::Empty => Box::new(Bytes::new()),
    };
    Ok(HopResponse {
        status,
        headers,
        body,
    })
}

/// Somebody waits for an answer, or for the rest of it. When nobody does any more, the request is ended: the platform
/// would go on with it otherwise, and an event may have only so many connections at once.
struct Waiting(web_sys::AbortController);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks the host of `url`, and nobody else, for a WebSocket.
pub(crate) async fn upgrade(url: &Url) -> worker::Result<WebSocket> {
    let mut headers = HeaderMap::new();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    let mut init = RequestInit::new();
    init.with_headers(to_platform(&headers)?)
        .with_redirect(RequestRedirect::Manual);
    let request = Request::new_with_init(url.as_str(), &init)?;
    let response = Fetch::Request(request).send().await?;
    let status = response.status_code();
    let refused = || worker::Error::from(format!("the host answered {status}"));
    response.websocket().ok_or_else(refused)
}

fn to_platform(headers: &HeaderMap) -> worker::Result<Headers> {
    let platform = Headers::new();
    platform.set(header::USER_AGENT.as_str(), USER_AGENT)?;
    for (name, value) in headers {
        let value = value.to_str().map_err(|error| error.to_string())?;
        platform.append(name.as_str(), value)?;
    }
    Ok(platform)
}

/// The encodings that the platform takes off a body.
const DECOMPRESSED: [&str; 2] = ["gzip", "br"];

/// Leaves out what does not belong to a body that the platform has decompressed, and what is no header.
fn from_platform(platform: &Headers) -> HeaderMap {
    let header = |(name, value): (String, String)| {
        let name: HeaderName = name.parse().ok()?;
        Some((name, HeaderValue::from_str(&value).ok()?))
    };
    let mut headers: HeaderMap = platform.entries().filter_map(header).collect();
    let encoding = headers.get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| DECOMPRESSED.iter().any(|it| encoding == it)) {
        headers.remove(header::CONTENT_ENCODING);
        headers.remove(header::CONTENT_LENGTH);
    }
    headers
}

struct Body {
    stream: SendWrapper<ByteStream>,
    _waiting: SendWrapper<Waiting>,
}

#[async_trait]
impl ResponseBody for Body {
    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        let chunk = SendFuture::new(self.stream.next()).await.transpose();
        chunk.map(|chunk| chunk.map(Bytes::from)).map_err(broken)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` passes")]
fn broken(error: worker::Error) -> FetchError {
    FetchError::Broken(error.to_string())
}
