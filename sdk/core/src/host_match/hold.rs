//! Hold a slot for a while.

use std::time::Duration;

use huddle_ports::Timestamp;
use huddle_syntax::{AtUri, Did};
use serde::{Deserialize, Serialize};

use crate::booking::{Attempt, BookingId};
use crate::host_match::claim::{self, Claim, State};
use crate::host_match::fence::{self, Standing};
use crate::host_match::{Role, cancellation, lapse, petition, shard, sweep};
use crate::sql::SqlError;
use crate::turn::Turn;
use huddle_schedule::Interval;

/// Hold the first of `candidates` that fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// For which booking.
    pub booking: BookingId,
    /// For which attempt of it.
    pub attempt: Attempt,
    /// What would do, the best first.
    pub candidates: Vec<Candidate>,
    /// Until when.
    pub until: Timestamp,
    /// The person's part in the meeting.
    pub role: Role,
    /// The other side.
    pub counterpart: Did,
    /// Whether the person asks for it, as the guest, and may hold only so many: not where the host has
    /// said yes, or a meeting is moved.
    #[serde(default)]
    pub limited: bool,
}

/// Tell when this person, as a guest, may ask more of a host.
///
/// It is asked before the host's time is looked at, of which a limit must tell nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MayAsk {
    /// For which booking.
    pub booking: BookingId,
    /// Whom.
    pub host: Did,
    /// The record that asks, where it was no call.
    pub request: Option<AtUri>,
}

/// When a guest may ask more of a host; `None` is now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// When they may hold one more slot.
    pub hold: Option<Timestamp>,
    /// When they may wait for one more answer.
    pub petition: Option<Timestamp>,
    /// When they may meet the host once more, if they are a stranger to them.
    pub stranger: Option<Timestamp>,
}

/// Tell whether a hold would be granted, and hold nothing. What is told may be over at once: nothing is
/// written, not even that a hold has expired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WouldHold {
    /// The hold.
    pub hold: Hold,
}

/// A slot, and what this person wants around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// When the meeting would be.
    pub slot: Interval,
    /// What the person wants around it.
    pub margins: Margins,
}

/// What a person wants around a meeting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Margins {
    /// What they keep free before it.
    pub before: Duration,
    /// What they keep free after it.
    pub after: Duration,
    /// What they have set themselves as the most meetings of a day or a week.
    pub caps: Vec<Cap>,
}

impl Candidate {
    /// The slot with what the person wants free around it.
    pub(crate) fn guard(&self) -> Interval {
        let Margins { before, after, .. } = self.margins;
        Interval::new(self.slot.start() - before, self.slot.end() + after)
            .expect("a slot is not empty, and buffers only lengthen it")
    }
}

/// At most so many meetings that the person hosts may begin within a stretch of time, such as the host's local day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// The day or week.
    pub within: Interval,
    /// Meetings, the new one included.
    pub at_most: u32,
}

/// The slot is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// Which one.
    pub slot: Interval,
    /// Until when.
    pub until: Timestamp,
    /// Whether the person's time is kept by days: then it is held once those that it meets hold it too.
    pub sharded: bool,
}

/// Why nothing is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HoldRefused {
    /// No candidate fits.
    NoneFree,
    /// The guest holds as many slots as they may, or let one lapse a short while ago.
    TooManyHolds {
        /// When one more can be held.
        retry_at: Timestamp,
    },
    /// The attempt is over, as is every other up to `highest`.
    Over {
        /// The highest attempt seen.
        highest: Attempt,
    },
}

pub(super) fn hold(
    turn: &mut Turn<'_>,
    command: &Hold,
) -> Result<Result<Granted, HoldRefused>, SqlError> {
    let now = turn.now();
    let standing = fence::standing(turn, &command.booking, command.attempt)?;
    if let Standing::Over { highest } = standing {
        return Ok(Err(HoldRefused::Over { highest }));
    }
    let sharded = shard::is_sharded(turn)?;
    if let Some(claim) = claim::find(turn, &command.booking, command.attempt)? {
        return again(turn, &claim, sharded);
    }
    if command.until <= now {
        return Ok(Err(HoldRefused::Over {
            highest: command.attempt,
        }));
    }
    fence::raise(turn, &command.booking, command.attempt)?;
    claim::delete_superseded(turn, &command.booking, command.attempt)?;
    petition::end(turn, &command.booking, command.attempt)?;
    if let Some(retry_at) = limited_until(turn, command)? {
        return Ok(Err(HoldRefused::TooManyHolds { retry_at }));
    }
    let claims = in_reach(turn, command)?;
    // What is granted over an expired hold is written with its end.
    for claim in claims.iter().filter(|claim| !claim.is_live(now)) {
        sweep::expire(turn, claim)?;
    }
    let Some(candidate) = first_that_fits(command, &claims, now, sharded) else {
        return Ok(Err(HoldRefused::NoneFree));
    };
    let claim = Claim {
        booking: command.booking.clone(),
        attempt: command.attempt,
        state: State::Held,
        slot: candidate.slot,
        guard: candidate.guard(),
        due: command.until,
        role: command.role,
        counterpart: command.counterpart.clone(),
    };
    claim::insert(turn, &claim, command.limited)?;
    sweep::by(turn, claim.due)?;
    Ok(Ok(granted(&claim, sharded)))
}

