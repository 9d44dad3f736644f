//! What of a stretch of time a person has given away.

use huddle_ports::Timestamp;
use huddle_schedule::Interval;
use serde::{Deserialize, Serialize};

use crate::booking::BookingId;
use crate::host_match::Role;
use crate::host_match::claim::{self, Claim, State};
use crate::sql::SqlError;
use crate::turn::Turn;

/// How many engagements are told at most: more than a person has in the months that a search looks at.
const MOST: usize = 10_000;

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

/// The engagements within, by the start of their guards. Of more than 10,000, the last one that is told lasts until the
/// end of what was asked about: what is not told is never taken for free.
pub(super) fn agenda(turn: &mut Turn<'_>, command: &Agenda) -> Result<Vec<Engagement>, SqlError> {
    let one_more = u32::try_from(MOST).unwrap_or(u32::MAX).saturating_add(1);
    let claims = claim::live(turn, command.within, command.but.as_ref(), one_more)?;
    let is_cut = claims.len() > MOST;
    let mut engagements: Vec<_> = claims.into_iter().take(MOST).map(engagement).collect();
    if let Some(last) = engagements.last_mut().filter(|_| is_cut) {
        let until_the_end = |part: Interval| Interval::new(part.start(), command.within.end());
        last.slot = until_the_end(last.slot).unwrap_or(last.slot);
        last.guard = until_the_end(last.guard).unwrap_or(last.guard);
        last.held_until = None;
    }
    Ok(engagements)
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
