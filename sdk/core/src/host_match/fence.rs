//! The highest attempt seen of each booking: messages of lower ones come too late.

use std::time::Duration;

use crate::booking::{Attempt, BookingId};
use crate::host_match::sweep;
use crate::sql::SqlError;
use crate::turn::Turn;

/// How long a fence outlives the last message of its booking. A message that comes later still does
/// no harm: a hold of it expires, and nothing else creates a claim.
pub(super) const KEPT: Duration = Duration::from_hours(30 * 24);

/// Where an attempt stands to the fence of its booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is the highest so far, or the first.
    Current,
    /// It is over, as is every other up to `highest`.
    Over {
        /// The highest attempt seen.
        highest: Attempt,
    },
}

pub(super) fn standing(
    turn: &mut Turn<'_>,
    booking: &BookingId,
    attempt: Attempt,
) -> Result<Standing, SqlError> {
    let actor = turn.name().as_str();
    let rows = turn.read(
        "SELECT attempt, closed FROM fence WHERE actor = ?1 AND booking = ?2",
        &[actor.into(), booking.as_str().into()],
    )?;
    let Some(row) = rows.first() else {
        return Ok(Standing::Current);
    };
    let (highest, closed): (Attempt, bool) = (row.get(0)?, row.get(1)?);
    Ok(if attempt < highest || (attempt == highest && closed) {
        Standing::Over { highest }
    } else {
        Standing::Current
    })
}

/// Remembers an attempt, unless a higher one is known.
pub(super) fn raise(
    turn: &mut Turn<'_>,
    booking: &BookingId,
    attempt: Attempt,
) -> Result<(), SqlError> {
    set(turn, booking, attempt, false)
}

/// Ends an attempt, for good, and with it all lower ones.
pub(super) fn close(
    turn: &mut Turn<'_>,
    booking: &BookingId,
    attempt: Attempt,
) -> Result<(), SqlError> {
    set(turn, booking, attempt, true)
}

/// Whether the lapse of an attempt is noted for the first time; the attempt is over by then.
pub(super) fn note_lapse(
    turn: &mut Turn<'_>,
    booking: &BookingId,
    attempt: Attempt,
) -> Result<bool, SqlError> {
    let actor = turn.name().as_str();
    let noted = turn.write(
        "UPDATE fence SET lapsed = 1 \
         WHERE actor = ?1 AND booking = ?2 AND attempt = ?3 AND lapsed = 0 RETURNING 1",
        &[actor.into(), booking.as_str().into(), attempt.into()],
    )?;
    Ok(!noted.is_empty())
}

fn set(
    turn: &mut Turn<'_>,
    booking: &BookingId,
    attempt: Attempt,
    closed: bool,
) -> Result<(), SqlError> {
    let (actor, now) = (turn.name().as_str(), turn.now());
    turn.write(
        "INSERT INTO fence (actor, booking, attempt, closed, touched) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (actor, booking) DO UPDATE SET \
         closed = CASE WHEN attempt < excluded.attempt THEN excluded.closed ELSE max(closed, excluded.closed) END, \
         lapsed = CASE WHEN attempt < excluded.attempt THEN 0 ELSE lapsed END, \
         attempt = excluded.attempt, touched = excluded.touched \
         WHERE attempt <= excluded.attempt",
        &[
            actor.into(),
            booking.as_str().into(),
            attempt.into(),
            closed.into(),
            now.into(),
        ],
    )?;
    sweep::by(turn, now + KEPT)
}
