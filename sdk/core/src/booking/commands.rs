//! What a booking can be asked, by people and by whoever drives it.

use huddle_ports::Timestamp;
use huddle_syntax::Did;
use serde::{Deserialize, Serialize};

use crate::actor::{ActorName, commands};
use crate::availability::Side;
use crate::booking::Attempt;
use crate::booking::state::{Asked, Booking, Constraints, NoMatch, Place, Standing, Terms};
use crate::effects::{BeginEffect, EffectBegun, EndEffect, WantEffects};
use crate::idempotency::Key;

/// Why a request under a key is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused<R> {
    /// There is no such booking, or the caller is no party to it.
    NotFound,
    /// The key came with another body before.
    Mismatch,
    /// The first request with this key is still running.
    InFlight {
        /// When it can be sent again.
        retry_at: Timestamp,
    },
    /// The booking refuses, in its present state.
    Because(R),
}

/// A refusal that there is no reason for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Never {}

/// Begin a booking, or find the one that this request began before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Create {
    /// What is asked for.
    pub asked: Asked,
    /// A hash of the request's body.
    pub body_hash: String,
}

/// Why a booking cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CreateRefused {
    /// The key came with another body before.
    Mismatch,
    /// The first request with this key is still running.
    InFlight {
        /// When it can be sent again.
        retry_at: Timestamp,
    },
}

/// Go on to the next slot: the one of `attempt` could not be held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextAttempt {
    /// The attempt that failed.
    pub attempt: Attempt,
    /// The highest that a participant has seen, of a booking of the same id that was forgotten.
    pub above: Attempt,
    /// The days that were asked to hold it.
    pub days: Vec<ActorName>,
}

/// Wait for the host's yes before anything is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitApproval {
    /// The attempt that found out.
    pub attempt: Attempt,
    /// The offer that wants it.
    pub terms: Terms,
}

/// Answer that the booking is pending, and search again later: a calendar does not answer, or time is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postpone {
    /// The attempt that found out.
    pub attempt: Attempt,
    /// Whether nobody was asked to hold anything for it.
    #[serde(default)]
    pub untried: bool,
    /// The days that were asked to.
    pub days: Vec<ActorName>,
}

/// Give up: nothing suits, or nothing may be held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refuse {
    /// The attempt that found out.
    pub attempt: Attempt,
    /// Why.
    pub why: NoMatch,
    /// Whether nobody was asked to hold anything for it.
    #[serde(default)]
    pub untried: bool,
    /// The days that were asked to.
    pub days: Vec<ActorName>,
}

/// All participants hold the slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The attempt that they hold it for.
    pub attempt: Attempt,
    /// The slot.
    pub place: Place,
    /// Until when the first of them does.
    pub until: Timestamp,
    /// Those of them that are days.
    pub days: Vec<ActorName>,
}

/// Confirm the held slot, on behalf of the guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finalize {
    /// The request.
    pub key: Key,
}

/// Why a booking is not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FinalizeRefused {
    /// No slot is held for it yet.
    NotHeld,
    /// It is for the guest to accept, and the caller is the host.
    NotAccepted,
}

/// Stop confirming for now: a calendar could not be read. The slot stays held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspend {
    /// The attempt that was being confirmed.
    pub attempt: Attempt,
    /// Whose calendar it was.
    pub side: Side,
}

/// All participants have prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The attempt that they have prepared.
    pub attempt: Attempt,
}

/// The slot turned out not to be free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abort {
    /// The attempt that was being confirmed.
    pub attempt: Attempt,
}

/// The host says yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approve {
    /// The request.
    pub key: Key,
}

/// Why a booking is not approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApproveRefused {
    /// Only the host can.
    NotHost,
    /// The booking does not wait for approval.
    NotAwaitingApproval,
}

/// The host says no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decline {
    /// The request.
    pub key: Key,
    /// A word to the guest.
    pub reason: Option<String>,
}

/// Why a booking is not declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeclineRefused {
    /// Only the host can.
    NotHost,
    /// It is being confirmed right now.
    InProgress,
    /// It is confirmed, and can be canceled.
    AlreadyConfirmed,
}

/// Call the booking off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// The request.
    pub key: Key,
    /// A word to the other party.
    pub reason: Option<String>,
}

/// Move a confirmed booking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reschedule {
    /// The request.
    pub key: Key,
    /// What would suit.
    pub constraints: Constraints,
    /// A word to the other party.
    pub reason: Option<String>,
}

/// Why a booking is not moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RescheduleRefused {
    /// It is not confirmed yet.
    NotConfirmed,
    /// It is being confirmed or moved right now.
    InProgress,
    /// It is too late for the slot that was chosen.
    ChosenTooLate,
}

/// Take over from a driver that has not come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {}

/// Tell a participant what became of an attempt, by a `Finish`, once that is decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The attempt that it has prepared.
    pub attempt: Attempt,
    /// Who asks.
    pub asker: ActorName,
}

/// Read the booking, as one of its parties.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Who asks; `None` is the service itself.
    pub by: Option<Did>,
}

/// There is no such booking, or the caller is no party to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotFound;

commands! {
    Booking {
        /// [`Create`]
        Create => Result<Standing, CreateRefused>,
        /// [`NextAttempt`]
        NextAttempt => Result<Standing, NotFound>,
        /// [`AwaitApproval`]
        AwaitApproval => Result<Standing, NotFound>,
        /// [`Postpone`]
        Postpone => Result<Standing, NotFound>,
        /// [`Refuse`]
        Refuse => Result<Standing, NotFound>,
        /// [`Held`]
        Held => Result<Standing, NotFound>,
        /// [`Finalize`]
        Finalize => Result<Standing, Refused<FinalizeRefused>>,
        /// [`Suspend`]
        Suspend => Result<Standing, NotFound>,
        /// [`Commit`]
        Commit => Result<Standing, NotFound>,
        /// [`Abort`]
        Abort => Result<Standing, NotFound>,
        /// [`Approve`]
        Approve => Result<Standing, Refused<ApproveRefused>>,
        /// [`Decline`]
        Decline => Result<Standing, Refused<DeclineRefused>>,
        /// [`Cancel`]
        Cancel => Result<Standing, Refused<Never>>,
        /// [`Reschedule`]
        Reschedule => Result<Standing, Refused<RescheduleRefused>>,
        /// [`Resume`]
        Resume => Result<Standing, NotFound>,
        /// [`Outcome`]
        Outcome => (),
        /// [`Read`]
        Read => Result<Box<Booking>, NotFound>,
        /// [`BeginEffect`]
        BeginEffect => EffectBegun,
        /// [`EndEffect`]
        EndEffect => (),
        /// [`WantEffects`]
        WantEffects => (),
    }
}
