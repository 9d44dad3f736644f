//! Where a person's mail goes: an address that they have entered, and then shown to be theirs.

use std::time::Duration;

use huddle_ports::Timestamp;
use serde::{Deserialize, Serialize};

use super::record;
use super::sealing::Sealed;
use crate::actor::ActorName;
use crate::idempotency::{self, Key, Seen};
use crate::index::audit::Deed;
use crate::outbox::Task;
use crate::sql::SqlError;
use crate::turn::Turn;

const TIMER: &str = "address";

/// How long an address is kept that was never confirmed, once it cannot be any more.
const KEPT: Duration = Duration::from_hours(7 * 24);

/// Set the address, which gets a token and nothing else until that has come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAddress {
    /// The request.
    pub key: Key,
    /// The address.
    pub sealed: Sealed,
    /// What its token belongs to: fresh for each request.
    pub mark: String,
    /// Until when that can be used.
    pub expires: Timestamp,
}

/// Why an address is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetAddressRefused {
    /// The key came with another body before.
    Mismatch,
}

/// Take the token that belongs to a mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmAddress {
    /// The request.
    pub key: Key,
    /// The mark.
    pub mark: String,
}

/// Why an address is not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConfirmAddressRefused {
    /// The key came with another body before.
    Mismatch,
    /// The token was used, or another address was entered since.
    Used,
    /// It came too late.
    Expired,
}

/// Read the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadAddress {}

/// Store the same address under another key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResealAddress {
    /// What is stored now. If that is something else by then, nothing is changed.
    pub before: Sealed,
    /// The same, under another key.
    pub after: Sealed,
}

/// An address as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAddress {
    /// The address.
    pub sealed: Sealed,
    /// Whether it was shown to be the person's.
    pub confirmed: bool,
    /// What the token belongs to that is waited for.
    pub mark: Option<String>,
    /// Until when that can be used.
    pub expires: Timestamp,
}

pub(super) fn set(
    turn: &mut Turn<'_>,
    command: SetAddress,
) -> Result<Result<Timestamp, SetAddressRefused>, SqlError> {
    match idempotency::begin(turn, &command.key)? {
        Seen::Mismatch => return Ok(Err(SetAddressRefused::Mismatch)),
        Seen::Answered(expires) => return Ok(Ok(serde_json::from_str(&expires)?)),
        // It is answered in the turn in which it comes, so none is ever left running.
        Seen::Fresh | Seen::Again | Seen::InFlight(_) => {}
    }
    let SetAddress {
        key,
        sealed,
        mark,
        expires,
    } = command;
    let actor = turn.name().as_str();
    turn.write(
        "INSERT INTO address (actor, sealed, confirmed, mark, expires) VALUES (?1, ?2, 0, ?3, ?4) \
         ON CONFLICT (actor) DO UPDATE SET \
         sealed = excluded.sealed, confirmed = 0, mark = excluded.mark, expires = excluded.expires",
        &[
            actor.into(),
            sealed.as_str().into(),
            (&mark).into(),
            expires.into(),
        ],
    )?;
    turn.set_timer(TIMER, expires + KEPT)?;
    let person = key.caller;
    turn.send(&Task::ConfirmAddress { person, mark })?;
    idempotency::answer_running(turn, || Ok(serde_json::to_string(&expires)?))?;
    Ok(Ok(expires))
}

pub(super) fn confirm(
    turn: &mut Turn<'_>,
    command: &ConfirmAddress,
) -> Result<Result<(), ConfirmAddressRefused>, SqlError> {
    match idempotency::begin(turn, &command.key)? {
        Seen::Mismatch => return Ok(Err(ConfirmAddressRefused::Mismatch)),
        Seen::Answered(_) => return Ok(Ok(())),
        Seen::Fresh | Seen::Again | Seen::InFlight(_) => {}
    }
    let stored = read(turn)?;
    let waiting = stored.filter(|stored| stored.mark.as_ref() == Some(&command.mark));
    let refused = match waiting {
        None => Some(ConfirmAddressRefused::Used),
        Some(stored) if stored.expires <= turn.now() => Some(ConfirmAddressRefused::Expired),
        Some(_) => None,
    };
    if let Some(why) = refused {
        idempotency::withdraw(turn, &command.key)?;
        return Ok(Err(why));
    }
    let actor = turn.name().as_str();
    turn.write(
        "UPDATE address SET confirmed = 1, mark = NULL WHERE actor = ?1",
        &[actor.into()],
    )?;
    turn.clear_timer(TIMER)?;
    record(turn, Deed::AddressConfirmed)?;
    idempotency::answer_running(turn, || Ok("null".into()))?;
    Ok(Ok(()))
}

/// Says whether it was stored.
pub(super) fn reseal(turn: &mut Turn<'_>, command: &ResealAddress) -> Result<bool, SqlError> {
    let actor = turn.name().as_str();
    let stored = turn.write(
        "UPDATE address SET sealed = ?3 WHERE actor = ?1 AND sealed = ?2 RETURNING 1",
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

pub(super) fn read(turn: &mut Turn<'_>) -> Result<Option<StoredAddress>, SqlError> {
    let actor = turn.name().as_str();
    let rows = turn.read(
        "SELECT sealed, confirmed, mark, expires FROM address WHERE actor = ?1",
        &[actor.into()],
    )?;
    let stored = rows.first().map(|row| {
        Ok(StoredAddress {
            sealed: row.get::<String>(0)?.into(),
            confirmed: row.get(1)?,
            mark: row.get(2)?,
            expires: row.get(3)?,
        })
    });
    stored.transpose()
}

/// Forgets an address that nobody has confirmed in time: it may be anybody's.
pub(super) fn forget(turn: &mut Turn<'_>) -> Result<(), SqlError> {
    let (actor, now) = (turn.name().as_str(), turn.now());
    let Some(stored) = read(turn)?.filter(|stored| !stored.confirmed) else {
        return Ok(());
    };
    let due = stored.expires + KEPT;
    if now < due {
        return turn.set_timer(TIMER, due);
    }
    turn.write("DELETE FROM address WHERE actor = ?1", &[actor.into()])?;
    Ok(())
}

/// What the address of a person is sealed for, whose actor this is.
pub(crate) fn about(person: &ActorName) -> String {
    format!("mail address of {person}")
}
