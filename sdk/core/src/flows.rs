//! What people ask for, from the first word to the answer: called by handlers, timers, the firehose
//! and the web alike.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use huddle_ports::{Clock, Timestamp};
use huddle_syntax::Did;

use crate::actor::{ActorName, Ask, Command, Reply};
use crate::availability::Availability;
use crate::booking::{
    self, Approve, ApproveRefused, Asked, Booking, BookingId, Cancel, Constraints, Create,
    CreateRefused, Decline, DeclineRefused, Finalize, FinalizeRefused, Never, Next, NoMatch,
    NotFound, Read, Refused, Rehearsal, Reschedule, RescheduleRefused, Resume, Standing,
};
use crate::driver::{Action, Driver, Event};
use crate::host_match::{self, WouldHold};
use crate::idempotency::Key;
use crate::limits::{Limits, secs};
use crate::matching::{Listing, ListingFailed, SlotQuery, Slots};
use crate::pause::{NoPause, Pause};
use crate::transport::{ActorTransport, Unreachable, ask};
use crate::user_connector::Erase;

/// Whether a driver takes the booking on from a command, while whoever has asked waits for what comes of it.
pub fn is_driven(command: &booking::Command) -> bool {
    use booking::Command as Of;

    matches!(
        command,
        Of::Create(_) | Of::Finalize(_) | Of::Approve(_) | Of::Reschedule(_)
    )
}

/// Whether whoever waits for it is told that no time suits. Of a request that is a record nobody is told anything.
fn tells_no_slot(booking: &Booking) -> bool {
    booking.unmatched == Some(NoMatch::NoSlot) && booking.asked.request.is_none()
}

/// The flows, over the ports that they need.
#[derive(Clone)]
pub struct Flows {
    actors: Arc<dyn ActorTransport>,
    availability: Arc<dyn Availability>,
    clock: Arc<dyn Clock>,
    limits: Arc<Limits>,
    pause: Arc<dyn Pause>,
    /// When the request arrived that they are for, where that is known.
    arrived: Option<Timestamp>,
}

impl fmt::Debug for Flows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flows").finish_non_exhaustive()
    }
}

impl Flows {
    /// Flows over these ports.
    pub fn new(
        actors: Arc<dyn ActorTransport>,
        availability: Arc<dyn Availability>,
        clock: Arc<dyn Clock>,
        limits: Arc<Limits>,
    ) -> Self {
        Self {
            actors,
            availability,
            clock,
            limits,
            pause: Arc::new(NoPause),
            arrived: None,
        }
    }

    /// These flows, which say only at certain times that no time suits: to a stranger, how long it takes to find that out
    /// must not tell why. A host who is blocked or has no calendar takes less work than one who is busy, and no work is
    /// the same on every machine and in every host's case; the time of an answer is.
    #[must_use]
    pub fn in_step(self, pause: Arc<dyn Pause>) -> Self {
        Self { pause, ..self }
    }

    /// These flows, for a request that arrived then: its caller waits since, whatever else has taken time, and is
    /// answered as soon after that as a match may take. Without this, a caller waits since a flow is called.
    #[must_use]
    pub fn since(&self, arrived: Timestamp) -> Self {
        Self {
            arrived: Some(arrived),
            ..self.clone()
        }
    }

    /// The limits that they go by.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// By when somebody must have an answer who waits.
    pub fn deadline(&self) -> Timestamp {
        self.begun() + secs(self.limits.match_secs)
    }

    /// Since when somebody waits for an answer.
    fn begun(&self) -> Timestamp {
        let now = self.clock.now();
        // The clock may have been set back since it arrived.
        self.arrived.map_or(now, |arrived| arrived.min(now))
    }

    /// Keeps back the word that no time suits until it is time for it.
    async fn keep_step(&self, begun: Timestamp) {
        let step = u128::from(self.limits.no_slot_step_millis);
        let now = self.clock.now();
        // Where the clock was set back meanwhile, nobody waits until it is then again.
        let begun = begun.min(now);
        let steps = now.since(begun).as_millis().div_ceil(step.max(1));
        // Where everything takes no time at all, the first step is taken all the same.
        let wait = u64::try_from(steps.max(1) * step).unwrap_or(u64::MAX);
        self.pause.until(begun + Duration::from_millis(wait)).await;
    }

