//! Accounts that were deleted, while there may be meetings of theirs to call off.

use huddle_ports::Timestamp;
use huddle_syntax::Did;

use super::{Index, IndexError, Statement, moment, text};
use crate::booking::{BookingId, InvalidBookingId};
use crate::sql::{Row, Value};

/// An account that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// Which one.
    pub did: Did,
    /// The id of the last booking that was called off; empty before the first.
    called_off: String,
}

/// An account was deleted.
pub fn begin(did: &str) -> Statement {
    Statement {
        sql: "INSERT INTO departures (did, called_off) VALUES (?1, '') ON CONFLICT (did) DO NOTHING",
        bindings: vec![text(did)],
    }
}

/// At most `limit` accounts that are not done with, in no order.
pub async fn open(index: &dyn Index, limit: u32) -> Result<Vec<Departure>, IndexError> {
    let sql = "SELECT did, called_off FROM departures LIMIT ?1";
    let bindings = vec![Value::Integer(limit.into())];
    let rows = index.query(Statement { sql, bindings }).await?;
    let departure = |row: &Row| {
        Ok(Departure {
            did: row.get::<String>(0)?.parse()?,
            called_off: row.get(1)?,
        })
    };
    rows.iter().map(departure).collect()
}

/// At most `limit` bookings that are to be called off, in the order of their ids: those that are not over, and whose
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

/// The bookings up to this one are called off.
pub fn go_on(departure: &Departure, last: &BookingId) -> Statement {
    Statement {
        sql: "UPDATE departures SET called_off = ?2 WHERE did = ?1",
        bindings: vec![text(departure.did.as_str()), text(last.as_str())],
    }
}

/// Nothing is left to do.
pub fn end(departure: &Departure) -> Statement {
    Statement {
        sql: "DELETE FROM departures WHERE did = ?1",
        bindings: vec![text(departure.did.as_str())],
    }
}
