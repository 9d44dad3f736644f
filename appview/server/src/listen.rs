//! Serves a router at a listener, and waits for no client for ever: a connection takes a place among the open files and
//! some memory, and whoever is slow enough would keep theirs.

mod taken;

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tower_service::Service as _;
use tracing::{error, info};

use taken::Taken;

/// How long clients are waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From when a connection is there, or the last answer is sent, to the end of the head of a request; so a connection
    /// is kept at rest for as long. Then it is closed.
    pub head: Duration,
    /// From the end of its head until a request is there whole and its answer begins, which is 408 then. What is answered
    /// in pieces may take longer.
    pub request: Duration,
    /// For how long a client may take nothing of an answer that is on its way. Then the connection is closed.
    pub taken: Duration,
}

impl Default for Patience {
    /// 130 seconds for a head: proxies keep connections for a minute (nginx) or two (Caddy), and must be the ones to close
    /// them, or what they send just then is lost. 60 for a request, because a match and what a person waits for take less, and
    /// 30 between two pieces of an answer.
    fn default() -> Self {
        Self {
            head: Duration::from_secs(130),
            request: Duration::from_mins(1),
            taken: Duration::from_secs(30),
        }
    }
}

/// How long no connection is taken where none can be, most likely because too many files are open.
const REST: Duration = Duration::from_secs(1);

/// Serves until `stop` is there, and then until what was asked is answered. The router knows where each request comes from
/// ([`ConnectInfo`] of a [`SocketAddr`]).
pub async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Patience,
    stop: impl Future<Output = ()>,
) {
    let mut stop = pin!(stop);
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head);
    let connections = GracefulShutdown::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = &mut stop => break,
        };
        let router = router.clone();
        let service =
            service_fn(move |request| answer(router.clone(), request, peer, patience.request));
        let stream = TokioIo::new(Taken::new(stream, patience.taken));
        let connection = builder.serve_connection(stream, service);
        // How it ends is its client's affair.
        tokio::spawn(connections.watch(connection));
    }
    // Whoever comes now is told so, and does not wait.
    drop(listener);
    connections.shutdown().await;
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_client(&error) => {}
            Err(error) => {
                error!(%error, "no connection can be taken");
                sleep(REST).await;
            }
        }
    }
}

/// Whether it says that the client has gone away again.
fn is_of_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
    )
}

async fn answer(
    mut router: Router,
    mut request: Request<Incoming>,
    peer: SocketAddr,
    longest: Duration,
) -> Result<Response, Infallible> {
    request.extensions_mut().insert(ConnectInfo(peer));
    let answered = timeout(longest, router.call(request)).await;
    answered.unwrap_or_else(|_| Ok(too_slow()))
}

/// As methods answer, because most that is asked is one.
fn too_slow() -> Response {
    info!("a request was not there whole, or not answered, in time");
    let told = r#"{"error":"RequestTimeout","message":"The request was not there whole, or not answered, in time"}"#;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        // RFC 9110 §15.5.9
        (header::CONNECTION, "close"),
    ];
    (StatusCode::REQUEST_TIMEOUT, headers, told).into_response()
}
