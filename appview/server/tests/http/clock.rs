//! The machine's clock is set back while somebody makes up their mind.

use std::time::Duration;

use huddle_core::Limits;
use huddle_lexicon::com::huddle::defs::BookingStatus;
use huddle_lexicon::com::huddle::get_booking::{self, GetBooking};
use huddle_lexicon::com::huddle::{finalize, r#match as matching};
use huddle_testkit::ListedWindows;
use huddle_xrpc::client::ClientError;

use crate::server::{Server, declared, did, tomorrow};

const HOUR: Duration = Duration::from_hours(1);

fn asking(key: &str) -> matching::Input {
    let mut input = matching::Input::new(did("ada"));
    input.idempotency_key = Some(key.to_owned());
    input
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_that_comes_twice_gives_nothing_away_twice_and_takes_nothing_away() {
    let (ana, bob) = (did("ana"), did("bob"));
    let mut windows = ListedWindows::default();
    let (start, end) = (tomorrow(0), tomorrow(30));
    windows.add(&did("ada"), start, end).unwrap();
    let server = Server::start(windows, Limits::default()).await;
    let ask = |guest, key| {
        let (server, input) = (&server, asking(key));
        async move { server.call::<matching::Match>(guest, &input).await }
    };
    let held = ask(&ana, "ana's").await.unwrap().booking.unwrap();
    assert_eq!(server.settled(&held.id).await, "held");
    let of_the_true_time = server.as_caller::<GetBooking>(&ana);

    server.clock.step_back(HOUR);
    let refused = ask(&bob, "bob's").await;
    assert_eq!(declared(refused), matching::Error::NoSlot);
    let again = ask(&ana, "ana's").await.unwrap().booking.unwrap();
    assert_eq!((&again.id, &again.start), (&held.id, &held.start));
    // Other clocks are right: what they sign now is of the future.
    let params = get_booking::Params::new(&*held.id);
    match of_the_true_time.query::<GetBooking>(&params).await {
        Err(ClientError::Undeclared(refused)) => {
            assert_eq!((refused.status.as_u16(), &*refused.error), (401, "BadJwt"));
            let message = refused.message.unwrap();
            assert_eq!(message, "the token is not valid yet");
        }
        other => panic!("{other:?}"),
    }
    let mut accepting = finalize::Input::new(&*held.id);
    accepting.idempotency_key = Some("ana's".to_owned());
    let accepted = server.call::<finalize::Finalize>(&ana, &accepting).await;
    assert_eq!(accepted.unwrap().booking.status, BookingStatus::Confirmed);

    server.clock.step(HOUR);
    let refused = ask(&bob, "bob's, later").await;
    assert_eq!(declared(refused), matching::Error::NoSlot);
    let seen = server.as_caller::<GetBooking>(&ana);
    let seen = seen.query::<GetBooking>(&params).await.unwrap().output;
    assert_eq!(seen.booking.status, BookingStatus::Confirmed);
    assert_eq!(seen.booking.start, held.start);
}
