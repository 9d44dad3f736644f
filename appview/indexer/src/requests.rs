//! Bookings of the requests that people publish: a `com.huddle.bookingRequest` record is enough to ask for a meeting.
//!
//! What is to be done stands in the index from the moment the record is taken over, so a process that dies over it
//! has another go on. It may then be done twice: the booking's id follows from the account and the record, and a
//! booking is asked for, and called off, once. What comes to nothing for a reason that passes is tried again.

mod departures;

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
/// So many requests of one account become bookings in a day.
const MOST_A_DAY: u32 = 20;
const DAY: Duration = Duration::from_hours(24);
/// After how long a request is tried again that was tried once in vain; each time it is twice as long, up to an hour.
const FIRST_REST: Duration = Duration::from_secs(5);
const LONGEST_REST: Duration = Duration::from_hours(1);
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
    /// So many requests, and accounts that were deleted, were settled; of these more may come up later.
    pub settled: usize,
    /// So many wait, for somebody who did not answer or for another time.
    pub waiting: usize,
}

/// What became of a request.
enum Verdict {
    /// This.
    Settled(State),
    /// It was asked, and nothing suits or may be known. Whatever the reason is, whoever asks may be told that much.
    Unmatched,
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

    /// Goes once through all that is to be done: what is taken back comes first, it makes room and asks no host. Of
    /// accounts that were deleted so much is done as one sweep may do.
    pub async fn sweep(&self) -> Result<Swept, IndexError> {
        let mut swept = Swept::default();
        self.sweep_all(State::Withdrawing, &mut swept).await?;
        self.sweep_departures(&mut swept).await?;
        self.sweep_all(State::New, &mut swept).await?;
        Ok(swept)
    }

    /// Goes once through the requests that stand like this, the longest known first.
    async fn sweep_all(&self, state: State, swept: &mut Swept) -> Result<(), IndexError> {
        let index = self.indexer.index();
        let mut last = None;
        loop {
            let open = requests::open(index, last.as_ref(), self.now(), PAGE).await?;
            let Some(end) = open.last().cloned() else {
                return Ok(());
            };
            last = Some(end);
            let guests: Vec<_> = by_guest(open.into_iter().filter(|it| it.state == state))
                .into_values()
                .map(|requests| self.sweep_guest(requests))
                .collect();
            let mut guests = stream::iter(guests).buffer_unordered(AT_A_TIME);
            while let Some(of_guest) = guests.try_next().await? {
                swept.settled += of_guest.settled;
                swept.waiting += of_guest.waiting;
            }
        }
    }

    /// Goes through requests of one guest, one after the other, as each counts for the next.
    async fn sweep_guest(&self, requests: Vec<Request>) -> Result<Swept, IndexError> {
        let mut swept = Swept::default();
        for request in &requests {
            if self.settle(request).await? {
                swept.settled += 1;
            } else {
                swept.waiting += 1;
            }
        }
        Ok(swept)
    }

    /// Does what is to be done of a request. Says whether that is settled.
    async fn settle(&self, request: &Request) -> Result<bool, IndexError> {
        let (index, now) = (self.indexer.index(), self.now());
        let verdict = match request.state {
            State::Withdrawing => self.withdraw(request).await,
            _ if !requests::begin(index, request, now + rest_after(request.tries)).await? => {
                return Ok(true);
            }
            _ => self.ask(request).await?,
        };
        let verdict = match verdict {
            Verdict::Waiting if request.state == State::New && self.is_given_up(request, now) => {
                Verdict::Refused("noAnswerInTime")
            }
            verdict => verdict,
        };
        let guest = request.guest.as_str();
        let note = |kind, why| audit::note(guest, now, kind, why);
        let statements = match verdict {
            Verdict::Settled(state) => vec![requests::settle(request, state)],
            Verdict::Unmatched => vec![
                requests::settle(request, State::Asked),
                note("requestUnmatched", ""),
            ],
            Verdict::Refused(why) => vec![
                requests::settle(request, State::Ignored),
                note("requestIgnored", why),
            ],
            Verdict::Waiting => return Ok(false),
        };
        index.batch(statements).await?;
        Ok(true)
    }

