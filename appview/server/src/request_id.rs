//! Names for requests, by which a caller's complaint is found in the log.

use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use data_encoding::HEXLOWER;
use huddle_appview_router::RequestId;
use huddle_native::OsRandom;
use huddle_ports::Random as _;

/// The same routes, with a random [`RequestId`] for each request: what a client calls it may say who the client is.
pub(crate) fn named(router: axum::Router) -> axum::Router {
    router.layer(middleware::from_fn(name))
}

async fn name(mut request: Request, next: Next) -> Response {
    let mut bytes = [0; 8];
    OsRandom.fill(&mut bytes);
    let id = RequestId(HEXLOWER.encode(&bytes));
    request.extensions_mut().insert(id);
    next.run(request).await
}
