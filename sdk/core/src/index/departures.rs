//! Accounts that were deleted, while there may be meetings of theirs to call off.
//!
//! What is known of their bookings may be late here. So these are gone through in passes, one after the other, in the
//! order of their ids, and an account is done with only when a pass that began late enough has come to its end.

use huddle_ports::Timestamp;
use huddle_syntax::Did;

use super::{Index, IndexError, Statement, moment, optional, text};
use crate::booking::{BookingId, InvalidBookingId};
use crate::sql::{Row, Value};

/// An account that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// Which one.
    pub did: Did,
    /// When it was deleted.
    pub since: Timestamp,
    /// When the pass began that goes on, or a moment before that.
    pub pass: Timestamp,
    /// The id of the last booking that this pass has called off; empty before the first.
    called_off: String,
}

/// An account was deleted.
pub fn begin(did: &str, now: Timestamp) -> Statement {
    Statement {
        sql: "INSERT INTO departures (did, called_off, since, pass, due) VALUES (?1, '', ?2, ?2, ?2) \
              ON CONFLICT (did) DO NOTHING",
        bindings: vec![text(did), moment(now)],
    }
}

/// At most `limit` accounts that are to be looked at by now: those that have waited longest, so that none that cannot be
/// done with holds up another.
pub async fn open(
    index: &dyn Index,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Departure>, IndexError> {
    let sql = "SELECT did, since, pass, called_off FROM departures WHERE due <= ?1 \
               ORDER BY due, did LIMIT ?2";
    let bindings = vec![moment(now), Value::Integer(limit.into())];
    let rows = index.query(Statement { sql, bindings }).await?;
    let departure = |row: &Row| {
        Ok(Departure {
            did: row.get::<String>(0)?.parse()?,
            since: row.get(1)?,
            pass: row.get(2)?,
            called_off: row.get(3)?,
        })
    };
    rows.iter().map(departure).collect()
}

/// At most `limit` bookings that this pass is to call off, in the order of their ids: those that are not over, and whose
/// meetings have not begun.
pub async fn bookings(
    index: &dyn Index,
    departure: &Departure,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<BookingId>, IndexError> {
    let statement = Statement {
        sql: "SELECT id FROM bookings WHERE (host_did = ?1 OR guest_did = ?1) AND id > ?2 \
              AND status IN ('pending', 'held', 'finalizing', 'confirmed') \
              AND (starts IS NULL OR starts > ?3) ORDER BY id LIMIT ?4",
        bindings: vec![
            text(departure.did.as_str()),
            text(&departure.called_off),
            moment(now),
            Value::Integer(limit.into()),
        ],
    };
    let rows = index.query(statement).await?;
    let id = |row: &Row| {
        let id: String = row.get(0)?;
        id.parse()
            .map_err(|error: InvalidBookingId| IndexError(error.to_string()))
    };
    rows.iter().map(id).collect()
}

/// The pass goes on after this booking, or where it was if it has called off none, once the others had their turn.
pub fn go_on(departure: &Departure, last: Option<&BookingId>, now: Timestamp) -> Statement {
    Statement {
        sql: "UPDATE departures SET called_off = coalesce(?2, called_off), due = ?3 WHERE did = ?1",
        bindings: vec![
            text(departure.did.as_str()),
            optional(last.map(BookingId::as_str)),
            moment(now),
        ],
    }
}

/// The pass is at its end, and another begins at a moment.
pub fn pass_again(departure: &Departure, at: Timestamp) -> Statement {
    Statement {
        sql: "UPDATE departures SET called_off = '', pass = ?2, due = ?2 WHERE did = ?1",
        bindings: vec![text(departure.did.as_str()), moment(at)],
    }
}

/// Nothing is left to do.
pub fn end(departure: &Departure) -> Statement {
    Statement {
        sql: "DELETE FROM departures WHERE did = ?1",
        bindings: vec![text(departure.did.as_str())],
    }
}
