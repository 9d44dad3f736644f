//! Expands a rule, one period of its frequency after the other.
//!
//! A period is days × hours × minutes × seconds, and is never written out: its items are computed from their
//! number. So a period of any size costs no memory, the first one that is wanted is found by halving, and what
//! comes before is counted without being made.

use super::days::{DayFilter, days_into_week};
use super::period::{Period, Times};
use super::{Frequency, Rule};
use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, TimeDelta};

/// How many steps an expansion takes at most, unless told otherwise: a step is a day looked at, a period passed, or
/// an occurrence given. They take about a second.
pub const DEFAULT_STEPS: u64 = 10_000_000;

/// The rule looks for its next occurrence for longer than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the recurrence rule takes too many steps to expand; narrow its window or simplify it")]
pub struct Exhausted;

/// The occurrences of a rule, in order: see [`Rule::occurrences`].
///
/// Ends with the rule, with the window, or with the year 9999, which is the last that iCalendar can write.
#[derive(Clone, Debug)]
pub struct Occurrences<'a> {
    rule: &'a Rule,
    start: NaiveDateTime,
    /// Nothing before it is given.
    from: NaiveDateTime,
    /// Nothing after it is given.
    last: NaiveDateTime,
    until: NaiveDateTime,
    left: Option<u64>,
    steps: u64,
    /// The rule's filters with what `start` fills in.
    days: DayFilter<'a>,
    times: Times,
    period: Option<Period>,
    /// The number of the next period, counted from the one that `start` is in; `None` at the end.
    next: Option<i64>,
}

impl<'a> Occurrences<'a> {
    pub(super) fn new(rule: &'a Rule, start: NaiveDateTime) -> Self {
        Self {
            rule,
            start,
            from: start,
            last: end_of_time(),
            until: rule.until.map_or(end_of_time(), super::Until::last),
            left: rule.count.map(u64::from),
            steps: DEFAULT_STEPS,
            days: DayFilter::new(rule, start),
            times: Times::new(rule, start),
            period: None,
            next: Some(0),
        }
    }

    /// Leaves out what is before `from`. A rule without `COUNT` is not looked at before it at all.
    #[must_use]
    pub fn from(mut self, from: NaiveDateTime) -> Self {
        self.from = from.max(self.start);
        self
    }

    /// Ends before `to`.
    #[must_use]
    pub fn to(mut self, to: NaiveDateTime) -> Self {
        let last = to.checked_sub_signed(TimeDelta::seconds(1)).unwrap_or(to);
        self.last = last.min(end_of_time());
        self
    }

    /// Ends after `until` and not after the rule's own `UNTIL`, which may be on another clock.
    #[must_use]
    pub fn until(mut self, until: NaiveDateTime) -> Self {
        self.until = until;
        self
    }

    /// Takes at most `steps`.
    #[must_use]
    pub fn steps(mut self, steps: u64) -> Self {
        self.steps = steps;
        self
    }

    /// How many steps it may still take.
    pub fn steps_left(&self) -> u64 {
        self.steps
    }

    fn end(&self) -> NaiveDateTime {
        self.last.min(self.until)
    }

    /// Finds the next period that has anything in it.
    fn advance(&mut self) -> Result<Option<Period>, Exhausted> {
        if self.period.is_none() && self.next == Some(0) && self.left.is_none() {
            self.next = self.number_of(self.from);
        }
        // The list of the period before is used again.
        let mut days = self.period.take().map(|p| p.days).unwrap_or_default();
        while let Some(number) = self.next.filter(|_| self.left != Some(0)) {
            self.spend(1)?;
            self.next = number.checked_add(1);
            let Some(begin) = self.begin_of(number).filter(|begin| *begin <= self.end()) else {
                self.next = None;
                break;
            };
            days.clear();
            self.days_from(begin, &mut days)?;
            if days.is_empty() {
                self.skip_days(begin)?;
                continue;
            }
            let times = self.times.within(self.rule.frequency, begin);
            if times.is_empty() {
                self.skip_times(begin);
                continue;
            }
            let mut period = Period::new(days, times, self.rule);
            if self.open(&mut period) {
                return Ok(Some(period));
            }
            days = period.days;
        }
        Ok(None)
    }

