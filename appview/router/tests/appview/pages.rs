//! What is not XRPC, and open to all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::{Method, StatusCode};
use huddle_appview_router::{AppView, LastHealth};
use huddle_core::index::{Index, IndexError, Statement};
use huddle_core::sql::Row;
use huddle_core::transport::{ActorTransport, Unreachable};
use huddle_core::{ActorName, Limits, actor};
use huddle_identity::DidDocument;
use serde_json::{Value, json};

use crate::support::{SERVICE, World};

/// A store that is out of reach.
struct Gone;

#[async_trait]
impl ActorTransport for Gone {
    async fn send(&self, to: &ActorName, _: actor::Command) -> Result<actor::Reply, Unreachable> {
        Err(Unreachable {
            actor: to.clone(),
            problem: "gone".to_owned(),
        })
    }
}

#[async_trait]
impl Index for Gone {
    async fn query(&self, _: Statement) -> Result<Vec<Row>, IndexError> {
        Err(IndexError("gone".to_owned()))
    }

    async fn batch(&self, _: Vec<Statement>) -> Result<(), IndexError> {
        Err(IndexError("gone".to_owned()))
    }
}

/// An index that counts what it is asked.
#[derive(Default)]
struct Counting(AtomicUsize);

#[async_trait]
impl Index for Counting {
    async fn query(&self, _: Statement) -> Result<Vec<Row>, IndexError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Vec::new())
    }

    async fn batch(&self, _: Vec<Statement>) -> Result<(), IndexError> {
        Ok(())
    }
}

#[tokio::test]
async fn the_stores_are_asked_once_a_second_however_many_want_to_know() {
    let index = Arc::new(Counting::default());
    let world = World::with(Limits::default(), |appview| {
        appview.backend.index = index.clone();
    });
    for (step, asked) in [(0, 1), (999, 1), (1, 2)] {
        world.clock.step(Duration::from_millis(step));
        for _ in 0..100 {
            assert_eq!(world.get("/healthz").await.status, StatusCode::OK);
        }
        assert_eq!(index.0.load(Ordering::Relaxed), asked, "{step}");
    }
}

#[tokio::test]
async fn routers_that_share_what_was_heard_ask_once_for_all() {
    let (index, health) = (Arc::new(Counting::default()), LastHealth::default());
    for _ in 0..3 {
        let world = World::with(Limits::default(), |appview| {
            appview.backend.index = index.clone();
            appview.operations.health = health.clone();
        });
        assert_eq!(world.get("/healthz").await.status, StatusCode::OK);
    }
    assert_eq!(index.0.load(Ordering::Relaxed), 1);
}

async fn health(change: impl FnOnce(&mut AppView)) -> (StatusCode, Value) {
    let answer = World::with(Limits::default(), change).get("/healthz").await;
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

#[tokio::test]
async fn health_is_told_with_the_stores_and_the_time_zones() {
    let (status, told) = health(|_| {}).await;
    assert_eq!(status, StatusCode::OK);
    let expect = json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "timeZones": huddle_schedule::Zone::database_version(),
        "actors": "ok",
        "index": "ok",
    });
    assert_eq!(told, expect);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_told_apart_and_is_no_health() {
    let (status, told) = health(|appview| appview.backend.index = Arc::new(Gone)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        (&told["status"], &told["actors"], &told["index"]),
        (&json!("degraded"), &json!("ok"), &json!("unreachable"))
    );
    let (status, told) = health(|appview| appview.backend.actors = Arc::new(Gone)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        (&told["actors"], &told["index"]),
        (&json!("unreachable"), &json!("ok"))
    );
}

#[tokio::test]
async fn the_version_is_where_other_services_of_the_protocol_tell_theirs() {
    let answer = World::new(Limits::default()).get("/xrpc/_health").await;
    assert_eq!(answer.status, StatusCode::OK);
    let told: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(told, json!({ "version": env!("CARGO_PKG_VERSION") }));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

fn reached_at(url: &str) -> World {
    World::with(Limits::default(), |appview| {
        appview.operations.public_url = Some(url.parse().unwrap());
    })
}

#[tokio::test]
async fn a_service_that_is_its_host_tells_its_document() {
    let world = reached_at("https://huddle.example.com");
    let answer = world.get("/.well-known/did.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let did = SERVICE.split_once('#').unwrap().0.parse().unwrap();
    let document = DidDocument::from_json(&did, answer.body.as_bytes()).unwrap();
    let endpoint = document
        .endpoint("huddle_appview", "HuddleAppView")
        .unwrap();
    assert_eq!(endpoint.as_str(), "https://huddle.example.com/");

    for world in [
        World::new(Limits::default()),
        reached_at("https://other.example.com"),
    ] {
        let answer = world.get("/.well-known/did.json").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn pages_are_safe_in_a_browser() {
    let world = reached_at("https://huddle.example.com");
    for uri in ["/", "/healthz", "/xrpc/_health", "/zpages"] {
        let answer = world.get(uri).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{uri}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{uri}");
    }
    let plain = reached_at("http://localhost:2480").get("/healthz").await;
    assert_eq!(plain.header("strict-transport-security"), None);
    let head = world.call(Method::HEAD, "/healthz", &[]).await;
    assert_eq!((head.status, &*head.body), (StatusCode::OK, ""));
}
