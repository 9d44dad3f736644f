//! Direct messages over the network: a port. Nothing here implements it, so nobody gets any.
//!
//! The one way there is, `chat.bsky.convo.sendMessage`, takes no id from whoever calls it: a message whose answer was lost
//! and that is sent again is there twice, which mail and webhooks are not. It also wants an account of the service's own
//! with a session at a data server, and most people take messages only from those whom they follow. Whoever embeds Huddle
//! and can live with that brings an implementation.

use async_trait::async_trait;
use huddle_schedule::{Interval, Zone};
use huddle_syntax::Did;

use crate::mail::{Delivery, NoticeKind};

/// Sends direct messages.
#[async_trait]
pub trait DirectMessages: Send + Sync {
    /// Sends a message. The same message, sent again, has the same id.
    async fn send(&self, message: &DirectMessage) -> Delivery;
}

/// What became of a booking, for one of its parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectMessage {
    /// Names the message.
    pub id: String,
    /// To whom it goes.
    pub to: Did,
    /// What became of it.
    pub told: NoticeKind,
    /// What the other party is called.
    pub with: String,
    /// When the meeting is, or would have been; `None` if it was never confirmed.
    pub slot: Option<Interval>,
    /// On whose clock that is told.
    pub zone: Zone,
}
