//! What pages in browsers and caches on the way are told.

use axum::http::{Method, StatusCode, header};
use huddle_core::Limits;

use crate::support::World;

const MATCH: &str = "/xrpc/com.huddle.match";
const LIST: &str = "/xrpc/com.huddle.listOffers?host=did:web:ana.example.com";

#[tokio::test]
async fn a_page_of_any_origin_may_call_and_asking_whether_it_may_costs_nothing() {
    let world = World::new(Limits {
        anonymous_burst: 1,
        ..Limits::default()
    });
    let asked = [
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "authorization,content-type,idempotency-key,atproto-proxy",
        ),
    ];
    for _ in 0..3 {
        let answer = world.call(Method::OPTIONS, MATCH, &asked).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("access-control-max-age"), Some("86400"));
        let allowed = answer.header("access-control-allow-headers").unwrap();
        for (_, names) in &asked[2..] {
            for name in names.split(',') {
                assert!(allowed.split(", ").any(|header| header == name), "{name}");
            }
        }
    }
    let answer = world.get(LIST).await;
    assert_eq!(answer.status, StatusCode::OK);
    let exposed = answer.header("access-control-expose-headers").unwrap();
    for name in [
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
        "ratelimit-policy",
        "retry-after",
        "etag",
        "x-request-id",
    ] {
        assert!(exposed.split(", ").any(|header| header == name), "{name}");
    }
}

#[tokio::test]
async fn who_has_a_public_answer_is_told_that_it_has_not_changed() {
    let world = World::new(Limits::default());
    for uri in [LIST, "/xrpc/com.huddle.searchHosts?q=ana"] {
        let first = world.get(uri).await;
        assert_eq!(first.status, StatusCode::OK, "{}", first.body);
        assert_eq!(
            first.header("cache-control"),
            Some("public, max-age=30"),
            "{uri}"
        );
        assert_eq!(first.header("vary"), Some("authorization"));
        let tag = first.header("etag").unwrap();
        let again = world
            .call(Method::GET, uri, &[(header::IF_NONE_MATCH.as_str(), tag)])
            .await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        assert_eq!(again.body, "");
        assert_eq!(again.header("etag"), Some(tag));
        let left = again.header("ratelimit-remaining");
        assert_ne!(left, first.header("ratelimit-remaining"), "it was asked");
    }
}

#[tokio::test]
async fn what_is_for_its_caller_alone_is_kept_nowhere() {
    let world = World::new(Limits::default());
    let token = |method| {
        format!(
            "Bearer {}",
            world.token("did:web:ana.example.com", method, 1)
        )
    };
    for (uri, method, control) in [
        (
            "/xrpc/com.huddle.listBookings",
            "com.huddle.listBookings",
            "private, no-store",
        ),
        (LIST, "com.huddle.listOffers", "private, no-cache"),
        (LIST, "com.huddle.other", "private, no-store"),
    ] {
        let headers = [(header::AUTHORIZATION.as_str(), &*token(method))];
        let answer = world.call(Method::GET, uri, &headers).await;
        assert_eq!(answer.header("cache-control"), Some(control), "{uri}");
    }
}
