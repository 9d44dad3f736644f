//! Handles and DIDs that have to agree.

use huddle_identity::{HandleState, RESOLUTION_TIMEOUT};
use huddle_ports::{Clock, DnsError, FetchPolicy};

use super::*;

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
        setup.dns.put(TEXT_RECORD, records);
        setup.clock.advance(10 * MINUTE);
        let identity = identity(&setup, ANA).await.unwrap();
        assert_eq!(identity.handle, HandleState::Invalid);
        assert_eq!(identity.shown_handle(), "handle.invalid");
    }
}

#[tokio::test]
async fn a_handle_that_cannot_be_looked_up_is_not_called_invalid() {
    let setup = setup();
    setup.dns.fail(TEXT_RECORD, DnsError::Timeout);
    let who = identity(&setup, ANA).await.unwrap();
    let ana = "ana.example.com".parse().unwrap();
    assert_eq!(who.handle, HandleState::Unchecked(ana));
    assert_eq!(who.shown_handle(), "handle.invalid");
    let outcome = identity(&setup, "ana.example.com").await;
    assert_eq!(outcome.unwrap_err(), IdentityError::Unavailable);
}

#[tokio::test]
async fn an_account_without_a_handle_is_asked_about_once() {
    let setup = setup();
    let mut json = document(ANA, "", &key(Curve::K256, 1).public_key());
    json["alsoKnownAs"] = serde_json::json!([]);
    setup.web.put_document(ANA, &json);
    for _ in 0..3 {
        let identity = identity(&setup, ANA).await.unwrap();
        assert_eq!(identity.handle, HandleState::Invalid);
        setup.clock.advance(MINUTE);
    }
    assert_eq!(setup.web.take_asked().len(), 1);
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
    for who in ["new.example.com", ANA] {
        let identity = identity(&setup, who).await.unwrap();
        assert_eq!(identity.shown_handle(), "new.example.com");
    }
}

#[tokio::test]
async fn a_renamed_account_is_found_by_its_did_before_the_old_document_is_forgotten() {
    let setup = setup();
    identity(&setup, ANA).await.unwrap();
    setup.clock.advance(MINUTE);
    let key = key(Curve::K256, 1).public_key();
    let renamed = document(ANA, "new.example.com", &key);
    setup.web.put_document(ANA, &renamed);
    let (anas, bobs) = (format!("did={ANA}"), format!("did={BOB}"));
    setup.dns.put("_atproto.new.example.com", &[&anas]);
    setup.dns.put(TEXT_RECORD, &[&bobs]);
    // Somebody has heard that the old handle is Bob's now.
    let old = "ana.example.com".parse().unwrap();
    let moved = setup.resolver.resolve_handle(&old, Freshness::Fresh).await;
    assert_eq!(moved, Ok(did(BOB)));
    let identity = identity(&setup, ANA).await.unwrap();
    assert_eq!(identity.shown_handle(), "new.example.com");
}

#[tokio::test]
async fn a_handle_given_to_somebody_else_is_theirs_before_the_old_answer_is_forgotten() {
    let key = key(Curve::K256, 1).public_key();
    let renamed = Page::Is(
        200,
        document(ANA, "other.example.com", &key).to_string().into(),
    );
    for anas_document in [renamed, Page::Is(410, Vec::new())] {
        let setup = setup();
        identity(&setup, "ana.example.com").await.unwrap();
        setup.clock.advance(MINUTE);
        // What is known of Ana is up to date, what is known of the handle is not.
        setup.web.put(ANA_URL, anas_document);
        let _ = fresh(&setup, ANA).await;
        let bobs = document(BOB, "ana.example.com", &key);
        setup.web.put_document(BOB, &bobs);
        let record = format!("did={BOB}");
        setup.dns.put(TEXT_RECORD, &[&record]);
        let identity = identity(&setup, "ana.example.com").await.unwrap();
        assert_eq!(identity.did.as_str(), BOB);
    }
}

#[tokio::test]
async fn a_handle_that_nobody_claims_is_asked_about_once_in_thirty_seconds() {
    let setup = setup();
    let record = format!("did={ANA}");
    setup.dns.put("_atproto.bob.example.com", &[&record]);
    for _ in 0..60 {
        let outcome = identity(&setup, "bob.example.com").await;
        assert_eq!(outcome.unwrap_err(), IdentityError::HandleNotClaimed);
        setup.clock.advance(SECOND);
    }
    assert_eq!(setup.web.take_asked().len(), 2);
    assert_eq!(setup.dns.take_asked().len(), 2);
}

#[tokio::test]
async fn a_resolution_ends_in_time_however_slow_everybody_is() {
    assert!(RESOLUTION_TIMEOUT < 8 * SECOND);
    for lookup_timeout in [SECOND, 3 * SECOND, 4 * SECOND, MINUTE] {
        let setup = Setup::with(IdentityConfig {
            lookup_timeout,
            ..IdentityConfig::default()
        });
        let key = key(Curve::K256, 1).public_key();
        setup.dns.put(TEXT_RECORD, &[&format!("did={ANA}")]);
        handle(&setup, "ana.example.com").await.unwrap();
        setup.clock.advance(MINUTE);
        // The handle is another's by now: four look-ups, each of them slow.
        setup.dns.fail(TEXT_RECORD, DnsError::Timeout);
        setup.web.put(WELL_KNOWN, Page::Slow(BOB.into()));
        for (did, claimed) in [(ANA, "new.example.com"), (BOB, "ana.example.com")] {
            let json = document(did, claimed, &key).to_string();
            let url = format!("https://plc.directory/{did}");
            setup.web.put(&url, Page::Slow(json.into()));
        }
        let started = setup.clock.now();
        let outcome = identity(&setup, "ana.example.com").await;
        let elapsed = setup.clock.now().since(started);
        assert!(elapsed <= RESOLUTION_TIMEOUT, "{elapsed:?}");
        match outcome {
            Ok(identity) => assert_eq!(identity.did.as_str(), BOB),
            Err(error) => assert_eq!(error, IdentityError::Unavailable),
        }
    }
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

    // Without DNS too, at the host that a `.test` name is given: there is no certificate for it.
    setup.dns.put("_atproto.bob.test", &[]);
    let url = "http://bob.test/.well-known/atproto-did";
    setup.web.put(url, Page::Is(200, BOB.into()));
    assert_eq!(handle(&setup, "bob.test").await, Ok(BOB.to_owned()));
}
