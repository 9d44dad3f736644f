//! `com.huddle.match`

use huddle_core::booking::{Asked, Booking, CreateRefused, NoMatch, NotFound, Phase, Waiting};
use huddle_lexicon::com::huddle::defs::BookingStatus;
use huddle_lexicon::com::huddle::r#match::{Error, Input, Match as Method, Output};
use huddle_ports::metrics;
use huddle_syntax::Did;
use huddle_syntax::schema::ErrorName as _;
use huddle_xrpc::server::{Failure, OrFault as _, Refusal, Reply, Request};

use super::constraints::{self, BOTH};
use super::idempotency::{self, Named};
use super::{Huddle, view};
use crate::com::huddle::r#match::Match;

/// Stands for the method in the id of a dry run, so that it is no booking's: what a booking holds does not
/// count against itself.
const REHEARSAL: &str = "com.huddle.match#dryRun";

impl Match for Huddle {
    async fn r#match(&self, request: Request<Method>) -> Reply<Method> {
        let began = self.clock.now();
        let reply = self.answer(request).await;
        let took = self.clock.now().since(began).as_secs_f64();
        let outcome = outcome(&reply);
        self.metrics.count(&metrics::MATCHES, &[outcome]);
        if outcome == HELD {
            self.metrics.record(&metrics::MATCH_SECONDS, &[], took);
        }
        reply
    }
}

const HELD: &str = "held";

/// One word for what came of a match.
fn outcome(reply: &Reply<Method>) -> &'static str {
    match reply {
        Ok(answer) => match &answer.output.booking {
            Some(booking) if booking.status == BookingStatus::Pending => "pending",
            Some(_) => HELD,
            None => "tried",
        },
        Err(Failure::Refused(refusal)) => refusal.error().name(),
        Err(Failure::Generic(_)) => "refused",
        Err(Failure::Fault(_)) => "failed",
    }
}

/// Whether a request may have been in order when it came for the first time, which is refused so.
fn may_have_arisen_since(error: Error) -> bool {
    matches!(error, Error::InvalidSlotToken | Error::ServedElsewhere)
}

impl Huddle {
    async fn answer(&self, request: Request<Method>) -> Reply<Method> {
        let flows = self.flows(&request);
        let Named { key, input } = idempotency::named(request)?;
        let id = self.ids.of_request(&key.caller, &key.method, &key.key);
        let is_dry_run = input.dry_run_or_default();
        let asked = match self.asked(&key.caller, &input).await {
            // What this request began before is told all the same. A dry run begins nothing.
            Err(Failure::Refused(refusal))
                if !is_dry_run && may_have_arisen_since(refusal.error()) =>
            {
                let begun = flows.read(&id, Some(key.caller.clone()));
                let begun = begun.await.or_fault()?;
                begun.map_err(|NotFound| refusal)?.asked
            }
            asked => asked?,
        };
        if is_dry_run {
            let id = self.ids.of_request(&key.caller, REHEARSAL, &key.key);
            let booking = flows.rehearse(&id, asked).await.or_fault()?;
            return self.tried_out(&booking);
        }
        let requested = flows.request(&id, asked, key.body_hash);
        match requested.await.or_fault()? {
            Ok(booking) => self.matched(&booking),
            Err(CreateRefused::Mismatch) => Err(Self::mismatch()),
            Err(CreateRefused::InFlight { retry_at }) => Err(self.in_flight(retry_at)),
        }
    }

    async fn asked(&self, guest: &Did, input: &Input) -> Result<Asked, Failure<Error>> {
        if input.host_did == *guest {
            return Err(Error::SelfBooking.into());
        }
        let constraints = match (&input.slot_token, &input.constraints) {
            (None, wishes) => constraints::read(wishes.as_ref())
                .map_err(|problem| Failure::refused(Error::InvalidConstraints, problem.0))?,
            (Some(token), None) => {
                let chosen = self.slots.chosen(token, &input.host_did, guest).ok();
                let chosen = chosen.filter(|it| self.clock.now() < it.expires);
                chosen.ok_or(Error::InvalidSlotToken)?.into()
            }
            (Some(_), Some(_)) => return Err(Failure::refused(Error::InvalidConstraints, BOTH)),
        };
        if self.is_served_elsewhere(&input.host_did).await? {
            return Err(Error::ServedElsewhere.into());
        }
        Ok(Asked {
            host: input.host_did.clone(),
            guest: guest.clone(),
            constraints,
            offer: input.offer_uri.clone(),
            note: input.note.clone(),
            request: None,
            accepted: false,
        })
    }

    fn matched(&self, booking: &Booking) -> Reply<Method> {
        if booking.phase == Phase::Unmatched {
            return Err(self.unmatched(booking.unmatched));
        }
        let view = view::booking(booking).or_fault()?;
        let mut output = Output::new(view.guest_side.clone());
        output.booking = Some(view);
        Ok(output.into())
    }

    fn tried_out(&self, booking: &Booking) -> Reply<Method> {
        if let Some(retry_at) = booking.in_flight() {
            return Err(self.in_flight(retry_at));
        }
        match &booking.phase {
            Phase::Unmatched => Err(self.unmatched(booking.unmatched)),
            // There is nothing to wait for it.
            Phase::Pending {
                waiting: Waiting::Calendar,
                ..
            } => Err(Error::CalendarUnavailable.into()),
            _ => Ok(Output::new(view::booking(booking).or_fault()?.guest_side).into()),
        }
    }

    fn unmatched(&self, why: Option<NoMatch>) -> Failure<Error> {
        match why {
            Some(NoMatch::CalendarUnavailable) => Error::CalendarUnavailable.into(),
            Some(NoMatch::TooManyHolds { retry_at }) => {
                let refusal = Refusal::new(
                    Error::TooManyHolds,
                    "finalize or cancel what is held, or wait",
                );
                refusal
                    .with_retry_after(self.seconds_until(retry_at))
                    .into()
            }
            Some(NoMatch::NoSlot | NoMatch::SlotTaken) | None => Error::NoSlot.into(),
        }
    }
}
