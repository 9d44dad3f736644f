//! Does the tasks that leave an actor's store: the same on every runtime.

use std::sync::Arc;

use huddle_ports::metrics::{self, Metrics, NoMetrics};

use crate::booking::NotFound;
use crate::flows::Flows;
use crate::index::{self, Index, IndexError};
use crate::outbox::Task;
use crate::transport::{ActorTransport, Unreachable};

/// What tasks are done with.
#[derive(Clone)]
pub struct Tasks {
    actors: Arc<dyn ActorTransport>,
    flows: Flows,
    index: Arc<dyn Index>,
    metrics: Arc<dyn Metrics>,
}

impl std::fmt::Debug for Tasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tasks").finish_non_exhaustive()
    }
}

impl Tasks {
    /// Does tasks with these.
    pub fn new(actors: Arc<dyn ActorTransport>, flows: Flows, index: Arc<dyn Index>) -> Self {
        Self {
            actors,
            flows,
            index,
            metrics: Arc::new(NoMetrics),
        }
    }

    /// The same, and what they come to is measured.
    #[must_use]
    pub fn measured(self, metrics: Arc<dyn Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// Does a task. It may have been done before, partly or whole: that changes nothing.
    pub async fn run(&self, task: &Task) -> Result<(), TaskError> {
        match task {
            Task::Tell { to, command } => {
                self.actors.send(to, Clone::clone(command)).await?;
                Ok(())
            }
            // What became of it stands in the booking.
            Task::Resume(id) => self.flows.resume(id).await.map(drop).map_err(Into::into),
            Task::Project(id) => match self.flows.read(id, None).await? {
                Ok(booking) => {
                    index::project(&*self.index, &booking).await?;
                    let status = booking.phase.word();
                    self.metrics.count(&metrics::BOOKINGS, &[status]);
                    Ok(())
                }
                // Only what nobody was told of is ever forgotten, and that was in no list.
                Err(NotFound) => Ok(()),
            },
        }
    }
}

/// A task was not done, and may be tried again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// An actor gave no answer.
    #[error(transparent)]
    Actor(#[from] Unreachable),
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
}