    /// Asks for a meeting, and has a slot held. `id` must follow from the caller, the method and the
    /// idempotency key, so that the same request finds its booking again.
    pub async fn request(
        &self,
        id: &BookingId,
        asked: Asked,
        body_hash: String,
    ) -> Result<Result<Booking, CreateRefused>, Unreachable> {
        let create = Create { asked, body_hash };
        let begun = self.begin(id, create).await?;
        // Time was up, or another driver has taken over: what it comes to is not known yet.
        Ok(begun.and_then(|booking| match booking.in_flight() {
            Some(retry_at) => Err(CreateRefused::InFlight { retry_at }),
            None => Ok(booking),
        }))
    }

    /// What a request would come to at this moment. Nothing is held or written for it. No booking may have
    /// `id`: what it holds would be left out of account. Where time was up, it is [`Booking::in_flight`].
    pub async fn rehearse(&self, id: &BookingId, asked: Asked) -> Result<Booking, Unreachable> {
        let (begun, deadline) = (self.begun(), self.deadline());
        let (rehearsal, standing) = Rehearsal::begin(id, asked, self.clock.now(), &self.limits);
        let booking = self.drive(standing, deadline, Some(rehearsal)).await?;
        if tells_no_slot(&booking) {
            self.keep_step(begun).await;
        }
        Ok(booking)
    }

    /// Lists slots to choose from.
    pub async fn list(
        &self,
        slots: &dyn Slots,
        query: &SlotQuery,
    ) -> Result<Listing, ListingFailed> {
        let begun = self.begun();
        let listing = slots.slots(query, self.deadline()).await?;
        if listing.slots.is_empty() {
            self.keep_step(begun).await;
        }
        Ok(listing)
    }

    /// Accepts the held slot and confirms it.
    pub async fn finalize(
        &self,
        id: &BookingId,
        key: Key,
    ) -> Result<Result<Booking, Refused<FinalizeRefused>>, Unreachable> {
        self.begin(id, Finalize { key }).await
    }

    /// Says yes as the host: a slot is searched, held and confirmed.
    pub async fn approve(
        &self,
        id: &BookingId,
        key: Key,
    ) -> Result<Result<Booking, Refused<ApproveRefused>>, Unreachable> {
        self.begin(id, Approve { key }).await
    }

    /// Says no as the host.
    pub async fn decline(
        &self,
        id: &BookingId,
        key: Key,
        reason: Option<String>,
    ) -> Result<Result<Booking, Refused<DeclineRefused>>, Unreachable> {
        self.begin(id, Decline { key, reason }).await
    }

    /// Calls a booking off.
    pub async fn cancel(
        &self,
        id: &BookingId,
        key: Key,
        reason: Option<String>,
    ) -> Result<Result<Booking, Refused<Never>>, Unreachable> {
        self.begin(id, Cancel { key, reason }).await
    }

    /// Moves a confirmed booking to another slot.
    pub async fn reschedule(
        &self,
        id: &BookingId,
        key: Key,
        constraints: Constraints,
        reason: Option<String>,
    ) -> Result<Result<Booking, Refused<RescheduleRefused>>, Unreachable> {
        let reschedule = Reschedule {
            key,
            constraints,
            reason,
        };
        self.begin(id, reschedule).await
    }

    /// Goes on with a booking whose driver has not come back.
    pub async fn resume(&self, id: &BookingId) -> Result<Result<Booking, NotFound>, Unreachable> {
        // Nobody waits for the answer, but once the lease is over another driver begins anew. What follows
        // the search has as long as a whole match may take.
        let Limits {
            driver_lease_secs,
            match_secs,
            ..
        } = *self.limits;
        let search = secs(driver_lease_secs.saturating_sub(match_secs));
        self.begin_until(id, Resume {}, self.clock.now() + search)
            .await
    }

    /// Puts a command to a booking that [is driven](is_driven), drives it on from there, and answers with the booking as
    /// it rests: for a runtime that does so where the booking is, in place of whoever has asked. Any other command is put
    /// to the booking, and that is all.
    pub async fn carry_out(
        &self,
        id: &BookingId,
        command: booking::Command,
    ) -> Result<booking::Reply, Unreachable> {
        use booking::{Command as Of, Reply as By};

        Ok(match command {
            Of::Create(create) => By::Create(self.drive_to_rest(id, create).await?),
            Of::Finalize(finalize) => By::Finalize(self.drive_to_rest(id, finalize).await?),
            Of::Approve(approve) => By::Approve(self.drive_to_rest(id, approve).await?),
            Of::Reschedule(reschedule) => By::Reschedule(self.drive_to_rest(id, reschedule).await?),
            other => {
                let actor = ActorName::booking(id);
                let reply = self.actors.send(&actor, Command::Booking(other)).await?;
                let Reply::Booking(reply) = reply else {
                    let problem = "the reply is to another command".into();
                    return Err(Unreachable { actor, problem });
                };
                reply
            }
        })
    }

