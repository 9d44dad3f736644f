//! What strangers get to know: never more than a little, however many of them ask, and however they ask.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use chrono::NaiveDate;
use hmac::{Hmac, KeyInit as _, Mac as _};
use huddle_ports::Timestamp;
use sha2::Sha256;

use crate::dates::LONGEST_DATE;
use crate::interval::{Interval, IntervalSet};
use crate::offer::{Offer, Rules};

pub use token::{InvalidToken, MAX_TOKEN, Sides, ToldSlot};

mod token;

/// The secret that slot tokens are signed with, and that chooses what strangers are told.
#[derive(Clone)]
pub struct DisclosureKey(Hmac<Sha256>);

impl DisclosureKey {
    /// The key with these bytes, which nobody else knows.
    #[expect(clippy::missing_panics_doc, reason = "HMAC takes keys of any length")]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(bytes).expect("HMAC takes keys of any length"))
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
/// assert_eq!(sampling.starts(&DisclosureKey::new(&[7; 32]), day).len(), 6);
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
        // A date any of which is within is looked at as a whole.
        let near = within.widened(LONGEST_DATE, LONGEST_DATE);
        let mut dates: BTreeMap<NaiveDate, Vec<Timestamp>> = BTreeMap::new();
        for start in self.offer.starts(self.rules, near) {
            dates.entry(zone.date(start)).or_default().push(start);
        }
        let chosen = |(date, mut starts): (NaiveDate, Vec<Timestamp>)| {
            let key = self.key_of(key, date);
            starts.sort_by_cached_key(|start| place(&key, *start));
            starts.truncate(self.per_day);
            starts
        };
        let mut told: Vec<_> = dates.into_iter().flat_map(chosen).collect();
        told.retain(|start| within.contains(*start));
        told.sort_unstable();
        told
    }

    /// The key by which the starts of a date are chosen.
    fn key_of(&self, key: &DisclosureKey, date: NaiveDate) -> DisclosureKey {
        const PURPOSE: &[u8] = b"huddle sample 2";
        let date = date.to_string();
        let code = key.code(
            PURPOSE,
            &[self.host.as_bytes(), self.name.as_bytes(), date.as_bytes()],
        );
        DisclosureKey::new(&code.finalize().into_bytes().into())
    }
}

/// Where a start is among those of its date: the first of them are told.
///
/// It is a code, so that those that were told say nothing of which others would be.
fn place(key_of_date: &DisclosureKey, start: Timestamp) -> [u8; 32] {
    const PURPOSE: &[u8] = b"place";
    let code = key_of_date.code(PURPOSE, &[&start.as_millis().to_be_bytes()]);
    code.finalize().into_bytes().into()
}

/// What may be told of what is wanted, when all that may be told in a period is `most`, and some was told already.
/// What was told is told again for nothing, to whomever; an answer that there is none costs as one slot does, if it is
/// put into `told` as whatever tells it from slots. A slot that is wanted twice is told, and counted, once.
///
/// ```
/// use std::collections::BTreeSet;
/// use huddle_schedule::disclosure::within_budget;
///
/// let told = BTreeSet::from([9, 10]);
/// assert_eq!(within_budget(&told, [10, 11, 12], 3), [10, 11]);
/// ```
pub fn within_budget<T: Ord + Clone>(
    told: &BTreeSet<T>,
    wanted: impl IntoIterator<Item = T>,
    most: usize,
) -> Vec<T> {
    let mut left = most.saturating_sub(told.len());
    let mut answer = BTreeSet::new();
    let mut may_be_told = |slot: &T| {
        if answer.contains(slot) {
            return false;
        }
        if !told.contains(slot) {
            if left == 0 {
                return false;
            }
            left -= 1;
        }
        answer.insert(slot.clone())
    };
    wanted
        .into_iter()
        .filter(|slot| may_be_told(slot))
        .collect()
}

