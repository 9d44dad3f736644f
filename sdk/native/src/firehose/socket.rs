//! Connections of WebSocket, to vetted addresses only.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use huddle_firehose::frame::MAX_FRAME_LEN;
use huddle_ports::{Blocked, FetchError, FetchPolicy, Url};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::header::{HeaderValue, USER_AGENT};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::dns::AddressLookup;

/// How long one address has to take a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a ping, or a goodbye, may take to be sent.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens connections of WebSocket, by the same rules about whom to connect to as for HTTP.
#[derive(Clone)]
pub struct WebSockets {
    lookup: Arc<dyn AddressLookup>,
    policy: FetchPolicy,
    tls: TlsConnector,
    user_agent: HeaderValue,
}

/// No WebSocket can be set up, for example with a root certificate that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("no WebSocket can be set up: {0}")]
pub struct WebSocketSetupError(String);

/// Why there is no WebSocket, in words.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct NoWebSocket(#[from] OpenError);

#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error("not the URL of a WebSocket")]
    Url,
    #[error("the host is not allowed: {0}")]
    Blocked(#[from] Blocked),
    #[error("the host was not found: {0}")]
    Lookup(#[from] FetchError),
    #[error("no connection: {0}")]
    Connect(#[from] std::io::Error),
    #[error("no WebSocket: {0}")]
    Handshake(#[from] Box<Error>),
}

impl WebSockets {
    /// Looks names up with `lookup`, connects to whom `policy` allows, calls itself `user_agent`, and trusts, beside
    /// the certificate authorities of the system, those in `extra_roots` (PEM). `wss` counts as `https`, `ws` as `http`.
    pub fn new(
        lookup: Arc<dyn AddressLookup>,
        policy: FetchPolicy,
        user_agent: &str,
        extra_roots: &[&[u8]],
    ) -> Result<Self, WebSocketSetupError> {
        let setup_error = |error: &dyn std::error::Error| WebSocketSetupError(error.to_string());
        let mut roots = Vec::new();
        for pem in extra_roots {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                roots.push(certificate.map_err(|error| setup_error(&error))?);
            }
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider))
            .map_err(|error| setup_error(&error))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| setup_error(&error))?
            // What rustls calls any verifier but its own: this one is the system's.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self {
            lookup,
            policy,
            tls: TlsConnector::from(Arc::new(config)),
            user_agent: HeaderValue::from_str(user_agent).map_err(|error| setup_error(&error))?,
        })
    }

    /// Whether there is one to be had at `url`: it is closed again at once.
    ///
    /// # Errors
    ///
    /// Says why there is none.
    pub async fn try_open(&self, url: &str) -> Result<(), NoWebSocket> {
        self.open(url).await?.close().await;
        Ok(())
    }

    pub(super) async fn open(&self, url: &str) -> Result<Socket, OpenError> {
        let mut request = url.into_client_request().map_err(Box::new)?;
        request
            .headers_mut()
            .insert(USER_AGENT, self.user_agent.clone());
        let (origin, is_secure) = http_url(url).ok_or(OpenError::Url)?;
        let stream = self.connect(&origin, is_secure).await?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_FRAME_LEN))
            .max_frame_size(Some(MAX_FRAME_LEN));
        let (stream, _response) = client_async_with_config(request, stream, Some(config))
            .await
            .map_err(Box::new)?;
        Ok(Socket { stream })
    }

    /// Connects to one of the addresses of a host, all of which are vetted.
    async fn connect(&self, origin: &Url, is_secure: bool) -> Result<Box<dyn Stream>, OpenError> {
        self.policy.check_url(origin)?;
        let host = origin.host_str().ok_or(Blocked::NoHost)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let addresses = match host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => self.lookup.addresses(host).await?,
        };
        self.policy.check_addresses(origin, &addresses)?;
        let port = origin.port_or_known_default().ok_or(OpenError::Url)?;
        let stream = connect_to_any(&addresses, port).await?;
        if !is_secure {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| OpenError::Url)?;
        Ok(Box::new(self.tls.connect(name, stream).await?))
    }
}

async fn connect_to_any(addresses: &[IpAddr], port: u16) -> Result<TcpStream, std::io::Error> {
    let mut failure = std::io::ErrorKind::AddrNotAvailable.into();
    for address in addresses {
        let attempt = TcpStream::connect(SocketAddr::new(*address, port));
        match tokio::time::timeout(CONNECT_TIMEOUT, attempt).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failure = error,
            Err(_) => failure = std::io::ErrorKind::TimedOut.into(),
        }
    }
    Err(failure)
}

/// The same address for HTTP, as the policy knows it, and whether it is `wss`.
fn http_url(url: &str) -> Option<(Url, bool)> {
    let mut url = Url::parse(url).ok()?;
    let is_secure = match url.scheme() {
        "wss" => true,
        "ws" => false,
        _ => return None,
    };
    url.set_scheme(if is_secure { "https" } else { "http" })
        .ok()?;
    Some((url, is_secure))
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// An open WebSocket.
pub(super) struct Socket {
    stream: WebSocketStream<Box<dyn Stream>>,
}

/// What comes over it.
pub(super) enum Received {
    Frame(Bytes),
    SignOfLife,
    Closed,
}

impl Socket {
    /// What comes next. Nothing is lost when it is dropped before it has come.
    pub(super) async fn receive(&mut self) -> Received {
        match self.stream.next().await {
            Some(Ok(Message::Binary(bytes))) => Received::Frame(bytes),
            Some(Ok(Message::Text(text))) => Received::Frame(text.into()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Received::SignOfLife,
            Some(Ok(Message::Close(_) | Message::Frame(_)) | Err(_)) | None => Received::Closed,
        }
    }

    /// Asks for a sign of life. `false` if the connection does not even take that.
    pub(super) async fn ping(&mut self) -> bool {
        let ping = self.stream.send(Message::Ping(Bytes::new()));
        matches!(tokio::time::timeout(SEND_TIMEOUT, ping).await, Ok(Ok(())))
    }

    /// Says goodbye, if that is possible.
    pub(super) async fn close(mut self) {
        // Whoever does not listen any more need not hear it.
        let _ = tokio::time::timeout(SEND_TIMEOUT, self.stream.close(None)).await;
    }
}

impl std::fmt::Debug for WebSockets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebSockets")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
