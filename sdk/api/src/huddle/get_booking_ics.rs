//! `com.huddle.getBookingIcs`

use std::slice;

use huddle_lexicon::com::huddle::get_booking_ics::{Error, GetBookingIcs as Method};
use huddle_syntax::schema::{Call as _, Payload};
use huddle_xrpc::server::{OrFault as _, Reply, Request};

use super::{Huddle, invitation};
use crate::com::huddle::get_booking_ics::GetBookingIcs;

impl GetBookingIcs for Huddle {
    async fn get_booking_ics(&self, request: Request<Method>) -> Reply<Method> {
        let caller = request.caller()?.did.clone();
        let id = &request.params.booking_id;
        let booking = self.of_party(id, &caller, Error::BookingNotFound).await?;
        let names = self.called(slice::from_ref(&booking)).await?;
        let file = invitation::write(&booking, &caller, &names).or_fault()?;
        let payload = Payload {
            content_type: Method::OUTPUT.to_owned(),
            bytes: file.ok_or(Error::NotConfirmed)?.into_bytes(),
        };
        Ok(payload.into())
    }
}
