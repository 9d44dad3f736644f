//! The AppView on Cloudflare Workers: the platform's events, brought to the core.
//!
//! Requests go to the one router of `huddle_appview_router`, over the `parts` that this platform's adapters make.
//!
//! Every actor is a Durable Object whose class says its kind and whose name is the actor's. The
//! objects are shells: `actor_object` runs the core's functions inside a storage transaction, sets the
//! one alarm of the object for whatever the actor wants next, and on the alarm carries the outbox away.
//! What nobody waits for goes through a queue, to `jobs`; what is given up there is kept as `dead_letters`. Should the
//! platform forget an alarm, the `register` knows whose, and the `sweep` makes up for it. It knows, too, who keeps
//! something sealed, so that `keys` can be changed. One more object, in `requests`, makes bookings of requests that are
//! records, when the script that follows the firehose says that one has come.
//!
//! The build for tests is another package over this one, which puts into the places of `build` what stands in for the
//! world.

mod actor_object;
mod backlog;
pub mod build;
mod config;
mod dead_letters;
mod deadline;
mod jobs;
mod keys;
mod objects;
mod operations;
mod operator;
mod pages;
mod parts;
mod register;
mod requests;
mod router;
mod sweep;
pub mod transport;

use axum::body::Body;
use axum::http::Response;
use huddle_ports::Clock as _;
use huddle_workers_platform::{WorkersClock, log};
use tower_service::Service as _;
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::worker_sys::{self, MessageBatch};
use worker::{Context, Env, HttpRequest, ScheduleContext, ScheduledEvent, event};

use dead_letters::DeadLetters;
use parts::Parts;

/// Answers what comes in from the network.
#[event(fetch)]
async fn fetch(mut request: HttpRequest, env: Env, _: Context) -> worker::Result<Response<Body>> {
    router::note_client(&mut request);
    backlog::measure_for(&request, &env).await;
    let answer = router::router(&env).call(request).await;
    Ok(answer.unwrap_or_else(|never| match never {}))
}

/// Does what actors have left to be done outside of them; `jobs` answers for each message by itself.
///
/// Written out: what `#[event(queue)]` hands over does not say how often a message was brought.
#[wasm_bindgen(
    wasm_bindgen = ::worker::wasm_bindgen,
    wasm_bindgen_futures = ::worker::wasm_bindgen_futures,
    js_sys = ::worker::js_sys
)]
pub async fn queue(batch: MessageBatch, env: Env, _context: worker_sys::Context) {
    jobs::work_off(&batch, &env).await;
}

/// Wakes whom the platform has forgotten to wake.
const SWEEP: &str = "*/10 * * * *";
/// Forgets what has been kept for long enough.
const FORGET: &str = "0 0 * * *";

/// Does what is to be done at the times that `wrangler.toml` lists.
#[event(scheduled)]
async fn scheduled(event: ScheduledEvent, env: Env, _: ScheduleContext) {
    let cron = event.cron();
    let done = match cron.as_str() {
        SWEEP => sweep::sweep(&env).await.map_err(|it| it.to_string()),
        FORGET => forget(&env).await,
        _ => Err("nothing is to be done then".to_owned()),
    };
    if let Err(problem) = done {
        let fields = [("cron", cron.into()), ("error", problem.into())];
        log::error("what is scheduled is not done", fields);
    }
}

async fn forget(env: &Env) -> Result<(), String> {
    let parts = Parts::read(env).map_err(|error| error.to_string())?;
    let forgotten = parts.indexer().forget().await;
    forgotten.map_err(|error| error.to_string())?;
    let forgotten = DeadLetters::new(env).forget(WorkersClock.now()).await;
    forgotten.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_environment_has_the_schedules_that_are_known_here() {
        let config = include_str!("../wrangler.toml");
        let mut crons: Vec<_> = config
            .lines()
            .filter_map(|line| Some(line.split_once("crons = ")?.1))
            .collect();
        crons.dedup();
        assert_eq!(crons, [format!("{:?}", [SWEEP, FORGET])]);
    }
}
