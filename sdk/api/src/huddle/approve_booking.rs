//! `com.huddle.approveBooking`

use huddle_core::booking::{ApproveRefused, Booking, NoMatch, Phase, Waiting};
use huddle_lexicon::com::huddle::approve_booking::{ApproveBooking as Method, Error, Output};
use huddle_xrpc::server::{OrFault as _, Reply, Request};

use super::idempotency::{self, Named};
use super::{Huddle, view};
use crate::com::huddle::approve_booking::ApproveBooking;

impl ApproveBooking for Huddle {
    async fn approve_booking(&self, request: Request<Method>) -> Reply<Method> {
        let flows = self.flows(&request);
        let Named { key, input } = idempotency::named(request)?;
        let id = idempotency::booking_id::<Error>(&input)?;
        match flows.approve(&id, key).await.or_fault()? {
            Ok(booking) => approved(&booking),
            Err(refused) => Err(self.refused(refused, |why| match why {
                ApproveRefused::NotHost => Error::NotHost,
                ApproveRefused::NotAwaitingApproval => Error::NotPending,
            })),
        }
    }
}

fn approved(booking: &Booking) -> Reply<Method> {
    let error = match &booking.phase {
        // The search came to nothing, and the booking waits for the host again.
        Phase::Pending {
            waiting: Waiting::Approval,
            ..
        } => match booking.unmatched {
            Some(NoMatch::CalendarUnavailable) => Error::CalendarUnavailable,
            Some(NoMatch::NoSlot | NoMatch::SlotTaken | NoMatch::TooManyHolds { .. }) | None => {
                Error::NoSlot
            }
        },
        // It is the guest's acceptance that is being carried out.
        Phase::Finalizing { .. } if !booking.approved => Error::InProgress,
        Phase::Pending { .. }
        | Phase::Held { .. }
        | Phase::Finalizing { .. }
        | Phase::Confirmed { .. } => {
            return Ok(Output::new(view::booking(booking).or_fault()?).into());
        }
        Phase::Declined => Error::BookingDeclined,
        Phase::Canceled { .. } => Error::BookingCanceled,
        Phase::Expired(_) => Error::BookingExpired,
        Phase::Unmatched => Error::BookingNotFound,
    };
    Err(error.into())
}
