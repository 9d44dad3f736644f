//! A meeting from the first word to the last.

use huddle_core::Limits;
use huddle_core::index::{Index as _, Statement};
use huddle_core::sql::{Row, Value};
use huddle_lexicon::com::huddle::defs::{BookingStatus, Constraints, GuestSide};
use huddle_lexicon::com::huddle::{
    cancel_booking, finalize, get_booking, r#match as matching, reschedule_booking,
};
use huddle_syntax::{Datetime, Did};
use huddle_testkit::ListedWindows;
use huddle_xrpc::client::ClientError;

use crate::server::{Server, declared, did, tomorrow};

/// A server with one host, Ada, who has two hours tomorrow.
async fn ada() -> (Server, Did) {
    let ada = did("ada");
    let mut windows = ListedWindows::default();
    windows.add(&ada, tomorrow(0), tomorrow(120)).unwrap();
    (Server::start(windows, Limits::default()).await, ada)
}

fn asking(server: &Server, host: &Did) -> matching::Input {
    let mut input = matching::Input::new(host.clone());
    input.idempotency_key = Some(server.fresh_key());
    input
}

async fn held(server: &Server, guest: &Did, host: &Did) -> String {
    let input = asking(server, host);
    let output = server.call::<matching::Match>(guest, &input).await.unwrap();
    let id = output.booking.unwrap().id;
    assert_eq!(server.settled(&id).await, "held");
    id
}

fn accepting(server: &Server, id: &str) -> finalize::Input {
    let mut input = finalize::Input::new(id);
    input.idempotency_key = Some(server.fresh_key());
    input
}

async fn confirmed(server: &Server, guest: &Did, host: &Did) -> String {
    let id = held(server, guest, host).await;
    let input = accepting(server, &id);
    let output = server.call::<finalize::Finalize>(guest, &input).await;
    output.unwrap();
    assert_eq!(server.settled(&id).await, "confirmed");
    id
}

async fn read(
    server: &Server,
    by: &Did,
    id: &str,
) -> Result<get_booking::Output, ClientError<get_booking::Error>> {
    let client = server.as_caller::<get_booking::GetBooking>(by);
    let params = get_booking::Params::new(id);
    let answer = client.query::<get_booking::GetBooking>(&params).await?;
    Ok(answer.output)
}

/// Waits until the half hour at `slot` can be held; the test runner bounds it. Word of a cancellation
/// reaches the host's time by the outbox, beside the requests.
async fn becomes_free(server: &Server, host: &Did, slot: i64) {
    let moment = |minute| Datetime::from_timestamp_millis(tomorrow(minute).as_millis()).unwrap();
    loop {
        let mut input = asking(server, host);
        input.constraints = Some(Constraints {
            earliest: Some(moment(slot)),
            latest: Some(moment(slot + 30)),
            ..Constraints::default()
        });
        // A guest who has asked nothing before, and so may.
        let guest = did(&server.fresh_key());
        match server.call::<matching::Match>(&guest, &input).await {
            Ok(output) => {
                let id = output.booking.unwrap().id;
                if server.settled(&id).await == "held" {
                    return;
                }
            }
            refused => assert_eq!(declared(refused), matching::Error::NoSlot),
        }
    }
}