    fn spend(&mut self, steps: u64) -> Result<(), Exhausted> {
        let left = self.steps.checked_sub(steps);
        self.steps = left.unwrap_or_default();
        left.map(drop).ok_or(Exhausted)
    }

    /// Sets a period to its first item that is wanted, and counts those before it; whether there is one.
    fn open(&mut self, period: &mut Period) -> bool {
        period.place = period.first_at_least(self.start);
        if self.from > self.start {
            let place = period.first_at_least(self.from);
            if let Some(left) = &mut self.left {
                *left = left.saturating_sub(place.saturating_sub(period.place));
            }
            period.place = place.max(period.place);
        }
        period.place < period.len()
    }

    /// The unit that the frequency counts, as a number since the epoch.
    fn units(&self, time: NaiveDateTime) -> i64 {
        let seconds = time.and_utc().timestamp();
        match self.rule.frequency {
            Frequency::Yearly => i64::from(time.year()),
            Frequency::Monthly => i64::from(time.year()) * 12 + i64::from(time.month0()),
            Frequency::Weekly => {
                let days = i64::from(days_into_week(time.date(), self.rule.week_start));
                (seconds.div_euclid(DAY) - days).div_euclid(7)
            }
            Frequency::Daily => seconds.div_euclid(DAY),
            Frequency::Hourly => seconds.div_euclid(HOUR),
            Frequency::Minutely => seconds.div_euclid(MINUTE),
            Frequency::Secondly => seconds,
        }
    }

    /// The number of the last period that begins at or before `time`.
    fn number_of(&self, time: NaiveDateTime) -> Option<i64> {
        let units = self.units(time).checked_sub(self.units(self.start))?;
        Some(units.div_euclid(i64::from(self.rule.interval)).max(0))
    }

    /// The number of the first period that begins at or after `time`.
    fn number_from(&self, time: NaiveDateTime) -> Option<i64> {
        let number = self.number_of(time)?;
        match self.begin_of(number) {
            Some(begin) if begin < time => number.checked_add(1),
            _ => Some(number),
        }
    }

    /// When a period begins; `None` after the year 9999.
    fn begin_of(&self, number: i64) -> Option<NaiveDateTime> {
        let units = number.checked_mul(self.rule.interval.into())?;
        let day = self.start.date();
        let begin = match self.rule.frequency {
            Frequency::Yearly => {
                let year = day.year().checked_add(i32::try_from(units).ok()?)?;
                NaiveDate::from_ymd_opt(year, 1, 1)?.into()
            }
            Frequency::Monthly => {
                let months = Months::new(u32::try_from(units).ok()?);
                day.with_day(1)?.checked_add_months(months)?.into()
            }
            Frequency::Weekly => {
                let weekday = days_into_week(day, self.rule.week_start);
                let first = day.checked_sub_days(Days::new(weekday.into()))?;
                let days = u64::try_from(units).ok()?.checked_mul(7)?;
                first.checked_add_days(Days::new(days))?.into()
            }
            Frequency::Daily => {
                let days = Days::new(u64::try_from(units).ok()?);
                day.checked_add_days(days)?.into()
            }
            Frequency::Hourly | Frequency::Minutely | Frequency::Secondly => {
                let size = self.unit_secs();
                let seconds = self
                    .units(self.start)
                    .checked_add(units)?
                    .checked_mul(size)?;
                chrono::DateTime::from_timestamp(seconds, 0)?.naive_utc()
            }
        };
        (begin <= end_of_time()).then_some(begin)
    }

