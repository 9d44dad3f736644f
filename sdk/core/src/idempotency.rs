//! What an actor has answered under idempotency keys: final answers only, for `idempotency_secs` of the limits, and of
//! each caller the latest 32 only. What an answer is, the actor knows; here it is a text.

use huddle_ports::Timestamp;
use huddle_syntax::Did;
use serde::{Deserialize, Serialize};

use crate::limits::secs;
use crate::sql::SqlError;
use crate::turn::Turn;

/// How many requests of one caller an actor keeps: whoever sends more loses the answers to their oldest,
/// and to nobody else's.
const KEPT: u32 = 32;

const TIMER: &str = "replies";

/// Names a request, so that sending it again does nothing twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Who asks.
    pub caller: Did,
    /// The NSID of the method.
    pub method: String,
    /// The key that the caller chose.
    pub key: String,
    /// A hash of the request's body, which must be the same under the same key.
    pub body_hash: String,
}

/// Where a request stands.
pub(crate) enum Seen {
    /// It comes for the first time, or again after it was given up.
    Fresh,
    /// It comes again, and whoever ran it has not come back: what it began is to be taken up.
    Again,
    /// It was answered.
    Answered(String),
    /// The key came with another body.
    Mismatch,
    /// It is still running.
    InFlight(Timestamp),
}

/// Looks a request up, and marks it as running where it may run.
pub(crate) fn begin(turn: &mut Turn<'_>, key: &Key) -> Result<Seen, SqlError> {
    let now = turn.now();
    let actor = turn.name().as_str();
    let rows = turn.read(
        "SELECT body_hash, lease, answer FROM reply \
         WHERE actor = ?1 AND caller = ?2 AND method = ?3 AND key = ?4 AND forget > ?5",
        &[
            actor.into(),
            key.caller.as_str().into(),
            (&key.method).into(),
            (&key.key).into(),
            now.into(),
        ],
    )?;
    let again = !rows.is_empty();
    if let Some(row) = rows.first() {
        if row.get::<String>(0)? != key.body_hash {
            return Ok(Seen::Mismatch);
        }
        if let Some(answer) = row.get::<Option<String>>(2)? {
            return Ok(Seen::Answered(answer));
        }
        let lease: Timestamp = row.get(1)?;
        if now < lease {
            return Ok(Seen::InFlight(lease));
        }
    }
    if !again {
        make_room(turn, &key.caller)?;
    }
    let lease = now + secs(turn.limits().driver_lease_secs);
    let forget = now + secs(turn.limits().idempotency_secs);
    turn.write(
        "INSERT INTO reply (actor, caller, method, key, body_hash, lease, answer, forget) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL, ?7) \
         ON CONFLICT (actor, caller, method, key) DO UPDATE SET \
         body_hash = excluded.body_hash, lease = excluded.lease, answer = NULL, forget = excluded.forget",
        &[
            actor.into(),
            key.caller.as_str().into(),
            (&key.method).into(),
            (&key.key).into(),
            (&key.body_hash).into(),
            lease.into(),
            forget.into(),
        ],
    )?;
    turn.hasten_timer(TIMER, forget)?;
    Ok(if again { Seen::Again } else { Seen::Fresh })
}

/// Makes room for one more request of a caller.
fn make_room(turn: &mut Turn<'_>, caller: &Did) -> Result<(), SqlError> {
    let (actor, caller) = (turn.name().as_str(), caller.as_str());
    turn.write(
        "DELETE FROM reply WHERE actor = ?1 AND caller = ?2 AND (method, key) IN \
         (SELECT method, key FROM reply WHERE actor = ?1 AND caller = ?2 \
         ORDER BY forget DESC LIMIT -1 OFFSET ?3)",
        &[actor.into(), caller.into(), (KEPT - 1).into()],
    )?;
    Ok(())
}

/// Nothing came of a request: it may be sent again as if it had not been.
pub(crate) fn withdraw(turn: &mut Turn<'_>, key: &Key) -> Result<(), SqlError> {
    let actor = turn.name().as_str();
    turn.write(
        "DELETE FROM reply WHERE actor = ?1 AND caller = ?2 AND method = ?3 AND key = ?4",
        &[
            actor.into(),
            key.caller.as_str().into(),
            (&key.method).into(),
            (&key.key).into(),
        ],
    )?;
    Ok(())
}

/// Nothing came of all that is running.
pub(crate) fn withdraw_running(turn: &mut Turn<'_>) -> Result<(), SqlError> {
    let actor = turn.name().as_str();
    turn.write(
        "DELETE FROM reply WHERE actor = ?1 AND answer IS NULL",
        &[actor.into()],
    )?;
    Ok(())
}

/// Answers all that is running, if anything is.
pub(crate) fn answer_running(
    turn: &mut Turn<'_>,
    answer: impl FnOnce() -> Result<String, SqlError>,
) -> Result<(), SqlError> {
    let actor = turn.name().as_str();
    let running = turn.read(
        "SELECT 1 FROM reply WHERE actor = ?1 AND answer IS NULL LIMIT 1",
        &[actor.into()],
    )?;
    if running.is_empty() {
        return Ok(());
    }
    turn.write(
        "UPDATE reply SET answer = ?2 WHERE actor = ?1 AND answer IS NULL",
        &[actor.into(), (&answer()?).into()],
    )?;
    Ok(())
}

/// Forgets answers whose time is over, and sets the timer for the next.
pub(crate) fn forget(turn: &mut Turn<'_>) -> Result<(), SqlError> {
    let (actor, now) = (turn.name().as_str(), turn.now());
    turn.write(
        "DELETE FROM reply WHERE actor = ?1 AND forget <= ?2",
        &[actor.into(), now.into()],
    )?;
    let rows = turn.read(
        "SELECT min(forget) FROM reply WHERE actor = ?1",
        &[actor.into()],
    )?;
    match rows.first().map_or(Ok(None), |row| row.get(0))? {
        Some(next) => turn.set_timer(TIMER, next),
        None => Ok(()),
    }
}
