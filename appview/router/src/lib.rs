//! What the AppView answers to the network, put together once for every runtime.
//!
//! A runtime brings its adapters: a [`Backend`] of actors, index and calendars, and what an [`AppView`] needs
//! beside it to know who is calling and how much they may ask. [`AppView::router`] is all that is served, and
//! [`Backend::tasks`] does what actors leave to be done.

mod admission;
mod allowances;
mod client_address;

use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::routing::get;
use huddle_api::Huddle;
use huddle_core::availability::Availability;
use huddle_core::booking::BookingIds;
use huddle_core::flows::Flows;
use huddle_core::index::Index;
use huddle_core::tasks::Tasks;
use huddle_core::{ActorTransport, Limits};
use huddle_identity::{ServiceAuthConfig, ServiceRef, SigningKeys};
use huddle_ports::Clock;
use huddle_xrpc::server::Fault;
use serde_json::json;

use admission::Admission;
pub use allowances::{ActorAllowances, Allowances, MemoryAllowances, SpendError};
pub use client_address::ClientAddress;

/// What bookings are made with.
#[derive(Clone)]
pub struct Backend {
    /// The actors.
    pub actors: Arc<dyn ActorTransport>,
    /// What lists read.
    pub index: Arc<dyn Index>,
    /// Offers and calendars.
    pub availability: Arc<dyn Availability>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The limits of the installation.
    pub limits: Arc<Limits>,
}

impl Backend {
    /// What people ask for, over this.
    pub fn flows(&self) -> Flows {
        Flows::new(
            self.actors.clone(),
            self.availability.clone(),
            self.clock.clone(),
            self.limits.clone(),
        )
    }

    /// What actors leave to be done, over this.
    pub fn tasks(&self) -> Tasks {
        Tasks::new(self.actors.clone(), self.flows(), self.index.clone())
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut backend = f.debug_struct("Backend");
        backend
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Everything that answers a request.
pub struct AppView {
    /// What bookings are made with.
    pub backend: Backend,
    /// Whose signature a caller's token must have.
    pub keys: Arc<dyn SigningKeys>,
    /// How much callers may ask, and which tokens they have used.
    pub allowances: Arc<dyn Allowances>,
    /// What bookings are named with.
    pub ids: BookingIds,
    /// What tokens have to be made out to.
    pub service: ServiceRef,
    /// Hears of each fault once.
    pub on_fault: fn(&Fault),
}

impl AppView {
    /// The routes. A runtime says where a request comes from with [`ClientAddress`].
    pub fn router(self) -> axum::Router {
        let Backend { clock, limits, .. } = self.backend.clone();
        let admission = Admission {
            keys: self.keys,
            allowances: self.allowances,
            clock: clock.clone(),
            limits,
            tokens: ServiceAuthConfig::new(&self.service),
        };
        let xrpc = Huddle::new(self.backend.flows(), self.ids, clock)
            .router()
            .authenticate(admission)
            .on_fault(self.on_fault)
            .into_axum();
        xrpc.route("/healthz", get(healthz))
    }
}

impl fmt::Debug for AppView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut appview = f.debug_struct("AppView");
        appview
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

async fn healthz() -> Json<serde_json::Value> {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}
