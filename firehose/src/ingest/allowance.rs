//! How often repositories are fetched at most: of all hosts, and of each.

use std::collections::BTreeMap;
use std::time::Duration;

/// So many at once, and one more each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How many at once.
    pub burst: u32,
    /// After which time there may be another one.
    pub every: Duration,
}

/// Counts what an [`Allowance`] has been used for.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// When it would be full again, if nothing more were taken from it.
    full_at: Duration,
}

impl Bucket {
    /// When one can be taken.
    fn ready_at(self, allowance: Allowance) -> Duration {
        let others = allowance.burst.saturating_sub(1);
        self.full_at
            .saturating_sub(allowance.every.saturating_mul(others))
    }

    fn take(&mut self, allowance: Allowance, now: Duration) {
        self.full_at = self.full_at.max(now).saturating_add(allowance.every);
    }
}

/// What is left of the allowances of repositories.
#[derive(Debug)]
pub(super) struct Fetches {
    allowance: Allowance,
    of_one_host: Allowance,
    all: Bucket,
    /// Those of hosts that are not full. They are as few as can be fetched from while one fills up.
    hosts: BTreeMap<Box<str>, Bucket>,
}

impl Fetches {
    pub(super) const fn new(allowance: Allowance, of_one_host: Allowance) -> Self {
        Self {
            allowance,
            of_one_host,
            all: Bucket {
                full_at: Duration::ZERO,
            },
            hosts: BTreeMap::new(),
        }
    }

    /// When a repository of a host may be fetched; in the past if it may be now.
    pub(super) fn ready_at(&self, host: Option<&str>) -> Duration {
        let bucket = host.and_then(|host| self.hosts.get(host));
        let of_host = bucket.map_or(Duration::ZERO, |bucket| bucket.ready_at(self.of_one_host));
        of_host.max(self.all.ready_at(self.allowance))
    }

    /// Takes leave to fetch a repository of a host. `false` if it has to wait.
    pub(super) fn take(&mut self, host: Option<&str>, now: Duration) -> bool {
        if self.ready_at(host) > now {
            return false;
        }
        self.all.take(self.allowance, now);
        if let Some(host) = host {
            self.hosts.retain(|_, bucket| bucket.full_at > now);
            let bucket = self
                .hosts
                .entry(host.into())
                .or_insert(Bucket { full_at: now });
            bucket.take(self.of_one_host, now);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const START: Duration = Duration::from_hours(500_000);

    fn fetches() -> Fetches {
        let every = |burst, every| Allowance { burst, every };
        Fetches::new(every(4, SECOND / 2), every(2, SECOND))
    }

    fn taken(fetches: &mut Fetches, host: &str, now: Duration) -> usize {
        (0..10).filter(|_| fetches.take(Some(host), now)).count()
    }

    #[test]
    fn a_host_has_its_burst_and_then_one_at_a_time() {
        let mut fetches = fetches();
        assert_eq!(taken(&mut fetches, "a", START), 2);
        assert_eq!(fetches.ready_at(Some("a")), START + SECOND);
        assert_eq!(taken(&mut fetches, "a", START + SECOND), 1);
        assert_eq!(taken(&mut fetches, "a", START + SECOND * 100), 2);
    }

    #[test]
    fn all_hosts_together_have_no_more_than_they_may() {
        let mut fetches = fetches();
        let hosts = ["a", "b", "c"];
        let all: usize = hosts
            .map(|host| taken(&mut fetches, host, START))
            .iter()
            .sum();
        assert_eq!(all, 4);
        assert!(!fetches.take(None, START));
        assert!(fetches.take(None, START + SECOND / 2));
    }

    #[test]
    fn hosts_that_have_all_of_their_allowance_are_forgotten() {
        let mut fetches = fetches();
        for second in 0..100 {
            let host = format!("host{second}");
            assert!(fetches.take(Some(&host), START + SECOND * second));
            assert!(fetches.hosts.len() <= 2, "{:?}", fetches.hosts);
        }
    }
}
