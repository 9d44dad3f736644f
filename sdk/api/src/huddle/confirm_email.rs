//! `com.huddle.confirmEmail`

use huddle_core::mail::ConfirmRefused;
use huddle_lexicon::com::huddle::confirm_email::{ConfirmEmail as Method, Error, Output};
use huddle_xrpc::server::{OrFault as _, Reply, Request};

use super::Huddle;
use super::idempotency::{self, Named};
use crate::com::huddle::confirm_email::ConfirmEmail;

impl ConfirmEmail for Huddle {
    async fn confirm_email(&self, request: Request<Method>) -> Reply<Method> {
        let Named { key, input } = idempotency::named(request)?;
        let confirmed = self
            .addresses()?
            .confirm(&*self.actors, key, input.token.trim())
            .await;
        match confirmed.or_fault()? {
            Ok(()) => Ok(Output::default().into()),
            Err(ConfirmRefused::Mismatch) => Err(Self::mismatch()),
            Err(ConfirmRefused::Invalid) => Err(Error::InvalidToken.into()),
            Err(ConfirmRefused::Expired) => Err(Error::ExpiredToken.into()),
        }
    }
}
