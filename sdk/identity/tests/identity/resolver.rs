//! Resolving DIDs and handles: whom we ask, and what we make of the answers.

mod handles;
mod identities;
mod memory;

use std::time::Duration;

use huddle_identity::crypto::Curve;
use huddle_identity::{
    DidDocument, DocumentError, Freshness, Identity, IdentityConfig, IdentityError,
};
use huddle_ports::{Blocked, FetchError, RedirectError, Url, header};
use huddle_syntax::AtIdentifier;

use crate::support::{ANA, BOB, Page, Setup, did, document, key};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const ANA_URL: &str = "https://plc.directory/did:plc:anaanaanaanaanaanaanaana";
const WELL_KNOWN: &str = "https://ana.example.com/.well-known/atproto-did";
const TEXT_RECORD: &str = "_atproto.ana.example.com";

/// The world with Ana in it, found by DNS.
fn setup() -> Setup {
    let setup = Setup::new();
    let key = key(Curve::K256, 1).public_key();
    setup
        .web
        .put_document(ANA, &document(ANA, "ana.example.com", &key));
    setup.dns.put(TEXT_RECORD, &[&format!("did={ANA}")]);
    setup
}

async fn resolve(setup: &Setup, text: &str) -> Result<DidDocument, IdentityError> {
    setup
        .resolver
        .resolve_did(&did(text), Freshness::Cached)
        .await
}

async fn fresh(setup: &Setup, text: &str) -> Result<DidDocument, IdentityError> {
    setup
        .resolver
        .resolve_did(&did(text), Freshness::Fresh)
        .await
}

async fn handle(setup: &Setup, text: &str) -> Result<String, IdentityError> {
    let outcome = setup
        .resolver
        .resolve_handle(&text.parse().unwrap(), Freshness::Cached)
        .await;
    outcome.map(|did| did.to_string())
}

async fn identity(setup: &Setup, text: &str) -> Result<Identity, IdentityError> {
    let who: AtIdentifier = text.parse().unwrap();
    setup
        .resolver
        .resolve_identity(&who, Freshness::Cached)
        .await
}

#[tokio::test]
async fn a_did_plc_is_asked_of_the_directory() {
    let setup = setup();
    assert_eq!(resolve(&setup, ANA).await.unwrap().id().as_str(), ANA);
    let request = setup.web.last();
    assert_eq!(request.url.as_str(), ANA_URL);
    assert_eq!(request.limits.max_redirects, 0);
    assert_eq!(request.limits.max_response_bytes, DidDocument::MAX_BYTES);
    assert!(request.headers.contains_key(header::ACCEPT));
}

#[tokio::test]
async fn the_directory_is_configured_with_or_without_a_path() {
    for (directory, url) in [
        (
            "http://localhost:2582",
            format!("http://localhost:2582/{ANA}"),
        ),
        (
            "https://mirror.example.com/plc/",
            format!("https://mirror.example.com/plc/{ANA}"),
        ),
        (
            "https://mirror.example.com/plc",
            format!("https://mirror.example.com/plc/{ANA}"),
        ),
    ] {
        let setup = Setup::with(IdentityConfig {
            plc_directory: Url::parse(directory).unwrap(),
            ..IdentityConfig::default()
        });
        assert_eq!(resolve(&setup, ANA).await, Err(IdentityError::NotFound));
        assert_eq!(setup.web.take_asked(), [url]);
    }
}

#[tokio::test]
async fn a_did_web_is_asked_of_its_host() {
    let setup = Setup::new();
    let did = "did:web:ana.example.com";
    let json = document(did, "ana.example.com", &key(Curve::P256, 1).public_key());
    let url = "https://ana.example.com/.well-known/did.json";
    setup
        .web
        .put(url, Page::Is(200, json.to_string().into_bytes()));
    assert_eq!(resolve(&setup, did).await.unwrap().id().as_str(), did);
    assert_eq!(setup.web.take_asked(), [url]);
}

