//! The mail API: what is asked of it, and what its answers come to.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use huddle_core::mail::Delivery;
use huddle_mail::{InvalidKey, Mailer as _, Message, SparkPost};
use huddle_ports::{Blocked, FetchError, HeaderValue, Request, StatusCode, Url, header};
use huddle_testkit::{ScriptedAnswer, ScriptedFetch};
use serde_json::{Value, json};

fn answer(status: u16, retry_after: Option<&'static str>, body: &'static str) -> ScriptedAnswer {
    let answer = ScriptedAnswer::new(StatusCode::from_u16(status).unwrap(), body);
    match retry_after {
        Some(value) => answer.with_header(header::RETRY_AFTER, HeaderValue::from_static(value)),
        None => answer,
    }
}

/// Sends a message that is answered with this.
fn send(answer: Result<ScriptedAnswer, FetchError>) -> (Delivery, Request) {
    let fetch = Arc::new(ScriptedFetch::default());
    fetch.expect("https://api.example/api/v1/transmissions", answer);
    let api = Url::parse("https://api.example/").unwrap();
    let mailer = SparkPost::new(fetch.clone(), &api, "the-key").unwrap();
    let message = Message {
        from: "bookings@huddle.example".parse().unwrap(),
        to: "bob@mail.example".parse().unwrap(),
        bytes: b"Subject: {{ hello }}\r\n\r\nHello\r\n".to_vec(),
    };
    let delivery = mailer.send(&message).now_or_never().unwrap();
    let asked = fetch.asked().pop().unwrap();
    (delivery, asked)
}

const TAKEN: &str =
    r#"{"results": {"total_rejected_recipients": 0, "total_accepted_recipients": 1, "id": "1"}}"#;

#[test]
fn a_message_is_handed_over_as_it_was_written() {
    let (delivery, request) = send(Ok(answer(200, None, TAKEN)));
    assert_eq!(delivery, Delivery::Sent);
    let key = &request.headers[header::AUTHORIZATION];
    assert_eq!(key, "the-key");
    assert!(key.is_sensitive());
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let expect = json!({
        "options": {
            "transactional": true,
            "open_tracking": false,
            "click_tracking": false,
            "perform_substitutions": false,
        },
        "recipients": [{ "address": { "email": "bob@mail.example" } }],
        "content": { "email_rfc822": "Subject: {{ hello }}\r\n\r\nHello\r\n" },
        "return_path": "bookings@huddle.example",
    });
    assert_eq!(body, expect);
}

#[track_caller]
fn later(answer: Result<ScriptedAnswer, FetchError>, expect: Option<u64>) {
    let (delivery, _) = send(answer);
    let Delivery::TryLater { after, problem } = delivery else {
        panic!("{delivery:?}");
    };
    assert_eq!(after, expect.map(Duration::from_secs), "{problem}");
}

#[track_caller]
fn refused(answer: Result<ScriptedAnswer, FetchError>) {
    let (delivery, _) = send(answer);
    assert!(matches!(delivery, Delivery::Refused(_)), "{delivery:?}");
}

#[test]
fn what_may_do_better_later_is_tried_again_and_not_before_it_was_asked_for() {
    for status in [401, 403, 408, 420, 429, 500, 503] {
        later(Ok(answer(status, None, "")), None);
    }
    later(Ok(answer(429, Some("90"), "")), Some(90));
    later(Ok(answer(429, Some("soon"), "")), None);
    later(Ok(answer(200, None, "<html>")), None);
    later(Err(FetchError::Timeout), None);
    later(Err(FetchError::Connect("no".into())), None);
}

#[test]
fn what_never_does_better_is_refused() {
    let none = r#"{"results": {"total_rejected_recipients": 1, "total_accepted_recipients": 0}}"#;
    refused(Ok(answer(200, None, none)));
    refused(Ok(answer(400, None, "")));
    refused(Ok(answer(422, None, r#"{"errors": ["bob@mail.example"]}"#)));
    refused(Err(FetchError::Blocked(Blocked::Scheme)));
}

#[test]
fn a_key_is_one_line() {
    let fetch = Arc::new(ScriptedFetch::default());
    let api = Url::parse("https://api.example/").unwrap();
    let made = SparkPost::new(fetch, &api, "a\r\nX: b");
    assert_eq!(made.err(), Some(InvalidKey));
}
