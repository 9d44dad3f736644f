//! Bookings, as lists show them.

use huddle_ports::Timestamp;
use huddle_syntax::Did;

use super::page::{List, Place};
use super::{Index, IndexError, ListError, Page, Paging, Statement, moment, people, text};
use crate::booking::{Asked, Booking, EventKind};
use crate::host_match::Role;
use crate::sql::{Row, Value};

/// Which of somebody's bookings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those in which they are this side.
    pub role: Option<Role>,
    /// Only those in one of these states, by their [words](crate::booking::Phase::word); all, if there are none.
    pub statuses: Vec<String>,
    /// Only those that begin then or later.
    pub starts_after: Option<Timestamp>,
    /// Only those that begin earlier.
    pub starts_before: Option<Timestamp>,
}

/// Somebody's bookings, those that were asked for last first.
pub async fn list(
    index: &dyn Index,
    person: &Did,
    filter: &Filter,
    paging: Paging<'_>,
) -> Result<Page<Booking>, ListError> {
    let Place {
        numbers: [created],
        name: id,
    } = paging.after(List::Bookings)?;
    let statement = Statement {
        // Each side by its own index; nobody is both.
        sql: "SELECT document, created, id FROM (\
              SELECT * FROM bookings WHERE host_did = ?1 AND ?2 \
              UNION ALL SELECT * FROM bookings WHERE guest_did = ?1 AND ?3) \
              WHERE (created < ?4 OR (created = ?4 AND id < ?5)) \
              AND (?6 = '[]' OR status IN (SELECT value FROM json_each(?6))) \
              AND (?7 IS NULL OR starts >= ?7) AND (?8 IS NULL OR starts < ?8) \
              ORDER BY created DESC, id DESC LIMIT ?9",
        bindings: vec![
            text(person.as_str()),
            Value::Integer((filter.role != Some(Role::Guest)).into()),
            Value::Integer((filter.role != Some(Role::Host)).into()),
            Value::Integer(created),
            text(id),
            text(serde_json::to_string(&filter.statuses)?),
            filter.starts_after.map_or(Value::Null, moment),
            filter.starts_before.map_or(Value::Null, moment),
            Value::Integer(paging.fetched()),
        ],
    };
    let rows = index.query(statement).await?;
    let bookings: Result<Vec<_>, ListError> = rows.iter().map(booking).collect();
    Ok(paging.page(List::Bookings, bookings?))
}

fn booking(row: &Row) -> Result<(Booking, Place<1>), ListError> {
    let booking = serde_json::from_str(&row.get::<String>(0)?)?;
    let place = Place {
        numbers: [row.get(1)?],
        name: row.get(2)?,
    };
    Ok((booking, place))
}

/// When the first of somebody's bookings was asked for, if they have any.
pub async fn first_asked(index: &dyn Index, person: &Did) -> Result<Option<Timestamp>, IndexError> {
    let sql = "SELECT min(created) FROM (\
               SELECT min(created) AS created FROM bookings WHERE host_did = ?1 \
               UNION ALL SELECT min(created) FROM bookings WHERE guest_did = ?1)";
    let bindings = vec![text(person.as_str())];
    let rows = index.query(Statement { sql, bindings }).await?;
    let first = rows.first().map(|row| row.get::<Option<Timestamp>>(0));
    Ok(first.transpose()?.flatten())
}

/// Brings the index up to a booking, unless it knows a later revision already, and gives what it has not shown before. One
/// that its parties do not know of is in no list.
pub async fn project(index: &dyn Index, booking: &Booking) -> Result<Vec<EventKind>, IndexError> {
    if !booking.is_known() {
        return Ok(vec![]);
    }
    loop {
        let shown = shown(index, booking).await?;
        if shown.is_some_and(|shown| shown.revision >= booking.revision) {
            return Ok(vec![]);
        }
        let until = until(booking);
        if shown.is_none_or(|shown| shown.until < until) {
            // Before the booking is shown: whoever dies over it comes back only until then.
            let Asked { host, guest, .. } = &booking.asked;
            let meet = people::meet([host, guest], until, booking.created_at);
            index.batch(vec![meet]).await?;
        }
        // Whoever has shown another revision meanwhile has told of what it has seen.
        if show(index, booking, shown.map_or(0, |shown| shown.revision)).await? {
            let events = booking.history.iter();
            let new = events.filter(|event| shown.is_none_or(|shown| event.at > shown.updated));
            return Ok(new.map(|event| event.kind).collect());
        }
    }
}

/// Shows a booking in place of a revision, 0 where there is none. Says whether that was what was shown.
async fn show(index: &dyn Index, booking: &Booking, before: u32) -> Result<bool, IndexError> {
    let slot = booking.phase.place().map(|place| place.slot);
    let bindings = vec![
        text(booking.id.to_string()),
        Value::Integer(booking.revision.into()),
        text(booking.asked.host.as_str()),
        text(booking.asked.guest.as_str()),
        text(booking.phase.word()),
        slot.map_or(Value::Null, |slot| moment(slot.start())),
        slot.map_or(Value::Null, |slot| moment(slot.end())),
        moment(booking.created_at),
        moment(booking.updated_at),
        text(serde_json::to_string(booking)?),
        Value::Integer(before.into()),
    ];
    let sql = "INSERT INTO bookings \
         (id, revision, host_did, guest_did, status, starts, ends, created, updated, document) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
         ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, status = excluded.status, \
         starts = excluded.starts, ends = excluded.ends, updated = excluded.updated, \
         document = excluded.document WHERE revision = ?11 RETURNING revision";
    let rows = index.query(Statement { sql, bindings }).await?;
    Ok(!rows.is_empty())
}

/// Until when a booking brings its parties together, as far as is known by now.
fn until(booking: &Booking) -> Timestamp {
    let place = booking.phase.place();
    place.map_or(booking.updated_at, |place| place.slot.end())
}

/// What the index shows of a booking.
#[derive(Clone, Copy)]
struct Shown {
    revision: u32,
    updated: Timestamp,
    /// As [`until`] has it.
    until: Timestamp,
}

async fn shown(index: &dyn Index, booking: &Booking) -> Result<Option<Shown>, IndexError> {
    let sql = "SELECT revision, updated, coalesce(ends, updated) FROM bookings WHERE id = ?1";
    let bindings = vec![text(booking.id.to_string())];
    let rows = index.query(Statement { sql, bindings }).await?;
    let shown = |row: &Row| {
        Ok(Shown {
            revision: row.get(0)?,
            updated: row.get(1)?,
            until: row.get(2)?,
        })
    };
    rows.first().map(shown).transpose()
}
