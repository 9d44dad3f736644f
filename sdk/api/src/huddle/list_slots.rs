//! `com.huddle.listSlots`

use huddle_core::booking::Constraints;
use huddle_core::matching::{ListedSlot, ListingFailed, SlotQuery};
use huddle_lexicon::com::huddle::defs::SlotView;
use huddle_lexicon::com::huddle::list_slots::{Error, ListSlots as Method, Output, Params};
use huddle_ports::Timestamp;
use huddle_syntax::{Datetime, SyntaxError};
use huddle_xrpc::server::{Failure, OrFault as _, Reply, Request};

use super::{Huddle, constraints, view};
use crate::com::huddle::list_slots::ListSlots;

impl ListSlots for Huddle {
    async fn list_slots(&self, request: Request<Method>) -> Reply<Method> {
        let guest = request.caller()?.did.clone();
        let flows = self.flows(&request);
        let params = request.params;
        if params.host_did == guest {
            return Err(Error::SelfBooking.into());
        }
        if self.is_served_elsewhere(&params.host_did).await? {
            return Err(Error::ServedElsewhere.into());
        }
        let query = SlotQuery {
            constraints: wishes(&params)?,
            // The lexicon's bounds are well within a usize.
            limit: usize::try_from(params.limit_or_default()).unwrap_or(usize::MAX),
            host: params.host_did,
            guest,
            offer: params.offer_uri,
        };
        let listing = match flows.list(&*self.slots, &query).await {
            Ok(listing) => listing,
            Err(ListingFailed::CalendarUnavailable) => {
                return Err(Error::CalendarUnavailable.into());
            }
            Err(failed @ ListingFailed::Unanswered(_)) => return Err(Failure::fault(failed)),
        };
        if listing.slots.is_empty() {
            return Err(Error::NoSlot.into());
        }
        let slots = listing.slots.into_iter().map(slot);
        let slots = slots.collect::<Result<_, _>>().or_fault()?;
        Ok(Output::new(slots, view::guest_side(listing.guest_side)).into())
    }
}

fn wishes(params: &Params) -> Result<Constraints, Failure<Error>> {
    let moment = |datetime: &Datetime| Timestamp::from_millis(datetime.timestamp_millis());
    let duration = params.duration.and_then(|it| u32::try_from(it).ok());
    let wishes = Constraints {
        duration_min: duration,
        duration_max: duration,
        earliest: params.earliest.as_ref().map(moment),
        latest: params.latest.as_ref().map(moment),
        tz: params.tz.clone(),
        ..Constraints::default()
    };
    let wishes = constraints::checked(wishes);
    wishes.map_err(|problem| Failure::refused(Error::InvalidConstraints, problem.0))
}

fn slot(slot: ListedSlot) -> Result<SlotView, SyntaxError> {
    Ok(SlotView::new(
        view::datetime(slot.interval.start())?,
        view::datetime(slot.interval.end())?,
        slot.token,
        view::datetime(slot.expires)?,
        slot.offer,
    ))
}
