//! What operators see and hear: metrics, the page of the state of things, the log.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use huddle_appview_router::{
    AppView, MetricsRegistry, Operations, OperatorPages, RequestId, Served,
};
use huddle_core::Limits;

use crate::support::{Answer, GET_BOOKING, World};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const ANA: &str = "did:web:ana.example.com";
const HERE: &str = "192.0.2.7";

/// An AppView whose operator has a token.
fn operated() -> World {
    operated_with(Limits::default())
}

fn operated_with(limits: Limits) -> World {
    World::with(limits, |appview: &mut AppView| {
        let registry = Arc::new(MetricsRegistry::new());
        appview.operations = Operations {
            metrics: registry.clone(),
            pages: Some(OperatorPages {
                token: TOKEN.parse().unwrap(),
                registry,
            }),
            ..Operations::default()
        };
    })
}

async fn show(world: &World, uri: &str) -> Answer {
    let authorization = format!("Bearer {TOKEN}");
    let headers = [("authorization", &*authorization)];
    world.call(Method::GET, uri, &headers).await
}

#[tokio::test]
async fn what_is_for_operators_is_for_nobody_else() {
    let world = operated();
    for uri in ["/internal/metrics", "/zpages"] {
        for authorization in [
            "",
            "Bearer ",
            "Bearer 0123456789abcdef0123456789abcdee",
            "Basic 0123456789abcdef0123456789abcdef",
        ] {
            let headers = [("authorization", authorization)];
            let answer = world.call(Method::GET, uri, &headers).await;
            assert_eq!(
                answer.status,
                StatusCode::UNAUTHORIZED,
                "{uri} {authorization}"
            );
            assert_eq!(answer.body, "");
        }
        assert_eq!(world.get(uri).await.status, StatusCode::UNAUTHORIZED);
        let shown = show(&world, uri).await;
        assert_eq!(shown.status, StatusCode::OK);
        assert_eq!(shown.header("cache-control"), Some("no-store"));
    }
    let without = World::new(Limits::default());
    for uri in ["/internal/metrics", "/zpages", "/internal/other"] {
        assert_eq!(show(&without, uri).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn requests_are_counted_by_method_and_outcome_and_by_nothing_that_they_say() {
    let world = operated();
    for generation in [1, 1, 2] {
        let token = world.token(ANA, GET_BOOKING, generation);
        world.ask(Some(HERE), Some(&token)).await;
    }
    let secret = "/xrpc/com.example.secretOfAna?q=did:web:ana.example.com";
    world.get(secret).await;
    world.call(Method::OPTIONS, secret, &[]).await;
    let told = show(&world, "/internal/metrics").await;
    assert!(
        told.header("content-type")
            .unwrap()
            .starts_with("application/openmetrics-text")
    );
    for line in [
        r#"huddle_requests_total{nsid="com.huddle.getBooking",outcome="BookingNotFound"} 2.0"#,
        r#"huddle_requests_total{nsid="com.huddle.getBooking",outcome="BadJwtSignature"} 1.0"#,
        r#"huddle_requests_total{nsid="unknown",outcome="MethodNotImplemented"} 1.0"#,
        r#"huddle_request_seconds_count{nsid="com.huddle.getBooking"} 3"#,
    ] {
        assert!(
            told.body.lines().any(|told| told == line),
            "{line} is not in\n{}",
            told.body
        );
    }
    let page = show(&world, "/zpages").await;
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    for body in [&told.body, &page.body] {
        for private in [ANA, HERE, "secret", TOKEN] {
            assert!(!body.contains(private), "{private}");
        }
    }
    for shown in [
        "account_per_minute",
        "2026",
        "huddle_requests_total",
        "unreachable",
    ] {
        assert_eq!(page.body.contains(shown), shown != "unreachable", "{shown}");
    }
}

#[tokio::test]
async fn requests_that_are_too_many_are_counted_by_who_pays_for_them() {
    let world = operated_with(Limits {
        anonymous_per_minute: 1,
        anonymous_burst: 1,
        account_per_minute: 1,
        account_burst: 1,
        changes_per_minute: 1,
        ..Limits::default()
    });
    for _ in 0..3 {
        world.ask(Some(HERE), None).await;
    }
    for _ in 0..2 {
        let token = world.token(ANA, GET_BOOKING, 1);
        world.ask(Some("192.0.2.8"), Some(&token)).await;
    }
    let told = show(&world, "/internal/metrics").await.body;
    for line in [
        r#"huddle_rate_limited_total{payer="address"} 2.0"#,
        r#"huddle_rate_limited_total{payer="account"} 1.0"#,
    ] {
        assert!(told.lines().any(|told| told == line), "{line}: {told}");
    }
}

static LOG: Mutex<Vec<Served>> = Mutex::new(Vec::new());

#[tokio::test]
async fn each_request_is_told_to_the_log_without_saying_whose_it_was() {
    let world = World::with(Limits::default(), |appview| {
        appview.operations.on_served = |served| LOG.lock().unwrap().push(served.clone());
    });
    let token = world.token(ANA, GET_BOOKING, 1);
    let answer = world.ask_named(RequestId("a1b2".to_owned()), &token).await;
    assert_eq!(answer.header("x-request-id"), Some("a1b2"));
    let unnamed = world.get("/xrpc/com.huddle.listBookings").await;
    assert_eq!(unnamed.header("x-request-id"), None);
    let log = std::mem::take(&mut *LOG.lock().unwrap());
    let expect = [
        Served {
            nsid: GET_BOOKING,
            status: StatusCode::BAD_REQUEST,
            outcome: "BookingNotFound",
            time: Duration::ZERO,
            request_id: Some(RequestId("a1b2".to_owned())),
        },
        Served {
            nsid: "com.huddle.listBookings",
            status: StatusCode::UNAUTHORIZED,
            outcome: "AuthenticationRequired",
            time: Duration::ZERO,
            request_id: None,
        },
    ];
    assert_eq!(log, expect);
}
