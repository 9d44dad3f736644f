//! The handlers: enough of Huddle to show every way in which a call can end.
//!
//! | method | refuses |
//! |---|---|
//! | `listOffers` | a host without offers: `HostNotFound` |
//! | `createOffer` | nobody signed in, no idempotency key, a record that is not a valid offer |
//! | `match` | the same, a meeting with oneself, a host without offers: `NoSlot` |
//!
//! All other methods are not implemented here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use huddle_api::com::huddle::{create_offer, list_offers, r#match};
use huddle_lexicon::com::huddle::create_offer as create_offer_lexicon;
use huddle_lexicon::com::huddle::defs::{
    BookingStatus, BookingView, GuestSide, Mode, OfferView, Policy,
};
use huddle_lexicon::com::huddle::list_offers as list_offers_lexicon;
use huddle_lexicon::com::huddle::r#match as match_lexicon;
use huddle_lexicon::com::huddle::slot_offer::SlotOffer;
use huddle_lexicon::schema::{Data as _, Record as _};
use huddle_ports::{Clock, Timestamp};
use huddle_syntax::{AtIdentifier, AtUri, Cid, CidLink, Datetime, Did, RecordKey, Tid, Value};
use huddle_xrpc::server::{BoxError, Failure, OrFault as _, Refusal, Reply, Request, Router};

/// A host with one offer from the start.
const HOST: &str = "did:plc:aaaabbbbccccddddeeeeffff";
const HOST_HANDLE: &str = "host.test";

/// Every offer that there is.
pub(crate) struct Offers {
    clock: Arc<dyn Clock>,
    offers: Mutex<Vec<OfferView>>,
}

/// Adds the methods that are answered.
pub(crate) fn routes(router: Router<Offers>) -> Router<Offers> {
    let router = list_offers::route(router);
    let router = create_offer::route(router);
    r#match::route(router)
}

impl Offers {
    /// The one offer of the host.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let offers = Self {
            clock,
            offers: Mutex::default(),
        };
        let mut offer = SlotOffer::new(
            offers
                .after(Duration::from_hours(24))
                .expect("a time in our days"),
            offers
                .after(Duration::from_hours(26))
                .expect("a time in our days"),
            Policy::Anyone,
            offers.after(Duration::ZERO).expect("a time in our days"),
        );
        offer.durations = Some(vec![30, 60]);
        offer.note = Some("Portfolio reviews — Größe egal, 日本語も".to_owned());
        let host = HOST.parse().expect("a DID");
        offers.add(&host, &offer).expect("the offer is valid");
        offers
    }

    fn after(&self, duration: Duration) -> Result<Datetime, BoxError> {
        let moment: Timestamp = self.clock.now() + duration;
        Ok(Datetime::from_timestamp_millis(moment.as_millis())?)
    }

    fn add(&self, host: &Did, offer: &SlotOffer) -> Result<OfferView, BoxError> {
        let mut offers = self.offers.lock().unwrap_or_else(PoisonError::into_inner);
        let Value::Map(record) = offer.to_value()? else {
            return Err("a record is a map".into());
        };
        let clock_id = u16::try_from(offers.len() % 1024)?;
        let tid = Tid::from_parts(self.clock.now().as_millis() * 1000, clock_id)?;
        let rkey: RecordKey = tid.as_str().parse()?;
        let view = OfferView::new(
            AtUri::for_record(host, &SlotOffer::NSID.parse()?, &rkey),
            Cid::from(&CidLink::of_cbor(&offer.to_cbor()?)),
            host.clone(),
            record,
            self.after(Duration::ZERO)?,
        );
        offers.push(view.clone());
        Ok(view)
    }

    /// The offers of a host, the newest first.
    fn of(&self, host: &str) -> Vec<OfferView> {
        let offers = self.offers.lock().unwrap_or_else(PoisonError::into_inner);
        offers
            .iter()
            .rev()
            .filter(|offer| offer.host_did.as_str() == host)
            .cloned()
            .collect()
    }
}

