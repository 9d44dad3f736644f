//! Conditional reads, and who keeps what.

use crate::authentication::{ALICE, Scripted};
use crate::support::{Answer, Ask, ListNotes, Notes, Ping, echo, router};
use http::{HeaderValue, Method, header};
use huddle_xrpc::Response;
use huddle_xrpc::server::{Reply, Request, Router};

const LIST: &str = "/xrpc/com.example.listNotes?author=did:web:a.example";

fn tagged() -> Router<()> {
    echo().etag_of::<ListNotes>()
}

async fn again(uri: &str, held: &str) -> Answer {
    let ask = Ask::get(uri).header("if-none-match", held);
    ask.of(tagged()).await
}

#[tokio::test]
async fn who_has_the_answer_is_told_that_it_has_not_changed() {
    let first = Ask::get(LIST).of(tagged()).await;
    assert_eq!(first.status, 200);
    let tag = first.header("etag").unwrap();

    for held in [tag, &format!("\"other\", {tag}"), "*"] {
        let answer = again(LIST, held).await;
        assert_eq!((answer.status, &*answer.body), (304, ""), "{held}");
        assert_eq!(answer.header("etag"), Some(tag));
        assert_eq!(answer.header("content-type"), None);
        assert_eq!(
            answer.header("content-length"),
            first.header("content-length")
        );
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    let answer = again(LIST, "\"other\"").await;
    assert_eq!((answer.status, answer.body), (200, first.body.clone()));
    let changed = again(&format!("{LIST}&limit=7"), tag).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), Some(tag));

    let head = Ask::new(Method::HEAD, LIST).header("if-none-match", tag);
    assert_eq!(head.of(tagged()).await.status, 304);
}

#[tokio::test]
async fn an_error_is_never_unchanged() {
    let answer = again("/xrpc/com.example.listNotes", "*").await;
    answer.expect_error(
        400,
        "InvalidRequest",
        "Invalid parameters: author: required, but missing",
    );
    assert_eq!(answer.header("etag"), None);
}

#[tokio::test]
async fn without_a_tag_everything_is_sent() {
    let ask = Ask::get(LIST).header("if-none-match", "*");
    let answer = ask.of(echo()).await;
    assert_eq!((answer.status, answer.header("etag")), (200, None));
}

#[tokio::test]
async fn a_handler_may_tag_its_answers_itself() {
    async fn list(_: std::sync::Arc<()>, _: Request<ListNotes>) -> Reply<ListNotes> {
        let tag = HeaderValue::from_static("\"7\"");
        Ok(Response::new(Notes::of(["a"])).with_header(header::ETAG, tag))
    }
    for router in [
        router().query(list),
        router().query(list).etag_of::<ListNotes>(),
    ] {
        let answer = Ask::get(LIST).header("if-none-match", "W/\"7\"").of(router);
        let answer = answer.await;
        assert_eq!((answer.status, answer.header("etag")), (304, Some("\"7\"")));
    }
}

#[tokio::test]
async fn a_procedure_is_never_unchanged() {
    let router = router().procedure(|_, _: Request<Ping>| async {
        let tag = HeaderValue::from_static("\"7\"");
        Ok(Response::new(()).with_header(header::ETAG, tag))
    });
    let ask = Ask::post("/xrpc/com.example.ping").header("if-none-match", "\"7\"");
    assert_eq!(ask.of(router).await.status, 200);
}

#[tokio::test]
async fn answers_say_who_may_keep_them() {
    async fn list(_: std::sync::Arc<()>, request: Request<ListNotes>) -> Reply<ListNotes> {
        let answer = Response::new(Notes::of(["a"]));
        Ok(match request.params.limit {
            Some(_) => answer.with_header(header::CACHE_CONTROL, HeaderValue::from_static("own")),
            None => answer,
        })
    }
    let public = || router().query(list).public::<ListNotes>(30);
    let own = format!("{LIST}&limit=1");
    let nowhere = Some("private, no-store");
    for (router, uri, caller, control, vary) in [
        (echo(), LIST, None, nowhere, None),
        (
            public(),
            LIST,
            None,
            Some("public, max-age=30"),
            Some("authorization"),
        ),
        (
            public(),
            LIST,
            Some(ALICE),
            Some("private, no-cache"),
            Some("authorization"),
        ),
        (public(), &own, None, Some("own"), Some("authorization")),
        (public(), "/xrpc/com.example.listNotes", None, nowhere, None),
        (
            tagged(),
            LIST,
            None,
            Some("private, no-cache"),
            Some("authorization"),
        ),
        (echo(), "/xrpc/com.example.other", None, nowhere, None),
    ] {
        let ask = Ask::get(uri);
        let ask = match caller {
            Some(did) => ask.header("authorization", &format!("Bearer {did}")),
            None => ask,
        };
        let answer = ask.of(router.authenticate(Scripted)).await;
        assert_eq!(answer.header("cache-control"), control, "{uri} {caller:?}");
        assert_eq!(answer.header("vary"), vary, "{uri} {caller:?}");
    }
    let first = Ask::get(LIST).of(public()).await;
    let again = Ask::get(LIST).header("if-none-match", first.header("etag").unwrap());
    let again = again.of(public()).await;
    assert_eq!(again.status, 304);
    assert_eq!(again.header("cache-control"), Some("public, max-age=30"));
}
