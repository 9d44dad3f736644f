//! `com.huddle.declineBooking`

use huddle_core::booking::DeclineRefused;
use huddle_lexicon::com::huddle::decline_booking::{DeclineBooking as Method, Error, Output};
use huddle_xrpc::server::{OrFault as _, Reply, Request};

use super::idempotency::{self, Named};
use super::{Huddle, view};
use crate::com::huddle::decline_booking::DeclineBooking;

impl DeclineBooking for Huddle {
    async fn decline_booking(&self, request: Request<Method>) -> Reply<Method> {
        let flows = self.flows(&request);
        let Named { key, input } = idempotency::named(request)?;
        let id = idempotency::booking_id::<Error>(&input)?;
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
