//! What actors want done and nobody waits for: it goes through a queue, which brings it until it is done.
//!
//! When something is brought again is decided here, by what went wrong, and so is when it is given up. What is given up
//! is a dead letter, so that somebody who has mended the cause can have it brought once more. Where nothing of this runs,
//! the platform gives up in the end, and puts the message into a second queue: that comes here, too, once it does run.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use huddle_core::outbox::{self, Task};
use huddle_core::tasks::{Retry, TaskError, Tasks};
use huddle_core::{Limits, SqlError};
use huddle_ports::metrics::TASK_SECONDS;
use huddle_ports::{Clock as _, Metrics, Random as _};
use huddle_workers_platform::config::limits;
use huddle_workers_platform::{Misconfigured, WorkersClock, WorkersRandom, log};
use worker::wasm_bindgen::prelude::*;
use worker::worker_sys::{Message as PlatformMessage, MessageBatch};
use worker::{
    Env, MessageExt as _, QueueContentType, QueueRetryOptionsBuilder, RawMessage,
    RawMessageBuilder, wasm_bindgen,
};

use crate::build::{Build, Moment};
use crate::dead_letters::{DeadLetters, GivenUp, wants};
use crate::deadline::{TooLong, in_time};
use crate::operations::operations;
use crate::parts::Parts;

/// The binding of the queue.
pub(crate) const QUEUE: &str = "JOBS";

/// How the name of the second queue ends.
const SECOND: &str = "-dead";

/// How often the platform brings a message before it gives up: the first time, and so often again as `wrangler.toml` says.
const PLATFORM_TRIES: u32 = 101;

/// How long a task may take, before it counts as failed: shorter than whoever brings something about is left alone.
const DEADLINE: Duration = Duration::from_mins(1);

/// How long a task waits while the configuration cannot be used.
const UNCONFIGURED: Duration = Duration::from_mins(1);

#[wasm_bindgen]
extern "C" {
    /// `Message`, of which `worker` leaves this one property out.
    type CountedMessage;

    #[wasm_bindgen(method, getter)]
    fn attempts(this: &CountedMessage) -> u32;
}

/// Puts a task into the queue, as JSON.
pub(crate) async fn send(env: &Env, task: &Task) -> worker::Result<()> {
    put(env, serde_json::to_string(task)?, Duration::ZERO).await
}

/// Puts a task into the queue as it has come out.
pub(crate) async fn send_again(env: &Env, task: String) -> worker::Result<()> {
    put(env, task, Duration::ZERO).await
}

async fn put(env: &Env, task: String, wait: Duration) -> worker::Result<()> {
    let message = RawMessageBuilder::new(task.into()).delay_seconds(seconds(wait));
    let message = message.build_with_content_type(QueueContentType::Text);
    env.queue(QUEUE)?.send_raw(message).await
}

/// Whole seconds, and none too few.
fn seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
}

/// Does what a batch of either queue is for.
pub(crate) async fn work_off(batch: &MessageBatch, env: &Env) {
    let messages = batch.messages().expect("a batch has messages");
    // Where they cannot be read, no task is done either, which the runner says.
    let limits = limits(env).unwrap_or_default();
    let jobs = messages.iter();
    let jobs = jobs.map(|message| Job::new(message.unchecked_into(), env, &limits));
    let is_second = |name| String::from(name).ends_with(SECOND);
    if batch.queue().is_ok_and(is_second) {
        let why = "it was given up, and the log says why";
        join_all(jobs.map(async |job| job.give_up(PLATFORM_TRIES, why).await)).await;
    } else {
        let runner = Parts::read(env).map(|parts| Runner::new(&parts));
        work(jobs, &runner).await;
    }
}

/// Does every task, at the same time, so that what somebody is slow to answer holds up nothing but what is to come to the
/// same place after it. Any may be brought twice.
async fn work<'a>(jobs: impl Iterator<Item = Job<'a>>, runner: &Result<Runner, Misconfigured>) {
    let mut lines: Vec<Vec<Job<'_>>> = Vec::new();
    for job in jobs {
        match lines.iter_mut().find(|line| line[0].is_in_the_way_of(&job)) {
            Some(line) => line.push(job),
            None => lines.push(vec![job]),
        }
    }
    join_all(lines.into_iter().map(async |line| {
        let mut put_off = None;
        for job in line {
            match put_off {
                // Whoever could not take the one before cannot take it yet; where none could be done, none of it counts.
                Some(wait) if runner.is_ok() => job.again(wait),
                _ => put_off = job.work(runner).await,
            }
        }
    }))
    .await;
}

