//! `huddle serve` from its first word to its last.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;

use huddle_lexicon::com::huddle::defs::BookingStatus;
use huddle_lexicon::com::huddle::r#match::Match;

use crate::program::{Serving, huddle, run};
use crate::world::World;

fn serve_alone(folder: &std::path::Path) -> Serving {
    let mut command = huddle(folder);
    command.arg("serve");
    Serving::start(command).unwrap()
}

/// What it answers at a path, head and body.
fn get(server: &Serving, path: &str) -> String {
    get_with(server, path, "")
}

/// The same, with more lines in the head of the request.
fn get_with(server: &Serving, path: &str, more: &str) -> String {
    let mut client = TcpStream::connect(server.url.socket_addrs(|| None).unwrap()[0]).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n");
    client.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn without_any_configuration_it_serves_and_says_what_is_missing_for_production() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve_alone(folder.path());
    for gap in [
        "--service",
        "--firehose",
        "--public-url",
        "HUDDLE_OPERATOR_TOKEN",
    ] {
        assert!(
            server.beginning.contains(gap),
            "{gap}: {}",
            server.beginning
        );
    }
    for (path, expect) in [
        ("/healthz", r#""status":"ok""#),
        ("/xrpc/com.huddle.searchHosts?q=anybody", r#""hosts":[]"#),
    ] {
        let answer = get(&server, path);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
        assert!(answer.contains(expect), "{path}: {answer}");
    }
    let data = folder.path().join("huddle-data");
    let mode = |name: &str| {
        let metadata = fs::metadata(data.join(name)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode("."), 0o700);
    assert_eq!(mode("booking-ids.secret"), 0o600);
    assert_eq!(mode("disclosure.secret"), 0o600);
}

#[test]
fn every_page_is_safe_in_a_browser() {
    let token = "0123456789abcdef".repeat(2);
    let folder = tempfile::tempdir().unwrap();
    let mut command = huddle(folder.path());
    command.args(["serve", "--service", "did:web:huddle.example.com"]);
    command.args(["--public-url", "https://huddle.example.com"]);
    command.args(["--operator-token", &token]);
    command.args(["--smtp-url", "smtp://127.0.0.1:1"]);
    command.args(["--mail-from", "bookings@huddle.example.com"]);
    let server = Serving::start(command).unwrap();
    let bearer = format!("Authorization: Bearer {token}\r\n");
    for (path, status, kept) in [
        ("/", 404, "no-store"),
        ("/healthz", 200, "no-store"),
        ("/xrpc/_health", 200, "no-store"),
        ("/.well-known/did.json", 200, "public, max-age=300"),
        ("/static/huddle.css", 200, "public, max-age=3600"),
        ("/connect", 400, "no-store"),
        ("/connect/done", 200, "no-store"),
        ("/settings", 400, "no-store"),
        ("/settings/webhook", 405, "no-store"),
        ("/confirm-email", 200, "no-store"),
        ("/cancel-booking", 410, "no-store"),
        ("/zpages", 200, "no-store"),
        ("/internal/metrics", 200, "no-store"),
    ] {
        let answer = get_with(&server, path, &bearer);
        let (head, _) = answer.split_once("\r\n\r\n").unwrap();
        let begins = format!("HTTP/1.1 {status} ");
        assert!(head.starts_with(&begins), "{path}: {head}");
        for (name, value) in [
            ("cache-control", kept),
            (
                "content-security-policy",
                "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            ),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            let line = format!("{name}: {value}");
            assert!(head.lines().any(|it| it == line), "{path}: {line}: {head}");
        }
    }
}

#[test]
fn told_to_end_it_ends_well() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve_alone(folder.path());
    server.terminate();
    let (status, said) = server.wait();
    assert!(status.success(), "{status} {said}");
    assert!(said.contains("stopping"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn told_twice_it_waits_for_no_request_that_never_ends() {
    let world = World::new(1).await;
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(world.serve(folder.path())).unwrap();
    let token = world.token::<Match>(&world.guests[0]);
    let mut client = TcpStream::connect(server.url.socket_addrs(|| None).unwrap()[0]).unwrap();
    let head = format!(
        "POST /xrpc/com.huddle.match HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    );
    client.write_all(head.as_bytes()).unwrap();
    // It is said when somebody begins to wait for the body, which never comes.
    let mut answer = [0; 12];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100");
    server.terminate();
    server.until_it_says("told to end");
    server.terminate();
    let (status, said) = server.wait();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("told to end twice"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_before_it_was_told_to_end_is_answered() {
    let world = World::new(16).await;
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(world.serve(folder.path())).unwrap();
    let host = world.host("host");
    world.until_known(&server.url, &host).await;
    let (world, url) = (std::sync::Arc::new(world), server.url.clone());
    let mut asking = tokio::task::JoinSet::new();
    for guest in world.guests.clone() {
        let (world, url, host) = (world.clone(), url.clone(), host.clone());
        asking.spawn(async move { world.ask(&url, &guest, &host, "one").await });
    }
    // Some are answered by now, and others on their way.
    let first = asking.join_next().await.unwrap().unwrap();
    server.terminate();
    let mut answered: Vec<_> = first.into_iter().collect();
    while let Some(answer) = asking.join_next().await {
        answered.extend(answer.unwrap());
    }
    let (status, said) = server.wait();
    assert!(status.success(), "{said}");
    assert!(!answered.is_empty());
    for booking in answered {
        assert_eq!(booking.status, BookingStatus::Held);
        let shown = run(folder.path(), ["bookings", "show", &booking.id]).text();
        assert!(shown.contains("held"), "{shown}");
    }
}

#[test]
fn a_folder_is_served_by_one_at_a_time_and_by_another_once_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve_alone(folder.path());
    let mut command = huddle(folder.path());
    command.arg("serve");
    let refused = Serving::start(command).err().unwrap();
    refused.fails(1, "another `huddle serve` is at work on huddle-data: end");
    // It has done nothing to the first, nor are the commands beside it any concern of theirs.
    assert!(get(&server, "/healthz").starts_with("HTTP/1.1 200 "));
    run(folder.path(), ["jobs", "list"]).text();
    server.kill();
    serve_alone(folder.path()).stop();
}

#[test]
fn an_address_that_is_taken_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    run(folder.path(), ["serve", "--listen", &address]).fails(1, "name another with --listen");
}
