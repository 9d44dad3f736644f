//! One command's turn in the serial life of an actor.

use huddle_ports::Timestamp;

use crate::actor::{self, ActorName};
use crate::limits::Limits;
use crate::outbox::{self, Task};
use crate::sql::{Binding, Row, Sql, SqlError};

/// What a decision gets to see and to change: the actor's rows and timers, its outbox, its time.
pub(crate) struct Turn<'a> {
    sql: &'a mut dyn Sql,
    name: &'a ActorName,
    limits: &'a Limits,
    clock: Timestamp,
    now: Timestamp,
    wrote: bool,
}

impl<'a> Turn<'a> {
    pub(crate) fn begin(
        sql: &'a mut dyn Sql,
        name: &'a ActorName,
        clock: Timestamp,
        limits: &'a Limits,
    ) -> Result<Self, SqlError> {
        let rows = sql.query(
            "SELECT latest FROM actor WHERE name = ?1",
            &[name.as_str().into()],
        )?;
        let latest = match rows.first() {
            Some(row) => row.get(0)?,
            None => Timestamp::MIN,
        };
        Ok(Self {
            sql,
            name,
            limits,
            clock,
            now: clock.max(latest),
            wrote: false,
        })
    }

    /// Stores the time, if anything was written at it that is still there.
    ///
    /// The time is kept so that what was decided at one moment is not judged by an earlier one. Once
    /// none of it is left, there is nothing to judge: the actor is as one that nobody ever asked, whose
    /// time may be anything. Its outbox and timers are no reason to keep it: they go by the clock.
    pub(crate) fn end(self) -> Result<(), SqlError> {
        if !self.wrote {
            return Ok(());
        }
        let name = self.name.as_str();
        if actor::remembers(self.sql, self.name)? {
            self.sql.query(
                "INSERT INTO actor (name, latest) VALUES (?1, ?2) \
                 ON CONFLICT (name) DO UPDATE SET latest = excluded.latest WHERE latest < excluded.latest",
                &[name.into(), self.now.into()],
            )?;
        } else {
            self.sql
                .query("DELETE FROM actor WHERE name = ?1", &[name.into()])?;
        }
        Ok(())
    }

    /// The actor's time: never before a moment at which it has written.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn name(&self) -> &'a ActorName {
        self.name
    }

    pub(crate) fn limits(&self) -> &'a Limits {
        self.limits
    }

    /// Runs a statement that changes nothing.
    pub(crate) fn read(
        &mut self,
        statement: &str,
        bindings: &[Binding<'_>],
    ) -> Result<Vec<Row>, SqlError> {
        self.sql.query(statement, bindings)
    }

    /// Runs a statement that changes rows, and gives those that it returns.
    pub(crate) fn write(
        &mut self,
        statement: &str,
        bindings: &[Binding<'_>],
    ) -> Result<Vec<Row>, SqlError> {
        self.wrote = true;
        self.sql.query(statement, bindings)
    }

    /// Puts work into the outbox; it is done after this turn has been committed, also where the
    /// actor's time is ahead of a clock that was set back.
    pub(crate) fn send(&mut self, task: &Task) -> Result<(), SqlError> {
        self.wrote = true;
        outbox::push(self.sql, self.name, task, self.clock)
    }

    /// Has the actor woken at `due`, and not again for `timer` until it is set anew.
    pub(crate) fn set_timer(&mut self, timer: &str, due: Timestamp) -> Result<(), SqlError> {
        self.write(
            "INSERT INTO timer (actor, name, due) VALUES (?1, ?2, ?3) \
             ON CONFLICT (actor, name) DO UPDATE SET due = excluded.due WHERE due <> excluded.due",
            &[self.name.as_str().into(), timer.into(), due.into()],
        )?;
        Ok(())
    }

    /// Has the actor woken at `due` at the latest.
    pub(crate) fn hasten_timer(&mut self, timer: &str, due: Timestamp) -> Result<(), SqlError> {
        self.write(
            "INSERT INTO timer (actor, name, due) VALUES (?1, ?2, ?3) \
             ON CONFLICT (actor, name) DO UPDATE SET due = excluded.due WHERE due > excluded.due",
            &[self.name.as_str().into(), timer.into(), due.into()],
        )?;
        Ok(())
    }

    pub(crate) fn clear_timer(&mut self, timer: &str) -> Result<(), SqlError> {
        self.write(
            "DELETE FROM timer WHERE actor = ?1 AND name = ?2",
            &[self.name.as_str().into(), timer.into()],
        )?;
        Ok(())
    }

    /// Takes the timers that are due, and says whether there were any.
    pub(crate) fn take_due_timers(&mut self) -> Result<bool, SqlError> {
        let due = self.read(
            "SELECT 1 FROM timer WHERE actor = ?1 AND due <= ?2 LIMIT 1",
            &[self.name.as_str().into(), self.now.into()],
        )?;
        if due.is_empty() {
            return Ok(false);
        }
        self.write(
            "DELETE FROM timer WHERE actor = ?1 AND due <= ?2",
            &[self.name.as_str().into(), self.now.into()],
        )?;
        Ok(true)
    }
}
