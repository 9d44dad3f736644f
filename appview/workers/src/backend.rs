//! What bookings are made with, of the platform's parts.

use std::sync::Arc;

use huddle_appview_router::Backend;
use huddle_core::Limits;
use huddle_core::availability::Availability;
use worker::Env;

use crate::availability::NoCalendars;
use crate::clock::WorkersClock;
use crate::config::{self, Misconfigured};
use crate::index::D1Index;
use crate::transport::DurableObjectTransport;

pub(crate) fn backend(env: &Env, limits: Limits) -> Result<Backend, Misconfigured> {
    let availability: Arc<dyn Availability> = match config::windows(env)? {
        Some(windows) => Arc::new(windows),
        None => Arc::new(NoCalendars),
    };
    Ok(Backend {
        actors: Arc::new(DurableObjectTransport::new(env.clone())),
        index: Arc::new(D1Index::new(env.clone())),
        availability,
        clock: Arc::new(WorkersClock),
        limits: Arc::new(limits),
    })
}
