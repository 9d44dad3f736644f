//! Bookings of the requests that people publish: a `com.huddle.bookingRequest` record is enough to ask for a meeting.
//!
//! What is to be done stands in the index from the moment the record is taken over, so a process that dies over it
//! has another go on. It may then be done twice: the booking's id follows from the account and the record, and a
//! booking is asked for, and called off, once.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use huddle_core::Unreachable;
use huddle_core::booking::{
    Asked, Booking, BookingId, BookingIds, CreateRefused, NotFound, Phase, Refused,
};
use huddle_core::constraints;
use huddle_core::flows::Flows;
use huddle_core::idempotency::Key;
use huddle_core::index::repos::{self, Hosting};
use huddle_core::index::requests::{self, Request, State};
use huddle_core::index::{IndexError, audit, services};
use huddle_lexicon::com::huddle::booking_request::BookingRequest;
use huddle_ports::Timestamp;
use huddle_syntax::Did;
use huddle_syntax::schema::{Data as _, Record as _};

use crate::{Indexer, Met};

/// A request that is first seen later than this after it was made is ignored.
const SEEN_WITHIN: Duration = Duration::from_hours(24);
/// One that was made later than this after it was first seen is ignored: by its own word it would never be too late.
const AHEAD: Duration = Duration::from_mins(5);
/// For how long it is tried to find out who serves the host.
const ASKED_WITHIN: Duration = Duration::from_hours(24);
/// So many requests of one account become bookings in a day.
const MOST_A_DAY: u32 = 20;
const DAY: Duration = Duration::from_hours(24);
/// So many requests are read at once.
const PAGE: u32 = 100;
/// The requests of so many guests are gone through at a time.
const AT_A_TIME: usize = 8;

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

    /// Goes once through all that is to be done: what is taken back comes first, it makes room and asks no host.
    pub async fn sweep(&self) -> Result<Swept, IndexError> {
        let mut swept = Swept::default();
        for state in [State::Withdrawing, State::New] {
            self.sweep_all(state, &mut swept).await?;
        }
        Ok(swept)
    }

    /// Goes once through the requests that stand like this, the longest known first.
    async fn sweep_all(&self, state: State, swept: &mut Swept) -> Result<(), IndexError> {
        let index = self.indexer.index();
        let mut waiting: BTreeMap<Did, u32> = BTreeMap::new();
        let mut last = None;
        loop {
            let open = requests::open(index, last.as_ref(), PAGE).await?;
            let Some(end) = open.last().cloned() else {
                return Ok(());
            };
            last = Some(end);
            let guests: Vec<_> = by_guest(open.into_iter().filter(|it| it.state == state))
                .into_iter()
                .map(|(guest, requests)| {
                    let earlier = waiting.get(&guest).copied().unwrap_or(0);
                    self.sweep_guest(guest, requests, earlier)
                })
                .collect();
            let mut guests = stream::iter(guests).buffer_unordered(AT_A_TIME);
            while let Some((guest, of_guest)) = guests.try_next().await? {
                swept.settled += of_guest.settled;
                swept.waiting += of_guest.waiting;
                let still: u32 = of_guest.waiting.try_into().unwrap_or(u32::MAX);
                let waiting = waiting.entry(guest).or_default();
                *waiting = waiting.saturating_add(still);
            }
        }
    }

    /// Goes through requests of one guest, of whom so many earlier ones are waiting. They come one after the other, as
    /// each counts for the next.
    async fn sweep_guest(
        &self,
        guest: Did,
        requests: Vec<Request>,
        earlier: u32,
    ) -> Result<(Did, Swept), IndexError> {
        let (mut swept, mut waiting) = (Swept::default(), earlier);
        for request in &requests {
            if self.settle(request, waiting).await? {
                swept.settled += 1;
            } else {
                swept.waiting += 1;
                waiting = waiting.saturating_add(1);
            }
        }
        Ok((guest, swept))
    }

    /// Does what is to be done of a request, while so many earlier ones of its guest wait. Says whether that is settled.
    async fn settle(&self, request: &Request, earlier: u32) -> Result<bool, IndexError> {
        let verdict = match request.state {
            State::Withdrawing => self.withdraw(request).await,
            _ => self.ask(request, earlier).await?,
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

    async fn ask(&self, request: &Request, earlier: u32) -> Result<Verdict, IndexError> {
        let asked = match self.admit(request, earlier).await? {
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
    async fn admit(
        &self,
        request: &Request,
        earlier: u32,
    ) -> Result<Result<Asked, Verdict>, IndexError> {
        let now = self.now();
        let Ok(record) = BookingRequest::from_json(request.record.as_bytes()) else {
            return Ok(Err(Verdict::Refused("invalid")));
        };
        let created = Timestamp::from_millis(record.created_at.timestamp_millis());
        if created + SEEN_WITHIN < request.first_seen {
            return Ok(Err(Verdict::Refused("seenTooLate")));
        }
        if request.first_seen + AHEAD < created {
            return Ok(Err(Verdict::Refused("createdInTheFuture")));
        }
        let Ok(constraints) = constraints::read(Some(&record.constraints)) else {
            return Ok(Err(Verdict::Refused("contradictoryConstraints")));
        };
        if constraints.latest.is_some_and(|latest| latest <= now) {
            return Ok(Err(Verdict::Refused("latestHasPassed")));
        }
        // Before anybody is asked: who waits for hosts that never answer has as many requests a day as anybody.
        let others = requests::others_since(self.indexer.index(), request, now - DAY);
        if others.await?.saturating_add(earlier) >= MOST_A_DAY {
            return Ok(Err(Verdict::Refused("tooManyInADay")));
        }
        match self.server_of(request, now).await? {
            Ok(appview) if appview == self.service => {}
            Ok(_) => return Ok(Err(Verdict::Settled(State::Ignored))),
            Err(verdict) => return Ok(Err(verdict)),
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
        let is_unclear = match met {
            Met::Untold(_) => true,
            Met::Nothing => false,
            Met::Known | Met::Indexed(_) => self.is_unfetched(&request.host).await?,
        };
        Ok(Err(
            if is_unclear && now < request.first_seen + ASKED_WITHIN {
                Verdict::Waiting
            } else {
                Verdict::Settled(State::Ignored)
            },
        ))
    }

    /// Whether the repository of an account is still to be fetched, so that what it says of a host may be missing.
    async fn is_unfetched(&self, host: &Did) -> Result<bool, IndexError> {
        let repo = repos::of(self.indexer.index(), host.as_str()).await?;
        Ok(repo.is_some_and(|it| it.data.is_none() && it.hosting != Hosting::Deleted))
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

fn by_guest(requests: impl Iterator<Item = Request>) -> BTreeMap<Did, Vec<Request>> {
    let mut by_guest: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for request in requests {
        let guest = request.guest.clone();
        by_guest.entry(guest).or_default().push(request);
    }
    by_guest
}
