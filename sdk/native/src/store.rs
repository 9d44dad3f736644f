//! The actors of one process, in one SQLite file.
//!
//! A single thread writes. It takes the commands that are waiting, whosever they are, carries them out
//! in one transaction, and answers when that is on the disk: who has an answer can rely on it, and
//! many commands share the cost of one commit. The [`Pump`] does what stands in the outbox.

mod backlog;
mod backup;
mod checkpoint;
mod condition;
mod consistency;
mod dead_letters;
mod index;
mod open;
mod pump;
mod sealed;
mod sqlite;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use huddle_core::actor;
use huddle_core::{ActorName, ActorTransport, Command, Limits, Reply, Sql, SqlError, Unreachable};
use huddle_ports::Clock;

pub use backlog::Backlog;
pub use backup::BackupError;
pub use condition::Condition;
pub use consistency::Contradiction;
pub use dead_letters::StoreFailed;
pub use index::SqliteIndex;
pub use open::{Database, OpenError};
pub use pump::{Pump, TaskFailed, TaskRunner, Trouble};
pub use sealed::keys_in_use;

use open::Opened;
use writer::Writer;

/// The actors that live in one file.
///
/// When it is dropped, it carries out what is queued, and waits for that. A process that is killed
/// instead loses nothing that was answered.
#[derive(Debug)]
pub struct ActorStore {
    writer: Writer,
    context: Context,
}

/// What a command is carried out with, besides rows.
#[derive(Clone)]
struct Context {
    clock: Arc<dyn Clock>,
    limits: Arc<Limits>,
}

impl ActorStore {
    /// The actors of the file at `path`, which is made if there is none and brought up to the schema
    /// of this version.
    pub fn open(path: &Path, clock: Arc<dyn Clock>, limits: Limits) -> Result<Self, OpenError> {
        Self::start(open::file(path, Database::Actors)?, clock, limits)
    }

    /// The actors of the file that is at `path`, beside whoever else has it open: for an operator's commands.
    pub fn open_existing(
        path: &Path,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Result<Self, OpenError> {
        let opened = Opened::alone(open::up_to_date(path, Database::Actors)?);
        Self::start(opened, clock, limits)
    }

    /// Actors that are forgotten with the store, for tests and for trying things out.
    pub fn in_memory(clock: Arc<dyn Clock>, limits: Limits) -> Result<Self, OpenError> {
        Self::start(open::memory(Database::Actors)?, clock, limits)
    }

    fn start(opened: Opened, clock: Arc<dyn Clock>, limits: Limits) -> Result<Self, OpenError> {
        Ok(Self {
            writer: Writer::start(opened).map_err(OpenError::Thread)?,
            context: Context {
                clock,
                limits: Arc::new(limits),
            },
        })
    }
}

#[async_trait]
impl ActorTransport for ActorStore {
    async fn send(&self, to: &ActorName, command: Command) -> Result<Reply, Unreachable> {
        let (context, name) = (self.context.clone(), to.clone());
        self.writer
            .run(move |sql| context.handle(sql, &name, command))
            .await
            .map_err(|failure| Unreachable {
                actor: to.clone(),
                problem: failure.to_string(),
            })
    }
}

impl Context {
    fn handle(
        &self,
        sql: &mut dyn Sql,
        name: &ActorName,
        command: Command,
    ) -> Result<Reply, SqlError> {
        actor::handle(sql, name, self.clock.now(), &self.limits, command)
    }

    fn wake(&self, sql: &mut dyn Sql, name: &ActorName) -> Result<(), SqlError> {
        actor::wake(sql, name, self.clock.now(), &self.limits)
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
