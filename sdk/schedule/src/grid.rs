//! Where slots may start: windows cut into steps.

use std::iter::successors;
use std::time::Duration;

use chrono::{Days, NaiveDate, Weekday};
use huddle_ports::Timestamp;

use crate::hours::MAX_DAYS;
use crate::interval::{Interval, IntervalSet};
use crate::offer::{Alignment, Offer, Rules, Times};
use crate::zone::Zone;
use crate::zone::offsets::Offsets;

const DAY_MILLIS: i64 = 24 * 60 * MINUTE_MILLIS;
const MINUTE_MILLIS: i64 = 60_000;
const WEEK: Duration = Duration::from_hours(7 * 24);

/// How far before what is asked for weekly hours are looked at: as far as counting from a Monday can reach.
const LOOK_BACK: Duration = Duration::from_hours(15 * 24);

/// The longest stretch of time that is looked at in one go; what is later is left out.
pub(crate) const MAX_RANGE: Duration = Duration::from_hours(MAX_DAYS * 24);

/// Starts in equal steps within one window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    /// The window that slots must lie in.
    pub window: Interval,
    first: i64,
    step: i64,
    /// No start then or later.
    until: i64,
}

impl Stretch {
    /// Starts from the first at or after `from`, counted from `anchor`, and before `until`.
    fn new(
        window: Interval,
        anchor: Timestamp,
        from: Timestamp,
        until: Timestamp,
        step: i64,
    ) -> Self {
        let from = i128::from(from.max(anchor).as_millis());
        let (anchor, wide_step) = (i128::from(anchor.as_millis()), i128::from(step));
        // Windows may have opened before anything can be told: the difference need not fit.
        let missing = (anchor - from).rem_euclid(wide_step);
        Self {
            window,
            first: i64::try_from(from + missing).unwrap_or(i64::MAX),
            step,
            until: until.as_millis(),
        }
    }

    pub(crate) fn starts(self) -> impl Iterator<Item = Timestamp> {
        let next = move |start: &i64| start.checked_add(self.step);
        successors(Some(self.first), next)
            .take_while(move |start| *start < self.until)
            .map(Timestamp::from_millis)
    }
}

impl Offer {
    /// The moments within an interval at which slots start, in order, whatever their length and whoever is busy:
    /// what can be told of the offer alone. Of an interval longer than [`MAX_DAYS`] the first are looked at.
    pub fn starts(&self, rules: &Rules, within: Interval) -> Vec<Timestamp> {
        let stretches = self.stretches(rules, within);
        stretches.into_iter().flat_map(Stretch::starts).collect()
    }

    /// All starts within an interval, in order.
    pub(crate) fn stretches(&self, rules: &Rules, within: Interval) -> Vec<Stretch> {
        let Some(within) = bounded(within) else {
            return Vec::new();
        };
        let windows = self.windows(within);
        let step = i64::from(rules.step_minutes.get()) * MINUTE_MILLIS;
        match (rules.alignment, &self.times) {
            (Alignment::Window, Times::Once { .. }) => windows
                .iter()
                .map(|window| {
                    let until = window.end().min(within.end());
                    Stretch::new(window, window.start(), within.start(), until, step)
                })
                .collect(),
            (Alignment::Window, Times::Weekly(hours)) => windows
                .iter()
                .flat_map(|window| from_window(window, within, hours.zone, step))
                .collect(),
            (Alignment::Clock, times) => {
                let offsets = Offsets::new(times.zone(), within);
                windows
                    .iter()
                    .flat_map(|window| from_clock(window, within, &offsets, step))
                    .collect()
            }
        }
    }

    /// The windows at least partly within an interval, whole as far as that matters.
    fn windows(&self, within: Interval) -> IntervalSet {
        let windows = match &self.times {
            Times::Weekly(hours) => hours.windows(within.widened(LOOK_BACK, Duration::ZERO)),
            Times::Once { window, .. } => (*window).into(),
        };
        let near = windows.iter().filter(|window| window.overlaps(within));
        near.collect()
    }
}

/// As much of an interval as is looked at.
pub(crate) fn bounded(interval: Interval) -> Option<Interval> {
    let exact = interval.intersection(Zone::EXACT)?;
    Interval::lasting(exact.start(), MAX_RANGE)?.intersection(exact)
}

