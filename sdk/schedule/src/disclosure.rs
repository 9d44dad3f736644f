//! What strangers get to know: never more than a little, however many of them ask, and however they ask.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use huddle_ports::Timestamp;
use sha2::Sha256;

use crate::interval::{Interval, IntervalSet};
use crate::offer::{Offer, Rules};
use crate::rank::tie_break;

pub use token::{InvalidToken, MAX_TOKEN, Sides, ToldSlot};

mod token;

/// The secret that slot tokens are signed with, and that chooses what strangers are told.
#[derive(Clone)]
pub struct DisclosureKey(Hmac<Sha256>);

impl DisclosureKey {
    /// The key with these bytes, which nobody else knows.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Hmac::new_from_slice(&bytes).expect("a key may be of any length"))
    }

    /// The code of some parts, for one purpose. Each part has its length before it, so that what is told apart as
    /// parts is told apart as bytes.
    fn code(&self, purpose: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in [purpose].iter().chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for DisclosureKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DisclosureKey(secret)")
    }
}

/// The starts of an offer that strangers are told of, in order: so many of each local day that an interval touches.
///
/// They are chosen among all that the offer alone would allow, by host, offer and day. So all strangers are told of the
/// same ones; nothing takes the place of one that is taken; and asking on another day, or for other hours, does not
/// lead to more.
pub fn sample(
    key: &DisclosureKey,
    host: &str,
    name: &str,
    (offer, rules): (&Offer, &Rules),
    within: Interval,
    per_day: usize,
) -> Vec<Timestamp> {
    const PURPOSE: &[u8] = b"huddle sample 1";
    let zone = offer.times.zone();
    let first = zone.day(zone.date(within.start())).unwrap_or(within);
    let last = zone.day(zone.date(within.end())).unwrap_or(within);
    let starts = Interval::new(first.start().min(within.start()), last.end())
        .map(|days| offer.starts(rules, days))
        .unwrap_or_default();
    let mut chosen = Vec::new();
    for day in starts.chunk_by(|a, b| zone.date(*a) == zone.date(*b)) {
        let date = zone.date(day[0]).to_string();
        let code = key.code(
            PURPOSE,
            &[host.as_bytes(), name.as_bytes(), date.as_bytes()],
        );
        let code: [u8; 32] = code.finalize().into_bytes().into();
        let (seed, _) = code.split_first_chunk().expect("a code has 32 bytes");
        let seed = u64::from_be_bytes(*seed);
        let mut day = day.to_vec();
        day.sort_unstable_by_key(|start| (tie_break(seed, *start), *start));
        day.truncate(per_day);
        day.sort_unstable();
        chosen.extend(day.into_iter().filter(|start| within.contains(*start)));
    }
    chosen
}

/// What may be told of what is wanted, when all that may be told in a period is `most`, and some was told already.
/// What was told is told again for nothing, to whomever; an answer that there is none costs as one slot does, if it is
/// put into `told` as whatever tells it from slots.
///
/// ```
/// use std::collections::BTreeSet;
/// use huddle_schedule::disclosure::within_budget;
///
/// let told = BTreeSet::from([9, 10]);
/// assert_eq!(within_budget(&told, [10, 11, 12], 3), [10, 11]);
/// ```
pub fn within_budget<T: Ord>(
    told: &BTreeSet<T>,
    wanted: impl IntoIterator<Item = T>,
    most: usize,
) -> Vec<T> {
    let mut left = most.saturating_sub(told.len());
    let mut may_be_told = |slot: &T| {
        if told.contains(slot) {
            return true;
        }
        let is_left = left > 0;
        left = left.saturating_sub(1);
        is_left
    };
    wanted
        .into_iter()
        .filter(|slot| may_be_told(slot))
        .collect()
}

