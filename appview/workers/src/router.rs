//! What this Worker answers to the network.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use huddle_appview_router::{ActorAllowances, AppView, ClientAddress};
use huddle_core::ActorName;
use huddle_identity::{IdentityConfig, IdentityResolver};
use huddle_ports::{FetchPolicy, GuardedFetch};
use huddle_xrpc::Generic;
use worker::{Env, Headers, RequestInit, console_error};

use crate::backend::backend;
use crate::cache::EdgeCache;
use crate::clock::WorkersClock;
use crate::config::{Config, Misconfigured, testing};
use crate::dns::DnsOverHttps;
use crate::fetch::WorkersTransport;
use crate::{fault, transport};

/// Where the platform says who connects; what a client sends by that name does not get here.
const CLIENT_ADDRESS: &str = "cf-connecting-ip";

pub(crate) fn router(env: &Env) -> Router {
    let router = match appview(env) {
        Ok(appview) => appview.router(),
        Err(problem) => {
            console_error!("nothing is served: {problem}");
            Router::new().fallback(async || Generic::InternalServerError.into_response())
        }
    };
    if testing(env) {
        router.merge(for_tests().with_state(env.clone()))
    } else {
        router
    }
}

/// Tells the router where a request comes from.
pub(crate) fn note_client<B>(request: &mut Request<B>) {
    let address = request.headers().get(CLIENT_ADDRESS);
    let address = address.and_then(|value| value.to_str().ok()?.parse::<IpAddr>().ok());
    if let Some(address) = address {
        request.extensions_mut().insert(ClientAddress(address));
    }
}

/// Made for each request: what one of them waits for, another may not on this platform.
fn appview(env: &Env) -> Result<AppView, Misconfigured> {
    let Config {
        limits,
        service,
        plc,
        dns,
        ids,
    } = Config::read(env)?;
    let policy = if testing(env) {
        FetchPolicy::development()
    } else {
        FetchPolicy::public()
    };
    let dns = DnsOverHttps::new(dns);
    let transport = WorkersTransport::new(dns.clone());
    let keys = IdentityResolver::new(
        Arc::new(GuardedFetch::new(transport, policy.clone())),
        Arc::new(dns),
        Arc::new(EdgeCache),
        Arc::new(WorkersClock),
        IdentityConfig {
            plc_directory: plc,
            policy,
            ..IdentityConfig::default()
        },
    );
    let backend = backend(env, limits)?;
    Ok(AppView {
        allowances: Arc::new(ActorAllowances::new(backend.actors.clone())),
        backend,
        keys: Arc::new(keys),
        ids,
        service,
        on_fault: |fault| console_error!("{fault}"),
    })
}

/// Routes by which tests reach what nobody else does.
fn for_tests() -> Router<Env> {
    Router::new()
        .route("/test/actor/{*name}", post(ask_actor))
        .route("/test/panic", post(panic))
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
    let mut answer = transport::post(env, name, init).await?;
    let status = StatusCode::from_u16(answer.status_code())?;
    Ok((status, answer.text().await?).into_response())
}

async fn panic() -> StatusCode {
    panic!("a test asked for this")
}
