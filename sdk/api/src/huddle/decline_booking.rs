//! `com.huddle.declineBooking`

use huddle_core::booking::DeclineRefused;
use huddle_lexicon::com::huddle::decline_booking::{DeclineBooking as Method, Error, Output};
use huddle_xrpc::server::{OrFault as _, Reply, Request};

use super::{Huddle, idempotency, view};
use crate::com::huddle::decline_booking::DeclineBooking;

impl DeclineBooking for Huddle {
    async fn decline_booking(&self, request: Request<Method>) -> Reply<Method> {
        let caller = request.caller()?.did.clone();
        let flows = self.flows(&request);
        let mut input = request.input;
        let key = input.idempotency_key.take();
        let key = idempotency::key::<Method>(&request.headers, &caller, key, &input)?;
        let id = input
            .booking_id
            .parse()
            .map_err(|_| Error::BookingNotFound)?;
        let declined = flows.decline(&id, key, input.reason);
        match declined.await.or_fault()? {
            Ok(booking) => Ok(Output::new(view::booking(&booking).or_fault()?).into()),
            Err(refused) => Err(self.refused(refused, |why| match why {
                DeclineRefused::NotHost => Error::NotHost,
                DeclineRefused::InProgress => Error::InProgress,
                DeclineRefused::AlreadyConfirmed => Error::AlreadyConfirmed,
            })),
        }
    }
}