/// Counted from the start of the window, and from each Monday that is a week or more after it.
fn from_window(window: Interval, within: Interval, zone: Zone, step: i64) -> Vec<Stretch> {
    let end = window.end().min(within.end());
    let mut anchors = vec![window.start()];
    if window.start() + WEEK < end {
        let first = monday_from(zone, window.start() + WEEK);
        let mondays = successors(first, |monday| monday.checked_add_days(Days::new(7)));
        let mondays = mondays.map(|monday| zone.midnight(monday));
        anchors.extend(mondays.take_while(|monday| *monday < end));
    }
    let ends = anchors.iter().skip(1).copied().chain([end]);
    let stretches = anchors
        .iter()
        .zip(ends)
        .filter(|(_, end)| within.start() < *end);
    stretches
        .map(|(anchor, end)| Stretch::new(window, *anchor, within.start(), end, step))
        .collect()
}

/// The first Monday that begins then or later.
fn monday_from(zone: Zone, moment: Timestamp) -> Option<NaiveDate> {
    let date = zone.date(moment);
    let monday = date.week(Weekday::Mon).checked_first_day()?;
    if zone.midnight(monday) >= moment {
        return Some(monday);
    }
    monday.checked_add_days(Days::new(7))
}

/// Counted from each local midnight, as clocks show it.
fn from_clock(window: Interval, within: Interval, offsets: &Offsets, step: i64) -> Vec<Stretch> {
    let Some(part) = window.intersection(within) else {
        return Vec::new();
    };
    let mut stretches = Vec::new();
    for (piece, offset) in offsets.pieces(part) {
        let mut from = piece.start();
        while from < piece.end() {
            let local = from.as_millis() + offset;
            let midnight = local - local.rem_euclid(DAY_MILLIS) - offset;
            let next = Timestamp::from_millis(midnight + DAY_MILLIS).min(piece.end());
            let anchor = Timestamp::from_millis(midnight);
            stretches.push(Stretch::new(window, anchor, from, next, step));
            from = next;
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(from: i64, until: i64) -> Interval {
        let at = |hour: i64| Timestamp::from_millis(hour * 60 * MINUTE_MILLIS);
        Interval::new(at(from), at(until)).expect("hours go up")
    }

    fn rules(step_minutes: u16, alignment: Alignment) -> Rules {
        Rules {
            step_minutes: step_minutes.try_into().expect("some minutes"),
            alignment,
            ..Rules::default()
        }
    }

    fn offer(times: Times) -> Offer {
        Offer {
            times,
            policy: None,
            mode: None,
            durations: Vec::new(),
        }
    }

    /// Open at all times in a zone with changes of half an hour.
    fn always_open() -> Offer {
        let json = r#"{"tz": "Australia/Lord_Howe", "rules": [
            {"days": ["MO", "TU", "WE", "TH", "FR", "SA", "SU"], "start": "00:00", "end": "24:00"}
        ]}"#;
        offer(Times::Weekly(
            serde_json::from_str(json).expect("office hours"),
        ))
    }

    #[test]
    fn what_never_closes_has_the_same_starts_wherever_one_begins_to_look() {
        for alignment in [Alignment::Window, Alignment::Clock] {
            let rules = rules(7 * 60 + 5, alignment);
            // 2026-03-01 to 2026-05-30.
            let all = always_open().starts(&rules, hours(492_336, 494_496));
            assert!(all.len() > 300, "there are {}", all.len());
            assert!(all.is_sorted());
            for first in (492_336..494_400).step_by(53) {
                let part = hours(first, first + 90);
                let made = always_open().starts(&rules, part);
                let expect: Vec<_> = all
                    .iter()
                    .copied()
                    .filter(|start| part.contains(*start))
                    .collect();
                assert_eq!(made, expect, "{alignment:?} from hour {first}");
            }
        }
    }

    #[test]
    fn no_offer_is_looked_at_for_longer_than_the_limit() {
        let once = offer(Times::Once {
            window: Interval::ALWAYS,
            zone: Zone::UTC,
        });
        let days = usize::try_from(MAX_DAYS).expect("some hundred");
        for alignment in [Alignment::Window, Alignment::Clock] {
            let rules = rules(24 * 60, alignment);
            for offer in [&once, &always_open()] {
                let starts = offer.starts(&rules, Interval::ALWAYS).len();
                assert!(starts.abs_diff(days) <= 60, "{starts} with {alignment:?}");
                let end = Interval::new(Timestamp::from_millis(i64::MAX - 10), Timestamp::MAX);
                offer.starts(&rules, end.expect("ten milliseconds"));
            }
        }
    }
}
