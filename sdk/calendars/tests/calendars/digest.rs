//! A server that does not want the password itself, but to be shown that it is known.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use huddle_calendars::{CalendarError, discover};

use crate::block_on;
use crate::script::{Answer, Script};
use crate::server::{HOST, NOW, calendar, credentials, hold, key, serve, the_day};

/// Lets in who answers its challenge, whose nonce is good for so many requests.
fn strict(good_for: usize) -> Script {
    let used = Arc::new(AtomicUsize::new(0));
    Script::new(move |sent| {
        let served = used.load(Ordering::SeqCst);
        let nonce = format!("nonce=\"n{}\"", served / good_for);
        let given = sent.header("authorization").unwrap_or_default();
        if given.starts_with("Digest ") && given.contains(&nonce) {
            assert!(given.contains("username=\"ana\"") && given.contains("qop=auth"));
            used.fetch_add(1, Ordering::SeqCst);
            return serve(sent);
        }
        let stale = if given.starts_with("Digest ") {
            ", stale=true"
        } else {
            ""
        };
        let asked =
            format!("Digest realm=\"Ana\", {nonce}, qop=\"auth\", algorithm=SHA-256{stale}");
        Answer::new(401, "").with("www-authenticate", &asked)
    })
}

/// How each request said who asks: by the name of the scheme, and how often the nonce was used.
fn told(script: &Script) -> Vec<String> {
    let sent = script.take_sent();
    let each = sent.iter().map(|sent| {
        let given = sent.header("authorization").unwrap();
        let (scheme, _) = given.split_once(' ').unwrap();
        let count = given
            .split_once("nc=0000000")
            .map_or("", |(_, rest)| &rest[..1]);
        format!("{scheme}{count}")
    });
    each.collect()
}

#[test]
fn a_server_that_wants_a_digest_is_given_one_and_from_then_on() {
    let script = strict(usize::MAX);
    let fetch = script.fetch();
    block_on(async {
        let found = discover(&fetch, NOW, HOST, &credentials()).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(told(&script), ["Basic", "Digest1", "Digest2", "Digest3"]);
        let busy = calendar().busy(&fetch, NOW, &the_day(), None).await;
        assert!(!busy.unwrap().busy.is_empty());
        assert_eq!(told(&script), ["Basic", "Digest1", "Digest2"]);
        let put = calendar()
            .put_event(&fetch, NOW, &key(), &hold(), None)
            .await;
        assert_eq!(put.as_deref(), Ok("\"e1\""));
        assert_eq!(told(&script), ["Basic", "Digest1"]);
    });
}

#[test]
fn a_nonce_that_is_used_up_is_renewed_and_costs_one_request() {
    let script = strict(1);
    let found = block_on(discover(&script.fetch(), NOW, HOST, &credentials()));
    assert_eq!(found.unwrap().len(), 1);
    assert_eq!(
        told(&script),
        [
            "Basic", "Digest1", "Digest2", "Digest1", "Digest2", "Digest1"
        ]
    );
}

#[test]
fn what_was_refused_as_a_digest_is_not_tried_again() {
    let script = Script::new(|_| {
        let asked = "Digest realm=\"Ana\", nonce=\"n\", qop=\"auth\"";
        Answer::new(401, "").with("www-authenticate", asked)
    });
    let refused = block_on(calendar().event(&script.fetch(), NOW, &key()));
    assert_eq!(refused, Err(CalendarError::Unauthorized));
    assert_eq!(told(&script), ["Basic", "Digest1"]);
}

#[test]
fn a_password_that_a_server_takes_as_it_is_is_sent_as_it_is() {
    let script = Script::new(|_| {
        let asked = "Digest realm=\"Ana\", nonce=\"n\", Basic realm=\"Ana\"";
        Answer::new(401, "").with("www-authenticate", asked)
    });
    let refused = block_on(calendar().event(&script.fetch(), NOW, &key()));
    assert_eq!(refused, Err(CalendarError::Unauthorized));
    assert_eq!(
        told(&script),
        ["Basic"],
        "one attempt, or the account may be locked"
    );
}

#[test]
fn each_realm_of_a_server_is_told_once() {
    let script = Script::new(|sent| {
        let realm = if sent.url.contains("/calendars/") {
            "realm=\"calendars\""
        } else {
            "realm=\"people\""
        };
        let given = sent.header("authorization").unwrap_or_default();
        if given.starts_with("Digest ") && given.contains(realm) {
            return serve(sent);
        }
        let asked = format!("Digest {realm}, nonce=\"n\", qop=\"auth\"");
        Answer::new(401, "").with("www-authenticate", &asked)
    });
    let found = block_on(discover(&script.fetch(), NOW, HOST, &credentials()));
    assert_eq!(found.unwrap().len(), 1);
}
