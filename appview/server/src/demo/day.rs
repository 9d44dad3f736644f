//! The day on which the host has no time.

use std::time::Duration;

use anyhow::Result;
use huddle_ports::Timestamp;
use huddle_syntax::Datetime;

/// What takes the host's time, and is nobody's business.
pub(super) const PRIVATE: &str = "A day at the sea";

/// A day on which the host has office hours, and no time.
pub(super) struct Day {
    start: Timestamp,
}

impl Day {
    /// The first weekday that begins a day or more from now.
    pub(super) fn after(now: Timestamp) -> Self {
        const HOUR: i64 = 3_600_000;
        // 1970-01-01 was a Thursday.
        let is_weekday = |day: &i64| (day + 3).rem_euclid(7) < 5;
        let earliest = now.as_millis().div_euclid(24 * HOUR) + 2;
        let mut days = earliest..earliest + 7;
        let day = days.find(is_weekday).unwrap_or(earliest);
        Self {
            start: Timestamp::from_millis((day * 24 + 6) * HOUR),
        }
    }

    /// Before the office hours in Berlin begin.
    pub(super) fn start(&self) -> Result<Datetime> {
        Ok(Datetime::from_timestamp_millis(self.start.as_millis())?)
    }

    /// After they have ended.
    pub(super) fn end(&self) -> Result<Datetime> {
        let end = self.start + Duration::from_hours(12);
        Ok(Datetime::from_timestamp_millis(end.as_millis())?)
    }

    /// As people write it.
    pub(super) fn date(&self) -> Result<String> {
        Ok(self.start()?.as_str()[.."2026-12-01".len()].to_owned())
    }

    /// What is in the host's calendar then.
    pub(super) fn event(&self) -> Result<String> {
        let date = self.date()?.replace('-', "");
        Ok(format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Host//Calendar//EN\r\nBEGIN:VEVENT\r\n\
             UID:private\r\nDTSTAMP:{date}T000000Z\r\nDTSTART:{date}T060000Z\r\nDTEND:{date}T180000Z\r\n\
             SUMMARY:{PRIVATE}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        ))
    }
}
