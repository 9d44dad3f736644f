//! Requests that come again when something has changed that they went by.

use std::time::Duration;

use huddle_core::Limits;
use huddle_lexicon::com::huddle::defs::SlotView;
use huddle_lexicon::com::huddle::list_slots::{self, ListSlots};
use huddle_lexicon::com::huddle::{finalize, r#match as matching, reschedule_booking};
use huddle_syntax::Did;
use huddle_testkit::ListedWindows;

use crate::published::{self, name_service};
use crate::server::{Server, declared, did, tomorrow};

/// What is listed of Ada's slots.
async fn listed(server: &Server, guest: &Did) -> Vec<SlotView> {
    let client = server.as_caller::<ListSlots>(guest);
    let params = list_slots::Params::new(did("ada"));
    let answer = client.query::<ListSlots>(&params).await.unwrap();
    answer.output.slots
}

fn asking(server: &Server) -> matching::Input {
    let mut input = matching::Input::new(did("ada"));
    input.idempotency_key = Some(server.fresh_key());
    input
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_of_a_slot_token_is_told_again_when_that_has_expired() {
    let bob = did("bob");
    let (server, _) = published::start("pick", std::slice::from_ref(&bob)).await;
    let mut asked = asking(&server);
    asked.slot_token = Some(listed(&server, &bob).await.remove(0).slot_token);
    let matched = server.call::<matching::Match>(&bob, &asked).await.unwrap();
    let id = matched.booking.unwrap().id;
    assert_eq!(server.settled(&id).await, "held");
    let mut accepted = finalize::Input::new(&*id);
    accepted.idempotency_key = Some(server.fresh_key());
    let confirmed = server.call::<finalize::Finalize>(&bob, &accepted).await;
    confirmed.unwrap();
    assert_eq!(server.settled(&id).await, "confirmed");
    let mut moved = reschedule_booking::Input::new(&*id);
    moved.idempotency_key = Some(server.fresh_key());
    moved.slot_token = Some(listed(&server, &bob).await.remove(0).slot_token);
    let reschedule = async |input: &reschedule_booking::Input| {
        let moved = server.call::<reschedule_booking::RescheduleBooking>(&bob, input);
        moved.await
    };
    let first = reschedule(&moved).await.unwrap();
    assert_eq!(first.booking.sequence, 1);

    let lifetime = Limits::default().slot_token_secs;
    server.clock.step(Duration::from_secs(lifetime.into()));
    assert_eq!(reschedule(&moved).await.unwrap(), first);
    let again = server.call::<matching::Match>(&bob, &asked).await.unwrap();
    assert_eq!(again.booking.unwrap().sequence, 1, "as it stands now");

    let trial = matching::Input {
        dry_run: Some(true),
        ..asked.clone()
    };
    asked.idempotency_key = Some(server.fresh_key());
    moved.idempotency_key = Some(server.fresh_key());
    for late in [asked, trial] {
        let refused = server.call::<matching::Match>(&bob, &late).await;
        assert_eq!(declared(refused), matching::Error::InvalidSlotToken);
    }
    let refused = declared(reschedule(&moved).await);
    assert_eq!(refused, reschedule_booking::Error::InvalidSlotToken);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_is_told_again_when_its_host_has_named_another_appview() {
    let (ada, bob) = (did("ada"), did("bob"));
    let mut windows = ListedWindows::default();
    windows.add(&ada, tomorrow(0), tomorrow(120)).unwrap();
    let server = Server::start(windows, Limits::default()).await;
    let asked = asking(&server);
    let first = server.call::<matching::Match>(&bob, &asked).await.unwrap();
    let id = first.booking.unwrap().id;
    assert_eq!(server.settled(&id).await, "held");

    name_service(&server, &ada, &did("elsewhere")).await;
    let again = server.call::<matching::Match>(&bob, &asked).await.unwrap();
    assert_eq!(again.booking.unwrap().id, id);
    let trial = matching::Input {
        dry_run: Some(true),
        ..asked
    };
    for new in [asking(&server), trial] {
        let refused = server.call::<matching::Match>(&bob, &new).await;
        assert_eq!(declared(refused), matching::Error::ServedElsewhere);
    }
}
