//! `com.huddle.rescheduleBooking`

use huddle_core::booking::{
    Booking, BookingId, Constraints, NoMatch, NotFound, Phase, RescheduleRefused,
};
use huddle_lexicon::com::huddle::reschedule_booking::{Error, Output, RescheduleBooking as Method};
use huddle_syntax::Did;
use huddle_xrpc::server::{Failure, OrFault as _, Reply, Request};

use super::constraints::{self, BOTH};
use super::idempotency::{self, Named};
use super::{Huddle, view};
use crate::com::huddle::reschedule_booking::RescheduleBooking;

impl RescheduleBooking for Huddle {
    async fn reschedule_booking(&self, request: Request<Method>) -> Reply<Method> {
        let flows = self.flows(&request);
        let Named { key, input } = idempotency::named(request)?;
        let id = idempotency::booking_id::<Error>(&input)?;
        let constraints = match (&input.slot_token, &input.constraints) {
            (None, wishes) => constraints::read(wishes.as_ref())
                .map_err(|problem| Failure::refused(Error::InvalidConstraints, problem.0))?,
            (Some(token), None) => self.chosen_instead(&id, key.caller.clone(), token).await?,
            (Some(_), Some(_)) => return Err(Failure::refused(Error::InvalidConstraints, BOTH)),
        };
        let moved = flows.reschedule(&id, key, constraints, input.reason);
        match moved.await.or_fault()? {
            Ok(booking) => rescheduled(&booking),
            Err(refused) => Err(self.refused(refused, |why| match why {
                RescheduleRefused::NotConfirmed => Error::NotConfirmed,
                RescheduleRefused::InProgress => Error::InProgress,
                RescheduleRefused::ChosenTooLate => Error::InvalidSlotToken,
            })),
        }
    }
}

impl Huddle {
    /// What a slot that was listed to the guest of a booking stands for. The booking says whether it is too late for it:
    /// it knows whether the request comes for the first time.
    async fn chosen_instead(
        &self,
        id: &BookingId,
        caller: Did,
        token: &str,
    ) -> Result<Constraints, Failure<Error>> {
        let booking = self.flows.read(id, Some(caller.clone())).await.or_fault()?;
        let asked = booking.map_err(|NotFound| Error::BookingNotFound)?.asked;
        let chosen = self.slots.chosen(token, &asked.host, &asked.guest).ok();
        let chosen = chosen.filter(|_| caller == asked.guest);
        Ok(chosen.ok_or(Error::InvalidSlotToken)?.into())
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
