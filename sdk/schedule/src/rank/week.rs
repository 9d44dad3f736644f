//! Times of the week as clocks show them.

use crate::local::{LocalTime, LocalWindow, WeeklyRule};

pub(super) const DAY_MINUTES: i64 = 24 * 60;
const WEEK_MINUTES: i64 = 7 * DAY_MINUTES;

/// Times of the week; sorted and disjoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WeekMinutes(Vec<Span>);

/// From one minute until another, in minutes since Monday 00:00 as clocks show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: i64,
    end: i64,
    /// How many minutes all spans before it have.
    before: i64,
}

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
        let mut before = 0;
        let summed = spans.into_iter().map(|(start, end)| {
            let span = Span { start, end, before };
            before += end - start;
            span
        });
        Self(summed.collect())
    }

    /// How many of the minutes from a minute since 1970 on, as clocks show them, lie within; a week of them at most.
    /// However many windows there are, it costs a few looks at them.
    pub(super) fn overlap(&self, minute: i64, minutes: i64) -> i64 {
        /// 1970-01-01 was a Thursday.
        const SINCE_MONDAY: i64 = 3 * DAY_MINUTES;
        let from = (minute + SINCE_MONDAY).rem_euclid(WEEK_MINUTES);
        let until = from + minutes;
        let this_week = self.until(until.min(WEEK_MINUTES)) - self.until(from);
        if until <= WEEK_MINUTES {
            this_week
        } else {
            this_week + self.until(until - WEEK_MINUTES)
        }
    }

    /// How many of the minutes of the week until a minute lie within.
    fn until(&self, minute: i64) -> i64 {
        let started = self.0.partition_point(|span| span.start < minute);
        let last = started.checked_sub(1).and_then(|last| self.0.get(last));
        last.map_or(0, |last| last.before + last.end.min(minute) - last.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week(text: &str) -> WeekMinutes {
        let rules: Vec<WeeklyRule> = serde_json::from_str(text).expect("rules");
        WeekMinutes::of_rules(&rules)
    }

    fn spans(week: &WeekMinutes) -> Vec<(i64, i64)> {
        week.0.iter().map(|span| (span.start, span.end)).collect()
    }

    #[test]
    fn times_of_the_week_join_and_go_round() {
        let night = week(r#"[{"days": ["SU"], "start": "22:00", "end": "02:00"}]"#);
        assert_eq!(
            spans(&night),
            [(0, 120), (WEEK_MINUTES - 120, WEEK_MINUTES)]
        );
        let joined = week(
            r#"[{"days": ["MO", "TU"], "start": "09:00", "end": "12:00"},
                {"days": ["MO"], "start": "11:00", "end": "13:00"},
                {"days": ["TU"], "start": "09:00", "end": "09:00"}]"#,
        );
        assert_eq!(spans(&joined), [(540, 780), (1980, 2160)]);
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

    #[test]
    fn what_overlaps_is_what_counting_minute_by_minute_finds() {
        let week = week(
            r#"[{"days": ["MO", "WE"], "start": "00:00", "end": "07:00"},
                {"days": ["WE"], "start": "09:01", "end": "09:02"},
                {"days": ["SA", "SU"], "start": "20:00", "end": "03:00"}]"#,
        );
        let lies_within = |minute: i64| {
            let minute = (minute + 3 * DAY_MINUTES).rem_euclid(WEEK_MINUTES);
            let around = spans(&week);
            around.iter().any(|span| (span.0..span.1).contains(&minute))
        };
        for from in (0..WEEK_MINUTES).step_by(59) {
            for minutes in [1, 60, 61, DAY_MINUTES, WEEK_MINUTES] {
                let counted = (from..from + minutes).filter(|minute| lies_within(*minute));
                let counted = i64::try_from(counted.count()).expect("a week of minutes");
                assert_eq!(
                    week.overlap(from, minutes),
                    counted,
                    "{minutes} from {from}"
                );
            }
        }
    }
}
