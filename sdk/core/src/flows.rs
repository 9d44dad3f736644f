//! What people ask for, from the first word to the answer: called by handlers, timers, the firehose
//! and the web alike.

use std::fmt;
use std::sync::Arc;

use huddle_ports::{Clock, Timestamp};
use huddle_syntax::Did;

use crate::actor::{ActorName, Ask};
use crate::availability::{Availability, Found, Search};
use crate::booking::{
    Approve, ApproveRefused, Asked, Booking, BookingId, Cancel, Constraints, Create, CreateRefused,
    Decline, DeclineRefused, Finalize, FinalizeRefused, Key, Never, NotFound, Read, Refused,
    Reschedule, RescheduleRefused, Resume, Standing,
};
use crate::driver::{Action, Driver, Event};
use crate::limits::{Limits, secs};
use crate::transport::{ActorTransport, Unreachable, ask};

/// The flows, over the ports that they need.
#[derive(Clone)]
pub struct Flows {
    actors: Arc<dyn ActorTransport>,
    availability: Arc<dyn Availability>,
    clock: Arc<dyn Clock>,
    limits: Arc<Limits>,
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
        }
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
        self.begin(id, create).await
    }

    /// What a search would find, without anything being asked for.
    pub async fn search(&self, search: &Search) -> Found {
        self.availability.search(search).await
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
        // Nobody waits for the answer: what drives the outbox has time limits of its own.
        self.begin_until(id, Resume {}, Timestamp::MAX).await
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

    /// Puts a command to the booking, and drives it on from there.
    async fn begin<A, R>(
        &self,
        id: &BookingId,
        command: A,
    ) -> Result<Result<Booking, R>, Unreachable>
    where
        A: Ask<Answer = Result<Standing, R>>,
    {
        let deadline = self.clock.now() + secs(self.limits.match_secs);
        self.begin_until(id, command, deadline).await
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
            Ok(standing) => self.drive(standing, deadline).await.map(Ok),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Drives a booking until it rests, or until the caller must have an answer: then the booking
    /// stays where it is, and its timer has somebody go on.
    async fn drive(&self, standing: Standing, deadline: Timestamp) -> Result<Booking, Unreachable> {
        let mut driver = Driver::new(standing);
        while self.clock.now() < deadline {
            let event = match driver.action() {
                Action::Done => break,
                Action::Search => Event::Found(
                    self.availability
                        .search(&Search::of(driver.booking()))
                        .await,
                ),
                Action::Check(place) => {
                    Event::Checked(self.availability.check(driver.booking(), &place).await)
                }
                Action::Ask(actor, command) => {
                    Event::Replied(Box::new(self.actors.send(&actor, command).await?))
                }
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
}
