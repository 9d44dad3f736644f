//! Looks after actors of which nothing was heard for too long: the platform gives an alarm up that it could not ring a
//! few times, say because a version was deployed that does not run.

use huddle_core::index::IndexError;
use huddle_ports::Clock as _;
use worker::Env;

use crate::register::Register;
use crate::transport;
use huddle_workers_platform::{WorkersClock, log};

/// Actors that one sweep looks after. With the questions to the index it stays below the 50 requests that the smallest
/// plan allows.
const BATCH: u32 = 40;

/// Has the actors that are overdue set their alarms anew. What they do then ends the wait; those that wait for nothing
/// are struck off the register.
pub(crate) async fn sweep(env: &Env) -> Result<(), IndexError> {
    let register = Register::new(env);
    let mut heard = Vec::new();
    for entry in register.take_overdue(WorkersClock.now(), BATCH).await? {
        // One of a kind that a later version knows.
        let Some(actor) = entry.actor() else {
            continue;
        };
        match transport::remind(env, &actor).await {
            Ok(until) => heard.push((entry, until)),
            // It comes up again.
            Err(problem) => {
                let (kind, error) = (actor.kind().as_str(), problem.to_string());
                log::error(
                    "an actor is not reminded",
                    [("actor", kind.into()), ("error", error.into())],
                );
            }
        }
    }
    register.note_all(heard).await
}
