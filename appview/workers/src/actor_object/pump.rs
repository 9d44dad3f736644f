//! Carries the outbox of an object away.

use futures_util::future::join_all;
use huddle_core::outbox::{self, Entry, Task};
use huddle_core::{ActorTransport as _, Sql, SqlError};
use huddle_ports::Clock as _;
use worker::{console_error, js_sys};

use super::{ActorObject, Trouble};
use crate::clock::WorkersClock;
use crate::jobs;
use crate::transport::DurableObjectTransport;

/// Entries that one alarm carries away; what is left is due, and the next alarm rings at once.
const BATCH: u32 = 32;

impl ActorObject {
    /// Does what is due, all of it side by side, and writes down how that went. What dies in between
    /// is done again.
    pub(super) async fn pump(&self) -> Result<(), Trouble> {
        let entries = self.turn(|sql| outbox::due(sql, WorkersClock.now(), BATCH))?;
        if entries.is_empty() {
            return Ok(());
        }
        let outcomes = join_all(entries.iter().map(|entry| self.deliver(&entry.task))).await;
        self.turn(|sql| {
            entries
                .iter()
                .zip(outcomes)
                .try_for_each(|(entry, outcome)| note(sql, entry, outcome))
        })
    }

    async fn deliver(&self, task: &Task) -> Result<(), String> {
        let delivered = match task {
            Task::Tell { to, command } => {
                let transport = DurableObjectTransport::new(self.env.clone());
                let reply = transport.send(to, (**command).clone()).await;
                reply.map(drop).map_err(|error| error.to_string())
            }
            Task::Resume(_) | Task::Project(_) => {
                let sent = jobs::send(&self.env, task).await;
                sent.map_err(|error| error.to_string())
            }
        };
        delivered
    }
}

/// Never a dead letter: other actors count on hearing of it.
fn note(sql: &mut dyn Sql, entry: &Entry, outcome: Result<(), String>) -> Result<(), SqlError> {
    let Err(problem) = outcome else {
        return outbox::done(sql, entry.id);
    };
    console_error!(
        "entry {} of the outbox of {}, failure {}: {problem}",
        entry.id,
        entry.actor,
        entry.tries + 1
    );
    let wait = outbox::backoff(entry.tries, dice());
    outbox::failed(sql, entry.id, Some(WorkersClock.now() + wait))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a fraction of 2³² is within u32"
)]
fn dice() -> u32 {
    (js_sys::Math::random() * f64::from(u32::MAX)) as u32
}
