//! Drives a booking from wherever it stands until there is nothing left to do: pure.
//!
//! The booking says what comes next ([`Next`]); the driver knows whom to ask for it, one after the
//! other. It is a value: each [`Action`] is for the caller to carry out, and what came of it goes back
//! in. So one loop serves every flow on every runtime, and the whole protocol can be explored step by
//! step. A driver that is lost leaves nothing behind that the actors do not clear up.

use huddle_ports::Timestamp;

use crate::actor::{ActorName, Ask as _, Command, Reply};
use crate::availability::{Checked, Found, Proposal, Side};
use crate::booking::{
    Abort, Asked, Attempt, AwaitApproval, Booking, Commit, Held, Next, NextAttempt, NoMatch,
    NotFound, Participant, Phase, Place, Postpone, Refuse, Standing, Suspend,
};
use crate::host_match::{Candidate, Hold, HoldRefused, MayHold, Prepare, Role};
use crate::limits::{Limits, secs};

/// A booking on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driver {
    booking: Box<Booking>,
    step: Step,
    /// What was found and not tried yet, the best first; `None` before the search.
    proposals: Option<Vec<Proposal>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Asks whether the guest may hold anything more.
    Limit(Attempt),
    Search(Attempt),
    Hold {
        attempt: Attempt,
        /// How many participants hold already.
        holding: usize,
        /// What the first of them has picked.
        picked: Option<Proposal>,
        until: Timestamp,
    },
    Check(Attempt),
    Prepare {
        attempt: Attempt,
        /// How many participants have prepared already.
        prepared: usize,
    },
    /// Tells the booking what came of it.
    Report(Box<Command>),
    Done,
}

/// What to do for a driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Search slots for the booking.
    Search,
    /// Check that this is still free.
    Check(Place),
    /// Ask an actor.
    Ask(ActorName, Command),
    /// Nothing: the booking stands as [`Driver::booking`] says.
    Done,
}

/// What came of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Of [`Action::Search`].
    Found(Found),
    /// Of [`Action::Check`].
    Checked(Checked),
    /// Of [`Action::Ask`].
    Replied(Box<Reply>),
}

/// What came back does not belong to the action, or the booking has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer does not belong to what was asked")]
pub struct OutOfStep;

impl Driver {
    /// Drives on from an answer of the booking.
    pub fn new(standing: Standing) -> Self {
        let mut driver = Self {
            booking: standing.booking,
            step: Step::Done,
            proposals: None,
        };
        driver.follow(standing.next, Timestamp::MIN);
        driver
    }

    /// The booking as it was last heard of.
    pub fn booking(&self) -> &Booking {
        &self.booking
    }

    /// What is to be done now.
    pub fn action(&self) -> Action {
        match &self.step {
            Step::Limit(_) => self.ask_limit(),
            Step::Search(_) => Action::Search,
            Step::Hold { .. } => self.hold(),
            Step::Check(_) => match self.booking.confirming() {
                Some(place) => Action::Check(place.clone()),
                None => Action::Done,
            },
            Step::Prepare { attempt, prepared } => self.prepare(*attempt, *prepared),
            Step::Report(command) => Action::Ask(
                ActorName::booking(&self.booking.id),
                Command::clone(command),
            ),
            Step::Done => Action::Done,
        }
    }

    fn ask_limit(&self) -> Action {
        let Asked { host, guest, .. } = &self.booking.asked;
        let may_hold = MayHold {
            booking: self.booking.id.clone(),
            host: host.clone(),
        };
        Action::Ask(ActorName::host_match(guest), may_hold.into())
    }

    fn hold(&self) -> Action {
        let Step::Hold {
            attempt,
            holding,
            picked,
            until,
        } = &self.step
        else {
            return Action::Done;
        };
        let Participant {
            actor,
            role,
            counterpart,
        } = self.booking.participants()[*holding].clone();
        let candidates = match picked {
            Some(proposal) => vec![candidate(proposal, role)],
            None => self
                .proposals
                .iter()
                .flatten()
                .map(|proposal| candidate(proposal, role))
                .collect(),
        };
        let hold = Hold {
            booking: self.booking.id.clone(),
            attempt: *attempt,
            candidates,
            until: *until,
            role,
            counterpart,
            limited: role == Role::Guest && self.booking.is_request(),
        };
        Action::Ask(actor, hold.into())
    }

