//! Office hours: windows that open every week, with exceptions, and what they come to as moments.

use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::interval::{Interval, IntervalSet};
use crate::local::{DateOverride, LocalWindow, WeeklyRule};
use crate::text;
use crate::zone::Zone;

/// When somebody can be booked, every week.
///
/// In JSON it is a `com.huddle.officeHours` record, of which only what tells times is read. A rule or window that is not
/// as the lexicon has it, because of a time such as `9:00` or an unknown day, is left out, and the others stand. A zone
/// or a date that cannot be read is an error: what was to be closed would be open.
///
/// A record has 50 rules and 400 overrides at most. More will do, but [`windows`](Self::windows) looks at every rule
/// for every day: who takes hours from elsewhere has to bound them.
///
/// ```
/// use huddle_ports::Timestamp;
/// use huddle_schedule::{Interval, OfficeHours};
///
/// let hours: OfficeHours = serde_json::from_str(
///     r#"{
///         "tz": "Europe/Berlin",
///         "rules": [{"days": ["MO", "TU"], "start": "09:00", "end": "12:00"}],
///         "overrides": [{"date": "2026-06-02", "windows": []}]
///     }"#,
/// )?;
/// let week = "2026-06-01".parse().ok().and_then(|monday| hours.zone.day(monday)).expect("a date");
/// let week = week.widened(std::time::Duration::ZERO, std::time::Duration::from_hours(6 * 24));
/// let windows = hours.windows(week);
/// assert_eq!(windows.len(), 1, "Tuesday is closed");
/// assert_eq!(windows.duration().as_secs(), 3 * 3600);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OfficeHours {
    /// The zone of every local time and date here.
    #[serde(rename = "tz")]
    pub zone: Zone,
    /// The windows of every week; what overlaps or touches joins.
    #[serde(deserialize_with = "text::readable")]
    pub rules: Vec<WeeklyRule>,
    /// Dates on which other windows open; of two for one date the last stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<DateOverride>,
    /// The first date on which windows open.
    #[serde(
        default,
        rename = "validFrom",
        with = "text::optional_date",
        skip_serializing_if = "Option::is_none"
    )]
    pub valid_from: Option<NaiveDate>,
    /// The last date on which windows open.
    #[serde(
        default,
        rename = "validUntil",
        with = "text::optional_date",
        skip_serializing_if = "Option::is_none"
    )]
    pub valid_until: Option<NaiveDate>,
}

/// The most days that [`OfficeHours::windows`] looks ahead: a year and some.
pub const MAX_DAYS: u64 = 400;

impl OfficeHours {
    /// The windows that lie at least partly within an interval, whole, and for [`MAX_DAYS`] at most.
    pub fn windows(&self, within: Interval) -> IntervalSet {
        let overrides = self.overrides_by_date();
        let Some((first, last)) = self.dates(within) else {
            return IntervalSet::new();
        };
        let mut windows = Vec::new();
        for date in first.iter_days().take_while(|date| *date <= last) {
            let mut open = |window: LocalWindow| windows.extend(window.on(date, self.zone));
            match overrides.binary_search_by_key(&date, |exception| exception.date) {
                Ok(found) => overrides[found].windows.iter().copied().for_each(open),
                Err(_) => self
                    .rules
                    .iter()
                    .filter(|rule| rule.days.contains(date.weekday()))
                    .for_each(|rule| open(rule.window())),
            }
        }
        let joined = IntervalSet::from(windows);
        let near = joined.iter().filter(|window| window.overlaps(within));
        near.collect()
    }

    /// The dates on which windows open that may reach into an interval.
    fn dates(&self, within: Interval) -> Option<(NaiveDate, NaiveDate)> {
        // Overnight windows reach into the next day, or into the one after it where a day is left out. Where the
        // clock goes back over midnight, a date begins before the last moment of the one before it.
        let first = self
            .zone
            .date(within.start())
            .checked_sub_days(Days::new(2))?;
        let last = self
            .zone
            .date(within.end())
            .checked_add_days(Days::new(1))?;
        let first = self.valid_from.map_or(first, |from| from.max(first));
        let most = first.checked_add_days(Days::new(MAX_DAYS))?;
        let last = self.valid_until.map_or(last, |until| until.min(last));
        Some((first, last.min(most)))
    }

