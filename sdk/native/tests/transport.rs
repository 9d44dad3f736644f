//! Requests over real sockets to hostile servers on this machine.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::collections::{HashMap, VecDeque};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use flate2::Compression;
use flate2::write::GzEncoder;
use huddle_native::{AddressLookup, ReqwestTransport};
use huddle_ports::{
    Blocked, Bytes, Fetch, FetchError, FetchLimits, FetchPolicy, GuardedFetch, HeaderMap,
    HeaderValue, Hop, Method, Request, Response, Transport, Url, header,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const LIMITS: FetchLimits = FetchLimits {
    timeout: Duration::from_secs(20),
    max_response_bytes: 64 * 1024,
    max_redirects: 2,
};

/// What each look-up of a host says, in turn; the last one repeats.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>>);

impl Names {
    fn put(&self, host: &str, address: [u8; 4]) {
        let mut names = self.0.lock().unwrap();
        let lookups = names.entry(host.to_owned()).or_default();
        lookups.push_back(vec![Ipv4Addr::from(address).into()]);
    }
}

#[async_trait]
impl AddressLookup for Names {
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, FetchError> {
        let mut names = self.0.lock().unwrap();
        let lookups = names.get_mut(host).ok_or(FetchError::UnknownHost)?;
        if lookups.len() > 1 {
            Ok(lookups.pop_front().unwrap())
        } else {
            Ok(lookups[0].clone())
        }
    }
}

fn transport(names: &Names) -> ReqwestTransport {
    ReqwestTransport::new(Arc::new(names.clone()), "Huddle tests", &[]).unwrap()
}

fn guarded(names: &Names) -> GuardedFetch<ReqwestTransport> {
    GuardedFetch::new(transport(names), FetchPolicy::development())
}

/// How a server answers: the pieces that it writes one after the other, and whether it then hangs
/// or hangs up.
#[derive(Clone)]
struct Script {
    pieces: Vec<Vec<u8>>,
    then: Then,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    HangUp,
    Hang,
    /// The last piece again and again.
    Repeat,
    /// The next request on the same connection.
    KeepAlive,
}

fn script(pieces: &[&str], then: Then) -> Script {
    Script {
        pieces: pieces
            .iter()
            .map(|piece| piece.as_bytes().to_vec())
            .collect(),
        then,
    }
}

fn ok(body: &str) -> Script {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    script(&[&head, body], Then::HangUp)
}

/// A server, the heads of the requests that it got, and over how many connections.
struct Server {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicU32>,
}

impl Server {
    async fn start(script: Script) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), script, None).await
    }

    async fn start_at(at: SocketAddr, script: Script, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let server = Self {
            port,
            heads: Arc::clone(&heads),
            connections: Arc::default(),
        };
        let connections = Arc::clone(&server.connections);
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::Relaxed);
                let (script, heads, tls) = (script.clone(), Arc::clone(&heads), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(socket, script, heads).await,
                        Some(tls) => {
                            if let Ok(socket) = tls.accept(socket).await {
                                serve(socket, script, heads).await;
                            }
                        }
                    }
                });
            }
        });
        server
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://localhost:{}{path}", self.port)).unwrap()
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// Plays the script to one client. A client that goes away ends it.
async fn serve(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    script: Script,
    heads: Arc<Mutex<Vec<String>>>,
) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match socket.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        heads.lock().unwrap().push(String::from_utf8(head).unwrap());
        for piece in &script.pieces {
            if socket.write_all(piece).await.is_err() || socket.flush().await.is_err() {
                return;
            }
        }
        match script.then {
            Then::HangUp => {
                let _ = socket.shutdown().await;
                return;
            }
            Then::Hang => return std::future::pending().await,
            Then::Repeat => {
                let last = script.pieces.last().unwrap();
                while socket.write_all(last).await.is_ok() {}
                return;
            }
            Then::KeepAlive => {}
        }
    }
}

fn localhost() -> Names {
    let names = Names::default();
    names.put("localhost", [127, 0, 0, 1]);
    names
}

/// What a server with this script gets us to believe.
async fn fetch(script: Script, limits: FetchLimits) -> Result<Response, FetchError> {
    let server = Server::start(script).await;
    let request = Request::get(server.url("/")).limits(limits);
    guarded(&localhost()).fetch(request).await
}

#[tokio::test]
async fn a_request_goes_out_as_it_was_made_and_the_answer_comes_back() {
    let server = Server::start(ok("hello")).await;
    let request = Request::post(server.url("/a?b=c#d"), "question")
        .header(header::AUTHORIZATION, HeaderValue::from_static("Bearer t"));
    let response = guarded(&localhost()).fetch(request).await.unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.body, "hello");
    let head = &server.heads()[0];
    assert!(head.starts_with("POST /a?b=c HTTP/1.1\r\n"), "{head}");
    for line in [
        "authorization: Bearer t\r\n",
        "content-length: 8\r\n",
        "user-agent: Huddle tests\r\n",
        &format!("host: localhost:{}\r\n", server.port),
    ] {
        assert!(head.contains(line), "{head}");
    }
    assert!(
        !head.contains("cookie") && !head.contains("referer"),
        "{head}"
    );
}

