//! Which slots suit best: what a slot is worth, and why.
//!
//! Every term is from 0 to [`Score::BEST`] and is multiplied by its weight; the sum decides. All of it is in whole
//! numbers, so that every machine puts the same slots in the same order.

use huddle_ports::Timestamp;

use crate::interval::Interval;
use crate::local::LocalWindow;
use crate::party::{Party, Place, Way};
use crate::zone::Zone;
use crate::zone::offsets::Offsets;

use self::week::{DAY_MINUTES, WeekMinutes};

mod week;

const MINUTE_MILLIS: i64 = 60_000;

/// How much each term of a [`Score`] counts, and where its numbers come from.
///
/// ```
/// use huddle_schedule::Weights;
///
/// let patient = Weights { soon: 0, ..Weights::DEFAULT };
/// assert!(patient.daytime > patient.soon);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    /// Of [`Score::soon`]. Default: 30.
    pub soon: u16,
    /// Of [`Score::daytime`]. Default: 60.
    pub daytime: u16,
    /// Of [`Score::working`]. Default: 30.
    pub working: u16,
    /// Of [`Score::preferred`]. Default: 30.
    pub preferred: u16,
    /// Of [`Score::near`]. Default: 10.
    pub near: u16,
    /// Of [`Score::tidy`]. Default: 10.
    pub tidy: u16,
    /// Of [`Score::length`]. Default: 10.
    pub length: u16,
    /// After how many minutes a slot is worth half as much for being soon. Default: three days.
    pub half_minutes: u32,
    /// From how many minutes on another meeting is no longer near. Default: 120.
    pub near_minutes: u16,
    /// What [`Score::daytime`] is at each hour of a person's day.
    pub daytime_by_hour: [u16; 24],
}

impl Weights {
    /// What is used where nobody says otherwise: sane hours before all, then sooner, then what people like.
    pub const DEFAULT: Self = Self {
        soon: 30,
        daytime: 60,
        working: 30,
        preferred: 30,
        near: 10,
        tidy: 10,
        length: 10,
        half_minutes: 3 * 24 * 60,
        near_minutes: 120,
        daytime_by_hour: [
            0, 0, 0, 0, 0, 0, 100, 400, 800, 1000, 1000, 1000, //
            1000, 1000, 1000, 1000, 1000, 900, 700, 500, 300, 200, 0, 0,
        ],
    };
}

impl Default for Weights {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Why a slot is worth what it is: each term from 0 to 1000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Score {
    /// How soon it is: 1000 for the first moment that could be booked, half after [`Weights::half_minutes`].
    pub soon: u16,
    /// How sane its hours are for whoever has the worst of it, by [`Weights::daytime_by_hour`].
    pub daytime: u16,
    /// How much of it lies in working hours: the mean over those who have any.
    pub working: u16,
    /// How much of it lies in preferred times: the mean over those who have any, the guest's
    /// [`Constraints`](crate::Constraints) being one.
    pub preferred: u16,
    /// How near another event of a host it is: 1000 right beside it. The mean over hosts.
    pub near: u16,
    /// Whether it leaves no free time that is too short for a meeting: 500 for each side. The mean over hosts.
    pub tidy: u16,
    /// Whether it has the length that the host likes best: half as much for the next, and so on.
    pub length: u16,
}

impl Score {
    /// The best that a term can be.
    pub const BEST: u16 = 1000;

    /// What all of it comes to.
    pub fn total(&self, weights: &Weights) -> u32 {
        let times = |term: u16, weight: u16| u32::from(term) * u32::from(weight);
        [
            times(self.soon, weights.soon),
            times(self.daytime, weights.daytime),
            times(self.working, weights.working),
            times(self.preferred, weights.preferred),
            times(self.near, weights.near),
            times(self.tidy, weights.tidy),
            times(self.length, weights.length),
        ]
        .into_iter()
        .sum()
    }
}

/// A slot that is to be judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contender {
    pub slot: Interval,
    /// The window that it lies in.
    pub window: Interval,
    /// How many lengths the host likes better.
    pub length: usize,
}

/// Judges slots for a group of people.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    weights: &'a Weights,
    /// The first moment that could be booked.
    first: Timestamp,
    /// Free time shorter than this, in milliseconds, is good for nothing.
    shortest: i64,
    people: Vec<Person>,
    asked: Option<(Offsets, WeekMinutes)>,
}

/// What is to be known of a party for judging.
#[derive(Debug)]
struct Person {
    hosts: bool,
    offsets: Offsets,
    working: WeekMinutes,
    preferred: WeekMinutes,
}

