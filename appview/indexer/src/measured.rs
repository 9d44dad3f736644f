//! What an operator is told of a stream, and of whether what is held is what was published: the same on every runtime.

use std::fmt;
use std::sync::Arc;

use huddle_firehose::ingest::{LostTrack, Notice, Pace, RepositoryError};
use huddle_ports::metrics::{
    DRIFT_CHECKED_SECONDS, DRIFT_CHECKS, INGEST_EVENTS, INGEST_LAG_SECONDS, Metrics, SYNC_FAILURES,
};
use huddle_ports::{Clock, Timestamp};

use crate::{Drift, TakenOver};

/// Tells metrics what comes of a stream, and of looking for what it has not told.
#[derive(Clone)]
pub struct Measured {
    metrics: Arc<dyn Metrics>,
    clock: Arc<dyn Clock>,
}

impl Measured {
    /// Tells these.
    pub fn new(metrics: Arc<dyn Metrics>, clock: Arc<dyn Clock>) -> Self {
        Self { metrics, clock }
    }

    /// An event was taken over.
    pub fn taken_over(&self, taken: &TakenOver) {
        self.metrics.count(&INGEST_EVENTS, &[taken.kind]);
        for _ in &taken.left_out {
            self.metrics.count(&INGEST_EVENTS, &["left out"]);
        }
        if let Some(why) = taken.lost {
            self.metrics.count(&SYNC_FAILURES, &[reason(why)]);
        }
    }

    /// The driver of the stream has something to say.
    pub fn notice(&self, notice: &Notice) {
        if let Notice::BadFrame { .. } | Notice::Rejected { .. } | Notice::NoKey { .. } = notice {
            self.metrics.count(&INGEST_EVENTS, &["rejected"]);
        }
    }

    /// The stream goes like this.
    pub fn pace(&self, pace: Pace) {
        if let Some(behind) = pace.behind {
            let behind = behind.as_secs_f64();
            self.metrics.record(&INGEST_LAG_SECONDS, &[], behind);
        }
    }

    /// Accounts were compared with what they have published.
    pub fn compared(&self, drift: Drift) {
        for (outcome, count) in [
            ("same", drift.same),
            ("different", drift.different),
            ("untold", drift.untold),
        ] {
            let count = f64::from(count);
            self.metrics.record(&DRIFT_CHECKS, &[outcome], count);
        }
        let now = self.clock.now().since(Timestamp::UNIX_EPOCH);
        let now = now.as_secs_f64();
        self.metrics.record(&DRIFT_CHECKED_SECONDS, &[], now);
    }
}

/// One word for why a repository could not be had.
fn reason(why: LostTrack) -> &'static str {
    match why {
        LostTrack::Identity => "identity",
        LostTrack::Unavailable => "unavailable",
        LostTrack::TooLarge(_) | LostTrack::Refused(RepositoryError::TooLarge(_)) => "too large",
        LostTrack::Postponed => "postponed",
        LostTrack::Refused(_) => "refused",
    }
}

impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Measured").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use huddle_firehose::CommitError;

    use super::*;

    #[test]
    fn a_repository_that_is_too_large_is_counted_as_that() {
        for (why, expect) in [
            (LostTrack::Unavailable, "unavailable"),
            (LostTrack::TooLarge(1), "too large"),
            (
                LostTrack::Refused(RepositoryError::TooLarge(1)),
                "too large",
            ),
            (LostTrack::Refused(RepositoryError::Outdated), "refused"),
            (LostTrack::Refused(CommitError::Signature.into()), "refused"),
        ] {
            assert_eq!(reason(why), expect, "{why}");
        }
    }
}
