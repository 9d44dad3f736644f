//! The register of actors that have something to do later, in case that the platform forgets to wake one: an alarm
//! that it could not ring a few times, it never rings again.
//!
//! An object comes into the register before it stores what makes it wait for an alarm, and goes out of it once there
//! is nothing left to wait for. Both leave a mark in its own storage, in the transaction that they belong to:
//!
//! ```text
//! object    tries a command, which would leave work behind: rolled back        …    finds nothing left to do
//! register                                     row with a new mark                                  row removed
//! object                                                    command and mark: committed     mark erased ┘
//! ```
//!
//! So whoever waits is in the register, whatever is lost in between; what is in it for nothing, the sweep finds out.
//! Each coming has a row of its own, by its mark: whatever order they take effect in, nobody's going removes another's
//! coming.
//!
//! Of actors that wait, bookings alone come here. What people are to hear of stands in the outboxes of bookings; what
//! other actors wait for is told them by bookings, or tidies up, and the next command to any object sets its alarm anew.
//!
//! Whoever keeps something sealed is in the register, too: before a key is taken away, all that it has sealed has to be
//! found, and the platform lists no objects by name.

use std::time::Duration;

use huddle_core::index::{Index as _, IndexError, Statement};
use huddle_core::sql::{Row, Sql, SqlError, Value};
use huddle_core::{ActorKind, ActorName, UnknownActor, user_connector};
use huddle_ports::Timestamp;
use worker::{Env, js_sys};

use huddle_workers_platform::D1Index;

/// The table in the storage of an object that comes into the register, of one row at most.
const OWN_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS registration (mark INTEGER NOT NULL PRIMARY KEY) WITHOUT ROWID";

/// How much longer than it wants to wait an actor is left alone. Longer than most bookings are held, so that these
/// come and go without a word in between.
const PATIENCE: Duration = Duration::from_mins(20);

/// After how long an actor that keeps something sealed is asked whether it still does.
const KEEPING: Duration = Duration::from_hours(30 * 24);

/// Names one coming of an actor among its others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(i64);

impl Mark {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a fraction of 2⁵³ is a whole number that JavaScript keeps exactly"
    )]
    fn random() -> Self {
        const SAFE_INTEGERS: f64 = 9_007_199_254_740_992.0;
        Self((js_sys::Math::random() * SAFE_INTEGERS) as i64)
    }
}

/// Whether actors of a kind come into the register.
pub(crate) const fn has(kind: ActorKind) -> bool {
    matches!(kind, ActorKind::Booking | ActorKind::UserConnector)
}

