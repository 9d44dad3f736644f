//! The AppView on Cloudflare Workers: the platform's events, brought to the core.
//!
//! Requests go to the one router of `huddle_appview_router`, which `router` gives this platform's adapters:
//! `fetch` and `dns` ask others, under the policy of `huddle_ports`, and `cache` keeps who they are.
//!
//! Every actor is a Durable Object whose class says its kind and whose name is the actor's. The
//! objects are shells: `actor_object` runs the core's functions inside a storage transaction, sets the
//! one alarm of the object for whatever the actor wants next, and on the alarm carries the outbox away.
//! What nobody waits for goes through a queue, to `jobs`. Should the platform forget an alarm, the `register` knows whose,
//! and the `sweep` makes up for it.
//!
//! The build for tests is another package over this one, which puts into the places of `build` what stands in for the
//! world.

mod actor_object;
mod availability;
mod backend;
pub mod build;
mod cache;
pub mod clock;
pub mod config;
mod dns;
mod fetch;
pub mod index;
mod jobs;
mod objects;
mod register;
mod router;
pub mod storage;
mod sweep;
pub mod transport;

use axum::body::Body;
use axum::http::Response;
use tower_service::Service as _;
use worker::{
    Context, Env, HttpRequest, MessageBatch, ScheduleContext, ScheduledEvent, console_error, event,
};

/// Answers what comes in from the network.
#[event(fetch)]
async fn fetch(mut request: HttpRequest, env: Env, _: Context) -> worker::Result<Response<Body>> {
    router::note_client(&mut request);
    let answer = router::router(&env).call(request).await;
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

/// Does what is to be done now and again.
#[event(scheduled)]
async fn scheduled(_: ScheduledEvent, env: Env, _: ScheduleContext) {
    if let Err(problem) = sweep::sweep(&env).await {
        console_error!("the sweep came to nothing: {problem}");
    }
}
