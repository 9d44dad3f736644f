//! Reads the text of a rule.
//!
//! Real calendars bend the grammar, and this follows where only one meaning is left: lower case, white space, an
//! empty part at the end, `COUNT` below 1 (no limit), an ordinal before a weekday where the frequency knows none,
//! second 60. A part that is not known, or that is there twice, is refused: a rule that is read wrongly would give
//! away time that is taken.

use super::{FREQUENCIES, Frequency, Ordinals, Rule, Until, WEEKDAYS};
use chrono::{NaiveDate, NaiveDateTime, Weekday};
use std::fmt::Display;
use std::str::FromStr;

/// Why a text is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// There is no `FREQ`.
    #[error("a recurrence rule needs FREQ, its unit: RFC 5545 §3.3.10")]
    NoFrequency,
    /// Something between two `;` is no `NAME=VALUE`.
    #[error("{0:?} is no part of a recurrence rule: parts are NAME=VALUE")]
    NotAPart(String),
    /// A part that RFC 5545 does not know, or that asks for another calendar than the Gregorian (RFC 7529).
    #[error("{0} is no part of a recurrence rule that can be expanded here")]
    Unknown(String),
    /// A part is there more than once.
    #[error("{0} stands more than once in a recurrence rule")]
    Repeated(String),
    /// A value that its part does not allow.
    #[error("{value:?} is not allowed for {part} in a recurrence rule")]
    Value {
        /// The name of the part.
        part: String,
        /// What it was given, or the item of its list.
        value: String,
    },
}

/// The most characters of the input that an error repeats.
const EXCERPT: usize = 40;

fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT).collect()
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let mut rule = Self::every(Frequency::Yearly);
        let mut seen: Vec<&str> = Vec::new();
        let mut is_seen = |name: &'static str| {
            let repeated = seen.contains(&name);
            seen.push(name);
            repeated
        };
        for part in text.split(';').map(str::trim).filter(|p| !p.is_empty()) {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| RuleError::NotAPart(excerpt(part)))?;
            let name = known(name.trim()).ok_or_else(|| RuleError::Unknown(excerpt(name)))?;
            if is_seen(name) {
                return Err(RuleError::Repeated(name.to_owned()));
            }
            Part {
                name,
                value: value.trim(),
            }
            .read(&mut rule)?;
        }
        if !seen.contains(&"FREQ") {
            return Err(RuleError::NoFrequency);
        }
        rule.drop_ordinals_of_weekdays();
        Ok(rule)
    }
}

const PARTS: [&str; 15] = [
    "FREQ",
    "UNTIL",
    "COUNT",
    "INTERVAL",
    "BYSECOND",
    "BYMINUTE",
    "BYHOUR",
    "BYDAY",
    "BYMONTHDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYMONTH",
    "BYSETPOS",
    "WKST",
    "RSCALE",
];

fn known(name: &str) -> Option<&'static str> {
    PARTS
        .into_iter()
        .find(|part| part.eq_ignore_ascii_case(name))
}

/// The value in a table of names, whatever their case.
fn by_name<T: Copy>(table: &[(T, &str)], name: &str) -> Option<T> {
    let named = table
        .iter()
        .find(|(_, known)| known.eq_ignore_ascii_case(name));
    named.map(|(value, _)| *value)
}

struct Part<'a> {
    name: &'static str,
    value: &'a str,
}

