//! Tasks that were given up, kept in the index until an operator has them tried again: a queue forgets what nobody takes.
//!
//! A message is kept once, however often it is given up. What is tried again goes into the queue first and out of here
//! then: what dies in between is in both, and a task that is done twice is done once.

pub(crate) mod routes;

use std::time::Duration;

use huddle_core::ActorName;
use huddle_core::index::{Index as _, IndexError, Statement};
use huddle_core::outbox::{DeadLetter, Task};
use huddle_core::sql::{Row, SqlError, Value};
use huddle_ports::Timestamp;
use huddle_workers_platform::D1Index;
use serde::Serialize;
use worker::Env;

/// How many of the last numbers are kept: more than anybody looks through. A letter that is tried again in vain has a number
/// of its own each time.
const MOST: i64 = 10_000;

/// For how long one is kept.
const KEPT: Duration = Duration::from_hours(90 * 24);

/// How much of a reason is kept, in characters.
const MAX_WHY: usize = 500;

/// Whose a task is that cannot be read.
const UNKNOWN: &str = "unknown";

/// A task that is given up.
pub(crate) struct GivenUp<'a> {
    /// Names the message that brought it.
    pub(crate) message: &'a str,
    /// The task, as the message has it.
    pub(crate) text: &'a str,
    /// The same, if it can be read.
    pub(crate) task: Option<&'a Task>,
    /// How often it has failed.
    pub(crate) tries: u32,
    pub(crate) why: &'a str,
    pub(crate) at: Timestamp,
}

/// A task that was given up: what is listed on every runtime, and what is known here beside.
#[derive(Debug, Serialize)]
pub(crate) struct Kept {
    #[serde(flatten)]
    letter: DeadLetter,
    /// Why it failed the last time.
    why: String,
    /// When that was, in milliseconds since 1970.
    at: Timestamp,
    /// What the log names it by.
    message: String,
}

/// The dead letters, in the index.
#[derive(Clone, Debug)]
pub(crate) struct DeadLetters(D1Index);

impl DeadLetters {
    pub(crate) fn new(env: &Env) -> Self {
        Self(D1Index::new(env.clone()))
    }

    /// Keeps a task that is given up.
    pub(crate) async fn keep(&self, given_up: GivenUp<'_>) -> Result<(), IndexError> {
        let GivenUp {
            message,
            text,
            task,
            tries,
            why,
            at,
        } = given_up;
        let actor = task.and_then(wants).map(|actor| actor.to_string());
        let keep = Statement {
            sql: "INSERT INTO dead_letters (message, actor, task, tries, why, at) \
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (message) DO NOTHING",
            bindings: vec![
                Value::Text(message.to_owned()),
                Value::Text(actor.unwrap_or_else(|| UNKNOWN.to_owned())),
                Value::Text(text.to_owned()),
                Value::Integer(tries.into()),
                Value::Text(why.chars().take(MAX_WHY).collect()),
                Value::Integer(at.as_millis()),
            ],
        };
        let make_room = Statement {
            sql: "DELETE FROM dead_letters WHERE id <= (SELECT max(id) FROM dead_letters) - ?1",
            bindings: vec![Value::Integer(MOST)],
        };
        self.0.batch(vec![keep, make_room]).await
    }

    /// At most `limit` after the one named `after`, in the order in which they were given up; the first has an id above 0.
    async fn after(&self, after: u32, limit: u32) -> Result<Vec<Kept>, IndexError> {
        let sql = "SELECT id, actor, task, tries, why, at, message FROM dead_letters \
             WHERE id > ?1 ORDER BY id LIMIT ?2";
        let bindings = vec![Value::Integer(after.into()), Value::Integer(limit.into())];
        self.read(Statement { sql, bindings }).await
    }

    /// At most `limit` before the one named `before`, the latest first.
    async fn before(&self, before: u32, limit: u32) -> Result<Vec<Kept>, IndexError> {
        let sql = "SELECT id, actor, task, tries, why, at, message FROM dead_letters \
             WHERE id < ?1 ORDER BY id DESC LIMIT ?2";
        let bindings = vec![Value::Integer(before.into()), Value::Integer(limit.into())];
        self.read(Statement { sql, bindings }).await
    }

    /// The one of that id.
    async fn of(&self, id: u32) -> Result<Option<Kept>, IndexError> {
        let sql = "SELECT id, actor, task, tries, why, at, message FROM dead_letters WHERE id = ?1";
        let bindings = vec![Value::Integer(id.into())];
        let mut found = self.read(Statement { sql, bindings }).await?;
        Ok(found.pop())
    }

    async fn read(&self, statement: Statement) -> Result<Vec<Kept>, IndexError> {
        let rows = self.0.query(statement).await?;
        let kept: Result<_, SqlError> = rows.iter().map(kept).collect();
        Ok(kept?)
    }

    async fn remove(&self, ids: &[i64]) -> Result<(), IndexError> {
        let sql = "DELETE FROM dead_letters WHERE id IN (SELECT value FROM json_each(?1))";
        let bindings = vec![Value::Text(serde_json::to_string(ids)?)];
        self.0.batch(vec![Statement { sql, bindings }]).await
    }

    /// How many there are.
    pub(crate) async fn count(&self) -> Result<u32, IndexError> {
        let sql = "SELECT count(*) FROM dead_letters";
        let bindings = Vec::new();
        let rows = self.0.query(Statement { sql, bindings }).await?;
        let count = rows.first().map(|row| row.get(0)).transpose()?;
        Ok(count.unwrap_or_default())
    }

    /// Forgets those that were kept for long enough.
    pub(crate) async fn forget(&self, now: Timestamp) -> Result<(), IndexError> {
        let sql = "DELETE FROM dead_letters WHERE at < ?1";
        let bindings = vec![Value::Integer((now - KEPT).as_millis())];
        self.0.batch(vec![Statement { sql, bindings }]).await
    }
}

fn kept(row: &Row) -> Result<Kept, SqlError> {
    let letter = DeadLetter {
        id: row.get(0)?,
        actor: row.get(1)?,
        task: row.get(2)?,
        tries: row.get(3)?,
    };
    Ok(Kept {
        letter,
        why: row.get(4)?,
        at: row.get(5)?,
        message: row.get(6)?,
    })
}

/// The actor that wants a task done. Word between actors goes through no queue.
pub(crate) fn wants(task: &Task) -> Option<ActorName> {
    match task {
        Task::Tell { .. } => None,
        Task::Resume(id) | Task::Project(id) => Some(ActorName::booking(id)),
        Task::Effect(effect) => Some(ActorName::booking(&effect.booking)),
        Task::Record { person, .. }
        | Task::List { person, .. }
        | Task::ConfirmAddress { person, .. }
        | Task::TellDisconnected { person, .. } => Some(ActorName::user_connector(person)),
    }
}
