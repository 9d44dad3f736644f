//! Commands of whoever drives a booking. Each names the attempt that it is about, and does nothing
//! once another one has taken its place.

use super::{Booking, By, Decision, EventKind, Expiry, NoMatch, Phase, Stage, Waiting};
use crate::actor::ActorName;
use crate::availability::Side;
use crate::booking::Attempt;
use crate::booking::commands::{
    Abort, AwaitApproval, Commit, Held, NextAttempt, Postpone, Refuse, Resume, Suspend,
};
use crate::host_match::Ending;

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

    pub(crate) fn next_attempt(&mut self, decision: &mut Decision<'_>, report: NextAttempt) {
        let NextAttempt {
            attempt,
            above,
            days,
        } = report;
        if !self.seeks(attempt) {
            return;
        }
        self.leave_days(decision, attempt, days);
        if self.tried >= decision.limits.attempts_per_match {
            return self.find_nothing(decision, NoMatch::NoSlot);
        }
        self.tried += 1;
        self.attempt = self.attempt.max(above).next();
        self.seek(decision);
    }

    pub(crate) fn await_approval(&mut self, decision: &mut Decision<'_>, report: AwaitApproval) {
        let AwaitApproval { attempt, terms } = report;
        if !self.seeks(attempt) {
            return;
        }
        if !matches!(self.phase, Phase::Pending { .. }) {
            // A meeting that stands is not put up for approval once more.
            self.note_untried(attempt);
            return self.find_nothing(decision, NoMatch::NoSlot);
        }
        self.terms = Some(terms);
        self.wait_for_approval(decision);
    }

    pub(crate) fn postpone(&mut self, decision: &mut Decision<'_>, report: Postpone) {
        let Postpone {
            attempt,
            untried,
            days,
        } = report;
        if !self.seeks(attempt) {
            return;
        }
        self.leave_days(decision, attempt, days);
        if untried {
            self.note_untried(attempt);
        }
        decision.retryable = true;
        if matches!(self.phase, Phase::Pending { .. }) {
            self.search_later(decision);
        } else {
            self.unmatched = Some(NoMatch::CalendarUnavailable);
            self.drop_change(decision);
        }
    }

    /// Lets go of what is held, and waits until the lease is over to search anew.
    fn search_later(&mut self, decision: &mut Decision<'_>) {
        if let Phase::Pending { waiting, .. } = &mut self.phase {
            *waiting = Waiting::Calendar;
        }
        self.lease = Some(decision.lease());
        self.known = true;
        self.let_go(decision, Ending::Released);
        self.touch(decision);
    }

    /// Has days let go of what they may hold for an attempt that came to nothing. Whoever keeps a person hears
    /// of the next attempt, or of the end; a day may have no part in either.
    fn leave_days(&self, decision: &mut Decision<'_>, attempt: Attempt, days: Vec<ActorName>) {
        for day in days {
            self.tell(decision, day, attempt, Ending::Released);
        }
    }

    pub(crate) fn refuse(&mut self, decision: &mut Decision<'_>, report: Refuse) {
        let Refuse {
            attempt,
            why,
            untried,
            days,
        } = report;
        if !self.seeks(attempt) {
            return;
        }
        self.leave_days(decision, attempt, days);
        if untried {
            self.note_untried(attempt);
        }
        self.find_nothing(decision, why);
    }

    /// The search comes to nothing. What the parties know of ends, or waits on, where they see it.
    pub(super) fn find_nothing(&mut self, decision: &mut Decision<'_>, why: NoMatch) {
        self.unmatched = Some(why);
        decision.retryable = why.is_retryable();
        match self.phase {
            Phase::Pending { .. } if self.approved => {
                // The host may make room and say yes again.
                self.let_go(decision, Ending::Released);
                self.wait_for_approval(decision);
            }
            Phase::Pending { .. } if self.known && why.is_retryable() => {
                self.search_later(decision);
            }
            Phase::Pending { .. } if self.known => {
                self.end(decision, Phase::Expired(Expiry::NoMatch), Ending::Released);
                self.record(decision, EventKind::Expired, By::Service, None);
            }
            Phase::Pending { .. } => {
                self.end(decision, Phase::Unmatched, Ending::Released);
                self.touch(decision);
            }
            _ => self.drop_change(decision),
        }
    }

    pub(crate) fn held(&mut self, decision: &mut Decision<'_>, report: Held) {
        let Held {
            attempt,
            place,
            until,
            days,
        } = report;
        if !self.seeks(attempt) {
            // The same word once more: the driver goes on where it was.
            if self.confirms(attempt) {
                self.confirm(decision);
            }
            return;
        }
        let agreed = self.is_agreed();
        self.known = true;
        self.days.extend(days.into_iter().map(|day| (attempt, day)));
        self.terms = Some(place.terms.clone());
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
                self.phase = Phase::Held {
                    place,
                    until,
                    accepted: false,
                };
                self.lease = None;
                self.tick(decision);
            }
        }
    }

    /// Whether the slot of this attempt is being confirmed.
    fn confirms(&self, attempt: Attempt) -> bool {
        attempt == self.attempt && self.confirming().is_some()
    }

    pub(crate) fn suspend(&mut self, decision: &mut Decision<'_>, report: Suspend) {
        let Suspend { attempt, side } = report;
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
                self.phase = Phase::Held {
                    place,
                    until,
                    // A guest whose own calendar is in the way could hold the slot for ever.
                    accepted: matches!(side, Side::Host { .. }),
                };
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

    pub(crate) fn commit(&mut self, decision: &mut Decision<'_>, Commit { attempt }: Commit) {
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

    pub(crate) fn abort(&mut self, decision: &mut Decision<'_>, Abort { attempt }: Abort) {
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

    pub(crate) fn resume(&mut self, decision: &mut Decision<'_>, _: Resume) {
        self.take_over(decision);
    }

    /// Goes on with what a driver has left behind. A search begins anew, so that the old driver's
    /// word, should it still come, is of a lower attempt.
    pub(crate) fn take_over(&mut self, decision: &mut Decision<'_>) {
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