#[tokio::test]
async fn only_the_vetted_address_is_connected_to() {
    // Two servers at one port: who answers tells where the connection went.
    let good = Server::start(ok("vetted")).await;
    let at = SocketAddr::from(([127, 0, 0, 2], good.port));
    let evil = Server::start_at(at, ok("rebound"), None).await;
    let names = Names::default();
    names.put("rebind.localhost", [127, 0, 0, 1]);
    names.put("rebind.localhost", [127, 0, 0, 2]);
    let url = Url::parse(&format!("http://rebind.localhost:{}/", good.port)).unwrap();
    let fetch = guarded(&names);
    let response = fetch.fetch(Request::get(url.clone())).await.unwrap();
    assert_eq!(response.body, "vetted");
    assert_eq!((good.heads().len(), evil.heads().len()), (1, 0));
    // What the next look-up says is what the next request gets.
    let response = fetch.fetch(Request::get(url)).await.unwrap();
    assert_eq!(response.body, "rebound");
}

#[tokio::test]
async fn a_name_that_turns_private_is_blocked() {
    let server = Server::start(ok("public")).await;
    let names = Names::default();
    names.put("rebind.localhost", [127, 0, 0, 1]);
    names.put("rebind.localhost", [10, 0, 0, 1]);
    let url = Url::parse(&format!("http://rebind.localhost:{}/", server.port)).unwrap();
    let fetch = guarded(&names);
    fetch.fetch(Request::get(url.clone())).await.unwrap();
    let outcome = fetch.fetch(Request::get(url)).await;
    assert!(matches!(outcome, Err(FetchError::Blocked(_))));
    assert_eq!(server.heads().len(), 1);
}

const HERE: &[IpAddr] = &[IpAddr::V4(Ipv4Addr::LOCALHOST)];

#[tokio::test]
async fn the_client_connects_where_the_hop_says_and_looks_nothing_up() {
    let server = Server::start(ok("there")).await;
    let transport = transport(&Names::default());
    let url = Url::parse(&format!("http://example.com:{}/", server.port)).unwrap();
    let (headers, body) = (HeaderMap::new(), Bytes::new());
    let hop = |addresses: &'static [IpAddr]| {
        transport.send(Hop {
            method: &Method::GET,
            url: &url,
            headers: &headers,
            body: &body,
            addresses,
        })
    };
    assert_eq!(hop(HERE).await.unwrap().status, 200);
    assert!(server.heads()[0].contains(&format!("host: example.com:{}", server.port)));
    // With no address to go to there is no other way to find one.
    assert!(matches!(hop(&[]).await, Err(FetchError::Connect(_))));
}

#[tokio::test]
async fn redirects_are_left_to_the_guard_and_blocked_there() {
    for location in [
        "http://10.0.0.1/",
        "https://169.254.169.254/",
        "http://example.com/",
    ] {
        let head =
            format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let names = localhost();
        names.put("example.com", [127, 0, 0, 1]);
        names.put("example.com", [10, 0, 0, 1]);
        names
            .0
            .lock()
            .unwrap()
            .get_mut("example.com")
            .unwrap()
            .pop_front();
        let server = Server::start(script(&[&head], Then::HangUp)).await;
        let request = Request::get(server.url("/")).limits(LIMITS);
        let outcome = guarded(&names).fetch(request).await;
        assert!(matches!(outcome, Err(FetchError::Blocked(_))), "{location}");
        assert_eq!(server.heads().len(), 1);
    }
}

#[tokio::test]
async fn the_public_policy_does_not_reach_this_machine() {
    let server = Server::start(ok("secret")).await;
    let names = Names::default();
    names.put("localhost.example.com", [127, 0, 0, 1]);
    let fetch = GuardedFetch::new(
        transport(&names),
        FetchPolicy::public().with_port(server.port),
    );
    for host in ["localhost", "127.0.0.1", "[::1]", "localhost.example.com"] {
        let url = Url::parse(&format!("https://{host}:{}/", server.port)).unwrap();
        let outcome = fetch.fetch(Request::get(url)).await;
        assert!(matches!(outcome, Err(FetchError::Blocked(_))), "{host}");
    }
    let outcome = fetch.fetch(Request::get(server.url("/"))).await;
    assert_eq!(outcome.unwrap_err(), FetchError::Blocked(Blocked::Scheme));
    assert!(server.heads().is_empty());
}

