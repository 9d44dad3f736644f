//! `com.huddle.deleteWebhook`

use huddle_core::user_connector::webhook::WebhookMismatch;
use huddle_lexicon::com::huddle::delete_webhook::{DeleteWebhook as Method, Output};
use huddle_xrpc::server::{OrFault as _, Reply, Request};

use super::Huddle;
use super::idempotency::{self, Named};
use crate::com::huddle::delete_webhook::DeleteWebhook;

impl DeleteWebhook for Huddle {
    async fn delete_webhook(&self, request: Request<Method>) -> Reply<Method> {
        let Named { key, .. } = idempotency::named(request)?;
        let removed = self.webhooks()?.remove(&*self.actors, key).await;
        match removed.or_fault()? {
            Ok(()) => Ok(Output::default().into()),
            Err(WebhookMismatch) => Err(Self::mismatch()),
        }
    }
}