    /// The overrides in the order of their dates, one a date.
    fn overrides_by_date(&self) -> Vec<&DateOverride> {
        let mut overrides: Vec<_> = self.overrides.iter().rev().collect();
        overrides.sort_by_key(|exception| exception.date);
        overrides.dedup_by_key(|exception| exception.date);
        overrides
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The windows of these hours on a date, in local times.
    #[track_caller]
    fn check(json: &str, date: &str, expect: &[&str]) {
        let hours: OfficeHours = serde_json::from_str(json).expect("office hours");
        let day = date
            .parse()
            .ok()
            .and_then(|date| hours.zone.day(date))
            .expect("a day");
        let local = |moment| hours.zone.local(moment).format("%d %H:%M").to_string();
        let windows: Vec<_> = hours
            .windows(day)
            .iter()
            .map(|window| format!("{} - {}", local(window.start()), local(window.end())))
            .collect();
        assert_eq!(windows, expect);
    }

    #[test]
    fn windows_are_found_from_any_moment_within_them() {
        let json = r#"{"tz": "Pacific/Apia", "rules": [{"days": ["TH"], "start": "22:00", "end": "02:00"}]}"#;
        check(json, "2011-12-29", &["29 22:00 - 31 02:00"]);
        check(json, "2011-12-31", &["29 22:00 - 31 02:00"]);
        check(json, "2012-01-01", &[]);
    }

    #[test]
    fn windows_that_join_are_found_whole() {
        let json = r#"{"tz": "UTC", "rules": [
            {"days": ["MO"], "start": "22:00", "end": "24:00"},
            {"days": ["TU"], "start": "00:00", "end": "01:00"},
            {"days": ["TU"], "start": "09:00", "end": "10:00"}
        ]}"#;
        check(json, "2026-06-01", &["01 22:00 - 02 01:00"]);
        check(
            json,
            "2026-06-02",
            &["01 22:00 - 02 01:00", "02 09:00 - 02 10:00"],
        );
    }

    #[test]
    fn json_is_that_of_the_lexicon() {
        let json = r#"{"tz":"UTC","rules":[],"overrides":[{"date":"2026-06-01","windows":[]}],"validFrom":"2026-01-01","validUntil":"2026-12-31"}"#;
        let hours: OfficeHours = serde_json::from_str(json).expect("office hours");
        assert_eq!(serde_json::to_string(&hours).expect("JSON"), json);
        for wrong in [
            r#"{"tz":"Mars/Olympus","rules":[]}"#,
            r#"{"tz":"UTC","rules":[],"validFrom":"2026-1-1"}"#,
            r#"{"tz":"UTC","rules":[],"overrides":[{"date":"2026-6-1","windows":[]}]}"#,
            r#"{"rules":[]}"#,
        ] {
            assert!(
                serde_json::from_str::<OfficeHours>(wrong).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_whole_record_is_read_for_its_times() {
        let record = r#"{
            "$type": "com.huddle.officeHours", "tz": "UTC", "policy": "anyone", "createdAt": "2026-01-01T00:00:00Z",
            "rules": [{"$type": "com.huddle.defs#weeklyRule", "days": ["MO"], "start": "09:00", "end": "12:00"}],
            "overrides": [{
                "$type": "com.huddle.defs#dateOverride", "date": "2026-06-08",
                "windows": [{"$type": "com.huddle.defs#localWindow", "start": "10:00", "end": "11:00"}]
            }]
        }"#;
        check(record, "2026-06-01", &["01 09:00 - 01 12:00"]);
        check(record, "2026-06-08", &["08 10:00 - 08 11:00"]);
    }

    #[test]
    fn what_cannot_be_read_makes_no_window_and_the_others_stand() {
        let good = r#"{"days": ["MO"], "start": "13:00", "end": "14:00"}"#;
        for unreadable in [
            r#"{"days": ["MO"], "start": "9:00", "end": "12:00"}"#,
            r#"{"days": ["MO"], "start": "09:00", "end": "noon!"}"#,
            r#"{"days": ["XX", "MO"], "start": "09:00", "end": "12:00"}"#,
            r#"{"days": "MO", "start": "09:00", "end": "12:00"}"#,
            r#"{"days": ["MO"], "start": 9, "end": 12}"#,
            r#"{"days": ["MO"], "start": "09:00"}"#,
            r#"[["MO"], {}]"#,
            "null",
        ] {
            let json = format!(r#"{{"tz": "UTC", "rules": [{unreadable}, {good}]}}"#);
            check(&json, "2026-06-01", &["01 13:00 - 01 14:00"]);
        }
        let json = r#"{"tz": "UTC", "rules": [{"days": ["MO"], "start": "09:00", "end": "12:00"}], "overrides": [{
            "date": "2026-06-01",
            "windows": [{"start": "9:00", "end": "12:00"}, {"start": "15:00", "end": "16:00"}]
        }]}"#;
        check(json, "2026-06-01", &["01 15:00 - 01 16:00"]);
    }
}
