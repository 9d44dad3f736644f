//! A network that is made up, on loopback, so that it is found like the real one, with people's calendars and a mail
//! server: for the demonstration, and for tests of the whole process.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::SinkExt as _;
use huddle_native::{OsRandom, SystemClock};
use huddle_ports::{Fetch, Url};
use huddle_testkit::network::Places;
use huddle_testkit::{CalendarServer, MAX_LINE_BYTES, MailServer, Network, SmtpSession};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server as handshake;

/// How often the firehose looks for what is new.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The longest request that is read, in bytes.
const MAX_REQUEST_BYTES: usize = 1 << 20;

/// A network, and where it is found.
#[derive(Debug)]
pub struct Loopback {
    /// The network.
    pub network: Arc<Network>,
    /// Its directory, and the host of its repositories.
    pub places: Places,
    /// Its firehose.
    pub firehose: Url,
    /// People's calendars; they know where they are found.
    pub calendars: Arc<CalendarServer>,
    /// The mail that was sent.
    pub mail: Arc<MailServer>,
    /// The server that takes it.
    pub smtp: Url,
}

/// Starts a network of nobody. It lasts as long as the process.
pub async fn start() -> Result<Loopback> {
    let (directory, host) = (listen().await?, listen().await?);
    let (firehose, smtp) = (listen().await?, listen().await?);
    let places = Places {
        directory: url("http", directory.local_addr()?)?,
        host: url("http", host.local_addr()?)?,
    };
    let network = Network::new(places.clone(), Arc::new(SystemClock), Arc::new(OsRandom));
    let network = Arc::new(network);
    serve(directory, network.clone(), places.directory.clone());
    serve(host, network.clone(), places.host.clone());
    let started = Loopback {
        firehose: url("ws", firehose.local_addr()?)?,
        places,
        network: network.clone(),
        calendars: calendars().await?,
        mail: Arc::default(),
        smtp: url("smtp", smtp.local_addr()?)?,
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = firehose.accept().await {
            tokio::spawn(tell(network.clone(), stream));
        }
    });
    let mail = started.mail.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = smtp.accept().await {
            tokio::spawn(take_mail(mail.clone(), stream));
        }
    });
    Ok(started)
}

async fn listen() -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await
}

async fn calendars() -> Result<Arc<CalendarServer>> {
    let listener = listen().await?;
    let place = url("http", listener.local_addr()?)?;
    let calendars = Arc::new(CalendarServer::new(place.clone()));
    serve(listener, calendars.clone(), place);
    Ok(calendars)
}

/// Has what is asked at `place` answered.
fn serve(listener: TcpListener, by: Arc<dyn Fetch>, place: Url) {
    let router = Router::new().fallback(answer).with_state((by, place));
    tokio::spawn(async { axum::serve(listener, router).await });
}

fn url(scheme: &str, address: SocketAddr) -> Result<Url> {
    Ok(Url::parse(&format!("{scheme}://{address}"))?)
}

async fn answer(State((by, place)): State<(Arc<dyn Fetch>, Url)>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let url = head.uri.path_and_query();
    let url = url.and_then(|it| place.join(it.as_str()).ok());
    let (Some(url), Ok(body)) = (url, to_bytes(body, MAX_REQUEST_BYTES).await) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let question = huddle_ports::Request {
        headers: head.headers,
        body,
        ..huddle_ports::Request::new(head.method, url)
    };
    match by.fetch(question).await {
        Ok(answer) => (answer.status, answer.headers, answer.body).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// Takes the mail of one connection.
async fn take_mail(server: Arc<MailServer>, stream: TcpStream) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    writer.write_all(SmtpSession::GREETING.as_bytes()).await?;
    let mut session = SmtpSession::new(server);
    loop {
        let mut line = Vec::new();
        let mut bounded = (&mut reader).take(MAX_LINE_BYTES);
        bounded.read_until(b'\n', &mut line).await?;
        let Some(line) = line.strip_suffix(b"\n") else {
            return Ok(());
        };
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
        let Some(reply) = session.line(&line) else {
            continue;
        };
        writer.write_all(reply.text.as_bytes()).await?;
        if reply.is_last {
            return Ok(());
        }
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
