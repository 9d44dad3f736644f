//! Huddle's answers to the `com.huddle` methods: the same for every runtime.
//!
//! A handler reads the request, lets a flow of `huddle_core` do the work, and says what came of it in
//! the words of the lexicon; each method has a module of its own. What a booking looks like to its
//! parties is in `view`.

mod approve_booking;
mod cancel_booking;
mod confirm_email;
mod constraints;
mod create_offer;
mod decline_booking;
mod delete_connector;
mod delete_offer;
mod delete_webhook;
mod export_data;
mod finalize;
mod get_booking;
mod get_booking_ics;
mod get_connect_url;
mod get_preferences;
mod get_settings_url;
mod idempotency;
mod invitation;
mod list;
mod list_bookings;
mod list_connectors;
mod list_offers;
mod list_slots;
mod r#match;
mod offer_records;
mod pages;
mod put_preferences;
mod put_webhook;
mod request_email_confirmation;
mod reschedule_booking;
mod search_hosts;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use huddle_core::ActorTransport;
use huddle_core::booking::{Booking, BookingIds, NotFound};
use huddle_core::directory::Directory;
use huddle_core::flows::Flows;
use huddle_core::index::{Index, people, services};
use huddle_core::mail::Addresses;
use huddle_core::matching::Slots;
use huddle_core::offer_records::OfferRecords;
use huddle_core::webhooks::Webhooks;
use huddle_ports::{Clock, Metrics, Timestamp};
use huddle_syntax::Did;
use huddle_syntax::schema::{Call, ErrorName};
use huddle_xrpc::Generic;
use huddle_xrpc::server::{Failure, OrFault as _, Request, Router};

pub use pages::Pages;

use crate::com::huddle::{
    approve_booking as approve, cancel_booking as cancel, confirm_email as confirm_address,
    create_offer as offer, decline_booking as decline, delete_connector as disconnect,
    delete_offer as withdraw, delete_webhook as unhook, export_data as export, finalize as confirm,
    get_booking as get, get_booking_ics as ics, get_connect_url as connect,
    get_preferences as preferences, get_settings_url as settings, list_bookings as bookings,
    list_connectors as connectors, list_offers as offers, list_slots as slots, r#match as matching,
    put_preferences as prefer, put_webhook as hook, request_email_confirmation as set_address,
    reschedule_booking as reschedule, search_hosts as hosts,
};

/// What people are called, of those that are known.
type Called = BTreeMap<Did, people::Names>;

/// What answers the `com.huddle` methods.
#[derive(Clone)]
pub struct Huddle {
    /// What people ask for.
    pub flows: Flows,
    /// The actors.
    pub actors: Arc<dyn ActorTransport>,
    /// What lists read.
    pub index: Arc<dyn Index>,
    /// Lists slots to choose from.
    pub slots: Arc<dyn Slots>,
    /// Who accounts are.
    pub directory: Arc<dyn Directory>,
    /// Writes offers for those who have signed in.
    pub offers: Arc<dyn OfferRecords>,
    /// What bookings are named with: the same for the whole installation, for ever.
    pub ids: BookingIds,
    /// The AppView that this is, as `com.huddle.service` records name it.
    pub service: Did,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Takes measurements.
    pub metrics: Arc<dyn Metrics>,
    /// Where calendars are connected and settings made; nobody can connect one without them.
    pub pages: Option<Pages>,
    /// Where people read mail; nobody can enter an address without it.
    pub addresses: Option<Addresses>,
    /// Where people have their news posted; nobody can without it.
    pub webhooks: Option<Webhooks>,
}

/// When a request arrived, as an extension of it. Whoever puts it there does so before anything takes time, such as
/// finding out who is calling: a PDS that passes a call on does not wait longer for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived(pub Timestamp);

impl std::fmt::Debug for Huddle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut huddle = f.debug_struct("Huddle");
        huddle
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl Huddle {
    /// The router of all methods that are answered; `authenticate` it before it serves anybody.
    pub fn router(self) -> Router<Self> {
        let router = Router::new(Arc::new(self));
        let router = matching::route(router);
        let router = confirm::route(router);
        let router = get::route(router);
        let router = ics::route(router);
        let router = bookings::route(router);
        let router = approve::route(router);
        let router = decline::route(router);
        let router = cancel::route(router);
        let router = reschedule::route(router);
        let router = offers::route(router);
        let router = slots::route(router);
        let router = hosts::route(router);
        let router = offer::route(router);
        let router = withdraw::route(router);
        let router = preferences::route(router);
        let router = prefer::route(router);
        let router = connectors::route(router);
        let router = connect::route(router);
        let router = settings::route(router);
        let router = disconnect::route(router);
        let router = set_address::route(router);
        let router = confirm_address::route(router);
        let router = hook::route(router);
        let router = unhook::route(router);
        export::route(router)
    }

    /// Where people read mail, if any is sent.
    fn addresses<E: ErrorName>(&self) -> Result<&Addresses, Failure<E>> {
        self.addresses.as_ref().ok_or_else(|| {
            let sends_none = Generic::MethodNotImplemented.because("This service sends no mail");
            sends_none.into()
        })
    }

    /// Where people have their news posted, if any is.
    fn webhooks<E: ErrorName>(&self) -> Result<&Webhooks, Failure<E>> {
        self.webhooks.as_ref().ok_or_else(|| {
            let posts_none = Generic::MethodNotImplemented.because("This service posts no news");
            posts_none.into()
        })
    }

    /// Whether somebody has named another AppView to schedule for them.
    async fn is_served_elsewhere<E: ErrorName>(&self, person: &Did) -> Result<bool, Failure<E>> {
        let mut appview = services::of(&*self.index, person).await.or_fault()?;
        if appview.is_none() {
            // They may be new here. Whoever cannot be found has no time for anybody, which the search will say.
            let _ = self.directory.find(&person.clone().into()).await;
            appview = services::of(&*self.index, person).await.or_fault()?;
        }
        Ok(appview.is_some_and(|appview| appview != self.service))
    }

    /// A booking to which somebody is a party; to all others there is none.
    async fn of_party<E: ErrorName>(
        &self,
        id: &str,
        person: &Did,
        missing: E,
    ) -> Result<Booking, Failure<E>> {
        let id = id.parse().map_err(|_| missing)?;
        let booking = self
            .flows
            .read(&id, Some(person.clone()))
            .await
            .or_fault()?;
        Ok(booking.map_err(|NotFound| missing)?)
    }

    /// What the parties of some bookings are called, as far as that is known.
    async fn called<E: ErrorName>(&self, bookings: &[Booking]) -> Result<Called, Failure<E>> {
        let parties = bookings.iter().map(|booking| &booking.asked);
        let parties: Vec<_> = parties.flat_map(|it| [&it.host, &it.guest]).collect();
        people::names(&*self.index, &parties).await.or_fault()
    }

    /// The flows for a request, whose caller waits since it has arrived.
    fn flows<M: Call>(&self, request: &Request<M>) -> Flows {
        match request.extensions.get() {
            Some(Arrived(at)) => self.flows.since(*at),
            None => self.flows.clone(),
        }
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
