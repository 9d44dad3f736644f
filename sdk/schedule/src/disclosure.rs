//! What strangers get to know: never more than a little, however many of them ask, and however they ask.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use chrono::NaiveDate;
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
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..bytes.len()].copy_from_slice(&bytes);
        Self(Hmac::new(&block))
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

/// An offer, as strangers are told of it.
///
/// ```
/// use huddle_ports::Timestamp;
/// use huddle_schedule::disclosure::{DisclosureKey, Sampling};
/// use huddle_schedule::{Circle, Interval, Mode, Offer, Rules, Times, Zone};
///
/// let day = "2026-06-01".parse().ok().and_then(|date| Zone::UTC.day(date)).expect("a date");
/// let offer = Offer {
///     times: Times::Once { window: day, zone: Zone::UTC },
///     policy: Some(Circle::Anyone),
///     mode: Some(Mode::Pick),
///     durations: Vec::new(),
/// };
/// let sampling = Sampling {
///     host: "did:plc:host",
///     name: "at://did:plc:host/com.huddle.slotOffer/3k",
///     offer: &offer,
///     rules: &Rules::default(),
///     per_day: 6,
/// };
/// assert_eq!(sampling.starts(&DisclosureKey::new([7; 32]), day).len(), 6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sampling<'a> {
    /// The host's DID.
    pub host: &'a str,
    /// The offer's name.
    pub name: &'a str,
    /// The offer.
    pub offer: &'a Offer,
    /// The host's rules.
    pub rules: &'a Rules,
    /// How many starts are told of each local day.
    pub per_day: usize,
}

impl Sampling<'_> {
    /// The starts within an interval that strangers are told of, in order: for [`Search::sample`](crate::Search::sample).
    ///
    /// They are chosen among all that the offer alone would allow, by host, offer and day. So all strangers are told of
    /// the same ones; nothing takes the place of one that is taken; and asking on another day, or for other hours, does
    /// not lead to more.
    pub fn starts(&self, key: &DisclosureKey, within: Interval) -> Vec<Timestamp> {
        let zone = self.offer.times.zone();
        let day = |moment| zone.day(zone.date(moment)).unwrap_or(within);
        let (first, last) = (day(within.start()), day(within.end()));
        let days = Interval::new(
            first.start().min(within.start()),
            last.end().max(within.end()),
        );
        let all = days
            .map(|days| self.offer.starts(self.rules, days))
            .unwrap_or_default();
        let mut told = Vec::new();
        for day in all.chunk_by(|a, b| zone.date(*a) == zone.date(*b)) {
            let seed = self.seed(key, zone.date(day[0]));
            let mut day = day.to_vec();
            day.sort_unstable_by_key(|start| (tie_break(seed, *start), *start));
            day.truncate(self.per_day);
            day.sort_unstable();
            told.extend(day.into_iter().filter(|start| within.contains(*start)));
        }
        told
    }

    fn seed(&self, key: &DisclosureKey, date: NaiveDate) -> u64 {
        const PURPOSE: &[u8] = b"huddle sample 1";
        let date = date.to_string();
        let code = key.code(
            PURPOSE,
            &[self.host.as_bytes(), self.name.as_bytes(), date.as_bytes()],
        );
        let code = code.finalize().into_bytes();
        u64::from_be_bytes(std::array::from_fn(|byte| code[byte]))
    }
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
        let sampling = Sampling {
            host: "did:plc:ana",
            name,
            offer: &offer,
            rules: &Rules::default(),
            per_day: 5,
        };
        let starts = sampling.starts(&DisclosureKey::new([byte; 32]), within);
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
