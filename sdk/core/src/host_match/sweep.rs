//! What a person's time does by itself: holds end, and bookings that have gone quiet are asked.

use std::time::Duration;

use huddle_ports::Timestamp;

use crate::actor::ActorName;
use crate::booking::Outcome;
use crate::host_match::claim::{self, Claim, State};
use crate::host_match::{fence, prepare};
use crate::limits::secs;
use crate::outbox::Task;
use crate::sql::SqlError;
use crate::turn::Turn;

const TIMER: &str = "sweep";

/// How long a meeting is remembered after it has ended: longer than any week that a cap counts.
const PAST_KEPT: Duration = Duration::from_hours(14 * 24);

/// Has the actor look after its claims at `due` at the latest.
pub(super) fn by(turn: &mut Turn<'_>, due: Timestamp) -> Result<(), SqlError> {
    turn.hasten_timer(TIMER, due)
}

/// Ends a hold that is over, and its attempt: it cannot be held again.
pub(super) fn expire(turn: &mut Turn<'_>, claim: &Claim) -> Result<(), SqlError> {
    claim::delete(turn, &claim.booking, claim.attempt)?;
    fence::close(turn, &claim.booking, claim.attempt)
}

pub(crate) fn wake(turn: &mut Turn<'_>) -> Result<(), SqlError> {
    for claim in claim::due(turn)? {
        match claim.state {
            State::Held => expire(turn, &claim)?,
            State::Prepared => ask(turn, &claim)?,
            State::Booked => {}
        }
    }
    forget(turn)?;
    match next(turn)? {
        Some(due) => turn.set_timer(TIMER, due),
        None => Ok(()),
    }
}

/// Asks the booking what came of the attempt; the answer comes as a `Finish`.
fn ask(turn: &mut Turn<'_>, claim: &Claim) -> Result<(), SqlError> {
    let outcome = Outcome {
        attempt: claim.attempt,
        asker: turn.name().clone(),
    };
    turn.send(&Task::Tell {
        to: ActorName::booking(&claim.booking),
        command: Box::new(outcome.into()),
    })?;
    let due = turn.now() + prepare::PATIENCE;
    claim::set_state(turn, claim, State::Prepared, due)
}

fn forget(turn: &mut Turn<'_>) -> Result<(), SqlError> {
    let (actor, now) = (turn.name().as_str(), turn.now());
    turn.write(
        "DELETE FROM claim WHERE actor = ?1 AND state = 'booked' AND due <= ?2",
        &[actor.into(), (now - PAST_KEPT).into()],
    )?;
    turn.write(
        "DELETE FROM fence WHERE actor = ?1 AND touched <= ?2 AND NOT EXISTS \
         (SELECT 1 FROM claim WHERE claim.actor = fence.actor AND claim.booking = fence.booking)",
        &[actor.into(), (now - fence::KEPT).into()],
    )?;
    let cool = now - secs(turn.limits().cooldown_reset_secs);
    for (statement, until) in [
        ("DELETE FROM lapse WHERE actor = ?1 AND latest <= ?2", cool),
        (
            "DELETE FROM cancellation WHERE actor = ?1 AND latest <= ?2",
            cool,
        ),
        ("DELETE FROM petition WHERE actor = ?1 AND due <= ?2", now),
        ("DELETE FROM told WHERE actor = ?1 AND day <= ?2", now),
        (
            "DELETE FROM disclosure WHERE actor = ?1 AND week <= ?2",
            now,
        ),
    ] {
        turn.write(statement, &[actor.into(), until.into()])?;
    }
    Ok(())
}

/// When there is something to do again.
fn next(turn: &mut Turn<'_>) -> Result<Option<Timestamp>, SqlError> {
    let actor = turn.name().as_str();
    // As columns, and not as a union: of that, Workers allow five parts.
    let rows = turn.read(
        "SELECT (SELECT min(due) FROM claim WHERE actor = ?1 AND state <> 'booked'), \
         (SELECT min(due) + ?2 FROM claim WHERE actor = ?1 AND state = 'booked'), \
         (SELECT min(week) FROM disclosure WHERE actor = ?1), \
         (SELECT min(day) FROM told WHERE actor = ?1), \
         (SELECT min(due) FROM petition WHERE actor = ?1), \
         (SELECT min(touched) + ?3 FROM fence WHERE actor = ?1 \
         AND NOT EXISTS (SELECT 1 FROM claim WHERE claim.actor = fence.actor AND claim.booking = fence.booking))",
        &[actor.into(), millis(PAST_KEPT).into(), millis(fence::KEPT).into()],
    )?;
    let mut next = None;
    for row in &rows {
        for column in 0..6 {
            let moment: Option<Timestamp> = row.get(column)?;
            next = next.into_iter().chain(moment).min();
        }
    }
    Ok(next)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
