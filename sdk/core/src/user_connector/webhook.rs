//! Where news of a person's bookings is posted: an address that they have given, or an app of theirs.

use serde::{Deserialize, Serialize};

use super::sealing::Sealed;
use crate::actor::ActorName;
use crate::idempotency::{self, Key, Seen};
use crate::sql::SqlError;
use crate::turn::Turn;

/// Set the address, and what is posted there is signed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetWebhook {
    /// The request.
    pub key: Key,
    /// Both.
    pub sealed: Sealed,
}

/// Forget the address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveWebhook {
    /// The request.
    pub key: Key,
}

/// The key came with another body before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookMismatch;

/// Read the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadWebhook {}

/// Store the same under another key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResealWebhook {
    /// What is stored now. If that is something else by then, nothing is changed.
    pub before: Sealed,
    /// The same, under another key.
    pub after: Sealed,
}

/// Gives what was set by the first of the same requests, so that each is told the same secret.
pub(super) fn set(
    turn: &mut Turn<'_>,
    command: SetWebhook,
) -> Result<Result<Sealed, WebhookMismatch>, SqlError> {
    match idempotency::begin(turn, &command.key)? {
        Seen::Mismatch => return Ok(Err(WebhookMismatch)),
        Seen::Answered(sealed) => return Ok(Ok(serde_json::from_str(&sealed)?)),
        // It is answered in the turn in which it comes, so none is ever left running.
        Seen::Fresh | Seen::Again | Seen::InFlight(_) => {}
    }
    let (actor, sealed) = (turn.name().as_str(), command.sealed);
    turn.write(
        "INSERT INTO webhook (actor, sealed) VALUES (?1, ?2) \
         ON CONFLICT (actor) DO UPDATE SET sealed = excluded.sealed",
        &[actor.into(), sealed.as_str().into()],
    )?;
    idempotency::answer_running(turn, || Ok(serde_json::to_string(&sealed)?))?;
    Ok(Ok(sealed))
}

pub(super) fn remove(
    turn: &mut Turn<'_>,
    command: &RemoveWebhook,
) -> Result<Result<(), WebhookMismatch>, SqlError> {
    match idempotency::begin(turn, &command.key)? {
        Seen::Mismatch => return Ok(Err(WebhookMismatch)),
        // What was set since stays.
        Seen::Answered(_) => return Ok(Ok(())),
        Seen::Fresh | Seen::Again | Seen::InFlight(_) => {}
    }
    let actor = turn.name().as_str();
    turn.write("DELETE FROM webhook WHERE actor = ?1", &[actor.into()])?;
    idempotency::answer_running(turn, || Ok("null".into()))?;
    Ok(Ok(()))
}

pub(super) fn read(turn: &mut Turn<'_>) -> Result<Option<Sealed>, SqlError> {
    let actor = turn.name().as_str();
    let rows = turn.read(
        "SELECT sealed FROM webhook WHERE actor = ?1",
        &[actor.into()],
    )?;
    rows.first().map(|row| row.get(0)).transpose()
}

/// Says whether it was stored.
pub(super) fn reseal(turn: &mut Turn<'_>, command: &ResealWebhook) -> Result<bool, SqlError> {
    let actor = turn.name().as_str();
    let stored = turn.write(
        "UPDATE webhook SET sealed = ?3 WHERE actor = ?1 AND sealed = ?2 RETURNING 1",
        &[
            actor.into(),
            command.before.as_str().into(),
            command.after.as_str().into(),
        ],
    )?;
    Ok(!stored.is_empty())
}

/// What the webhook of a person is sealed for, whose actor this is.
pub(crate) fn about(person: &ActorName) -> String {
    format!("webhook of {person}")
}
