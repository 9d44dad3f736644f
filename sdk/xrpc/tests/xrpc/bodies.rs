//! Bodies are of the right type and size, and are checked against their lexicon.

use crate::support::{Answer, Ask, Ping, PutNotes, UploadImage, echo};
use axum::body::{Body, Bytes};
use std::convert::Infallible;

const PUT: &str = "/xrpc/com.example.putNotes";
const UPLOAD: &str = "/xrpc/com.example.uploadImage";
const PING: &str = "/xrpc/com.example.ping";

#[tokio::test]
async fn json_reaches_the_handler_whatever_parameters_its_type_has() {
    for content_type in [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON;charset=UTF-8",
    ] {
        let body = r#"{"notes":[{"text":"hello","colour":"red"}]}"#;
        let answer = Ask::post(PUT)
            .header("content-type", content_type)
            .body(body)
            .of(echo())
            .await;
        answer.expect_json(r#"{"notes":[{"text":"hello","colour":"red"}]}"#);
    }
}

#[tokio::test]
async fn an_input_that_breaks_its_lexicon_is_refused_with_the_place() {
    for (body, expect) in [
        (r"{}", "notes: required, but missing"),
        (
            r#"{"notes":[{"text":"one"},{}]}"#,
            "notes/1/text: required, but missing",
        ),
        (
            r#"{"notes":[{"text":"more than forty bytes, as anybody can count"}]}"#,
            "notes/0/text: has 43 bytes, and may have at most 40",
        ),
    ] {
        let message = format!("Invalid input: {expect}");
        Ask::json(PUT, body)
            .of(echo())
            .await
            .expect_error(400, "InvalidRequest", &message);
    }
    for (body, place) in [
        (r#"{"notes":[{"text":1}]}"#, "notes/0/text: "),
        (r#"{"notes":{}}"#, "notes: "),
        (r"[]", ""),
        (r"null", ""),
        (r"{", ""),
        (r#"{"notes":[]} x"#, ""),
        (r#"{"notes":[],"notes":[]}"#, ""),
        ("\u{feff}{}", ""),
    ] {
        let answer = Ask::json(PUT, body).of(echo()).await;
        assert_eq!(answer.status, 400, "{body}");
        let start = format!(r#"{{"error":"InvalidRequest","message":"Invalid input: {place}"#);
        assert!(answer.body.starts_with(&start), "{body}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    for (path, encoding, content_type) in [
        (PUT, "application/json", "text/plain"),
        (PUT, "application/json", "json"),
        (PUT, "application/json", ""),
        (UPLOAD, "image/*", "application/json"),
        (UPLOAD, "image/*", "image/*"),
    ] {
        let ask = Ask::post(path)
            .header("content-type", content_type)
            .body("{}");
        let message = format!("The Content-Type must be {encoding}");
        ask.of(echo())
            .await
            .expect_error(415, "UnsupportedMediaType", &message);
    }
    let message = "The Content-Type must be application/json";
    Ask::post(PUT)
        .body("{}")
        .of(echo())
        .await
        .expect_error(415, "UnsupportedMediaType", message);
}

#[tokio::test]
async fn a_missing_body_is_refused() {
    let message = "A body of type application/json is expected";
    Ask::post(PUT)
        .of(echo())
        .await
        .expect_error(400, "InvalidRequest", message);
    Ask::json(PUT, "")
        .of(echo())
        .await
        .expect_error(400, "InvalidRequest", message);
    let message = "A body of type image/* is expected";
    Ask::post(UPLOAD)
        .of(echo())
        .await
        .expect_error(400, "InvalidRequest", message);
}

#[tokio::test]
async fn bytes_keep_their_type_and_may_be_none() {
    for (content_type, body) in [
        ("image/png", "not really"),
        ("image/svg+xml; charset=utf-8", ""),
    ] {
        let ask = Ask::post(UPLOAD)
            .header("content-type", content_type)
            .body(body);
        let answer = ask.of(echo()).await;
        assert_eq!((answer.status, &*answer.body), (200, body));
        assert_eq!(answer.header("content-type"), Some(content_type));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test]
async fn a_procedure_without_input_takes_no_body() {
    let answer = Ask::post(PING).of(echo()).await;
    assert_eq!(
        (answer.status, &*answer.body, answer.header("content-type")),
        (200, "", None)
    );
    // Some clients name a type for the body that they do not send.
    assert_eq!(Ask::json(PING, "").of(echo()).await.status, 200);
    let message = "A body is not expected";
    Ask::json(PING, "{}")
        .of(echo())
        .await
        .expect_error(400, "InvalidRequest", message);
}

#[tokio::test]
async fn an_encoded_body_is_refused() {
    for coding in ["gzip", "br", "identity, gzip", "x"] {
        let ask = Ask::json(PUT, r#"{"notes":[]}"#).header("content-encoding", coding);
        let answer = ask.of(echo()).await;
        let message = "An encoded body is not understood";
        answer.expect_error(415, "UnsupportedMediaType", message);
        assert_eq!(answer.header("accept-encoding"), Some("identity"));
    }
    let ask = Ask::json(PUT, r#"{"notes":[]}"#).header("content-encoding", "identity");
    assert_eq!(ask.of(echo()).await.status, 200);
}

#[tokio::test]
async fn a_body_has_a_limit_that_a_method_may_set_for_itself() {
    let upload = |bytes: usize| {
        Ask::post(UPLOAD)
            .header("content-type", "image/png")
            .body(vec![b'x'; bytes])
    };
    let limit = huddle_xrpc::server::DEFAULT_BODY_LIMIT;
    assert_eq!(upload(limit).of(echo()).await.status, 200);
    let message = "A body may have 262144 bytes at most";
    upload(limit + 1)
        .of(echo())
        .await
        .expect_error(413, "PayloadTooLarge", message);

    let narrow = || echo().body_limit(10).body_limit_of::<UploadImage>(20);
    assert_eq!(upload(20).of(narrow()).await.status, 200);
    let message = "A body may have 20 bytes at most";
    upload(21)
        .of(narrow())
        .await
        .expect_error(413, "PayloadTooLarge", message);
    let message = "A body may have 10 bytes at most";
    let ask = Ask::json(PUT, r#"{"notes":[]}"#);
    ask.of(narrow())
        .await
        .expect_error(413, "PayloadTooLarge", message);

    let wide = echo()
        .body_limit(10)
        .body_limit_of::<PutNotes>(1 << 20)
        .body_limit_of::<Ping>(0);
    assert_eq!(Ask::json(PUT, r#"{"notes":[]}"#).of(wide).await.status, 200);
}

/// A body of unknown length, in pieces; it must not be asked for more pieces than `may_read`.
fn pieces(count: usize, may_read: usize) -> Body {
    let pieces = (0..count).map(move |index| {
        assert!(
            index < may_read,
            "piece {index} is read, though the body is too long already"
        );
        Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 10]))
    });
    Body::from_stream(futures_util::stream::iter(pieces))
}

#[tokio::test]
async fn a_body_that_does_not_say_its_length_is_read_no_further_than_the_limit() {
    let upload = |body| {
        let request = http::Request::post(UPLOAD)
            .header("content-type", "image/png")
            .body(body)
            .unwrap();
        Answer::of(echo().body_limit(35).into_axum(), request)
    };
    assert_eq!(upload(pieces(3, 3)).await.body.len(), 30);
    let message = "A body may have 35 bytes at most";
    upload(pieces(1000, 4))
        .await
        .expect_error(413, "PayloadTooLarge", message);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let broken = [
        Ok(Bytes::from_static(b"{")),
        Err(std::io::Error::other("connection reset by 192.0.2.7")),
    ];
    let request = http::Request::post(PUT)
        .header("content-type", "application/json")
        .body(Body::from_stream(futures_util::stream::iter(broken)))
        .unwrap();
    let answer = Answer::of(echo().into_axum(), request).await;
    let message = "The body could not be read to its end";
    answer.expect_error(400, "InvalidRequest", message);
}
