//! What is to be done outside an actor, kept with the decision that wants it, and the timers: what a
//! runtime's pump asks a store for.
//!
//! A pump takes what is due, does it, and only then says so. A process that dies in between does it
//! again, so whoever receives a task must not mind a second time.

use std::time::Duration;

use huddle_ports::Timestamp;
use huddle_syntax::Did;
use serde::{Deserialize, Serialize};

use crate::actor::{ActorName, Command};
use crate::booking::BookingId;
use crate::effects::{Channel, Effect};
use crate::index::audit::Deed;
use crate::limits::{Limits, secs};
use crate::sql::{Binding, Row, Sql, SqlError};
use crate::user_connector::connector::ConnectorId;

/// The kind of [`Task::Tell`].
pub const TELL: &str = "tell";

/// More than an actor ever has timers.
const TIMERS: u32 = 4;

/// Work for outside the actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// Bring a command to another actor; the reply interests nobody.
    Tell {
        /// The other actor.
        to: ActorName,
        /// What to ask of it.
        command: Box<Command>,
    },
    /// Go on with a booking whose driver has not come back.
    Resume(BookingId),
    /// Bring what lists and searches read up to the booking's present revision, and see to it that it is shown to
    /// whoever is to see it.
    Project(BookingId),
    /// Write down that somebody has done something with what is theirs.
    Record {
        /// Who.
        person: Did,
        /// When.
        at: Timestamp,
        /// What.
        deed: Deed,
    },
    /// Have searches find somebody or not, as a revision of their preferences says.
    List {
        /// Who.
        person: Did,
        /// Whether they are to be found.
        listed: bool,
        /// The revision.
        revision: u32,
        /// When it was put.
        at: Timestamp,
    },
    /// Bring what one side is shown of a booking, and where, up to a revision.
    Effect(Effect),
    /// Ask somebody by mail whether the address is theirs that they have entered.
    ConfirmAddress {
        /// Who has entered it.
        person: Did,
        /// What the token belongs to.
        mark: String,
    },
    /// Tell somebody by mail that a calendar which they have connected lets Huddle in no more.
    TellDisconnected {
        /// Whose it is.
        person: Did,
        /// The account.
        connector: ConnectorId,
        /// How often it was connected then.
        revision: u32,
        /// Since when.
        at: Timestamp,
    },
}

impl Task {
    /// One word for what kind of task it is. Kinds are looked for one by one, so that none hides another.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Tell { .. } => TELL,
            Self::Resume(_) => "resume",
            // All are for the index.
            Self::Project(_) | Self::Record { .. } | Self::List { .. } => "project",
            Self::Effect(effect) => effect.channel.as_str(),
            Self::ConfirmAddress { .. } | Self::TellDisconnected { .. } => Channel::Mail.as_str(),
        }
    }

    /// How often it is tried before it is a dead letter; `None` is until it is done, because other actors count on it.
    pub const fn tries(&self, limits: &Limits) -> Option<u32> {
        match self {
            Self::Tell { .. } => None,
            Self::Resume(_)
            | Self::Project(_)
            | Self::Record { .. }
            | Self::List { .. }
            | Self::Effect(_)
            | Self::ConfirmAddress { .. }
            | Self::TellDisconnected { .. } => Some(limits.task_tries),
        }
    }
}

/// A task in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Names the entry within its store.
    pub id: i64,
    /// The actor that wants it done.
    pub actor: ActorName,
    /// What to do.
    pub task: Task,
    /// How often it has failed.
    pub tries: u32,
}

pub(crate) fn push(
    sql: &mut dyn Sql,
    actor: &ActorName,
    task: &Task,
    due: Timestamp,
) -> Result<(), SqlError> {
    sql.query(
        "INSERT INTO outbox (actor, kind, task, due) VALUES (?1, ?2, ?3, ?4)",
        &[
            actor.as_str().into(),
            task.kind().into(),
            (&serde_json::to_string(task)?).into(),
            due.into(),
        ],
    )?;
    Ok(())
}

/// Every [kind](Task::kind) that a task can be of.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    let inside = [TELL, "resume", "project"].into_iter();
    inside.chain(Channel::ALL.map(Channel::as_str))
}

/// At most `limit` entries of one kind that are due, the longest due first. One that this version cannot read, say
/// because a later one wrote it, becomes a dead letter and holds nothing up. Those of a kind that only a later version has
/// wait for that.
pub fn due(
    sql: &mut dyn Sql,
    kind: &'static str,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Entry>, SqlError> {
    let rows = sql.query(
        "SELECT id, actor, task, tries FROM outbox WHERE kind = ?1 AND due <= ?2 ORDER BY due, id LIMIT ?3",
        &[kind.into(), now.into(), limit.into()],
    )?;
    let mut entries = Vec::with_capacity(rows.len());
    for row in &rows {
        match entry(row) {
            Ok(entry) => entries.push(entry),
            Err(_) => failed(sql, row.get(0)?, None)?,
        }
    }
    Ok(entries)
}

fn entry(row: &Row) -> Result<Entry, SqlError> {
    Ok(Entry {
        id: row.get(0)?,
        actor: name(&row.get::<String>(1)?)?,
        task: serde_json::from_str(&row.get::<String>(2)?)?,
        tries: row.get(3)?,
    })
}

