//! What must be true of the stores whatever has happened: reads it out of the rows, for an operator and for tests.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use huddle_core::booking::{Attempt, Booking, BookingId, EventKind, Phase};
use huddle_core::outbox::Task;
use huddle_core::preferences::Preferences;
use huddle_core::{ActorName, Interval, Sql as _, SqlError};
use huddle_ports::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Params, Row};

use super::StoreFailed;
use super::open::{self, Database};
use super::sqlite::{SqliteSql, store_error};

/// Something that the stores of an installation must never hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contradiction {
    /// Two meetings of one person that they cannot both keep.
    Overlap {
        /// Who keeps the person's time.
        actor: String,
        /// The meetings.
        bookings: [String; 2],
    },
    /// A meeting that stands, and that somebody's time does not know of.
    Unclaimed {
        /// The meeting.
        booking: BookingId,
        /// Whose time.
        actor: ActorName,
    },
    /// Time that is given away to a meeting that never stood at that time.
    Unconfirmed {
        /// The meeting.
        booking: String,
        /// Whose time.
        actor: String,
    },
    /// A booking of which lists tell something older, and nothing is under way that would mend it.
    Behind(BookingId),
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overlap { bookings, .. } => {
                let [one, other] = bookings;
                write!(f, "bookings {one} and {other} of one person overlap")
            }
            Self::Unclaimed { booking, .. } => {
                write!(
                    f,
                    "booking {booking} is confirmed, and the time of one side is not taken"
                )
            }
            Self::Unconfirmed { booking, .. } => {
                write!(
                    f,
                    "time is given away to booking {booking}, which was never confirmed for it"
                )
            }
            Self::Behind(booking) => write!(f, "lists are behind with booking {booking}"),
        }
    }
}

impl Contradiction {
    /// Looks for all of them in the installation in `folder`, which may be at work, as of `now`. An intact one has none.
    pub fn find(folder: &Path, now: Timestamp) -> Result<Vec<Self>, StoreFailed> {
        let open = |database: Database| {
            let connection = open::up_to_date(&database.path(folder), database);
            connection.map_err(|error| StoreFailed(error.to_string()))
        };
        let actors = open(Database::Actors)?;
        // One moment for all that is read of actors; the index is read after it, and so is newer.
        let actors = actors.unchecked_transaction().map_err(store_error)?;
        let mut found = overlaps(&actors, now)?;
        found.extend(unclaimed(&actors, now)?);
        found.extend(unconfirmed(&actors)?);
        let index = open(Database::Index)?;
        found.extend(behind(&actors, &index)?.into_iter().map(Self::Behind));
        Ok(found)
    }
}

