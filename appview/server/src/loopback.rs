//! A network that is made up, on loopback, so that it is found like the real one: for the demonstration, and for tests
//! of the whole process.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::SinkExt as _;
use huddle_native::{OsRandom, SystemClock};
use huddle_ports::{Fetch as _, Url};
use huddle_testkit::Network;
use huddle_testkit::network::Places;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server as handshake;

/// How often the firehose looks for what is new.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A network, and where it is found.
#[derive(Debug)]
pub struct Loopback {
    /// The network.
    pub network: Arc<Network>,
    /// Its directory, and the host of its repositories.
    pub places: Places,
    /// Its firehose.
    pub firehose: Url,
}

/// Starts a network of nobody. It lasts as long as the process.
pub async fn start() -> Result<Loopback> {
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let (directory, host, firehose) = (listen().await?, listen().await?, listen().await?);
    let places = Places {
        directory: url("http", directory.local_addr()?)?,
        host: url("http", host.local_addr()?)?,
    };
    let network = Network::new(places.clone(), Arc::new(SystemClock), Arc::new(OsRandom));
    let network = Arc::new(network);
    for (listener, place) in [(directory, &places.directory), (host, &places.host)] {
        let router = Router::new()
            .fallback(answer)
            .with_state((network.clone(), place.clone()));
        tokio::spawn(async { axum::serve(listener, router).await });
    }
    let started = Loopback {
        firehose: url("ws", firehose.local_addr()?)?,
        places,
        network: network.clone(),
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = firehose.accept().await {
            tokio::spawn(tell(network.clone(), stream));
        }
    });
    Ok(started)
}

fn url(scheme: &str, address: SocketAddr) -> Result<Url> {
    Ok(Url::parse(&format!("{scheme}://{address}"))?)
}

async fn answer(State((network, place)): State<(Arc<Network>, Url)>, request: Request) -> Response {
    let question = request.uri().path_and_query();
    let question = question.and_then(|it| place.join(it.as_str()).ok());
    let Some(question) = question else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match network.fetch(huddle_ports::Request::get(question)).await {
        Ok(answer) => (answer.status, answer.headers, answer.body).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// Tells one listener of all that happens, until it goes away.
async fn tell(network: Arc<Network>, stream: TcpStream) {
    let mut cursor = None;
    #[expect(clippy::result_large_err, reason = "it is the library's signature")]
    let note = |request: &handshake::Request, response| {
        let query = request.uri().query().unwrap_or_default();
        let parts = query
            .split('&')
            .find_map(|part| part.strip_prefix("cursor="));
        cursor = parts.and_then(|it| it.parse().ok());
        Ok(response)
    };
    let Ok(mut socket) = accept_hdr_async(stream, note).await else {
        return;
    };
    loop {
        for event in network.events_after(cursor) {
            cursor = Some(cursor.unwrap_or(0) + 1);
            if socket.send(Message::Binary(event)).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