impl<'a> Part<'a> {
    fn read(&self, rule: &mut Rule) -> Result<(), RuleError> {
        match self.name {
            "FREQ" => rule.frequency = self.need(by_name(&FREQUENCIES, self.value))?,
            "UNTIL" => rule.until = Some(self.need(until(self.value))?),
            "COUNT" => rule.count = self.count()?,
            "INTERVAL" => rule.interval = self.number(self.value, 1, u32::MAX)?,
            "BYSECOND" => {
                // RFC 5545 §3.3.12: where there are no leap seconds, 60 is 59.
                self.each(0, 60, |n: u32| rule.seconds.insert(n.min(59)))?;
            }
            "BYMINUTE" => self.each(0, 59, |n| rule.minutes.insert(n))?,
            "BYHOUR" => self.each(0, 23, |n| rule.hours.insert(n))?,
            "BYMONTH" => self.each(1, 12, |n| rule.months.insert(n))?,
            "BYDAY" => {
                for item in self.items() {
                    let (ordinal, day) = self.item(item, weekday(item))?;
                    rule.weekdays.insert(ordinal, day);
                }
            }
            "BYMONTHDAY" => self.ordinals(31, &mut rule.month_days)?,
            "BYYEARDAY" => self.ordinals(366, &mut rule.year_days)?,
            "BYWEEKNO" => self.ordinals(53, &mut rule.weeks)?,
            "BYSETPOS" => self.ordinals(366, &mut rule.positions)?,
            "WKST" => rule.week_start = self.need(by_name(&WEEKDAYS, self.value))?,
            // RSCALE of RFC 7529: the one calendar that there is here.
            _ => {
                let gregorian = self.value.eq_ignore_ascii_case("GREGORIAN");
                self.need(gregorian.then_some(()))?;
            }
        }
        Ok(())
    }

    fn items(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.value.split(',').map(str::trim)
    }

    fn item<T>(&self, item: &str, read: Option<T>) -> Result<T, RuleError> {
        read.ok_or_else(|| RuleError::Value {
            part: self.name.to_owned(),
            value: excerpt(item),
        })
    }

    fn need<T>(&self, read: Option<T>) -> Result<T, RuleError> {
        self.item(self.value, read)
    }

    fn number<T: FromStr + PartialOrd + Display>(
        &self,
        item: &str,
        least: T,
        most: T,
    ) -> Result<T, RuleError> {
        let number = item.parse().ok().filter(|n| (least..=most).contains(n));
        self.item(item, number)
    }

    fn each(&self, least: u32, most: u32, mut add: impl FnMut(u32)) -> Result<(), RuleError> {
        for item in self.items() {
            add(self.number(item, least, most)?);
        }
        Ok(())
    }

    fn ordinals(&self, most: i16, set: &mut Ordinals) -> Result<(), RuleError> {
        for item in self.items() {
            let ordinal = self.number(item, -most, most)?;
            self.item(item, (ordinal != 0).then_some(()))?;
            set.insert(ordinal);
        }
        Ok(())
    }

    /// Programs that mean "no limit" write 0 or -1.
    fn count(&self) -> Result<Option<u32>, RuleError> {
        let count: i64 = self.number(self.value, i64::MIN, i64::from(u32::MAX))?;
        Ok(u32::try_from(count).ok().filter(|count| *count > 0))
    }
}

/// `MO`, `2MO`, `+2MO`, `-1MO`.
fn weekday(item: &str) -> Option<(Option<i16>, Weekday)> {
    let (ordinal, name) = item.split_at_checked(item.len().checked_sub(2)?)?;
    let day = by_name(&WEEKDAYS, name)?;
    if ordinal.is_empty() {
        return Some((None, day));
    }
    let ordinal: i16 = ordinal.trim().parse().ok()?;
    (ordinal != 0 && ordinal.abs() <= 53).then_some((Some(ordinal), day))
}

fn until(value: &str) -> Option<Until> {
    if let Ok(date) = NaiveDate::parse_from_str(value, "%Y%m%d") {
        return Some(Until::Date(date));
    }
    let (time, utc) = match value.strip_suffix(['Z', 'z']) {
        Some(time) => (time, true),
        None => (value, false),
    };
    let time = NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%S").ok()?;
    Some(if utc {
        Until::Utc(time)
    } else {
        Until::Local(time)
    })
}

impl Rule {
    /// Ordinals before weekdays mean something in a month or a year only, and not beside `BYWEEKNO`
    /// (RFC 5545 §3.3.10). Elsewhere every such weekday counts: better too much taken than too little.
    fn drop_ordinals_of_weekdays(&mut self) {
        let counted = match self.frequency {
            Frequency::Monthly => true,
            Frequency::Yearly => self.weeks.is_empty(),
            _ => false,
        };
        if !counted {
            for (day, _) in std::mem::take(&mut self.weekdays.nth) {
                self.weekdays.insert(None, day);
            }
        }
    }
}
