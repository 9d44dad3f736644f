//! How much strangers get to know of a person's time.
//!
//! Whatever any of them is told is written down until the week is over that it is about, and only so much is
//! told of a week, to all of them together. Told is a slot that is proposed, and also that there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use huddle_ports::Timestamp;
use huddle_schedule::disclosure::within_budget;
use huddle_syntax::Did;
use serde::{Deserialize, Serialize};

use crate::host_match::sweep;
use crate::sql::SqlError;
use crate::turn::Turn;

const DAY: Duration = Duration::from_hours(24);

const WEEK: Duration = Duration::from_hours(7 * 24);

/// Farther ahead, nothing can be booked and nothing is told. It bounds what is kept.
const FARTHEST: Duration = Duration::from_hours(400 * 24);

/// Say which of these answers strangers may get, and note that they got them.
///
/// One stranger is told only so much on a day in UTC, `disclosures_per_guest`; what they were told that day, for nothing.
/// And the budget is that of a week of the person's time, `disclosures_per_week` of the limits: weeks are those in
/// UTC, from Monday, and an answer is about the week in which its `start` lies, whenever it is given. What was
/// told once is told again for nothing of that, to whomever. Of weeks that are over nothing is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclose {
    /// Who would be told.
    pub to: Did,
    /// What there is to tell, the most wanted first.
    pub wanted: Vec<Disclosure>,
    /// How many of them are told, and paid for, at most.
    pub at_most: u32,
}

/// An answer that a stranger may get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosure {
    /// When the slot begins; of an answer that there is none, the block of time that it is about.
    pub start: Timestamp,
    /// Tells the answer from all others of the person, such as by the slot's start, end and offer.
    pub mark: String,
}

/// The answers that may be given, as indices into `wanted`, in order.
pub(super) fn disclose(turn: &mut Turn<'_>, command: &Disclose) -> Result<Vec<u32>, SqlError> {
    let mut allowed = Vec::new();
    for (week, wanted) in by_week(turn.now(), &command.wanted) {
        let told = told(turn, week)?;
        let most = usize::try_from(turn.limits().disclosures_per_week).unwrap_or(usize::MAX);
        let mut indices = BTreeMap::new();
        for (index, mark) in &wanted {
            indices.entry(*mark).or_insert(*index);
        }
        let told: BTreeSet<&str> = told.iter().map(String::as_str).collect();
        let marks = wanted.iter().map(|(_, mark)| *mark);
        for mark in within_budget(&told, marks, most) {
            allowed.push((indices[mark], week, !told.contains(mark)));
        }
    }
    allowed.sort_unstable();
    let mut today = Today::of(turn, &command.to)?;
    let mut answer = Vec::new();
    for (index, week, is_new) in allowed {
        let mark = &command.wanted[index].mark;
        if answer.len() >= usize::try_from(command.at_most).unwrap_or(usize::MAX) {
            break;
        }
        if !today.tell(turn, mark)? {
            continue;
        }
        if is_new {
            note(turn, week, mark)?;
        }
        answer.extend(u32::try_from(index));
    }
    Ok(answer)
}

/// What one stranger is told on one day.
struct Today<'a> {
    guest: &'a Did,
    /// When the day is over.
    end: Timestamp,
    told: BTreeSet<String>,
}

impl<'a> Today<'a> {
    fn of(turn: &mut Turn<'_>, guest: &'a Did) -> Result<Self, SqlError> {
        let (actor, end) = (turn.name().as_str(), end_of(DAY, turn.now()));
        let rows = turn.read(
            "SELECT mark FROM told WHERE actor = ?1 AND guest = ?2 AND day = ?3",
            &[actor.into(), guest.as_str().into(), end.into()],
        )?;
        let told: Result<_, SqlError> = rows.iter().map(|row| row.get(0)).collect();
        Ok(Self {
            guest,
            end,
            told: told?,
        })
    }

    /// Whether the stranger may be told this today, which is noted.
    fn tell(&mut self, turn: &mut Turn<'_>, mark: &str) -> Result<bool, SqlError> {
        if self.told.contains(mark) {
            return Ok(true);
        }
        let most = usize::try_from(turn.limits().disclosures_per_guest).unwrap_or(usize::MAX);
        if self.told.len() >= most {
            return Ok(false);
        }
        turn.write(
            "INSERT INTO told (actor, guest, day, mark) VALUES (?1, ?2, ?3, ?4)",
            &[
                turn.name().as_str().into(),
                self.guest.as_str().into(),
                self.end.into(),
                mark.into(),
            ],
        )?;
        sweep::by(turn, self.end)?;
        self.told.insert(mark.to_owned());
        Ok(true)
    }
}

/// What is wanted, with its indices, by the end of the week that it is about.
fn by_week(now: Timestamp, wanted: &[Disclosure]) -> BTreeMap<Timestamp, Vec<(usize, &str)>> {
    let mut weeks: BTreeMap<Timestamp, Vec<(usize, &str)>> = BTreeMap::new();
    for (index, Disclosure { start, mark }) in wanted.iter().enumerate() {
        let week = end_of_week(*start);
        if now < week && *start < now + FARTHEST {
            weeks.entry(week).or_default().push((index, mark));
        }
    }
    weeks
}

/// The Monday after a moment.
fn end_of_week(moment: Timestamp) -> Timestamp {
    // 1970-01-01 was a Thursday.
    end_of(WEEK, moment + 3 * DAY) - 3 * DAY
}

/// The end of what a moment is in, of stretches of such a length since 1970.
fn end_of(length: Duration, moment: Timestamp) -> Timestamp {
    let length_millis = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
    let into = u64::try_from(moment.as_millis().rem_euclid(length_millis)).unwrap_or(0);
    moment - Duration::from_millis(into) + length
}

fn told(turn: &mut Turn<'_>, week: Timestamp) -> Result<Vec<String>, SqlError> {
    let actor = turn.name().as_str();
    let rows = turn.read(
        "SELECT mark FROM disclosure WHERE actor = ?1 AND week = ?2",
        &[actor.into(), week.into()],
    )?;
    rows.iter().map(|row| row.get(0)).collect()
}

fn note(turn: &mut Turn<'_>, week: Timestamp, mark: &str) -> Result<(), SqlError> {
    let actor = turn.name().as_str();
    turn.write(
        "INSERT INTO disclosure (actor, week, mark) VALUES (?1, ?2, ?3)",
        &[actor.into(), week.into(), mark.into()],
    )?;
    sweep::by(turn, week)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_end_on_mondays() {
        const DAY: i64 = 24 * 3_600_000;
        // 1970-01-05 was a Monday.
        for (day, monday) in [
            (-3, 4),
            (0, 4),
            (3, 4),
            (4, 11),
            (10, 11),
            (11, 18),
            (-4, -3),
        ] {
            for millis in [0, 1, DAY - 1] {
                let end = end_of_week(Timestamp::from_millis(day * DAY + millis));
                assert_eq!(end.as_millis(), monday * DAY, "of day {day}");
            }
        }
    }
}
