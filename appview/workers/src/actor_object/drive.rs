//! Drives a booking inside its own object: a handler asks once, and the booking is asked where it is. What a match or
//! a confirmation asks of others counts as the object's, and the Worker's own event stays small.

use std::sync::Arc;

use async_trait::async_trait;
use huddle_core::booking::InvalidBookingId;
use huddle_core::flows::is_driven;
use huddle_core::{ActorName, ActorTransport, Command, Reply, Unreachable};
use huddle_ports::Timestamp;
use worker::State;
use worker::send::{SendFuture, SendWrapper};
use worker::wasm_bindgen::{JsCast as _, JsValue};

use super::{ActorObject, Trouble};
use crate::parts::Parts;

impl ActorObject {
    /// Carries a command out; where a driver takes the booking on from it, together with all that follows, as far as
    /// that comes within the time that a caller waits.
    pub(super) async fn drive(
        &self,
        command: Command,
        waiting_since: Timestamp,
    ) -> Result<Reply, Trouble> {
        let command = match command {
            Command::Booking(command) if is_driven(&command) => command,
            command => return self.handle(command).await,
        };
        let name = self.name()?;
        let id = name
            .key()
            .parse()
            .map_err(|_: InvalidBookingId| Trouble::Unnamed)?;
        let mut backend = Parts::read(&self.env)?.backend;
        backend.actors = Arc::new(Inside {
            name,
            object: SendWrapper::new(self.again()),
            others: backend.actors,
        });
        let flows = backend.flows().since(waiting_since);
        Ok(Reply::Booking(flows.carry_out(&id, command).await?))
    }

    /// The same object, to be owned by what this one waits for.
    fn again(&self) -> Self {
        let state: &JsValue = self.state.as_raw().as_ref();
        Self::new(
            State::from(
                state
                    .clone()
                    .unchecked_into::<worker::worker_sys::DurableObjectState>(),
            ),
            self.env.clone(),
        )
    }
}

/// Reaches the actor of this object here, and all others where they are.
struct Inside {
    name: ActorName,
    object: SendWrapper<ActorObject>,
    others: Arc<dyn ActorTransport>,
}

#[async_trait]
impl ActorTransport for Inside {
    async fn send(&self, to: &ActorName, command: Command) -> Result<Reply, Unreachable> {
        if *to != self.name {
            return self.others.send(to, command).await;
        }
        let reply = SendFuture::new(self.object.handle(command)).await;
        reply.map_err(|trouble| Unreachable {
            actor: to.clone(),
            problem: trouble.to_string(),
        })
    }
}
