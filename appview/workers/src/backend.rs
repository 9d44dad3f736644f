//! What bookings are made with, of the platform's parts.

use std::sync::Arc;

use huddle_appview_router::Backend;
use huddle_core::Limits;
use worker::Env;

use crate::availability::NoCalendars;
use crate::build::Build;
use crate::clock::WorkersClock;
use crate::config::Misconfigured;
use crate::index::D1Index;
use crate::transport::DurableObjectTransport;

pub(crate) fn backend(env: &Env, limits: Limits) -> Result<Backend, Misconfigured> {
    Ok(Backend {
        actors: Arc::new(DurableObjectTransport::new(env.clone())),
        index: Arc::new(D1Index::new(env.clone())),
        availability: (Build::running().availability)(env)?,
        slots: Arc::new(NoCalendars),
        clock: Arc::new(WorkersClock),
        limits: Arc::new(limits),
    })
}
