//! What a guest asks for.

use std::num::NonZeroU16;

use chrono::{Datelike, WeekdaySet};
use huddle_ports::Timestamp;

use crate::dates::moments_within;
use crate::interval::{Interval, IntervalSet};
use crate::local::LocalWindow;
use crate::zone::Zone;

/// What would suit the guest; the default is anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraints {
    /// Shortest length that would do, in minutes. `None` is what the host likes best, or, with a `duration_max`,
    /// anything up to that.
    pub duration_min: Option<NonZeroU16>,
    /// Longest length that would do, in minutes. `None` is as `duration_min`.
    pub duration_max: Option<NonZeroU16>,
    /// The meeting starts then or later.
    pub earliest: Option<Timestamp>,
    /// The meeting ends then or earlier.
    pub latest: Option<Timestamp>,
    /// The local days on which the whole meeting is; `None` is any.
    pub days: Option<WeekdaySet>,
    /// The zone of `days` and `preferred`.
    pub zone: Zone,
    /// Times of day that would be best. Slots are ranked by it, and none is left out.
    pub preferred: Vec<LocalWindow>,
}

/// The default, for as long as one likes to borrow it.
pub(crate) static ANYTHING: Constraints = Constraints {
    duration_min: None,
    duration_max: None,
    earliest: None,
    latest: None,
    days: None,
    zone: Zone::UTC,
    preferred: Vec::new(),
};

/// Constraints that nothing can fulfil.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// The times are the wrong way round.
    #[error("`earliest` has to be before `latest`")]
    Times,
    /// The lengths are the wrong way round.
    #[error("the shortest length is longer than the longest")]
    Durations,
    /// No day of the week would do.
    #[error("`days` names no day of the week; leave it out to allow all")]
    Days,
}

impl Constraints {
    /// Whether anything could fulfil them.
    pub fn check(&self) -> Result<(), Contradiction> {
        if self.asked().is_none() {
            return Err(Contradiction::Times);
        }
        if self.days.is_some_and(WeekdaySet::is_empty) {
            return Err(Contradiction::Days);
        }
        match (self.duration_min, self.duration_max) {
            (Some(min), Some(max)) if min > max => Err(Contradiction::Durations),
            _ => Ok(()),
        }
    }

    fn asked(&self) -> Option<Interval> {
        let earliest = self.earliest.unwrap_or(Timestamp::MIN);
        Interval::new(earliest, self.latest.unwrap_or(Timestamp::MAX))
    }

    /// Of the lengths that a host offers those that would do, in the host's order.
    pub(crate) fn lengths(&self, offered: &[NonZeroU16]) -> Vec<NonZeroU16> {
        let (min, max) = match (self.duration_min, self.duration_max) {
            (None, None) => return offered.iter().take(1).copied().collect(),
            (None, Some(max)) => (NonZeroU16::MIN, max),
            (Some(min), max) => (min, max.unwrap_or(min)),
        };
        let would_do = |length: &NonZeroU16| (min..=max).contains(length);
        offered.iter().copied().filter(would_do).collect()
    }

    /// When the meeting may be, of a bounded interval.
    pub(crate) fn times(&self, within: Interval) -> IntervalSet {
        let Some(asked) = self.asked().and_then(|asked| asked.intersection(within)) else {
            return IntervalSet::new();
        };
        let Some(days) = self.days else {
            return asked.into();
        };
        moments_within(asked, self.zone, |date| days.contains(date.weekday()))
    }
}
