//! `com.huddle.putWebhook`

use huddle_core::webhooks::SetRefused;
use huddle_lexicon::com::huddle::put_webhook::{Error, Output, PutWebhook as Method};
use huddle_xrpc::server::{Failure, OrFault as _, Reply, Request};

use super::Huddle;
use super::idempotency::{self, Named};
use crate::com::huddle::put_webhook::PutWebhook;

impl PutWebhook for Huddle {
    async fn put_webhook(&self, request: Request<Method>) -> Reply<Method> {
        let Named { key, input } = idempotency::named(request)?;
        let webhooks = self.webhooks()?;
        if self.is_served_elsewhere(&key.caller).await? {
            return Err(Error::ServedElsewhere.into());
        }
        let set = webhooks.set(&*self.actors, key, input.url.as_str());
        match set.await.or_fault()? {
            Ok(secret) => Ok(Output::new(secret.as_str()).into()),
            Err(SetRefused::Mismatch) => Err(Self::mismatch()),
            Err(SetRefused::Replaced) => Err(Failure::refused(
                Error::IdempotencyMismatch,
                "this idempotency key has set an address that was removed or set anew since, or whose secret is told no more: name the request afresh",
            )),
            Err(SetRefused::Url) => Err(Failure::refused(
                Error::InvalidUrl,
                "give an https address of a host on the public Internet, without a port or a password",
            )),
        }
    }
}
