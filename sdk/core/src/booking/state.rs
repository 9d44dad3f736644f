//! The state machine of a booking: pure.
//!
//! Each command is a method. It changes the booking, or leaves it when the command comes too late, and
//! says in a [`Decision`] what is to be done outside and whether the caller has anything left to
//! drive.

mod driving;
mod parties;
mod record;
#[cfg(test)]
mod tests;

use huddle_ports::Timestamp;
use huddle_syntax::Did;
use serde::{Deserialize, Serialize};

use crate::actor::ActorName;
use crate::booking::{Attempt, BookingId};
use crate::effects::ShownSince;
use crate::host_match::{Ending, Finish, Role};
use crate::limits::{Limits, secs};
use crate::outbox::Task;
use crate::tally::Tally;

pub use record::{
    Asked, By, Change, Chosen, Constraints, Event, EventKind, Expiry, GuestSide, Mode, NoMatch,
    Phase, Place, Stage, Terms, Waiting,
};

/// A booking, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// Its id.
    pub id: BookingId,
    /// What was asked for.
    pub asked: Asked,
    /// A hash of the request that asked for it.
    pub(crate) body_hash: String,
    /// Where it stands.
    pub phase: Phase,
    /// On which terms a slot was last found for it.
    pub(crate) terms: Option<Terms>,
    /// Whether anybody was told of it. From then on both parties see it, whatever becomes of it.
    pub(crate) known: bool,
    /// The highest attempt that was handed out.
    pub attempt: Attempt,
    /// The highest attempt that no participant needs to hear of any more: nobody was asked to hold
    /// anything for it, or it is over and all were told.
    pub(crate) settled: Attempt,
    /// The days that claim the slot of an attempt, of people whose time is kept by days.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) days: Vec<(Attempt, ActorName)>,
    /// How many slots the present search has tried.
    pub(crate) tried: u32,
    /// Until when its driver is left alone; `None` while there is nothing to drive.
    pub lease: Option<Timestamp>,
    /// Whether the host has said yes where that was waited for.
    pub approved: bool,
    /// How often each side has tried to move it in vain: what comes of a move shows when the other side has time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) vain_moves: Vec<(By, Tally)>,
    /// Why the last search came to nothing.
    pub unmatched: Option<NoMatch>,
    /// What was said by whoever last declined, canceled or moved it.
    pub reason: Option<String>,
    /// How often it has changed since it was confirmed: SEQUENCE of its invitations.
    pub sequence: u32,
    /// How often it has changed at all.
    pub revision: u32,
    /// Since which revision it shows outside what it does.
    #[serde(default)]
    pub(crate) shown_since: ShownSince,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// What happened to it, the latest 100 events, the oldest first.
    pub history: Vec<Event>,
}

/// How many events a booking remembers.
pub(crate) const HISTORY: usize = 100;

/// What whoever has asked is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Next {
    /// Nothing.
    Rest,
    /// Search for a slot and have it held for this attempt.
    Seek(Attempt),
    /// Check that the slot of this attempt is still free, and have it prepared.
    Confirm(Attempt),
}

/// A booking as it stands after a command, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The booking.
    pub booking: Box<Booking>,
    /// What is left to do for whoever has asked.
    pub next: Next,
}

/// What a command comes to, besides the new state.
pub(crate) struct Decision<'a> {
    pub now: Timestamp,
    pub limits: &'a Limits,
    pub tasks: Vec<Task>,
    pub next: Next,
    /// The request could not be carried out now: it may be sent again under the same key.
    pub retryable: bool,
    /// A request waits for its answer, whether or not anything has changed.
    pub asked: bool,
}

impl<'a> Decision<'a> {
    pub(crate) fn new(now: Timestamp, limits: &'a Limits) -> Self {
        Self {
            now,
            limits,
            tasks: Vec::new(),
            next: Next::Rest,
            retryable: false,
            asked: false,
        }
    }

    fn lease(&self) -> Timestamp {
        self.now + secs(self.limits.driver_lease_secs)
    }
}

impl Booking {
    /// A new booking, and its first attempt.
    pub(crate) fn new(
        decision: &mut Decision<'_>,
        id: BookingId,
        asked: Asked,
        body_hash: String,
    ) -> Self {
        let now = decision.now;
        let mut booking = Self {
            id,
            approved: false,
            asked,
            body_hash,
            phase: Phase::Unmatched,
            terms: None,
            known: false,
            attempt: Attempt::FIRST,
            settled: Attempt::NONE,
            days: Vec::new(),
            tried: 1,
            lease: None,
            vain_moves: Vec::new(),
            unmatched: None,
            reason: None,
            sequence: 0,
            revision: 0,
            shown_since: ShownSince::default(),
            created_at: now,
            updated_at: now,
            history: Vec::new(),
        };
        booking.wait_for_search(decision);
        booking.seek(decision);
        booking.record(decision, EventKind::Requested, By::Guest, None);
        booking
    }

    /// The part that an account has in the booking.
    pub fn role(&self, account: &Did) -> Option<Role> {
        if *account == self.asked.host {
            Some(Role::Host)
        } else if *account == self.asked.guest {
            Some(Role::Guest)
        } else {
            None
        }
    }

