//! How many slots a guest may hold, and how long they wait after holds that came to nothing.

use huddle_ports::Timestamp;
use huddle_syntax::Did;

use crate::booking::BookingId;
use crate::sql::{Row, SqlError};
use crate::tally::Tally;
use crate::turn::Turn;

/// When this person may hold one more slot as the guest of `host`; `None` means now.
pub(super) fn retry_at(
    turn: &mut Turn<'_>,
    booking: &BookingId,
    host: &Did,
) -> Result<Option<Timestamp>, SqlError> {
    let (actor, now, limits) = (turn.name().as_str(), turn.now(), turn.limits());
    let rows = turn.read(
        "SELECT counterpart, due FROM claim WHERE actor = ?1 AND limited = 1 AND state = 'held' \
         AND due > ?2 AND booking <> ?3",
        &[actor.into(), now.into(), booking.as_str().into()],
    )?;
    let mut ends = Vec::new();
    let mut ends_with_host = Vec::new();
    for row in &rows {
        let due: Timestamp = row.get(1)?;
        ends.push(due);
        if row.get::<String>(0)? == host.as_str() {
            ends_with_host.push(due);
        }
    }
    let waits = [
        freed_at(ends, limits.holds_per_guest),
        freed_at(ends_with_host, limits.holds_per_guest_and_host),
        cooled_down_at(turn)?,
    ];
    Ok(waits.into_iter().flatten().max().filter(|at| *at > now))
}

/// When fewer than `most` of what ends at these moments will be left.
pub(super) fn freed_at(mut ends: Vec<Timestamp>, most: u32) -> Option<Timestamp> {
    ends.sort_unstable();
    let surplus = ends.len().checked_sub(usize::try_from(most).ok()?)?;
    ends.get(surplus).copied()
}

fn cooled_down_at(turn: &mut Turn<'_>) -> Result<Option<Timestamp>, SqlError> {
    let limits = turn.limits();
    Ok(stored(turn)?.map(|tally| tally.cooled_down_at(limits)))
}

fn stored(turn: &mut Turn<'_>) -> Result<Option<Tally>, SqlError> {
    let actor = turn.name().as_str();
    let rows = turn.read(
        "SELECT count, latest FROM lapse WHERE actor = ?1",
        &[actor.into()],
    )?;
    rows.first().map(read).transpose()
}

/// A tally of the columns `count` and `latest`, in this order.
pub(super) fn read(row: &Row) -> Result<Tally, SqlError> {
    Ok(Tally {
        count: row.get(0)?,
        latest: row.get(1)?,
    })
}

/// Counts a lapse of this person.
pub(super) fn count(turn: &mut Turn<'_>) -> Result<(), SqlError> {
    let (actor, now, limits) = (turn.name().as_str(), turn.now(), turn.limits());
    let Tally { count, latest } = Tally::one_more(stored(turn)?, now, limits);
    turn.write(
        "INSERT INTO lapse (actor, count, latest) VALUES (?1, ?2, ?3) \
         ON CONFLICT (actor) DO UPDATE SET count = excluded.count, latest = excluded.latest",
        &[actor.into(), count.into(), latest.into()],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn one_more_fits_when_enough_of_the_others_have_ended() {
        assert_eq!(freed_at(vec![], 1), None);
        assert_eq!(freed_at(vec![at(5)], 1), Some(at(5)));
        assert_eq!(freed_at(vec![at(9), at(5)], 3), None);
        assert_eq!(freed_at(vec![at(9), at(5), at(7)], 3), Some(at(5)));
        assert_eq!(freed_at(vec![at(9), at(5), at(7), at(8)], 3), Some(at(7)));
    }
}
