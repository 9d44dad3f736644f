//! Guests who have named another AppView: their calendars are its affair.

use huddle_core::Interval;
use huddle_core::matching::Busy;
use huddle_lexicon::com::huddle::defs::GuestSide;
use huddle_lexicon::com::huddle::{finalize, r#match as matching};
use huddle_xrpc::client::ClientError;

use crate::published::{self, name_service};
use crate::server::{Server, did, tomorrow};

/// What a match comes to: which side was looked at, and the booking.
async fn ask(server: &Server, guest: &str) -> Result<(GuestSide, String), matching::Error> {
    let mut input = matching::Input::new(did("ada"));
    input.idempotency_key = Some(server.fresh_key());
    match server.call::<matching::Match>(&did(guest), &input).await {
        Ok(output) => Ok((output.guest_side, output.booking.unwrap().id)),
        Err(ClientError::Declared(refused)) => Err(refused.error),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_matched_by_the_calendars_that_this_appview_is_to_look_at() {
    let guests = ["bob", "cleo", "dora"].map(did);
    let (server, people) = published::start("auto", &guests).await;
    let busy = Interval::new(tomorrow(0), tomorrow(120)).unwrap();
    for guest in &guests {
        people.set_calendars(guest, Busy::Known(busy.into()));
    }
    name_service(&server, &did("cleo"), &did("huddle")).await;
    name_service(&server, &did("dora"), &did("elsewhere")).await;
    for guest in ["bob", "cleo"] {
        assert_eq!(
            ask(&server, guest).await,
            Err(matching::Error::NoSlot),
            "{guest}"
        );
    }
    let (side, id) = ask(&server, "dora").await.unwrap();
    assert_eq!(side, GuestSide::Unchecked);
    assert_eq!(server.settled(&id).await, "held");
    let mut accept = finalize::Input::new(&*id);
    accept.idempotency_key = Some(server.fresh_key());
    let confirmed = server
        .call::<finalize::Finalize>(&guests[2], &accept)
        .await
        .unwrap()
        .booking;
    assert_eq!(confirmed.guest_side, GuestSide::Unchecked);
    assert_eq!(server.settled(&id).await, "confirmed");
}