    /// Whether its parties know of it: what comes to nothing at once never was a booking to them.
    pub fn is_known(&self) -> bool {
        self.known
    }

    /// Until when a request that nobody knows the outcome of yet is left to its driver. Whoever sends it again
    /// then finds out.
    pub fn in_flight(&self) -> Option<Timestamp> {
        self.lease.filter(|_| !self.known)
    }

    /// Whether a slot is held because the guest asks for it, and not because the host has said yes or
    /// a meeting is moved.
    pub(crate) fn is_request(&self) -> bool {
        matches!(self.phase, Phase::Pending { .. }) && !self.approved
    }

    /// Whether both sides have said yes to any slot, so that one that is held is confirmed at once.
    pub fn is_agreed(&self) -> bool {
        self.asked.accepted || self.approved
    }

    /// What would suit: for the search that is under way, or else as it was asked for.
    pub fn constraints(&self) -> &Constraints {
        match &self.phase {
            Phase::Confirmed {
                change: Some(change),
                ..
            } => &change.constraints,
            _ => &self.asked.constraints,
        }
    }

    /// On which terms it is, or would have been, as far as that was ever found out.
    pub fn terms(&self) -> Option<&Terms> {
        let place = self.phase.place();
        place.map(|place| &place.terms).or(self.terms.as_ref())
    }

    /// The slot that is being confirmed.
    pub fn confirming(&self) -> Option<&Place> {
        match &self.phase {
            Phase::Finalizing { place, .. }
            | Phase::Confirmed {
                change:
                    Some(Change {
                        stage: Stage::Finalizing(place),
                        ..
                    }),
                ..
            } => Some(place),
            _ => None,
        }
    }

    /// The actors that claim the slot of an attempt: those of both sides, and then the days of theirs that it
    /// meets, where there are such.
    pub fn keepers(&self, attempt: Attempt) -> Vec<ActorName> {
        let days = self.days.iter().filter(|(of, _)| *of == attempt);
        let people = self.participants().map(|participant| participant.actor);
        let days = days.map(|(_, day)| day.clone());
        people.into_iter().chain(days).collect()
    }

    /// Those whose time the booking takes, in the order in which they are asked. A guest whom another service schedules for
    /// is among them: what they hold here is what their limits go by, and keeps two meetings of theirs here apart.
    pub fn participants(&self) -> [Participant; 2] {
        let side = |person: &Did, role, counterpart: &Did| Participant {
            actor: ActorName::host_match(person),
            role,
            counterpart: counterpart.clone(),
        };
        let mut participants = [
            side(&self.asked.host, Role::Host, &self.asked.guest),
            side(&self.asked.guest, Role::Guest, &self.asked.host),
        ];
        participants.sort_by(|a, b| a.actor.cmp(&b.actor));
        participants
    }

    /// When the booking wants to be looked at by itself.
    pub(crate) fn due(&self, limits: &Limits) -> Option<Timestamp> {
        match &self.phase {
            Phase::Pending { until, .. } => Some(self.lease.map_or(*until, |at| at.min(*until))),
            Phase::Held { until, .. } => Some(*until),
            Phase::Finalizing { .. } | Phase::Confirmed { .. } => self.lease,
            Phase::Unmatched => Some(self.updated_at + secs(limits.idempotency_secs)),
            Phase::Declined | Phase::Canceled { .. } | Phase::Expired(_) => None,
        }
    }

    /// Writes down what has run out, before anybody is told.
    pub(crate) fn tick(&mut self, decision: &mut Decision<'_>) {
        match &self.phase {
            // Nobody has had an answer: there is no booking to them that could expire.
            Phase::Pending { until, .. } if *until <= decision.now && !self.known => {
                self.find_nothing(decision, NoMatch::CalendarUnavailable);
            }
            Phase::Pending { until, .. } if *until <= decision.now => {
                self.end(
                    decision,
                    Phase::Expired(Expiry::Unanswered),
                    Ending::Released,
                );
                self.record(decision, EventKind::Expired, By::Service, None);
            }
            Phase::Held {
                until, accepted, ..
            } if *until <= decision.now => {
                // Whoever has accepted has let nothing lapse.
                let ending = if *accepted {
                    Ending::Released
                } else {
                    Ending::Lapsed
                };
                self.end(decision, Phase::Expired(Expiry::Hold), ending);
                self.record(decision, EventKind::Expired, By::Service, None);
            }
            _ => {}
        }
    }

    /// What a participant that has prepared `attempt` is to do; `None` while that is undecided.
    pub(crate) fn outcome(&self, attempt: Attempt) -> Option<Ending> {
        let open = attempt == self.attempt
            && match &self.phase {
                Phase::Pending { .. } | Phase::Held { .. } | Phase::Finalizing { .. } => true,
                Phase::Confirmed { change, .. } => change.is_some(),
                Phase::Unmatched | Phase::Declined | Phase::Canceled { .. } | Phase::Expired(_) => {
                    false
                }
            };
        match &self.phase {
            _ if open => None,
            Phase::Confirmed {
                attempt: confirmed, ..
            } if *confirmed == attempt => Some(Ending::Confirmed),
            _ => Some(Ending::Released),
        }
    }

