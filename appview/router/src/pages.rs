//! What is not XRPC: pages for whoever finds, balances, watches or runs the service.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;

use crate::health::{self, Health};
use crate::{AppView, did_document, operations};

/// None of the pages needs a script, a style or a frame, none says to others where somebody came from, and none is to be
/// kept. What has needs of its own sets these headers itself.
const SAFE: [(HeaderName, HeaderValue); 5] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
];

/// A year, as browsers remember it.
const HTTPS_ONLY: (HeaderName, HeaderValue) = (
    header::STRICT_TRANSPORT_SECURITY,
    HeaderValue::from_static("max-age=31536000"),
);

/// Whether the service is reached by HTTPS.
#[derive(Clone, Copy)]
struct IsHttps(bool);

pub(crate) fn routes(appview: &AppView) -> Router {
    let operations = &appview.operations;
    let url = operations.public_url.as_ref();
    let health = Health::new(&appview.backend, appview.service.clone());
    let mut pages = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/xrpc/_health", get(health::version))
        .with_state(health.clone());
    if let Some(document) = url.and_then(|url| did_document::document(&appview.service, url)) {
        let answer = get(async || did_document::answer(document));
        pages = pages.route(did_document::PATH, answer);
    }
    if let Some(shown) = &operations.pages {
        let limits = appview.backend.limits.clone();
        pages = pages.merge(operations::routes(shown.clone(), health, limits));
    }
    let is_https = IsHttps(url.is_some_and(|url| url.scheme() == "https"));
    pages
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(middleware::from_fn_with_state(is_https, secured))
}

async fn secured(
    State(IsHttps(is_https)): State<IsHttps>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in SAFE.into_iter().chain(is_https.then_some(HTTPS_ONLY)) {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}
