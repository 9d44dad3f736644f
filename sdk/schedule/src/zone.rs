//! Time zones: what a local time means, in the one place that decides it.
//!
//! The database is in the program: the zone of the machine that it runs on never matters.

pub(crate) mod offsets;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};
use huddle_ports::Timestamp;
use serde::{Deserialize, Serialize};

use crate::interval::Interval;

/// A time zone of the IANA database.
///
/// Local times that a clock change skips shift forward by as much as the clock does; of local times that occur
/// twice the first counts (RFC 5545 §3.3.5).
///
/// ```
/// use chrono::NaiveDate;
/// use huddle_schedule::Zone;
///
/// let zone: Zone = "America/New_York".parse()?;
/// let skipped = NaiveDate::from_ymd_opt(2026, 3, 8)
///     .and_then(|date| date.and_hms_opt(2, 30, 0))
///     .expect("a date");
/// assert_eq!(zone.local(zone.instant(skipped)).to_string(), "2026-03-08 03:30:00");
/// assert!("Mars/Olympus".parse::<Zone>().is_err());
/// # Ok::<(), huddle_schedule::UnknownZone>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "&'static str")]
pub struct Zone(Tz);

/// The database knows no zone of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone {0:?}; an IANA name such as \"Europe/Berlin\" is needed")]
pub struct UnknownZone(String);

/// 200,000 years of 365.25 days, in milliseconds: within what `chrono` can tell, with room for offsets.
const REACH: i64 = 200_000 * 31_557_600_000;

/// The most characters of an unknown name that its error repeats.
const MAX_NAME: usize = 64;

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(Tz::UTC);

    /// The moments whose local time is told exactly.
    pub(crate) const EXACT: Interval = Interval::between_millis(-REACH, REACH);

    /// The name in the IANA database.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The moment of a local time, its fraction of a millisecond left out.
    pub fn instant(self, local: NaiveDateTime) -> Timestamp {
        match self.0.offset_from_local_datetime(&local).earliest() {
            Some(offset) => moment(local, &offset),
            None => self.after_gap(local),
        }
    }

    /// The moment of a local time on a date that the zone did not leave out.
    pub(crate) fn on_calendar(self, local: NaiveDateTime) -> Option<Timestamp> {
        match self.0.offset_from_local_datetime(&local).earliest() {
            Some(offset) => Some(moment(local, &offset)),
            None => self.day(local.date()).map(|_| self.after_gap(local)),
        }
    }

    /// The moment of a local time that is skipped: as if the clock had not been changed yet.
    fn after_gap(self, local: NaiveDateTime) -> Timestamp {
        match GapInfo::new(&local, &self.0).and_then(|gap| gap.begin) {
            Some((_, before)) => moment(local, &before),
            None => moment(local, &Utc),
        }
    }

    /// The local time at a moment. Moments more than 200,000 years away count as that far.
    pub fn local(self, moment: Timestamp) -> NaiveDateTime {
        let utc = utc(moment);
        utc + self.0.offset_from_utc_datetime(&utc).fix()
    }

    /// How far local time is ahead of UTC at a moment, in milliseconds.
    pub(crate) fn offset_millis(self, moment: Timestamp) -> i64 {
        offset_millis(&self.0.offset_from_utc_datetime(&utc(moment)))
    }

    /// The moments of a local date, from its first to the first of the next: between 23 and 25 hours, as a rule.
    /// `None` for a date that the zone left out, such as 2011-12-30 in `Pacific/Apia`, and for the last date that
    /// there is.
    pub fn day(self, date: NaiveDate) -> Option<Interval> {
        let next = date.checked_add_days(Days::new(1))?;
        Interval::new(self.midnight(date), self.midnight(next))
    }

    /// The first moment of a local date.
    pub(crate) fn midnight(self, date: NaiveDate) -> Timestamp {
        self.instant(date.and_time(NaiveTime::MIN))
    }

    /// The local date at a moment.
    pub fn date(self, moment: Timestamp) -> NaiveDate {
        self.local(moment).date()
    }
}

fn moment(local: NaiveDateTime, offset: &impl Offset) -> Timestamp {
    Timestamp::from_millis(local.and_utc().timestamp_millis() - offset_millis(offset))
}

fn offset_millis(offset: &impl Offset) -> i64 {
    i64::from(offset.fix().local_minus_utc()) * 1000
}

/// A moment, or the end of what is told.
fn utc(moment: Timestamp) -> NaiveDateTime {
    DateTime::from_timestamp_millis(moment.as_millis().clamp(-REACH, REACH))
        .expect("chrono can tell 262,000 years")
        .naive_utc()
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        name.parse()
            .map(Self)
            .map_err(|_| UnknownZone(name.chars().take(MAX_NAME).collect()))
    }
}

impl TryFrom<Cow<'_, str>> for Zone {
    type Error = UnknownZone;

    fn try_from(name: Cow<'_, str>) -> Result<Self, UnknownZone> {
        name.parse()
    }
}

impl From<Zone> for &'static str {
    fn from(zone: Zone) -> Self {
        zone.name()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

#[cfg(test)]
mod tests;