    fn prepare(&self, attempt: Attempt, prepared: usize) -> Action {
        let Some(place) = self.booking.confirming() else {
            return Action::Done;
        };
        let prepare = Prepare {
            booking: self.booking.id.clone(),
            attempt,
            slot: place.slot,
        };
        let [first, second] = self.booking.participants();
        let participant = if prepared == 0 { first } else { second };
        Action::Ask(participant.actor, prepare.into())
    }

    /// Takes what came of the action, at `now`.
    pub fn advance(
        &mut self,
        event: Event,
        now: Timestamp,
        limits: &Limits,
    ) -> Result<(), OutOfStep> {
        let until = now + secs(limits.hold_secs);
        match (self.step.clone(), event) {
            (Step::Limit(attempt), Event::Replied(reply)) => {
                self.step = match MayHold::answer(*reply).ok_or(OutOfStep)? {
                    None => Step::Search(attempt),
                    Some(retry_at) => report(Refuse {
                        attempt,
                        why: NoMatch::TooManyHolds { retry_at },
                        untried: true,
                    }),
                };
            }
            (Step::Search(attempt), Event::Found(found)) => self.found(attempt, found, until),
            (
                Step::Hold {
                    attempt,
                    holding,
                    picked,
                    until,
                },
                Event::Replied(reply),
            ) => self.held(attempt, holding, picked, until, *reply)?,
            (Step::Check(attempt), Event::Checked(checked)) => {
                self.step = match checked {
                    Checked::Free => Step::Prepare {
                        attempt,
                        prepared: 0,
                    },
                    Checked::Busy => report(Abort { attempt }),
                    Checked::Unreadable(side) => report(Suspend { attempt, side }),
                };
            }
            (Step::Prepare { attempt, prepared }, Event::Replied(reply)) => {
                self.step = match Prepare::answer(*reply).ok_or(OutOfStep)? {
                    Err(_) => report(Abort { attempt }),
                    Ok(()) if prepared + 1 == self.booking.participants().len() => {
                        report(Commit { attempt })
                    }
                    Ok(()) => Step::Prepare {
                        attempt,
                        prepared: prepared + 1,
                    },
                };
            }
            (Step::Report(_), Event::Replied(reply)) => {
                let standing = standing(*reply)
                    .ok_or(OutOfStep)?
                    .map_err(|NotFound| OutOfStep)?;
                self.booking = standing.booking;
                self.follow(standing.next, until);
            }
            _ => return Err(OutOfStep),
        }
        Ok(())
    }

    /// Whoever waits must have an answer now. What was found out is still told; a search for what the parties
    /// know of is put off, so that they see what it waits for, and all else is left as it is: the booking's
    /// timer has somebody go on.
    ///
    /// A request that nobody knows of stays so, because a search that was not answered has not said whether
    /// the guest may know that there is anything to wait for, or the host of the guest. Only the search does,
    /// by what it finds ([`Found::Delayed`]).
    pub fn put_off(&mut self) {
        let is_seen =
            matches!(self.booking.phase, Phase::Pending { .. }) && self.booking.is_known();
        self.step = match self.step {
            Step::Limit(attempt) | Step::Search(attempt) | Step::Hold { attempt, .. }
                if is_seen =>
            {
                let tried = matches!(self.step, Step::Hold { holding: 1.., .. });
                report(Postpone {
                    attempt,
                    untried: !tried,
                })
            }
            Step::Report(_) => return,
            _ => Step::Done,
        };
    }

    fn follow(&mut self, next: Next, until: Timestamp) {
        self.step = match next {
            Next::Rest => Step::Done,
            Next::Confirm(attempt) => Step::Check(attempt),
            Next::Seek(attempt) if self.proposals.is_some() => self.try_next(attempt, until),
            Next::Seek(attempt) if self.booking.is_request() => Step::Limit(attempt),
            Next::Seek(attempt) => Step::Search(attempt),
        };
    }

