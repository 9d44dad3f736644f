//! What all pages have in common: how they are answered, and the headers that keep them to themselves.

use askama::Template;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse as _, Response};

/// No page has a script or a frame, or is to be kept; none says to others where somebody came from.
const SAFE: [(HeaderName, HeaderValue); 5] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
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

/// Pages that keep themselves to themselves. What has needs of its own sets these headers itself; `is_https` is whether
/// they are reached by HTTPS, and so never by anything else.
pub fn secured(pages: Router, is_https: bool) -> Router {
    pages.layer(middleware::from_fn_with_state(is_https, secure))
}

async fn secure(State(is_https): State<bool>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in SAFE.into_iter().chain(is_https.then_some(HTTPS_ONLY)) {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html")]
pub(crate) struct Message<'a> {
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
}

pub(crate) fn answer(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        // Nothing that templates are filled with can fail to be written.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
