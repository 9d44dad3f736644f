//! How long answers are believed, and how often anybody is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use huddle_identity::{HandleState, IdentityResolver};
use huddle_ports::{Bytes, Cache};

use super::*;

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
async fn who_is_known_is_told_without_asking_anybody() {
    let setup = setup();
    let (did, name) = (did(ANA), "ana.example.com".parse().unwrap());
    let known = async || {
        let resolver = &setup.resolver;
        let who = AtIdentifier::Did(did.clone());
        let identity = resolver.resolve_identity(&who, Freshness::Known).await;
        (
            resolver.resolve_did(&did, Freshness::Known).await.err(),
            resolver.resolve_handle(&name, Freshness::Known).await.err(),
            identity.map(|identity| identity.handle),
        )
    };
    let not_known = IdentityError::NotKnown;
    let nothing = (Some(not_known), Some(not_known), Err(not_known));
    assert_eq!(known().await, nothing);
    resolve(&setup, ANA).await.unwrap();
    setup.web.take_asked();
    // The document is known, and claims a handle that is not.
    let unchecked = Ok(HandleState::Unchecked(name.clone()));
    assert_eq!(known().await, (None, Some(not_known), unchecked));
    handle(&setup, name.as_str()).await.unwrap();
    let asked = (setup.web.take_asked().len(), setup.dns.take_asked().len());
    assert_eq!(
        known().await,
        (None, None, Ok(HandleState::Verified(name.clone())))
    );
    setup.clock.advance(10 * MINUTE);
    assert_eq!(known().await, nothing);
    assert_eq!(
        (setup.web.take_asked().len(), setup.dns.take_asked().len()),
        (0, 0),
        "after {asked:?}"
    );
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
async fn what_the_protocol_does_not_use_of_a_document_takes_no_room() {
    let setup = setup();
    let mut json = document(ANA, "ana.example.com", &key(Curve::K256, 1).public_key());
    json["extra"] = "x".repeat(DidDocument::MAX_BYTES / 2).into();
    setup.web.put_document(ANA, &json);
    resolve(&setup, ANA).await.unwrap();
    let kept = setup.cache.get(&format!("identity/did/{ANA}")).await;
    assert!(kept.unwrap().len() < 1024);
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
async fn those_who_go_away_while_we_ask_have_asked_all_the_same() {
    let setup = setup();
    resolve(&setup, ANA).await.unwrap();
    setup.clock.advance(MINUTE);
    setup.web.take_asked();
    assert_eq!(fresh(&setup, ANA).now_or_never(), None, "not done yet");
    for _ in 0..10 {
        fresh(&setup, ANA).await.unwrap();
    }
    assert_eq!(setup.web.take_asked().len(), 1);
}

#[tokio::test]
async fn those_who_want_a_fresh_answer_wait_for_the_one_that_is_being_fetched() {
    let setup = setup();
    resolve(&setup, ANA).await.unwrap();
    setup.clock.advance(MINUTE);
    let rotated = document(ANA, "ana.example.com", &key(Curve::P256, 2).public_key());
    setup.web.put_document(ANA, &rotated);
    for document in <[_; 2]>::from(join(fresh(&setup, ANA), fresh(&setup, ANA)).await) {
        let key = document.unwrap().signing_key().unwrap();
        assert_eq!(key.curve(), Curve::P256);
    }
    assert_eq!(setup.web.take_asked().len(), 2);
}

/// A cache whose first answer takes long to arrive.
struct Slow {
    cache: Arc<dyn Cache>,
    answered: AtomicBool,
}

#[async_trait]
impl Cache for Slow {
    async fn get(&self, key: &str) -> Option<Bytes> {
        let value = self.cache.get(key).await;
        if !self.answered.swap(true, Ordering::Relaxed) {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        }
        value
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) {
        self.cache.put(key, value, ttl).await;
    }

    async fn delete(&self, key: &str) {
        self.cache.delete(key).await;
    }
}

#[tokio::test]
async fn an_answer_that_came_while_the_cache_was_slow_is_not_asked_for_again() {
    let setup = setup();
    let cache = Slow {
        cache: setup.cache.clone(),
        answered: AtomicBool::new(false),
    };
    let resolver = IdentityResolver::new(
        setup.web.clone(),
        setup.dns.clone(),
        Arc::new(cache),
        setup.clock.clone(),
        IdentityConfig::default(),
    );
    let ana = did(ANA);
    let ask = || resolver.resolve_did(&ana, Freshness::Cached);
    let (late, early) = join(ask(), ask()).await;
    assert_eq!(late, early);
    assert_eq!(setup.web.take_asked().len(), 1);
}

#[tokio::test]
async fn lookups_beyond_the_limit_are_told_to_come_again_and_kinds_do_not_share_it() {
    let setup = Setup::with(IdentityConfig {
        max_lookups: 2,
        ..IdentityConfig::default()
    });
    let known = document(BOB, "b.example.com", &key(Curve::K256, 1).public_key());
    setup.web.put_document(BOB, &known);
    resolve(&setup, BOB).await.unwrap();
    setup.web.take_asked();
    let hosts = ["did:web:a.example.com", "did:web:b.example.com"];
    let mut waiting: Vec<_> = hosts
        .iter()
        .map(|host| Box::pin(resolve(&setup, host)))
        .collect();
    for lookup in &mut waiting {
        assert_eq!(lookup.now_or_never(), None);
    }
    let outcome = resolve(&setup, "did:web:c.example.com").await;
    assert_eq!(outcome, Err(IdentityError::Busy));
    assert!(IdentityError::Busy.is_retryable());
    assert_eq!(setup.web.take_asked().len(), 2);
    // The directory and the handles have their own, and what is known needs no look-up.
    assert_eq!(resolve(&setup, ANA).await, Err(IdentityError::NotFound));
    let outcome = handle(&setup, "ana.example.com").await;
    assert_eq!(outcome, Err(IdentityError::NotFound));
    resolve(&setup, BOB).await.unwrap();
    drop(waiting);
    let outcome = resolve(&setup, "did:web:c.example.com").await;
    assert_eq!(outcome, Err(IdentityError::NotFound), "nothing was kept");
}
