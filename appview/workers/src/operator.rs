//! What is for whoever runs this Worker alone.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use huddle_appview_router::OperatorToken;

/// The routes, for nobody but whoever shows the token.
pub(crate) fn only(token: &OperatorToken, routes: Router) -> Router {
    routes.route_layer(middleware::from_fn_with_state(token.clone(), admit))
}

async fn admit(State(token): State<OperatorToken>, request: Request, next: Next) -> Response {
    if token.is_shown(request.headers()) {
        return next.run(request).await;
    }
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, challenge).into_response()
}