    fn unit_secs(&self) -> i64 {
        match self.rule.frequency {
            Frequency::Hourly => HOUR,
            Frequency::Minutely => MINUTE,
            Frequency::Secondly => 1,
            _ => DAY,
        }
    }

    /// The days of the period that begins at `begin` which the rule admits.
    fn days_from(
        &mut self,
        begin: NaiveDateTime,
        days: &mut Vec<NaiveDate>,
    ) -> Result<(), Exhausted> {
        let first = begin.date();
        match self.rule.frequency {
            Frequency::Yearly => {
                for month in 1..=12 {
                    if let Some(first) = first.with_month(month) {
                        self.month_from(first, days)?;
                    }
                }
            }
            Frequency::Monthly => self.month_from(first, days)?,
            Frequency::Weekly => self.admitted(first, 7, days)?,
            _ => self.admitted(first, 1, days)?,
        }
        Ok(())
    }

    fn month_from(&mut self, first: NaiveDate, days: &mut Vec<NaiveDate>) -> Result<(), Exhausted> {
        if !self.days.admits_month(first.month()) {
            return Ok(());
        }
        match self.days.only_day_of_month() {
            Some(day) if day > u32::from(first.num_days_in_month()) => Ok(()),
            Some(day) => {
                let day = first + Days::new(u64::from(day) - 1);
                self.admitted(day, 1, days)
            }
            None => self.admitted(first, first.num_days_in_month(), days),
        }
    }

    /// Adds those of the `count` days from `first` that the rule admits.
    fn admitted(
        &mut self,
        first: NaiveDate,
        count: u8,
        days: &mut Vec<NaiveDate>,
    ) -> Result<(), Exhausted> {
        self.spend(count.into())?;
        let mut year = None;
        for day in first.iter_days().take(count.into()) {
            if self.days.admits(day, &mut year) {
                days.push(day);
            }
        }
        Ok(())
    }

    /// Goes on with the first period on a day that the rule admits, where periods are shorter than a day.
    fn skip_days(&mut self, begin: NaiveDateTime) -> Result<(), Exhausted> {
        if self.rule.frequency >= Frequency::Daily {
            return Ok(());
        }
        let last = self.end().date();
        let mut year = None;
        let mut day = begin.date();
        loop {
            self.spend(1)?;
            let Some(next) = day.succ_opt().filter(|next| *next <= last) else {
                self.next = None;
                return Ok(());
            };
            day = next;
            if self.days.admits(day, &mut year) {
                self.next = self.number_from(day.into());
                return Ok(());
            }
        }
    }

    /// Goes on with the first period at a time of day that the rule admits.
    fn skip_times(&mut self, begin: NaiveDateTime) {
        if let Some(time) = self.times.after(self.rule.frequency, begin) {
            let next = self.number_from(time);
            self.next = self.next.max(next);
        } else {
            self.next = None;
        }
    }
}

impl Iterator for Occurrences<'_> {
    type Item = Result<NaiveDateTime, Exhausted>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == Some(0) {
            return None;
        }
        if self.period.as_ref().is_none_or(|p| p.place >= p.len()) {
            self.period = match self.advance() {
                Ok(period) => period,
                Err(exhausted) => {
                    self.left = Some(0);
                    return Some(Err(exhausted));
                }
            };
            // What `open` counted may have been the last.
            if self.left == Some(0) {
                return None;
            }
        }
        let end = self.end();
        let period = self.period.as_ref()?;
        let time = period.item(period.place);
        if time > end {
            self.left = Some(0);
            return None;
        }
        if let Err(exhausted) = self.spend(1) {
            self.left = Some(0);
            return Some(Err(exhausted));
        }
        let period = self.period.as_mut()?;
        period.place += 1;
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        Some(Ok(time))
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The last second that a DATE-TIME can name.
fn end_of_time() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(9999, 12, 31)
        .and_then(|day| day.and_hms_opt(23, 59, 59))
        .expect("the year 9999 is in the range of dates")
}
