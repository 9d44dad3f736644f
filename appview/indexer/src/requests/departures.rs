//! What is left of people whose accounts are deleted: their meetings are called off, as they would call them off, and how
//! they wanted to be booked is forgotten.

use std::time::Duration;

use huddle_core::Unreachable;
use huddle_core::booking::{BookingId, Refused};
use huddle_core::idempotency::Key;
use huddle_core::index::IndexError;
use huddle_core::index::departures::{self, Departure};
use huddle_ports::Timestamp;

use super::{Requests, Swept};

/// So many accounts are looked at in one sweep.
const ACCOUNTS: u32 = 8;
/// So many meetings of each are called off in one sweep.
const BOOKINGS: u32 = 50;
/// For how long meetings of a deleted account may still come up: word of a booking is given up after eight hours, and
/// whoever asked with a token of the account has had their answer long before.
const WATCHED: Duration = Duration::from_hours(24);
/// Between two passes over what an account has is as much time as has gone by since it was deleted: no less than this, as
/// most of what is late is late by seconds, and no more than that.
const SHORTEST_REST: Duration = Duration::from_mins(1);
const LONGEST_REST: Duration = Duration::from_hours(1);

impl Requests {
    /// Goes on with accounts that were deleted.
    pub(super) async fn sweep_departures(&self, swept: &mut Swept) -> Result<(), IndexError> {
        for departure in departures::open(self.indexer.index(), self.now(), ACCOUNTS).await? {
            if self.leave(&departure).await? {
                swept.settled += 1;
            } else {
                swept.waiting += 1;
            }
        }
        Ok(())
    }

    /// Goes on with an account. Says whether nothing is left to do by now.
    async fn leave(&self, departure: &Departure) -> Result<bool, IndexError> {
        let now = self.now();
        let (last, is_all) = self.call_off(departure, now).await?;
        // What they have put in meanwhile is forgotten with each pass.
        let is_passed = is_all && self.flows.erase(&departure.did).await.is_ok();
        let statement = if !is_passed {
            departures::go_on(departure, last.as_ref(), now)
        } else if departure.since + WATCHED <= departure.pass {
            departures::end(departure)
        } else {
            departures::pass_again(departure, now + rest(departure, now))
        };
        self.indexer.index().batch(vec![statement]).await?;
        Ok(is_passed)
    }

    /// Calls bookings of an account off, in the order of their ids. Says up to which one all are, if up to any, and whether
    /// the pass is at its end.
    async fn call_off(
        &self,
        departure: &Departure,
        now: Timestamp,
    ) -> Result<(Option<BookingId>, bool), IndexError> {
        let index = self.indexer.index();
        let mut ids = departures::bookings(index, departure, now, BOOKINGS).await?;
        let is_full = ids.len() == usize::try_from(BOOKINGS).unwrap_or(usize::MAX);
        let mut done = 0;
        for (place, id) in ids.iter().enumerate() {
            // One that does not answer holds up no other; the next sweep begins with it.
            if self.is_called_off(departure, id).await && done == place {
                done += 1;
            }
        }
        let is_all = done == ids.len() && !is_full;
        ids.truncate(done);
        Ok((ids.pop(), is_all))
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

/// How long a departure rests between two passes.
fn rest(departure: &Departure, now: Timestamp) -> Duration {
    let gone = now.since(departure.since);
    gone.clamp(SHORTEST_REST, LONGEST_REST)
}
