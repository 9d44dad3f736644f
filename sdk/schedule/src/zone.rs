//! Time zones: what a local time means, in the one place that decides it.
//!
//! The database is in the program: the zone of the machine that it runs on never matters.

mod database;
pub(crate) mod offsets;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime};
use huddle_ports::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset};
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
pub struct Zone(u16);

/// The database knows no zone of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone {0:?}; an IANA name such as \"Europe/Berlin\" is needed")]
pub struct UnknownZone(String);

/// 7,000 years of 365.25 days, in milliseconds: within what `chrono` and `jiff` can tell, with room for offsets.
const REACH: i64 = 7_000 * 31_557_600_000;

/// The most characters of an unknown name that its error repeats.
const MAX_NAME: usize = 64;

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(database::UTC);

    /// The moments whose local time is told exactly.
    pub(crate) const EXACT: Interval = Interval::between_millis(-REACH, REACH);

    /// The name in the IANA database.
    pub fn name(self) -> &'static str {
        database::name(self.0)
    }

    /// The release of the IANA database that everybody's zones are of, such as `2026e`.
    pub fn database_version() -> &'static str {
        database::version()
    }

    /// The zone of this name, whatever the case of its letters.
    pub(crate) fn ignoring_case(name: &str) -> Option<Self> {
        database::find(name).map(Self)
    }

    /// The moment of a local time, its fraction of a millisecond left out.
    pub fn instant(self, local: NaiveDateTime) -> Timestamp {
        match self.offset_at(local) {
            // Skipped: as if the clock had not been changed yet.
            AmbiguousOffset::Unambiguous { offset }
            | AmbiguousOffset::Gap { before: offset, .. }
            | AmbiguousOffset::Fold { before: offset, .. } => moment(local, offset),
        }
    }

    /// The moment of a local time on a date that the zone did not leave out.
    pub(crate) fn on_calendar(self, local: NaiveDateTime) -> Option<Timestamp> {
        match self.offset_at(local) {
            AmbiguousOffset::Unambiguous { offset }
            | AmbiguousOffset::Fold { before: offset, .. } => Some(moment(local, offset)),
            AmbiguousOffset::Gap { before, .. } => {
                self.day(local.date()).map(|_| moment(local, before))
            }
        }
    }

    /// How local time is ahead of UTC at a local time.
    fn offset_at(self, local: NaiveDateTime) -> AmbiguousOffset {
        database::rules(self.0)
            .to_ambiguous_timestamp(civil(local))
            .offset()
    }

    /// The local time at a moment. Moments more than 7,000 years away count as that far.
    pub fn local(self, moment: Timestamp) -> NaiveDateTime {
        clock(moment.as_millis().clamp(-REACH, REACH) + self.offset_millis(moment))
    }

    /// How far local time is ahead of UTC at a moment, in milliseconds.
    pub(crate) fn offset_millis(self, moment: Timestamp) -> i64 {
        offset_millis(database::rules(self.0).to_offset(exact(moment)))
    }

    /// The changes of the clock within an interval: from when on it is how far ahead of UTC, in milliseconds.
    pub(crate) fn changes(self, within: Interval) -> impl Iterator<Item = (Timestamp, i64)> {
        let mut offset = self.offset_millis(within.start());
        database::rules(self.0)
            .following(exact(within.start()))
            .map(|change| {
                let at = Timestamp::from_millis(change.timestamp().as_millisecond());
                (at, offset_millis(change.offset()))
            })
            .take_while(move |(at, _)| within.contains(*at))
            // Some are of the name alone.
            .filter(move |(_, next)| std::mem::replace(&mut offset, *next) != *next)
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

fn moment(local: NaiveDateTime, offset: Offset) -> Timestamp {
    Timestamp::from_millis(local.and_utc().timestamp_millis() - offset_millis(offset))
}

fn offset_millis(offset: Offset) -> i64 {
    i64::from(offset.seconds()) * 1000
}

/// What a clock shows so many milliseconds after its 1970.
fn clock(millis: i64) -> NaiveDateTime {
    DateTime::from_timestamp_millis(millis)
        .expect("chrono can tell 262,000 years")
        .naive_utc()
}

/// A moment, or the end of what is told.
fn exact(moment: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(moment.as_millis().clamp(-REACH, REACH))
        .expect("jiff can tell 9,999 years")
}

/// A local time, or the end of what is told.
fn civil(local: NaiveDateTime) -> jiff::civil::DateTime {
    let millis = local.and_utc().timestamp_millis();
    Offset::UTC.to_datetime(exact(Timestamp::from_millis(millis)))
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        Self::ignoring_case(name)
            .filter(|zone| zone.name() == name)
            .ok_or_else(|| UnknownZone(name.chars().take(MAX_NAME).collect()))
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
