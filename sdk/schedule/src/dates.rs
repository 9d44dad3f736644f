//! Local dates as the moments that they are made of.

use std::time::Duration;

use chrono::{DateTime, NaiveDate};
use huddle_ports::Timestamp;

use crate::interval::{Interval, IntervalSet};
use crate::zone::Zone;
use crate::zone::offsets::Offsets;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// No clock has ever been changed by more.
const LARGEST_CHANGE: Duration = Duration::from_hours(24);

/// No date has lasted longer, from its first moment to its last.
pub(crate) const LONGEST_DATE: Duration = Duration::from_hours(48);

/// The moments at which clocks show a date from `first` on and before `end`.
pub(crate) fn moments(zone: Zone, first: NaiveDate, end: NaiveDate) -> IntervalSet {
    let days = Interval::new(zone.midnight(first), zone.midnight(end));
    days.map_or_else(IntervalSet::new, |days| {
        let near = days.widened(LARGEST_CHANGE, LARGEST_CHANGE);
        moments_within(near, zone, |date| (first..end).contains(&date))
    })
}

/// The moments of a bounded interval at which clocks show one of the `chosen` dates.
///
/// Where a clock goes back over midnight, a date is left and comes again: its moments are not all in a row then.
pub(crate) fn moments_within(
    within: Interval,
    zone: Zone,
    chosen: impl Fn(NaiveDate) -> bool,
) -> IntervalSet {
    let mut moments = Vec::new();
    for (piece, offset) in Offsets::new(zone, within).pieces(within) {
        let mut from = piece.start();
        while from < piece.end() {
            let local = from.as_millis() + offset;
            let next = local - local.rem_euclid(DAY_MILLIS) + DAY_MILLIS - offset;
            let next = Timestamp::from_millis(next).min(piece.end());
            if DateTime::from_timestamp_millis(local)
                .is_some_and(|shown| chosen(shown.date_naive()))
            {
                moments.extend(Interval::new(from, next));
            }
            from = next;
        }
    }
    moments.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The moments of a date in UTC.
    #[track_caller]
    fn check(zone: &str, date: &str, expect: &[&str]) {
        let zone: Zone = zone.parse().expect("a zone");
        let date: NaiveDate = date.parse().expect("a date");
        let utc = |moment| Zone::UTC.local(moment).format("%d %H:%M").to_string();
        let made: Vec<_> = moments(zone, date, date.succ_opt().expect("a next date"))
            .iter()
            .map(|part| format!("{} - {}", utc(part.start()), utc(part.end())))
            .collect();
        assert_eq!(made, expect);
    }

    #[test]
    fn a_date_is_made_of_the_moments_at_which_clocks_show_it() {
        check("UTC", "2026-06-01", &["01 00:00 - 02 00:00"]);
        check("Europe/Berlin", "2026-03-29", &["28 23:00 - 29 22:00"]);
        check("Pacific/Apia", "2011-12-30", &[]);
        // At one past midnight the clock goes back by an hour.
        check(
            "America/St_Johns",
            "2006-10-28",
            &["28 02:30 - 29 02:30", "29 02:31 - 29 03:30"],
        );
        check(
            "America/St_Johns",
            "2006-10-29",
            &["29 02:30 - 29 02:31", "29 03:30 - 30 03:30"],
        );
        // At half past eleven the clock goes forward by an hour.
        check("America/Toronto", "1919-03-31", &["31 04:30 - 01 04:00"]);
    }
}
