//! Wait, as a guest, for a host's yes. No time is given away for it, but of such requests a guest may have only so
//! many open: hosts look through them.

use huddle_ports::Timestamp;
use huddle_syntax::{AtUri, Did};
use serde::{Deserialize, Serialize};

use crate::booking::{Attempt, BookingId};
use crate::host_match::fence::{self, Standing};
use crate::host_match::lapse::freed_at;
use crate::host_match::sweep;
use crate::sql::SqlError;
use crate::turn::Turn;

/// Note that this person waits for the yes of a host. It counts until the booking goes on to another attempt, or ends:
/// what a host has said yes to, they know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Petition {
    /// For which booking.
    pub booking: BookingId,
    /// For which attempt of it.
    pub attempt: Attempt,
    /// Who is to say yes.
    pub host: Did,
    /// The record that asks, where it was no call. What it has asked before does not count: the guest has changed it.
    pub request: Option<AtUri>,
    /// Until when they can.
    pub until: Timestamp,
}

/// Why the person may not wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PetitionRefused {
    /// They wait for as many as they may.
    TooMany,
    /// The attempt is over, as is every other up to `highest`.
    Over {
        /// The highest attempt seen.
        highest: Attempt,
    },
}

pub(super) fn petition(
    turn: &mut Turn<'_>,
    command: &Petition,
) -> Result<Result<(), PetitionRefused>, SqlError> {
    let Petition {
        booking,
        attempt,
        host,
        request,
        until,
    } = command;
    let standing = fence::standing(turn, booking, *attempt)?;
    if let Standing::Over { highest } = standing {
        return Ok(Err(PetitionRefused::Over { highest }));
    }
    fence::raise(turn, booking, *attempt)?;
    if retry_at(turn, booking, host, request.as_ref())?.is_some() {
        return Ok(Err(PetitionRefused::TooMany));
    }
    turn.write(
        "INSERT INTO petition (actor, booking, attempt, host, request, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (actor, booking) DO UPDATE SET attempt = excluded.attempt, due = excluded.due",
        &[
            turn.name().as_str().into(),
            booking.as_str().into(),
            (*attempt).into(),
            host.as_str().into(),
            request.as_ref().map(AtUri::as_str).into(),
            (*until).into(),
        ],
    )?;
    sweep::by(turn, *until)?;
    Ok(Ok(()))
}

/// When the person may wait for one more answer of `host`; `None` means now.
pub(super) fn retry_at(
    turn: &mut Turn<'_>,
    booking: &BookingId,
    host: &Did,
    request: Option<&AtUri>,
) -> Result<Option<Timestamp>, SqlError> {
    let (actor, now, limits) = (turn.name().as_str(), turn.now(), turn.limits());
    let rows = turn.read(
        "SELECT host, due FROM petition WHERE actor = ?1 AND due > ?2 AND booking <> ?3 \
         AND (request IS NULL OR request IS NOT ?4)",
        &[
            actor.into(),
            now.into(),
            booking.as_str().into(),
            request.map(AtUri::as_str).into(),
        ],
    )?;
    let mut ends = Vec::new();
    let mut ends_of_host = Vec::new();
    for row in &rows {
        let due: Timestamp = row.get(1)?;
        ends.push(due);
        if row.get::<String>(0)? == host.as_str() {
            ends_of_host.push(due);
        }
    }
    let waits = [
        freed_at(ends, limits.petitions_per_guest),
        freed_at(ends_of_host, limits.petitions_per_guest_and_host),
    ];
    Ok(waits.into_iter().flatten().max())
}

/// The attempt is over, and with it what was waited for.
pub(super) fn end(
    turn: &mut Turn<'_>,
    booking: &BookingId,
    attempt: Attempt,
) -> Result<(), SqlError> {
    let actor = turn.name().as_str();
    turn.write(
        "DELETE FROM petition WHERE actor = ?1 AND booking = ?2 AND attempt <= ?3",
        &[actor.into(), booking.as_str().into(), attempt.into()],
    )?;
    Ok(())
}
