//! Requests over real sockets to hostile servers on this machine: the contract of `Fetch`, and what only this adapter
//! does.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

#[path = "servers/names.rs"]
mod names;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use huddle_native::{AddressLookup, ReqwestTransport, SystemDns};
use huddle_ports::{
    Blocked, Bytes, Fetch, FetchError, FetchPolicy, GuardedFetch, HeaderMap, Hop, Method, Request,
    Response, StatusCode, Transport, Url, header,
};
use huddle_testkit::contract::{self, Asked, Broken, Play, Then};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

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

fn ok(body: &str) -> Play {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    Play::new(&[head.as_bytes(), body.as_bytes()], Then::HangUp)
}

/// A server, the requests that it got, and over how many connections.
struct Server {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicU32>,
}

/// What the connections of a server have in common.
#[derive(Clone)]
struct Common {
    /// What is played to everybody, if not what each asks for.
    play: Option<Play>,
    heard: Arc<Mutex<Vec<String>>>,
    playing: watch::Sender<u32>,
}

impl Server {
    async fn start(play: Play) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), Some(play), None).await
    }

    /// One that does as each request asks: the server of the contract.
    async fn as_asked() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), None, None).await
    }

    async fn start_at(at: SocketAddr, play: Option<Play>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let server = Self {
            port,
            heard: Arc::clone(&heard),
            connections: Arc::default(),
        };
        let common = Common {
            play,
            heard,
            playing: watch::Sender::default(),
        };
        let connections = Arc::clone(&server.connections);
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::Relaxed);
                let (common, tls) = (common.clone(), tls.clone());
                tokio::spawn(async move {
                    // A client that goes away ends it.
                    match tls {
                        None => serve(socket, common).await,
                        Some(tls) => serve(tls.accept(socket).await?, common).await,
                    }
                });
            }
        });
        server
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://localhost:{}{path}", self.port)).unwrap()
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// Does what one client asks.
async fn serve(mut socket: impl AsyncRead + AsyncWrite + Unpin, common: Common) -> io::Result<()> {
    loop {
        let request = read_request(&mut socket).await?;
        let text = String::from_utf8_lossy(&request).into_owned();
        common.heard.lock().unwrap().push(text);
        let asked = common.play.clone().map(Asked::Play);
        match asked.or_else(|| Asked::of(&request)) {
            Some(Asked::Echo) => socket.write_all(&contract::echo(&request)).await?,
            Some(Asked::Idle) => {
                let mut playing = common.playing.subscribe();
                playing.wait_for(|count| *count == 0).await.unwrap();
                socket.write_all(contract::IDLE).await?;
            }
            Some(Asked::Play(play)) => {
                common.playing.send_modify(|count| *count += 1);
                let outcome = perform(&mut socket, &play).await;
                common.playing.send_modify(|count| *count -= 1);
                outcome?;
                if play.then != Then::KeepAlive {
                    return Ok(());
                }
            }
            None => return Ok(()),
        }
    }
}

