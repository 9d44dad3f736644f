//! Meetings that a guest has called off. A meeting that is had and called off shows what a hold does that comes to
//! nothing, so a stranger waits after it as they would after that: for the same host.

use huddle_ports::Timestamp;
use huddle_syntax::Did;

use crate::host_match::lapse::{self, freed_at};
use crate::sql::SqlError;
use crate::tally::Tally;
use crate::turn::Turn;

/// When this person may meet `host` once more, if they are a stranger to them; `None` means now. How long somebody waits
/// for whom the host has not done anything depends on what the person has with the host already.
pub(super) fn retry_at(turn: &mut Turn<'_>, host: &Did) -> Result<Option<Timestamp>, SqlError> {
    let (actor, now, limits) = (turn.name().as_str(), turn.now(), turn.limits());
    let rows = turn.read(
        "SELECT ends FROM claim WHERE actor = ?1 AND role = 'guest' AND counterpart = ?2 \
         AND state <> 'held' AND ends > ?3",
        &[actor.into(), host.as_str().into(), now.into()],
    )?;
    let ends: Result<Vec<Timestamp>, SqlError> = rows.iter().map(|row| row.get(0)).collect();
    let waits = [
        freed_at(ends?, limits.meetings_per_stranger_and_host),
        stored(turn, host)?.map(|tally| tally.cooled_down_at(limits)),
    ];
    Ok(waits.into_iter().flatten().max().filter(|at| *at > now))
}

fn stored(turn: &mut Turn<'_>, host: &Did) -> Result<Option<Tally>, SqlError> {
    let actor = turn.name().as_str();
    let rows = turn.read(
        "SELECT count, latest FROM cancellation WHERE actor = ?1 AND host = ?2",
        &[actor.into(), host.as_str().into()],
    )?;
    rows.first().map(lapse::read).transpose()
}

/// Counts a meeting with `host` that this person has called off.
pub(super) fn count(turn: &mut Turn<'_>, host: &Did) -> Result<(), SqlError> {
    let (actor, now, limits) = (turn.name().as_str(), turn.now(), turn.limits());
    let Tally { count, latest } = Tally::one_more(stored(turn, host)?, now, limits);
    turn.write(
        "INSERT INTO cancellation (actor, host, count, latest) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (actor, host) DO UPDATE SET count = excluded.count, latest = excluded.latest",
        &[
            actor.into(),
            host.as_str().into(),
            count.into(),
            latest.into(),
        ],
    )?;
    Ok(())
}