impl<'a> Judge<'a> {
    /// For starts within a bounded `range`. `asked` is at which times of day the guest has asked to meet, and where.
    pub(crate) fn new(
        weights: &'a Weights,
        range: Interval,
        parties: &[Party<'_>],
        asked: (Zone, &[LocalWindow]),
        shortest: i64,
    ) -> Self {
        let people = parties
            .iter()
            .map(|party| Person {
                hosts: party.role.hosts(),
                offsets: Offsets::new(party.zone, range),
                working: WeekMinutes::of_rules(party.working),
                preferred: WeekMinutes::of_rules(party.preferred),
            })
            .collect();
        let (zone, windows) = asked;
        let asked = (!windows.is_empty())
            .then(|| (Offsets::new(zone, range), WeekMinutes::every_day(windows)));
        Self {
            weights,
            first: range.start(),
            shortest,
            people,
            asked,
        }
    }

    /// What a slot is worth to those who come: `places` are where their [`Way`]s were asked about it.
    pub(crate) fn score(
        &self,
        contender: Contender,
        ways: &[Way<'_>],
        places: &[Place],
        comes: &[bool],
    ) -> Score {
        let slot = contender.slot;
        let minutes = (slot.end().as_millis() - slot.start().as_millis()) / MINUTE_MILLIS;
        let mut daytime = Score::BEST;
        let (mut working, mut preferred) = (Mean::default(), Mean::default());
        let (mut near, mut tidy) = (Mean::default(), Mean::default());
        for (index, person) in self.people.iter().enumerate() {
            if !comes[index] {
                continue;
            }
            let minute = person
                .offsets
                .local_millis(slot.start())
                .div_euclid(MINUTE_MILLIS);
            daytime = daytime.min(self.daytime(minute, minutes));
            working.add_share(&person.working, minute, minutes);
            preferred.add_share(&person.preferred, minute, minutes);
            if person.hosts {
                let room = ways[index].room(slot, &places[index]);
                near.add(self.near(room));
                tidy.add(self.tidy(contender, room));
            }
        }
        if let Some((offsets, asked)) = &self.asked {
            let minute = offsets.local_millis(slot.start()).div_euclid(MINUTE_MILLIS);
            preferred.add_share(asked, minute, minutes);
        }
        Score {
            soon: self.soon(slot.start()),
            daytime,
            working: working.mean(),
            preferred: preferred.mean(),
            near: near.mean(),
            tidy: tidy.mean(),
            length: Score::BEST
                .checked_shr(contender.length.try_into().unwrap_or(u32::MAX))
                .unwrap_or(0),
        }
    }

    fn soon(&self, start: Timestamp) -> u16 {
        let half = i64::from(self.weights.half_minutes) * MINUTE_MILLIS;
        let wait = start.as_millis() - self.first.as_millis();
        thousandths(half, half + wait)
    }

    /// The worse of the first and the last minute.
    fn daytime(&self, minute: i64, minutes: i64) -> u16 {
        let worth = |minute: i64| {
            let hour = minute.rem_euclid(DAY_MINUTES) / 60;
            let worth = usize::try_from(hour)
                .ok()
                .and_then(|hour| self.weights.daytime_by_hour.get(hour));
            worth.copied().unwrap_or(0)
        };
        worth(minute)
            .min(worth(minute + minutes - 1))
            .min(Score::BEST)
    }

    fn near(&self, (before, after): (Option<i64>, Option<i64>)) -> u16 {
        let reach = i64::from(self.weights.near_minutes) * MINUTE_MILLIS;
        let gap = before.into_iter().chain(after).min().unwrap_or(reach);
        thousandths(reach - gap.min(reach), reach)
    }

    fn tidy(&self, contender: Contender, (before, after): (Option<i64>, Option<i64>)) -> u16 {
        let Contender { slot, window, .. } = contender;
        let to_opening = slot
            .start()
            .as_millis()
            .saturating_sub(window.start().as_millis());
        let to_closing = window
            .end()
            .as_millis()
            .saturating_sub(slot.end().as_millis());
        let worth = |gap: i64| {
            if gap == 0 || gap >= self.shortest {
                Score::BEST / 2
            } else {
                0
            }
        };
        worth(before.unwrap_or(to_opening).min(to_opening))
            + worth(after.unwrap_or(to_closing).min(to_closing))
    }
}

/// A share of a whole, neither negative, in thousandths.
fn thousandths(part: i64, whole: i64) -> u16 {
    // Most shares are one of these, and to divide takes longest of all that is done for a slot.
    if part == 0 {
        return 0;
    }
    if part == whole {
        return Score::BEST;
    }
    let share = part.saturating_mul(i64::from(Score::BEST)) / whole.max(1);
    u16::try_from(share).map_or(Score::BEST, |share| share.min(Score::BEST))
}

/// A mean of terms; 0 of none.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: u32,
    count: u32,
}

impl Mean {
    fn add(&mut self, term: u16) {
        self.sum += u32::from(term);
        self.count += 1;
    }

    fn add_share(&mut self, times: &WeekMinutes, minute: i64, minutes: i64) {
        if !times.is_empty() {
            self.add(thousandths(times.overlap(minute, minutes), minutes));
        }
    }

    fn mean(self) -> u16 {
        let mean = if self.count > 1 {
            self.sum / self.count
        } else {
            self.sum
        };
        u16::try_from(mean).expect("a mean is no larger than the largest term")
    }
}

/// A number that orders equals: the same for the same key and moment, and as good as random otherwise.
///
/// It is the finalizer of `SplitMix64`: whoever sees an order can find the key, so nothing secret may depend on it.
pub(crate) fn tie_break(key: u64, start: Timestamp) -> u64 {
    let mut mixed = key
        ^ start
            .as_millis()
            .cast_unsigned()
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_are_broken_in_one_order_a_key() {
        let order = |key| {
            let mut starts: Vec<i64> = (0..20).collect();
            starts.sort_by_key(|start| tie_break(key, Timestamp::from_millis(start * 900_000)));
            starts
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
        assert_ne!(order(1), (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn the_largest_weights_do_not_overflow() {
        let most = Weights {
            soon: u16::MAX,
            daytime: u16::MAX,
            working: u16::MAX,
            preferred: u16::MAX,
            near: u16::MAX,
            tidy: u16::MAX,
            length: u16::MAX,
            half_minutes: u32::MAX,
            near_minutes: u16::MAX,
            daytime_by_hour: [u16::MAX; 24],
        };
        let best = Score {
            soon: Score::BEST,
            daytime: Score::BEST,
            working: Score::BEST,
            preferred: Score::BEST,
            near: Score::BEST,
            tidy: Score::BEST,
            length: Score::BEST,
        };
        assert_eq!(best.total(&most), 7 * 1000 * u32::from(u16::MAX));
    }
}
