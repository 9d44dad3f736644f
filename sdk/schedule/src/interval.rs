//! Stretches of time, half open, and sets of them.

use std::time::Duration;

use huddle_ports::Timestamp;
use serde::{Deserialize, Serialize};

/// From `start` until just before `end`; never empty.
///
/// In JSON it is a pair of milliseconds since 1970, `[start, end]`.
///
/// ```
/// use huddle_ports::Timestamp;
/// use huddle_schedule::Interval;
///
/// let at = |hour: i64| Timestamp::from_millis(hour * 3_600_000);
/// let morning = Interval::new(at(9), at(12)).expect("nine is before noon");
/// let noon = Interval::new(at(12), at(13)).expect("noon is before one");
/// assert!(!morning.overlaps(noon), "they only touch");
/// assert_eq!(Interval::new(at(12), at(12)), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(Timestamp, Timestamp)", into = "(Timestamp, Timestamp)")]
pub struct Interval {
    start: Timestamp,
    end: Timestamp,
}

impl Interval {
    /// All the time that can be told.
    pub const ALWAYS: Self = Self {
        start: Timestamp::MIN,
        end: Timestamp::MAX,
    };

    /// The interval between two moments; `None` unless `start` is before `end`.
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The interval between two moments that are the right way round.
    pub(crate) const fn between_millis(start: i64, end: i64) -> Self {
        assert!(start < end, "an interval ends after it starts");
        Self {
            start: Timestamp::from_millis(start),
            end: Timestamp::from_millis(end),
        }
    }

    /// The interval that starts then and lasts so long; `None` if that is less than a millisecond.
    pub fn lasting(start: Timestamp, duration: Duration) -> Option<Self> {
        Self::new(start, start + duration)
    }

    /// The first moment of the interval.
    pub fn start(self) -> Timestamp {
        self.start
    }

    /// The first moment after the interval.
    pub fn end(self) -> Timestamp {
        self.end
    }

    /// How long it lasts.
    pub fn duration(self) -> Duration {
        self.end.since(self.start)
    }

    /// Whether the two have a moment in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether a moment lies within.
    pub fn contains(self, moment: Timestamp) -> bool {
        self.start <= moment && moment < self.end
    }

    /// Whether all of `other` lies within.
    pub fn covers(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// What the two have in common.
    pub fn intersection(self, other: Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }

    /// The interval with so much more time on each side, as far as time can be told.
    #[must_use]
    pub fn widened(self, before: Duration, after: Duration) -> Self {
        Self {
            start: self.start - before,
            end: self.end + after,
        }
    }
}

/// An interval that ends before it has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an interval ends after it starts")]
pub struct EmptyInterval;

impl TryFrom<(Timestamp, Timestamp)> for Interval {
    type Error = EmptyInterval;

    fn try_from((start, end): (Timestamp, Timestamp)) -> Result<Self, EmptyInterval> {
        Self::new(start, end).ok_or(EmptyInterval)
    }
}

impl From<Interval> for (Timestamp, Timestamp) {
    fn from(interval: Interval) -> Self {
        (interval.start, interval.end)
    }
}

/// A set of moments, as intervals that are sorted and neither overlap nor touch.
///
/// It is made of intervals in any order in O(n log n), and in O(n) where they are sorted already. Each
/// operation on two sets is one sweep over both.
///
/// ```
/// use huddle_ports::Timestamp;
/// use huddle_schedule::{Interval, IntervalSet};
///
/// let hours = |from: i64, to: i64| {
///     let at = |hour: i64| Timestamp::from_millis(hour * 3_600_000);
///     Interval::new(at(from), at(to)).expect("hours go up")
/// };
/// let open = IntervalSet::from_iter([hours(10, 12), hours(9, 10)]);
/// let busy = IntervalSet::from_iter([hours(11, 14)]);
/// assert_eq!(open.as_slice(), [hours(9, 12)], "what touches joins");
/// assert_eq!(open.difference(&busy).as_slice(), [hours(9, 11)]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Interval>", into = "Vec<Interval>")]
pub struct IntervalSet(Vec<Interval>);

impl IntervalSet {
    /// No moment at all.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The intervals, from the first to the last.
    pub fn as_slice(&self) -> &[Interval] {
        &self.0
    }

    /// The intervals, from the first to the last.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Interval> + ExactSizeIterator + '_ {
        self.0.iter().copied()
    }

    /// How many intervals there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no moment in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How long all of it lasts.
    pub fn duration(&self) -> Duration {
        self.iter().fold(Duration::ZERO, |sum, interval| {
            sum.saturating_add(interval.duration())
        })
    }

    /// The interval with this moment, if the moment is in the set; O(log n).
    pub fn around(&self, moment: Timestamp) -> Option<Interval> {
        let next = self.0.partition_point(|interval| interval.end <= moment);
        self.0
            .get(next)
            .copied()
            .filter(|interval| interval.contains(moment))
    }

