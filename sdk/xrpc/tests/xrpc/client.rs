//! The client, against the server in the same process and against answers that no server of ours gives.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{
    InProcess, ListNotes, ListNotesError, ListNotesParams, Notes, Ping, PutNotes, PutNotesError,
    UploadImage, canned, echo, router,
};
use async_trait::async_trait;
use http::{HeaderValue, Method, StatusCode, header};
use huddle_ports::{Fetch, FetchError, FetchLimits};
use huddle_syntax::schema::{self, Payload};
use huddle_xrpc::client::{Client, ClientError, InvalidResponse};
use huddle_xrpc::server::{Refusal, Request};
use huddle_xrpc::{Generic, RateLimit, Response};

const AUTHOR: &str = "did:web:a.example";

fn client(router: axum::Router) -> (Client, Arc<InProcess>) {
    let server = Arc::new(InProcess::new(router));
    (
        Client::new(server.clone(), "https://notes.example".parse().unwrap()),
        server,
    )
}

fn params() -> ListNotesParams {
    ListNotesParams::new(AUTHOR)
}

#[tokio::test]
async fn a_query_goes_to_the_server_and_back() {
    let (client, server) = client(echo().into_axum());
    let params = ListNotesParams {
        limit: Some(7),
        tags: Some(vec!["a&b".to_owned(), "é +/%".to_owned()]),
        reverse: Some(true),
        ..params()
    };
    let response = client.query::<ListNotes>(&params).await.unwrap();
    let expect = Notes::of([AUTHOR, "limit 7", "reverse true", "a&b", "é +/%"]);
    assert_eq!(response.output, expect);
    let sent = server.sent.lock().unwrap();
    assert_eq!(sent[0].method, Method::GET);
    assert!(sent[0].body.is_empty());
    assert_eq!(sent[0].headers["accept"], "application/json");
    let url = sent[0].url.as_str();
    assert!(
        url.starts_with("https://notes.example/xrpc/com.example.listNotes?author=did"),
        "{url}"
    );
}

#[tokio::test]
async fn a_procedure_goes_to_the_server_and_back() {
    let (client, server) = client(echo().into_axum());
    let notes = Notes::of(["a", "é"]);
    let response = client.procedure::<PutNotes>(&(), &notes).await.unwrap();
    assert_eq!(response.output, notes);
    assert_eq!(
        server.sent.lock().unwrap()[0].headers["content-type"],
        "application/json"
    );

    let image = Payload {
        content_type: "image/png".to_owned(),
        bytes: vec![0, 255],
    };
    let response = client.procedure::<UploadImage>(&(), &image).await.unwrap();
    assert_eq!(response.output, image);

    client.procedure::<Ping>(&(), &()).await.unwrap();
    let sent = server.sent.lock().unwrap();
    assert_eq!(
        sent[2].url.as_str(),
        "https://notes.example/xrpc/com.example.ping"
    );
    assert!(sent[2].headers.is_empty() && sent[2].body.is_empty());
}

