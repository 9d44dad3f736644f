//! Make a held slot ready to be booked.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::booking::{Attempt, BookingId};
use crate::host_match::claim::{self, Claim, State};
use crate::host_match::fence::{self, Standing};
use crate::host_match::{shard, sweep};
use crate::sql::SqlError;
use crate::turn::Turn;
use huddle_schedule::Interval;

/// After how long without word a booking is asked what came of it.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// Keep the slot that is held, from now on without an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepare {
    /// For which booking.
    pub booking: BookingId,
    /// For which attempt of it.
    pub attempt: Attempt,
    /// The slot, which must be the one that is held.
    pub slot: Interval,
}

/// Why the slot cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrepareRefused {
    /// It is not held for this attempt, or not any more.
    NotHeld,
}

pub(super) fn prepare(
    turn: &mut Turn<'_>,
    command: &Prepare,
) -> Result<Result<(), PrepareRefused>, SqlError> {
    let now = turn.now();
    let standing = fence::standing(turn, &command.booking, command.attempt)?;
    if standing != Standing::Current {
        return Ok(Err(PrepareRefused::NotHeld));
    }
    let Some(claim) = claim::find(turn, &command.booking, command.attempt)? else {
        return Ok(Err(PrepareRefused::NotHeld));
    };
    if claim.slot != command.slot {
        return Ok(Err(PrepareRefused::NotHeld));
    }
    if claim.state != State::Held {
        return Ok(Ok(()));
    }
    if !claim.is_live(now) {
        sweep::expire(turn, &claim)?;
        return Ok(Err(PrepareRefused::NotHeld));
    }
    if !shard::is_sharded(turn)? && is_taken(turn, &claim)? {
        return Ok(Err(PrepareRefused::NotHeld));
    }
    claim::set_state(turn, &claim, State::Prepared, now + PATIENCE)?;
    sweep::by(turn, now + PATIENCE)?;
    Ok(Ok(()))
}

/// Whether the claim meets a live one of another booking.
fn is_taken(turn: &mut Turn<'_>, claim: &Claim) -> Result<bool, SqlError> {
    let now = turn.now();
    let others = claim::between(turn, claim.guard.start(), claim.guard.end())?;
    Ok(others.iter().any(|other| {
        other.booking != claim.booking
            && other.is_live(now)
            && other.conflicts(claim.slot, claim.guard)
    }))
}
