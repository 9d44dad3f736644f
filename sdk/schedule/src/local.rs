//! Local times and windows of a day, before a zone gives them a meaning.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, WeekdaySet};
use serde::{Deserialize, Serialize};

use crate::interval::Interval;
use crate::text;
use crate::zone::Zone;

/// A time of day to the minute, `00:00` to `24:00`, the last being the midnight that ends the day.
///
/// ```
/// use huddle_schedule::LocalTime;
///
/// let time: LocalTime = "09:30".parse()?;
/// assert_eq!(time.minutes(), 9 * 60 + 30);
/// assert!("9:30".parse::<LocalTime>().is_err());
/// assert!("24:01".parse::<LocalTime>().is_err());
/// # Ok::<(), huddle_schedule::InvalidTime>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
pub struct LocalTime(u16);

/// Not a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time of day is written HH:MM, from 00:00 to 24:00")]
pub struct InvalidTime;

impl LocalTime {
    /// The midnight that begins the day.
    pub const START_OF_DAY: Self = Self(0);
    /// The midnight that ends the day.
    pub const END_OF_DAY: Self = Self(24 * 60);

    /// The time so many minutes after midnight, 1440 at most.
    pub fn from_minutes(minutes: u16) -> Result<Self, InvalidTime> {
        let time = Self(minutes);
        if time <= Self::END_OF_DAY {
            Ok(time)
        } else {
            Err(InvalidTime)
        }
    }

    /// Minutes after midnight, as clocks show them.
    pub fn minutes(self) -> u16 {
        self.0
    }

    /// This time on a date, 24:00 being midnight of the next; `None` after the last date that there is.
    fn on(self, date: NaiveDate) -> Option<NaiveDateTime> {
        match NaiveTime::from_num_seconds_from_midnight_opt(u32::from(self.0) * 60, 0) {
            Some(time) => Some(date.and_time(time)),
            None => Some(
                date.checked_add_days(Days::new(1))?
                    .and_time(NaiveTime::MIN),
            ),
        }
    }
}

impl FromStr for LocalTime {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        let &[h1, h2, b':', m1, m2] = text.as_bytes() else {
            return Err(InvalidTime);
        };
        let number = |tens: u8, ones: u8| {
            (tens.is_ascii_digit() && ones.is_ascii_digit())
                .then(|| u16::from(tens - b'0') * 10 + u16::from(ones - b'0'))
        };
        let hours = number(h1, h2).ok_or(InvalidTime)?;
        let minutes = number(m1, m2)
            .filter(|minutes| *minutes < 60)
            .ok_or(InvalidTime)?;
        Self::from_minutes(hours * 60 + minutes)
    }
}

impl TryFrom<Cow<'_, str>> for LocalTime {
    type Error = InvalidTime;

    fn try_from(text: Cow<'_, str>) -> Result<Self, InvalidTime> {
        text.parse()
    }
}

impl From<LocalTime> for String {
    fn from(time: LocalTime) -> Self {
        time.to_string()
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Debug for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalTime({self})")
    }
}

/// From one local time until another: of the same day, or of the next where the end is the earlier.
///
/// Where both are equal there is no window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LocalWindow {
    /// When it opens; at 24:00 nothing does.
    pub start: LocalTime,
    /// When it closes, exclusive.
    pub end: LocalTime,
}

impl LocalWindow {
    /// A window that opens on a date, if that leaves any of it: clock changes can take all of a short one.
    pub(crate) fn on(self, date: NaiveDate, zone: Zone) -> Option<Interval> {
        if self.start == self.end || self.start == LocalTime::END_OF_DAY {
            return None;
        }
        let closes_on = if self.start < self.end {
            date
        } else {
            date.checked_add_days(Days::new(1))?
        };
        let opens = zone.on_calendar(self.start.on(date)?)?;
        Interval::new(opens, zone.instant(self.end.on(closes_on)?))
    }
}

/// A window that opens every week.
///
/// In JSON it is a `com.huddle.defs#weeklyRule`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WeeklyRule {
    /// Local days on which it opens.
    #[serde(with = "text::weekdays")]
    pub days: WeekdaySet,
    /// When it opens; at 24:00 nothing does.
    pub start: LocalTime,
    /// When it closes, exclusive; on the next day where that is earlier than `start`, and never where it is equal.
    pub end: LocalTime,
}

impl WeeklyRule {
    /// Its window on each of its days.
    pub fn window(self) -> LocalWindow {
        LocalWindow {
            start: self.start,
            end: self.end,
        }
    }
}

/// What is offered on one date in place of the weekly rules.
///
/// In JSON it is a `com.huddle.defs#dateOverride`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DateOverride {
    /// The local date on which the windows open.
    #[serde(with = "text::date")]
    pub date: NaiveDate,
    /// The windows; none closes the date. In JSON one that cannot be read is left out.
    #[serde(deserialize_with = "text::readable")]
    pub windows: Vec<LocalWindow>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_hours_and_minutes_of_two_digits() {
        for (text, minutes) in [
            ("00:00", 0),
            ("09:05", 545),
            ("23:59", 1439),
            ("24:00", 1440),
        ] {
            let time: LocalTime = text.parse().unwrap();
            assert_eq!(time.minutes(), minutes);
            assert_eq!(time.to_string(), text);
        }
        for text in [
            "",
            "9:00",
            "09:60",
            "24:01",
            "99:99",
            "09-00",
            "+9:00",
            "09:0\u{661}",
        ] {
            assert_eq!(text.parse::<LocalTime>(), Err(InvalidTime), "{text}");
        }
        assert_eq!(LocalTime::from_minutes(1441), Err(InvalidTime));
    }

    #[test]
    fn json_is_that_of_the_lexicon() {
        let json = r#"{"days":["MO","SU"],"start":"22:00","end":"02:00"}"#;
        let rule: WeeklyRule = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&rule).unwrap(), json);
        let json = r#"{"date":"2026-12-24","windows":[{"start":"09:00","end":"12:30"}]}"#;
        let exception: DateOverride = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&exception).unwrap(), json);
    }

    #[test]
    fn json_of_another_form_is_refused() {
        for json in [
            r#"{"days":["XX"],"start":"22:00","end":"02:00"}"#,
            r#"{"days":["MO"],"start":"9:00","end":"12:00"}"#,
            r#"{"days":["MO"],"start":"09:00"}"#,
        ] {
            assert!(serde_json::from_str::<WeeklyRule>(json).is_err(), "{json}");
        }
        for date in ["2026-2-3", "2026-02-30", "+2026-02-03", "26-02-03", ""] {
            let json = format!(r#"{{"date":"{date}","windows":[]}}"#);
            assert!(
                serde_json::from_str::<DateOverride>(&json).is_err(),
                "{json}"
            );
        }
    }
}
