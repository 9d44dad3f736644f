//! Things that came to nothing and that somebody waits after, each time longer.

use std::time::Duration;

use huddle_ports::Timestamp;
use serde::{Deserialize, Serialize};

use crate::limits::{Limits, secs};

/// How often something came to nothing of late. It is of late until it has not happened for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) count: u32,
    pub(crate) latest: Timestamp,
}

impl Tally {
    /// The tally after it has happened now.
    pub(crate) fn one_more(before: Option<Self>, now: Timestamp, limits: &Limits) -> Self {
        let recent = before.filter(|it| now < it.latest + secs(limits.cooldown_reset_secs));
        Self {
            count: recent.map_or(1, |it| it.count.saturating_add(1)),
            latest: now,
        }
    }

    /// Until when somebody waits.
    pub(crate) fn cooled_down_at(self, limits: &Limits) -> Timestamp {
        let wait = match self.count {
            0 => Duration::ZERO,
            1 => secs(limits.cooldown_first_secs),
            2 => secs(limits.cooldown_second_secs),
            _ => secs(limits.cooldown_further_secs),
        };
        self.latest + wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_waits_longer_each_time_until_nothing_has_happened_for_a_day() {
        let limits = Limits::default();
        let mut now = Timestamp::from_millis(0);
        let mut tally = None;
        for (later, wait) in [(0, 60), (60, 300), (300, 1800), (1800, 1800), (86_400, 60)] {
            now = now + Duration::from_secs(later);
            let one_more = Tally::one_more(tally, now, &limits);
            let waits = one_more.cooled_down_at(&limits).since(now);
            assert_eq!(waits, Duration::from_secs(wait), "{later} s later");
            tally = Some(one_more);
        }
    }
}
