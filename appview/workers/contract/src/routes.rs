//! Routes by which tests reach what nobody else does.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use huddle_appview_workers::transport;
use huddle_core::{ActorName, UnknownActor};
use worker::{Env, RequestInit};

use crate::faults;

pub(crate) fn routes(env: &Env) -> Router {
    Router::new()
        .route("/test/actor/{*name}", post(ask_actor))
        .route("/test/fault/{*name}", post(want_fault))
        .route("/test/panic", post(panic))
        .with_state(env.clone())
}

/// Hands a command to an actor, and its answer back as it is.
#[worker::send]
async fn ask_actor(
    State(env): State<Env>,
    Path(name): Path<String>,
    command: String,
) -> Result<Response, Refused> {
    let mut init = RequestInit::new();
    init.with_body(Some(command.into()));
    let mut answer = transport::post(&env, &actor(&name)?, init).await?;
    let status = StatusCode::from_u16(answer.status_code()).map_err(worker::Error::from)?;
    Ok((status, answer.text().await?).into_response())
}

async fn want_fault(Path(name): Path<String>, fault: String) -> Result<(), Refused> {
    faults::want(&actor(&name)?, &fault).map_err(worker::Error::from)?;
    Ok(())
}

async fn panic() -> StatusCode {
    panic!("a test asked for this")
}

fn actor(name: &str) -> Result<ActorName, Refused> {
    name.parse()
        .map_err(|error: UnknownActor| Refused(StatusCode::BAD_REQUEST, error.to_string()))
}

struct Refused(StatusCode, String);

impl From<worker::Error> for Refused {
    fn from(error: worker::Error) -> Self {
        Self(StatusCode::BAD_GATEWAY, error.to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}