/// The task is done.
pub fn done(sql: &mut dyn Sql, id: i64) -> Result<(), SqlError> {
    sql.query("DELETE FROM outbox WHERE id = ?1", &[id.into()])?;
    Ok(())
}

/// The task has failed and is due again at `due`; `None` makes it a dead letter, kept for an operator.
pub fn failed(sql: &mut dyn Sql, id: i64, due: Option<Timestamp>) -> Result<(), SqlError> {
    sql.query(
        "UPDATE outbox SET due = ?2, tries = tries + 1 WHERE id = ?1",
        &[id.into(), Binding::from(due)],
    )?;
    Ok(())
}

/// A task that was given up, for an operator to look at. It is as it was stored: what made it a dead letter
/// may be that it cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// Names the entry within its store.
    pub id: i64,
    /// The actor that wants it done.
    pub actor: String,
    /// The task, as JSON.
    pub task: String,
    /// How often it has failed.
    pub tries: u32,
}

/// At most `limit` dead letters after the one named `after`, in the order in which they were sent; the first
/// has an id above 0.
pub fn dead_letters(
    sql: &mut dyn Sql,
    after: i64,
    limit: u32,
) -> Result<Vec<DeadLetter>, SqlError> {
    let rows = sql.query(
        "SELECT id, actor, task, tries FROM outbox WHERE due IS NULL AND id > ?1 ORDER BY id LIMIT ?2",
        &[after.into(), limit.into()],
    )?;
    let letter = |row: &Row| {
        Ok(DeadLetter {
            id: row.get(0)?,
            actor: row.get(1)?,
            task: row.get(2)?,
            tries: row.get(3)?,
        })
    };
    rows.iter().map(letter).collect()
}

/// Has a dead letter tried again from `due` on, as if it had never failed; says whether there is one of this id.
pub fn requeue(sql: &mut dyn Sql, id: i64, due: Timestamp) -> Result<bool, SqlError> {
    let rows = sql.query(
        "UPDATE outbox SET due = ?2, tries = 0 WHERE id = ?1 AND due IS NULL RETURNING 1",
        &[id.into(), due.into()],
    )?;
    Ok(!rows.is_empty())
}

/// How long to wait before a task is tried again that failed just now, and `tries` times before that:
/// 1 s doubling up to the longest wait that the limits allow, and of that a share that `dice`, which should be random,
/// decides ("full jitter": whatever failed together does not come back together).
pub fn backoff(limits: &Limits, tries: u32, dice: u32) -> Duration {
    let doubled = Duration::from_secs(1 << tries.min(DOUBLINGS));
    let ceiling = doubled.min(secs(limits.task_wait_secs));
    ceiling.mul_f64(f64::from(dice) / f64::from(u32::MAX))
}

/// So many times doubled, a second is longer than any wait.
const DOUBLINGS: u32 = 32;

/// At most `limit` actors that want to be woken, the longest due first; those of kinds that this version
/// does not know are left out.
pub fn actors_to_wake(
    sql: &mut dyn Sql,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<ActorName>, SqlError> {
    // In the order of the index and no further: to group what is due would read all of it, each time.
    let rows = sql.query(
        "SELECT actor FROM timer WHERE due <= ?1 ORDER BY due LIMIT ?2",
        &[now.into(), limit.saturating_mul(TIMERS).into()],
    )?;
    let mut actors = Vec::new();
    for row in &rows {
        let actor: String = row.get(0)?;
        if let Ok(actor) = name(&actor)
            && !actors.contains(&actor)
        {
            actors.push(actor);
        }
    }
    actors.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(actors)
}

/// When the next task or timer of the store is due; `None` while it wants nothing.
pub fn next_due(sql: &mut dyn Sql) -> Result<Option<Timestamp>, SqlError> {
    let mut moments = sql.query("SELECT min(due) FROM timer", &[])?;
    for kind in kinds() {
        moments.extend(sql.query(
            "SELECT min(due) FROM outbox WHERE kind = ?1",
            &[kind.into()],
        )?);
    }
    let mut next = None;
    for row in &moments {
        let moment: Option<Timestamp> = row.get(0)?;
        next = next.into_iter().chain(moment).min();
    }
    Ok(next)
}

fn name(text: &str) -> Result<ActorName, SqlError> {
    text.parse()
        .map_err(|error: crate::actor::UnknownActor| SqlError::Store(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_doubles_up_to_an_hour_and_chance_shortens_it() {
        let backoff = |tries, dice| backoff(&Limits::default(), tries, dice);
        assert_eq!(backoff(0, u32::MAX), Duration::from_secs(1));
        assert_eq!(backoff(3, u32::MAX), Duration::from_secs(8));
        assert_eq!(backoff(12, u32::MAX), Duration::from_hours(1));
        assert_eq!(backoff(u32::MAX, u32::MAX), Duration::from_hours(1));
        assert_eq!(backoff(5, 0), Duration::ZERO);
        assert!(backoff(5, u32::MAX / 2) < Duration::from_secs(17));
    }

    #[test]
    fn waiting_doubles_up_to_what_the_limits_say() {
        for (task_wait_secs, waits) in [(60, [32, 60, 60]), (43_200, [32, 64, 43_200])] {
            let limits = Limits {
                task_wait_secs,
                ..Limits::default()
            };
            let found = [5, 6, 16].map(|tries| backoff(&limits, tries, u32::MAX).as_secs());
            assert_eq!(found, waits);
        }
    }
}