    /// Stands where a search begins.
    fn wait_for_search(&mut self, decision: &mut Decision<'_>) {
        self.phase = Phase::Pending {
            waiting: Waiting::Search,
            until: decision.now + secs(decision.limits.pending_secs),
        };
        self.unmatched = None;
    }

    /// Waits for the host's yes, which is good for one search.
    fn wait_for_approval(&mut self, decision: &mut Decision<'_>) {
        self.phase = Phase::Pending {
            waiting: Waiting::Approval,
            until: decision.now + secs(decision.limits.approval_secs),
        };
        self.approved = false;
        self.lease = None;
        self.known = true;
        self.touch(decision);
    }

    /// Begins to search, with an attempt of its own.
    fn seek_anew(&mut self, decision: &mut Decision<'_>) {
        self.tried = 1;
        self.attempt = self.attempt.next();
        self.seek(decision);
    }

    fn seek(&mut self, decision: &mut Decision<'_>) {
        self.lease = Some(decision.lease());
        decision.next = Next::Seek(self.attempt);
    }

    fn confirm(&mut self, decision: &mut Decision<'_>) {
        self.lease = Some(decision.lease());
        decision.next = Next::Confirm(self.attempt);
    }

    /// Ends in a phase that needs no driver; the participants let go of the open attempt.
    fn end(&mut self, decision: &mut Decision<'_>, phase: Phase, ending: Ending) {
        self.let_go(decision, ending);
        self.phase = phase;
        self.lease = None;
    }

    /// Has the participants let go of the present attempt, unless they need not hear of it.
    fn let_go(&mut self, decision: &mut Decision<'_>, ending: Ending) {
        if self.settled < self.attempt {
            self.finish(decision, self.attempt, ending);
            self.settled = self.attempt;
        }
    }

    /// Nobody was asked to hold anything for an attempt. Where somebody may hold something for the one
    /// before, the end of this one is what they will hear of.
    fn note_untried(&mut self, attempt: Attempt) {
        if self.settled.next() == attempt {
            self.settled = attempt;
        }
    }

    /// Gives up a change of a confirmed booking, which stays where it was.
    fn drop_change(&mut self, decision: &mut Decision<'_>) {
        if let Phase::Confirmed { change, .. } = &mut self.phase {
            let by = change.take().map(|change| change.by);
            if let Some(by) = by.filter(|_| !self.unmatched.is_some_and(NoMatch::is_retryable)) {
                self.note_vain_move(by, decision);
            }
            self.lease = None;
            self.let_go(decision, Ending::Released);
            self.touch(decision);
        }
    }

    fn note_vain_move(&mut self, by: By, decision: &Decision<'_>) {
        let before = self.vain_moves_of(by);
        self.vain_moves.retain(|(other, _)| *other != by);
        let tally = Tally::one_more(before, decision.now, decision.limits);
        self.vain_moves.push((by, tally));
    }

    /// How often a side has tried to move it in vain.
    fn vain_moves_of(&self, by: By) -> Option<Tally> {
        let mut moves = self.vain_moves.iter();
        moves.find(|(of, _)| *of == by).map(|(_, tally)| *tally)
    }

    /// Tells every keeper what became of an attempt.
    fn finish(&mut self, decision: &mut Decision<'_>, attempt: Attempt, ending: Ending) {
        for keeper in self.keepers(attempt) {
            let ending = match ending {
                // It is the guest who has let something lapse, or has called it off.
                Ending::Lapsed | Ending::CalledOff
                    if keeper != ActorName::host_match(&self.asked.guest) =>
                {
                    Ending::Released
                }
                _ => ending,
            };
            self.tell(decision, keeper, attempt, ending);
        }
        if ending != Ending::Confirmed {
            self.days.retain(|(of, _)| *of != attempt);
        }
    }

    fn tell(
        &self,
        decision: &mut Decision<'_>,
        keeper: ActorName,
        attempt: Attempt,
        ending: Ending,
    ) {
        let finish = Finish {
            booking: self.id.clone(),
            attempt,
            ending,
        };
        decision.tasks.push(Task::Tell {
            to: keeper,
            command: Box::new(finish.into()),
        });
    }

    fn touch(&mut self, decision: &mut Decision<'_>) {
        self.revision = self.revision.saturating_add(1);
        self.updated_at = decision.now;
        let project = Task::Project(self.id.clone());
        if self.known && !decision.tasks.contains(&project) {
            decision.tasks.push(project);
        }
    }

    fn record(
        &mut self,
        decision: &mut Decision<'_>,
        kind: EventKind,
        by: By,
        place: Option<&Place>,
    ) {
        if self.history.len() == HISTORY {
            self.history.remove(0);
        }
        self.history.push(Event {
            at: decision.now,
            kind,
            by,
            slot: place.map(|place| place.slot),
        });
        self.touch(decision);
    }
}

/// One whose time a booking takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// The keeper of their time.
    pub actor: ActorName,
    /// Their part.
    pub role: Role,
    /// The other side.
    pub counterpart: Did,
}
