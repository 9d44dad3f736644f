//! Commands of the two people whose booking it is.

use super::{
    Booking, By, Change, Constraints, Decision, EventKind, NoMatch, Phase, Stage, Waiting,
};
use crate::booking::commands::{
    ApproveRefused, DeclineRefused, FinalizeRefused, RescheduleRefused,
};
use crate::host_match::{Ending, Role};

impl From<Role> for By {
    fn from(role: Role) -> Self {
        match role {
            Role::Host => Self::Host,
            Role::Guest => Self::Guest,
        }
    }
}

impl Booking {
    /// The request that began this booking came again.
    pub(crate) fn create_again(&mut self, decision: &mut Decision<'_>) {
        let retry =
            self.phase == Phase::Unmatched && self.unmatched.is_some_and(NoMatch::is_retryable);
        if retry {
            self.wait_for_search(decision);
            self.seek_anew(decision);
            self.touch(decision);
        } else {
            self.take_over(decision);
        }
    }

    pub(crate) fn finalize(
        &mut self,
        decision: &mut Decision<'_>,
        by: Role,
    ) -> Result<(), FinalizeRefused> {
        match &self.phase {
            Phase::Pending { .. } => return Err(FinalizeRefused::NotHeld),
            Phase::Held { .. } if by == Role::Host => return Err(FinalizeRefused::NotAccepted),
            Phase::Held { place, until, .. } => {
                let (place, until) = (place.clone(), *until);
                self.phase = Phase::Finalizing { place, until };
                self.confirm(decision);
                self.touch(decision);
            }
            // It has a driver: another is wanted only if that has not come back.
            Phase::Finalizing { .. } => self.take_over(decision),
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn approve(
        &mut self,
        decision: &mut Decision<'_>,
        by: Role,
    ) -> Result<(), ApproveRefused> {
        if by != Role::Host {
            return Err(ApproveRefused::NotHost);
        }
        match &self.phase {
            Phase::Pending {
                waiting: Waiting::Approval,
                ..
            } => {
                self.approved = true;
                self.record(decision, EventKind::Approved, By::Host, None);
                self.wait_for_search(decision);
                self.seek_anew(decision);
                Ok(())
            }
            Phase::Pending { .. } | Phase::Held { .. } if !self.approved => {
                Err(ApproveRefused::NotAwaitingApproval)
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn decline(
        &mut self,
        decision: &mut Decision<'_>,
        by: Role,
        reason: Option<String>,
    ) -> Result<(), DeclineRefused> {
        if by != Role::Host {
            return Err(DeclineRefused::NotHost);
        }
        match &self.phase {
            Phase::Pending { .. } | Phase::Held { .. } => {
                self.end(decision, Phase::Declined, Ending::Released);
                self.reason = reason;
                self.record(decision, EventKind::Declined, By::Host, None);
                Ok(())
            }
            Phase::Finalizing { .. } => Err(DeclineRefused::InProgress),
            Phase::Confirmed { .. } => Err(DeclineRefused::AlreadyConfirmed),
            Phase::Unmatched | Phase::Declined | Phase::Canceled { .. } | Phase::Expired(_) => {
                Ok(())
            }
        }
    }

    pub(crate) fn cancel(&mut self, decision: &mut Decision<'_>, by: Role, reason: Option<String>) {
        let (place, ending) = match &self.phase {
            // As if it had run out: whoever has accepted has let nothing lapse.
            Phase::Held {
                accepted: false, ..
            }
            | Phase::Finalizing { .. }
                if by == Role::Guest =>
            {
                (None, Ending::Lapsed)
            }
            Phase::Pending { .. } | Phase::Held { .. } | Phase::Finalizing { .. } => {
                (None, Ending::Released)
            }
            Phase::Confirmed { attempt, place, .. } => {
                let (attempt, place) = (*attempt, place.clone());
                let ending = match by {
                    Role::Guest => Ending::CalledOff,
                    Role::Host => Ending::Released,
                };
                self.sequence = self.sequence.saturating_add(1);
                if attempt == self.attempt {
                    (Some(place), ending)
                } else {
                    self.finish(decision, attempt, ending);
                    (Some(place), Ending::Released)
                }
            }
            Phase::Unmatched | Phase::Declined | Phase::Canceled { .. } | Phase::Expired(_) => {
                return;
            }
        };
        self.end(decision, Phase::Canceled { place }, ending);
        self.reason = reason;
        self.record(decision, EventKind::Canceled, by.into(), None);
    }

    pub(crate) fn reschedule(
        &mut self,
        decision: &mut Decision<'_>,
        by: Role,
        constraints: Constraints,
        reason: Option<String>,
    ) -> Result<(), RescheduleRefused> {
        let waits = self.waits_to_move(decision, by.into());
        let chosen = constraints.chosen.as_ref();
        let is_too_late = chosen.is_some_and(|chosen| chosen.expires <= decision.now);
        match &mut self.phase {
            Phase::Pending { .. } | Phase::Held { .. } => Err(RescheduleRefused::NotConfirmed),
            Phase::Finalizing { .. }
            | Phase::Confirmed {
                change: Some(_), ..
            } => Err(RescheduleRefused::InProgress),
            Phase::Confirmed { .. } if is_too_late => Err(RescheduleRefused::ChosenTooLate),
            Phase::Confirmed { .. } if waits.is_some() => {
                self.unmatched = waits;
                decision.retryable = true;
                Ok(())
            }
            Phase::Confirmed { change, .. } => {
                *change = Some(Change {
                    stage: Stage::Seeking,
                    by: by.into(),
                    constraints,
                    reason,
                });
                self.unmatched = None;
                self.seek_anew(decision);
                self.touch(decision);
                Ok(())
            }
            Phase::Unmatched | Phase::Declined | Phase::Canceled { .. } | Phase::Expired(_) => {
                Ok(())
            }
        }
    }

    /// Why a side cannot move it now that has tried in vain before.
    fn waits_to_move(&self, decision: &Decision<'_>, by: By) -> Option<NoMatch> {
        let retry_at = self.vain_moves_of(by)?.cooled_down_at(decision.limits);
        (decision.now < retry_at).then_some(NoMatch::TooManyHolds { retry_at })
    }
}
