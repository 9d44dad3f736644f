//! What the actor does with connected accounts: reads, decides, writes.

use std::time::Duration;

use huddle_ports::Timestamp;

use super::connector::{
    BeginReading, BeingRead, Calendars, Connect, ConnectRefused, Connector, Disconnect,
    DisconnectRefused, EndReading, ForgetEvent, GetCalendars, Health, MAX_CONNECTORS, NoteEvent,
    Problem, Read, Reseal, Unread,
};
use super::sealing::Sealed;
use super::{person, preferences, record};
use crate::actor::ActorName;
use crate::idempotency::{self, Seen};
use crate::index::audit::Deed;
use crate::limits::secs;
use crate::outbox::Task;
use crate::sql::{Binding, Row, Sql, SqlError};
use crate::turn::Turn;

/// After how long a calendar is asked again that could not be read; each further time it is twice as long.
const FIRST_RETRY: Duration = Duration::from_secs(5);

/// The longest that a calendar which cannot be read is left alone, whatever its server asks for.
const LONGEST_RETRY: Duration = Duration::from_hours(1);

/// How long after a meeting it is known that it had an event.
const EVENT_KEPT: Duration = Duration::from_hours(24);

const TIMER: &str = "connectors";

pub(super) fn calendars(
    turn: &mut Turn<'_>,
    question: &GetCalendars,
) -> Result<Calendars, SqlError> {
    let actor = turn.name().as_str();
    let event_in = match &question.event_of {
        Some(booking) => turn.read(
            "SELECT connector FROM calendar_event WHERE actor = ?1 AND booking = ?2",
            &[actor.into(), booking.as_str().into()],
        )?,
        None => Vec::new(),
    };
    Ok(Calendars {
        connectors: connectors(turn)?,
        preferences: preferences(turn)?,
        event_in: event_in.first().map(|row| row.get(0)).transpose()?,
    })
}

fn connectors(turn: &mut Turn<'_>) -> Result<Vec<Connector>, SqlError> {
    let actor = turn.name().as_str();
    let rows = turn.read(
        "SELECT id, provider, access, label, created, revision, credentials, state, problem, retry, read_at, snapshot \
         FROM connector WHERE actor = ?1 ORDER BY created, id",
        &[actor.into()],
    )?;
    rows.iter().map(connector).collect()
}

fn connector(row: &Row) -> Result<Connector, SqlError> {
    let problem = || row.get(8);
    let health = match row.get::<String>(7)?.as_str() {
        "connected" => Health::Connected,
        "failing" => Health::Failing {
            problem: problem()?,
            retry_at: row.get(9)?,
        },
        _ => Health::Disconnected {
            problem: problem()?,
        },
    };
    Ok(Connector {
        id: row.get(0)?,
        provider: row.get(1)?,
        access: row.get(2)?,
        label: row.get(3)?,
        created_at: row.get(4)?,
        revision: row.get(5)?,
        credentials: row.get(6)?,
        health,
        read_at: row.get(10)?,
        snapshot: row.get(11)?,
    })
}

pub(super) fn connect(
    turn: &mut Turn<'_>,
    command: &Connect,
) -> Result<Result<(), ConnectRefused>, SqlError> {
    let actor = turn.name().as_str();
    let is_used = !turn
        .read(
            "SELECT 1 FROM used_ticket WHERE actor = ?1 AND nonce = ?2",
            &[actor.into(), (&command.nonce).into()],
        )?
        .is_empty();
    if is_used || command.ticket_expires_at <= turn.now() {
        return Ok(Err(ConnectRefused::TicketUsed));
    }
    let stored = if command.anew {
        reconnect(turn, command)?
    } else {
        add(turn, command)?
    };
    if stored.is_ok() {
        turn.write(
            "INSERT INTO used_ticket (actor, nonce, forget) VALUES (?1, ?2, ?3)",
            &[
                actor.into(),
                (&command.nonce).into(),
                command.ticket_expires_at.into(),
            ],
        )?;
        turn.hasten_timer(TIMER, command.ticket_expires_at)?;
        record(turn, Deed::CalendarConnected(command.provider))?;
    }
    Ok(stored)
}

