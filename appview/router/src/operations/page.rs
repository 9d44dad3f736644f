//! The pages for operators: `/internal/metrics` for a program, `/zpages` for a person.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use huddle_core::Limits;

use super::{MetricsRegistry, OperatorPages};
use crate::health::Health;

#[derive(Clone)]
struct Shown {
    pages: OperatorPages,
    health: Health,
    limits: Arc<Limits>,
}

/// The pages, which only whoever has the token sees.
pub(crate) fn routes(pages: OperatorPages, health: Health, limits: Arc<Limits>) -> Router {
    let guarded = middleware::from_fn_with_state(pages.clone(), for_operators);
    Router::new()
        .route("/internal/metrics", get(metrics))
        .route("/zpages", get(status))
        .route_layer(guarded)
        .with_state(Shown {
            pages,
            health,
            limits,
        })
}

async fn for_operators(
    State(pages): State<OperatorPages>,
    request: Request,
    next: Next,
) -> Response {
    if pages.token.is_shown(request.headers()) {
        return next.run(request).await;
    }
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, challenge).into_response()
}

async fn metrics(State(shown): State<Shown>) -> Response {
    let content_type = [(header::CONTENT_TYPE, MetricsRegistry::CONTENT_TYPE)];
    (content_type, shown.pages.registry.text()).into_response()
}

async fn status(State(shown): State<Shown>) -> Html<String> {
    let report = shown.health.report().await;
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Huddle</title><h1>Huddle</h1>",
    );
    table(&mut page, "State", report.lines());
    let limits = shown.limits.table();
    let limits = limits
        .iter()
        .map(|limit| (limit.name, limit.value.to_string()));
    table(&mut page, "Limits", limits);
    let metrics = escaped(&shown.pages.registry.text());
    write(
        &mut page,
        format_args!("<h2>Metrics</h2><pre>{metrics}</pre></html>"),
    );
    Html(page)
}

fn table<V: AsRef<str>>(
    page: &mut String,
    caption: &str,
    rows: impl IntoIterator<Item = (&'static str, V)>,
) {
    write(page, format_args!("<h2>{caption}</h2><table>"));
    for (name, value) in rows {
        let value = escaped(value.as_ref());
        write(
            page,
            format_args!("<tr><th align=\"left\">{name}<td>{value}"),
        );
    }
    page.push_str("</table>");
}

fn write(page: &mut String, what: std::fmt::Arguments<'_>) {
    page.write_fmt(what)
        .expect("a string takes whatever is written");
}

/// The text as HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
