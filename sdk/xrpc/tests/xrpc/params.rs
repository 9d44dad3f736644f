//! Parameters are checked against their lexicon.

use crate::support::{Ask, echo};

async fn ask(query: &str) -> crate::support::Answer {
    Ask::get(&format!("/xrpc/com.example.listNotes?{query}"))
        .of(echo())
        .await
}

#[tokio::test]
async fn valid_parameters_reach_the_handler_and_absent_ones_have_defaults() {
    for (query, expect) in [
        (
            "author=did:web:a.example",
            "did:web:a.example|limit 50|reverse false",
        ),
        (
            "author=did%3Aweb%3Aa.example&limit=1",
            "did:web:a.example|limit 1|reverse false",
        ),
        (
            "limit=100&reverse=true&author=did:web:a.example",
            "did:web:a.example|limit 100|reverse true",
        ),
        (
            "author=did:web:a.example&tags=x&tags=y+z",
            "did:web:a.example|limit 50|reverse false|x|y z",
        ),
        (
            "author=did:web:a.example&tags=%C3%A9&other=1&other=2",
            "did:web:a.example|limit 50|reverse false|é",
        ),
        (
            "author=did:web:a.example&&",
            "did:web:a.example|limit 50|reverse false",
        ),
    ] {
        let answer = ask(query).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let notes = body["notes"].as_array().unwrap();
        let texts: Vec<_> = notes
            .iter()
            .map(|note| note["text"].as_str().unwrap())
            .collect();
        assert_eq!(texts.join("|"), expect, "{query}");
    }
}

#[tokio::test]
async fn invalid_parameters_are_refused_by_name() {
    for (query, expect) in [
        ("", "author: required, but missing"),
        ("limit=5", "author: required, but missing"),
        (
            "author=did:web:a.example&limit=0",
            "limit: is 0, and must be at least 1",
        ),
        (
            "author=did:web:a.example&limit=100000",
            "limit: is 100000, and may be at most 100",
        ),
        (
            "author=did:web:a.example&limit=1&limit=2",
            "limit: may be there only once",
        ),
        (
            "author=did:web:a.example&limit=five",
            "limit: must be an integer",
        ),
        (
            "author=did:web:a.example&limit=1.0",
            "limit: must be an integer",
        ),
        (
            "author=did:web:a.example&limit=9223372036854775808",
            "limit: must be an integer of 64 bits",
        ),
        (
            "author=did:web:a.example&limit=",
            "limit: must be an integer",
        ),
        (
            "author=did:web:a.example&tags=a&tags=%FF",
            "tags/1: must be UTF-8",
        ),
        ("author=%C3", "author: must be UTF-8"),
        (
            "author=did:web:a.example&reverse=1",
            "reverse: must be true or false",
        ),
        (
            "author=did:web:a.example&tags=a&tags=123456789",
            "tags/1: has 9 bytes, and may have at most 8",
        ),
        (
            "author=did:web:a.example&tags=a&tags=b&tags=c&tags=d",
            "tags: has 4 items, and may have at most 3",
        ),
    ] {
        let message = format!("Invalid parameters: {expect}");
        ask(query)
            .await
            .expect_error(400, "InvalidRequest", &message);
    }
    let answer = ask("author=ada").await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.body.contains("Invalid parameters: author: "),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn a_body_with_a_query_is_refused() {
    let ask = Ask::get("/xrpc/com.example.listNotes?author=did:web:a.example").body("{}");
    ask.of(echo())
        .await
        .expect_error(400, "InvalidRequest", "A body is not expected");
}