fn add(turn: &mut Turn<'_>, command: &Connect) -> Result<Result<(), ConnectRefused>, SqlError> {
    let actor = turn.name().as_str();
    let rows = turn.read(
        "SELECT count(*) FROM connector WHERE actor = ?1",
        &[actor.into()],
    )?;
    let connected: u32 = rows.first().map_or(Ok(0), |row| row.get(0))?;
    if connected >= MAX_CONNECTORS {
        return Ok(Err(ConnectRefused::TooMany));
    }
    let now = turn.now();
    turn.write(
        "INSERT INTO connector (actor, id, provider, access, label, created, revision, credentials, sealed_with, state) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, 'connected')",
        &[
            actor.into(),
            command.id.as_str().into(),
            command.provider.as_str().into(),
            command.access.as_str().into(),
            Binding::from(command.label.as_deref()),
            now.into(),
            command.credentials.as_str().into(),
            command.credentials.key_id().into(),
        ],
    )?;
    Ok(Ok(()))
}

fn reconnect(
    turn: &mut Turn<'_>,
    command: &Connect,
) -> Result<Result<(), ConnectRefused>, SqlError> {
    let actor = turn.name().as_str();
    let changed = turn.write(
        "UPDATE connector SET provider = ?3, access = ?4, label = coalesce(?5, label), credentials = ?6, \
         sealed_with = ?7, revision = revision + 1, state = 'connected', problem = NULL, tries = 0, retry = NULL, \
         read_at = NULL, snapshot = NULL \
         WHERE actor = ?1 AND id = ?2 RETURNING 1",
        &[
            actor.into(),
            command.id.as_str().into(),
            command.provider.as_str().into(),
            command.access.as_str().into(),
            Binding::from(command.label.as_deref()),
            command.credentials.as_str().into(),
            command.credentials.key_id().into(),
        ],
    )?;
    Ok(if changed.is_empty() {
        Err(ConnectRefused::NotFound)
    } else {
        Ok(())
    })
}

pub(super) fn disconnect(
    turn: &mut Turn<'_>,
    command: &Disconnect,
) -> Result<Result<(), DisconnectRefused>, SqlError> {
    match idempotency::begin(turn, &command.key)? {
        Seen::Mismatch => return Ok(Err(DisconnectRefused::Mismatch)),
        Seen::Answered(_) => return Ok(Ok(())),
        // It is answered in the turn in which it comes, so none is ever left running.
        Seen::Fresh | Seen::Again | Seen::InFlight(_) => {}
    }
    let (actor, id) = (turn.name().as_str(), command.id.as_str());
    let gone = turn.write(
        "DELETE FROM connector WHERE actor = ?1 AND id = ?2 RETURNING provider",
        &[actor.into(), id.into()],
    )?;
    let Some(gone) = gone.first() else {
        idempotency::withdraw(turn, &command.key)?;
        return Ok(Err(DisconnectRefused::NotFound));
    };
    record(turn, Deed::CalendarRemoved(gone.get(0)?))?;
    turn.write(
        "DELETE FROM calendar_event WHERE actor = ?1 AND connector = ?2",
        &[actor.into(), id.into()],
    )?;
    idempotency::answer_running(turn, || Ok(String::new()))?;
    Ok(Ok(()))
}

pub(super) fn begin_reading(
    turn: &mut Turn<'_>,
    command: &BeginReading,
) -> Result<Result<Calendars, BeingRead>, SqlError> {
    let (actor, now) = (turn.name().as_str(), turn.now());
    let others = turn.read(
        "SELECT 1 FROM reading WHERE actor = ?1 AND reader <> ?2 AND until > ?3",
        &[actor.into(), (&command.reader).into(), now.into()],
    )?;
    if !others.is_empty() {
        return Ok(Err(BeingRead));
    }
    let calendars = calendars(turn, &GetCalendars { event_of: None })?;
    if !calendars.connectors.is_empty() {
        turn.write(
            "INSERT INTO reading (actor, reader, until) VALUES (?1, ?2, ?3) \
             ON CONFLICT (actor) DO UPDATE SET reader = excluded.reader, until = excluded.until",
            &[
                actor.into(),
                (&command.reader).into(),
                (now + secs(turn.limits().calendar_lease_secs)).into(),
            ],
        )?;
    }
    Ok(Ok(calendars))
}

