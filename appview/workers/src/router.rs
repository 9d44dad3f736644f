//! What this Worker answers to the network.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use huddle_core::ActorName;
use serde_json::json;
use worker::{Env, Headers, RequestInit};

use crate::{fault, transport};

pub(crate) fn router(env: Env) -> Router {
    let router = Router::new().route("/healthz", get(healthz));
    let router = if fault::testing(&env) {
        router
            .route("/test/actor/{*name}", post(ask_actor))
            .route("/test/panic", post(panic))
    } else {
        router
    };
    router.with_state(env)
}

async fn healthz() -> Json<serde_json::Value> {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// Hands a command and a wish for a fault to an actor, and its answer back as it is.
#[worker::send]
async fn ask_actor(
    State(env): State<Env>,
    Path(name): Path<String>,
    headers: HeaderMap,
    command: String,
) -> Response {
    let name: ActorName = match name.parse() {
        Ok(name) => name,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}")).into_response(),
    };
    let answer = pass_on(&env, &name, &headers, command).await;
    answer.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, error.to_string()).into_response())
}

async fn pass_on(
    env: &Env,
    name: &ActorName,
    headers: &HeaderMap,
    command: String,
) -> worker::Result<Response> {
    let passed = Headers::new();
    if let Some(fault) = headers
        .get(fault::HEADER)
        .and_then(|value| value.to_str().ok())
    {
        passed.set(fault::HEADER, fault)?;
    }
    let mut init = RequestInit::new();
    init.with_headers(passed).with_body(Some(command.into()));
    let mut answer = transport::fetch(env, name, init).await?;
    let status = StatusCode::from_u16(answer.status_code())?;
    Ok((status, answer.text().await?).into_response())
}

async fn panic() -> StatusCode {
    panic!("a test asked for this")
}
