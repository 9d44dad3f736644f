//! `com.huddle.rescheduleBooking`

use huddle_core::booking::{Booking, NoMatch, Phase, RescheduleRefused};
use huddle_lexicon::com::huddle::reschedule_booking::{Error, Output, RescheduleBooking as Method};
use huddle_xrpc::server::{Failure, OrFault as _, Reply, Request};

use super::{Huddle, constraints, idempotency, view};
use crate::com::huddle::reschedule_booking::RescheduleBooking;

impl RescheduleBooking for Huddle {
    async fn reschedule_booking(&self, request: Request<Method>) -> Reply<Method> {
        let caller = request.caller()?.did.clone();
        let mut input = request.input;
        let key = input.idempotency_key.take();
        let key = idempotency::key::<Method>(&request.headers, &caller, key, &input)?;
        let id = input
            .booking_id
            .parse()
            .map_err(|_| Error::BookingNotFound)?;
        // No host lists slots here yet, so no token is ours.
        if input.slot_token.is_some() {
            return Err(Error::InvalidSlotToken.into());
        }
        let constraints = constraints::read(input.constraints.as_ref())
            .map_err(|problem| Failure::refused(Error::InvalidConstraints, problem.0))?;
        let moved = self.flows.reschedule(&id, key, constraints, input.reason);
        match moved.await.or_fault()? {
            Ok(booking) => rescheduled(&booking),
            Err(refused) => Err(self.refused(refused, |why| match why {
                RescheduleRefused::NotConfirmed => Error::NotConfirmed,
                RescheduleRefused::InProgress => Error::InProgress,
            })),
        }
    }
}

fn rescheduled(booking: &Booking) -> Reply<Method> {
    let error = match &booking.phase {
        Phase::Confirmed { .. } => match booking.unmatched {
            None => return Ok(Output::new(view::booking(booking).or_fault()?).into()),
            Some(NoMatch::SlotTaken) => Error::SlotTaken,
            Some(NoMatch::CalendarUnavailable) => Error::CalendarUnavailable,
            Some(NoMatch::NoSlot | NoMatch::TooManyHolds { .. }) => Error::NoSlot,
        },
        Phase::Pending { .. } | Phase::Held { .. } => Error::NotConfirmed,
        Phase::Finalizing { .. } => Error::InProgress,
        Phase::Declined => Error::BookingDeclined,
        Phase::Canceled { .. } => Error::BookingCanceled,
        Phase::Expired(_) => Error::BookingExpired,
        Phase::Unmatched => Error::BookingNotFound,
    };
    Err(error.into())
}
