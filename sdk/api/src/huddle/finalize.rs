//! `com.huddle.finalize`

use huddle_core::booking::{Booking, Expiry, FinalizeRefused, Phase};
use huddle_lexicon::com::huddle::finalize::{Error, Finalize as Method, Output};
use huddle_xrpc::server::{OrFault as _, Reply, Request};

use super::{Huddle, idempotency, view};
use crate::com::huddle::finalize::Finalize;

impl Finalize for Huddle {
    async fn finalize(&self, request: Request<Method>) -> Reply<Method> {
        let caller = request.caller()?.did.clone();
        let flows = self.flows(&request);
        let mut input = request.input;
        let key = input.idempotency_key.take();
        let key = idempotency::key::<Method>(&request.headers, &caller, key, &input)?;
        let id = input
            .booking_id
            .parse()
            .map_err(|_| Error::BookingNotFound)?;
        match flows.finalize(&id, key).await.or_fault()? {
            Ok(booking) => finalized(&booking),
            Err(refused) => Err(self.refused(refused, |why| match why {
                FinalizeRefused::NotHeld => Error::NotHeld,
                FinalizeRefused::NotAccepted => Error::NotAccepted,
            })),
        }
    }
}

fn finalized(booking: &Booking) -> Reply<Method> {
    let error = match &booking.phase {
        Phase::Finalizing { .. } | Phase::Confirmed { .. } => {
            return Ok(Output::new(view::booking(booking).or_fault()?).into());
        }
        Phase::Pending { .. } => Error::NotHeld,
        // It was being finalized, and has been put back.
        Phase::Held { .. } => Error::CalendarUnavailable,
        Phase::Declined => Error::BookingDeclined,
        Phase::Canceled { .. } => Error::BookingCanceled,
        Phase::Expired(Expiry::SlotTaken) => Error::SlotTaken,
        Phase::Expired(Expiry::Hold | Expiry::Unanswered | Expiry::NoMatch) => Error::HoldExpired,
        Phase::Unmatched => Error::BookingNotFound,
    };
    Err(error.into())
}
