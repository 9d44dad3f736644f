//! Puts the parts of the AppView together.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::routing::get;
use huddle_api::Huddle;
use huddle_core::Limits;
use huddle_core::availability::Availability;
use huddle_core::booking::BookingIds;
use huddle_core::flows::Flows;
use huddle_core::index::Index;
use huddle_core::outbox::Task;
use huddle_core::tasks::Tasks;
use huddle_identity::{
    MemoryReplayStore, ServiceAuthConfig, ServiceAuthVerifier, ServiceRef, SigningKeys,
};
use huddle_native::{ActorStore, OsRandom, Pump, TaskFailed, TaskRunner, Trouble};
use huddle_ports::Clock;
use serde_json::json;
use tracing::{error, warn};

/// What an AppView is made of.
#[derive(Clone)]
pub struct Parts {
    /// The actors.
    pub actors: Arc<ActorStore>,
    /// What lists read.
    pub index: Arc<dyn Index>,
    /// Offers and calendars.
    pub availability: Arc<dyn Availability>,
    /// Whose signature a caller's token must have.
    pub keys: Arc<dyn SigningKeys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What bookings are named with.
    pub ids: BookingIds,
    /// The limits of the installation.
    pub limits: Limits,
    /// What tokens have to be made out to.
    pub service: ServiceRef,
}

/// An AppView, to be run.
pub struct App {
    /// What answers requests.
    pub router: axum::Router,
    /// What works off the outbox; run it beside the router.
    pub pump: Pump,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = f.debug_struct("Parts");
        parts
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

impl Parts {
    /// Puts them together.
    pub fn assemble(self) -> App {
        let flows = Flows::new(
            self.actors.clone(),
            self.availability,
            self.clock.clone(),
            Arc::new(self.limits),
        );
        let tasks = Tasks::new(self.actors.clone(), flows.clone(), self.index);
        let verifier = ServiceAuthVerifier::new(
            self.keys,
            Arc::new(MemoryReplayStore::default()),
            self.clock.clone(),
            ServiceAuthConfig::new(&self.service),
        );
        let xrpc = Huddle::new(flows, self.ids, self.clock)
            .router()
            .authenticate(verifier)
            .on_fault(|fault| error!(method = fault.nsid, %fault, "a method failed"))
            .into_axum();
        App {
            router: xrpc.route("/healthz", get(healthz)),
            pump: Pump::new(self.actors, Arc::new(Runner(tasks)), Arc::new(OsRandom)),
        }
    }
}

async fn healthz() -> Json<serde_json::Value> {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

struct Runner(Tasks);

#[async_trait]
impl TaskRunner for Runner {
    async fn run(&self, task: &Task) -> Result<(), TaskFailed> {
        let done = self.0.run(task).await;
        done.map_err(|error| TaskFailed(error.to_string()))
    }

    fn report(&self, trouble: &Trouble<'_>) {
        warn!(%trouble, "the outbox");
    }
}
