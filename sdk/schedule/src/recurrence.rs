//! Recurrence rules of iCalendar (RFC 5545 §3.3.10): read, written, and expanded over local time.
//!
//! A rule says when on the clock on the wall something happens; which instants those are is for a time zone to
//! say. So everything here is a [`NaiveDateTime`], and DATE values are midnights.

mod days;
mod expand;
mod ordinals;
mod parse;
mod period;

pub use expand::{DEFAULT_STEPS, Exhausted, Occurrences};
pub use parse::RuleError;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta, Weekday};
use ordinals::{Ordinals, Units};
use std::fmt;

/// The unit that a rule counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Frequency {
    /// `SECONDLY`
    Secondly,
    /// `MINUTELY`
    Minutely,
    /// `HOURLY`
    Hourly,
    /// `DAILY`
    Daily,
    /// `WEEKLY`
    Weekly,
    /// `MONTHLY`
    Monthly,
    /// `YEARLY`
    Yearly,
}

/// The last moment at which a rule may give an occurrence, as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// All of this day counts.
    Date(NaiveDate),
    /// In the zone of the event's start.
    Local(NaiveDateTime),
    /// In UTC, which is what events with a zone are to use.
    Utc(NaiveDateTime),
}

impl Until {
    /// The last moment on the clock that it was written for.
    pub fn last(self) -> NaiveDateTime {
        match self {
            Self::Date(date) => NaiveDateTime::from(date) + TimeDelta::seconds(86_399),
            Self::Local(time) | Self::Utc(time) => time,
        }
    }
}

/// A recurrence rule: the value of `RRULE`.
///
/// ```
/// use huddle_schedule::recurrence::Rule;
///
/// let rule: Rule = "FREQ=MONTHLY;BYDAY=-1FR;COUNT=2".parse()?;
/// let start = "2026-03-02T09:00:00".parse()?;
/// let found: Result<Vec<_>, _> = rule.occurrences(start).collect();
/// assert_eq!(found?, ["2026-03-27T09:00:00".parse()?, "2026-04-24T09:00:00".parse()?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It prints as an equal rule, its parts in one order, lists sorted and without repetitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    frequency: Frequency,
    interval: u32,
    count: Option<u32>,
    until: Option<Until>,
    week_start: Weekday,
    months: Units,
    weeks: Ordinals,
    year_days: Ordinals,
    month_days: Ordinals,
    weekdays: Weekdays,
    hours: Units,
    minutes: Units,
    seconds: Units,
    positions: Ordinals,
}

impl Rule {
    /// Once in a unit, for ever.
    pub fn every(frequency: Frequency) -> Self {
        Self {
            frequency,
            interval: 1,
            count: None,
            until: None,
            week_start: Weekday::Mon,
            months: Units::default(),
            weeks: Ordinals::default(),
            year_days: Ordinals::default(),
            month_days: Ordinals::default(),
            weekdays: Weekdays::default(),
            hours: Units::default(),
            minutes: Units::default(),
            seconds: Units::default(),
            positions: Ordinals::default(),
        }
    }

    /// The unit that it counts in.
    pub fn frequency(&self) -> Frequency {
        self.frequency
    }

    /// How many occurrences it gives at most.
    pub fn count(&self) -> Option<u32> {
        self.count
    }

    /// Until when it gives any.
    pub fn until(&self) -> Option<Until> {
        self.until
    }

    /// Whether it ends by itself.
    pub fn is_finite(&self) -> bool {
        self.count.is_some() || self.until.is_some()
    }

    /// What it gives for an event that starts at `start`, in order, without repetitions.
    ///
    /// `start` itself is among them only if it fits the rule. An `UNTIL` in UTC is taken to be on the same clock
    /// as `start`; [`Occurrences::until`] puts another in its place.
    pub fn occurrences(&self, start: NaiveDateTime) -> Occurrences<'_> {
        Occurrences::new(self, start)
    }
}

/// What `BYDAY` names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Weekdays {
    /// Bit 0 is Monday.
    every: u8,
    /// The n-th of a month or year, from its end if negative; by day, then by ordinal.
    nth: Vec<(Weekday, i16)>,
}