/// Moves the ends of every interval out to the edges of blocks of time: to multiples of `block` since 1970 in UTC.
///
/// A wish is moved out however long it is: were one that is long enough left alone, it could be filled up with hours
/// that nobody offers, and its ends be moved about in small steps among those that somebody does.
///
/// So strangers can ask of whole blocks, one after the other or several together, and of nothing narrower. What they
/// get to know is the answer for each: with a search for the one best slot, that slot, or that there is none. The edges
/// are the same whatever is offered; where a host is open for a part of a block only, its answer is about that part.
/// Whoever asks for another length, or for hours that are ranked otherwise, may be told of another slot of the block:
/// how many answers they get is for [`within_budget`] to say, and which slots may be answers for [`Sampling`].
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
/// assert_eq!(widened(&hours(9, 13), four), hours(8, 16), "however long it is");
/// assert_eq!(widened(&hours(8, 16), four), hours(8, 16), "whole blocks already");
/// ```
pub fn widened(times: &IntervalSet, block: Duration) -> IntervalSet {
    let block = i64::try_from(block.as_millis()).unwrap_or(i64::MAX).max(1);
    let wide = |interval: Interval| {
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
        let starts = sampling.starts(&DisclosureKey::new(&[byte; 32]), within);
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
    fn the_sample_of_a_key_is_the_same_in_every_release() {
        // Another one would tell of more. By HMAC-SHA-256 of the parts, each with its length before it.
        let minutes = told(1, "a", hours(0, 24))
            .into_iter()
            .map(|start| start / 60_000);
        assert_eq!(minutes.collect::<Vec<_>>(), [285, 645, 855, 975, 1065]);
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
    fn a_slot_that_is_wanted_twice_is_told_and_counted_once() {
        let told = BTreeSet::from([1]);
        assert_eq!(within_budget(&told, [2, 2, 1, 3, 1, 4], 3), [2, 1, 3]);
    }

    #[test]
    fn a_date_that_comes_again_has_one_sample() {
        // At 02:31 in UTC the clock goes back to 23:01 of the day before.
        let at = |text: &str| Zone::UTC.instant(text.parse().unwrap());
        let between = |from, until| Interval::new(at(from), at(until)).unwrap();
        let zone: Zone = "America/St_Johns".parse().unwrap();
        let window = between("2006-10-27T00:00:00", "2006-10-31T00:00:00");
        let offer = Offer {
            times: Times::Once { window, zone },
            policy: Some(Circle::Anyone),
            mode: Some(Mode::Pick),
            durations: Vec::new(),
        };
        let sampling = Sampling {
            host: "did:plc:ana",
            name: "a",
            offer: &offer,
            rules: &Rules::default(),
            per_day: 5,
        };
        let told = |byte, within| sampling.starts(&DisclosureKey::new(&[byte; 32]), within);
        let hour = between("2006-10-29T02:31:00", "2006-10-29T03:30:00");
        for byte in 0..20 {
            let all = told(byte, window);
            for date in ["2006-10-28", "2006-10-29"] {
                let of_date = all
                    .iter()
                    .filter(|start| zone.date(**start).to_string() == date);
                assert_eq!(of_date.count(), 5, "{date} with key {byte}");
            }
            let expect: Vec<_> = all
                .iter()
                .copied()
                .filter(|start| hour.contains(*start))
                .collect();
            assert_eq!(told(byte, hour), expect, "with key {byte}");
        }
    }

    #[test]
    fn wishes_are_widened_to_whole_blocks() {
        let four = Duration::from_hours(4);
        let wide = |from, until| widened(&hours(from, until).into(), four);
        assert_eq!(wide(9, 10), hours(8, 12).into());
        assert_eq!(wide(11, 13), hours(8, 16).into());
        assert_eq!(wide(8, 9), hours(8, 12).into());
        assert_eq!(wide(-1, 1), hours(-4, 4).into());
        assert_eq!(wide(9, 13), hours(8, 16).into());
        assert_eq!(wide(5, 21), hours(4, 24).into());
        assert_eq!(wide(8, 12), hours(8, 12).into());
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
            format!("{:?}", DisclosureKey::new(&[9; 32])),
            "DisclosureKey(secret)"
        );
    }
}
