//! Times of the week as clocks show them.

use crate::local::{LocalTime, LocalWindow, WeeklyRule};

pub(super) const DAY_MINUTES: i64 = 24 * 60;
const WEEK_MINUTES: i64 = 7 * DAY_MINUTES;

/// Times of the week, in minutes since Monday 00:00 as clocks show them; sorted and disjoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WeekMinutes(Vec<(i64, i64)>);

impl WeekMinutes {
    pub(super) fn of_rules(rules: &[WeeklyRule]) -> Self {
        let windows = rules.iter().flat_map(|rule| {
            rule.days
                .iter(chrono::Weekday::Mon)
                .map(|day| (day.num_days_from_monday(), rule.window()))
        });
        Self::new(windows)
    }

    pub(super) fn every_day(windows: &[LocalWindow]) -> Self {
        Self::new((0..7).flat_map(|day| windows.iter().map(move |window| (day, *window))))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn new(windows: impl Iterator<Item = (u32, LocalWindow)>) -> Self {
        let mut spans = Vec::new();
        for (day, window) in windows {
            let (start, end) = (window.start.minutes(), window.end.minutes());
            if start == end || window.start == LocalTime::END_OF_DAY {
                continue;
            }
            let midnight = i64::from(day) * DAY_MINUTES;
            let from = midnight + i64::from(start);
            let until = midnight + i64::from(end) + if start < end { 0 } else { DAY_MINUTES };
            spans.push((from, until.min(WEEK_MINUTES)));
            if until > WEEK_MINUTES {
                spans.push((0, until - WEEK_MINUTES));
            }
        }
        spans.sort_unstable();
        spans.dedup_by(|next, last| {
            let joins = next.0 <= last.1;
            if joins {
                last.1 = last.1.max(next.1);
            }
            joins
        });
        Self(spans)
    }

    /// How many of the minutes from a minute since 1970 on, as clocks show them, lie within; a week of them at most.
    pub(super) fn overlap(&self, minute: i64, minutes: i64) -> i64 {
        /// 1970-01-01 was a Thursday.
        const SINCE_MONDAY: i64 = 3 * DAY_MINUTES;
        let from = (minute + SINCE_MONDAY).rem_euclid(WEEK_MINUTES);
        let within = |from: i64, until: i64| -> i64 {
            let common = self
                .0
                .iter()
                .map(|span| (span.1.min(until) - span.0.max(from)).max(0));
            common.sum()
        };
        let until = from + minutes;
        let this_week = within(from, until.min(WEEK_MINUTES));
        if until <= WEEK_MINUTES {
            this_week
        } else {
            this_week + within(0, until - WEEK_MINUTES)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week(text: &str) -> WeekMinutes {
        let rules: Vec<WeeklyRule> = serde_json::from_str(text).expect("rules");
        WeekMinutes::of_rules(&rules)
    }

    #[test]
    fn times_of_the_week_join_and_go_round() {
        let night = week(r#"[{"days": ["SU"], "start": "22:00", "end": "02:00"}]"#);
        assert_eq!(night.0, [(0, 120), (WEEK_MINUTES - 120, WEEK_MINUTES)]);
        let joined = week(
            r#"[{"days": ["MO", "TU"], "start": "09:00", "end": "12:00"},
                {"days": ["MO"], "start": "11:00", "end": "13:00"},
                {"days": ["TU"], "start": "09:00", "end": "09:00"}]"#,
        );
        assert_eq!(joined.0, [(540, 780), (1980, 2160)]);
    }

    #[test]
    fn what_overlaps_is_counted_over_the_end_of_the_week() {
        let night = week(r#"[{"days": ["SU"], "start": "22:00", "end": "02:00"}]"#);
        // Sunday 1970-01-04 at 21:30.
        let sunday = 3 * DAY_MINUTES + 21 * 60 + 30;
        assert_eq!(night.overlap(sunday, 30), 0);
        assert_eq!(night.overlap(sunday, 60), 30);
        assert_eq!(night.overlap(sunday, 5 * 60), 4 * 60);
        assert_eq!(night.overlap(sunday + 3 * 60, 4 * 60), 90);
        // A week later, and as long before 1970.
        assert_eq!(night.overlap(sunday + WEEK_MINUTES, 60), 30);
        assert_eq!(night.overlap(sunday - 9 * WEEK_MINUTES, 60), 30);
    }
}