    /// Whether a request has waited for as long as it may.
    fn is_given_up(&self, request: &Request, now: Timestamp) -> bool {
        let patience = Duration::from_secs(self.flows.limits().record_secs.into());
        request.first_seen + patience <= now
    }

    async fn ask(&self, request: &Request) -> Result<Verdict, IndexError> {
        let asked = match self.admit(request).await? {
            Ok(asked) => asked,
            Err(verdict) => return Ok(verdict),
        };
        let id = self.id(request);
        let requested = self.flows.request(&id, asked, request.version.clone());
        Ok(match requested.await {
            Ok(Ok(booking)) if booking.phase == Phase::Unmatched => match booking.unmatched {
                Some(why) if why.is_retryable() => Verdict::Waiting,
                _ => Verdict::Unmatched,
            },
            Ok(Ok(_) | Err(CreateRefused::Mismatch)) => Verdict::Settled(State::Asked),
            // Another driver has it, or its timer finds one: what it comes to is asked for later.
            Ok(Err(CreateRefused::InFlight { .. })) | Err(Unreachable { .. }) => Verdict::Waiting,
        })
    }

    /// What a request asks for, if it is to become a booking.
    async fn admit(&self, request: &Request) -> Result<Result<Asked, Verdict>, IndexError> {
        let now = self.now();
        let Ok(record) = BookingRequest::from_json(request.record.as_bytes()) else {
            return Ok(Err(Verdict::Refused("invalid")));
        };
        if let Some(why) = untimely(&record, request.first_seen) {
            return Ok(Err(Verdict::Refused(why)));
        }
        let Ok(constraints) = constraints::read(Some(&record.constraints)) else {
            return Ok(Err(Verdict::Refused("contradictoryConstraints")));
        };
        if constraints.latest.is_some_and(|latest| latest <= now) {
            return Ok(Err(Verdict::Refused("latestHasPassed")));
        }
        // Before anybody is asked: who waits for hosts that never answer has as many requests a day as anybody.
        let others = requests::others_since(self.indexer.index(), request, now - DAY);
        if others.await? >= MOST_A_DAY {
            return Ok(Err(Verdict::Refused("tooManyInADay")));
        }
        match self.server_of(request).await? {
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
    async fn server_of(&self, request: &Request) -> Result<Result<Did, Verdict>, IndexError> {
        let met = self.indexer.meet(&request.host).await?;
        if let Some(appview) = services::of(self.indexer.index(), &request.host).await? {
            return Ok(Ok(appview));
        }
        let is_unclear = match met {
            Met::Untold(_) => true,
            Met::Nothing => false,
            Met::Known | Met::Indexed(_) => self.is_unfetched(&request.host).await?,
        };
        Ok(Err(if is_unclear {
            Verdict::Waiting
        } else {
            Verdict::Settled(State::Ignored)
        }))
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

    /// The id of the booking of a request, which is another one in each round.
    fn id(&self, request: &Request) -> BookingId {
        let Request {
            uri,
            version,
            round,
            ..
        } = request;
        let key = match round {
            0 => format!("{uri} {version}"),
            _ => format!("{uri} {version} {round}"),
        };
        self.ids
            .of_request(&request.guest, BookingRequest::NSID, &key)
    }

    fn now(&self) -> Timestamp {
        self.indexer.ports.clock.now()
    }
}

/// Why a request that is first seen at this moment is ignored, if that is because of when it was made.
pub(crate) fn untimely(request: &BookingRequest, first_seen: Timestamp) -> Option<&'static str> {
    let created = Timestamp::from_millis(request.created_at.timestamp_millis());
    if created + SEEN_WITHIN < first_seen {
        return Some("seenTooLate");
    }
    (first_seen + AHEAD < created).then_some("createdInTheFuture")
}

/// How long a request rests that was tried so often before this time.
fn rest_after(tries: u32) -> Duration {
    FIRST_REST
        .saturating_mul(1 << tries.min(12))
        .min(LONGEST_REST)
}

fn by_guest(requests: impl Iterator<Item = Request>) -> BTreeMap<Did, Vec<Request>> {
    let mut by_guest: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for request in requests {
        let guest = request.guest.clone();
        by_guest.entry(guest).or_default().push(request);
    }
    by_guest
}
