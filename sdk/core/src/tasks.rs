//! Does the tasks that leave an actor's store: the same on every runtime.

use std::sync::Arc;
use std::time::Duration;

use huddle_ports::metrics::{self, Metrics, NoMetrics};

use crate::booking::NotFound;
use crate::effects::{Effects, NotBrought};
use crate::flows::Flows;
use crate::index::{self, Index, IndexError, audit, people};
use crate::limits::{Limits, secs};
use crate::outbox::{self, Task};
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
                    let listed = index::project(&*self.index, &booking).await;
                    for event in listed.iter().flatten() {
                        self.metrics.count(&metrics::BOOKINGS, &[event.word()]);
                    }
                    // Nobody is told late because a list cannot be written.
                    if let Some(effects) = &self.effects {
                        effects.spread(&booking).await?;
                    }
                    listed?;
                    Ok(())
                }
                // Only what nobody was told of is ever forgotten, and that was in no list.
                Err(NotFound) => Ok(()),
            },
            Task::Record { person, at, deed } => {
                let lines = audit::record(person, *at, *deed);
                Ok(self.index.batch(lines.to_vec()).await?)
            }
            Task::List {
                person,
                listed,
                revision,
                at,
            } => {
                let list = people::list(person, *listed, *revision, *at);
                Ok(self.index.batch(vec![list]).await?)
            }
            Task::Effect(effect) => match &self.effects {
                Some(effects) => Ok(effects.work(effect).await?),
                None => Ok(()),
            },
            Task::ConfirmAddress { person, mark } => match &self.effects {
                Some(effects) => Ok(effects.confirm_address(person, mark).await?),
                None => Ok(()),
            },
            Task::TellDisconnected {
                person,
                connector,
                revision,
                at,
            } => match &self.effects {
                Some(effects) => Ok(effects
                    .tell_disconnected(person, connector, *revision, *at)
                    .await?),
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

impl Retry {
    /// How long a task waits that has failed now, and `tries` times before; `None` makes it a dead letter. What `dice`
    /// says should be random.
    pub fn wait(self, limits: &Limits, task: &Task, tries: u32, dice: u32) -> Option<Duration> {
        let wait = outbox::backoff(limits, tries, dice);
        let wait = match self {
            Self::Later => wait,
            Self::After(least) => wait.max(least.min(secs(limits.task_wait_secs))),
            Self::Never => return None,
        };
        let is_last = |most| tries.saturating_add(1) >= most;
        (!task.tries(limits).is_some_and(is_last)).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_within(limits: &Limits, retry: Retry, tries: u32, expect: Option<u64>) {
        let task = Task::Resume("3hq7n2k5x4d6m7p2r5t7".parse().expect("an id"));
        let wait = retry.wait(limits, &task, tries, u32::MAX);
        assert_eq!(wait, expect.map(Duration::from_secs), "{retry:?} {tries}");
    }

    #[track_caller]
    fn check(retry: Retry, tries: u32, expect: Option<u64>) {
        check_within(&Limits::default(), retry, tries, expect);
    }

    #[test]
    fn the_limits_say_how_often_a_task_is_tried_and_how_long_it_waits() {
        let limits = Limits {
            task_tries: 2,
            task_wait_secs: 60,
            ..Limits::default()
        };
        let nine_hours = Retry::After(Duration::from_hours(9));
        check_within(&limits, nine_hours, 0, Some(60));
        check_within(&limits, nine_hours, 1, None);
        check_within(&limits, Retry::Later, 1, None);
    }

    #[test]
    fn a_task_waits_as_long_as_it_is_told_and_no_longer_than_an_hour_and_is_given_up_in_the_end() {
        check(Retry::Later, 0, Some(1));
        check(Retry::Later, 8, Some(256));
        check(Retry::Later, 18, Some(3600));
        check(Retry::Later, 19, None);
        check(Retry::Later, u32::MAX, None);
        check(Retry::After(Duration::from_secs(30)), 0, Some(30));
        check(Retry::After(Duration::from_secs(30)), 8, Some(256));
        check(Retry::After(Duration::from_hours(9)), 0, Some(3600));
        check(Retry::After(Duration::ZERO), 19, None);
        check(Retry::Never, 0, None);
    }
}
