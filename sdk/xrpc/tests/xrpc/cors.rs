//! What a page in a browser needs.

use crate::support::{Ask, echo};
use http::Method;
use huddle_xrpc::server::Cors;

const PUT: &str = "/xrpc/com.example.putNotes";

fn preflight(path: &str, headers: &str) -> Ask {
    Ask::new(Method::OPTIONS, path)
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", headers)
}

const ALWAYS: &str =
    "authorization, content-type, dpop, idempotency-key, if-none-match, x-request-id";

#[tokio::test]
async fn a_preflight_is_allowed_what_clients_send() {
    let answer = preflight(PUT, "authorization,content-type")
        .of(echo())
        .await;
    assert_eq!((answer.status, &*answer.body), (204, ""));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(
        answer.header("access-control-allow-methods"),
        Some("POST, OPTIONS")
    );
    assert_eq!(answer.header("access-control-allow-headers"), Some(ALWAYS));
    assert_eq!(answer.header("access-control-max-age"), Some("86400"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    // A method that is not there is told by its answer, which a page can read only after this.
    assert_eq!(
        preflight("/xrpc/com.example.other", "")
            .of(echo())
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn atproto_headers_are_allowed_and_nothing_else_is_repeated() {
    for (asked, more) in [
        (
            "Atproto-Proxy, atproto-accept-labelers",
            ", atproto-proxy, atproto-accept-labelers",
        ),
        ("x-secret, cookie, content-type", ""),
        ("atproto-a b, atproto-a_b, atproto-a:b, xatproto-a", ""),
        (",,,", ""),
        (&*format!("atproto-{}", "x".repeat(100)), ""),
    ] {
        let answer = preflight(PUT, asked).of(echo()).await;
        let expect = format!("{ALWAYS}{more}");
        let allowed = answer.header("access-control-allow-headers");
        assert_eq!(allowed, Some(&*expect), "{asked}");
    }
    let many = vec!["atproto-x"; 1000].join(",");
    let answer = preflight(PUT, &many).of(echo()).await;
    assert!(answer.header("access-control-allow-headers").unwrap().len() < 1000);
}

#[tokio::test]
async fn every_answer_may_be_read_errors_too() {
    for ask in [
        Ask::json(PUT, r#"{"notes":[]}"#),
        Ask::json(PUT, "{"),
        Ask::get(PUT),
        Ask::get("/xrpc/com.example.other"),
        Ask::get("/xrpc/"),
    ] {
        let answer = ask.header("origin", "https://app.example").of(echo()).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let exposed = answer.header("access-control-expose-headers").unwrap();
        for name in [
            "retry-after",
            "etag",
            "ratelimit-remaining",
            "www-authenticate",
        ] {
            assert!(
                exposed.split(", ").any(|header| header == name),
                "{exposed}"
            );
        }
    }
}

#[tokio::test]
async fn a_router_may_leave_it_to_others() {
    let answer = preflight(PUT, "").of(echo().cors(Cors::Unsaid)).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("allow"), Some("POST, OPTIONS"));
    let names = answer.headers.keys();
    assert!(
        names
            .into_iter()
            .all(|name| !name.as_str().starts_with("access-control"))
    );
}
