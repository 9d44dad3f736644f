//! What is not XRPC: pages for whoever finds, balances, watches or runs the service.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use huddle_appview_web::secured;

use crate::health::{self, Health};
use crate::{AppView, did_document, operations};

pub(crate) fn routes(appview: &AppView) -> Router {
    let operations = &appview.operations;
    let url = operations.public_url.as_ref();
    let (service, last) = (appview.service.clone(), operations.health.clone());
    let health = Health::new(&appview.backend, service, last);
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
    let is_https = url.is_some_and(|url| url.scheme() == "https");
    secured(pages.fallback(async || StatusCode::NOT_FOUND), is_https)
}
