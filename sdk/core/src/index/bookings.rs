//! Bookings, as lists show them.

use huddle_ports::Timestamp;

use super::{Index, IndexError, Statement};
use crate::booking::Booking;
use crate::sql::Value;

/// Brings the index up to a booking, unless it knows a later revision already. One that its parties
/// do not know of is in no list.
pub async fn project(index: &dyn Index, booking: &Booking) -> Result<(), IndexError> {
    if !booking.is_known() {
        return Ok(());
    }
    let moment = |moment: Timestamp| Value::Integer(moment.as_millis());
    let slot = booking.phase.place().map(|place| place.slot);
    let bindings = vec![
        Value::Text(booking.id.to_string()),
        Value::Integer(booking.revision.into()),
        Value::Text(booking.asked.host.to_string()),
        Value::Text(booking.asked.guest.to_string()),
        Value::Text(booking.phase.word().to_owned()),
        slot.map_or(Value::Null, |slot| moment(slot.start())),
        slot.map_or(Value::Null, |slot| moment(slot.end())),
        moment(booking.created_at),
        moment(booking.updated_at),
    ];
    let sql = "INSERT INTO bookings \
         (id, revision, host_did, guest_did, status, starts, ends, created, updated) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
         ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, status = excluded.status, \
         starts = excluded.starts, ends = excluded.ends, updated = excluded.updated \
         WHERE revision < excluded.revision";
    index.batch(vec![Statement { sql, bindings }]).await
}