#[tokio::test]
async fn what_breaks_the_lexicon_is_not_sent() {
    let (client, server) = client(echo().into_axum());
    let too_many = ListNotesParams {
        limit: Some(101),
        ..params()
    };
    let error = client.query::<ListNotes>(&too_many).await.unwrap_err();
    let expect = "invalid request: limit: is 101, and may be at most 100";
    assert_eq!(error.to_string(), expect);

    let notes = Notes::of(["more than forty bytes, as anybody can count"]);
    let error = client.procedure::<PutNotes>(&(), &notes).await.unwrap_err();
    let ClientError::InvalidRequest(invalid) = error else {
        panic!("{error}")
    };
    assert_eq!(invalid.path(), "notes/0/text");

    for content_type in ["text/html", "", "image/png\n"] {
        let page = Payload {
            content_type: content_type.to_owned(),
            bytes: Vec::new(),
        };
        let error = client
            .procedure::<UploadImage>(&(), &page)
            .await
            .unwrap_err();
        assert!(matches!(error, ClientError::InvalidRequest(_)), "{error}");
    }
    assert!(server.sent.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_declared_error_is_typed() {
    let router = router().procedure(|_, _: Request<PutNotes>| async {
        let busy = Refusal::new(PutNotesError::Busy, "Later");
        Err(busy.with_status::<409>().with_retry_after(30).into())
    });
    let (client, _) = client(router.into_axum());
    let error = client
        .procedure::<PutNotes>(&(), &Notes::of([]))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "Busy (409): Later");
    assert!(error.is_retryable(), "the server says when");
    let ClientError::Declared(response) = error else {
        panic!("{error}")
    };
    assert_eq!(response.error, PutNotesError::Busy);
    assert_eq!(response.status, StatusCode::CONFLICT);
    assert_eq!(response.message.as_deref(), Some("Later"));
    assert_eq!(response.retry_after_secs, Some(30));
}

#[tokio::test]
async fn an_error_that_every_method_has_is_undeclared_and_known() {
    let (client, _) = client(router().into_axum());
    let error = client.query::<ListNotes>(&params()).await.unwrap_err();
    assert!(!error.is_retryable());
    let ClientError::Undeclared(response) = error else {
        panic!("{error}")
    };
    assert_eq!(response.generic(), Some(Generic::MethodNotImplemented));
    assert_eq!(response.status, StatusCode::NOT_IMPLEMENTED);
    let message = "com.example.listNotes is not implemented here";
    assert_eq!(response.message.as_deref(), Some(message));
}

/// The error of asking a server that always answers this.
async fn error(
    status: u16,
    content_type: Option<&'static str>,
    body: &'static str,
) -> ClientError<ListNotesError> {
    let status = StatusCode::from_u16(status).unwrap();
    let (client, _) = client(canned(status, content_type, body));
    client.query::<ListNotes>(&params()).await.unwrap_err()
}

#[tokio::test]
async fn errors_of_other_servers_are_read_as_well_as_they_can_be() {
    let json = Some("application/json");
    let html = Some("text/html");
    for (status, content_type, body, expect) in [
        (
            400,
            json,
            r#"{"error":"AuthorNotFound","message":"who?"}"#,
            "AuthorNotFound (400): who?",
        ),
        (
            404,
            json,
            r#"{"error":"AuthorNotFound"}"#,
            "AuthorNotFound (404)",
        ),
        (
            400,
            None,
            r#"{"error":"AuthorNotFound"}"#,
            "AuthorNotFound (400)",
        ),
        (
            400,
            json,
            r#"{"error":"New","message":"m","more":[1]}"#,
            "New (400): m",
        ),
        (
            400,
            json,
            r#"{"message":"no name"}"#,
            "InvalidRequest (400): no name",
        ),
        (
            400,
            json,
            r#"{"error":"","message":"m"}"#,
            "InvalidRequest (400): m",
        ),
        (
            400,
            json,
            r#"{"error":7,"message":"m"}"#,
            "InvalidRequest (400)",
        ),
        (400, json, "[]", "InvalidRequest (400)"),
        (400, json, "", "InvalidRequest (400)"),
        (
            400,
            json,
            r#"{"error":"A\nB","message":"\u001b[2J"}"#,
            "A\u{fffd}B (400): \u{fffd}[2J",
        ),
        (
            502,
            html,
            "<html>Bad gateway</html>",
            "UpstreamFailure (502)",
        ),
        (503, html, "busy", "NotEnoughResources (503)"),
        (429, None, "", "RateLimitExceeded (429)"),
        (418, html, "<html>", "InvalidRequest (418)"),
        (599, html, "<html>", "InternalServerError (599)"),
        (304, None, "", "an answer with status 304"),
    ] {
        assert_eq!(
            error(status, content_type, body).await.to_string(),
            expect,
            "{status} {body}"
        );
    }
    let declared = error(400, json, r#"{"error":"AuthorNotFound"}"#).await;
    assert!(matches!(declared, ClientError::Declared(_)));
    assert!(error(503, None, "").await.is_retryable());
    assert!(error(429, None, "").await.is_retryable());
    assert!(!error(400, None, "").await.is_retryable());
}

/// A query whose lexicon declares an error by the name of a generic one.
struct Strict;

impl schema::Method for Strict {
    const NSID: &'static str = "com.example.strict";
    type Params = ();
    type Error = StrictError;
}

impl schema::Call for Strict {
    type Input = ();
    type Output = ();
}

impl schema::Query for Strict {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StrictError {
    InvalidRequest,
}

huddle_syntax::error_names!(StrictError { InvalidRequest = "InvalidRequest" });

#[tokio::test]
async fn only_a_name_that_was_sent_is_a_declared_error() {
    for (body, is_declared) in [
        (r#"{"error":"InvalidRequest"}"#, true),
        (r#"{"error":""}"#, false),
        ("<html>Bad request</html>", false),
        ("", false),
    ] {
        let (client, _) = client(canned(StatusCode::BAD_REQUEST, None, body));
        let error = client.query::<Strict>(&()).await.unwrap_err();
        assert_eq!(error.to_string(), "InvalidRequest (400)", "{body}");
        let found = matches!(error, ClientError::Declared(_));
        assert_eq!(found, is_declared, "{body}");
    }
}

/// A query whose lexicon names a type that no header can.
struct Odd;

impl schema::Method for Odd {
    const NSID: &'static str = "com.example.odd";
    type Params = ();
    type Error = std::convert::Infallible;
}

impl schema::Call for Odd {
    type Input = ();
    type Output = Payload;
    const OUTPUT: &'static str = "text/\u{1}";
}

impl schema::Query for Odd {}

#[tokio::test]
async fn a_type_that_no_header_can_name_is_refused_before_anything_is_sent() {
    let (client, server) = client(canned(StatusCode::OK, None, ""));
    let error = client.query::<Odd>(&()).await.unwrap_err();
    assert!(matches!(error, ClientError::InvalidRequest(_)), "{error}");
    assert!(server.sent.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_output_that_breaks_the_lexicon_is_not_believed() {
    let json = Some("application/json");
    for (content_type, body, expect) in [
        (json, r"{}", "invalid answer: notes: required, but missing"),
        (
            json,
            r#"{"notes":[{"text":"more than forty bytes, as anybody can count"}]}"#,
            "invalid answer: notes/0/text: has 43 bytes, and may have at most 40",
        ),
        (
            Some("text/html"),
            r#"{"notes":[]}"#,
            "the answer is not of type application/json",
        ),
        (
            None,
            r#"{"notes":[]}"#,
            "the answer is not of type application/json",
        ),
    ] {
        assert_eq!(error(200, content_type, body).await.to_string(), expect);
    }
    assert!(matches!(
        error(200, json, "<html>").await,
        ClientError::InvalidResponse(InvalidResponse::Output(_))
    ));
}

#[tokio::test]
async fn a_body_that_the_lexicon_does_not_name_is_not_looked_at() {
    let (client, _) = client(canned(StatusCode::OK, Some("text/plain"), "ok"));
    client.procedure::<Ping>(&(), &()).await.unwrap();
}

#[tokio::test]
async fn headers_of_the_client_are_sent_with_every_call() {
    let (client, server) = client(echo().into_axum());
    let client = client
        .with_bearer("secret.token")
        .unwrap()
        .with_proxy(&"did:web:huddle.example".parse().unwrap(), "huddle_appview")
        .unwrap()
        .with_header(
            header::HeaderName::from_static("atproto-accept-labelers"),
            HeaderValue::from_static("did:web:labels.example"),
        );
    client.query::<ListNotes>(&params()).await.unwrap();
    client
        .procedure::<PutNotes>(&(), &Notes::of([]))
        .await
        .unwrap();
    for sent in &*server.sent.lock().unwrap() {
        assert_eq!(sent.headers["authorization"], "Bearer secret.token");
        assert_eq!(
            sent.headers["atproto-proxy"],
            "did:web:huddle.example#huddle_appview"
        );
        assert_eq!(
            sent.headers["atproto-accept-labelers"],
            "did:web:labels.example"
        );
    }
}

#[test]
fn secrets_are_not_printed() {
    let (client, _) = client(axum::Router::new());
    let client = client.with_bearer("secret").unwrap();
    let text = format!("{client:?}");
    assert!(
        text.contains("authorization") && !text.contains("secret"),
        "{text}"
    );
    assert!(client.clone().with_bearer("a\nb").is_err());
    assert!(
        client
            .with_proxy(&"did:web:a.example".parse().unwrap(), "a b")
            .is_err()
    );
}

#[tokio::test]
async fn limits_are_handed_to_the_transport() {
    let (client, server) = client(echo().into_axum());
    let limits = FetchLimits {
        timeout: Duration::from_secs(3),
        max_response_bytes: 10,
        max_redirects: 0,
    };
    let error = client
        .with_limits(limits)
        .query::<ListNotes>(&params())
        .await
        .unwrap_err();
    assert_eq!(
        error,
        ClientError::Transport(FetchError::TooLarge { limit: 10 })
    );
    assert_eq!(server.sent.lock().unwrap()[0].limits, limits);
}

#[tokio::test]
async fn how_many_requests_are_left_is_told() {
    let router = router().query(|_, _: Request<ListNotes>| async {
        let headers = [
            ("ratelimit-limit", "100"),
            ("ratelimit-remaining", "7"),
            ("ratelimit-reset", "1767268800"),
            ("ratelimit-policy", "100;w=60"),
        ];
        let answer =
            headers
                .into_iter()
                .fold(Response::new(Notes::of([])), |answer, (name, value)| {
                    let name = header::HeaderName::from_static(name);
                    answer.with_header(name, HeaderValue::from_static(value))
                });
        Ok(answer)
    });
    let (client, _) = client(router.into_axum());
    let response = client.query::<ListNotes>(&params()).await.unwrap();
    let expect = RateLimit {
        limit: 100,
        remaining: 7,
        reset_secs: 1_767_268_800,
        window_secs: Some(60),
    };
    assert_eq!(response.rate_limit(), Some(expect));
}

#[tokio::test]
async fn a_transport_that_fails_is_told_apart() {
    struct Unreachable;

    #[async_trait]
    impl Fetch for Unreachable {
        async fn fetch(
            &self,
            _: huddle_ports::Request,
        ) -> Result<huddle_ports::Response, FetchError> {
            Err(FetchError::Timeout)
        }
    }

    let client = Client::new(
        Arc::new(Unreachable),
        "https://notes.example".parse().unwrap(),
    );
    let error = client.procedure::<Ping>(&(), &()).await.unwrap_err();
    assert_eq!(error, ClientError::Transport(FetchError::Timeout));
    assert!(error.is_retryable());
}
