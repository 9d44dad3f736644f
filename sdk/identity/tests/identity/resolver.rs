//! Resolving DIDs and handles, and how long answers are believed.

use std::time::Duration;

use futures_util::future::join_all;
use huddle_identity::crypto::Curve;
use huddle_identity::{
    DidDocument, DocumentError, Freshness, Identity, IdentityConfig, IdentityError,
};
use huddle_ports::{Blocked, Cache, DnsError, FetchError, FetchPolicy, RedirectError, Url, header};
use huddle_syntax::AtIdentifier;

use crate::support::{ANA, BOB, Page, Setup, did, document, key};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const ANA_URL: &str = "https://plc.directory/did:plc:anaanaanaanaanaanaanaana";
const WELL_KNOWN: &str = "https://ana.example.com/.well-known/atproto-did";

/// The world with Ana in it, found by DNS.
fn setup() -> Setup {
    let setup = Setup::new();
    let key = key(Curve::K256, 1).public_key();
    setup
        .web
        .put_document(ANA, &document(ANA, "ana.example.com", &key));
    setup
        .dns
        .put("_atproto.ana.example.com", &[&format!("did={ANA}")]);
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
        (page(200, &"x".repeat(70_000)), IdentityError::Unavailable),
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
            page(200, &"x".repeat(70_000)),
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

#[tokio::test]
async fn a_directory_that_answers_nonsense_does_not_displace_what_it_said_before() {
    let setup = setup();
    resolve(&setup, ANA).await.unwrap();
    setup.clock.advance(MINUTE);
    setup
        .web
        .put(ANA_URL, Page::Is(200, b"<html>maintenance</html>".to_vec()));
    let did = ANA.parse().unwrap();
    let asked = setup.resolver.resolve_did(&did, Freshness::Fresh).await;
    assert_eq!(asked, Err(IdentityError::Unavailable));
    resolve(&setup, ANA).await.unwrap();
}

#[tokio::test]
async fn a_document_is_used_for_ten_minutes_and_not_longer() {
    let setup = setup();
    resolve(&setup, ANA).await.unwrap();
    setup.web.put(ANA_URL, Page::Is(410, Vec::new()));
    setup.clock.advance(599 * SECOND);
    resolve(&setup, ANA).await.unwrap();
    assert_eq!(setup.web.take_asked().len(), 1);
    setup.clock.advance(SECOND);
    assert_eq!(resolve(&setup, ANA).await, Err(IdentityError::NotFound));
}

#[tokio::test]
async fn a_document_is_not_used_for_longer_because_the_directory_is_down() {
    let setup = setup();
    resolve(&setup, ANA).await.unwrap();
    setup.web.put(ANA_URL, Page::Fails(FetchError::Timeout));
    setup.clock.advance(10 * MINUTE);
    assert_eq!(resolve(&setup, ANA).await, Err(IdentityError::Unavailable));
}

#[tokio::test]
async fn refusals_are_kept_for_thirty_seconds_and_failures_for_five() {
    for (answer, error, ttl) in [
        (Page::Is(404, Vec::new()), IdentityError::NotFound, 30),
        (
            Page::Is(200, br#"{"id":"did:plc:somebodyelse"}"#.to_vec()),
            IdentityError::Document(DocumentError::OtherDid),
            30,
        ),
        (
            Page::Fails(FetchError::Timeout),
            IdentityError::Unavailable,
            5,
        ),
    ] {
        let setup = Setup::new();
        setup.web.put(ANA_URL, answer);
        assert_eq!(resolve(&setup, ANA).await, Err(error));
        setup.clock.advance((ttl - 1) * SECOND);
        assert_eq!(resolve(&setup, ANA).await, Err(error));
        assert_eq!(setup.web.take_asked().len(), 1);
        setup.clock.advance(SECOND);
        assert_eq!(resolve(&setup, ANA).await, Err(error));
        assert_eq!(setup.web.take_asked().len(), 1, "{error:?}");
    }
}

#[tokio::test]
async fn a_fresh_answer_is_fetched_but_not_more_than_every_thirty_seconds() {
    let setup = setup();
    resolve(&setup, ANA).await.unwrap();
    for _ in 0..100 {
        fresh(&setup, ANA).await.unwrap();
    }
    assert_eq!(setup.web.take_asked().len(), 1, "just fetched");
    setup.clock.advance(30 * SECOND);
    let rotated = document(ANA, "ana.example.com", &key(Curve::P256, 2).public_key());
    setup.web.put_document(ANA, &rotated);
    for _ in 0..100 {
        let document = fresh(&setup, ANA).await.unwrap();
        assert_eq!(document.signing_key().unwrap().curve(), Curve::P256);
    }
    assert_eq!(setup.web.take_asked().len(), 1);
    let document = resolve(&setup, ANA).await.unwrap();
    assert_eq!(document.signing_key().unwrap().curve(), Curve::P256);
}

#[tokio::test]
async fn a_refresh_that_fails_keeps_what_was_known_and_is_not_repeated_at_once() {
    let setup = setup();
    resolve(&setup, ANA).await.unwrap();
    setup.clock.advance(MINUTE);
    setup.web.put(ANA_URL, Page::Fails(FetchError::Timeout));
    assert_eq!(fresh(&setup, ANA).await, Err(IdentityError::Unavailable));
    resolve(&setup, ANA).await.unwrap();
    fresh(&setup, ANA).await.unwrap();
    assert_eq!(setup.web.take_asked().len(), 2);
    // The failure did not make the old answer younger.
    setup.clock.advance(9 * MINUTE);
    assert_eq!(resolve(&setup, ANA).await, Err(IdentityError::Unavailable));
}

#[tokio::test]
async fn a_refresh_that_says_no_is_believed() {
    let setup = setup();
    resolve(&setup, ANA).await.unwrap();
    setup.clock.advance(MINUTE);
    setup.web.put(ANA_URL, Page::Is(410, Vec::new()));
    assert_eq!(fresh(&setup, ANA).await, Err(IdentityError::NotFound));
    assert_eq!(resolve(&setup, ANA).await, Err(IdentityError::NotFound));
}

#[tokio::test]
async fn nothing_is_believed_from_a_time_that_is_still_to_come() {
    let setup = setup();
    resolve(&setup, ANA).await.unwrap();
    setup.clock.set_back(5 * MINUTE);
    resolve(&setup, ANA).await.unwrap();
    assert_eq!(setup.web.take_asked().len(), 2);
}

#[tokio::test]
async fn rubbish_in_the_cache_is_as_good_as_nothing() {
    let setup = setup();
    for rubbish in [
        "",
        "null",
        "{}",
        "{\"outcome\":{\"Ok\":{}},\"answered\":0,\"asked\":0}",
    ] {
        let key = format!("identity/did/{ANA}");
        setup.cache.put(&key, rubbish.into(), MINUTE).await;
        resolve(&setup, ANA).await.unwrap();
        assert_eq!(setup.web.take_asked().len(), 1, "{rubbish}");
    }
}

#[tokio::test]
async fn many_who_ask_at_the_same_time_are_one_request() {
    let setup = setup();
    let ana = did(ANA);
    let waiters = (0..50).map(|_| setup.resolver.resolve_did(&ana, Freshness::Cached));
    for outcome in join_all(waiters).await {
        outcome.unwrap();
    }
    assert_eq!(setup.web.take_asked().len(), 1);

    let name = "ana.example.com".parse().unwrap();
    let waiters = (0..50).map(|_| setup.resolver.resolve_handle(&name, Freshness::Cached));
    for outcome in join_all(waiters).await {
        outcome.unwrap();
    }
    assert_eq!(setup.dns.take_asked().len(), 1);
}

#[tokio::test]
async fn dns_names_the_did_and_the_host_is_not_asked() {
    let setup = setup();
    assert_eq!(handle(&setup, "Ana.Example.Com").await, Ok(ANA.to_owned()));
    assert_eq!(setup.dns.take_asked(), ["_atproto.ana.example.com"]);
    assert!(setup.web.take_asked().is_empty());
}

#[tokio::test]
async fn two_dids_in_dns_are_none_whatever_the_host_says() {
    let setup = Setup::new();
    let records = [format!("did={ANA}"), format!("did={BOB}")];
    setup
        .dns
        .put("_atproto.ana.example.com", &[&records[0], &records[1]]);
    setup.web.put(WELL_KNOWN, Page::Is(200, ANA.into()));
    assert_eq!(
        handle(&setup, "ana.example.com").await,
        Err(IdentityError::UnclearHandle)
    );
    assert!(setup.web.take_asked().is_empty());
}

#[tokio::test]
async fn the_host_is_asked_when_dns_says_nothing() {
    let page = |status, body: &str| Page::Is(status, body.as_bytes().to_vec());
    for (answer, expect) in [
        (page(200, ANA), Ok(ANA.to_owned())),
        (page(200, &format!("\n {ANA}\r\n")), Ok(ANA.to_owned())),
        (
            Page::At("https://ana.example.com/elsewhere", ANA.into()),
            Ok(ANA.to_owned()),
        ),
        (
            Page::At(
                "https://evil.example.com/.well-known/atproto-did",
                ANA.into(),
            ),
            Err(IdentityError::NotFound),
        ),
        (page(200, "<html>"), Err(IdentityError::NotFound)),
        (
            page(200, &format!("{ANA}\n{BOB}")),
            Err(IdentityError::NotFound),
        ),
        (page(200, &" ".repeat(5000)), Err(IdentityError::NotFound)),
        (page(204, ANA), Err(IdentityError::NotFound)),
        (page(404, ANA), Err(IdentityError::NotFound)),
        (page(401, ANA), Err(IdentityError::NotFound)),
        (page(429, ANA), Err(IdentityError::Unavailable)),
        (page(500, ANA), Err(IdentityError::Unavailable)),
        (
            Page::Fails(FetchError::UnknownHost),
            Err(IdentityError::NotFound),
        ),
        (
            Page::Fails(FetchError::Redirect(RedirectError::TooMany)),
            Err(IdentityError::NotFound),
        ),
        (
            Page::Fails(FetchError::Blocked(Blocked::Scheme)),
            Err(IdentityError::NotAllowed),
        ),
        (
            Page::Fails(FetchError::Timeout),
            Err(IdentityError::Unavailable),
        ),
    ] {
        let setup = Setup::new();
        setup.dns.put("_atproto.ana.example.com", &["v=spf1 -all"]);
        setup.web.put(WELL_KNOWN, answer);
        assert_eq!(handle(&setup, "ana.example.com").await, expect);
    }
}

#[tokio::test]
async fn without_dns_the_host_can_say_yes_but_not_no() {
    for error in [DnsError::Timeout, DnsError::Failed] {
        let setup = Setup::new();
        setup.dns.fail("_atproto.ana.example.com", error);
        assert_eq!(
            handle(&setup, "ana.example.com").await,
            Err(IdentityError::Unavailable)
        );
        let setup = Setup::new();
        setup.dns.fail("_atproto.ana.example.com", error);
        setup.web.put(WELL_KNOWN, Page::Is(200, ANA.into()));
        assert_eq!(handle(&setup, "ana.example.com").await, Ok(ANA.to_owned()));
    }
}

#[tokio::test]
async fn an_identity_is_verified_in_both_directions() {
    let setup = setup();
    for who in [ANA, "ana.example.com", "ANA.example.com"] {
        let identity = identity(&setup, who).await.unwrap();
        assert_eq!(identity.did.as_str(), ANA);
        assert_eq!(identity.shown_handle(), "ana.example.com");
        assert_eq!(identity.pds.unwrap().as_str(), "https://pds.example.com/");
        assert_eq!(identity.signing_key, Some(key(Curve::K256, 1).public_key()));
    }
}

#[tokio::test]
async fn a_handle_that_does_not_point_back_is_not_shown() {
    let setup = setup();
    let bobs = format!("did={BOB}");
    for records in [&[][..], &[bobs.as_str()]] {
        setup.dns.put("_atproto.ana.example.com", records);
        setup.clock.advance(10 * MINUTE);
        let identity = identity(&setup, ANA).await.unwrap();
        assert_eq!(identity.handle, None);
        assert_eq!(identity.shown_handle(), "handle.invalid");
    }
    setup
        .dns
        .fail("_atproto.ana.example.com", DnsError::Timeout);
    setup.clock.advance(10 * MINUTE);
    assert_eq!(identity(&setup, ANA).await.unwrap().handle, None);
}

#[tokio::test]
async fn a_handle_whose_did_does_not_claim_it_is_nobodys() {
    let setup = setup();
    setup
        .dns
        .put("_atproto.bob.example.com", &[&format!("did={ANA}")]);
    assert_eq!(
        identity(&setup, "bob.example.com").await,
        Err(IdentityError::HandleNotClaimed)
    );
    setup
        .dns
        .put("_atproto.gone.example.com", &[&format!("did={BOB}")]);
    assert_eq!(
        identity(&setup, "gone.example.com").await,
        Err(IdentityError::NotFound)
    );
}

#[tokio::test]
async fn a_changed_handle_is_found_before_the_old_document_is_forgotten() {
    let setup = setup();
    identity(&setup, ANA).await.unwrap();
    setup.clock.advance(MINUTE);
    let key = key(Curve::K256, 1).public_key();
    let renamed = document(ANA, "new.example.com", &key);
    setup.web.put_document(ANA, &renamed);
    setup
        .dns
        .put("_atproto.new.example.com", &[&format!("did={ANA}")]);
    let identity = identity(&setup, "new.example.com").await.unwrap();
    assert_eq!(identity.shown_handle(), "new.example.com");
}

#[tokio::test]
async fn an_identity_shows_only_what_can_be_used() {
    for (endpoint, usable) in [
        ("https://pds.example.com", true),
        ("https://10.0.0.1", false),
        ("https://169.254.169.254", false),
        ("https://[::1]", false),
        ("https://localhost", false),
        ("https://pds.internal", false),
        ("http://pds.example.com", false),
        ("http://localhost:2583", false),
        ("https://pds.example.com:2583", false),
        ("https://pds.example.com/path", false),
    ] {
        let setup = Setup::new();
        let mut json = document(ANA, "ana.example.com", &key(Curve::K256, 1).public_key());
        json["service"][0]["serviceEndpoint"] = endpoint.into();
        json["verificationMethod"] = serde_json::json!([]);
        setup.web.put_document(ANA, &json);
        let identity = identity(&setup, ANA).await.unwrap();
        assert_eq!(identity.pds.is_some(), usable, "{endpoint}");
        assert_eq!(identity.signing_key, None);
    }
}

#[tokio::test]
async fn development_reaches_this_machine_too() {
    let setup = Setup::with(IdentityConfig {
        plc_directory: Url::parse("http://localhost:2582").unwrap(),
        policy: FetchPolicy::development(),
        ..IdentityConfig::default()
    });
    let did = "did:web:localhost%3A3000";
    let mut json = document(did, "ana.test", &key(Curve::K256, 1).public_key());
    json["service"][0]["serviceEndpoint"] = "http://localhost:2583".into();
    setup.web.put(
        "http://localhost:3000/.well-known/did.json",
        Page::Is(200, json.to_string().into_bytes()),
    );
    setup.dns.put("_atproto.ana.test", &[&format!("did={did}")]);
    let identity = identity(&setup, "ana.test").await.unwrap();
    assert_eq!(identity.did.as_str(), did);
    assert_eq!(identity.pds.unwrap().as_str(), "http://localhost:2583/");
}
