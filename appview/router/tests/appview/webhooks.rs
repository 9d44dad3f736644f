//! Setting and removing where news is posted, as a caller of the routes meets it.

use std::sync::Arc;

use axum::http::StatusCode;
use huddle_appview_router::Pages;
use huddle_core::Limits;
use huddle_core::index::services::{self, Service};
use huddle_core::index::{Index, Revision, Statement};
use huddle_core::user_connector::sealing::KeyRing;
use huddle_native::SqliteIndex;
use huddle_testkit::CountingRandom;
use serde_json::{Value, json};

use crate::support::{Answer, World};

const ANA: &str = "did:web:ana.example.com";
const PUT: &str = "com.huddle.putWebhook";
const DELETE: &str = "com.huddle.deleteWebhook";
const APP: &str = "https://app.example.com/hooks/huddle?token=1";

fn pages() -> Pages {
    let random = Arc::new(CountingRandom::default());
    Pages {
        connect: "https://huddle.example.com/connect".parse().unwrap(),
        settings: "https://huddle.example.com/settings".parse().unwrap(),
        keys: KeyRing::parse(&KeyRing::new_key("1", &*random)).unwrap(),
        random,
    }
}

/// An AppView that posts news, and lets everybody ask as much as they like.
fn posting() -> World {
    let limits = Limits {
        account_per_minute: 1000,
        account_burst: 1000,
        changes_per_minute: 1000,
        ..Limits::default()
    };
    World::with(limits, |appview| {
        appview.pages = Some(pages());
    })
}

impl World {
    /// Calls a procedure as Ana.
    async fn procedure(&self, method: &str, input: &Value, headers: &[(&str, &str)]) -> Answer {
        let token = format!("Bearer {}", self.token(ANA, method, 1));
        let mut headers = headers.to_vec();
        headers.push(("authorization", &token));
        self.post(method, input, &headers).await
    }

