//! `com.huddle.match`

use huddle_core::availability::{Found, Search};
use huddle_core::booking::{Asked, Booking, CreateRefused, NoMatch, Phase};
use huddle_lexicon::com::huddle::r#match::{Error, Input, Match as Method, Output};
use huddle_syntax::Did;
use huddle_xrpc::server::{Failure, OrFault as _, Refusal, Reply, Request};

use super::{Huddle, constraints, idempotency, view};
use crate::com::huddle::r#match::Match;

impl Match for Huddle {
    async fn r#match(&self, request: Request<Method>) -> Reply<Method> {
        let guest = request.caller()?.did.clone();
        let mut input = request.input;
        let key = input.idempotency_key.take();
        let key = idempotency::key::<Method>(&request.headers, &guest, key, &input)?;
        let asked = asked(guest, &input)?;
        if input.dry_run_or_default() {
            return self.probe(asked).await;
        }
        let id = self.ids.of_request(&key.caller, &key.method, &key.key);
        let booking = match self
            .flows
            .request(&id, asked, key.body_hash)
            .await
            .or_fault()?
        {
            Ok(booking) => booking,
            Err(CreateRefused::Mismatch) => return Err(Self::mismatch()),
            Err(CreateRefused::InFlight { retry_at }) => return Err(self.in_flight(retry_at)),
        };
        self.matched(&booking)
    }
}

fn asked(guest: Did, input: &Input) -> Result<Asked, Failure<Error>> {
    if input.host_did == guest {
        return Err(Error::SelfBooking.into());
    }
    // No host lists slots here yet, so no token is ours.
    if input.slot_token.is_some() {
        return Err(Error::InvalidSlotToken.into());
    }
    let constraints = constraints::read(input.constraints.as_ref())
        .map_err(|problem| Failure::refused(Error::InvalidConstraints, problem.0))?;
    Ok(Asked {
        host: input.host_did.clone(),
        guest,
        constraints,
        offer: input.offer_uri.clone(),
        note: input.note.clone(),
        request: None,
        accepted: false,
    })
}

impl Huddle {
    async fn probe(&self, asked: Asked) -> Reply<Method> {
        let search = Search {
            host: asked.host,
            guest: asked.guest,
            constraints: asked.constraints,
            offer: asked.offer,
            approved: false,
            booking: None,
        };
        let guest_side = match self.flows.search(&search).await {
            Found::Proposals(proposals) => match proposals.first() {
                Some(best) => best.place.terms.guest_side,
                None => return Err(Error::NoSlot.into()),
            },
            Found::NeedsApproval(terms) => terms.guest_side,
            Found::Unreadable | Found::Delayed => return Err(Error::CalendarUnavailable.into()),
        };
        Ok(Output::new(view::guest_side(guest_side)).into())
    }

    fn matched(&self, booking: &Booking) -> Reply<Method> {
        if booking.phase == Phase::Unmatched {
            return Err(match booking.unmatched {
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
            });
        }
        let view = view::booking(booking).or_fault()?;
        let mut output = Output::new(view.guest_side.clone());
        output.booking = Some(view);
        Ok(output.into())
    }
}