#[tokio::test]
async fn what_cannot_be_resolved_asks_nobody() {
    let setup = Setup::new();
    for did in [
        "did:plc:short",
        "did:plc:ANAANAANAANAANAANAANAANA",
        "did:plc:anaanaanaanaanaanaanaan1",
        "did:plc:anaanaanaanaanaanaanaanaa",
        "did:plc:..%2F..%2Fanaanaanaanaan",
        "did:key:zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc",
        "did:example:ana",
        "did:web:localhost",
        "did:web:localhost%3A3000",
        "did:web:127.0.0.1",
        "did:web:10.0.0.1",
        "did:web:intranet",
        "did:web:host.internal",
        "did:web:ana.example.com:path",
        "did:web:ana.example.com%3A8080",
        "did:web:user%40ana.example.com",
    ] {
        assert_eq!(
            resolve(&setup, did).await,
            Err(IdentityError::Unsupported),
            "{did}"
        );
    }
    for name in [
        "ana.test",
        "ana.local",
        "ana.internal",
        "handle.invalid",
        "ana.onion",
    ] {
        assert_eq!(
            handle(&setup, name).await,
            Err(IdentityError::Unsupported),
            "{name}"
        );
    }
    assert!(setup.web.take_asked().is_empty() && setup.dns.take_asked().is_empty());
}

#[tokio::test]
async fn every_bad_answer_about_a_did_has_its_error() {
    let other = document(BOB, "b.example.com", &key(Curve::K256, 1).public_key()).to_string();
    let page = |status, body: &str| Page::Is(status, body.as_bytes().to_vec());
    for (answer, expect) in [
        (page(404, "{}"), IdentityError::NotFound),
        (page(410, "{}"), IdentityError::NotFound),
        (page(400, "{}"), IdentityError::NotFound),
        (page(403, "{}"), IdentityError::Unavailable),
        (page(429, "{}"), IdentityError::Unavailable),
        (page(500, "{}"), IdentityError::Unavailable),
        (page(503, "{}"), IdentityError::Unavailable),
        (page(204, ""), IdentityError::Unavailable),
        (page(200, ""), IdentityError::Unavailable),
        (page(200, "<html>"), IdentityError::Unavailable),
        (
            page(200, &other),
            IdentityError::Document(DocumentError::OtherDid),
        ),
        (
            page(200, &"x".repeat(DidDocument::MAX_BYTES + 1)),
            IdentityError::Unavailable,
        ),
        (Page::Fails(FetchError::Timeout), IdentityError::Unavailable),
        (Page::Fails(FetchError::Resolve), IdentityError::Unavailable),
        (
            Page::Fails(FetchError::UnknownHost),
            IdentityError::Unavailable,
        ),
        (
            Page::Fails(FetchError::Connect(String::new())),
            IdentityError::Unavailable,
        ),
        (
            Page::Fails(FetchError::Broken(String::new())),
            IdentityError::Unavailable,
        ),
        (
            Page::Fails(FetchError::Certificate(String::new())),
            IdentityError::Unavailable,
        ),
        (
            Page::Fails(FetchError::Blocked(Blocked::Scheme)),
            IdentityError::Unavailable,
        ),
        (
            Page::Fails(FetchError::Redirect(RedirectError::TooMany)),
            IdentityError::Unavailable,
        ),
    ] {
        let setup = Setup::new();
        setup.web.put(ANA_URL, answer);
        assert_eq!(resolve(&setup, ANA).await, Err(expect));
        assert_eq!(expect.is_retryable(), expect == IdentityError::Unavailable);
    }
}

#[tokio::test]
async fn the_host_of_a_did_web_speaks_for_its_did_where_a_directory_does_not() {
    let page = |status, body: &str| Page::Is(status, body.as_bytes().to_vec());
    for (answer, expect) in [
        (
            page(200, "<html>"),
            IdentityError::Document(DocumentError::NotADocument),
        ),
        (
            page(200, &"x".repeat(DidDocument::MAX_BYTES + 1)),
            IdentityError::Document(DocumentError::TooLong),
        ),
        (
            Page::Fails(FetchError::UnknownHost),
            IdentityError::NotFound,
        ),
        (
            Page::Fails(FetchError::Blocked(Blocked::Scheme)),
            IdentityError::NotAllowed,
        ),
        (
            Page::Fails(FetchError::Certificate(String::new())),
            IdentityError::Certificate,
        ),
        (
            Page::Fails(FetchError::Redirect(RedirectError::TooMany)),
            IdentityError::Document(DocumentError::NotADocument),
        ),
        (Page::Fails(FetchError::Timeout), IdentityError::Unavailable),
    ] {
        let setup = Setup::new();
        let url = "https://gone.example.com/.well-known/did.json";
        setup.web.put(url, answer);
        assert_eq!(
            resolve(&setup, "did:web:gone.example.com").await,
            Err(expect)
        );
    }
}
