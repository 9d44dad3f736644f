//! The rows of claims.

use huddle_ports::Timestamp;
use huddle_syntax::Did;

use crate::booking::{Attempt, BookingId};
use crate::host_match::Role;
use crate::sql::{FromValue, Row, SqlError, Value, word};
use crate::turn::Turn;
use huddle_schedule::Interval;

/// How firmly a slot is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Until the claim's `due`.
    Held,
    /// For a booking that is being confirmed. It never expires; `due` is when to ask how that went.
    Prepared,
    /// For a meeting.
    Booked,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Prepared => "prepared",
            Self::Booked => "booked",
        }
    }
}

impl FromValue for State {
    fn from_value(value: &Value) -> Option<Self> {
        word(
            value,
            &[Self::Held, Self::Prepared, Self::Booked],
            Self::as_str,
        )
    }
}

impl FromValue for Did {
    fn from_value(value: &Value) -> Option<Self> {
        String::from_value(value)?.parse().ok()
    }
}

impl FromValue for Role {
    fn from_value(value: &Value) -> Option<Self> {
        word(value, &[Self::Host, Self::Guest], Self::as_str)
    }
}

/// A claim on a person's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub booking: BookingId,
    pub attempt: Attempt,
    pub state: State,
    pub slot: Interval,
    /// The slot with the person's buffers.
    pub guard: Interval,
    pub due: Timestamp,
    pub role: Role,
    /// The other side of the meeting.
    pub counterpart: Did,
}

impl Claim {
    /// Whether the claim still counts: a hold does until it is due.
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        self.state != State::Held || now < self.due
    }

    /// Whether the person cannot keep both: neither meeting may lie in the buffers of the other.
    pub(super) fn conflicts(&self, slot: Interval, guard: Interval) -> bool {
        self.guard.overlaps(slot) || self.slot.overlaps(guard)
    }

    fn read(row: &Row) -> Result<Self, SqlError> {
        let slot = |first| -> Result<Interval, SqlError> {
            Interval::new(row.get(first)?, row.get(first + 1)?).ok_or(SqlError::Column(first))
        };
        Ok(Self {
            booking: row.get(0)?,
            attempt: row.get(1)?,
            state: row.get(2)?,
            slot: slot(3)?,
            guard: slot(5)?,
            due: row.get(7)?,
            role: row.get(8)?,
            counterpart: row.get(9)?,
        })
    }
}

const COLUMNS: &str = "booking, attempt, state, starts, ends, guard_starts, guard_ends, due, role, \
     counterpart";

/// The claims that lie, with their buffers, at least partly after `from`, and begin before `until`.
pub(super) fn between(
    turn: &mut Turn<'_>,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Claim>, SqlError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM claim WHERE actor = ?1 AND guard_ends > ?2 AND guard_starts < ?3"
    );
    let actor = turn.name().as_str();
    let rows = turn.read(&statement, &[actor.into(), from.into(), until.into()])?;
    rows.iter().map(Claim::read).collect()
}

/// At most so many claims that count and lie, with their buffers, at least partly within; by their start, and
/// but for those of one booking.
pub(super) fn live(
    turn: &mut Turn<'_>,
    within: Interval,
    but: Option<&BookingId>,
    at_most: u32,
) -> Result<Vec<Claim>, SqlError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM claim WHERE actor = ?1 AND guard_ends > ?2 AND guard_starts < ?3 \
         AND booking IS NOT ?4 AND (state <> 'held' OR due > ?5) ORDER BY guard_starts, booking LIMIT ?6"
    );
    let (actor, now) = (turn.name().as_str(), turn.now());
    let rows = turn.read(
        &statement,
        &[
            actor.into(),
            within.start().into(),
            within.end().into(),
            but.map(BookingId::as_str).into(),
            now.into(),
            at_most.into(),
        ],
    )?;
    rows.iter().map(Claim::read).collect()
}

/// The claims whose time has come, held or prepared.
pub(super) fn due(turn: &mut Turn<'_>) -> Result<Vec<Claim>, SqlError> {
    let statement =
        format!("SELECT {COLUMNS} FROM claim WHERE actor = ?1 AND state <> 'booked' AND due <= ?2");
    let (actor, now) = (turn.name().as_str(), turn.now());
    let rows = turn.read(&statement, &[actor.into(), now.into()])?;
    rows.iter().map(Claim::read).collect()
}

/// The claim of one attempt.
pub(super) fn find(
    turn: &mut Turn<'_>,
    booking: &BookingId,
    attempt: Attempt,
) -> Result<Option<Claim>, SqlError> {
    let statement =
        format!("SELECT {COLUMNS} FROM claim WHERE actor = ?1 AND booking = ?2 AND attempt = ?3");
    let actor = turn.name().as_str();
    let rows = turn.read(
        &statement,
        &[actor.into(), booking.as_str().into(), attempt.into()],
    )?;
    rows.first().map(Claim::read).transpose()
}

pub(super) fn insert(turn: &mut Turn<'_>, claim: &Claim, limited: bool) -> Result<(), SqlError> {
    let actor = turn.name().as_str();
    turn.write(
        "INSERT INTO claim (actor, booking, attempt, state, starts, ends, guard_starts, guard_ends, due, \
         role, counterpart, limited) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        &[
            actor.into(),
            claim.booking.as_str().into(),
            claim.attempt.into(),
            claim.state.as_str().into(),
            claim.slot.start().into(),
            claim.slot.end().into(),
            claim.guard.start().into(),
            claim.guard.end().into(),
            claim.due.into(),
            claim.role.as_str().into(),
            claim.counterpart.as_str().into(),
            limited.into(),
        ],
    )?;
    Ok(())
}

/// Changes how firmly a claim stands, and when it is to be looked at again.
pub(super) fn set_state(
    turn: &mut Turn<'_>,
    claim: &Claim,
    state: State,
    due: Timestamp,
) -> Result<(), SqlError> {
    let actor = turn.name().as_str();
    turn.write(
        "UPDATE claim SET state = ?4, due = ?5 WHERE actor = ?1 AND booking = ?2 AND attempt = ?3",
        &[
            actor.into(),
            claim.booking.as_str().into(),
            claim.attempt.into(),
            state.as_str().into(),
            due.into(),
        ],
    )?;
    Ok(())
}

pub(super) fn delete(
    turn: &mut Turn<'_>,
    booking: &BookingId,
    attempt: Attempt,
) -> Result<(), SqlError> {
    let actor = turn.name().as_str();
    turn.write(
        "DELETE FROM claim WHERE actor = ?1 AND booking = ?2 AND attempt = ?3",
        &[actor.into(), booking.as_str().into(), attempt.into()],
    )?;
    Ok(())
}

/// Drops what is still held for lower attempts of a booking: a new attempt takes their place.
pub(super) fn delete_superseded(
    turn: &mut Turn<'_>,
    booking: &BookingId,
    attempt: Attempt,
) -> Result<(), SqlError> {
    let actor = turn.name().as_str();
    turn.write(
        "DELETE FROM claim WHERE actor = ?1 AND booking = ?2 AND attempt < ?3 AND state = 'held'",
        &[actor.into(), booking.as_str().into(), attempt.into()],
    )?;
    Ok(())
}
