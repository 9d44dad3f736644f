//! Does the tasks that leave an actor's store: the same on every runtime.

use std::sync::Arc;
use std::time::Duration;

use huddle_ports::metrics::{self, Metrics, NoMetrics};

use crate::booking::NotFound;
use crate::effects::{Effects, NotBrought};
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
    effects: Option<Effects>,
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
            effects: None,
            metrics: Arc::new(NoMetrics),
        }
    }

    /// The same, and what they come to is measured.
    #[must_use]
    pub fn measured(self, metrics: Arc<dyn Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// The same, and what comes of bookings is brought about outside. Without this nobody is told, and no calendar shows
    /// anything.
    #[must_use]
    pub fn with_effects(self, effects: Effects) -> Self {
        Self {
            effects: Some(effects),
            ..self
        }
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
            Task::Effect(effect) => match &self.effects {
                Some(effects) => Ok(effects.work(effect).await?),
                None => Ok(()),
            },
            Task::ConfirmAddress { person, mark } => match &self.effects {
                Some(effects) => Ok(effects.confirm_address(person, mark).await?),
                None => Ok(()),
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
    /// Something was not brought about outside.
    #[error(transparent)]
    Effect(#[from] NotBrought),
}

impl TaskError {
    /// When the task can be tried again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Effect(NotBrought::Later {
                after: Some(wait), ..
            }) => Retry::After(*wait),
            Self::Effect(NotBrought::Permanent(_)) => Retry::Never,
            Self::Actor(_) | Self::Index(_) | Self::Effect(_) => Retry::Later,
        }
    }
}

/// When a task that failed can be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Later, and each further time later still.
    Later,
    /// Not before so much time has passed.
    After(Duration),
    /// Once somebody has done something.
    Never,
}