impl list_offers::ListOffers for Offers {
    async fn list_offers(
        &self,
        request: Request<list_offers_lexicon::ListOffers>,
    ) -> Reply<list_offers_lexicon::ListOffers> {
        let host = match &request.params.host {
            AtIdentifier::Did(did) => did.as_str(),
            AtIdentifier::Handle(handle) if handle.as_str() == HOST_HANDLE => HOST,
            AtIdentifier::Handle(_) => "",
        };
        let mut offers = self.of(host);
        if offers.is_empty() {
            let message = "The handle or DID does not resolve to an account";
            return Err(Failure::refused(
                list_offers_lexicon::Error::HostNotFound,
                message,
            ));
        }
        offers.truncate(usize::try_from(request.params.limit_or_default()).or_fault()?);
        Ok(list_offers_lexicon::Output::new(offers).into())
    }
}

impl create_offer::CreateOffer for Offers {
    async fn create_offer(
        &self,
        request: Request<create_offer_lexicon::CreateOffer>,
    ) -> Reply<create_offer_lexicon::CreateOffer> {
        use create_offer_lexicon::{Error, Output};

        let caller = request.caller()?;
        if !has_key(request.input.idempotency_key.as_ref(), &request.headers) {
            return Err(Error::IdempotencyKeyRequired.into());
        }
        let invalid = |problem| Failure::refused(Error::InvalidOffer, problem);
        let offer = SlotOffer::from_value(&Value::Map(request.input.record.clone()))
            .map_err(|problem| invalid(problem.to_string()))?;
        if offer.end.cmp_instant(&offer.start).is_le() {
            return Err(invalid("end: must be after start".to_owned()));
        }
        let view = self.add(&caller.did, &offer).or_fault()?;
        Ok(Output::new(view.uri, view.cid).into())
    }
}

impl r#match::Match for Offers {
    async fn r#match(&self, request: Request<match_lexicon::Match>) -> Reply<match_lexicon::Match> {
        use match_lexicon::{Error, Output};

        let guest = &request.caller()?.did;
        let input = &request.input;
        if !has_key(input.idempotency_key.as_ref(), &request.headers) {
            return Err(Error::IdempotencyKeyRequired.into());
        }
        if *guest == input.host_did {
            return Err(Failure::refused(Error::SelfBooking, "You are the host"));
        }
        let Some(offer) = self.of(input.host_did.as_str()).into_iter().next() else {
            let message = "No time suits both sides";
            return Err(Refusal::new(Error::NoSlot, message).into());
        };
        let mut output = Output::new(GuestSide::Unchecked);
        if !input.dry_run_or_default() {
            output.booking = Some(self.held(&input.host_did, guest, offer).or_fault()?);
        }
        Ok(output.into())
    }
}

impl Offers {
    /// A booking of the first half hour of an offer.
    fn held(&self, host: &Did, guest: &Did, offer: OfferView) -> Result<BookingView, BoxError> {
        let now = self.after(Duration::ZERO)?;
        let start = SlotOffer::from_value(&Value::Map(offer.record))?.start;
        let end = start.instant() + Duration::from_mins(30);
        let mut booking = BookingView::new(
            "3hq7n2k5x4d6m8p0r1t9",
            BookingStatus::Held,
            Mode::Auto,
            host.clone(),
            guest.clone(),
            GuestSide::Unchecked,
            0,
            now.clone(),
            now,
        );
        booking.start = Some(start);
        booking.end = Some(Datetime::from_utc(end)?);
        booking.hold_expires_at = Some(self.after(Duration::from_mins(15))?);
        booking.offer_uri = Some(offer.uri);
        Ok(booking)
    }
}

/// Whether a request names itself, in its body or its header.
fn has_key(in_body: Option<&String>, headers: &http::HeaderMap) -> bool {
    in_body.is_some() || headers.contains_key("idempotency-key")
}