/// Moves the ends of every interval shorter than `narrowest` out to the next multiples of it since 1970 in UTC.
///
/// Whoever moves a narrow wish about in small steps learns no more than one block of time after the other would tell.
///
/// ```
/// use std::time::Duration;
/// use huddle_ports::Timestamp;
/// use huddle_schedule::disclosure::widened;
/// use huddle_schedule::{Interval, IntervalSet};
///
/// let hours = |from: i64, to: i64| {
///     let at = |hour: i64| Timestamp::from_millis(hour * 3_600_000);
///     IntervalSet::from_iter(Interval::new(at(from), at(to)))
/// };
/// let four = Duration::from_hours(4);
/// assert_eq!(widened(&hours(9, 10), four), hours(8, 12));
/// assert_eq!(widened(&hours(9, 13), four), hours(9, 13), "wide enough");
/// ```
pub fn widened(times: &IntervalSet, narrowest: Duration) -> IntervalSet {
    let block = i64::try_from(narrowest.as_millis())
        .unwrap_or(i64::MAX)
        .max(1);
    let wide = |interval: Interval| {
        if interval.duration() >= narrowest {
            return Some(interval);
        }
        let (start, end) = (interval.start().as_millis(), interval.end().as_millis());
        let start = start.saturating_sub(start.rem_euclid(block));
        let end = end.saturating_add((-end.rem_euclid(block)).rem_euclid(block));
        Interval::new(Timestamp::from_millis(start), Timestamp::from_millis(end))
    };
    times.iter().filter_map(wide).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offer::{Mode, Times};
    use crate::policy::Circle;
    use crate::zone::Zone;

    const HOUR: i64 = 3_600_000;

    fn hours(from: i64, until: i64) -> Interval {
        let at = |hour| Timestamp::from_millis(hour * HOUR);
        Interval::new(at(from), at(until)).unwrap()
    }

    fn told(byte: u8, name: &str, within: Interval) -> Vec<i64> {
        let offer = Offer {
            times: Times::Once {
                window: hours(0, 72),
                zone: Zone::UTC,
            },
            policy: Some(Circle::Anyone),
            mode: Some(Mode::Pick),
            durations: Vec::new(),
        };
        let key = DisclosureKey::new([byte; 32]);
        let starts = sample(
            &key,
            "did:plc:ana",
            name,
            (&offer, &Rules::default()),
            within,
            5,
        );
        starts.iter().map(|start| start.as_millis()).collect()
    }

    #[test]
    fn a_sample_has_so_many_starts_of_each_day() {
        let starts = told(1, "a", hours(0, 72));
        assert_eq!(starts.len(), 15);
        for day in 0..3 {
            let of_day = starts.iter().filter(|start| **start / (24 * HOUR) == day);
            assert_eq!(of_day.count(), 5);
        }
        assert!(starts.is_sorted());
    }

    #[test]
    fn asking_for_other_hours_tells_no_others() {
        let all = told(1, "a", hours(0, 72));
        for (from, until) in [(0, 24), (3, 5), (23, 26), (30, 72)] {
            let part = told(1, "a", hours(from, until));
            let expect: Vec<_> = all
                .iter()
                .copied()
                .filter(|start| (from * HOUR..until * HOUR).contains(start))
                .collect();
            assert_eq!(part, expect, "{from} to {until}");
        }
    }

    #[test]
    fn another_key_or_offer_is_another_sample() {
        let all = told(1, "a", hours(0, 72));
        assert_ne!(all, told(2, "a", hours(0, 72)));
        assert_ne!(all, told(1, "b", hours(0, 72)));
    }

    #[test]
    fn what_was_told_is_told_again_when_nothing_is_left() {
        let told = BTreeSet::from([1, 2, 3]);
        assert_eq!(within_budget(&told, [4, 2, 5, 1], 3), [2, 1]);
        assert_eq!(within_budget(&told, [4, 2, 5, 1], 4), [4, 2, 1]);
        assert_eq!(within_budget(&told, [4], 0), Vec::<i32>::new());
    }

    #[test]
    fn narrow_wishes_are_widened_to_the_same_blocks() {
        let four = Duration::from_hours(4);
        let wide = |from, until| widened(&hours(from, until).into(), four);
        assert_eq!(wide(9, 10), hours(8, 12).into());
        assert_eq!(wide(11, 13), hours(8, 16).into());
        assert_eq!(wide(8, 9), hours(8, 12).into());
        assert_eq!(wide(-1, 1), hours(-4, 4).into());
        assert_eq!(wide(9, 13), hours(9, 13).into());
        let nothing = widened(&IntervalSet::new(), four);
        assert!(nothing.is_empty());
        assert_eq!(
            widened(&hours(1, 2).into(), Duration::ZERO),
            hours(1, 2).into()
        );
    }

    #[test]
    fn a_key_is_not_printed() {
        assert_eq!(
            format!("{:?}", DisclosureKey::new([9; 32])),
            "DisclosureKey(secret)"
        );
    }
}
