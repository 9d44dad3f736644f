//! The time, as something that is asked for and never taken.

use std::ops::{Add, Sub};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present moment. It may step backwards when the machine's clock is set: what must not
    /// run backwards keeps the latest moment that it has seen.
    fn now(&self) -> Timestamp;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

impl<C: Clock + ?Sized> Clock for &C {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// A moment: whole milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// Milliseconds, because both runtimes can tell and store them exactly: a JavaScript number is
/// exact up to 2⁵³. `+` and `-` stop at the ends of the range, some 292 million years away, so a
/// claimed lifetime of any size is harmless; use the `checked_` forms to tell.
///
/// ```
/// use std::time::Duration;
/// use huddle_ports::Timestamp;
///
/// let noon = Timestamp::from_millis(1_767_268_800_000);
/// let later = noon + Duration::from_secs(90);
/// assert_eq!(later.as_secs() - noon.as_secs(), 90);
/// assert_eq!(later.since(noon), Duration::from_secs(90));
/// assert_eq!(noon.since(later), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(0);
    /// The earliest moment that can be told.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest moment that can be told.
    pub const MAX: Self = Self(i64::MAX);

    /// The moment `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The moment `secs` seconds after the epoch, or `None` where milliseconds cannot count that
    /// far.
    pub const fn from_secs(secs: i64) -> Option<Self> {
        match secs.checked_mul(1000) {
            Some(millis) => Some(Self(millis)),
            None => None,
        }
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded towards the past.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The moment `duration` later, its fraction of a millisecond left out; `None` past the end of
    /// the range.
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let millis = i64::try_from(duration.as_millis()).ok()?;
        self.0.checked_add(millis).map(Self)
    }

    /// The moment `duration` earlier, its fraction of a millisecond left out; `None` before the
    /// start of the range.
    pub fn checked_sub(self, duration: Duration) -> Option<Self> {
        let millis = i64::try_from(duration.as_millis()).ok()?;
        self.0.checked_sub(millis).map(Self)
    }

    /// How long ago `earlier` was, and nothing if it is still to come.
    pub fn since(self, earlier: Self) -> Duration {
        if self <= earlier {
            Duration::ZERO
        } else {
            Duration::from_millis(self.0.abs_diff(earlier.0))
        }
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        self.checked_add(duration).unwrap_or(Self::MAX)
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        self.checked_sub(duration).unwrap_or(Self::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_towards_the_past_on_both_sides_of_the_epoch() {
        assert_eq!(Timestamp::from_millis(1999).as_secs(), 1);
        assert_eq!(Timestamp::from_millis(-1).as_secs(), -1);
        assert_eq!(Timestamp::from_millis(-1000).as_secs(), -1);
        assert_eq!(Timestamp::from_millis(-1001).as_secs(), -2);
    }

    #[test]
    fn arithmetic_stops_at_the_ends_and_the_checked_forms_tell() {
        let day = Duration::from_hours(24);
        assert_eq!(Timestamp::MAX.checked_add(day), None);
        assert_eq!(Timestamp::MIN.checked_sub(day), None);
        assert_eq!(Timestamp::UNIX_EPOCH.checked_add(Duration::MAX), None);
        assert_eq!(Timestamp::MAX + day, Timestamp::MAX);
        assert_eq!(Timestamp::MIN - day, Timestamp::MIN);
        assert_eq!(Timestamp::UNIX_EPOCH + Duration::MAX, Timestamp::MAX);
        assert_eq!(Timestamp::from_secs(i64::MAX), None);
        assert_eq!(
            Timestamp::from_secs(-3),
            Some(Timestamp::from_millis(-3000))
        );
    }

    #[test]
    fn the_whole_range_can_be_measured() {
        assert_eq!(
            Timestamp::MAX.since(Timestamp::MIN),
            Duration::from_millis(u64::MAX)
        );
        assert_eq!(Timestamp::MIN.since(Timestamp::MAX), Duration::ZERO);
    }

    #[test]
    fn a_timestamp_is_a_bare_number_in_json() {
        let json = serde_json::to_string(&Timestamp::from_millis(-5)).unwrap();
        assert_eq!(json, "-5");
        assert_eq!(
            serde_json::from_str::<Timestamp>("17").unwrap(),
            Timestamp::from_millis(17)
        );
    }
}