    /// Whether a moment is in the set; O(log n).
    pub fn contains(&self, moment: Timestamp) -> bool {
        self.around(moment).is_some()
    }

    /// Whether all of an interval is in the set; O(log n).
    pub fn covers(&self, interval: Interval) -> bool {
        self.around(interval.start)
            .is_some_and(|around| around.covers(interval))
    }

    /// Whether any of an interval is in the set; O(log n).
    pub fn overlaps(&self, interval: Interval) -> bool {
        let next = self.0.partition_point(|other| other.end <= interval.start);
        self.0
            .get(next)
            .is_some_and(|other| other.start < interval.end)
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.0.as_slice(), other.0.as_slice());
        let mut sum = Vec::with_capacity(left.len() + right.len());
        while let (Some(a), Some(b)) = (left.first(), right.first()) {
            if a.start <= b.start {
                append(&mut sum, *a);
                left = &left[1..];
            } else {
                append(&mut sum, *b);
                right = &right[1..];
            }
        }
        for rest in [left, right] {
            for interval in rest {
                append(&mut sum, *interval);
            }
        }
        Self(sum)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.0.as_slice(), other.0.as_slice());
        let mut common = Vec::new();
        while let (Some(a), Some(b)) = (left.first(), right.first()) {
            common.extend(a.intersection(*b));
            if a.end <= b.end {
                left = &left[1..];
            } else {
                right = &right[1..];
            }
        }
        Self(common)
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut right = other.0.as_slice();
        let mut rest = Vec::with_capacity(self.len());
        for interval in self.iter() {
            let mut start = interval.start;
            while let Some(taken) = right.first().filter(|taken| taken.start < interval.end) {
                rest.extend(Interval::new(start, taken.start));
                start = start.max(taken.end);
                if taken.end > interval.end {
                    break;
                }
                right = &right[1..];
            }
            rest.extend(Interval::new(start, interval.end));
        }
        Self(rest)
    }

    /// What of it lies within an interval; O(log n) and what is copied.
    #[must_use]
    pub fn within(&self, interval: Interval) -> Self {
        let first = self.0.partition_point(|other| other.end <= interval.start);
        let last = self.0.partition_point(|other| other.start < interval.end);
        let inside = self.0.get(first..last).unwrap_or_default();
        Self(
            inside
                .iter()
                .filter_map(|other| other.intersection(interval))
                .collect(),
        )
    }

    /// Each interval with so much more time on each side.
    #[must_use]
    pub fn widened(&self, before: Duration, after: Duration) -> Self {
        let mut wider = Vec::with_capacity(self.len());
        for interval in self.iter() {
            append(&mut wider, interval.widened(before, after));
        }
        Self(wider)
    }
}

/// The index of the first interval, from the index `from` on, that ends after a moment. In steps that double: a sweep
/// costs no more than the list is long, and no more than a few steps where it skips most of it.
pub(crate) fn advance(sorted: &[Interval], from: usize, moment: Timestamp) -> usize {
    let ended = |interval: &Interval| interval.end <= moment;
    let rest = sorted.get(from..).unwrap_or_default();
    let mut reach = 1;
    while rest.get(reach - 1).is_some_and(ended) {
        reach *= 2;
    }
    let low = reach / 2;
    let high = reach.min(rest.len());
    from + low + rest[low..high].partition_point(ended)
}

/// Adds an interval that starts no earlier than the last one.
fn append(sorted: &mut Vec<Interval>, interval: Interval) {
    match sorted.last_mut() {
        Some(last) if interval.start <= last.end => last.end = last.end.max(interval.end),
        _ => sorted.push(interval),
    }
}

impl From<Vec<Interval>> for IntervalSet {
    /// Sorts in place and joins what overlaps or touches.
    fn from(mut intervals: Vec<Interval>) -> Self {
        intervals.sort_unstable_by_key(|interval| interval.start);
        intervals.dedup_by(|next, last| {
            let joins = next.start <= last.end;
            if joins {
                last.end = last.end.max(next.end);
            }
            joins
        });
        Self(intervals)
    }
}

impl From<Interval> for IntervalSet {
    fn from(interval: Interval) -> Self {
        Self(vec![interval])
    }
}

impl From<IntervalSet> for Vec<Interval> {
    fn from(set: IntervalSet) -> Self {
        set.0
    }
}

impl FromIterator<Interval> for IntervalSet {
    fn from_iter<I: IntoIterator<Item = Interval>>(intervals: I) -> Self {
        Self::from(Vec::from_iter(intervals))
    }
}

impl<'a> IntoIterator for &'a IntervalSet {
    type Item = &'a Interval;
    type IntoIter = std::slice::Iter<'a, Interval>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests;
