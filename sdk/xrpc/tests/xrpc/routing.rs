//! Which method a request means, and by which verb.

use crate::support::{Answer, Ask, Ping, PutNotes, echo, router};
use axum::body::Body;
use http::Method;
use huddle_xrpc::Generic;
use huddle_xrpc::server::Answered;
use tower::ServiceExt as _;

const LIST: &str = "/xrpc/com.example.listNotes?author=did:web:a.example";

#[tokio::test]
async fn a_query_answers_get() {
    let answer = Ask::get(LIST).of(echo()).await;
    answer.expect_json(
        r#"{"notes":[{"text":"did:web:a.example"},{"text":"limit 50"},{"text":"reverse false"}]}"#,
    );
}

#[tokio::test]
async fn a_query_answers_head_like_get_without_the_body() {
    let get = Ask::get(LIST).of(echo()).await;
    let head = Ask::new(Method::HEAD, LIST).of(echo()).await;
    assert_eq!((head.status, &*head.body), (200, ""));
    assert_eq!(head.header("content-type"), Some("application/json"));
    assert_eq!(
        head.header("content-length"),
        Some(&*get.body.len().to_string())
    );
}

#[tokio::test]
async fn an_unknown_method_is_not_implemented() {
    #[track_caller]
    fn check(answer: &Answer, nsid: &str) {
        let message = format!("{nsid} is not implemented here");
        answer.expect_error(501, "MethodNotImplemented", &message);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    for method in [Method::GET, Method::POST, Method::DELETE] {
        let ask = Ask::new(method, "/xrpc/com.example.other");
        check(&ask.of(echo()).await, "com.example.other");
    }
    // The name of a method is case-sensitive.
    check(
        &Ask::get("/xrpc/com.example.listnotes").of(echo()).await,
        "com.example.listnotes",
    );
}

#[tokio::test]
async fn a_path_that_names_no_method_is_invalid() {
    for path in [
        "/xrpc",
        "/xrpc/",
        "/xrpc/listNotes",
        "/xrpc/com.example",
        "/xrpc/com.example.listNotes/",
        "/xrpc/com.example.listNotes/more",
        "/xrpc//com.example.listNotes",
        "/xrpc/com.example.list%4Eotes",
        "/xrpc/com.example.list%00",
        "/xrpc/_health",
        "/xrpc/..",
    ] {
        let message = "The path does not name a method: it must be /xrpc/ and an NSID";
        Ask::get(path)
            .of(echo())
            .await
            .expect_error(400, "InvalidRequest", message);
    }
}

#[tokio::test]
async fn a_wrong_verb_is_refused_and_the_right_ones_are_named() {
    #[track_caller]
    fn check(answer: &Answer, message: &str, allow: &str) {
        answer.expect_error(405, "InvalidRequest", message);
        assert_eq!(answer.header("allow"), Some(allow));
    }
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"] {
        check(
            &Ask::new(method.parse().unwrap(), LIST).of(echo()).await,
            "com.example.listNotes takes GET only",
            "GET, HEAD, OPTIONS",
        );
    }
    for method in ["GET", "PUT", "DELETE"] {
        check(
            &Ask::new(method.parse().unwrap(), "/xrpc/com.example.ping")
                .of(echo())
                .await,
            "com.example.ping takes POST only",
            "POST, OPTIONS",
        );
    }
    let head = Ask::new(Method::HEAD, "/xrpc/com.example.ping")
        .of(echo())
        .await;
    assert_eq!((head.status, &*head.body), (405, ""));
}

#[tokio::test]
async fn options_names_the_verbs() {
    let answer = Ask::new(Method::OPTIONS, LIST).of(echo()).await;
    assert_eq!((answer.status, &*answer.body), (204, ""));
    assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"));
}

#[tokio::test]
async fn routers_of_different_handlers_merge() {
    let notes = router().procedure(|_, request: huddle_xrpc::server::Request<PutNotes>| async move {
        Ok(request.input.into())
    });
    let pings = huddle_xrpc::server::Router::new(std::sync::Arc::new("another state"))
        .procedure(|_, _: huddle_xrpc::server::Request<Ping>| async { Ok(().into()) });
    let both = notes.merge(pings).into_axum();
    let answer = Ask::json("/xrpc/com.example.putNotes", r#"{"notes":[]}"#);
    answer
        .of_axum(both.clone())
        .await
        .expect_json(r#"{"notes":[]}"#);
    assert_eq!(
        Ask::post("/xrpc/com.example.ping")
            .of_axum(both)
            .await
            .status,
        200
    );
}

#[test]
#[should_panic(expected = "com.example.ping was added twice")]
fn a_method_cannot_be_added_twice() {
    let _ = echo().merge(echo_ping()).into_axum();
}

fn echo_ping() -> huddle_xrpc::server::Router<()> {
    router().procedure(|_, _: huddle_xrpc::server::Request<Ping>| async { Ok(().into()) })
}

#[tokio::test]
async fn an_application_can_add_routes_of_its_own_and_nest_the_router() {
    let app = axum::Router::new()
        .route("/xrpc/_health", axum::routing::get(|| async { "fine" }))
        .merge(echo().into_axum())
        .nest("/v2", echo().into_axum())
        .fallback(|| async { Generic::XrpcNotSupported });
    assert_eq!(
        Ask::get("/xrpc/_health").of_axum(app.clone()).await.body,
        "fine"
    );
    assert_eq!(Ask::get(LIST).of_axum(app.clone()).await.status, 200);
    assert_eq!(
        Ask::get(&format!("/v2{LIST}"))
            .of_axum(app.clone())
            .await
            .status,
        200
    );
    let answer = Ask::get("/elsewhere").of_axum(app).await;
    answer.expect_error(404, "XRPCNotSupported", "XRPC not supported");
}

#[tokio::test]
async fn what_a_layer_knows_of_a_request_reaches_the_handler() {
    #[derive(Clone)]
    struct Peer(&'static str);

    let router = router().procedure(
        |_, request: huddle_xrpc::server::Request<PutNotes>| async move {
            let Peer(peer) = request.extensions.get().unwrap();
            Ok(crate::support::Notes::of([*peer]).into())
        },
    );
    let mut request = http::Request::post("/xrpc/com.example.putNotes")
        .header("content-type", "application/json")
        .body(Body::from(r#"{"notes":[]}"#))
        .unwrap();
    request.extensions_mut().insert(Peer("192.0.2.7"));
    let answer = Answer::of(router.into_axum(), request).await;
    answer.expect_json(r#"{"notes":[{"text":"192.0.2.7"}]}"#);
}

#[tokio::test]
async fn layers_hear_what_was_called_and_what_came_of_it() {
    let router = echo().into_axum();
    let hear = async |uri: &str| {
        let request = http::Request::get(uri).body(Body::empty());
        let response = router.clone().oneshot(request.unwrap()).await.unwrap();
        let answered: Answered = *response.extensions().get().unwrap();
        (answered.nsid, answered.error)
    };
    let list = Some("com.example.listNotes");
    let uri = "/xrpc/com.example.listNotes";
    assert_eq!(
        hear(&format!("{uri}?author=did:web:a.example")).await,
        (list, None)
    );
    assert_eq!(hear(uri).await, (list, Some("InvalidRequest")));
    let unknown = hear("/xrpc/com.example.did.plc.somebody").await;
    assert_eq!(unknown, (None, Some("MethodNotImplemented")));
}
