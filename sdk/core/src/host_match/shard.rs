//! People whose time is kept by days.
//!
//! Of somebody whom very many ask, each UTC day can have a `HostMatch` of its own. It keeps what may not
//! overlap: a slot is claimed on every day that it meets with its buffers, so whatever two slots have in
//! common lies on a day that both have claimed. Whatever counts for the person as a whole, the `HostMatch` of
//! the person keeps, which has a claim for each slot too and lets them overlap.

use huddle_ports::Timestamp;
use huddle_schedule::{Interval, Zone};
use huddle_syntax::Did;
use serde::{Deserialize, Serialize};

use crate::actor::ActorName;
use crate::sql::SqlError;
use crate::turn::Turn;

const DAY_MILLIS: i64 = 24 * 3_600_000;

/// Keep the person's time by days from now on, for ever. It is for an operator to say, and before anybody has
/// asked for the person's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {}

/// Why the person's time is not kept by days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShardRefused {
    /// Some of it was asked for within the last 30 days, or is given away: no day knows of that.
    InUse,
}

/// The actors of the days that an interval meets, in order. Meetings take hours, and so do buffers.
pub(crate) fn days(person: &Did, guard: Interval) -> Vec<ActorName> {
    let first = guard.start().as_millis().div_euclid(DAY_MILLIS);
    let last = (guard.end().as_millis() - 1).div_euclid(DAY_MILLIS);
    let days = (first..=last).map(|day| Zone::UTC.date(Timestamp::from_millis(day * DAY_MILLIS)));
    days.map(|day| ActorName::host_match_day(person, &day.to_string()))
        .collect()
}

pub(super) fn shard(turn: &mut Turn<'_>) -> Result<Result<(), ShardRefused>, SqlError> {
    if turn.name().is_day() {
        return Err(SqlError::WrongActor);
    }
    if is_sharded(turn)? {
        return Ok(Ok(()));
    }
    let actor = turn.name().as_str();
    // A fence outlives the claims of its booking.
    let used = turn.read(
        "SELECT 1 FROM fence WHERE actor = ?1 LIMIT 1",
        &[actor.into()],
    )?;
    if !used.is_empty() {
        return Ok(Err(ShardRefused::InUse));
    }
    turn.write("INSERT INTO sharded (actor) VALUES (?1)", &[actor.into()])?;
    Ok(Ok(()))
}

/// Whether what may not overlap is kept by the days of this actor's person.
pub(super) fn is_sharded(turn: &mut Turn<'_>) -> Result<bool, SqlError> {
    let actor = turn.name().as_str();
    let rows = turn.read("SELECT 1 FROM sharded WHERE actor = ?1", &[actor.into()])?;
    Ok(!rows.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(minutes: [i64; 2], expect: &[&str]) {
        // 2026-02-28 begins.
        let at = |minutes: i64| Timestamp::from_millis(1_772_236_800_000 + minutes * 60_000);
        let guard = Interval::new(at(minutes[0]), at(minutes[1])).unwrap();
        let days = days(&"did:web:ada.example.com".parse().unwrap(), guard);
        let days: Vec<_> = days.iter().map(ActorName::as_str).collect();
        let names = expect.iter();
        let names = names.map(|day| format!("host-match/did:web:ada.example.com/{day}"));
        assert_eq!(days, names.collect::<Vec<_>>());
    }

    #[test]
    fn a_slot_is_claimed_on_every_day_that_it_meets() {
        check([0, 1], &["2026-02-28"]);
        check([1410, 1440], &["2026-02-28"]);
        check([1410, 1441], &["2026-02-28", "2026-03-01"]);
        check([1440, 1500], &["2026-03-01"]);
        check([-1, 1441], &["2026-02-27", "2026-02-28", "2026-03-01"]);
    }
}