    fn found(&mut self, attempt: Attempt, found: Found, until: Timestamp) {
        self.step = match found {
            Found::Proposals(mut proposals) => {
                if let Phase::Confirmed { place, .. } = &self.booking.phase {
                    // A move is to another time.
                    proposals.retain(|proposal| proposal.place.slot != place.slot);
                }
                self.proposals = Some(proposals);
                self.try_next(attempt, until)
            }
            Found::NeedsApproval(terms) => report(AwaitApproval { attempt, terms }),
            Found::Unreadable(side) | Found::Delayed(side) if self.hides(side) => {
                self.proposals = Some(Vec::new());
                self.try_next(attempt, until)
            }
            Found::Unreadable(_) => report(Refuse {
                attempt,
                why: NoMatch::CalendarUnavailable,
                untried: true,
            }),
            Found::Delayed(_) => report(Postpone {
                attempt,
                untried: true,
            }),
        };
    }

    /// Whether the guest must not be told that it is this calendar. Once the host has said yes, or there is
    /// a meeting, they are no stranger.
    fn hides(&self, side: Side) -> bool {
        side == Side::Host { stranger: true } && self.booking.is_request()
    }

    fn try_next(&self, attempt: Attempt, until: Timestamp) -> Step {
        if self.proposals.as_ref().is_none_or(Vec::is_empty) {
            return report(Refuse {
                attempt,
                why: NoMatch::NoSlot,
                untried: true,
            });
        }
        Step::Hold {
            attempt,
            holding: 0,
            picked: None,
            until,
        }
    }

    fn held(
        &mut self,
        attempt: Attempt,
        holding: usize,
        picked: Option<Proposal>,
        until: Timestamp,
        reply: Reply,
    ) -> Result<(), OutOfStep> {
        let granted = match Hold::answer(reply).ok_or(OutOfStep)? {
            Ok(granted) => granted,
            Err(why) => {
                self.step = self.refused(attempt, picked.as_ref(), why);
                return Ok(());
            }
        };
        let proposals = self.proposals.iter().flatten();
        let picked = match picked {
            Some(proposal) => proposal,
            None => proposals
                .into_iter()
                .find(|proposal| proposal.place.slot == granted.slot)
                .ok_or(OutOfStep)?
                .clone(),
        };
        let until = until.min(granted.until);
        self.step = if holding + 1 == self.booking.participants().len() {
            report(Held {
                attempt,
                place: picked.place,
                until,
            })
        } else {
            Step::Hold {
                attempt,
                holding: holding + 1,
                picked: Some(picked),
                until,
            }
        };
        Ok(())
    }

    fn refused(&mut self, attempt: Attempt, picked: Option<&Proposal>, why: HoldRefused) -> Step {
        match (why, picked) {
            // The guest's limit was asked first. Should it have been reached since, to say so would tell
            // that the host has time.
            (HoldRefused::TooManyHolds { .. }, _) | (HoldRefused::NoneFree, None) => {
                report(Refuse {
                    attempt,
                    why: NoMatch::NoSlot,
                    untried: false,
                })
            }
            (HoldRefused::NoneFree, Some(picked)) => {
                if let Some(proposals) = &mut self.proposals {
                    proposals.retain(|other| other.place.slot != picked.place.slot);
                }
                report(NextAttempt {
                    attempt,
                    above: attempt,
                })
            }
            (HoldRefused::Over { highest }, _) => report(NextAttempt {
                attempt,
                above: highest,
            }),
        }
    }
}

fn report(command: impl Into<Command>) -> Step {
    Step::Report(Box::new(command.into()))
}

fn candidate(proposal: &Proposal, role: Role) -> Candidate {
    Candidate {
        slot: proposal.place.slot,
        margins: match role {
            Role::Host => proposal.host.clone(),
            Role::Guest => proposal.guest.clone(),
        },
    }
}

/// The answer to any of a driver's reports.
fn standing(reply: Reply) -> Option<Result<Standing, NotFound>> {
    use crate::booking::Reply as Of;

    let Reply::Booking(reply) = reply else {
        return None;
    };
    match reply {
        Of::NextAttempt(answer)
        | Of::AwaitApproval(answer)
        | Of::Postpone(answer)
        | Of::Refuse(answer)
        | Of::Held(answer)
        | Of::Suspend(answer)
        | Of::Commit(answer)
        | Of::Abort(answer) => Some(answer),
        _ => None,
    }
}
