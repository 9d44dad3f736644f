//! Commands of whoever drives a booking. Each names the attempt that it is about, and does nothing
//! once another one has taken its place.

use huddle_ports::Timestamp;

use super::{
    Booking, By, Decision, EventKind, Expiry, NoMatch, Phase, Place, Stage, Terms, Waiting,
};
use crate::booking::Attempt;
use crate::host_match::Ending;
use crate::limits::secs;

impl Booking {
    /// Whether a slot is being searched for, for this attempt.
    fn seeks(&self, attempt: Attempt) -> bool {
        attempt == self.attempt
            && match &self.phase {
                Phase::Pending { waiting, .. } => *waiting == Waiting::Search,
                Phase::Confirmed {
                    change: Some(change),
                    ..
                } => change.stage == Stage::Seeking,
                _ => false,
            }
    }

    pub(crate) fn next_attempt(
        &mut self,
        decision: &mut Decision<'_>,
        attempt: Attempt,
        above: Attempt,
    ) {
        if !self.seeks(attempt) {
            return;
        }
        if self.tried >= decision.limits.attempts_per_match {
            return self.refuse(decision, attempt, NoMatch::NoSlot);
        }
        self.tried += 1;
        self.attempt = self.attempt.max(above).next();
        self.seek(decision);
    }

    pub(crate) fn await_approval(
        &mut self,
        decision: &mut Decision<'_>,
        attempt: Attempt,
        terms: Terms,
    ) {
        if !self.seeks(attempt) {
            return;
        }
        if !matches!(self.phase, Phase::Pending { .. }) {
            // A meeting that stands is not put up for approval once more.
            return self.refuse(decision, attempt, NoMatch::NoSlot);
        }
        self.phase = Phase::Pending {
            waiting: Waiting::Approval,
            until: decision.now + secs(decision.limits.approval_secs),
            terms: Some(terms),
        };
        self.lease = None;
        self.touch(decision);
    }

    pub(crate) fn postpone(&mut self, decision: &mut Decision<'_>, attempt: Attempt) {
        if !self.seeks(attempt) {
            return;
        }
        decision.retryable = true;
        if let Phase::Pending { waiting, .. } = &mut self.phase {
            *waiting = Waiting::Calendar;
            self.lease = Some(decision.lease());
            self.finish(decision, attempt, Ending::Released);
            self.touch(decision);
        } else {
            self.unmatched = Some(NoMatch::CalendarUnavailable);
            self.drop_change(decision);
        }
    }

    pub(crate) fn refuse(&mut self, decision: &mut Decision<'_>, attempt: Attempt, why: NoMatch) {
        if !self.seeks(attempt) {
            return;
        }
        self.unmatched = Some(why);
        decision.retryable = why.is_retryable();
        if let Phase::Pending { .. } = self.phase {
            self.end(decision, Phase::Unmatched, Ending::Released);
            self.touch(decision);
        } else {
            self.drop_change(decision);
        }
    }

    pub(crate) fn held(
        &mut self,
        decision: &mut Decision<'_>,
        attempt: Attempt,
        place: Place,
        until: Timestamp,
    ) {
        if !self.seeks(attempt) {
            // The same word once more: the driver goes on where it was.
            if self.confirms(attempt) {
                self.confirm(decision);
            }
            return;
        }
        let agreed = self.is_agreed();
        match &mut self.phase {
            Phase::Confirmed {
                change: Some(change),
                ..
            } => {
                change.stage = Stage::Finalizing(place);
                self.confirm(decision);
                self.touch(decision);
            }
            _ if agreed => {
                self.phase = Phase::Finalizing { place, until };
                self.confirm(decision);
                self.touch(decision);
            }
            _ => {
                self.record(decision, EventKind::Held, By::Service, Some(&place));
                self.phase = Phase::Held { place, until };
                self.lease = None;
                self.tick(decision);
            }
        }
    }

    /// Whether the slot of this attempt is being confirmed.
    fn confirms(&self, attempt: Attempt) -> bool {
        attempt == self.attempt && self.confirming().is_some()
    }

    pub(crate) fn suspend(&mut self, decision: &mut Decision<'_>, attempt: Attempt) {
        if !self.confirms(attempt) {
            return;
        }
        decision.retryable = true;
        let agreed = self.is_agreed();
        match &mut self.phase {
            // Nobody will ask again: it is tried as long as the slot is held.
            Phase::Finalizing { until, .. } if agreed && decision.now < *until => {
                self.lease = Some(decision.lease());
            }
            Phase::Finalizing { place, until } => {
                let (place, until) = (place.clone(), *until);
                self.phase = Phase::Held { place, until };
                self.lease = None;
                self.touch(decision);
                self.tick(decision);
            }
            _ => {
                self.unmatched = Some(NoMatch::CalendarUnavailable);
                self.drop_change(decision);
            }
        }
    }

    pub(crate) fn commit(&mut self, decision: &mut Decision<'_>, attempt: Attempt) {
        let Some(place) = self
            .confirming()
            .filter(|_| attempt == self.attempt)
            .cloned()
        else {
            return;
        };
        let moved = match &self.phase {
            Phase::Confirmed {
                attempt: old,
                change: Some(change),
                ..
            } => Some((*old, change.by, change.reason.clone())),
            _ => None,
        };
        self.finish(decision, attempt, Ending::Confirmed);
        match moved {
            Some((old, by, reason)) => {
                self.finish(decision, old, Ending::Released);
                self.sequence = self.sequence.saturating_add(1);
                self.reason = reason;
                self.record(decision, EventKind::Rescheduled, by, Some(&place));
            }
            None => self.record(decision, EventKind::Confirmed, By::Service, Some(&place)),
        }
        self.phase = Phase::Confirmed {
            attempt,
            place,
            change: None,
        };
        self.lease = None;
    }

    pub(crate) fn abort(&mut self, decision: &mut Decision<'_>, attempt: Attempt) {
        if !self.confirms(attempt) {
            return;
        }
        if let Phase::Finalizing { until, .. } = self.phase {
            let why = if until <= decision.now {
                Expiry::Hold
            } else {
                Expiry::SlotTaken
            };
            self.end(decision, Phase::Expired(why), Ending::Released);
            self.record(decision, EventKind::Expired, By::Service, None);
        } else {
            self.unmatched = Some(NoMatch::SlotTaken);
            self.drop_change(decision);
        }
    }

    /// Goes on with what a driver has left behind. A search begins anew, so that the old driver's
    /// word, should it still come, is of a lower attempt.
    pub(crate) fn resume(&mut self, decision: &mut Decision<'_>) {
        if self.lease.is_none_or(|lease| decision.now < lease) {
            return;
        }
        if self.confirming().is_some() {
            return self.confirm(decision);
        }
        if let Phase::Pending { waiting, .. } = &mut self.phase {
            *waiting = Waiting::Search;
        }
        self.seek_anew(decision);
    }
}