impl Weekdays {
    fn is_empty(&self) -> bool {
        self.every == 0 && self.nth.is_empty()
    }

    fn every(&self, day: Weekday) -> bool {
        self.every & bit(day) != 0
    }

    fn insert(&mut self, ordinal: Option<i16>, day: Weekday) {
        match ordinal {
            None => self.every |= bit(day),
            Some(ordinal) => {
                let key = |&(day, ordinal): &(Weekday, i16)| (day.num_days_from_monday(), ordinal);
                let new = (day, ordinal);
                if let Err(place) = self.nth.binary_search_by_key(&key(&new), key) {
                    self.nth.insert(place, new);
                }
            }
        }
    }
}

fn bit(day: Weekday) -> u8 {
    1 << day.num_days_from_monday()
}

const WEEKDAYS: [(Weekday, &str); 7] = [
    (Weekday::Mon, "MO"),
    (Weekday::Tue, "TU"),
    (Weekday::Wed, "WE"),
    (Weekday::Thu, "TH"),
    (Weekday::Fri, "FR"),
    (Weekday::Sat, "SA"),
    (Weekday::Sun, "SU"),
];

const FREQUENCIES: [(Frequency, &str); 7] = [
    (Frequency::Secondly, "SECONDLY"),
    (Frequency::Minutely, "MINUTELY"),
    (Frequency::Hourly, "HOURLY"),
    (Frequency::Daily, "DAILY"),
    (Frequency::Weekly, "WEEKLY"),
    (Frequency::Monthly, "MONTHLY"),
    (Frequency::Yearly, "YEARLY"),
];

/// The name of `value` in one of the tables above, each of which has all of its kind.
fn name_of<T: PartialEq>(table: &[(T, &'static str)], value: &T) -> &'static str {
    table
        .iter()
        .find(|(known, _)| known == value)
        .map_or("", |(_, name)| name)
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name_of(&FREQUENCIES, self))
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => write!(f, "{}", date.format("%Y%m%d")),
            Self::Local(time) => write!(f, "{}", time.format("%Y%m%dT%H%M%S")),
            Self::Utc(time) => write!(f, "{}", time.format("%Y%m%dT%H%M%SZ")),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FREQ={}", self.frequency)?;
        if let Some(until) = self.until {
            write!(f, ";UNTIL={until}")?;
        }
        if let Some(count) = self.count {
            write!(f, ";COUNT={count}")?;
        }
        if self.interval != 1 {
            write!(f, ";INTERVAL={}", self.interval)?;
        }
        list(f, "BYSECOND", self.seconds.iter())?;
        list(f, "BYMINUTE", self.minutes.iter())?;
        list(f, "BYHOUR", self.hours.iter())?;
        list(f, "BYDAY", self.weekdays.names())?;
        list(f, "BYMONTHDAY", self.month_days.iter())?;
        list(f, "BYYEARDAY", self.year_days.iter())?;
        list(f, "BYWEEKNO", self.weeks.iter())?;
        list(f, "BYMONTH", self.months.iter())?;
        list(f, "BYSETPOS", self.positions.iter())?;
        if self.week_start != Weekday::Mon {
            write!(f, ";WKST={}", name_of(&WEEKDAYS, &self.week_start))?;
        }
        Ok(())
    }
}

impl Weekdays {
    fn names(&self) -> impl Iterator<Item = String> {
        let every = WEEKDAYS
            .iter()
            .filter(|(day, _)| self.every(*day))
            .map(|(_, name)| (*name).to_owned());
        let nth = self
            .nth
            .iter()
            .map(|(day, ordinal)| format!("{ordinal}{}", name_of(&WEEKDAYS, day)));
        every.chain(nth)
    }
}

/// Writes a part, unless it is empty.
fn list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    values: impl Iterator<Item = T>,
) -> fmt::Result {
    for (i, value) in values.enumerate() {
        if i == 0 {
            write!(f, ";{name}={value}")?;
        } else {
            write!(f, ",{value}")?;
        }
    }
    Ok(())
}