const BRIEF: FetchLimits = FetchLimits {
    timeout: Duration::from_millis(200),
    ..LIMITS
};

#[tokio::test]
async fn servers_that_keep_us_waiting_run_into_the_time_limit() {
    for (what, script) in [
        ("no answer", script(&[], Then::Hang)),
        ("half a head", script(&["HTTP/1.1 200 OK\r\n"], Then::Hang)),
        (
            "half a body",
            script(
                &["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", "half"],
                Then::Hang,
            ),
        ),
        (
            "interim answers for ever",
            script(&["HTTP/1.1 103 Early Hints\r\n\r\n"], Then::Repeat),
        ),
        (
            "empty stored blocks of gzip for ever",
            Script {
                pieces: vec![
                    b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n".to_vec(),
                    b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec(),
                    b"\0\0\0\xff\xff".to_vec(),
                ],
                then: Then::Repeat,
            },
        ),
    ] {
        let outcome = fetch(script, BRIEF).await;
        assert_eq!(outcome.unwrap_err(), FetchError::Timeout, "{what}");
    }
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_not_read_to_their_end() {
    let kilobyte = "x".repeat(1024);
    let chunk = format!("400\r\n{kilobyte}\r\n");
    for (what, script) in [
        (
            "a length of eight exabytes",
            script(
                &[
                    "HTTP/1.1 200 OK\r\ncontent-length: 9223372036854775807\r\n\r\n",
                    &kilobyte,
                ],
                Then::Repeat,
            ),
        ),
        (
            "no length",
            script(&["HTTP/1.1 200 OK\r\n\r\n", &kilobyte], Then::Repeat),
        ),
        (
            "chunks for ever",
            script(
                &[
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
                    &chunk,
                ],
                Then::Repeat,
            ),
        ),
    ] {
        let outcome = fetch(script, LIMITS).await;
        let expect = FetchError::TooLarge { limit: 64 * 1024 };
        assert_eq!(outcome.unwrap_err(), expect, "{what}");
    }
}

fn encoded(encoding: &str, body: &[u8]) -> Script {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: {length}\r\n\r\n"
    );
    Script {
        pieces: vec![head.into_bytes(), body.to_vec()],
        then: Then::HangUp,
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// 64 MiB of zeros, brotli with a window of 16 MiB.
const BROTLI_BOMB: [u8; 54] = [
    0xcf, 0xff, 0xff, 0x7f, 0xf8, 0x27, 0x00, 0xe2, 0xb1, 0x40, 0x20, 0xf7, 0xfe, 0x9f, 0xff, 0xff,
    0xff, 0xf0, 0x4f, 0x00, 0xc4, 0x61, 0x01, 0x80, 0xee, 0xfd, 0x3f, 0xff, 0xff, 0xff, 0xe1, 0x9f,
    0x00, 0x88, 0xc3, 0x22, 0x00, 0xdd, 0xfb, 0x7f, 0xfe, 0xff, 0xff, 0xc3, 0x3f, 0x01, 0x10, 0x87,
    0x05, 0x00, 0xba, 0xf7, 0xff, 0x03,
];

#[tokio::test]
async fn compressed_bodies_are_read_decompressed() {
    let response = fetch(encoded("gzip", &gzip(b"hello")), LIMITS)
        .await
        .unwrap();
    assert_eq!(response.body, "hello");
    assert!(!response.headers.contains_key(header::CONTENT_ENCODING));
    assert!(!response.headers.contains_key(header::CONTENT_LENGTH));
}

#[tokio::test]
async fn bombs_are_measured_as_they_unfold() {
    for (encoding, body) in [
        ("gzip", gzip(&vec![0; 16 * 1024 * 1024])),
        ("br", BROTLI_BOMB.to_vec()),
    ] {
        let outcome = fetch(encoded(encoding, &body), LIMITS).await;
        let expect = FetchError::TooLarge { limit: 64 * 1024 };
        assert_eq!(outcome.unwrap_err(), expect, "{encoding}");
    }
}

#[tokio::test]
async fn a_bomb_never_unfolds_in_one_piece() {
    let server = Server::start(encoded("br", &BROTLI_BOMB)).await;
    let (headers, body) = (HeaderMap::new(), Bytes::new());
    let mut response = transport(&localhost())
        .send(Hop {
            method: &Method::GET,
            url: &server.url("/"),
            headers: &headers,
            body: &body,
            addresses: HERE,
        })
        .await
        .unwrap();
    let mut total = 0;
    while let Some(chunk) = response.body.chunk().await.unwrap() {
        assert!(chunk.len() <= 64 * 1024, "{} bytes at once", chunk.len());
        total += chunk.len();
    }
    assert_eq!(total, 64 * 1024 * 1024);
}

#[tokio::test]
async fn what_is_not_http_is_an_error_and_not_a_hang() {
    let many_headers = "x: y\r\n".repeat(200);
    let long_header = format!("x: {}\r\n", "y".repeat(10_000));
    for (what, script) in [
        ("nothing", script(&[], Then::HangUp)),
        (
            "another protocol",
            script(&["220 mail.example.com ESMTP\r\n"], Then::HangUp),
        ),
        ("rubbish", script(&["\0\0\0\0\0\0\0\0"], Then::HangUp)),
        (
            "a status of four digits",
            script(&["HTTP/1.1 2000 OK\r\n\r\n"], Then::HangUp),
        ),
        (
            "two lengths",
            script(
                &["HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"],
                Then::HangUp,
            ),
        ),
        (
            "a negative length",
            script(
                &["HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"],
                Then::HangUp,
            ),
        ),
        (
            "a body that is cut off",
            script(
                &["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", "half"],
                Then::HangUp,
            ),
        ),
        (
            "chunks that are cut off",
            script(
                &["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf"],
                Then::HangUp,
            ),
        ),
        (
            "a chunk without a size",
            script(
                &["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nz\r\n"],
                Then::HangUp,
            ),
        ),
        (
            "something else than gzip",
            encoded("gzip", b"not gzip at all"),
        ),
        (
            "gzip that is cut off",
            encoded("gzip", &gzip(b"hello")[..12]),
        ),
        (
            "two hundred headers",
            script(
                &["HTTP/1.1 200 OK\r\n", &many_headers, "\r\n"],
                Then::HangUp,
            ),
        ),
        (
            "headers for ever",
            script(&["HTTP/1.1 200 OK\r\n", &long_header], Then::Repeat),
        ),
    ] {
        let outcome = fetch(script, LIMITS).await;
        assert!(
            matches!(outcome, Err(FetchError::Broken(_))),
            "{what}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn nobody_at_the_port_is_a_failed_connection() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let url = Url::parse(&format!("http://localhost:{port}/secret?token")).unwrap();
    let outcome = guarded(&localhost()).fetch(Request::get(url)).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, FetchError::Connect(_)), "{error:?}");
    assert!(error.is_retryable());
    assert!(!error.to_string().contains("secret") && !error.to_string().contains("token"));
}

#[tokio::test]
async fn connections_are_used_again_and_cookies_are_not_kept() {
    let head = "HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 2\r\n\r\nhi";
    let server = Server::start(script(&[head], Then::KeepAlive)).await;
    let fetch = guarded(&localhost());
    for _ in 0..3 {
        fetch.fetch(Request::get(server.url("/"))).await.unwrap();
    }
    let heads = server.heads();
    assert_eq!(heads.len(), 3);
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
    assert!(!heads[2].contains("cookie"), "{}", heads[2]);
}

/// A certificate for `localhost` and `name`, and the authority that issued it, in PEM.
fn certificate(name: &str) -> (TlsAcceptor, String) {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), authority.pem())
}

