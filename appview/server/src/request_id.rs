//! Names for requests, by which a caller's complaint is found in the log: they stand in each of its lines.

use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use data_encoding::HEXLOWER;
use huddle_appview_router::RequestId;
use huddle_native::OsRandom;
use huddle_ports::Random as _;
use tracing::{Instrument as _, info_span};

/// The same routes, with a random [`RequestId`] for each request: what a client calls it may say who the client is.
pub(crate) fn named(router: axum::Router) -> axum::Router {
    router.layer(middleware::from_fn(name))
}

async fn name(mut request: Request, next: Next) -> Response {
    let mut bytes = [0; 8];
    OsRandom.fill(&mut bytes);
    let id = HEXLOWER.encode(&bytes);
    let span = info_span!("request", id);
    request.extensions_mut().insert(RequestId(id));
    next.run(request).instrument(span).await
}

#[cfg(test)]
mod tests {
    use axum::Extension;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn each_request_has_a_name_of_its_own_whatever_it_calls_itself() {
        let tell = get(async |Extension(RequestId(id)): Extension<RequestId>| id);
        let router = named(axum::Router::new().route("/", tell));
        let ask = async || {
            let request = Request::get("/").header("x-request-id", "ana");
            let answer = router.clone().oneshot(request.body(Body::empty()).unwrap());
            let body = to_bytes(answer.await.unwrap().into_body(), 100).await;
            String::from_utf8(body.unwrap().into()).unwrap()
        };
        let (one, other) = (ask().await, ask().await);
        assert_ne!(one, other);
        assert_eq!((one.len(), other.len()), (16, 16));
    }
}
