//! `com.huddle.createOffer`

use huddle_core::matching;
use huddle_lexicon::com::huddle::create_offer::{CreateOffer as Method, Error, Output};
use huddle_lexicon::com::huddle::office_hours::OfficeHours;
use huddle_lexicon::com::huddle::slot_offer::SlotOffer;
use huddle_syntax::Nsid;
use huddle_syntax::data::{Map, Value};
use huddle_syntax::schema::{Data, Record};
use huddle_xrpc::server::{Failure, OrFault as _, Reply, Request};

use super::Huddle;
use super::idempotency::{self, Named};
use crate::com::huddle::create_offer::CreateOffer;

impl CreateOffer for Huddle {
    async fn create_offer(&self, request: Request<Method>) -> Reply<Method> {
        let Named { key, input } = idempotency::named(request)?;
        let caller = key.caller.clone();
        let collection = collection(&input.record)?;
        if self.is_served_elsewhere(&caller).await? {
            return Err(Error::ServedElsewhere.into());
        }
        let created = self.offers.create(&key, &collection, &input.record);
        match created.await.or_fault()? {
            Ok((uri, cid)) => Ok(Output::new(uri, cid).into()),
            Err(refused) => Err(self.not_written(refused)),
        }
    }
}

/// The collection of a record that offers something.
fn collection(record: &Map) -> Result<Nsid, Failure<Error>> {
    match record.get("$type") {
        Some(Value::String(kind)) if kind == SlotOffer::NSID => {
            checked(record, |offer| matching::slot_offer(offer).is_some())
        }
        Some(Value::String(kind)) if kind == OfficeHours::NSID => {
            checked(record, |offer| matching::office_hours(offer).is_some())
        }
        _ => Err(invalid("its $type is neither of the two")),
    }
}

fn checked<R: Record + Data>(
    record: &Map,
    offers: impl FnOnce(&R) -> bool,
) -> Result<Nsid, Failure<Error>> {
    let record = R::from_value(&Value::Map(record.clone()));
    let record = record.map_err(|problem| invalid(&problem.to_string()))?;
    if !offers(&record) {
        return Err(invalid(
            "it ends before it starts, or a time zone or date is unknown",
        ));
    }
    R::NSID.parse().or_fault()
}

fn invalid(problem: &str) -> Failure<Error> {
    Failure::refused(Error::InvalidOffer, problem.to_owned())
}
