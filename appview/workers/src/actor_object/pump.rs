//! Carries the outbox of an object away.

use std::time::Duration;

use huddle_core::outbox::{self, Entry, Task};
use huddle_core::{ActorTransport as _, Limits, Sql, SqlError};
use huddle_ports::Clock as _;

use super::{ActorObject, Trouble};
use crate::deadline::in_time;
use crate::jobs::{self, dice};
use crate::transport::DurableObjectTransport;
use huddle_workers_platform::{WorkersClock, log};

/// Entries of a kind that one alarm carries away; what is left is due, and the next alarm rings at once.
const BATCH: u32 = 32;

/// How long one delivery may take, before it counts as failed.
const DEADLINE: Duration = Duration::from_secs(30);

impl ActorObject {
    /// Does what is due in the order in which the actor sent it, and notes how each went. What has
    /// failed comes again later and holds nothing up; what dies before it is noted is done again.
    pub(super) async fn pump(&self) -> Result<(), Trouble> {
        let limits = self.limits()?;
        for entry in self.turn(|sql| Ok(due(sql)?))? {
            let outcome = self.deliver_in_time(&entry.task).await;
            self.turn(|sql| Ok(note(sql, limits, &entry, outcome)?))?;
        }
        Ok(())
    }

    async fn deliver_in_time(&self, task: &Task) -> Result<(), String> {
        let delivered = in_time(DEADLINE, self.deliver(task)).await;
        delivered.unwrap_or_else(|too_long| Err(too_long.to_string()))
    }

    /// Brings word to other actors by itself, and leaves the rest to the queue.
    async fn deliver(&self, task: &Task) -> Result<(), String> {
        if let Task::Tell { to, command } = task {
            let transport = DurableObjectTransport::new(self.env.clone());
            let reply = transport.send(to, (**command).clone()).await;
            reply.map(drop).map_err(|error| error.to_string())
        } else {
            let sent = jobs::send(&self.env, task).await;
            sent.map_err(|error| error.to_string())
        }
    }
}

fn due(sql: &mut dyn Sql) -> Result<Vec<Entry>, SqlError> {
    let now = WorkersClock.now();
    let mut entries = Vec::new();
    for kind in outbox::kinds() {
        entries.extend(outbox::due(sql, kind, now, BATCH)?);
    }
    entries.sort_by_key(|entry| entry.id);
    Ok(entries)
}

/// Never makes a dead letter: other actors count on hearing of it.
fn note(
    sql: &mut dyn Sql,
    limits: &Limits,
    entry: &Entry,
    outcome: Result<(), String>,
) -> Result<(), SqlError> {
    let Err(problem) = outcome else {
        return outbox::done(sql, entry.id);
    };
    let Entry {
        id, actor, tries, ..
    } = entry;
    let wait = outbox::backoff(limits, *tries, dice());
    log::error(
        "an entry of the outbox failed, and is tried again",
        [
            ("actor", actor.kind().as_str().into()),
            ("entry", (*id).into()),
            ("tries", tries.saturating_add(1).into()),
            ("wait_secs", wait.as_secs().into()),
            ("error", problem.into()),
        ],
    );
    outbox::failed(sql, *id, Some(WorkersClock.now() + wait))
}
