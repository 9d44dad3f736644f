//! `com.huddle.deleteOffer`

use huddle_lexicon::com::huddle::delete_offer::{DeleteOffer as Method, Error, Output};
use huddle_lexicon::com::huddle::office_hours::OfficeHours;
use huddle_lexicon::com::huddle::slot_offer::SlotOffer;
use huddle_syntax::schema::Record as _;
use huddle_syntax::{AtIdentifier, AtUri, Did};
use huddle_xrpc::server::{OrFault as _, Reply, Request};

use super::Huddle;
use super::idempotency::{self, Named};
use crate::com::huddle::delete_offer::DeleteOffer;

impl DeleteOffer for Huddle {
    async fn delete_offer(&self, request: Request<Method>) -> Reply<Method> {
        let Named { key, input } = idempotency::named(request)?;
        let caller = key.caller.clone();
        if !is_offer_of(&input.uri, &caller) {
            return Err(Error::OfferNotFound.into());
        }
        match self.offers.delete(&key, &input.uri).await.or_fault()? {
            Ok(()) => Ok(Output::default().into()),
            Err(refused) => Err(self.not_written(refused)),
        }
    }
}

/// Whether an address is that of an offer, or of office hours, in somebody's repo.
fn is_offer_of(uri: &AtUri, owner: &Did) -> bool {
    let collection = uri.collection();
    let collection = collection.as_ref().map(huddle_syntax::Nsid::as_str);
    uri.authority() == AtIdentifier::Did(owner.clone())
        && uri.rkey().is_some()
        && [Some(SlotOffer::NSID), Some(OfficeHours::NSID)].contains(&collection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_offers_and_office_hours_in_the_own_repo_can_be_deleted() {
        let owner: Did = "did:plc:anaanaanaanaanaanaanaana".parse().unwrap();
        for (uri, expect) in [
            (
                "at://did:plc:anaanaanaanaanaanaanaana/com.huddle.slotOffer/3kaaaaaaaaa22",
                true,
            ),
            (
                "at://did:plc:anaanaanaanaanaanaanaana/com.huddle.officeHours/3kaaaaaaaaa22",
                true,
            ),
            (
                "at://did:plc:bobbobbobbobbobbobbobbob/com.huddle.slotOffer/3kaaaaaaaaa22",
                false,
            ),
            (
                "at://did:plc:anaanaanaanaanaanaanaana/app.bsky.feed.post/3kaaaaaaaaa22",
                false,
            ),
            (
                "at://did:plc:anaanaanaanaanaanaanaana/com.huddle.slotOffer",
                false,
            ),
            ("at://did:plc:anaanaanaanaanaanaanaana", false),
            ("at://ana.test/com.huddle.slotOffer/3kaaaaaaaaa22", false),
        ] {
            assert_eq!(is_offer_of(&uri.parse().unwrap(), &owner), expect, "{uri}");
        }
    }
}