    async fn webhook_status(&self) -> Value {
        let method = "com.huddle.getPreferences";
        let token = format!("Bearer {}", self.token(ANA, method, 1));
        let headers = [("authorization", &*token)];
        let uri = format!("/xrpc/{method}");
        let answer = self.call(axum::http::Method::GET, &uri, &headers).await;
        answer.json()["webhookStatus"].clone()
    }
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    #[track_caller]
    fn is_refused(&self, status: StatusCode, error: &str, about: &Value) {
        let told = (self.status, self.error());
        assert_eq!(told, (status, error.to_owned()), "{about}: {}", self.body);
        let message = self.json()["message"].as_str().unwrap().to_owned();
        assert!(
            !message.is_empty() && !message.contains("token=1"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_webhook_is_set_once_for_each_request_and_removed() {
    let world = posting();
    assert_eq!(world.webhook_status().await, "none");
    let input = json!({ "url": APP, "idempotencyKey": "k1" });
    let set = world.procedure(PUT, &input, &[]).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.body);
    assert_eq!(set.header("content-type"), Some("application/json"));
    assert_eq!(set.header("cache-control"), Some("private, no-store"));
    let told = set.json();
    let secret = told["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"), "{secret}");
    assert_eq!(told, json!({ "secret": secret }), "and nothing else");
    let again = world.procedure(PUT, &input, &[]).await;
    assert_eq!(again.json(), told, "the same request");
    assert_eq!(world.webhook_status().await, "set");
    for _ in 0..2 {
        let input = json!({ "idempotencyKey": "k2" });
        let removed = world.procedure(DELETE, &input, &[]).await;
        assert_eq!(
            (removed.status, removed.json()),
            (StatusCode::OK, json!({}))
        );
    }
    assert_eq!(world.webhook_status().await, "none");
    let late = world.procedure(PUT, &input, &[]).await;
    late.is_refused(StatusCode::BAD_REQUEST, "IdempotencyMismatch", &input);
    assert!(
        late.body.contains("removed or set anew since"),
        "{}",
        late.body
    );
}

#[tokio::test]
async fn a_request_may_be_named_by_its_header() {
    let world = posting();
    let (put, delete) = (json!({ "url": APP }), json!({}));
    for (method, input) in [(PUT, &put), (DELETE, &delete)] {
        let named = [("idempotency-key", "k1")];
        let done = world.procedure(method, input, &named).await;
        assert_eq!(done.status, StatusCode::OK, "{method}: {}", done.body);
        let unnamed = world.procedure(method, input, &[]).await;
        unnamed.is_refused(StatusCode::BAD_REQUEST, "IdempotencyKeyRequired", input);
    }
}

#[tokio::test]
async fn what_nothing_may_be_posted_to_is_refused_and_sets_nothing() {
    let world = posting();
    for url in [
        "http://app.example.com/",
        "ftp://app.example.com/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://localhost/",
        "https://app.internal/",
        "https://app.example.com:8443/",
        "https://ana:secret@app.example.com/",
    ] {
        let input = json!({ "url": url, "idempotencyKey": url });
        let refused = world.procedure(PUT, &input, &[]).await;
        refused.is_refused(StatusCode::BAD_REQUEST, "InvalidUrl", &input);
        assert!(
            refused.body.contains("give an https address"),
            "{}",
            refused.body
        );
    }
    for input in [
        json!({ "idempotencyKey": "k1" }),
        json!({ "url": 1, "idempotencyKey": "k1" }),
        json!({ "url": "app.example.com", "idempotencyKey": "k1" }),
        json!({ "url": format!("https://a.example/{}", "a".repeat(2048)), "idempotencyKey": "k1" }),
        json!({ "url": APP, "idempotencyKey": "" }),
        json!([]),
    ] {
        let refused = world.procedure(PUT, &input, &[]).await;
        refused.is_refused(StatusCode::BAD_REQUEST, "InvalidRequest", &input);
    }
    assert_eq!(world.webhook_status().await, "none");
}

#[tokio::test]
async fn a_field_that_nobody_knows_is_passed_over_and_makes_another_request() {
    let world = posting();
    let input = json!({ "url": APP, "idempotencyKey": "k1", "events": ["booking.moved"] });
    let set = world.procedure(PUT, &input, &[]).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.body);
    for other in [
        json!({ "url": APP, "idempotencyKey": "k1" }),
        json!({ "url": "https://other.example.com/", "idempotencyKey": "k1" }),
    ] {
        let refused = world.procedure(PUT, &other, &[]).await;
        refused.is_refused(StatusCode::BAD_REQUEST, "IdempotencyMismatch", &other);
    }
}

#[tokio::test]
async fn nobody_sets_or_removes_anything_without_a_token_for_that() {
    let world = posting();
    let input = json!({ "url": APP, "idempotencyKey": "k1" });
    for (method, other) in [(PUT, DELETE), (DELETE, PUT)] {
        let bare = world.post(method, &input, &[]).await;
        assert_eq!(bare.status, StatusCode::UNAUTHORIZED, "{}", bare.body);
        let token = format!("Bearer {}", world.token(ANA, other, 1));
        let headers = [("authorization", &*token)];
        let mistaken = world.post(method, &input, &headers).await;
        assert_eq!(
            mistaken.status,
            StatusCode::UNAUTHORIZED,
            "{}",
            mistaken.body
        );
    }
    assert_eq!(world.webhook_status().await, "none");
}

#[tokio::test]
async fn a_service_without_pages_posts_nothing_and_says_so() {
    let world = World::new(Limits::default());
    let input = json!({ "url": APP, "idempotencyKey": "k1" });
    for method in [PUT, DELETE] {
        let refused = world.procedure(method, &input, &[]).await;
        refused.is_refused(StatusCode::NOT_IMPLEMENTED, "MethodNotImplemented", &input);
    }
    let method = "com.huddle.getSettingsUrl";
    let token = format!("Bearer {}", world.token(ANA, method, 1));
    let headers = [("authorization", &*token)];
    let uri = format!("/xrpc/{method}");
    let refused = world.call(axum::http::Method::GET, &uri, &headers).await;
    refused.is_refused(
        StatusCode::NOT_IMPLEMENTED,
        "MethodNotImplemented",
        &json!(uri),
    );
}

#[tokio::test]
async fn whoever_is_served_elsewhere_sets_it_there() {
    let index = Arc::new(SqliteIndex::in_memory().unwrap());
    let elsewhere = Service {
        cid: "bafyreib".into(),
        appview: "did:web:other.example.com".parse().unwrap(),
    };
    let at = Revision {
        did: ANA,
        rev: "3l4xjfnx2jc2d",
    };
    let is_active = Statement {
        sql: "INSERT INTO repos (did, hosting, rev, base, stale, checked) \
              VALUES ('did:web:ana.example.com', 'active', '', '', 0, 0)",
        bindings: Vec::new(),
    };
    let put = services::put(at, Some(&elsewhere));
    index.batch(vec![is_active, put]).await.unwrap();
    let world = World::with(Limits::default(), |appview| {
        appview.pages = Some(pages());
        appview.backend.index = index;
    });
    let input = json!({ "url": APP, "idempotencyKey": "k1" });
    let refused = world.procedure(PUT, &input, &[]).await;
    refused.is_refused(StatusCode::BAD_REQUEST, "ServedElsewhere", &input);
}
