//! Tasks that were given up: an operator lists them, and has them tried again once the cause is mended.

use huddle_core::SqlError;
use huddle_core::outbox::{self, DeadLetter};
use huddle_ports::Clock as _;

use super::ActorStore;
use super::writer::Failure;

/// The store could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store could not be used: {0}")]
pub struct StoreFailed(pub(super) String);

impl From<Failure> for StoreFailed {
    fn from(failure: Failure) -> Self {
        Self(failure.to_string())
    }
}

impl From<SqlError> for StoreFailed {
    fn from(error: SqlError) -> Self {
        Self(error.to_string())
    }
}

impl ActorStore {
    /// At most `limit` dead letters after the one named `after`, the oldest first; 0 begins at the start.
    pub async fn dead_letters(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreFailed> {
        let letters = self
            .writer
            .run(move |sql| outbox::dead_letters(sql, after, limit));
        Ok(letters.await?)
    }

    /// Has a dead letter tried again, as if it had never failed; says whether there is one of this id.
    /// The pump of a running process finds it within a second.
    pub async fn requeue(&self, id: i64) -> Result<bool, StoreFailed> {
        let now = self.context.clock.now();
        let requeued = self.writer.run(move |sql| outbox::requeue(sql, id, now));
        Ok(requeued.await?)
    }
}
