//! Bookings of the requests that people publish: a `com.huddle.bookingRequest` record is enough to ask for a meeting.
//!
//! What is to be done stands in the index from the moment the record is taken over, so a process that dies over it
//! has another go on. It may then be done twice: the booking's id follows from the account and the record, and a
//! booking is asked for, and called off, once.

use std::time::Duration;

use huddle_core::Unreachable;
use huddle_core::booking::{
    Asked, Booking, BookingId, BookingIds, CreateRefused, NotFound, Phase, Refused,
};
use huddle_core::constraints;
use huddle_core::flows::Flows;
use huddle_core::idempotency::Key;
use huddle_core::index::requests::{self, Request, State};
use huddle_core::index::{IndexError, audit, services};
use huddle_lexicon::com::huddle::booking_request::BookingRequest;
use huddle_ports::Timestamp;
use huddle_syntax::Did;
use huddle_syntax::schema::{Data as _, Record as _};

use crate::Indexer;

/// A request that is first seen later than this after it was made is ignored.
const SEEN_WITHIN: Duration = Duration::from_hours(24);
/// For how long it is tried to find out who serves the host.
const ASKED_WITHIN: Duration = Duration::from_hours(24);
/// So many requests of one account become bookings in a day.
const MOST_A_DAY: u32 = 20;
const DAY: Duration = Duration::from_hours(24);
/// So many requests are read at once.
const PAGE: u32 = 100;

/// Makes bookings of requests that are records, for the hosts that one AppView serves.
///
/// One of these is to run at a time: two could call a booking off and ask for it in either order.
#[derive(Clone, Debug)]
pub struct Requests {
    indexer: Indexer,
    flows: Flows,
    ids: BookingIds,
    service: Did,
}

/// What came of going through what is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// So many requests were settled.
    pub settled: usize,
    /// So many wait for somebody who did not answer.
    pub waiting: usize,
}

/// What became of a request.
enum Verdict {
    /// This.
    Settled(State),
    /// It is ignored, and whoever asks may be told why.
    Refused(&'static str),
    /// Nothing yet.
    Waiting,
}

impl Requests {
    /// Asks `flows` for what the index holds of the hosts that `service` serves. `ids` names the bookings.
    pub fn new(indexer: Indexer, flows: Flows, ids: BookingIds, service: Did) -> Self {
        Self {
            indexer,
            flows,
            ids,
            service,
        }
    }

    /// Goes once through all that is to be done.
    pub async fn sweep(&self) -> Result<Swept, IndexError> {
        let index = self.indexer.index();
        let (mut swept, mut last) = (Swept::default(), None);
        loop {
            let open = requests::open(index, last.as_ref(), PAGE).await?;
            for request in &open {
                if self.settle(request).await? {
                    swept.settled += 1;
                } else {
                    swept.waiting += 1;
                }
            }
            last = open.into_iter().next_back();
            if last.is_none() {
                return Ok(swept);
            }
        }
    }

    /// Does what is to be done of a request. Says whether that is settled.
    async fn settle(&self, request: &Request) -> Result<bool, IndexError> {
        let verdict = match request.state {
            State::Withdrawing => self.withdraw(request).await,
            _ => self.ask(request).await?,
        };
        let (state, refused) = match verdict {
            Verdict::Settled(state) => (state, None),
            Verdict::Refused(why) => (State::Ignored, Some(why)),
            Verdict::Waiting => return Ok(false),
        };
        let mut statements = vec![requests::settle(request, state)];
        if let Some(why) = refused {
            let now = self.now();
            let guest = request.guest.as_str();
            statements.push(audit::note(guest, now, "requestIgnored", why));
        }
        self.indexer.index().batch(statements).await?;
        Ok(true)
    }

    async fn ask(&self, request: &Request) -> Result<Verdict, IndexError> {
        let asked = match self.admit(request).await? {
            Ok(asked) => asked,
            Err(verdict) => return Ok(verdict),
        };
        let id = self.id(request);
        let requested = self.flows.request(&id, asked, request.version.clone());
        Ok(match requested.await {
            // What is in flight another driver has, or its timer finds one.
            Ok(Ok(_) | Err(CreateRefused::Mismatch | CreateRefused::InFlight { .. })) => {
                Verdict::Settled(State::Asked)
            }
            Err(Unreachable { .. }) => Verdict::Waiting,
        })
    }

