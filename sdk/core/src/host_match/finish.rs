//! Hear what became of an attempt.

use serde::{Deserialize, Serialize};

use crate::booking::{Attempt, BookingId};
use crate::host_match::claim::{self, State};
use crate::host_match::{cancellation, fence, lapse, petition};
use crate::sql::SqlError;
use crate::turn::Turn;

/// The booking has decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finish {
    /// Which booking.
    pub booking: BookingId,
    /// About which attempt.
    pub attempt: Attempt,
    /// What became of it.
    pub ending: Ending,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// It is the meeting.
    Confirmed,
    /// It came to nothing, or the meeting is off.
    Released,
    /// The person was given a hold, as the guest, and made nothing of it.
    Lapsed,
    /// The person has called the meeting off, as the guest.
    CalledOff,
}

/// Never creates a claim: whatever comes twice or too late finds nothing to change.
pub(super) fn finish(turn: &mut Turn<'_>, command: &Finish) -> Result<(), SqlError> {
    let claim = claim::find(turn, &command.booking, command.attempt)?;
    match command.ending {
        Ending::Confirmed => match claim {
            // A booking is confirmed only after all of its participants have prepared.
            Some(claim) if claim.state == State::Prepared => {
                let due = claim.slot.end();
                claim::set_state(turn, &claim, State::Booked, due)
            }
            Some(_) | None => Ok(()),
        },
        Ending::Released | Ending::Lapsed | Ending::CalledOff => {
            if claim.is_some() {
                claim::delete(turn, &command.booking, command.attempt)?;
            }
            claim::delete_superseded(turn, &command.booking, command.attempt)?;
            petition::end(turn, &command.booking, command.attempt)?;
            fence::close(turn, &command.booking, command.attempt)?;
            match (command.ending, claim) {
                // By now the hold may have ended by itself: it is the fence that knows it was there.
                (Ending::Lapsed, _)
                    if fence::note_lapse(turn, &command.booking, command.attempt)? =>
                {
                    lapse::count(turn)
                }
                // A meeting does not end by itself: who hears of it twice finds no claim.
                (Ending::CalledOff, Some(claim)) => cancellation::count(turn, &claim.counterpart),
                _ => Ok(()),
            }
        }
    }
}
