//! What handlers return, as callers read it.

use crate::support::{
    Answer, Ask, Faults, Note, Notes, Ping, PutNotes, PutNotesError, UploadImage, router,
};
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, header};
use http_body_util::BodyExt as _;
use huddle_syntax::schema::Payload;
use huddle_xrpc::server::{BoxError, Failure, OrFault as _, Refusal, Reply, Request};
use huddle_xrpc::{Generic, Response};
use tower::ServiceExt as _;

/// Asks a server of `putNotes` that replies with what `reply` makes, and tells the faults that it heard of.
async fn put(reply: fn() -> Reply<PutNotes>) -> (Answer, Vec<String>) {
    let faults = Faults::default();
    let router =
        faults.of(router().procedure(move |_, _: Request<PutNotes>| async move { reply() }));
    let answer = Ask::json("/xrpc/com.example.putNotes", r#"{"notes":[]}"#)
        .of(router)
        .await;
    (answer, faults.take())
}

#[tokio::test]
async fn a_declared_error_is_answered_by_its_name() {
    let (answer, faults) = put(|| Err(Failure::refused(PutNotesError::Full, "No room"))).await;
    answer.expect_error(400, "Full", "No room");
    assert_eq!(answer.header("retry-after"), None);
    assert!(faults.is_empty());

    let (answer, _) = put(|| Err(PutNotesError::Full.into())).await;
    answer.expect_error(400, "Full", "Full");

    let (answer, _) = put(|| {
        let busy = Refusal::new(PutNotesError::Busy, "Later");
        Err(busy.with_status::<409>().with_retry_after(30).into())
    })
    .await;
    answer.expect_error(409, "Busy", "Later");
    assert_eq!(answer.header("retry-after"), Some("30"));
}

#[tokio::test]
async fn a_generic_error_has_its_own_name_and_status() {
    for (generic, status, name) in [
        (Generic::InvalidRequest, 400, "InvalidRequest"),
        (
            Generic::AuthenticationRequired,
            401,
            "AuthenticationRequired",
        ),
        (Generic::Forbidden, 403, "Forbidden"),
        (Generic::XrpcNotSupported, 404, "XRPCNotSupported"),
        (Generic::NotAcceptable, 406, "NotAcceptable"),
        (Generic::PayloadTooLarge, 413, "PayloadTooLarge"),
        (Generic::UnsupportedMediaType, 415, "UnsupportedMediaType"),
        (Generic::RateLimitExceeded, 429, "RateLimitExceeded"),
        (Generic::MethodNotImplemented, 501, "MethodNotImplemented"),
        (Generic::UpstreamFailure, 502, "UpstreamFailure"),
        (Generic::NotEnoughResources, 503, "NotEnoughResources"),
        (Generic::UpstreamTimeout, 504, "UpstreamTimeout"),
    ] {
        let faults = Faults::default();
        let router = faults.of(router().procedure(move |_, _: Request<Ping>| async move {
            Err(generic.because("because").with_retry_after(7).into())
        }));
        let answer = Ask::post("/xrpc/com.example.ping").of(router).await;
        answer.expect_error(status, name, "because");
        assert_eq!(answer.header("retry-after"), Some("7"));
        let challenge = (status == 401).then_some("Bearer");
        assert_eq!(answer.header("www-authenticate"), challenge);
        assert!(faults.take().is_empty());
    }
    let (answer, _) = put(|| Err(Generic::Forbidden.into())).await;
    answer.expect_error(403, "Forbidden", "Forbidden");
}

#[track_caller]
fn expect_fixed_fault(answer: &Answer) {
    answer.expect_error(500, "InternalServerError", "Internal server error");
}

#[tokio::test]
async fn a_fault_tells_the_caller_nothing_and_the_hook_everything_once() {
    let (answer, faults) = put(|| Err(Failure::fault("database at 192.0.2.7 is gone"))).await;
    expect_fixed_fault(&answer);
    assert_eq!(
        faults,
        ["com.example.putNotes: database at 192.0.2.7 is gone"]
    );

    let (answer, faults) = put(|| {
        let number: i64 = "x".parse().or_fault()?;
        Ok(Notes::of([&*number.to_string()]).into())
    })
    .await;
    expect_fixed_fault(&answer);
    assert_eq!(
        faults,
        ["com.example.putNotes: invalid digit found in string"]
    );

    let (answer, faults) =
        put(|| Err(Generic::InternalServerError.because("the secret").into())).await;
    expect_fixed_fault(&answer);
    assert_eq!(faults, ["com.example.putNotes: the secret"]);
}

#[tokio::test]
async fn a_panic_is_a_fault() {
    let (answer, faults) = put(|| panic!("index 7 of {}", "nothing")).await;
    expect_fixed_fault(&answer);
    assert_eq!(faults, ["com.example.putNotes: panic: index 7 of nothing"]);

    // Before the handler has made its future.
    let faults = Faults::default();
    let router = faults.of(router().procedure(|_, request: Request<Ping>| {
        assert!(request.caller.is_some(), "nobody");
        async { Ok(().into()) }
    }));
    let answer = Ask::post("/xrpc/com.example.ping").of(router).await;
    expect_fixed_fault(&answer);
    assert_eq!(faults.take(), ["com.example.ping: panic: nobody"]);
}

#[tokio::test]
async fn a_fault_is_answered_even_if_its_hook_panics() {
    let router = router()
        .procedure(|_, _: Request<Ping>| async { Err(Failure::fault("a fault")) })
        .on_fault(|fault| panic!("the log is full: {fault}"));
    let answer = Ask::post("/xrpc/com.example.ping").of(router).await;
    expect_fixed_fault(&answer);
}

#[tokio::test]
async fn an_output_that_breaks_its_lexicon_is_a_fault_and_does_not_leave() {
    let (answer, faults) =
        put(|| Ok(Notes::of(["fine", "a secret that is longer than forty bytes is"]).into())).await;
    expect_fixed_fault(&answer);
    let place = "notes/1/text: has 43 bytes, and may have at most 40";
    assert_eq!(
        faults,
        [format!("com.example.putNotes: invalid output: {place}")]
    );
}

#[tokio::test]
async fn bytes_of_a_type_that_the_lexicon_does_not_name_are_a_fault() {
    for content_type in ["text/html", "", "image/*", "image/png\r\nx: y"] {
        let faults = Faults::default();
        let router = faults.of(
            router().procedure(move |_, _: Request<UploadImage>| async move {
                let page = Payload {
                    content_type: content_type.to_owned(),
                    bytes: b"<b>".to_vec(),
                };
                Ok(page.into())
            }),
        );
        let ask = Ask::post("/xrpc/com.example.uploadImage").header("content-type", "image/png");
        expect_fixed_fault(&ask.of(router).await);
        let expect = "com.example.uploadImage: invalid output: the body must be of type image/*";
        assert_eq!(faults.take(), [expect]);
    }
}

#[tokio::test]
async fn headers_of_a_reply_are_sent_but_for_those_about_the_body() {
    let (answer, _) = put(|| {
        let html = HeaderValue::from_static("text/html");
        Ok(Response::new(Notes::of(["a"]))
            .with_header(header::ETAG, HeaderValue::from_static("\"1\""))
            .with_header(header::CONTENT_TYPE, html)
            .with_header(header::CONTENT_LENGTH, 1.into())
            .with_header(header::CONTENT_ENCODING, HeaderValue::from_static("gzip")))
    })
    .await;
    answer.expect_json(r#"{"notes":[{"text":"a"}]}"#);
    assert_eq!(answer.header("etag"), Some("\"1\""));
    assert_eq!(answer.header("content-encoding"), None);
    assert_ne!(answer.header("content-length"), Some("1"));
}

#[tokio::test]
async fn messages_are_bounded_and_without_control_characters() {
    let (answer, _) = put(|| {
        let message = format!("\u{1b}[31m\r\n{}", "x".repeat(5000));
        Err(Failure::refused(PutNotesError::Full, message))
    })
    .await;
    let message = format!("\u{fffd}[31m\u{fffd}\u{fffd}{}…", "x".repeat(993));
    answer.expect_error(400, "Full", &message);
}

#[test]
fn a_handler_can_be_tested_alone() {
    let mut request = Request::<PutNotes>::new((), Notes::of(["a"]));
    assert_eq!(
        request.caller().unwrap_err().error(),
        Generic::AuthenticationRequired
    );
    request.caller = Some(huddle_xrpc::server::Caller {
        did: "did:web:a.example".parse().unwrap(),
        service: None,
        lxm: "com.example.putNotes".parse().unwrap(),
        expires: huddle_ports::Timestamp::from_millis(0),
    });
    assert_eq!(request.caller().unwrap().did.as_str(), "did:web:a.example");
    assert_eq!(request.input.notes, [Note::new("a")]);

    request
        .headers
        .insert("authorization", HeaderValue::from_static("Bearer secret"));
    let text = format!("{request:?}");
    assert!(
        text.contains("did:web:a.example") && !text.contains("secret"),
        "{text}"
    );
}

/// An image in pieces.
fn in_pieces(last: Result<&'static str, &'static str>) -> Response<Payload> {
    let beginning = Payload {
        content_type: "image/png".to_owned(),
        bytes: b"one ".to_vec(),
    };
    let last = last.map(Bytes::from).map_err(BoxError::from);
    let pieces = futures_util::stream::iter([Ok(Bytes::from("two ")), last]);
    Response::new(beginning).with_rest(pieces)
}

#[tokio::test]
async fn the_rest_of_a_body_follows_its_beginning_and_where_it_fails_it_is_cut_off() {
    for last in [Ok("three"), Err("there is no more")] {
        let faults = Faults::default();
        let router = router()
            .procedure(move |_, _: Request<UploadImage>| async move { Ok(in_pieces(last)) });
        let request = http::Request::post("/xrpc/com.example.uploadImage")
            .header(header::CONTENT_TYPE, "image/png")
            .body(Body::from("x"));
        let router = faults.of(router).into_axum();
        let answer = router.oneshot(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "private, no-store");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "image/png");
        let body = answer.into_body().collect().await;
        match last {
            Ok(_) => {
                assert_eq!(body.unwrap().to_bytes(), "one two three");
                assert!(faults.take().is_empty());
            }
            Err(why) => {
                assert!(body.is_err());
                assert_eq!(faults.take(), [format!("com.example.uploadImage: {why}")]);
            }
        }
    }
}