    /// What a request asks for, if it is to become a booking.
    async fn admit(&self, request: &Request) -> Result<Result<Asked, Verdict>, IndexError> {
        let now = self.now();
        let Ok(record) = BookingRequest::from_json(request.record.as_bytes()) else {
            return Ok(Err(Verdict::Refused("invalid")));
        };
        let created = Timestamp::from_millis(record.created_at.timestamp_millis());
        if created + SEEN_WITHIN < request.first_seen {
            return Ok(Err(Verdict::Refused("seenTooLate")));
        }
        let Ok(constraints) = constraints::read(Some(&record.constraints)) else {
            return Ok(Err(Verdict::Refused("contradictoryConstraints")));
        };
        if constraints.latest.is_some_and(|latest| latest <= now) {
            return Ok(Err(Verdict::Refused("latestHasPassed")));
        }
        match self.server_of(request, now).await? {
            Ok(appview) if appview == self.service => {}
            Ok(_) => return Ok(Err(Verdict::Settled(State::Ignored))),
            Err(verdict) => return Ok(Err(verdict)),
        }
        let others = requests::others_since(self.indexer.index(), request, now - DAY);
        if others.await? >= MOST_A_DAY {
            return Ok(Err(Verdict::Refused("tooManyInADay")));
        }
        Ok(Ok(Asked {
            host: request.host.clone(),
            guest: request.guest.clone(),
            constraints,
            offer: record.offer_uri,
            note: record.note,
            request: Some(request.uri.clone()),
            accepted: true,
        }))
    }

    /// Who serves the host.
    async fn server_of(
        &self,
        request: &Request,
        now: Timestamp,
    ) -> Result<Result<Did, Verdict>, IndexError> {
        let met = self.indexer.meet(&request.host).await?;
        if let Some(appview) = services::of(self.indexer.index(), &request.host).await? {
            return Ok(Ok(appview));
        }
        let is_unclear = matches!(met, crate::Met::Untold(_));
        Ok(Err(
            if is_unclear && now < request.first_seen + ASKED_WITHIN {
                Verdict::Waiting
            } else {
                Verdict::Settled(State::Ignored)
            },
        ))
    }

    /// Calls the booking of a request off, unless the meeting has begun.
    async fn withdraw(&self, request: &Request) -> Verdict {
        let id = self.id(request);
        let booking = match self.flows.read(&id, None).await {
            Ok(Ok(booking)) => booking,
            Ok(Err(NotFound)) => return Verdict::Settled(State::Withdrawn),
            Err(Unreachable { .. }) => return Verdict::Waiting,
        };
        if self.is_over(&booking) {
            return Verdict::Settled(State::Withdrawn);
        }
        let key = Key {
            caller: request.guest.clone(),
            method: BookingRequest::NSID.to_owned(),
            key: "withdraw".to_owned(),
            body_hash: request.version.clone(),
        };
        match self.flows.cancel(&id, key, None).await {
            Ok(Ok(_) | Err(Refused::Mismatch)) => Verdict::Settled(State::Withdrawn),
            // While it is being decided whether there is a booking at all, there is none.
            Ok(Err(Refused::NotFound | Refused::InFlight { .. })) | Err(Unreachable { .. }) => {
                Verdict::Waiting
            }
            Ok(Err(Refused::Because(never))) => match never {},
        }
    }

    /// Whether there is nothing to call off any more.
    fn is_over(&self, booking: &Booking) -> bool {
        match &booking.phase {
            Phase::Confirmed { place, .. } => place.slot.start() <= self.now(),
            Phase::Pending { .. } | Phase::Held { .. } | Phase::Finalizing { .. } => false,
            _ => true,
        }
    }

    fn id(&self, request: &Request) -> BookingId {
        let key = format!("{} {}", request.uri, request.version);
        self.ids
            .of_request(&request.guest, BookingRequest::NSID, &key)
    }

    fn now(&self) -> Timestamp {
        self.indexer.ports.clock.now()
    }
}
