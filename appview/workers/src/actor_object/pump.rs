//! Carries the outbox of an object away.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use huddle_core::outbox::{self, Entry, Task};
use huddle_core::{ActorTransport as _, Sql, SqlError};
use huddle_ports::Clock as _;
use worker::{Delay, console_error, js_sys};

use super::{ActorObject, Trouble};
use crate::jobs;
use crate::transport::DurableObjectTransport;
use huddle_workers_platform::WorkersClock;

/// Entries that one alarm carries away; what is left is due, and the next alarm rings at once.
const BATCH: u32 = 32;

/// How long one delivery may take, before it counts as failed.
const DEADLINE: Duration = Duration::from_secs(30);

impl ActorObject {
    /// Does what is due in the order in which the actor sent it, and notes how each went. What has
    /// failed comes again later and holds nothing up; what dies before it is noted is done again.
    pub(super) async fn pump(&self) -> Result<(), Trouble> {
        for entry in self.turn(|sql| Ok(outbox::due(sql, WorkersClock.now(), BATCH)?))? {
            let outcome = self.deliver_in_time(&entry.task).await;
            self.turn(|sql| Ok(note(sql, &entry, outcome)?))?;
        }
        Ok(())
    }

    async fn deliver_in_time(&self, task: &Task) -> Result<(), String> {
        let deadline = Delay::from(DEADLINE);
        match select(pin!(self.deliver(task)), deadline).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => Err(format!("not done after {DEADLINE:?}")),
        }
    }

    /// Brings word to other actors by itself, and leaves the rest to the queue.
    async fn deliver(&self, task: &Task) -> Result<(), String> {
        match task {
            Task::Tell { to, command } => {
                let transport = DurableObjectTransport::new(self.env.clone());
                let reply = transport.send(to, (**command).clone()).await;
                reply.map(drop).map_err(|error| error.to_string())
            }
            Task::Resume(_) | Task::Project(_) | Task::Effect(_) | Task::ConfirmAddress { .. } => {
                let sent = jobs::send(&self.env, task).await;
                sent.map_err(|error| error.to_string())
            }
        }
    }
}

/// Never makes a dead letter: other actors count on hearing of it.
fn note(sql: &mut dyn Sql, entry: &Entry, outcome: Result<(), String>) -> Result<(), SqlError> {
    let Err(problem) = outcome else {
        return outbox::done(sql, entry.id);
    };
    let Entry {
        id, actor, tries, ..
    } = entry;
    console_error!("entry {id} of the outbox of {actor} failed after {tries} times: {problem}");
    let wait = outbox::backoff(*tries, dice());
    outbox::failed(sql, *id, Some(WorkersClock.now() + wait))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a fraction of 2³² is within u32"
)]
fn dice() -> u32 {
    (js_sys::Math::random() * f64::from(u32::MAX)) as u32
}
