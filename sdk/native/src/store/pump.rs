//! Does what stands in the outbox, and wakes actors when they want it.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use huddle_core::effects::Channel;
use huddle_core::host_match::Role;
use huddle_core::outbox::{self, Entry, TELL, Task};
use huddle_core::tasks::{Retry, TaskError};
use huddle_core::{ActorName, Command, Sql, SqlError};
use huddle_ports::{Random, Timestamp};
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use crate::store::ActorStore;
use crate::store::writer::{Failure, Pending};

/// How many tasks of a kind are run at a time, beside those that stay within the store.
const CONCURRENCY: usize = 16;

/// How long one may run, before it counts as failed.
const DEADLINE: Duration = Duration::from_mins(1);

/// How many commands to actors, and actors to wake, are looked at in a round.
const LOOK: usize = 128;

/// How many due entries of another kind are looked at in a round: some may have to wait for one before them.
const LOOK_OUTSIDE: usize = 2 * CONCURRENCY;

/// How many actors are woken in a round while more commands wait than it looks at.
///
/// An actor that has waited for word for too long asks for it, and is answered, by commands that wait behind all others:
/// a store that is behind, and woke everyone who waits, would fall behind by ever more.
const WAKES_WHILE_BEHIND: usize = 16;

/// How long whatever is left to be done waits for more of it. To look after each commit keeps those waiting who commit.
const GATHER: Duration = Duration::from_millis(2);

/// The longest sleep: how late the pump is after the machine's clock was set forward.
const MAX_NAP: Duration = Duration::from_secs(1);

/// Runs the tasks that leave the store.
#[async_trait]
pub trait TaskRunner: Send + Sync {
    /// Does what `task` says, which may have been done before, partly or whole.
    ///
    /// It is dropped after a minute, which counts as a failure.
    async fn run(&self, task: &Task) -> Result<(), TaskFailed>;

    /// Takes word of what went wrong, for the log.
    fn report(&self, trouble: &Trouble<'_>);
}

/// A task was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct TaskFailed {
    /// Why, for the log.
    pub problem: String,
    /// When it can be tried again.
    pub retry: Retry,
}

impl From<TaskError> for TaskFailed {
    fn from(error: TaskError) -> Self {
        Self {
            problem: error.to_string(),
            retry: error.retry(),
        }
    }
}

impl From<String> for TaskFailed {
    /// It can be tried again later.
    fn from(problem: String) -> Self {
        Self {
            problem,
            retry: Retry::Later,
        }
    }
}

/// What went wrong in the pump, which goes on.
#[derive(Debug, thiserror::Error)]
pub enum Trouble<'a> {
    /// A task failed.
    #[error("entry {} of the outbox failed: {problem}; {}", entry.id, fate(*retry_at))]
    Task {
        /// The task.
        entry: &'a Entry,
        /// Why.
        problem: &'a str,
        /// When it is tried again; `None` makes it a dead letter.
        retry_at: Option<Timestamp>,
    },
    /// An actor could not be woken; it is tried again.
    #[error("{} cannot be woken: {problem}", .actor.in_logs())]
    Wake {
        /// Which one.
        actor: &'a ActorName,
        /// Why.
        problem: &'a str,
    },
    /// The store could not say what is due, or not note what was done, which is then done again.
    #[error("the pump cannot use the store: {problem}")]
    Store {
        /// Why.
        problem: &'a str,
    },
}

fn fate(retry_at: Option<Timestamp>) -> &'static str {
    match retry_at {
        Some(_) => "it is tried again",
        None => "it is a dead letter now",
    }
}

