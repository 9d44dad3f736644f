//! What a checked method costs beside a plain axum handler of the same shape, and where that goes.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Json, Query};
use axum::routing::{get, post};
use divan::{Bencher, black_box};
use http::Request as HttpRequest;
use http_body_util::BodyExt as _;
use huddle_syntax::schema::{self, At as _, Data as _, Invalid, check};
use huddle_syntax::{Datetime, Did, Map};
use huddle_xrpc::server::{Reply, Request, Router};
use serde::{Deserialize, Serialize};
use tower::ServiceExt as _;

const AUTHOR: &str = "did:plc:z72i7hdynmk6r22z27h6tvur";
const NOTES: usize = 20;

struct List;

impl schema::Method for List {
    const NSID: &'static str = "com.example.listNotes";
    type Params = Params;
    type Error = std::convert::Infallible;
}

impl schema::Call for List {
    type Input = ();
    type Output = Page;
    const OUTPUT: &'static str = "application/json";
}

impl schema::Query for List {}

#[derive(Debug)]
struct Params {
    author: Did,
    limit: Option<i64>,
}

impl schema::Constraints for Params {
    fn check_fields(&self) -> Result<(), Invalid> {
        self.limit
            .map_or(Ok(()), |limit| check::maximum(limit, 100).at("limit"))
    }
}

huddle_syntax::params!(Params { author: required "author", limit: optional "limit" });

struct Put;

impl schema::Method for Put {
    const NSID: &'static str = "com.example.putNotes";
    type Params = ();
    type Error = std::convert::Infallible;
}

impl schema::Call for Put {
    type Input = Page;
    type Output = Page;
    const INPUT: &'static str = "application/json";
    const OUTPUT: &'static str = "application/json";
}

impl schema::Procedure for Put {}

#[derive(Clone, Debug)]
struct Page {
    notes: Vec<Note>,
    extra: Map,
}

impl schema::Constraints for Page {
    fn check_fields(&self) -> Result<(), Invalid> {
        check::max_items(&self.notes, 100).at("notes")?;
        self.notes.check().at("notes")
    }
}

huddle_syntax::object!(Page = "" { notes: required "notes" } ..extra);

#[derive(Clone, Debug)]
struct Note {
    author: Did,
    text: String,
    created_at: Datetime,
    extra: Map,
}

impl schema::Constraints for Note {
    fn check_fields(&self) -> Result<(), Invalid> {
        check::max_bytes(&self.text, 3000).at("text")?;
        check::max_graphemes(&self.text, 300).at("text")
    }
}

huddle_syntax::object!(Note = "" {
    author: required "author",
    text: required "text",
    created_at: required "createdAt",
} ..extra);

/// The same, with nothing checked and nothing kept.
#[derive(Clone, Serialize, Deserialize)]
struct PlainPage {
    notes: Vec<PlainNote>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlainNote {
    author: String,
    text: String,
    created_at: String,
}

#[derive(Deserialize)]
struct PlainParams {
    author: String,
    limit: Option<i64>,
}

fn json() -> String {
    let note = format!(
        r#"{{"author":"{AUTHOR}","text":"Slots on Tuesday, and a few words more about it","createdAt":"2026-11-20T08:30:00.000Z"}}"#
    );
    format!(r#"{{"notes":[{}]}}"#, vec![note; NOTES].join(","))
}

fn checked() -> axum::Router {
    let page = Page::from_json(json().as_bytes()).expect("a page");
    Router::new(Arc::new(page))
        .query(|page: Arc<Page>, request: Request<List>| async move {
            let reply: Reply<List> = Ok(some(&page, &request).into());
            reply
        })
        .procedure(|_, request: Request<Put>| async move { Ok(request.input.into()) })
        .into_axum()
}

fn some(page: &Page, request: &Request<List>) -> Page {
    black_box((&request.params.author, request.params.limit));
    page.clone()
}

fn plain() -> axum::Router {
    let page: PlainPage = serde_json::from_str(&json()).expect("a page");
    axum::Router::new()
        .route(
            "/xrpc/com.example.listNotes",
            get(|Query(params): Query<PlainParams>| async move {
                black_box((&params.author, params.limit));
                Json(page.clone())
            }),
        )
        .route(
            "/xrpc/com.example.putNotes",
            post(|Json(page): Json<PlainPage>| async { Json(page) }),
        )
}

fn run(bencher: Bencher, router: &axum::Router, request: impl Fn() -> HttpRequest<Body> + Sync) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    bencher.with_inputs(request).bench_local_values(|request| {
        runtime.block_on(async {
            let response = router.clone().oneshot(request).await.expect("infallible");
            assert_eq!(response.status(), 200);
            response.into_body().collect().await.expect("a whole body")
        })
    });
}

fn query() -> HttpRequest<Body> {
    let uri = format!("/xrpc/com.example.listNotes?author={AUTHOR}&limit=25");
    HttpRequest::get(uri)
        .body(Body::empty())
        .expect("a request")
}

fn procedure() -> HttpRequest<Body> {
    HttpRequest::post("/xrpc/com.example.putNotes")
        .header("content-type", "application/json")
        .body(Body::from(json()))
        .expect("a request")
}

#[divan::bench]
fn query_checked(bencher: Bencher) {
    run(bencher, &checked(), query);
}

#[divan::bench]
fn query_plain_axum(bencher: Bencher) {
    run(bencher, &plain(), query);
}

#[divan::bench]
fn procedure_checked(bencher: Bencher) {
    run(bencher, &checked(), procedure);
}

#[divan::bench]
fn procedure_plain_axum(bencher: Bencher) {
    run(bencher, &plain(), procedure);
}

/// The parts of `procedure_checked` that are not the router's.
#[divan::bench]
fn part_decode_and_check(bencher: Bencher) {
    let json = json();
    bencher.bench(|| Page::from_json(black_box(json.as_bytes())));
}

#[divan::bench]
fn part_check_and_encode(bencher: Bencher) {
    let page = Page::from_json(json().as_bytes()).expect("a page");
    bencher.bench(|| black_box(&page).to_json());
}

#[divan::bench]
fn refusal_of_a_parameter(bencher: Bencher) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let router = checked();
    let request = || {
        HttpRequest::get("/xrpc/com.example.listNotes?author=ada")
            .body(Body::empty())
            .expect("a request")
    };
    bencher.with_inputs(request).bench_local_values(|request| {
        let response = runtime
            .block_on(router.clone().oneshot(request))
            .expect("infallible");
        assert_eq!(response.status(), 400);
    });
}

fn main() {
    divan::main();
}
