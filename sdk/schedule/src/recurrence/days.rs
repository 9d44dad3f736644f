//! Which days a rule admits.

use super::ordinals::Units;
use super::{Frequency, Rule};
use chrono::{Datelike, NaiveDate, NaiveDateTime, Weekday};

/// Which days a rule admits, whatever the time of day.
#[derive(Clone, Debug)]
pub(super) struct DayFilter<'a> {
    rule: &'a Rule,
    months: Units,
    /// The day of the month that `DTSTART` has, where the rule names none.
    day_of_month: Option<u32>,
    /// The weekday that `DTSTART` has, where the rule names none.
    weekday: Option<Weekday>,
}

impl<'a> DayFilter<'a> {
    pub(super) fn new(rule: &'a Rule, start: NaiveDateTime) -> Self {
        let names_no_day = rule.weeks.is_empty()
            && rule.year_days.is_empty()
            && rule.month_days.is_empty()
            && rule.weekdays.is_empty();
        let by_month_day = matches!(rule.frequency, Frequency::Yearly | Frequency::Monthly);
        let weekly = rule.frequency == Frequency::Weekly;
        let months = match rule.frequency {
            Frequency::Yearly if names_no_day && rule.months.is_empty() => {
                Units::only(start.month())
            }
            _ => rule.months,
        };
        Self {
            rule,
            months,
            day_of_month: (names_no_day && by_month_day).then(|| start.day()),
            weekday: (names_no_day && weekly).then(|| start.weekday()),
        }
    }

    pub(super) fn admits_month(&self, month: u32) -> bool {
        self.months.is_empty() || self.months.contains(month)
    }

    pub(super) fn only_day_of_month(&self) -> Option<u32> {
        self.day_of_month
    }

    /// `year` remembers the year of the day before, as most days are in the same one.
    pub(super) fn admits(&self, day: NaiveDate, year: &mut Option<Year>) -> bool {
        let rule = self.rule;
        if !self.admits_month(day.month())
            || self.day_of_month.is_some_and(|only| only != day.day())
            || self.weekday.is_some_and(|only| only != day.weekday())
        {
            return false;
        }
        let month_length = || u32::from(day.num_days_in_month());
        if !rule.month_days.is_empty() && !rule.month_days.names(day.day(), month_length()) {
            return false;
        }
        let weekdays = &rule.weekdays;
        if !weekdays.is_empty() && !weekdays.every(day.weekday()) {
            if weekdays.nth.is_empty() {
                return false;
            }
            let in_year = rule.frequency == Frequency::Yearly && rule.months.is_empty();
            let (number, length) = if in_year {
                (day.ordinal(), year_length(day.year()))
            } else {
                (day.day(), month_length())
            };
            if !names_nth(&weekdays.nth, day.weekday(), number, length) {
                return false;
            }
        }
        if !rule.year_days.is_empty()
            && !rule.year_days.names(day.ordinal(), year_length(day.year()))
        {
            return false;
        }
        rule.weeks.is_empty() || {
            let year = match year {
                Some(known) if known.number == day.year() => known,
                _ => year.insert(Year::new(day.year(), rule.week_start)),
            };
            let (number, length) = year.week_of(day.ordinal0());
            rule.weeks.names(number, length)
        }
    }
}

/// Whether the weekday of the `number`-th day of `length` is one of these, counted from either side.
fn names_nth(nth: &[(Weekday, i16)], weekday: Weekday, number: u32, length: u32) -> bool {
    let from_start = number.div_ceil(7);
    let from_end = (length + 1 - number).div_ceil(7);
    nth.iter().any(|&(day, ordinal)| {
        let place = if ordinal > 0 { from_start } else { from_end };
        day == weekday && u32::from(ordinal.unsigned_abs()) == place
    })
}

fn year_length(year: i32) -> u32 {
    NaiveDate::from_ymd_opt(year, 1, 1).map_or(365, |day| if day.leap_year() { 366 } else { 365 })
}

/// The weeks of a year, for `BYWEEKNO`: week 1 is the first with at least four days in the year
/// (RFC 5545 §3.3.10), wherever a week starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Year {
    number: i32,
    /// How many days after 1 January week 1 begins, up to three days before it.
    first_week: i32,
    /// How many weeks there are in this year, the one before and the one after.
    weeks: u32,
    weeks_before: u32,
    weeks_after: u32,
}

impl Year {
    fn new(year: i32, week_start: Weekday) -> Self {
        let first_week = |year: i32| {
            let new_year = NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
            let into_week = days_into_week(new_year, week_start).cast_signed();
            if into_week <= 3 {
                -into_week
            } else {
                7 - into_week
            }
        };
        let weeks = |year: i32| {
            let days = year_length(year).cast_signed() + first_week(year + 1) - first_week(year);
            days.cast_unsigned() / 7
        };
        Self {
            number: year,
            first_week: first_week(year),
            weeks: weeks(year),
            weeks_before: weeks(year - 1),
            weeks_after: weeks(year + 1),
        }
    }

    /// The number of the week that the `ordinal`-th day of this year is in, from 0, and how many weeks there are
    /// in the year that the week belongs to.
    fn week_of(&self, ordinal: u32) -> (u32, u32) {
        let days = ordinal.cast_signed() - self.first_week;
        if days < 0 {
            return (self.weeks_before, self.weeks_before);
        }
        let week = days.cast_unsigned() / 7 + 1;
        if week > self.weeks {
            return (1, self.weeks_after);
        }
        (week, self.weeks)
    }
}

pub(super) fn days_into_week(day: NaiveDate, week_start: Weekday) -> u32 {
    day.weekday().days_since(week_start)
}
