//! Huddle's answers to the `com.huddle` methods: the same for every runtime.
//!
//! A handler reads the request, lets a flow of `huddle_core` do the work, and says what came of it in
//! the words of the lexicon; each method has a module of its own. What a booking looks like to its
//! parties is in `view`.

mod approve_booking;
mod cancel_booking;
mod constraints;
mod decline_booking;
mod finalize;
mod get_booking;
mod idempotency;
mod r#match;
mod reschedule_booking;
mod view;

use std::sync::Arc;

use huddle_core::booking::BookingIds;
use huddle_core::flows::Flows;
use huddle_ports::{Clock, Timestamp};
use huddle_xrpc::server::Router;

use crate::com::huddle::{
    approve_booking as approve, cancel_booking as cancel, decline_booking as decline,
    finalize as confirm, get_booking as get, r#match as matching, reschedule_booking as reschedule,
};

/// What answers the `com.huddle` methods.
#[derive(Clone)]
pub struct Huddle {
    flows: Flows,
    ids: BookingIds,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Huddle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Huddle").finish_non_exhaustive()
    }
}

impl Huddle {
    /// Answers by these flows. `ids` are the same for the whole installation, for ever.
    pub fn new(flows: Flows, ids: BookingIds, clock: Arc<dyn Clock>) -> Self {
        Self { flows, ids, clock }
    }

    /// The router of all methods that are answered; `authenticate` it before it serves anybody.
    pub fn router(self) -> Router<Self> {
        let router = Router::new(Arc::new(self));
        let router = matching::route(router);
        let router = confirm::route(router);
        let router = get::route(router);
        let router = approve::route(router);
        let router = decline::route(router);
        let router = cancel::route(router);
        reschedule::route(router)
    }

    /// After how many seconds, at least one, a caller may come again.
    fn seconds_until(&self, moment: Timestamp) -> u64 {
        let wait = moment.since(self.clock.now());
        wait.as_millis()
            .div_ceil(1000)
            .max(1)
            .try_into()
            .unwrap_or(u64::MAX)
    }
}