/// Empties the outbox of a store, for as long as it runs.
///
/// Every task is done at least once: what was done and not noted, because the process was killed in
/// between, is done again. The exception is a command to an actor of the same store, which is carried
/// out and noted in one transaction.
///
/// The tasks of one actor are begun in the order in which it sent them, each when the one before has
/// been done or has failed; what has failed comes again later and holds nothing up. So of *1, 2, 3*
/// where *1* fails once, the receivers see *2, 3, 1*. What is to be brought about outside waits in a line of its own
/// for each side and channel, and each kind of task is looked for by itself: a mail server that does not answer keeps
/// no actor from hearing of anything, and no calendar from showing it.
pub struct Pump {
    store: Arc<ActorStore>,
    runner: Arc<dyn TaskRunner>,
    random: Arc<dyn Random>,
    running: JoinSet<Result<(), TaskFailed>>,
    /// What is running.
    work: HashMap<task::Id, Work>,
    /// Still to be written into the store.
    notes: Vec<Note>,
    resting: HashMap<ActorName, Rest>,
}

/// A task that is begun.
struct Work {
    entry: Entry,
    /// Entries of the same actor that wanted the very same when it was begun. It has done them too: a
    /// booking that changed three times is looked up once.
    same: Vec<i64>,
}

/// Tasks that are run one after the other.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Line {
    actor: ActorName,
    /// Where something is brought to outside, and for whom.
    outside: Option<(Channel, Option<Role>)>,
}

impl Line {
    fn of(entry: &Entry) -> Self {
        let outside = match &entry.task {
            Task::Tell { .. }
            | Task::Resume(_)
            | Task::Project(_)
            | Task::Record { .. }
            | Task::List { .. } => None,
            Task::Effect(effect) => Some((effect.channel, Some(effect.party))),
            Task::ConfirmAddress { .. } | Task::TellDisconnected { .. } => {
                Some((Channel::Mail, None))
            }
        };
        Self {
            actor: entry.actor.clone(),
            outside,
        }
    }
}

/// An actor that could not be woken is left alone for a while.
struct Rest {
    tries: u32,
    until: Timestamp,
}

/// How the task of an entry has ended.
#[derive(Clone, Copy)]
enum Note {
    Done(i64),
    /// When it is tried again, if it is.
    Failed(i64, Option<Timestamp>),
}

/// What a store wants done.
struct Due {
    now: Timestamp,
    actors: Vec<ActorName>,
    entries: Vec<Entry>,
    /// When there is something to do, if there is nothing now.
    next: Option<Timestamp>,
}

