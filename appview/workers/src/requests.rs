//! The object that makes bookings of requests that are records, whenever the script that follows the firehose says that
//! there may be something to do.
//!
//! There is one, and the platform rings its alarm again only once the ring before has come to an end: so what is asked
//! for and what is called off never overtake each other. Its alarm is all that it stores; what is to be done stands in
//! the index. Whatever waits, or went wrong, comes up with the next word, of which there is one every minute.

use std::time::Duration;

use huddle_core::index::IndexError;
use huddle_workers_platform::{Misconfigured, log};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object, wasm_bindgen};

use crate::parts::Parts;

/// Does what requests ask for.
#[durable_object(alarm)]
#[derive(Debug)]
pub(crate) struct RequestsDO {
    state: State,
    env: Env,
}

/// Why nothing came of it. The log of the object is the only one to read it.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Misconfigured(#[from] Misconfigured),
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl DurableObject for RequestsDO {
    fn new(state: State, env: Env) -> Self {
        Self { state, env }
    }

    /// Has the alarm ring, or ring again. Whoever says so does not wait for what comes of it.
    async fn fetch(&self, _: Request) -> Result<Response> {
        self.state.storage().set_alarm(Duration::ZERO).await?;
        Response::empty()
    }

    /// Never fails: the platform would ring again, and another word comes in any case.
    async fn alarm(&self) -> Result<Response> {
        if let Err(trouble) = self.sweep().await {
            log::waits("requests wait", &trouble);
        }
        Response::empty()
    }
}

impl RequestsDO {
    async fn sweep(&self) -> std::result::Result<(), Trouble> {
        let parts = Parts::read(&self.env)?;
        parts.requests(&self.env).sweep().await?;
        Ok(())
    }
}