    async fn drive_to_rest<A, R>(
        &self,
        id: &BookingId,
        command: A,
    ) -> Result<Result<Standing, R>, Unreachable>
    where
        A: Ask<Answer = Result<Standing, R>>,
    {
        let driven = self.begin_until(id, command, self.deadline()).await?;
        Ok(driven.map(|booking| Standing {
            booking: Box::new(booking),
            next: Next::Rest,
        }))
    }

    /// Reads a booking, as one of its parties or, with no account, as the service itself.
    pub async fn read(
        &self,
        id: &BookingId,
        by: Option<Did>,
    ) -> Result<Result<Booking, NotFound>, Unreachable> {
        let answer = ask(&*self.actors, &ActorName::booking(id), Read { by }).await?;
        Ok(answer.map(|booking| *booking))
    }

    /// Forgets what is a person's own affair, whose account is deleted.
    pub async fn erase(&self, person: &Did) -> Result<(), Unreachable> {
        ask(&*self.actors, &ActorName::user_connector(person), Erase {}).await
    }

    /// Puts a command to the booking, and drives it on from there.
    async fn begin<A, R>(
        &self,
        id: &BookingId,
        command: A,
    ) -> Result<Result<Booking, R>, Unreachable>
    where
        A: Ask<Answer = Result<Standing, R>>,
    {
        let begun = self.begun();
        let answer = self.begin_until(id, command, self.deadline()).await?;
        if answer.as_ref().is_ok_and(tells_no_slot) {
            self.keep_step(begun).await;
        }
        Ok(answer)
    }

    async fn begin_until<A, R>(
        &self,
        id: &BookingId,
        command: A,
        deadline: Timestamp,
    ) -> Result<Result<Booking, R>, Unreachable>
    where
        A: Ask<Answer = Result<Standing, R>>,
    {
        match ask(&*self.actors, &ActorName::booking(id), command).await? {
            Ok(standing) => self.drive(standing, deadline, None).await.map(Ok),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Drives a booking until it rests, or until the caller must have an answer.
    async fn drive(
        &self,
        standing: Standing,
        deadline: Timestamp,
        mut rehearsal: Option<Rehearsal>,
    ) -> Result<Booking, Unreachable> {
        let mut driver = Driver::new(standing);
        loop {
            if deadline <= self.clock.now() {
                driver.put_off();
            }
            let event = match driver.action() {
                Action::Done => break,
                Action::Search => {
                    Event::Found(self.availability.search(&driver.search(), deadline).await)
                }
                Action::Check(place) => {
                    let booking = driver.booking();
                    Event::Checked(self.availability.check(booking, &place, deadline).await)
                }
                Action::Ask(actor, command) => Event::Replied(Box::new(match &mut rehearsal {
                    None => self.actors.send(&actor, command).await?,
                    Some(rehearsal) => self.ask_in_rehearsal(rehearsal, &actor, command).await?,
                })),
            };
            let now = self.clock.now();
            driver
                .advance(event, now, &self.limits)
                .map_err(|error| Unreachable {
                    actor: ActorName::booking(&driver.booking().id),
                    problem: error.to_string(),
                })?;
        }
        Ok(driver.booking().clone())
    }

    /// Puts a driver's command in words that change nothing.
    async fn ask_in_rehearsal(
        &self,
        rehearsal: &mut Rehearsal,
        actor: &ActorName,
        command: Command,
    ) -> Result<Reply, Unreachable> {
        let reply = match command {
            Command::HostMatch(host_match::Command::Hold(hold)) => {
                let answer = ask(&*self.actors, actor, WouldHold { hold }).await?;
                Some(Reply::HostMatch(host_match::Reply::Hold(answer)))
            }
            Command::HostMatch(host_match::Command::MayAsk(_)) => {
                Some(self.actors.send(actor, command).await?)
            }
            // Whether one more may be waited for was asked first.
            Command::HostMatch(host_match::Command::Petition(_)) => {
                Some(Reply::HostMatch(host_match::Reply::Petition(Ok(()))))
            }
            Command::Booking(report) => rehearsal
                .hear(report, self.clock.now(), &self.limits)
                .map(Reply::Booking),
            _ => None,
        };
        reply.ok_or_else(|| Unreachable {
            actor: actor.clone(),
            problem: "nothing is confirmed in a rehearsal".into(),
        })
    }
}