impl Pump {
    /// A pump for `store`. A store has one at a time.
    pub fn new(
        store: Arc<ActorStore>,
        runner: Arc<dyn TaskRunner>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            store,
            runner,
            random,
            running: JoinSet::new(),
            work: HashMap::new(),
            notes: Vec::new(),
            resting: HashMap::new(),
        }
    }

    /// Runs until `shutdown` is ready, and then until the tasks that were begun have ended. Whoever
    /// drops the future instead has them ended where they are.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        loop {
            let nap = self.round().await;
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(ended) = self.running.join_next_with_id() => self.note(ended),
                () = self.store.writer.committed() => {}
                () = sleep(nap) => {}
            }
            // Others commit meanwhile, and end: one look finds what all of them have left.
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                () = sleep(GATHER) => {}
            }
        }
        while let Some(ended) = self.running.join_next_with_id().await {
            self.note(ended);
        }
        if let Err(failure) = self.write_notes().await {
            self.report_store(&failure);
        }
    }

    /// Does what is due, and says when to look again at the latest.
    async fn round(&mut self) -> Duration {
        self.try_round().await.unwrap_or_else(|failure| {
            self.report_store(&failure);
            MAX_NAP
        })
    }

    async fn try_round(&mut self) -> Result<Duration, Failure> {
        while let Some(ended) = self.running.try_join_next_with_id() {
            self.note(ended);
        }
        self.write_notes().await?;
        let due = self.due().await?;
        self.wake(due.now, due.actors).await;
        self.begin(due.entries).await;
        self.write_notes().await?;
        Ok(nap(due.now, due.next))
    }

    async fn due(&self) -> Result<Due, Failure> {
        let clock = Arc::clone(&self.store.context.clock);
        let look: Vec<_> = outbox::kinds()
            .map(|kind| (kind, self.look(kind)))
            .collect();
        let resting = self.resting.len();
        self.store
            .writer
            .run(move |sql| {
                let now = clock.now();
                let mut entries = Vec::new();
                let mut wakes = LOOK;
                for (kind, look) in look {
                    let due = outbox::due(sql, kind, now, limit(look))?;
                    if kind == TELL && due.len() == look {
                        wakes = WAKES_WHILE_BEHIND;
                    }
                    entries.extend(due);
                }
                entries.sort_by_key(|entry| entry.id);
                let actors = outbox::actors_to_wake(sql, now, limit(wakes + resting))?;
                let is_idle = entries.is_empty() && actors.is_empty();
                Ok(Due {
                    now,
                    actors,
                    entries,
                    next: is_idle
                        .then(|| outbox::next_due(sql))
                        .transpose()?
                        .flatten(),
                })
            })
            .await
    }

    /// How many due entries of a kind to look at: none where nobody is free to run them. Those that are being dealt
    /// with are due as well, and must not hide the others.
    fn look(&self, kind: &str) -> usize {
        if kind == TELL {
            return LOOK;
        }
        let running = self.running(kind);
        if running.clone().count() < CONCURRENCY {
            LOOK_OUTSIDE + running.map(|work| 1 + work.same.len()).sum::<usize>()
        } else {
            0
        }
    }

    fn running(&self, kind: &str) -> impl Iterator<Item = &Work> + Clone {
        let work = self.work.values();
        work.filter(move |work| work.entry.task.kind() == kind)
    }

    async fn wake(&mut self, now: Timestamp, mut actors: Vec<ActorName>) {
        self.resting.retain(|actor, _| actors.contains(actor));
        actors.retain(|actor| self.resting.get(actor).is_none_or(|rest| rest.until <= now));
        let mut woken = Vec::with_capacity(actors.len());
        for actor in actors {
            let (context, name) = (self.store.context.clone(), actor.clone());
            let wake = self.store.writer.queue(move |sql| context.wake(sql, &name));
            woken.push((actor, wake.await));
        }
        for (actor, pending) in woken {
            match pending.answer().await {
                Ok(()) => {
                    self.resting.remove(&actor);
                }
                Err(failure) => self.let_rest(now, actor, &failure),
            }
        }
    }

    fn let_rest(&mut self, now: Timestamp, actor: ActorName, failure: &Failure) {
        self.runner.report(&Trouble::Wake {
            actor: &actor,
            problem: &failure.to_string(),
        });
        let tries = self.resting.get(&actor).map_or(0, |rest| rest.tries);
        let rest = Rest {
            tries: tries.saturating_add(1),
            until: now + outbox::backoff(&self.store.context.limits, tries, self.dice()),
        };
        self.resting.insert(actor, rest);
    }

    /// Begins each entry that has none before it in its line that is not over, and with it those that want
    /// the same. Commands to actors are carried out at once.
    async fn begin(&mut self, entries: Vec<Entry>) {
        let running = self.work.values().map(|work| Line::of(&work.entry));
        let mut waiting: HashSet<Line> = running.collect();
        let (mut told, mut next) = (Vec::new(), Vec::<Work>::new());
        for entry in entries {
            let line = Line::of(&entry);
            if waiting.contains(&line) {
                if let Some(work) = next.iter_mut().find(|work| work.wants(&entry)) {
                    work.same.push(entry.id);
                }
                continue;
            }
            if let Task::Tell { to, command } = &entry.task {
                let pending = self.tell(entry.id, to.clone(), (**command).clone());
                told.push((pending.await, entry));
            } else {
                waiting.insert(line);
                let same = Vec::new();
                next.push(Work { entry, same });
            }
        }
        for (pending, entry) in told {
            if let Err(failure) = pending.answer().await {
                self.note_failure(&entry, &failure.to_string().into());
            }
        }
        for work in next {
            if self.running(work.entry.task.kind()).count() < CONCURRENCY {
                self.spawn(work);
            }
        }
    }

    /// Has a command carried out and its entry removed, both or neither.
    async fn tell(&self, id: i64, to: ActorName, command: Command) -> Pending<()> {
        let context = self.store.context.clone();
        self.store
            .writer
            .queue(move |sql| {
                context.handle(sql, &to, command)?;
                outbox::done(sql, id)
            })
            .await
    }

    fn spawn(&mut self, work: Work) {
        let (runner, task) = (Arc::clone(&self.runner), work.entry.task.clone());
        let handle = self.running.spawn(async move {
            let in_time = timeout(DEADLINE, runner.run(&task)).await;
            in_time.unwrap_or_else(|_| Err(format!("not done after {DEADLINE:?}").into()))
        });
        self.work.insert(handle.id(), work);
    }

    fn note(&mut self, ended: Result<(task::Id, Result<(), TaskFailed>), JoinError>) {
        let (id, outcome) = match ended {
            Ok(ended) => ended,
            Err(panic) => (panic.id(), Err(panic.to_string().into())),
        };
        let Some(Work { entry, same }) = self.work.remove(&id) else {
            return;
        };
        match outcome {
            Ok(()) => {
                let done = same.into_iter().chain([entry.id]);
                self.notes.extend(done.map(Note::Done));
            }
            // What wanted the same is due still, and comes next.
            Err(failed) => self.note_failure(&entry, &failed),
        }
    }

    fn note_failure(&mut self, entry: &Entry, failed: &TaskFailed) {
        let (limits, dice) = (&self.store.context.limits, self.dice());
        let wait = failed.retry.wait(limits, &entry.task, entry.tries, dice);
        let retry_at = wait.map(|wait| self.store.context.clock.now() + wait);
        self.runner.report(&Trouble::Task {
            entry,
            problem: &failed.problem,
            retry_at,
        });
        self.notes.push(Note::Failed(entry.id, retry_at));
    }

    /// Writes down how tasks have ended. What the store does not take is kept, and nothing is begun
    /// until it does: it would only be done again and again.
    async fn write_notes(&mut self) -> Result<(), Failure> {
        if self.notes.is_empty() {
            return Ok(());
        }
        let notes = self.notes.clone();
        let write = move |sql: &mut dyn Sql| notes.iter().try_for_each(|note| note.write(sql));
        self.store.writer.run(write).await?;
        self.notes.clear();
        Ok(())
    }

    fn report_store(&self, failure: &Failure) {
        self.runner.report(&Trouble::Store {
            problem: &failure.to_string(),
        });
    }

    fn dice(&self) -> u32 {
        let mut bytes = [0; 4];
        self.random.fill(&mut bytes);
        u32::from_ne_bytes(bytes)
    }
}