pub(super) fn would_hold(
    turn: &mut Turn<'_>,
    WouldHold { hold }: &WouldHold,
) -> Result<Result<Granted, HoldRefused>, SqlError> {
    if let Some(retry_at) = limited_until(turn, hold)? {
        return Ok(Err(HoldRefused::TooManyHolds { retry_at }));
    }
    let sharded = shard::is_sharded(turn)?;
    let claims = in_reach(turn, hold)?;
    let fits = first_that_fits(hold, &claims, turn.now(), sharded);
    let granted = fits.map(|candidate| Granted {
        slot: candidate.slot,
        until: hold.until,
        sharded,
    });
    Ok(granted.ok_or(HoldRefused::NoneFree))
}

pub(super) fn may_ask(turn: &mut Turn<'_>, command: &MayAsk) -> Result<Allowance, SqlError> {
    let MayAsk {
        booking,
        host,
        request,
    } = command;
    Ok(Allowance {
        hold: lapse::retry_at(turn, booking, host)?,
        petition: petition::retry_at(turn, booking, host, request.as_ref())?,
        stranger: cancellation::retry_at(turn, host)?,
    })
}

/// Until when the person may hold nothing more, if that counts for this hold.
fn limited_until(turn: &mut Turn<'_>, hold: &Hold) -> Result<Option<Timestamp>, SqlError> {
    if !hold.limited {
        return Ok(None);
    }
    lapse::retry_at(turn, &hold.booking, &hold.counterpart)
}

fn granted(claim: &Claim, sharded: bool) -> Granted {
    Granted {
        slot: claim.slot,
        until: claim.due,
        sharded,
    }
}

/// The attempt has a claim already: the answer follows from it. A hold is not renewed.
fn again(
    turn: &mut Turn<'_>,
    claim: &Claim,
    sharded: bool,
) -> Result<Result<Granted, HoldRefused>, SqlError> {
    if claim.is_live(turn.now()) {
        return Ok(Ok(granted(claim, sharded)));
    }
    sweep::expire(turn, claim)?;
    Ok(Err(HoldRefused::Over {
        highest: claim.attempt,
    }))
}

/// The claims that may be in the way of a candidate, or count towards its caps.
fn in_reach(turn: &mut Turn<'_>, hold: &Hold) -> Result<Vec<Claim>, SqlError> {
    let reach = hold.candidates.iter().map(|candidate| {
        let guard = candidate.guard();
        candidate
            .margins
            .caps
            .iter()
            .fold((guard.start(), guard.end()), |(from, until), cap| {
                (from.min(cap.within.start()), until.max(cap.within.end()))
            })
    });
    match reach.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) {
        Some((from, until)) => claim::between(turn, from, until),
        None => Ok(Vec::new()),
    }
}

/// Picks the first candidate that neither meets a live claim of another booking, unless that is for the days to
/// say, nor exceeds a cap.
fn first_that_fits<'a>(
    hold: &'a Hold,
    claims: &[Claim],
    now: Timestamp,
    sharded: bool,
) -> Option<&'a Candidate> {
    let live = claims.iter().filter(|claim| claim.is_live(now));
    let others: Vec<&Claim> = live.filter(|it| it.booking != hold.booking).collect();
    hold.candidates.iter().find(|candidate| {
        now < candidate.slot.start()
            && (sharded || is_free(candidate, &others))
            && is_within_caps(candidate, &others)
    })
}

fn is_free(candidate: &Candidate, others: &[&Claim]) -> bool {
    let guard = candidate.guard();
    let mut others = others.iter();
    !others.any(|other| other.conflicts(candidate.slot, guard))
}

fn is_within_caps(candidate: &Candidate, others: &[&Claim]) -> bool {
    candidate.margins.caps.iter().all(|cap| {
        let meetings = others
            .iter()
            .filter(|other| other.role == Role::Host && cap.within.contains(other.slot.start()))
            .count();
        u32::try_from(meetings).is_ok_and(|meetings| meetings < cap.at_most)
    })
}