fn minutes(moment: Option<&Datetime>) -> i64 {
    (moment.unwrap().timestamp_millis() - tomorrow(0).as_millis()) / 60_000
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_is_held_confirmed_moved_and_called_off() {
    let (server, ada) = ada().await;
    let bob = did("bob");
    let id = confirmed(&server, &bob, &ada).await;

    let seen = read(&server, &ada, &id).await.unwrap();
    assert_eq!(minutes(seen.booking.start.as_ref()), 0);
    assert_eq!(seen.booking.guest_side, GuestSide::Unchecked);
    let events: Vec<_> = seen
        .history
        .iter()
        .map(|event| event.event.as_str())
        .collect();
    assert_eq!(events, ["requested", "held", "confirmed"]);

    let mut later = reschedule_booking::Input::new(&*id);
    later.idempotency_key = Some(server.fresh_key());
    later.constraints = Some(Constraints {
        earliest: Some(Datetime::from_timestamp_millis(tomorrow(60).as_millis()).unwrap()),
        ..Constraints::default()
    });
    let moved = server
        .call::<reschedule_booking::RescheduleBooking>(&ada, &later)
        .await
        .unwrap();
    assert_eq!(minutes(moved.booking.start.as_ref()), 60);
    assert_eq!(moved.booking.sequence, 1);
    assert_eq!(moved.booking.id, id);

    let mut off = cancel_booking::Input::new(&*id);
    off.idempotency_key = Some(server.fresh_key());
    off.reason = Some("I am ill".to_owned());
    let canceled = server
        .call::<cancel_booking::CancelBooking>(&bob, &off)
        .await
        .unwrap();
    assert_eq!(canceled.booking.status, BookingStatus::Canceled);
    let seen = read(&server, &ada, &id).await.unwrap();
    assert_eq!(seen.booking.reason.as_deref(), Some("I am ill"));
    for slot in [0, 60] {
        becomes_free(&server, &ada, slot).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_to_another_time() {
    let (server, ada) = ada().await;
    let id = confirmed(&server, &did("bob"), &ada).await;
    let mut elsewhere = reschedule_booking::Input::new(&*id);
    elsewhere.idempotency_key = Some(server.fresh_key());
    let moved = server
        .call::<reschedule_booking::RescheduleBooking>(&ada, &elsewhere)
        .await
        .unwrap();
    assert_eq!(minutes(moved.booking.start.as_ref()), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_again_does_nothing_twice() {
    let (server, ada) = ada().await;
    let bob = did("bob");
    let input = asking(&server, &ada);
    let first = server.call::<matching::Match>(&bob, &input).await.unwrap();
    let again = server.call::<matching::Match>(&bob, &input).await.unwrap();
    assert_eq!(first, again);

    let mut other = input.clone();
    other.note = Some("something else".to_owned());
    let error = declared(server.call::<matching::Match>(&bob, &other).await);
    assert_eq!(error, matching::Error::IdempotencyMismatch);

    let id = first.booking.unwrap().id;
    let accept = accepting(&server, &id);
    let first = server
        .call::<finalize::Finalize>(&bob, &accept)
        .await
        .unwrap();
    let again = server
        .call::<finalize::Finalize>(&bob, &accept)
        .await
        .unwrap();
    assert_eq!(first, again);

    let without = matching::Input::new(ada);
    let error = declared(server.call::<matching::Match>(&bob, &without).await);
    assert_eq!(error, matching::Error::IdempotencyKeyRequired);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_no_party_learns_nothing() {
    let (server, ada) = ada().await;
    let (bob, eve) = (did("bob"), did("eve"));
    let id = held(&server, &bob, &ada).await;
    let not_found = get_booking::Error::BookingNotFound;
    for unknown in [&*id, "3hq7n2k5x4d6m7p2r5t7", "no id at all"] {
        assert_eq!(declared(read(&server, &eve, unknown).await), not_found);
    }
    let accept = accepting(&server, &id);
    let error = declared(server.call::<finalize::Finalize>(&eve, &accept).await);
    assert_eq!(error, finalize::Error::BookingNotFound);
    let error = declared(server.call::<finalize::Finalize>(&ada, &accept).await);
    assert_eq!(error, finalize::Error::NotAccepted);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_matched_is_refused_by_name() {
    let (server, ada) = ada().await;
    let bob = did("bob");
    let ask = async |change: &dyn Fn(&mut matching::Input)| {
        let mut input = asking(&server, &ada);
        change(&mut input);
        declared(server.call::<matching::Match>(&bob, &input).await)
    };
    let nobody = did("nobody");
    assert_eq!(
        ask(&|it| it.host_did = nobody.clone()).await,
        matching::Error::NoSlot
    );
    assert_eq!(
        ask(&|it| it.host_did = did("bob")).await,
        matching::Error::SelfBooking
    );
    let token = ask(&|it| it.slot_token = Some("x".to_owned())).await;
    assert_eq!(token, matching::Error::InvalidSlotToken);
    let backwards = ask(&|it| {
        it.constraints = Some(Constraints {
            duration_min: Some(60),
            duration_max: Some(30),
            ..Constraints::default()
        });
    });
    assert_eq!(backwards.await, matching::Error::InvalidConstraints);

    held(&server, &bob, &ada).await;
    assert_eq!(ask(&|_| {}).await, matching::Error::TooManyHolds);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_holds_nothing() {
    let (server, ada) = ada().await;
    let mut input = asking(&server, &ada);
    input.dry_run = Some(true);
    let output = server.call::<matching::Match>(&did("bob"), &input).await;
    assert_eq!(output.unwrap().booking, None);
    held(&server, &did("bob"), &ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_under_the_key_of_a_match_counts_what_that_holds() {
    let (server, ada) = ada().await;
    let bob = did("bob");
    let mut input = asking(&server, &ada);
    let output = server.call::<matching::Match>(&bob, &input).await.unwrap();
    let id = output.booking.unwrap().id;
    assert_eq!(server.settled(&id).await, "held");
    input.dry_run = Some(true);
    let refused = server.call::<matching::Match>(&bob, &input).await;
    assert_eq!(declared(refused), matching::Error::TooManyHolds);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_is_refused_as_the_match_would_be() {
    let (server, ada) = ada().await;
    for guest in ["bob", "cleo", "dora", "emil"] {
        held(&server, &did(guest), &ada).await;
    }
    for (guest, refusal) in [
        ("bob", matching::Error::TooManyHolds),
        ("fay", matching::Error::NoSlot),
    ] {
        for dry_run in [true, false] {
            let mut input = asking(&server, &ada);
            input.dry_run = Some(dry_run);
            let refused = server.call::<matching::Match>(&did(guest), &input).await;
            assert_eq!(declared(refused), refusal, "{guest}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_follows_the_booking() {
    let (server, ada) = ada().await;
    let id = confirmed(&server, &did("bob"), &ada).await;
    let status = Statement {
        sql: "SELECT status FROM bookings WHERE id = ?1",
        bindings: vec![Value::Text(id)],
    };
    // Bounded by the test runner: the outbox is worked off beside the requests.
    loop {
        let rows = server.index.query(status.clone()).await.unwrap();
        if rows == [Row(vec![Value::Text("confirmed".to_owned())])] {
            break;
        }
        tokio::task::yield_now().await;
    }
}
