//! Drives a booking from wherever it stands until there is nothing left to do: pure.
//!
//! The booking says what comes next ([`Next`]); the driver knows whom to ask for it, one after the
//! other. It is a value: each [`Action`] is for the caller to carry out, and what came of it goes back
//! in. So one loop serves every flow on every runtime, and the whole protocol can be explored step by
//! step. A driver that is lost leaves nothing behind that the actors do not clear up.

use huddle_ports::Timestamp;

use crate::actor::{ActorName, Ask as _, Command, Reply};
use crate::availability::{Checked, Found, Proposal, Search, Side};
use crate::booking::{
    Abort, Asked, Attempt, AwaitApproval, Booking, Commit, Held, Next, NextAttempt, NoMatch,
    NotFound, Participant, Phase, Place, Postpone, Refuse, Standing, Suspend, Terms,
};
use crate::host_match::{
    self, Allowance, Candidate, Granted, Hold, HoldRefused, MayAsk, Petition, PetitionRefused,
    Prepare, Role,
};
use crate::limits::{Limits, secs};

/// A booking on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driver {
    booking: Box<Booking>,
    step: Step,
    /// What more the guest may ask of the host, where that counts.
    allowance: Allowance,
    /// What was found and not tried yet, the best first; `None` before the search.
    proposals: Option<Vec<Proposal>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Asks what more the guest may ask.
    Limit(Attempt),
    Search(Attempt),
    /// Notes that the guest waits for the host's yes.
    Petition(Box<Petition>, Box<Terms>),
    Hold(Box<Holding>),
    Check(Attempt),
    Prepare {
        attempt: Attempt,
        /// How many keepers have prepared already.
        prepared: usize,
    },
    /// Tells the booking what came of it.
    Report(Box<Command>),
    Done,
}