/// Runs a statement and takes what each row makes known.
fn each<T>(
    connection: &Connection,
    statement: &str,
    bindings: impl Params,
    mut take: impl FnMut(&Row<'_>) -> Result<Option<T>, SqlError>,
) -> Result<Vec<T>, SqlError> {
    let mut statement = connection.prepare(statement).map_err(store_error)?;
    let mut rows = statement.query(bindings).map_err(store_error)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(store_error)? {
        found.extend(take(row)?);
    }
    Ok(found)
}

fn text(row: &Row<'_>, column: usize) -> Result<String, SqlError> {
    row.get(column).map_err(store_error)
}

fn booking(row: &Row<'_>, column: usize) -> Result<Booking, SqlError> {
    let document = row.get_ref(column).map_err(store_error)?;
    let document = document.as_str().map_err(|_| SqlError::Column(column))?;
    Ok(serde_json::from_str(document)?)
}

/// As claims conflict: neither meeting may lie in the buffers of the other. Of people whose time is kept by days, it is
/// the days that may not overlap. Whether a hold is over is judged by the actor's time, which is never before what it
/// has written.
const OVERLAPS: &str = "\
    WITH live AS (SELECT claim.* FROM claim JOIN actor ON actor.name = claim.actor \
      WHERE (claim.state <> 'held' OR claim.due > max(?1, actor.latest)) \
      AND claim.actor NOT IN (SELECT actor FROM sharded)) \
    SELECT one.actor, one.booking, other.booking FROM live AS one JOIN live AS other \
      ON other.actor = one.actor AND other.booking > one.booking \
      AND ((one.guard_starts < other.ends AND other.starts < one.guard_ends) \
        OR (one.starts < other.guard_ends AND other.guard_starts < one.ends))";

fn overlaps(actors: &Connection, now: Timestamp) -> Result<Vec<Contradiction>, SqlError> {
    each(actors, OVERLAPS, [now.as_millis()], |row| {
        Ok(Some(Contradiction::Overlap {
            actor: text(row, 0)?,
            bookings: [text(row, 1)?, text(row, 2)?],
        }))
    })
}

/// Meetings that are still to come; what is long over is forgotten by the actors of the people.
fn unclaimed(actors: &Connection, now: Timestamp) -> Result<Vec<Contradiction>, SqlError> {
    let found = each(actors, "SELECT document FROM booking", [], |row| {
        let booking = booking(row, 0)?;
        let Phase::Confirmed { attempt, place, .. } = &booking.phase else {
            return Ok(None);
        };
        if place.slot.end() <= now {
            return Ok(None);
        }
        let mut missing = Vec::new();
        for actor in booking.keepers(*attempt) {
            if !is_claimed(actors, &actor, &booking.id, *attempt, place.slot)? {
                missing.push(Contradiction::Unclaimed {
                    booking: booking.id.clone(),
                    actor,
                });
            }
        }
        Ok(Some(missing))
    })?;
    Ok(found.into_iter().flatten().collect())
}

fn is_claimed(
    actors: &Connection,
    actor: &ActorName,
    booking: &BookingId,
    attempt: Attempt,
    slot: Interval,
) -> Result<bool, SqlError> {
    let rows = SqliteSql(actors).query(
        "SELECT 1 FROM claim WHERE actor = ?1 AND booking = ?2 AND attempt = ?3 \
         AND state IN ('prepared', 'booked') AND starts = ?4 AND ends = ?5",
        &[
            actor.as_str().into(),
            booking.as_str().into(),
            attempt.into(),
            slot.start().into(),
            slot.end().into(),
        ],
    )?;
    Ok(!rows.is_empty())
}

fn unconfirmed(actors: &Connection) -> Result<Vec<Contradiction>, SqlError> {
    let booked = "SELECT claim.actor, claim.booking, claim.starts, booking.document FROM claim \
                  LEFT JOIN booking ON booking.actor = 'booking/' || claim.booking \
                  WHERE claim.state = 'booked'";
    each(actors, booked, [], |row| {
        let starts: i64 = row.get(2).map_err(store_error)?;
        let is_known = row.get_ref(3).map_err(store_error)? != rusqlite::types::ValueRef::Null;
        if is_known && stood_at(&booking(row, 3)?, starts) {
            return Ok(None);
        }
        Ok(Some(Contradiction::Unconfirmed {
            actor: text(row, 0)?,
            booking: text(row, 1)?,
        }))
    })
}

/// Whether a meeting ever stood with this start, as far as it remembers.
fn stood_at(booking: &Booking, starts: i64) -> bool {
    let stood = |kind| matches!(kind, EventKind::Confirmed | EventKind::Rescheduled);
    booking.history.iter().any(|event| {
        let begins = event.slot.map(|slot| slot.start().as_millis());
        stood(event.kind) && begins == Some(starts)
    })
}

/// The bookings of which the index has something older than the actors, and no task waits that brings it.
pub(super) fn behind(actors: &Connection, index: &Connection) -> Result<Vec<BookingId>, SqlError> {
    let waiting = "SELECT task FROM outbox WHERE due IS NOT NULL AND task LIKE '{\"Project\"%'";
    let waiting = each(actors, waiting, [], |row| Ok(Some(text(row, 0)?)))?;
    let waiting: HashSet<String> = waiting.into_iter().collect();
    let mut indexed = index
        .prepare("SELECT revision FROM bookings WHERE id = ?1")
        .map_err(store_error)?;
    each(actors, "SELECT document FROM booking", [], |row| {
        let booking = booking(row, 0)?;
        let task = serde_json::to_string(&Task::Project(booking.id.clone()))?;
        if !booking.is_known() || waiting.contains(&task) {
            return Ok(None);
        }
        let revision = indexed.query_row([booking.id.as_str()], |row| row.get::<_, u32>(0));
        let revision = revision.optional().map_err(store_error)?;
        Ok((revision < Some(booking.revision)).then_some(booking.id))
    })
}

/// What the index has not heard of whom searches are to find, as the tasks that tell it, with those who have them done.
pub(super) fn unheard(
    actors: &Connection,
    index: &Connection,
) -> Result<Vec<(ActorName, Task)>, SqlError> {
    // An index of an earlier version has not noted which wishes it has heard.
    if !index
        .column_exists(None, "people", "listed_by")
        .map_err(store_error)?
    {
        return Ok(Vec::new());
    }
    let mut heard = index
        .prepare("SELECT listed_by FROM people WHERE did = ?1")
        .map_err(store_error)?;
    let wishes = "SELECT p.actor, p.document, p.revision, a.latest FROM preferences AS p \
                  LEFT JOIN actor AS a ON a.name = p.actor";
    each(actors, wishes, [], |row| {
        let actor: ActorName = text(row, 0)?.parse().map_err(|_| SqlError::Column(0))?;
        let revision: u32 = row.get(2).map_err(store_error)?;
        let by = heard.query_row([actor.key()], |row| row.get::<_, u32>(0));
        if by.optional().map_err(store_error)? >= Some(revision) {
            return Ok(None);
        }
        let person = actor.key().parse().map_err(|_| SqlError::Column(0))?;
        // Whose wishes cannot be read is not found.
        let wishes = Preferences::read(&text(row, 1)?);
        let latest: Option<i64> = row.get(3).map_err(store_error)?;
        let task = Task::List {
            person,
            listed: wishes.is_ok_and(|wishes| !wishes.unlisted),
            revision,
            at: Timestamp::from_millis(latest.unwrap_or(0)),
        };
        Ok(Some((actor, task)))
    })
}
