//! Whatever is sent, it is answered in the form that all errors have, and is never a fault.

use crate::support::{Answer, Ask, Faults, echo};
use http::Method;
use proptest::prelude::*;

fn answer(ask: Ask) -> (Answer, Vec<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let faults = Faults::default();
    let answer = runtime.block_on(ask.of(faults.of(echo())));
    (answer, faults.take())
}

/// That the answer is an output, or a well-formed error of the caller's.
fn is_sane((answer, faults): &(Answer, Vec<String>)) -> Result<(), TestCaseError> {
    prop_assert!(faults.is_empty(), "{faults:?}");
    prop_assert!(answer.status < 500 || answer.status == 501, "{answer:?}");
    if answer.status >= 400 {
        let body: serde_json::Value = serde_json::from_str(&answer.body)
            .map_err(|error| TestCaseError::fail(format!("{error}: {answer:?}")))?;
        prop_assert!(
            body["error"].is_string() && body["message"].is_string(),
            "{body}"
        );
        let message = body["message"].as_str().unwrap_or_default();
        prop_assert!(message.chars().count() <= 1001 && !message.contains(char::is_control));
    }
    Ok(())
}

/// Bytes as they may stand in a path or query, and some that mean something there.
fn url_text() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        "[!-\"$->@-~]{0,8}",
        Just("%".to_owned()),
        Just("%00".to_owned()),
        Just("%ff%fe".to_owned()),
        Just("&limit=".to_owned()),
        Just("author=did:web:a.example".to_owned()),
        Just("&tags=".to_owned()),
        Just("-9223372036854775809".to_owned()),
    ];
    proptest::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat())
}

fn json_like() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        Just(b"{\"notes\":[".to_vec()),
        Just(b"{\"text\":".to_vec()),
        Just(b"\"a\"".to_vec()),
        Just(b"}".to_vec()),
        Just(b"]}".to_vec()),
        Just(b",".to_vec()),
        Just(b"\"\\ud800\"".to_vec()),
        Just(b"1e999".to_vec()),
        Just(b"{\"$link\":\"x\"}".to_vec()),
        Just(b"{\"$bytes\":\"x\"}".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..16),
    ];
    proptest::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_query_string_is_answered(query in url_text()) {
        let uri = format!("/xrpc/com.example.listNotes?{query}");
        prop_assume!(uri.parse::<http::Uri>().is_ok());
        is_sane(&answer(Ask::get(&uri)))?;
    }

    #[test]
    fn any_path_and_verb_are_answered(path in url_text(), verb in "[A-Z]{1,8}|GET|POST|OPTIONS") {
        let uri = format!("/xrpc/{path}");
        prop_assume!(uri.parse::<http::Uri>().is_ok() && verb != "HEAD");
        is_sane(&answer(Ask::new(Method::from_bytes(verb.as_bytes()).unwrap(), &uri)))?;
    }

    #[test]
    fn any_json_is_answered(body in json_like()) {
        is_sane(&answer(Ask::post("/xrpc/com.example.putNotes")
            .header("content-type", "application/json").body(body)))?;
    }

    #[test]
    fn any_headers_are_answered(
        content_type in "[ -~]{0,20}|application/json",
        coding in "[ -~]{0,8}|identity",
        authorization in "[ -~]{0,30}|Bearer [!-~]{0,20}",
        body in proptest::collection::vec(any::<u8>(), 0..32),
    ) {
        for path in ["/xrpc/com.example.putNotes", "/xrpc/com.example.uploadImage", "/xrpc/com.example.ping"] {
            is_sane(&answer(Ask::post(path)
                .header("content-type", &content_type)
                .header("content-encoding", &coding)
                .header("authorization", &authorization)
                .body(&body)))?;
        }
    }
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = format!("{}0{}", open.repeat(10_000), close.repeat(10_000));
        let body = format!(r#"{{"notes":[],"x":{deep}}}"#);
        let outcome = answer(Ask::json("/xrpc/com.example.putNotes", &body));
        is_sane(&outcome).unwrap();
        assert_eq!(outcome.0.status, 400);
    }
}

#[test]
fn many_parameters_of_one_name_are_refused() {
    let query = "tags=x&".repeat(9000);
    let uri = format!("/xrpc/com.example.listNotes?author=did:web:a.example&{query}");
    let (answer, _) = answer(Ask::get(&uri));
    let message = "Invalid parameters: tags: has 9000 items, and may have at most 3";
    answer.expect_error(400, "InvalidRequest", message);
}
