//! What a test has written down is what is answered.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use futures_util::FutureExt as _;
use huddle_ports::{
    Fetch as _, FetchError, FetchLimits, HeaderValue, Request, StatusCode, Url, header,
};
use huddle_testkit::{ScriptedAnswer, ScriptedFetch};

const ONE: &str = "https://one.example/";
const OTHER: &str = "https://other.example/";

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn answer(body: &'static str) -> ScriptedAnswer {
    ScriptedAnswer::new(StatusCode::OK, body)
}

/// The body of an answer that comes at once.
fn ask(fetch: &ScriptedFetch, of: &str) -> Result<String, FetchError> {
    let response = fetch.fetch(Request::get(url(of))).now_or_never().unwrap()?;
    Ok(String::from_utf8(response.body.to_vec()).unwrap())
}

#[track_caller]
fn check(fetch: &ScriptedFetch, of: &str, expect: &str) {
    assert_eq!(ask(fetch, of).as_deref(), Ok(expect), "{of}");
}

#[test]
fn what_is_expected_is_answered_in_order_and_once() {
    let fetch = ScriptedFetch::default();
    fetch.expect(ONE, Ok(answer("first")));
    fetch.expect(OTHER, Err(FetchError::Timeout));
    fetch.expect(ONE, Ok(answer("last")));
    check(&fetch, ONE, "first");
    assert_eq!(fetch.still_expected(), [OTHER, ONE]);
    assert_eq!(ask(&fetch, OTHER), Err(FetchError::Timeout));
    check(&fetch, ONE, "last");
    assert_eq!(fetch.still_expected(), [""; 0]);
    let asked: Vec<String> = fetch.asked().into_iter().map(|it| it.url.into()).collect();
    assert_eq!(asked, [ONE, OTHER, ONE]);
}

#[test]
fn the_latest_rule_answers_and_leaves_the_rest_to_others() {
    let fetch = ScriptedFetch::default();
    fetch.otherwise(Ok(answer("anything")));
    fetch.on(ONE, Ok(answer("old")));
    fetch.on(ONE, Ok(answer("new")));
    fetch.expect(ONE, Ok(answer("expected")));
    fetch.when(|request| (request.url.path() == "/page").then(|| Ok(answer("a page"))));
    check(&fetch, ONE, "new");
    check(&fetch, ONE, "new");
    check(&fetch, OTHER, "anything");
    check(&fetch, "https://one.example/page", "a page");
}

#[test]
#[should_panic(expected = "GET https://one.example/ was asked, for which the test has no answer")]
fn a_request_that_was_not_thought_of_fails_the_test() {
    let fetch = ScriptedFetch::default();
    fetch.on(OTHER, Ok(answer("other")));
    let _ = ask(&fetch, ONE);
}

#[test]
#[should_panic(expected = "one.example/ was asked, and https://other.example/ is expected next")]
fn a_request_out_of_order_fails_the_test() {
    let fetch = ScriptedFetch::default();
    fetch.expect(OTHER, Ok(answer("other")));
    fetch.expect(ONE, Ok(answer("one")));
    let _ = ask(&fetch, ONE);
}

#[test]
fn an_answer_is_as_it_was_written_down() {
    let fetch = ScriptedFetch::default();
    let html = HeaderValue::from_static("text/html");
    let written = ScriptedAnswer::new(StatusCode::NOT_FOUND, "none")
        .with_header(header::CONTENT_TYPE, html.clone())
        .redirected_to(url(OTHER));
    fetch.on(ONE, Ok(written));
    let request = Request::get(url(ONE));
    let response = fetch.fetch(request).now_or_never().unwrap().unwrap();
    assert_eq!(response.status, StatusCode::NOT_FOUND);
    assert_eq!(response.headers[header::CONTENT_TYPE], html);
    assert_eq!(response.final_url.as_str(), OTHER);
}

#[test]
fn an_answer_that_is_longer_than_the_request_allows_is_none() {
    let fetch = ScriptedFetch::default();
    fetch.on(ONE, Ok(answer("hello")));
    let ask = |max_response_bytes| {
        let limits = FetchLimits {
            max_response_bytes,
            ..FetchLimits::default()
        };
        let request = Request::get(url(ONE)).limits(limits);
        fetch
            .fetch(request)
            .now_or_never()
            .unwrap()
            .map(|it| it.body)
    };
    assert_eq!(ask(5).as_deref(), Ok(&b"hello"[..]));
    assert_eq!(ask(4), Err(FetchError::TooLarge { limit: 4 }));
}
