//! How long to wait before something is tried again.

use std::time::Duration;

/// The first wait is at most this long, and each one after it at most twice as long as the one before.
const FIRST: Duration = Duration::from_secs(1);
/// No wait is longer.
pub(super) const LONGEST: Duration = Duration::from_secs(30);

/// Random waits, the same ones for the same seed.
///
/// The whole of a wait is random ("full jitter"), so that consumers that lost their connections at one moment do not
/// come back at one moment. It keeps nothing secret, so the generator is a plain one (`SplitMix64`).
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    state: u64,
}

impl Backoff {
    pub(super) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The wait after so many failures in a row, of which there is at least one.
    pub(super) fn after(&mut self, failures: u32) -> Duration {
        self.growing(failures, FIRST, LONGEST)
    }

    /// The wait of this time, of which there is at least a first: at most `first`, and twice as long with each time
    /// after it, but no longer than `longest`.
    pub(super) fn growing(&mut self, times: u32, first: Duration, longest: Duration) -> Duration {
        let doublings = times.saturating_sub(1).min(16);
        let ceiling = first.saturating_mul(1 << doublings).min(longest);
        let millis = u64::try_from(ceiling.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.next() % millis.saturating_add(1).max(1))
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(failures: u32, ceiling_secs: u64) {
        let mut backoff = Backoff::new(7);
        let waits: Vec<_> = (0..1000).map(|_| backoff.after(failures)).collect();
        let ceiling = Duration::from_secs(ceiling_secs);
        let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!(*most <= ceiling && *most > ceiling * 9 / 10, "{most:?}");
        assert!(*least < ceiling / 10, "{least:?}");
    }

    #[test]
    fn waits_are_anywhere_up_to_a_ceiling_that_doubles_from_one_second_to_thirty() {
        for (failures, ceiling_secs) in [(1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (u32::MAX, 30)] {
            check(failures, ceiling_secs);
        }
    }

    #[test]
    fn other_seeds_wait_for_other_times() {
        assert_ne!(Backoff::new(1).after(9), Backoff::new(2).after(9));
    }
}