impl Work {
    fn wants(&self, entry: &Entry) -> bool {
        self.entry.actor == entry.actor && self.entry.task == entry.task
    }
}

impl Note {
    fn write(self, sql: &mut dyn Sql) -> Result<(), SqlError> {
        match self {
            Self::Done(id) => outbox::done(sql, id),
            Self::Failed(id, retry_at) => outbox::failed(sql, id, retry_at),
        }
    }
}

/// How long there is nothing to do, unless something happens.
fn nap(now: Timestamp, next: Option<Timestamp>) -> Duration {
    match next {
        Some(next) if next > now => next.since(now).min(MAX_NAP),
        // What is due already waits for a task to end or a rest to be over; or it was done in this
        // round, and the commit has the pump look again.
        Some(_) | None => MAX_NAP,
    }
}

fn limit(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}

impl std::fmt::Debug for Pump {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pump").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(next: Option<i64>, nap_millis: u64) {
        let now = Timestamp::from_millis(1_767_268_800_000);
        let next = next.map(|millis| Timestamp::from_millis(now.as_millis() + millis));
        assert_eq!(nap(now, next), Duration::from_millis(nap_millis));
    }

    #[test]
    fn the_pump_sleeps_until_something_is_due_and_no_longer_than_a_second() {
        check(Some(1), 1);
        check(Some(300), 300);
        check(Some(3000), 1000);
        check(None, 1000);
        check(Some(0), 1000);
        check(Some(-5), 1000);
    }
}
