//! The AppView on Cloudflare Workers: the platform's events, brought to the core.
//!
//! Every actor is a Durable Object whose class says its kind and whose name is the actor's. The
//! objects are shells: `actor_object` runs the core's functions inside a storage transaction, sets the
//! one alarm of the object for whatever the actor wants next, and on the alarm carries the outbox away.
//! What nobody waits for goes through a queue, to `jobs`.

mod actor_object;
mod availability;
mod clock;
mod fault;
mod index;
mod jobs;
mod limits;
mod objects;
mod router;
mod storage;
mod transport;

use axum::body::Body;
use axum::http::Response;
use tower_service::Service as _;
use worker::{Context, Env, HttpRequest, MessageBatch, event};

/// Answers what comes in from the network.
#[event(fetch)]
async fn fetch(request: HttpRequest, env: Env, _: Context) -> worker::Result<Response<Body>> {
    let answer = router::router(env).call(request).await;
    Ok(answer.unwrap_or_else(|never| match never {}))
}

/// Does what actors have left to be done outside of them.
///
/// An error here would end the whole instance, and every other request in it: `jobs` answers for
/// each message by itself.
#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, _: Context) -> worker::Result<()> {
    jobs::work_off(&batch, env).await;
    Ok(())
}
