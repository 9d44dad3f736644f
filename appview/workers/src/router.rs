//! What this Worker answers to the network.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::Request;
use axum::response::IntoResponse as _;
use huddle_appview_router::{ActorAllowances, AppView, ClientAddress, Identities, Operations};
use huddle_identity::{IdentityConfig, IdentityResolver};
use huddle_ports::GuardedFetch;
use huddle_xrpc::Generic;
use worker::{Env, console_error};

use crate::backend::backend;
use crate::build::Build;
use crate::cache::EdgeCache;
use crate::clock::WorkersClock;
use crate::config::{Config, Misconfigured};
use crate::dns::DnsOverHttps;
use crate::fetch::WorkersTransport;

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

/// Made for each request: what one of them waits for, another may not on this platform.
fn appview(env: &Env) -> Result<AppView, Misconfigured> {
    let Config {
        limits,
        service,
        plc,
        dns,
        ids,
    } = Config::read(env)?;
    let policy = (Build::running().policy)();
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
        directory: Arc::new(Identities(keys.clone())),
        keys: Arc::new(keys),
        ids,
        service,
        on_fault: |fault| console_error!("{fault}"),
        operations: Operations::default(),
    })
}
