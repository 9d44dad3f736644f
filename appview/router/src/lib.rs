//! What the AppView answers to the network, put together once for every runtime.
//!
//! A runtime brings its adapters: a [`Backend`] of actors, index and calendars, and what an [`AppView`] needs
//! beside it to know who is calling and how much they may ask. [`AppView::router`] is all that is served, and
//! [`Backend::tasks`] does what actors leave to be done.

mod admission;
mod allowances;
mod client_address;
mod did_document;
mod health;
mod identities;
mod measured;
mod operations;
mod pages;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware;
use huddle_api::Huddle;
pub use huddle_api::Pages;
use huddle_core::availability::Availability;
use huddle_core::booking::BookingIds;
use huddle_core::directory::Directory;
use huddle_core::flows::Flows;
use huddle_core::index::Index;
use huddle_core::mail::Addresses;
use huddle_core::matching::Slots;
use huddle_core::offer_records::NobodySignsIn;
use huddle_core::pause::Pause;
use huddle_core::tasks::Tasks;
use huddle_core::{ActorTransport, Limits};
use huddle_identity::{ServiceAuthConfig, ServiceRef, SigningKeys};
use huddle_lexicon::com::huddle::list_offers::ListOffers;
use huddle_lexicon::com::huddle::search_hosts::SearchHosts;
use huddle_ports::Clock;
use huddle_xrpc::server::Fault;

use admission::Admission;
pub use allowances::{ActorAllowances, Allowances, MemoryAllowances, SpendError};
pub use client_address::ClientAddress;
pub use did_document::serves_did_document;
pub use health::LastHealth;
pub use identities::Identities;
pub use measured::{MeasuredHolds, MeasuredMail, MeasuredStarts};
pub use operations::{
    MetricsRegistry, Operations, OperatorPages, OperatorToken, RequestId, Served, WeakToken,
};
use operations::{Observer, observe};

/// For how many seconds anybody may keep what is everybody's to read.
const PUBLIC_SECS: u32 = 30;

/// What bookings are made with.
#[derive(Clone)]
pub struct Backend {
    /// The actors.
    pub actors: Arc<dyn ActorTransport>,
    /// What lists read.
    pub index: Arc<dyn Index>,
    /// Offers and calendars.
    pub availability: Arc<dyn Availability>,
    /// Slots to choose from.
    pub slots: Arc<dyn Slots>,
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
    /// Who accounts are.
    pub directory: Arc<dyn Directory>,
    /// How much callers may ask, and which tokens they have used.
    pub allowances: Arc<dyn Allowances>,
    /// What bookings are named with.
    pub ids: BookingIds,
    /// What tokens have to be made out to.
    pub service: ServiceRef,
    /// Hears of each fault once.
    pub on_fault: fn(&Fault),
    /// What whoever runs it says and hears.
    pub operations: Operations,
    /// Where calendars are connected and settings made, on pages that the runtime serves beside this; nobody can connect one
    /// without them.
    pub pages: Option<Pages>,
    /// Where people read mail; nobody can enter an address without it.
    pub addresses: Option<Addresses>,
    /// Waits until an answer may go out that is not to tell by its time how it came about.
    pub pause: Arc<dyn Pause>,
}

impl AppView {
    /// The routes. A runtime says where a request comes from with [`ClientAddress`], and may name it with [`RequestId`].
    pub fn router(self) -> axum::Router {
        let pages = pages::routes(&self);
        let Backend {
            actors,
            index,
            clock,
            limits,
            ..
        } = self.backend.clone();
        let tokens = ServiceAuthConfig::new(&self.service)
            .with_max_lifetime(secs(limits.token_lifetime_secs))
            .with_clock_skew(secs(limits.clock_skew_secs));
        let body_bytes = usize::try_from(limits.body_bytes).unwrap_or(usize::MAX);
        let observer = Observer {
            clock: clock.clone(),
            metrics: self.operations.metrics.clone(),
            on_served: self.operations.on_served,
        };
        let admission = Admission {
            keys: self.keys,
            allowances: self.allowances,
            clock: clock.clone(),
            limits,
            tokens,
            metrics: self.operations.metrics.clone(),
        };
        let huddle = Huddle {
            flows: self.backend.flows().in_step(self.pause),
            actors,
            index,
            slots: self.backend.slots,
            directory: self.directory,
            offers: Arc::new(NobodySignsIn),
            ids: self.ids,
            service: self.service.did().clone(),
            clock,
            metrics: self.operations.metrics.clone(),
            webhooks: self.pages.as_ref().map(Pages::webhooks),
            pages: self.pages,
            addresses: self.addresses,
        };
        let xrpc = huddle
            .router()
            .public::<ListOffers>(PUBLIC_SECS)
            .public::<SearchHosts>(PUBLIC_SECS)
            .authenticate(admission)
            .body_limit(body_bytes)
            .on_fault(self.on_fault)
            .into_axum()
            .layer(middleware::from_fn_with_state(observer, observe));
        xrpc.merge(pages)
    }
}

/// A limit in seconds, as a duration.
fn secs(limit: u32) -> Duration {
    Duration::from_secs(limit.into())
}

impl fmt::Debug for AppView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut appview = f.debug_struct("AppView");
        appview
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}