pub(super) fn end_reading(turn: &mut Turn<'_>, command: &EndReading) -> Result<(), SqlError> {
    for read in &command.outcomes {
        match &read.outcome {
            Ok(snapshot) => store_snapshot(turn, read, snapshot)?,
            Err(unread) => store_problem(turn, read, *unread)?,
        }
    }
    if let Some(reader) = &command.reader {
        let actor = turn.name().as_str();
        turn.write(
            "DELETE FROM reading WHERE actor = ?1 AND reader = ?2",
            &[actor.into(), reader.into()],
        )?;
    }
    Ok(())
}

fn store_snapshot(turn: &mut Turn<'_>, read: &Read, snapshot: &Sealed) -> Result<(), SqlError> {
    let (actor, now) = (turn.name().as_str(), turn.now());
    turn.write(
        "UPDATE connector SET state = 'connected', problem = NULL, tries = 0, retry = NULL, read_at = ?4, snapshot = ?5 \
         WHERE actor = ?1 AND id = ?2 AND revision = ?3",
        &[
            actor.into(),
            read.id.as_str().into(),
            read.revision.into(),
            now.into(),
            snapshot.as_str().into(),
        ],
    )?;
    Ok(())
}

/// What was read before stays, to be compared with when the calendar can be read again.
fn store_problem(turn: &mut Turn<'_>, read: &Read, unread: Unread) -> Result<(), SqlError> {
    let (actor, id) = (turn.name().as_str(), read.id.as_str());
    // Its person was told of one that is disconnected already, and only they can mend it.
    let rows = turn.read(
        "SELECT tries FROM connector WHERE actor = ?1 AND id = ?2 AND revision = ?3 AND state <> 'disconnected'",
        &[actor.into(), id.into(), read.revision.into()],
    )?;
    let Some(row) = rows.first() else {
        return Ok(());
    };
    let tries: u32 = row.get(0)?;
    let (state, retry_at) = match unread.problem {
        Problem::Unauthorized => ("disconnected", None),
        _ => ("failing", Some(retry_at(turn.now(), tries, unread))),
    };
    turn.write(
        "UPDATE connector SET state = ?4, problem = ?5, tries = tries + 1, retry = ?6 \
         WHERE actor = ?1 AND id = ?2 AND revision = ?3",
        &[
            actor.into(),
            id.into(),
            read.revision.into(),
            state.into(),
            unread.problem.as_str().into(),
            Binding::from(retry_at),
        ],
    )?;
    if unread.problem == Problem::Unauthorized {
        turn.send(&Task::TellDisconnected {
            person: person(turn.name())?,
            connector: read.id.clone(),
            revision: read.revision,
            at: turn.now(),
        })?;
    }
    Ok(())
}

/// When a calendar is asked again that could not be read, and `tries` times before that.
fn retry_at(now: Timestamp, tries: u32, unread: Unread) -> Timestamp {
    let wait = match unread.retry_after_secs {
        Some(secs) => Duration::from_secs(secs.into()),
        None => FIRST_RETRY.saturating_mul(1 << tries.min(12)),
    };
    now + wait.min(LONGEST_RETRY)
}

/// Whether the credentials are under the other key now.
pub(super) fn reseal(turn: &mut Turn<'_>, command: &Reseal) -> Result<bool, SqlError> {
    let actor = turn.name().as_str();
    // What was read is opened less often than it is read afresh: it goes with the key that it was sealed with.
    let changed = turn.write(
        "UPDATE connector SET credentials = ?4, sealed_with = ?5, snapshot = NULL, read_at = NULL \
         WHERE actor = ?1 AND id = ?2 AND credentials = ?3 RETURNING 1",
        &[
            actor.into(),
            command.id.as_str().into(),
            command.before.as_str().into(),
            command.after.as_str().into(),
            command.after.key_id().into(),
        ],
    )?;
    if !changed.is_empty() {
        record(turn, Deed::Resealed)?;
    }
    Ok(!changed.is_empty())
}

