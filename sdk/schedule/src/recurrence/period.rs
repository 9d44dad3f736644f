//! The occurrences within one period of a rule's frequency: days × times of day, of which none is written out.

use super::ordinals::Units;
use super::{Frequency, Rule};
use chrono::{NaiveDate, NaiveDateTime, TimeDelta, Timelike};

const MINUTE: TimeDelta = TimeDelta::minutes(1);
const HOUR: TimeDelta = TimeDelta::hours(1);

/// The hours, minutes and seconds at which a rule gives occurrences on its days.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    hours: Units,
    minutes: Units,
    seconds: Units,
}

impl Times {
    /// What the rule leaves open comes from `start`, or from the period where periods are that short: then all
    /// are there.
    pub(super) fn new(rule: &Rule, start: NaiveDateTime) -> Self {
        let fill = |named: Units, unit: Frequency, of_start: u32, all: u32| {
            if !named.is_empty() {
                named
            } else if rule.frequency > unit {
                Units::only(of_start)
            } else {
                let mut every = Units::default();
                (0..all).for_each(|n| every.insert(n));
                every
            }
        };
        Self {
            hours: fill(rule.hours, Frequency::Hourly, start.hour(), 24),
            minutes: fill(rule.minutes, Frequency::Minutely, start.minute(), 60),
            seconds: fill(rule.seconds, Frequency::Secondly, start.second(), 60),
        }
    }

    /// Those of the period that begins at `begin`.
    pub(super) fn within(self, frequency: Frequency, begin: NaiveDateTime) -> Self {
        let narrow = |units: Units, unit: Frequency, number: u32| {
            if frequency > unit {
                units
            } else if units.contains(number) {
                Units::only(number)
            } else {
                Units::default()
            }
        };
        Self {
            hours: narrow(self.hours, Frequency::Hourly, begin.hour()),
            minutes: narrow(self.minutes, Frequency::Minutely, begin.minute()),
            seconds: narrow(self.seconds, Frequency::Secondly, begin.second()),
        }
    }

    /// Where, after the period that begins at `begin`, the first hour or minute begins that fits again.
    pub(super) fn after(self, frequency: Frequency, begin: NaiveDateTime) -> Option<NaiveDateTime> {
        let day = begin.date();
        if !self.hours.contains(begin.hour()) {
            return match self.hours.at_least(begin.hour() + 1) {
                Some(hour) => day.and_hms_opt(hour, 0, 0),
                None => day.succ_opt()?.and_hms_opt(0, 0, 0),
            };
        }
        let hour = day.and_hms_opt(begin.hour(), 0, 0)?;
        if frequency < Frequency::Hourly && !self.minutes.contains(begin.minute()) {
            return match self.minutes.at_least(begin.minute() + 1) {
                Some(minute) => hour.with_minute(minute),
                None => hour.checked_add_signed(HOUR),
            };
        }
        let minute = hour.with_minute(begin.minute())?;
        match self.seconds.at_least(begin.second() + 1) {
            Some(second) => minute.with_second(second),
            None => minute.checked_add_signed(MINUTE),
        }
    }

    pub(super) fn is_empty(self) -> bool {
        self.len() == 0
    }

    fn len(self) -> u64 {
        self.hours.len() * self.minutes.len() * self.seconds.len()
    }

    /// Seconds into the day of the `place`-th, from 0.
    fn at(self, place: u64) -> u32 {
        let (minutes, seconds) = (self.minutes.len(), self.seconds.len());
        let second = self.seconds.at(place % seconds);
        let minute = self.minutes.at(place / seconds % minutes);
        let hour = self.hours.at(place / seconds / minutes);
        hour * 3600 + minute * 60 + second
    }
}

/// The occurrences within one unit of the frequency.
#[derive(Clone, Debug)]
pub(super) struct Period {
    pub(super) days: Vec<NaiveDate>,
    times: Times,
    /// With `BYSETPOS`: which of days × times, in ascending order.
    positions: Option<Vec<u64>>,
    /// The next item.
    pub(super) place: u64,
}

impl Period {
    pub(super) fn new(days: Vec<NaiveDate>, times: Times, rule: &Rule) -> Self {
        let all = days.len() as u64 * times.len();
        let positions = (!rule.positions.is_empty()).then(|| {
            let place = |position: i16| match u64::try_from(position) {
                Ok(from_start) => from_start.checked_sub(1),
                Err(_) => all.checked_sub(position.unsigned_abs().into()),
            };
            let mut places: Vec<u64> = rule.positions.iter().filter_map(place).collect();
            places.retain(|place| *place < all);
            places.sort_unstable();
            places.dedup();
            places
        });
        Self {
            days,
            times,
            positions,
            place: 0,
        }
    }

    pub(super) fn len(&self) -> u64 {
        match &self.positions {
            Some(positions) => positions.len() as u64,
            None => self.days.len() as u64 * self.times.len(),
        }
    }

    /// The item at `place`, which is below [`len`](Self::len).
    pub(super) fn item(&self, place: u64) -> NaiveDateTime {
        let place = match &self.positions {
            Some(positions) => positions[to_index(place)],
            None => place,
        };
        let times = self.times.len();
        let day = self.days[to_index(place / times)];
        let seconds = self.times.at(place % times);
        NaiveDateTime::from(day) + TimeDelta::seconds(seconds.into())
    }

    /// The place of the first item that is at `time` or after it.
    pub(super) fn first_at_least(&self, time: NaiveDateTime) -> u64 {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.item(middle) < time {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

fn to_index(place: u64) -> usize {
    usize::try_from(place).expect("an index into a list that is in memory")
}
