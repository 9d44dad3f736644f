//! Where news of a person's bookings is posted: an address that they have given, or an app of theirs.

use std::time::Duration;

use huddle_ports::Timestamp;
use serde::{Deserialize, Serialize};

use super::record;
use super::sealing::Sealed;
use crate::actor::ActorName;
use crate::idempotency::{self, Key, Seen};
use crate::index::audit::Deed;
use crate::sql::SqlError;
use crate::turn::Turn;

/// How many messages in a row that are not answered in time have a webhook left alone: each keeps somebody waiting for as
/// long as a message may take.
const TIMEOUTS_BEFORE_PAUSE: u32 = 3;

/// The longest that it is left alone before one more message is tried there.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// Set the address, and what is posted there is signed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetWebhook {
    /// The request.
    pub key: Key,
    /// Both.
    pub sealed: Sealed,
}

/// Why an address is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetWebhookRefused {
    /// The key came with another body before.
    Mismatch,
    /// The request has set it before, and it was removed or set anew since.
    Replaced,
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

/// An address as it is stored, and what has come of the messages that were posted there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredWebhook {
    /// The address, and what is posted there is signed with.
    pub sealed: Sealed,
    /// When a message was last taken there.
    pub taken_at: Option<Timestamp>,
    /// When one was last not.
    pub failed_at: Option<Timestamp>,
    /// How many of the last messages, in a row, were not answered in time.
    pub timeouts: u32,
    /// Until when none is posted.
    pub paused_until: Option<Timestamp>,
}

/// Note what came of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotePost {
    /// Where it was posted. If that is not what is stored any more, nothing is noted.
    pub sealed: Sealed,
    /// What came of it.
    pub came: Posted,
}

/// What came of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Posted {
    /// It was taken.
    Taken,
    /// It was not.
    Refused,
    /// There was no answer in time.
    TimedOut,
}

/// Store the same under another key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResealWebhook {
    /// What is stored now. If that is something else by then, nothing is changed.
    pub before: Sealed,
    /// The same, under another key.
    pub after: Sealed,
}

/// Gives what the first of the same requests has set, so that each is told the same secret. It is kept in one place: once
/// the webhook is gone or another, it is told to nobody any more.
pub(super) fn set(
    turn: &mut Turn<'_>,
    command: SetWebhook,
) -> Result<Result<Sealed, SetWebhookRefused>, SqlError> {
    let SetWebhook { key, sealed } = command;
    let actor = turn.name().as_str();
    match idempotency::begin(turn, &key)? {
        Seen::Mismatch => return Ok(Err(SetWebhookRefused::Mismatch)),
        Seen::Answered(_) => {
            let rows = turn.read(
                "SELECT sealed FROM webhook WHERE actor = ?1 AND set_by = ?2",
                &[actor.into(), (&key.key).into()],
            )?;
            let still_there = rows.first().map(|row| row.get(0)).transpose()?;
            return Ok(still_there.ok_or(SetWebhookRefused::Replaced));
        }
        // It is answered in the turn in which it comes, so none is ever left running.
        Seen::Fresh | Seen::Again | Seen::InFlight(_) => {}
    }
    turn.write(
        "INSERT INTO webhook (actor, sealed, set_by) VALUES (?1, ?2, ?3) \
         ON CONFLICT (actor) DO UPDATE SET sealed = excluded.sealed, set_by = excluded.set_by, \
         taken = NULL, failed = NULL, timeouts = 0, paused = NULL",
        &[actor.into(), sealed.as_str().into(), (&key.key).into()],
    )?;
    record(turn, Deed::WebhookSet)?;
    idempotency::answer_running(turn, || Ok("null".into()))?;
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
    let gone = turn.write(
        "DELETE FROM webhook WHERE actor = ?1 RETURNING 1",
        &[actor.into()],
    )?;
    if !gone.is_empty() {
        record(turn, Deed::WebhookRemoved)?;
    }
    idempotency::answer_running(turn, || Ok("null".into()))?;
    Ok(Ok(()))
}

pub(super) fn read(turn: &mut Turn<'_>) -> Result<Option<StoredWebhook>, SqlError> {
    let actor = turn.name().as_str();
    let rows = turn.read(
        "SELECT sealed, taken, failed, timeouts, paused FROM webhook WHERE actor = ?1",
        &[actor.into()],
    )?;
    let stored = rows.first().map(|row| {
        Ok(StoredWebhook {
            sealed: row.get(0)?,
            taken_at: row.get(1)?,
            failed_at: row.get(2)?,
            timeouts: row.get(3)?,
            paused_until: row.get(4)?,
        })
    });
    stored.transpose()
}

/// Notes what came of a message. Whoever does not answer in time, again and again, is left alone for a while, each time for
/// longer, and is then asked once: whatever is no wait in vain ends that.
pub(super) fn note(turn: &mut Turn<'_>, command: &NotePost) -> Result<(), SqlError> {
    let now = turn.now();
    let Some(stored) = read(turn)?.filter(|stored| stored.sealed == command.sealed) else {
        return Ok(());
    };
    let (taken_at, failed_at, timeouts) = match command.came {
        Posted::Taken => (Some(now), stored.failed_at, 0),
        Posted::Refused => (stored.taken_at, Some(now), 0),
        Posted::TimedOut => (
            stored.taken_at,
            Some(now),
            stored.timeouts.saturating_add(1),
        ),
    };
    let paused_until = pause_after(timeouts).map(|pause| now + pause);
    let actor = turn.name().as_str();
    turn.write(
        "UPDATE webhook SET taken = ?2, failed = ?3, timeouts = ?4, paused = ?5 WHERE actor = ?1",
        &[
            actor.into(),
            taken_at.into(),
            failed_at.into(),
            timeouts.into(),
            paused_until.into(),
        ],
    )?;
    Ok(())
}

/// For how long a webhook is left alone that did not answer in time so often in a row: a minute at first, then twice as
/// long each time.
fn pause_after(timeouts: u32) -> Option<Duration> {
    let beyond = timeouts.checked_sub(TIMEOUTS_BEFORE_PAUSE)?;
    Some(Duration::from_mins(1 << beyond.min(6)).min(LONGEST_PAUSE))
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
    if !stored.is_empty() {
        record(turn, Deed::Resealed)?;
    }
    Ok(!stored.is_empty())
}

/// What the webhook of a person is sealed for, whose actor this is.
pub(crate) fn about(person: &ActorName) -> String {
    format!("webhook of {person}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_that_hangs_is_left_alone_for_longer_each_time_and_for_an_hour_at_most() {
        for (timeouts, minutes) in [
            (0, None),
            (2, None),
            (3, Some(1)),
            (4, Some(2)),
            (8, Some(32)),
            (9, Some(60)),
            (u32::MAX, Some(60)),
        ] {
            assert_eq!(pause_after(timeouts), minutes.map(Duration::from_mins));
        }
    }
}