pub(super) fn note_event(turn: &mut Turn<'_>, command: &NoteEvent) -> Result<(), SqlError> {
    let actor = turn.name().as_str();
    let forget = command.ends + EVENT_KEPT;
    turn.write(
        "INSERT INTO calendar_event (actor, booking, connector, forget) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (actor, booking) DO UPDATE SET connector = excluded.connector, forget = excluded.forget",
        &[
            actor.into(),
            command.booking.as_str().into(),
            command.id.as_str().into(),
            forget.into(),
        ],
    )?;
    turn.hasten_timer(TIMER, forget)
}

pub(super) fn forget_event(turn: &mut Turn<'_>, command: &ForgetEvent) -> Result<(), SqlError> {
    let actor = turn.name().as_str();
    turn.write(
        "DELETE FROM calendar_event WHERE actor = ?1 AND booking = ?2",
        &[actor.into(), command.booking.as_str().into()],
    )?;
    Ok(())
}

/// Forgets what is over, and sets the timer for what will be next.
pub(super) fn forget(turn: &mut Turn<'_>) -> Result<(), SqlError> {
    let (actor, now) = (turn.name().as_str(), turn.now());
    for statement in [
        "DELETE FROM used_ticket WHERE actor = ?1 AND forget <= ?2",
        "DELETE FROM calendar_event WHERE actor = ?1 AND forget <= ?2",
    ] {
        turn.write(statement, &[actor.into(), now.into()])?;
    }
    let rows = turn.read(
        "SELECT min(forget) FROM (SELECT forget FROM used_ticket WHERE actor = ?1 \
         UNION ALL SELECT forget FROM calendar_event WHERE actor = ?1)",
        &[actor.into()],
    )?;
    match rows.first().map_or(Ok(None), |row| row.get(0))? {
        Some(next) => turn.set_timer(TIMER, next),
        None => Ok(()),
    }
}

/// At most `limit` actors after the one named `after` that keep credentials, a mail address or a webhook under another
/// key than `key_id`: what is left to do when a key is to be taken away. Names go up, and the empty text is before the first.
pub fn sealed_otherwise(
    sql: &mut dyn Sql,
    key_id: &str,
    after: &str,
    limit: u32,
) -> Result<Vec<ActorName>, SqlError> {
    let rows = sql.query(
        "SELECT DISTINCT actor FROM (\
         SELECT actor FROM connector WHERE sealed_with <> ?1 \
         UNION ALL SELECT actor FROM address WHERE substr(sealed, 1, length(?1) + 1) <> ?1 || '.' \
         UNION ALL SELECT actor FROM webhook WHERE substr(sealed, 1, length(?1) + 1) <> ?1 || '.'\
         ) WHERE actor > ?2 ORDER BY actor LIMIT ?3",
        &[key_id.into(), after.into(), limit.into()],
    )?;
    let name = |row: &Row| {
        let name = row.get::<String>(0)?.parse();
        name.map_err(|error: crate::actor::UnknownActor| SqlError::Store(error.to_string()))
    };
    rows.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_is_left_alone_for_longer_each_time_and_never_for_more_than_an_hour() {
        let now = Timestamp::UNIX_EPOCH;
        for (tries, retry_after_secs, expect) in [
            (0, None, 5),
            (1, None, 10),
            (9, None, 2560),
            (10, None, 3600),
            (u32::MAX, None, 3600),
            (0, Some(90), 90),
            (9, Some(0), 0),
            (0, Some(u32::MAX), 3600),
        ] {
            let unread = Unread {
                problem: Problem::Failed,
                retry_after_secs,
            };
            assert_eq!(retry_at(now, tries, unread).as_secs(), expect);
        }
    }
}
