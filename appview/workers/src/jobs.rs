//! What actors want done and nobody waits for: it goes through a queue, which brings it until it is done.
//!
//! When something is brought again is decided here, by what went wrong, and so is when it is given up. What is given up
//! goes into a queue of its own as it is, so that somebody who has mended the cause can have it brought once more.

use std::time::Duration;

use futures_util::future::join_all;
use huddle_core::outbox::{self, Task};
use huddle_core::tasks::{Retry, TaskError, Tasks};
use huddle_ports::Random as _;
use huddle_workers_platform::{Misconfigured, WorkersRandom};
use worker::wasm_bindgen::prelude::*;
use worker::worker_sys::{Message as PlatformMessage, MessageBatch};
use worker::{
    Env, MessageExt as _, QueueContentType, QueueRetryOptionsBuilder, RawMessage,
    RawMessageBuilder, console_error, wasm_bindgen,
};

use crate::deadline::{TooLong, in_time};
use crate::parts::Parts;

/// The binding of the queue.
const QUEUE: &str = "JOBS";

/// The binding of the queue for what was given up.
const DEAD_LETTERS: &str = "DEAD_JOBS";

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
    put(env, QUEUE, serde_json::to_string(task)?, Duration::ZERO).await
}

async fn put(env: &Env, queue: &str, task: String, wait: Duration) -> worker::Result<()> {
    let message = RawMessageBuilder::new(task.into()).delay_seconds(seconds(wait));
    let message = message.build_with_content_type(QueueContentType::Text);
    env.queue(queue)?.send_raw(message).await
}

/// Whole seconds, and none too few.
fn seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
}

/// Does every task of a batch, at the same time, so that what somebody is slow to answer holds up nothing but what is to
/// come to the same place after it. Any may be brought twice.
pub(crate) async fn work_off(batch: &MessageBatch, env: &Env) {
    let tasks = Parts::read(env).map(|parts| parts.tasks());
    let messages = batch.messages().expect("a batch has messages");
    let mut lines: Vec<Vec<Job<'_>>> = Vec::new();
    for message in messages.iter() {
        let job = Job::new(message.unchecked_into(), env);
        match lines.iter_mut().find(|line| line[0].is_in_the_way_of(&job)) {
            Some(line) => line.push(job),
            None => lines.push(vec![job]),
        }
    }
    join_all(lines.into_iter().map(async |line| {
        let mut put_off = None;
        for job in line {
            match put_off {
                None => put_off = job.work(&tasks).await,
                // Whoever could not take the one before cannot take it yet.
                Some(wait) => job.again(wait),
            }
        }
    }))
    .await;
}

/// A message that was brought.
struct Job<'a> {
    message: RawMessage,
    text: String,
    task: Result<Task, serde_json::Error>,
    /// How often it was brought before.
    tries: u32,
    env: &'a Env,
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
}

/// A task that was not done.
struct Undone {
    trouble: Trouble,
    /// How long it waits; `None` if it is given up.
    wait: Option<Duration>,
}

impl Undone {
    fn new(trouble: impl Into<Trouble>, wait: Option<Duration>) -> Self {
        Self {
            trouble: trouble.into(),
            wait,
        }
    }
}

impl<'a> Job<'a> {
    fn new(message: PlatformMessage, env: &'a Env) -> Self {
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
    async fn work(self, tasks: &Result<Tasks, Misconfigured>) -> Option<Duration> {
        let Err(Undone { trouble, wait }) = self.attempt(tasks).await else {
            self.message.ack();
            return None;
        };
        let id = self.message.id();
        if let Trouble::Misconfigured(_) = trouble {
            console_error!("job {id} waits for the configuration to be put right: {trouble}");
            self.start_over().await;
        } else if let Some(wait) = wait {
            console_error!("job {id} failed, and is tried again in {wait:?}: {trouble}");
            self.again(wait);
        } else {
            console_error!("job {id} failed, and is a dead letter now: {trouble}");
            self.give_up().await;
        }
        wait
    }

    async fn attempt(&self, tasks: &Result<Tasks, Misconfigured>) -> Result<(), Undone> {
        let task = self.task.as_ref();
        let task = task.map_err(|error| Undone::new(Trouble::NoTask(error.to_string()), None))?;
        let tasks = tasks.as_ref();
        let tasks = tasks.map_err(|problem| Undone::new(problem.clone(), Some(UNCONFIGURED)))?;
        let wait = |retry: Retry| retry.wait(task, self.tries, dice());
        match in_time(DEADLINE, tasks.run(task)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                let wait = wait(error.retry());
                Err(Undone::new(error, wait))
            }
            Err(too_long) => Err(Undone::new(too_long, wait(Retry::Later))),
        }
    }

    /// Has the message brought again, after whole seconds.
    fn again(&self, wait: Duration) {
        let options = QueueRetryOptionsBuilder::new().with_delay_seconds(seconds(wait));
        self.message.retry_with_options(&options.build());
    }

    /// Has the task brought as if it had never been: whoever has to put something right may take their time, and none of
    /// it counts as a try. What dies in between is there twice.
    async fn start_over(&self) {
        match put(self.env, QUEUE, self.text.clone(), UNCONFIGURED).await {
            Ok(()) => self.message.ack(),
            Err(problem) => {
                console_error!("{QUEUE} does not take a task back: {problem}");
                self.again(UNCONFIGURED);
            }
        }
    }

    /// Puts the task among the dead letters first: what dies in between is there twice, and nothing is lost.
    async fn give_up(self) {
        match put(self.env, DEAD_LETTERS, self.text.clone(), Duration::ZERO).await {
            Ok(()) => self.message.ack(),
            Err(problem) => {
                console_error!("{DEAD_LETTERS} does not take a dead letter: {problem}");
                self.again(outbox::backoff(self.tries, dice()));
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
