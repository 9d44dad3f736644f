//! `com.huddle.getBooking`

use std::slice;

use huddle_lexicon::com::huddle::get_booking::{Error, GetBooking as Method, Output};
use huddle_xrpc::server::{OrFault as _, Reply, Request};

use super::{Huddle, view};
use crate::com::huddle::get_booking::GetBooking;

impl GetBooking for Huddle {
    async fn get_booking(&self, request: Request<Method>) -> Reply<Method> {
        let caller = request.caller()?.did.clone();
        let id = &request.params.booking_id;
        let booking = self.of_party(id, &caller, Error::BookingNotFound).await?;
        let history = view::history(&booking).or_fault()?;
        let names = self.called(slice::from_ref(&booking)).await?;
        let view = view::called(&booking, &names).or_fault()?;
        Ok(Output::new(view, history).into())
    }
}