#[tokio::test]
async fn certificates_are_checked_against_the_name_and_not_the_address() {
    let (tls, authority) = certificate("app.huddle.internal");
    let at = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::start_at(at, ok("safe"), Some(tls)).await;
    let names = Names::default();
    names.put("app.huddle.internal", [127, 0, 0, 1]);
    names.put("other.huddle.internal", [127, 0, 0, 1]);
    let fetch = |host: &str, roots: &[&[u8]]| {
        let lookup = Arc::new(names.clone());
        let transport = ReqwestTransport::new(lookup, "Huddle tests", roots).unwrap();
        let url = Url::parse(&format!("https://{host}:{}/", server.port)).unwrap();
        async move {
            GuardedFetch::new(transport, FetchPolicy::development())
                .fetch(Request::get(url))
                .await
        }
    };
    let trusted: &[&[u8]] = &[authority.as_bytes()];
    let response = fetch("app.huddle.internal", trusted).await.unwrap();
    assert_eq!(response.body, "safe");
    for (host, roots) in [
        ("app.huddle.internal", &[][..]),
        ("other.huddle.internal", trusted),
        ("127.0.0.1", trusted),
    ] {
        let outcome = fetch(host, roots).await;
        assert!(
            matches!(outcome, Err(FetchError::Certificate(_))),
            "{host}: {outcome:?}"
        );
        assert!(!outcome.unwrap_err().is_retryable(), "{host}");
    }
    assert_eq!(server.heads().len(), 1);
}

#[test]
fn a_root_that_is_no_certificate_is_an_error_at_the_start() {
    let lookup = Arc::new(Names::default());
    for pem in [
        &b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"[..],
        b"-----BEGIN CERTIFICATE-----\n!",
    ] {
        let outcome = ReqwestTransport::new(lookup.clone(), "Huddle tests", &[pem]);
        outcome.unwrap_err();
    }
}