/// Until when nothing need be heard of an actor that wants to be woken `next`; `None` if it has no business in the
/// register.
pub(crate) fn until(
    sql: &mut dyn Sql,
    actor: &ActorName,
    next: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Timestamp>, SqlError> {
    match actor.kind() {
        ActorKind::Booking => Ok(next),
        ActorKind::UserConnector => {
            // With no key at all.
            let keeps = user_connector::sealed_otherwise(sql, "", "", 1)?;
            Ok(keeps.first().map(|_| now + KEEPING))
        }
        ActorKind::HostMatch | ActorKind::RateLimiter => Ok(None),
    }
}

/// Makes the place for the mark in the storage of an object.
pub(crate) fn prepare(sql: &mut dyn Sql) -> Result<(), SqlError> {
    sql.script(OWN_TABLE)
}

/// The mark in the storage of an object.
pub(crate) fn mark(sql: &mut dyn Sql) -> Result<Option<Mark>, SqlError> {
    let rows = sql.query("SELECT mark FROM registration", &[])?;
    rows.first().map(|row| row.get(0).map(Mark)).transpose()
}

/// Leaves a mark, where there is none.
pub(crate) fn leave(sql: &mut dyn Sql, mark: Mark) -> Result<(), SqlError> {
    sql.query(
        "INSERT INTO registration (mark) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM registration)",
        &[mark.0.into()],
    )?;
    Ok(())
}

/// Erases the mark.
pub(crate) fn erase(sql: &mut dyn Sql) -> Result<(), SqlError> {
    sql.query("DELETE FROM registration", &[])?;
    Ok(())
}

/// An actor in the register.
#[derive(Debug)]
pub(crate) struct Entry {
    actor: Value,
    mark: Value,
}

impl Entry {
    /// The actor, if this version knows its kind.
    pub(crate) fn actor(&self) -> Option<ActorName> {
        match &self.actor {
            Value::Text(name) => name.parse().ok(),
            _ => None,
        }
    }
}

/// The register, in the index.
#[derive(Debug)]
pub(crate) struct Register(D1Index);

impl Register {
    pub(crate) fn new(env: &Env) -> Self {
        Self(D1Index::new(env.clone()))
    }

    /// Takes an actor in, which then leaves the mark.
    pub(crate) async fn enter(
        &self,
        actor: &ActorName,
        now: Timestamp,
    ) -> Result<Mark, IndexError> {
        let mark = Mark::random();
        let bindings = vec![
            Value::Text(actor.to_string()),
            Value::Integer(mark.0),
            millis(now + PATIENCE),
        ];
        let sql = "INSERT INTO pending_actors (actor, mark, due) VALUES (?1, ?2, ?3)";
        self.0.batch(vec![Statement { sql, bindings }]).await?;
        Ok(mark)
    }

    /// Notes until when the actor waits that has left the mark; not at all any more, without a moment.
    pub(crate) async fn note(
        &self,
        actor: &ActorName,
        Mark(mark): Mark,
        until: Option<Timestamp>,
    ) -> Result<(), IndexError> {
        let entry = Entry {
            actor: Value::Text(actor.to_string()),
            mark: Value::Integer(mark),
        };
        self.note_all(vec![(entry, until)]).await
    }

    /// Does the same for many.
    pub(crate) async fn note_all(
        &self,
        entries: Vec<(Entry, Option<Timestamp>)>,
    ) -> Result<(), IndexError> {
        if entries.is_empty() {
            return Ok(());
        }
        let statement = |(Entry { actor, mark }, until): (Entry, Option<Timestamp>)| match until {
            Some(until) => Statement {
                sql: "UPDATE pending_actors SET due = ?3 WHERE actor = ?1 AND mark = ?2",
                bindings: vec![actor, mark, millis(until + PATIENCE)],
            },
            None => Statement {
                sql: "DELETE FROM pending_actors WHERE actor = ?1 AND mark = ?2",
                bindings: vec![actor, mark],
            },
        };
        self.0
            .batch(entries.into_iter().map(statement).collect())
            .await
    }

    /// At most `limit` actors after the one named `after` that keep something sealed, or did so lately; the empty text is
    /// before the first.
    pub(crate) async fn keeping(
        &self,
        after: &str,
        limit: u32,
    ) -> Result<Vec<ActorName>, IndexError> {
        let sql = "SELECT DISTINCT actor FROM pending_actors \
             WHERE actor > max(?1, 'user-connector/') AND actor < 'user-connector0' ORDER BY actor LIMIT ?2";
        let bindings = vec![Value::Text(after.to_owned()), Value::Integer(limit.into())];
        let rows = self.0.query(Statement { sql, bindings }).await?;
        let name = |row: &Row| {
            let name = row.get::<String>(0)?.parse();
            name.map_err(|error: UnknownActor| IndexError(error.to_string()))
        };
        rows.iter().map(name).collect()
    }

    /// Takes at most `limit` entries that nobody was heard of in time, the longest due first. They are due again later,
    /// whatever becomes of them now: so the next take has others, and all come up in turn.
    pub(crate) async fn take_overdue(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Entry>, IndexError> {
        let sql = "UPDATE pending_actors SET due = ?2 WHERE (actor, mark) IN \
             (SELECT actor, mark FROM pending_actors WHERE due <= ?1 ORDER BY due LIMIT ?3) \
             RETURNING actor, mark";
        let bindings = vec![
            millis(now),
            millis(now + PATIENCE),
            Value::Integer(limit.into()),
        ];
        let rows = self.0.query(Statement { sql, bindings }).await?;
        let entry = |Row(mut values): Row| {
            let mark = values.pop()?;
            let actor = values.pop()?;
            Some(Entry { actor, mark })
        };
        Ok(rows.into_iter().filter_map(entry).collect())
    }
}

fn millis(moment: Timestamp) -> Value {
    Value::Integer(moment.as_millis())
}