/// A request, head and body.
async fn read_request(socket: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(socket.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&request).to_lowercase();
    let length = head.split_once("content-length:").map(|(_, rest)| rest);
    let length = length.and_then(|rest| rest.lines().next()?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    socket.read_exact(&mut body).await?;
    Ok([request, body].concat())
}

async fn perform(
    socket: &mut (impl AsyncRead + AsyncWrite + Unpin),
    play: &Play,
) -> io::Result<()> {
    for piece in &play.pieces {
        socket.write_all(piece).await?;
        socket.flush().await?;
    }
    let last = play.pieces.last().map_or(&[][..], Vec::as_slice);
    match play.then {
        Then::HangUp => socket.shutdown().await,
        Then::Hang => socket.read_u8().await.map(drop),
        Then::Repeat => loop {
            socket.write_all(last).await?;
        },
        Then::Trickle => loop {
            tokio::time::sleep(Duration::from_millis(contract::PAUSE_MILLIS)).await;
            socket.write_all(last).await?;
        },
        Then::KeepAlive => Ok(()),
    }
}

fn localhost() -> Names {
    let names = Names::default();
    names.put("localhost", [127, 0, 0, 1]);
    names
}

async fn as_the_contract_has_it() -> (Server, GuardedFetch<ReqwestTransport>) {
    let server = Server::as_asked().await;
    let dns = SystemDns::with_servers(&[names::serve(contract::zone).await]).unwrap();
    let transport = ReqwestTransport::new(Arc::new(dns), "Huddle tests", &[]).unwrap();
    let fetch = GuardedFetch::new(transport, FetchPolicy::development());
    (server, fetch)
}

#[tokio::test]
async fn the_transport_keeps_to_the_contract_of_fetch() -> Result<(), Broken> {
    let (server, fetch) = as_the_contract_has_it().await;
    contract::fetch(&fetch, &server.url("/")).await
}

type Outcome = fn(Result<Response, FetchError>) -> Result<Response, FetchError>;

/// An adapter that does something wrong with a request, or with what became of it.
struct Mistaken<F> {
    fetch: F,
    request: fn(&mut Request),
    outcome: Outcome,
}

#[async_trait]
impl<F: Fetch> Fetch for Mistaken<F> {
    async fn fetch(&self, mut request: Request) -> Result<Response, FetchError> {
        (self.request)(&mut request);
        (self.outcome)(self.fetch.fetch(request).await)
    }
}

#[tokio::test]
async fn the_contract_finds_out_what_is_wrong() {
    let requests: [fn(&mut Request); 7] = [
        |request| request.method = Method::GET,
        |request| request.headers.clear(),
        |request| request.body.clear(),
        |request| request.limits.max_redirects += 1,
        |request| request.limits.max_redirects = 0,
        |request| request.limits.max_response_bytes += 1,
        |request| request.limits.max_response_bytes -= 1,
    ];
    let outcomes: [Outcome; 5] = [
        |outcome| match outcome {
            Err(FetchError::Broken(_)) => Ok(Response {
                status: StatusCode::OK,
                headers: HeaderMap::new(),
                body: Bytes::new(),
                final_url: Url::parse("http://localhost/").unwrap(),
            }),
            other => other,
        },
        |outcome| outcome.map_err(|_| FetchError::Timeout),
        |outcome| outcome.map_err(|_| FetchError::Broken("at ?secret=token".to_owned())),
        |outcome| {
            outcome.map(|mut response| {
                response.headers.remove(header::SET_COOKIE);
                response
            })
        },
        |outcome| match outcome {
            Ok(response) if !response.status.is_success() => {
                Err(FetchError::Broken("an error".to_owned()))
            }
            other => other,
        },
    ];
    let early = requests.map(|request| (request, (|outcome| outcome) as Outcome));
    let later = outcomes.map(|outcome| ((|_| {}) as fn(&mut Request), outcome));
    for (index, (request, outcome)) in early.into_iter().chain(later).enumerate() {
        let (server, fetch) = as_the_contract_has_it().await;
        let mistaken = Mistaken {
            fetch,
            request,
            outcome,
        };
        let outcome = contract::fetch(&mistaken, &server.url("/")).await;
        assert!(outcome.is_err(), "mistake {index}");
    }
}

#[tokio::test]
async fn a_request_says_who_asks() {
    let server = Server::start(ok("hello")).await;
    let request = Request::get(server.url("/"));
    guarded(&localhost()).fetch(request).await.unwrap();
    let head = &server.heard()[0];
    assert!(head.contains("user-agent: Huddle tests\r\n"), "{head}");
}

#[tokio::test]
async fn only_the_vetted_address_is_connected_to() {
    // Two servers at one port: who answers tells where the connection went.
    let good = Server::start(ok("vetted")).await;
    let at = SocketAddr::from(([127, 0, 0, 2], good.port));
    let evil = Server::start_at(at, Some(ok("rebound")), None).await;
    let names = Names::default();
    names.put("rebind.localhost", [127, 0, 0, 1]);
    names.put("rebind.localhost", [127, 0, 0, 2]);
    let url = Url::parse(&format!("http://rebind.localhost:{}/", good.port)).unwrap();
    let fetch = guarded(&names);
    let response = fetch.fetch(Request::get(url.clone())).await.unwrap();
    assert_eq!(response.body, "vetted");
    assert_eq!((good.heard().len(), evil.heard().len()), (1, 0));
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
    assert_eq!(server.heard().len(), 1);
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
    assert!(server.heard()[0].contains(&format!("host: example.com:{}", server.port)));
    // With no address to go to there is no other way to find one.
    assert!(matches!(hop(&[]).await, Err(FetchError::Connect(_))));
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
    assert!(server.heard().is_empty());
}

/// 64 MiB of zeros, brotli with a window of 16 MiB.
const BROTLI_BOMB: [u8; 54] = [
    0xcf, 0xff, 0xff, 0x7f, 0xf8, 0x27, 0x00, 0xe2, 0xb1, 0x40, 0x20, 0xf7, 0xfe, 0x9f, 0xff, 0xff,
    0xff, 0xf0, 0x4f, 0x00, 0xc4, 0x61, 0x01, 0x80, 0xee, 0xfd, 0x3f, 0xff, 0xff, 0xff, 0xe1, 0x9f,
    0x00, 0x88, 0xc3, 0x22, 0x00, 0xdd, 0xfb, 0x7f, 0xfe, 0xff, 0xff, 0xc3, 0x3f, 0x01, 0x10, 0x87,
    0x05, 0x00, 0xba, 0xf7, 0xff, 0x03,
];

#[tokio::test]
async fn a_bomb_never_unfolds_in_one_piece() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\n\r\n";
    let server = Server::start(Play::new(&[head, &BROTLI_BOMB], Then::HangUp)).await;
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
async fn more_headers_than_anybody_sends_are_an_error() {
    let head = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(200));
    let server = Server::start(Play::new(&[head.as_bytes()], Then::HangUp)).await;
    let request = Request::get(server.url("/"));
    let outcome = guarded(&localhost()).fetch(request).await;
    assert!(matches!(outcome, Err(FetchError::Broken(_))), "{outcome:?}");
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
    let server = Server::start(Play::new(&[head.as_bytes()], Then::KeepAlive)).await;
    let fetch = guarded(&localhost());
    for _ in 0..3 {
        fetch.fetch(Request::get(server.url("/"))).await.unwrap();
    }
    let requests = server.heard();
    assert_eq!(requests.len(), 3);
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
    assert!(!requests[2].contains("cookie"), "{}", requests[2]);
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
    let server = Server::start_at(at, Some(ok("safe")), Some(tls)).await;
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
    assert_eq!(server.heard().len(), 1);
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
