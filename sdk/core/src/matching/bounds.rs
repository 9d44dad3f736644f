//! What bounds a search: how many moments it looks at, over all offers. Whoever publishes many offers, or wants slots of
//! every five minutes, is looked at for fewer days at a time; a question about later days looks at those.

use std::time::Duration;

use chrono::Days;
use huddle_ports::Timestamp;
use huddle_schedule::{Interval, Offer, Rules, Times};

/// So many days after today a question may look at most, that it looks at no more than so many starts and those of one
/// day more; `None` if it can look at all of its reach.
pub(super) fn days_ahead(
    offers: &[Offer],
    rules: &Rules,
    reach: Interval,
    most_starts: u32,
    now: Timestamp,
) -> Option<u16> {
    let end = end_of_starts(offers, rules, reach, most_starts)?;
    let date = |moment| rules.zone.date(moment);
    // Whole days, and the first of the reach in any case.
    let last = date(end).checked_sub_days(Days::new(1))?;
    let last = last.max(date(reach.start()));
    u16::try_from((last - date(now)).num_days().max(0)).ok()
}

/// The moment by which so many starts have come up in a stretch of time; `None` if there are fewer.
fn end_of_starts(
    offers: &[Offer],
    rules: &Rules,
    reach: Interval,
    most_starts: u32,
) -> Option<Timestamp> {
    let mut changes = Vec::with_capacity(2 * offers.len());
    for offer in offers {
        let open = match &offer.times {
            // As if they were open day and night: to find out when they are is what is to be bounded.
            Times::Weekly(_) => Some(reach),
            Times::Once { window, .. } => window.intersection(reach),
        };
        changes.extend(
            open.into_iter()
                .flat_map(|it| [(it.start(), 1), (it.end(), -1)]),
        );
    }
    changes.sort_unstable();
    let step = u64::from(rules.step_minutes.get()) * 60_000;
    let mut left = u64::from(most_starts) * step;
    let (mut open, mut since) = (0_i64, reach.start());
    for (moment, change) in changes {
        let each = u64::try_from(moment.since(since).as_millis()).unwrap_or(u64::MAX);
        let at_once = u64::try_from(open).unwrap_or(0);
        match left.checked_sub(each.saturating_mul(at_once)) {
            Some(less) => left = less,
            None => return Some(since + Duration::from_millis(left / at_once)),
        }
        (open, since) = (open + change, moment);
    }
    None
}

#[cfg(test)]
mod tests {
    use huddle_schedule::{Circle, Mode, Zone};

    use super::*;

    /// The starts of a day, where nothing else is said.
    const DAY: u32 = 96;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_millis(day * 24 * 3_600_000)
    }

    fn days(first: i64, end: i64) -> Interval {
        Interval::new(at(first), at(end)).unwrap()
    }

    fn offer(times: Times) -> Offer {
        Offer {
            times,
            policy: Some(Circle::Anyone),
            mode: Some(Mode::Auto),
            durations: Vec::new(),
        }
    }

    fn weekly() -> Offer {
        let hours =
            r#"{"tz": "UTC", "rules": [{"days": ["MO"], "start": "09:00", "end": "10:00"}]}"#;
        offer(Times::Weekly(serde_json::from_str(hours).unwrap()))
    }

    fn once(first: i64, end: i64) -> Offer {
        let (window, zone) = (days(first, end), Zone::UTC);
        offer(Times::Once { window, zone })
    }

    #[track_caller]
    fn check(offers: &[Offer], reach: Interval, most_starts: u32, expect: Option<u16>) {
        let found = days_ahead(offers, &Rules::default(), reach, most_starts, at(0));
        assert_eq!(found, expect);
    }

    #[test]
    fn a_question_looks_at_as_many_whole_days_as_its_bound_leaves_it() {
        let all = days(0, 60);
        check(&[], all, 1, None);
        check(&[weekly()], all, 60 * DAY, None);
        check(&[weekly()], all, 60 * DAY - 1, Some(58));
        check(&[weekly()], all, 10 * DAY, Some(9));
        check(&[weekly(), weekly()], all, 10 * DAY, Some(4));
        check(&[weekly()], all, 1, Some(0));
    }

    #[test]
    fn of_what_is_offered_once_its_own_time_counts() {
        let all = days(0, 60);
        check(&[once(0, 5), once(5, 10)], all, 10 * DAY, None);
        check(&[once(-30, 5), once(55, 90)], all, 10 * DAY, None);
        check(&[once(0, 5), weekly()], all, 10 * DAY, Some(4));
        check(&[once(0, 5), weekly()], all, 20 * DAY, Some(14));
    }

    #[test]
    fn a_question_about_later_days_looks_at_those() {
        check(&[weekly()], days(20, 60), 10 * DAY, Some(29));
        check(&[weekly()], days(20, 60), 1, Some(20));
    }
}
