//! Mail about bookings.
//!
//! [`Letters`] writes what there is to be told as a message: plain text, HTML, and for a calendar. It is the same on every
//! runtime, to the byte. A [`Mailer`] then hands the message to a mail server: [`SparkPost`] by HTTP, and by SMTP the one
//! of a runtime that has sockets.

mod letters;
mod message;
mod sparkpost;
mod words;

use std::sync::Arc;

use async_trait::async_trait;
use huddle_core::mail::Delivery;

pub use letters::{InvalidSender, Letters, Sender};
pub use message::Message;
pub use sparkpost::{InvalidKey, SparkPost};

/// Hands messages to a mail server.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands one over, for the one address that it is for.
    async fn send(&self, message: &Message) -> Delivery;
}

#[async_trait]
impl<M: Mailer + ?Sized> Mailer for Arc<M> {
    async fn send(&self, message: &Message) -> Delivery {
        (**self).send(message).await
    }
}
