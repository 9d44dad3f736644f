//! What this Worker answers to the network.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::Request;
use axum::response::IntoResponse as _;
use huddle_appview_router::{ActorAllowances, AppView, ClientAddress};
use huddle_workers_platform::{Misconfigured, WorkersClock, log};
use huddle_xrpc::Generic;
use huddle_xrpc::server::Fault;
use worker::Env;

use crate::build::Build;
use crate::operations::operations;
use crate::parts::Parts;
use crate::{dead_letters, keys, pages};

/// Where the platform says who connects; what a client sends by that name does not get here.
const CLIENT_ADDRESS: &str = "cf-connecting-ip";

pub(crate) fn router(env: &Env) -> Router {
    let router = match served(env) {
        Ok(served) => served,
        Err(problem) => {
            log::failed("nothing is served", &problem);
            Router::new().fallback(async || Generic::InternalServerError.into_response())
        }
    };
    router.merge((Build::running().routes)(env))
}

/// Tells the router where a request comes from.
pub(crate) fn note_client<B>(request: &mut Request<B>) {
    let address = request.headers().get(CLIENT_ADDRESS);
    let address = address.and_then(|value| value.to_str().ok()?.parse::<IpAddr>().ok());
    if let Some(address) = address {
        request.extensions_mut().insert(ClientAddress(address));
    }
}

fn served(env: &Env) -> Result<Router, Misconfigured> {
    let parts = Parts::read(env)?;
    let others = [
        pages::routes(&parts),
        keys::routes(&parts, env),
        dead_letters::routes::routes(&parts, env),
    ];
    let router = appview(parts).router();
    Ok(others.into_iter().fold(router, Router::merge))
}

fn appview(parts: Parts) -> AppView {
    let directory = Arc::new(parts.indexer());
    let pages = pages::personal(&parts);
    let Parts {
        config,
        network,
        backend,
        post,
        ..
    } = parts;
    AppView {
        allowances: Arc::new(ActorAllowances::new(backend.actors.clone())),
        backend,
        directory,
        keys: Arc::new(network.identity),
        operations: operations(&config),
        ids: config.ids,
        service: config.service,
        on_fault: report,
        pages,
        addresses: post.map(|post| post.addresses),
        pause: Arc::new(WorkersClock),
    }
}

fn report(fault: &Fault) {
    let error = fault.to_string().into();
    log::error(
        "a method failed",
        [("nsid", fault.nsid.into()), ("error", error)],
    );
}
