//! What must hold of every state, and of those in which everything has come to rest.

use huddle_core::actor::ActorName;
use huddle_core::booking::{Booking, By, Expiry, NoMatch, Phase};

use super::{State, World};
use crate::actors::{Claim, Firmness, Turned, number};
use crate::scenario::days;

impl World {
    /// What is wrong with a turn that an actor has taken from a state, if anything.
    pub(super) fn turned_wrong(
        &self,
        state: &State,
        actor: usize,
        turned: Turned,
    ) -> Option<&'static str> {
        if turned.fault.is_some() {
            return turned.fault;
        }
        let [before, after] = [state.actors[actor], turned.state]
            .map(|state| self.actors.view(state).booking.as_ref());
        if before.is_some_and(Booking::is_known) && !after.is_some_and(Booking::is_known) {
            return Some("a booking has vanished that its parties know of");
        }
        if let (Some(one), Some(other)) = (mover(before), mover(after))
            && one != other
        {
            return Some("a move has taken the place of another that was under way");
        }
        if takes_back_a_yes(before, after) {
            return Some(
                "a host has said yes, and is asked again before any search came to nothing",
            );
        }
        if self.is_given_up_for_nothing(state, before, after) {
            return Some("nothing is in the way of a booking, and it has been given up");
        }
        if self.is_held_by_few(state, before, after) {
            return Some("a booking has become held without being held by all");
        }
        None
    }

    /// Whether what was searched for, or moved, has just come to nothing although there is no other booking, nothing
    /// goes wrong, and no hold has run out.
    fn is_given_up_for_nothing(
        &self,
        state: &State,
        before: Option<&Booking>,
        after: Option<&Booking>,
    ) -> bool {
        let is_alone = self.scenario.bookings.len() == 1;
        let is_free = is_alone && self.tour.trouble.all == 0;
        is_free
            && state.clock < self.actors.limits.hold_secs
            && !is_given_up(before)
            && is_given_up(after)
    }

    /// Whether a booking has just become held, and not all of its participants hold its slot for it.
    fn is_held_by_few(
        &self,
        state: &State,
        before: Option<&Booking>,
        after: Option<&Booking>,
    ) -> bool {
        let is_held = |booking: &&Booking| matches!(booking.phase, Phase::Held { .. });
        let Some(booking) = after.filter(is_held) else {
            return false;
        };
        // A clock that was set back may tell one that a hold lasts, and another that it is over.
        let is_new = before.is_none_or(|booking| !is_held(&booking)) && state.trouble.clocks == 0;
        is_new
            && self
                .careless(state, booking, number(booking.attempt), |_| true)
                .is_some()
    }

    /// What is wrong with a state, if anything.
    pub(crate) fn violation(&self, state: &State) -> Option<String> {
        if let Some(fault) = state.fault {
            return Some(fault.into());
        }
        let actors = state.actors.iter().map(|it| self.actors.view(*it));
        for (actor, view) in actors.enumerate() {
            let label = self.actors.label(actor);
            if let Some((one, other)) = view.clash(state.latest[actor]) {
                return Some(format!("{label} cannot keep both {one:?} and {other:?}"));
            }
            if let Some(problem) = self.unprepared(state, actor) {
                return Some(problem);
            }
            for claim in &view.claims {
                let booking = self.booking_of(&claim.booking);
                let was_confirmed = state.confirmed.contains(&(booking, claim.attempt));
                if claim.firmness == Firmness::Booked && !was_confirmed {
                    return Some(format!(
                        "{label} has booked what never was confirmed: {claim:?}"
                    ));
                }
            }
            if let Some(booking) = self.answered_petition(state, actor) {
                return Some(format!("{label} still waits for an answer to {booking}"));
            }
        }
        None
    }

    /// A booking that somebody waits for a host to answer, although it is over and all have heard of it.
    fn answered_petition(&self, state: &State, actor: usize) -> Option<&String> {
        let petitions = &self.actors.view(state.actors[actor]).petitions;
        let is_over = |petition: &&String| {
            let booking = self.actors.view(state.actors[self.booking_of(petition)]);
            let phase = booking.booking.as_ref().map(|booking| &booking.phase);
            !matches!(phase, Some(Phase::Pending { .. }))
        };
        petitions.iter().find(is_over).filter(|_| {
            let mut outboxes = state.actors.iter().map(|it| &self.actors.view(*it).outbox);
            state.drivers.is_empty() && state.late.is_empty() && outboxes.all(Vec::is_empty)
        })
    }

    pub(super) fn booking_of(&self, id: &str) -> usize {
        self.actors.index(&ActorName::booking(&id.parse().unwrap()))
    }

    /// A keeper of a confirmed booking who could give the slot away.
    fn unprepared(&self, state: &State, actor: usize) -> Option<String> {
        let view = self.actors.view(state.actors[actor]);
        let (attempt, slot) = view.confirmed()?;
        let careless = self.careless(state, view.booking.as_ref()?, attempt, |claim| {
            claim.slot == slot && claim.firmness != Firmness::Held
        })?;
        Some(format!(
            "{} is confirmed at attempt {attempt}, for which {careless} has not prepared",
            self.actors.label(actor),
        ))
    }

    /// Somebody who must have such a claim for an attempt of a booking, and has not: a person who takes part, or
    /// one of the days that the slot meets, with what that person keeps free around it.
    pub(super) fn careless(
        &self,
        state: &State,
        booking: &Booking,
        attempt: u32,
        is_right: impl Fn(&Claim) -> bool,
    ) -> Option<ActorName> {
        let find = |actor: &ActorName| {
            let view = self.actors.view(state.actors[self.actors.index(actor)]);
            let mut claims = view.claims.iter();
            let claim = claims
                .find(|it| (it.booking.as_str(), it.attempt) == (booking.id.as_str(), attempt));
            (view.sharded, claim.filter(|claim| is_right(claim)))
        };
        for participant in booking.participants() {
            let (sharded, claim) = find(&participant.actor);
            let Some(claim) = claim else {
                return Some(participant.actor);
            };
            let days = days(&participant.actor, claim.guard).into_iter();
            let careless = days.filter(|_| sharded).find(|day| find(day).1.is_none());
            if careless.is_some() {
                return careless;
            }
        }
        None
    }

    /// What keeps a state from being one of rest, if anything.
    pub(super) fn unrest(&self, state: &State) -> Option<String> {
        if !state.drivers.is_empty() || !state.late.is_empty() {
            return Some("there are drivers or messages on their way".into());
        }
        for (actor, id) in state.actors.iter().enumerate() {
            let view = self.actors.view(*id);
            let label = self.actors.label(actor);
            if !view.outbox.is_empty() {
                return Some(format!("the outbox of {label} is not empty"));
            }
            let undecided = view.booking.as_ref().is_some_and(|booking| {
                booking.lease.is_some()
                    || match &booking.phase {
                        Phase::Pending { .. } | Phase::Held { .. } | Phase::Finalizing { .. } => {
                            true
                        }
                        Phase::Confirmed { change, .. } => change.is_some(),
                        _ => false,
                    }
            });
            if undecided {
                return Some(format!("{label} is undecided: {:?}", view.booking));
            }
            for claim in &view.claims {
                let booking = self.booking_of(&claim.booking);
                let confirmed = self.actors.view(state.actors[booking]).confirmed();
                let is_confirmed = confirmed.is_some_and(|(attempt, _)| attempt == claim.attempt);
                if claim.firmness != Firmness::Booked || !is_confirmed {
                    return Some(format!("{label} still has {claim:?}"));
                }
            }
            if let Some((attempt, _)) = view.confirmed() {
                let booking = view.booking.as_ref()?;
                if let Some(careless) = self.careless(state, booking, attempt, |_| true) {
                    return Some(format!("{label} is not booked by {careless}"));
                }
            }
        }
        None
    }

    /// Notes how the bookings may end, by their indices.
    pub(super) fn note_ends(&mut self, state: &State) {
        for (index, actor) in state.actors.iter().enumerate() {
            let Some(booking) = &self.actors.view(*actor).booking else {
                continue;
            };
            let end = match &booking.phase {
                Phase::Confirmed { attempt, .. } => format!("Confirmed at {attempt}"),
                Phase::Expired(why) => format!("Expired: {why:?}"),
                Phase::Canceled { place: Some(_) } => "Canceled, confirmed before".into(),
                Phase::Canceled { place: None } => "Canceled".into(),
                other => format!("{other:?}"),
            };
            // Whoever can take its place may end like this too.
            for swap in &self.names.swaps {
                self.ends.insert(format!("{}: {end}", swap.actors[index]));
            }
        }
    }
}

/// Whether a host who has said yes is asked once more, although no search has come to nothing.
fn takes_back_a_yes(before: Option<&Booking>, after: Option<&Booking>) -> bool {
    let (Some(before), Some(after)) = (before, after) else {
        return false;
    };
    before.approved && !after.approved && after.unmatched.is_none()
}

/// Whether the last search of a booking, or the last move, has come to nothing. Not that a slot which is held could not
/// be confirmed: that is how it ends if somebody holds another than they have told of.
fn is_given_up(booking: Option<&Booking>) -> bool {
    booking.is_some_and(|booking| match &booking.phase {
        Phase::Unmatched | Phase::Expired(Expiry::NoMatch) => true,
        Phase::Pending { .. } => booking.unmatched.is_some(),
        // There may be nowhere to move it to.
        Phase::Confirmed { .. } => booking.unmatched == Some(NoMatch::SlotTaken),
        _ => false,
    })
}

/// Who moves a booking, if anybody does.
fn mover(booking: Option<&Booking>) -> Option<By> {
    match &booking?.phase {
        Phase::Confirmed {
            change: Some(change),
            ..
        } => Some(change.by),
        _ => None,
    }
}
