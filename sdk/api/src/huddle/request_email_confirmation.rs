//! `com.huddle.requestEmailConfirmation`

use huddle_core::mail::{AskRefused, EmailAddress};
use huddle_lexicon::com::huddle::request_email_confirmation::{
    Error, Output, RequestEmailConfirmation as Method,
};
use huddle_xrpc::Generic;
use huddle_xrpc::server::{OrFault as _, Refusal, Reply, Request};

use super::idempotency::{self, Named};
use super::{Huddle, view};
use crate::com::huddle::request_email_confirmation::RequestEmailConfirmation;

impl RequestEmailConfirmation for Huddle {
    async fn request_email_confirmation(&self, request: Request<Method>) -> Reply<Method> {
        let Named { key, input } = idempotency::named(request)?;
        let addresses = self.addresses()?;
        let address: EmailAddress = input.email.parse().map_err(|_| Error::InvalidEmail)?;
        let now = self.clock.now();
        let asked = addresses.ask_to_confirm(&*self.actors, key, &address, now);
        match asked.await.or_fault()? {
            Ok(expires) => Ok(Output::new(view::datetime(expires).or_fault()?).into()),
            Err(AskRefused::Mismatch) => Err(Self::mismatch()),
            Err(AskRefused::TooOften { retry_at }) => {
                Err(Refusal::from(Generic::RateLimitExceeded)
                    .with_retry_after(self.seconds_until(retry_at))
                    .into())
            }
        }
    }
}
