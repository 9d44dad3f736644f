//! What is left of people whose accounts are deleted: their meetings are called off, as they would call them off, and how
//! they wanted to be booked is forgotten.

use huddle_core::Unreachable;
use huddle_core::booking::{BookingId, Refused};
use huddle_core::idempotency::Key;
use huddle_core::index::IndexError;
use huddle_core::index::departures::{self, Departure};

use super::{Requests, Swept};

/// So many accounts are looked at in one sweep.
const ACCOUNTS: u32 = 8;
/// So many meetings of each are called off in one sweep.
const BOOKINGS: u32 = 50;

impl Requests {
    /// Goes on with accounts that were deleted.
    pub(super) async fn sweep_departures(&self, swept: &mut Swept) -> Result<(), IndexError> {
        for departure in departures::open(self.indexer.index(), ACCOUNTS).await? {
            if self.leave(&departure).await? {
                swept.settled += 1;
            } else {
                swept.waiting += 1;
            }
        }
        Ok(())
    }

    /// Goes on with an account. Says whether nothing is left to do.
    async fn leave(&self, departure: &Departure) -> Result<bool, IndexError> {
        let index = self.indexer.index();
        let ids = departures::bookings(index, departure, self.now(), BOOKINGS).await?;
        let mut done = 0;
        for (place, id) in ids.iter().enumerate() {
            // One that does not answer holds up no other; the next sweep begins with it.
            if self.is_called_off(departure, id).await && done == place {
                done += 1;
            }
        }
        if let Some(last) = ids[..done].last() {
            index
                .batch(vec![departures::go_on(departure, last)])
                .await?;
        }
        if done < ids.len() || ids.len() == usize::try_from(BOOKINGS).unwrap_or(usize::MAX) {
            return Ok(false);
        }
        if self.flows.erase(&departure.did).await.is_err() {
            return Ok(false);
        }
        index.batch(vec![departures::end(departure)]).await?;
        Ok(true)
    }

    /// Calls a booking off for somebody whose account is deleted. Says whether that is done.
    async fn is_called_off(&self, departure: &Departure, id: &BookingId) -> bool {
        let key = Key {
            caller: departure.did.clone(),
            method: "accountDeleted".to_owned(),
            key: "cancel".to_owned(),
            body_hash: String::new(),
        };
        match self.flows.cancel(id, key, None).await {
            Ok(Ok(_) | Err(Refused::NotFound | Refused::Mismatch)) => true,
            Ok(Err(Refused::InFlight { .. })) | Err(Unreachable { .. }) => false,
            Ok(Err(Refused::Because(never))) => match never {},
        }
    }
}