/// Does tasks, and measures how long each takes.
struct Runner {
    tasks: Tasks,
    metrics: Arc<dyn Metrics>,
}

impl Runner {
    fn new(parts: &Parts) -> Self {
        Self {
            tasks: parts.tasks(),
            metrics: operations(&parts.config).metrics,
        }
    }

    async fn run(&self, task: &Task) -> Result<(), Trouble> {
        let began = WorkersClock.now();
        let done = match in_time(DEADLINE, self.tasks.run(task)).await {
            Ok(done) => done.map_err(Trouble::from),
            Err(too_long) => Err(too_long.into()),
        };
        let took = WorkersClock.now().since(began).as_secs_f64();
        let outcome = if done.is_ok() { "ok" } else { "failed" };
        self.metrics
            .record(&TASK_SECONDS, &[task.kind(), outcome], took);
        done
    }
}

/// A message that was brought.
struct Job<'a> {
    message: RawMessage,
    text: String,
    task: Result<Task, serde_json::Error>,
    /// How often it was brought before.
    tries: u32,
    env: &'a Env,
    limits: &'a Limits,
}

/// Why a task was not done.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Misconfigured(#[from] Misconfigured),
    #[error("it is no task of this version: {0}")]
    NoTask(String),
    #[error(transparent)]
    Failed(#[from] TaskError),
    #[error(transparent)]
    TooLong(#[from] TooLong),
    #[error(transparent)]
    Sql(#[from] SqlError),
}

impl Trouble {
    /// How long a task waits that has failed so now, and `tries` times before; `None` if it is given up. What `dice` says
    /// should be random.
    ///
    /// What is no task of this version is tried as often as a task: one that another version has sent comes to that
    /// version, while both are deployed, or this one has taken its place by then.
    fn wait(
        &self,
        limits: &Limits,
        task: Option<&Task>,
        tries: u32,
        dice: u32,
    ) -> Option<Duration> {
        let retry = match self {
            Self::Misconfigured(_) => return Some(UNCONFIGURED),
            Self::Failed(error) => error.retry(),
            Self::NoTask(_) | Self::TooLong(_) | Self::Sql(_) => Retry::Later,
        };
        match task {
            Some(task) => retry.wait(limits, task, tries, dice),
            None => (tries + 1 < limits.task_tries).then(|| outbox::backoff(limits, tries, dice)),
        }
    }
}

impl<'a> Job<'a> {
    fn new(message: PlatformMessage, env: &'a Env, limits: &'a Limits) -> Self {
        let counted: &CountedMessage = message.unchecked_ref();
        let tries = counted.attempts().saturating_sub(1);
        let message = RawMessage::from(message);
        let text = message.body().as_string().unwrap_or_default();
        Self {
            task: serde_json::from_str(&text),
            message,
            text,
            tries,
            env,
            limits,
        }
    }

    /// Whether both bring something to the same place: of two at a time, one would find the other at it, and come again
    /// much later.
    fn is_in_the_way_of(&self, other: &Self) -> bool {
        let place = |job: &Self| match &job.task {
            Ok(Task::Effect(effect)) => {
                Some((effect.booking.clone(), effect.party, effect.channel))
            }
            _ => None,
        };
        place(self).is_some_and(|own| place(other) == Some(own))
    }

    /// Does the task, and says how long it is put off if it could not be done now.
    async fn work(self, runner: &Result<Runner, Misconfigured>) -> Option<Duration> {
        let Err(trouble) = self.attempt(runner).await else {
            self.message.ack();
            self.tell_done();
            return None;
        };
        let task = self.task.as_ref().ok();
        let wait = trouble.wait(self.limits, task, self.tries, dice());
        if let Trouble::Misconfigured(_) = trouble {
            self.tell_failed(
                "a job waits for the configuration to be put right",
                &trouble,
                wait,
            );
            self.start_over().await;
        } else if let Some(wait) = wait {
            self.tell_failed("a job failed, and is tried again", &trouble, Some(wait));
            self.again(wait);
        } else {
            self.tell_failed("a job failed, and is a dead letter now", &trouble, None);
            self.give_up(self.tries + 1, &trouble.to_string()).await;
        }
        wait
    }

    /// Says that it is done, of one of which something else may have been said before.
    fn tell_done(&self) {
        if self.tries > 0 {
            let fields = [
                ("job", self.message.id().into()),
                ("task", self.kind().into()),
                ("tries", (self.tries + 1).into()),
            ];
            log::info("a job is done that was brought before", fields);
        }
    }

    fn tell_failed(&self, message: &str, trouble: &Trouble, wait: Option<Duration>) {
        let fields = [
            ("job", self.message.id().into()),
            ("task", self.kind().into()),
            ("tries", (self.tries + 1).into()),
            ("wait_secs", wait.map(seconds).into()),
            ("error", trouble.to_string().into()),
        ];
        log::error(message, fields);
    }

    /// One word for what kind of task it is, if it can be read.
    fn kind(&self) -> Option<&'static str> {
        self.task.as_ref().ok().map(Task::kind)
    }

    async fn attempt(&self, runner: &Result<Runner, Misconfigured>) -> Result<(), Trouble> {
        let task = self.task.as_ref();
        let task = task.map_err(|error| Trouble::NoTask(error.to_string()))?;
        let runner = runner.as_ref().map_err(Misconfigured::clone)?;
        runner.run(task).await?;
        if let Some(actor) = wants(task) {
            (Build::running().fault)(&actor, Moment::Done)?;
        }
        Ok(())
    }

    /// Has the message brought again, after whole seconds.
    fn again(&self, wait: Duration) {
        let options = QueueRetryOptionsBuilder::new().with_delay_seconds(seconds(wait));
        self.message.retry_with_options(&options.build());
    }

    /// Has the task brought as if it had never been: whoever has to put something right may take their time, and none of
    /// it counts as a try. What dies in between is there twice.
    async fn start_over(&self) {
        match put(self.env, self.text.clone(), UNCONFIGURED).await {
            Ok(()) => self.message.ack(),
            Err(problem) => {
                log::failed("the queue does not take a job back", &problem);
                self.again(UNCONFIGURED);
            }
        }
    }

    /// Keeps the task among the dead letters, and lets go of it then: what dies in between is brought once more.
    async fn give_up(&self, tries: u32, why: &str) {
        let given_up = GivenUp {
            message: &self.message.id(),
            text: &self.text,
            task: self.task.as_ref().ok(),
            tries,
            why,
            at: WorkersClock.now(),
        };
        match DeadLetters::new(self.env).keep(given_up).await {
            Ok(()) => self.message.ack(),
            Err(problem) => {
                log::failed("a dead letter is not kept", &problem);
                self.again(outbox::backoff(self.limits, self.tries, dice()));
            }
        }
    }
}

/// Chance, by which what has failed together does not come back together.
pub(crate) fn dice() -> u32 {
    let mut bytes = [0; 4];
    WorkersRandom.fill(&mut bytes);
    u32::from_ne_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tries: u32, expect: Option<u64>) {
        let trouble = Trouble::NoTask("expected value".into());
        let wait = trouble.wait(&Limits::default(), None, tries, u32::MAX);
        assert_eq!(wait, expect.map(Duration::from_secs), "{tries}");
    }

    #[test]
    fn what_is_no_task_of_this_version_waits_for_one_that_knows_it_and_is_given_up_in_the_end() {
        check(0, Some(1));
        check(8, Some(256));
        check(18, Some(3600));
        check(19, None);
    }

    #[test]
    fn the_platform_gives_up_after_as_many_tries_as_are_told_of() {
        let config = include_str!("../wrangler.toml");
        let lines = config.lines();
        let mut counts: Vec<_> = lines
            .filter_map(|line| line.strip_prefix("max_retries = "))
            .collect();
        counts.dedup();
        assert_eq!(counts, [(PLATFORM_TRIES - 1).to_string()]);
        let table = Limits::default().table();
        let tries = table.iter().find(|limit| limit.name == "task_tries");
        assert!(tries.is_some_and(|limit| limit.most <= PLATFORM_TRIES));
    }
}
