//! Clients that take their time, over real connections.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use futures_util::StreamExt as _;
use futures_util::stream::{repeat, unfold};
use huddle_appview::listen::{self, Patience};
use huddle_core::Limits;
use huddle_lexicon::com::huddle::r#match::Match;
use huddle_testkit::ListedWindows;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::server::{Server, did};

/// Between two pieces of what is sent slowly.
const REST: Duration = Duration::from_millis(50);

/// Six rests: for who is too slow.
const SHORT: Duration = Duration::from_millis(300);

/// For who is to be answered, on a busy machine, too.
const LONG: Duration = Duration::from_secs(10);

struct Served {
    place: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Served {
    async fn start(router: Router, head: Duration, request: Duration) -> Self {
        let patience = Patience {
            head,
            request,
            taken: SHORT,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let place = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(async move {
            let stopped = async {
                // Nothing is ever sent: it is the sender's end that counts.
                let _ = stopped.await;
            };
            listen::serve(listener, router, patience, stopped).await;
        });
        Self {
            place,
            stop,
            serving,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.place).await.unwrap()
    }

    /// Tells it to end, and waits until it has.
    async fn end(self) {
        drop(self.stop);
        self.serving.await.unwrap();
    }
}

/// What is said until the connection is closed.
async fn said(mut client: impl AsyncRead + Unpin) -> String {
    let mut said = Vec::new();
    // Closed while something was on its way, it ends in an error.
    let _ = client.read_to_end(&mut said).await;
    String::from_utf8(said).unwrap()
}

/// Sends one byte after the other, and the last again and again, until nobody takes them any more.
async fn trickle(mut client: impl AsyncWrite + Unpin, bytes: &str) -> io::Result<()> {
    let (first, last) = bytes.as_bytes().split_at(bytes.len() - 1);
    for byte in first.iter().chain(last.iter().cycle()) {
        client.write_all(&[*byte]).await?;
        sleep(REST).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_on_which_no_head_comes_in_time_is_closed() {
    let server = Served::start(Router::new(), SHORT, LONG).await;
    for begun in ["", "GET /healthz HT", "GET / HTTP/1.1\r\nHost: x\r\n"] {
        let mut client = server.connect().await;
        client.write_all(begun.as_bytes()).await.unwrap();
        assert_eq!(said(client).await, "", "{begun}");
    }
    let (reader, writer) = server.connect().await.into_split();
    let trickling = tokio::spawn(trickle(writer, "GET /aaaa"));
    assert_eq!(said(reader).await, "");
    trickling.await.unwrap().unwrap_err();

    let mut client = server.connect().await;
    let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    client.write_all(request).await.unwrap();
    // It is answered, and then it is at rest for too long.
    assert!(said(client).await.starts_with("HTTP/1.1 404 "));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_trickles_is_ended() {
    let appview = Server::start(ListedWindows::default(), Limits::default()).await;
    let server = Served::start(appview.router.clone(), LONG, SHORT).await;
    let token = appview.token::<Match>(&did("bob"));
    for head in [
        format!(
            "POST /xrpc/com.huddle.match HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
        ),
        "POST /connect HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 1000\r\n\r\n"
            .to_owned(),
    ] {
        let (reader, mut writer) = server.connect().await.into_split();
        writer.write_all(head.as_bytes()).await.unwrap();
        let trickling = tokio::spawn(trickle(writer, "  "));
        let answer = said(reader).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        assert!(answer.contains(r#"{"error":"RequestTimeout","#), "{answer}");
        trickling.await.unwrap().unwrap_err();
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_slow_and_in_time_is_answered_and_may_ask_again() {
    let router = Router::new().route("/", post(async |body: String| body));
    let server = Served::start(router, LONG, LONG).await;
    let mut client = server.connect().await;
    for _ in 0..2 {
        for piece in [
            "POST / HT",
            "TP/1.1\r\nHost: x\r\nContent-Len",
            "gth: 5\r\n\r\n",
            "he",
            "llo",
        ] {
            client.write_all(piece.as_bytes()).await.unwrap();
            sleep(REST).await;
        }
        let mut answer = String::new();
        while !answer.ends_with("hello") {
            let mut piece = [0; 1024];
            let length = client.read(&mut piece).await.unwrap();
            assert_ne!(length, 0, "{answer}");
            answer.push_str(str::from_utf8(&piece[..length]).unwrap());
        }
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        sleep(REST).await;
    }
    // A connection at rest keeps nobody from ending.
    server.end().await;
    assert_eq!(said(client).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_has_to_begin_in_time_and_may_go_on_for_longer() {
    let pieces = |sent: u32| async move {
        sleep(SHORT / 2).await;
        (sent < 5).then(|| (Ok::<_, Infallible>("piece\n"), sent + 1))
    };
    let router = Router::new()
        .route(
            "/pieces",
            get(async move || Body::from_stream(unfold(0, pieces))),
        )
        .route("/never", get(async || pending::<()>().await));
    let server = Served::start(router, LONG, SHORT).await;
    for (path, status, pieces) in [("/pieces", 200, 5), ("/never", 408, 0)] {
        let mut client = server.connect().await;
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let answer = said(client).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert_eq!(answer.matches("piece\n").count(), pieces, "{answer}");
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_takes_is_given_up() {
    let piece = Bytes::from(vec![b'x'; 1 << 16]);
    let endless = get(async move || Body::from_stream(repeat(piece).map(Ok::<_, Infallible>)));
    let server = Served::start(Router::new().route("/", endless), LONG, LONG).await;
    let mut client = server.connect().await;
    let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    client.write_all(request).await.unwrap();
    // It has begun, and does not keep the server from ending.
    assert_ne!(client.read(&mut [0; 16]).await.unwrap(), 0);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_known_to_come_from_where_it_comes() {
    let tell = get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string());
    let server = Served::start(Router::new().route("/", tell), LONG, LONG).await;
    let mut client = server.connect().await;
    let here = client.local_addr().unwrap().to_string();
    let request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    client.write_all(request).await.unwrap();
    let answer = said(client).await;
    assert!(answer.ends_with(&format!("\r\n\r\n{here}")), "{answer}");
    server.end().await;
}
