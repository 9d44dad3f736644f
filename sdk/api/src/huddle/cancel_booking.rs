//! `com.huddle.cancelBooking`

use huddle_lexicon::com::huddle::cancel_booking::{CancelBooking as Method, Error, Output};
use huddle_xrpc::server::{OrFault as _, Reply, Request};

use super::{Huddle, idempotency, view};
use crate::com::huddle::cancel_booking::CancelBooking;

impl CancelBooking for Huddle {
    async fn cancel_booking(&self, request: Request<Method>) -> Reply<Method> {
        let caller = request.caller()?.did.clone();
        let flows = self.flows(&request);
        let mut input = request.input;
        let key = input.idempotency_key.take();
        let key = idempotency::key::<Method>(&request.headers, &caller, key, &input)?;
        let id = input
            .booking_id
            .parse()
            .map_err(|_| Error::BookingNotFound)?;
        match flows.cancel(&id, key, input.reason).await.or_fault()? {
            Ok(booking) => Ok(Output::new(view::booking(&booking).or_fault()?).into()),
            Err(refused) => Err(self.refused(refused, |never| match never {})),
        }
    }
}
