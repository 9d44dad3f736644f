//! What of a stretch of time a person has given away.

use huddle_ports::Timestamp;
use huddle_schedule::Interval;
use serde::{Deserialize, Serialize};

use crate::booking::BookingId;
use crate::host_match::Role;
use crate::host_match::claim::{self, Claim, State};
use crate::sql::SqlError;
use crate::turn::Turn;

/// How many engagements are told at most.
const MOST: u32 = 1000;

/// Tell what of a stretch of time this person has given away, so that a search proposes none of it.
///
/// What is told may be over at once, and more may be given away: whether a slot can be had, only a hold says.
/// Nothing is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agenda {
    /// From when until when. An engagement is told if any of its `guard` is within.
    pub within: Interval,
    /// A booking whose claims do not count: the one that is searched for.
    pub but: Option<BookingId>,
}

/// A claim on a person's time that counts at the moment of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engagement {
    /// For which booking.
    pub booking: BookingId,
    /// When the meeting would be.
    pub slot: Interval,
    /// The slot with what the person keeps free around it.
    pub guard: Interval,
    /// Until when it is held, if it is no more than that.
    pub held_until: Option<Timestamp>,
    /// Whether the person is the host, so that it counts towards the most that they host.
    pub hosted: bool,
}

/// The engagements within, by the start of their guards. They are the first 1000: what more there is, a hold
/// still refuses.
pub(super) fn agenda(turn: &mut Turn<'_>, command: &Agenda) -> Result<Vec<Engagement>, SqlError> {
    let claims = claim::live(turn, command.within, command.but.as_ref(), MOST)?;
    Ok(claims.into_iter().map(engagement).collect())
}

fn engagement(claim: Claim) -> Engagement {
    Engagement {
        held_until: (claim.state == State::Held).then_some(claim.due),
        hosted: claim.role == Role::Host,
        booking: claim.booking,
        slot: claim.slot,
        guard: claim.guard,
    }
}
