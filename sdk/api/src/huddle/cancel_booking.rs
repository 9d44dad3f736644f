//! `com.huddle.cancelBooking`

use huddle_lexicon::com::huddle::cancel_booking::{CancelBooking as Method, Error, Output};
use huddle_xrpc::server::{OrFault as _, Reply, Request};

use super::idempotency::{self, Named};
use super::{Huddle, view};
use crate::com::huddle::cancel_booking::CancelBooking;

impl CancelBooking for Huddle {
    async fn cancel_booking(&self, request: Request<Method>) -> Reply<Method> {
        let flows = self.flows(&request);
        let Named { key, input } = idempotency::named(request)?;
        let id = idempotency::booking_id::<Error>(&input)?;
        match flows.cancel(&id, key, input.reason).await.or_fault()? {
            Ok(booking) => Ok(Output::new(view::booking(&booking).or_fault()?).into()),
            Err(refused) => Err(self.refused(refused, |never| match never {})),
        }
    }
}
