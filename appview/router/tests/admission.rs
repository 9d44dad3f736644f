//! What stands before every method, over the routes themselves.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use huddle_appview_router::{AppView, Backend, ClientAddress, MemoryAllowances};
use huddle_core::Limits;
use huddle_core::booking::BookingIds;
use huddle_identity::crypto::PublicKey;
use huddle_identity::{Freshness, IdentityError, SigningKeys};
use huddle_native::{ActorStore, SqliteIndex};
use huddle_ports::Timestamp;
use huddle_syntax::Did;
use huddle_testkit::{ListedWindows, SteppingClock};
use tower::ServiceExt as _;

const NOW: Timestamp = Timestamp::from_millis(1_767_268_800_000);

/// Nobody has a key.
struct NoKeys;

#[async_trait]
impl SigningKeys for NoKeys {
    async fn signing_key(
        &self,
        _: &Did,
        _: &str,
        _: Freshness,
    ) -> Result<PublicKey, IdentityError> {
        Err(IdentityError::Unavailable)
    }
}

fn appview() -> axum::Router {
    let clock = Arc::new(SteppingClock::at(NOW));
    let limits = Limits {
        anonymous_per_minute: 1,
        anonymous_burst: 2,
        ..Limits::default()
    };
    let actors = ActorStore::in_memory(clock.clone(), limits.clone()).unwrap();
    let appview = AppView {
        backend: Backend {
            actors: Arc::new(actors),
            index: Arc::new(SqliteIndex::in_memory().unwrap()),
            availability: Arc::new(ListedWindows::default()),
            clock: clock.clone(),
            limits: Arc::new(limits),
        },
        keys: Arc::new(NoKeys),
        allowances: Arc::new(MemoryAllowances::new(clock)),
        ids: BookingIds::new(&[7; 32]),
        service: "did:web:huddle.example.com#huddle_appview".parse().unwrap(),
        on_fault: |fault| panic!("{fault}"),
    };
    appview.router()
}

/// The status of a call, and how long to wait.
async fn call(
    appview: &axum::Router,
    from: Option<&str>,
    token: Option<&str>,
) -> (StatusCode, Option<String>) {
    let mut request = Request::get("/xrpc/com.huddle.getBooking?bookingId=3hq7n2k5x4d6m7p2r5t7");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let mut request = request.body(Body::empty()).unwrap();
    if let Some(from) = from {
        let address: IpAddr = from.parse().unwrap();
        request.extensions_mut().insert(ClientAddress(address));
    }
    let response = appview.clone().oneshot(request).await.unwrap();
    let wait = response.headers().get(header::RETRY_AFTER);
    let wait = wait.map(|secs| secs.to_str().unwrap().to_owned());
    (response.status(), wait)
}

#[tokio::test]
async fn whoever_is_not_known_asks_from_the_allowance_of_their_place() {
    let appview = appview();
    let limited = (StatusCode::TOO_MANY_REQUESTS, Some("60".to_owned()));
    for from in [Some("192.0.2.7"), Some("192.0.2.8"), None] {
        for token in [None, Some("nonsense")] {
            let (status, _) = call(&appview, from, token).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{from:?} {token:?}");
        }
        let (status, wait) = call(&appview, from, None).await;
        assert_eq!((status, wait), limited, "{from:?}");
    }
    // All of one network of IPv6 are one.
    for from in ["2001:db8::1", "2001:db8::2"] {
        assert_eq!(
            call(&appview, Some(from), None).await.0,
            StatusCode::UNAUTHORIZED
        );
    }
    assert_eq!(call(&appview, Some("2001:db8::3"), None).await, limited);
}

#[tokio::test]
async fn health_is_told_to_whoever_asks() {
    let appview = appview();
    for _ in 0..4 {
        let request = Request::get("/healthz").body(Body::empty()).unwrap();
        let response = appview.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
}