/// One attempt to have a slot held by all participants.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Holding {
    attempt: Attempt,
    /// Those who are to hold it, as far as they are known: a person's days are once that person's keeper
    /// holds it.
    participants: Vec<Participant>,
    /// How many of them hold already.
    done: usize,
    /// What the first of them has picked.
    picked: Option<Proposal>,
    until: Timestamp,
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
            allowance: Allowance::default(),
            proposals: None,
        };
        driver.follow(standing.next, Timestamp::MIN);
        driver
    }

    /// The booking as it was last heard of.
    pub fn booking(&self) -> &Booking {
        &self.booking
    }

    /// What is to be searched for.
    pub fn search(&self) -> Search {
        Search {
            strangers_wait: self.allowance.stranger,
            ..Search::of(&self.booking)
        }
    }

    /// What is to be done now.
    pub fn action(&self) -> Action {
        match &self.step {
            Step::Limit(_) => self.ask_limit(),
            Step::Search(_) => Action::Search,
            Step::Petition(petition, _) => Action::Ask(
                ActorName::host_match(&self.booking.asked.guest),
                Petition::clone(petition).into(),
            ),
            Step::Hold(holding) => self.hold(holding),
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
        let Asked {
            host,
            guest,
            request,
            ..
        } = &self.booking.asked;
        let may_ask = MayAsk {
            booking: self.booking.id.clone(),
            host: host.clone(),
            request: request.clone(),
        };
        Action::Ask(ActorName::host_match(guest), may_ask.into())
    }

    fn hold(&self, holding: &Holding) -> Action {
        let Some(participant) = holding.participants.get(holding.done).cloned() else {
            return Action::Done;
        };
        let candidate = |proposal| candidate(proposal, &participant);
        let candidates = match &holding.picked {
            Some(proposal) => vec![candidate(proposal)],
            None => self.proposals.iter().flatten().map(candidate).collect(),
        };
        let hold = Hold {
            booking: self.booking.id.clone(),
            attempt: holding.attempt,
            candidates,
            until: holding.until,
            role: participant.role,
            counterpart: participant.counterpart,
            // How much a person holds in all is not for a day to say.
            limited: participant.role == Role::Guest
                && !participant.actor.is_day()
                && self.booking.is_request(),
        };
        Action::Ask(participant.actor, hold.into())
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
        match self.booking.keepers(attempt).into_iter().nth(prepared) {
            Some(keeper) => Action::Ask(keeper, prepare.into()),
            None => Action::Done,
        }
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
                self.allowance = MayAsk::answer(*reply).ok_or(OutOfStep)?;
                self.step = match self.allowance.hold {
                    None => Step::Search(attempt),
                    Some(retry_at) => untried(attempt, NoMatch::TooManyHolds { retry_at }),
                };
            }
            (Step::Search(attempt), Event::Found(found)) => {
                self.found(attempt, found, now, limits);
            }
            (Step::Petition(petition, terms), Event::Replied(reply)) => {
                let answer = Petition::answer(*reply).ok_or(OutOfStep)?;
                self.petitioned(petition.attempt, *terms, answer);
            }
            (Step::Hold(holding), Event::Replied(reply)) => {
                match Hold::answer(*reply).ok_or(OutOfStep)? {
                    Ok(granted) => self.held(*holding, granted)?,
                    Err(why) => self.refused(&holding, why),
                }
            }
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
                    Ok(()) if prepared + 1 == self.booking.keepers(attempt).len() => {
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
        self.step = match &self.step {
            Step::Limit(attempt) | Step::Search(attempt) if is_seen => report(Postpone {
                attempt: *attempt,
                untried: true,
                days: Vec::new(),
            }),
            Step::Petition(petition, _) if is_seen => report(Postpone {
                attempt: petition.attempt,
                untried: false,
                days: Vec::new(),
            }),
            Step::Hold(holding) if is_seen => report(Postpone {
                attempt: holding.attempt,
                untried: holding.done == 0,
                days: days_of(&holding.participants[..holding.done]),
            }),
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

    fn found(&mut self, attempt: Attempt, found: Found, now: Timestamp, limits: &Limits) {
        self.step = match found {
            Found::Proposals(mut proposals) => {
                if let Phase::Confirmed { place, .. } = &self.booking.phase {
                    // A move is to another time.
                    proposals.retain(|proposal| proposal.place.slot != place.slot);
                }
                self.proposals = Some(proposals);
                self.try_next(attempt, now + secs(limits.hold_secs))
            }
            Found::NeedsApproval(terms) => self.ask_for_approval(attempt, terms, now, limits),
            Found::StrangersWait(retry_at) => untried(attempt, NoMatch::TooManyHolds { retry_at }),
            Found::Unreadable(side) | Found::Delayed(side) if self.hides(side) => {
                untried(attempt, self.nothing_to_be_told())
            }
            Found::Unreadable(_) => untried(attempt, NoMatch::CalendarUnavailable),
            Found::Delayed(_) => report(Postpone {
                attempt,
                untried: true,
                days: Vec::new(),
            }),
        };
    }

    /// Waits for the host's yes, where it is asked for by the guest and they wait for few enough.
    fn ask_for_approval(
        &self,
        attempt: Attempt,
        terms: Terms,
        now: Timestamp,
        limits: &Limits,
    ) -> Step {
        if !self.booking.is_request() {
            return report(AwaitApproval { attempt, terms });
        }
        if self.allowance.petition.is_some() {
            return untried(attempt, self.nothing_suits());
        }
        let Asked { host, request, .. } = &self.booking.asked;
        let petition = Petition {
            booking: self.booking.id.clone(),
            attempt,
            host: host.clone(),
            request: request.clone(),
            until: now + secs(limits.approval_secs),
        };
        Step::Petition(Box::new(petition), Box::new(terms))
    }

    fn petitioned(&mut self, attempt: Attempt, terms: Terms, answer: Result<(), PetitionRefused>) {
        self.step = match answer {
            Ok(()) => report(AwaitApproval { attempt, terms }),
            // As with what is held: the limit was asked first.
            Err(PetitionRefused::TooMany) => report(Refuse {
                attempt,
                why: NoMatch::NoSlot,
                untried: false,
                days: Vec::new(),
            }),
            Err(PetitionRefused::Over { highest }) => report(NextAttempt {
                attempt,
                above: highest,
                days: Vec::new(),
            }),
        };
    }

    /// Whether the guest must not be told that it is this calendar. Once the host has said yes they are no stranger.
    fn hides(&self, side: Side) -> bool {
        side == Side::Host { stranger: true } && !self.booking.approved
    }

    /// What a search comes to whose problem the guest must not be told of. Of a request that is a record nobody is told
    /// anything, and whoever goes through records is to know that it may do better later.
    fn nothing_to_be_told(&self) -> NoMatch {
        match self.booking.asked.request {
            Some(_) => NoMatch::CalendarUnavailable,
            None => self.nothing_suits(),
        }
    }

    /// What a search comes to that has found nothing. A guest who may not wait for one more answer is told that much:
    /// of whether the host would have one to give, it tells nothing.
    fn nothing_suits(&self) -> NoMatch {
        match self.allowance.petition {
            Some(retry_at) => NoMatch::TooManyHolds { retry_at },
            None => NoMatch::NoSlot,
        }
    }

    fn try_next(&self, attempt: Attempt, until: Timestamp) -> Step {
        if self.proposals.as_ref().is_none_or(Vec::is_empty) {
            return untried(attempt, self.nothing_suits());
        }
        Step::Hold(Box::new(Holding {
            attempt,
            participants: self.booking.participants().into(),
            done: 0,
            picked: None,
            until,
        }))
    }

    /// The participant that was asked holds a slot: on to the next of them.
    fn held(&mut self, mut holding: Holding, granted: Granted) -> Result<(), OutOfStep> {
        let mut proposals = self.proposals.iter().flatten();
        let picked = match holding.picked {
            Some(proposal) => proposal,
            None => proposals
                .find(|proposal| proposal.place.slot == granted.slot)
                .ok_or(OutOfStep)?
                .clone(),
        };
        if granted.sharded {
            let days = days(&self.booking, &holding.participants[holding.done], &picked);
            let next = holding.done + 1;
            holding.participants.splice(next..next, days);
        }
        holding.done += 1;
        holding.until = holding.until.min(granted.until);
        self.step = if holding.done == holding.participants.len() {
            report(Held {
                attempt: holding.attempt,
                place: picked.place,
                until: holding.until,
                days: days_of(&holding.participants),
            })
        } else {
            holding.picked = Some(picked);
            Step::Hold(Box::new(holding))
        };
        Ok(())
    }

    /// The participant that was asked does not hold a slot.
    fn refused(&mut self, holding: &Holding, why: HoldRefused) {
        let attempt = holding.attempt;
        let days = days_of(&holding.participants[..=holding.done]);
        self.step = match (why, &holding.picked) {
            // The guest's limit was asked first. Should it have been reached since, to say so would tell
            // that the host has time.
            (HoldRefused::TooManyHolds { .. }, _) | (HoldRefused::NoneFree, None) => {
                report(Refuse {
                    attempt,
                    why: NoMatch::NoSlot,
                    untried: false,
                    days,
                })
            }
            (HoldRefused::NoneFree, Some(picked)) => {
                if let Some(proposals) = &mut self.proposals {
                    proposals.retain(|other| other.place.slot != picked.place.slot);
                }
                report(NextAttempt {
                    attempt,
                    above: attempt,
                    days,
                })
            }
            (HoldRefused::Over { highest }, _) => report(NextAttempt {
                attempt,
                above: highest,
                days,
            }),
        };
    }
}

fn report(command: impl Into<Command>) -> Step {
    Step::Report(Box::new(command.into()))
}

/// Gives an attempt up for which nobody was asked to hold anything.
fn untried(attempt: Attempt, why: NoMatch) -> Step {
    report(Refuse {
        attempt,
        why,
        untried: true,
        days: Vec::new(),
    })
}

fn candidate(proposal: &Proposal, participant: &Participant) -> Candidate {
    let mut margins = match participant.role {
        Role::Host => proposal.host.clone(),
        Role::Guest => proposal.guest.clone(),
    };
    if participant.actor.is_day() {
        // How many meetings a person has is not for a day in UTC to say.
        margins.caps.clear();
    }
    Candidate {
        slot: proposal.place.slot,
        margins,
    }
}

/// The days of a participant that a slot meets.
fn days(booking: &Booking, participant: &Participant, picked: &Proposal) -> Vec<Participant> {
    let person = match participant.role {
        Role::Host => &booking.asked.host,
        Role::Guest => &booking.asked.guest,
    };
    let guard = candidate(picked, participant).guard();
    let days = host_match::days(person, guard).into_iter();
    let day = |actor| Participant {
        actor,
        ..participant.clone()
    };
    days.map(day).collect()
}

/// Which of them are days.
fn days_of(participants: &[Participant]) -> Vec<ActorName> {
    let actors = participants.iter().map(|participant| &participant.actor);
    actors.filter(|actor| actor.is_day()).cloned().collect()
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
