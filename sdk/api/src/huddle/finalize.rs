//! `com.huddle.finalize`

use huddle_core::booking::{Booking, Expiry, FinalizeRefused, Phase};
use huddle_lexicon::com::huddle::finalize::{Error, Finalize as Method, Output};
use huddle_xrpc::server::{OrFault as _, Reply, Request};

use super::idempotency::{self, Named};
use super::{Huddle, view};
use crate::com::huddle::finalize::Finalize;

impl Finalize for Huddle {
    async fn finalize(&self, request: Request<Method>) -> Reply<Method> {
        let flows = self.flows(&request);
        let Named { key, input } = idempotency::named(request)?;
        let id = idempotency::booking_id::<Error>(&input)?;
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
