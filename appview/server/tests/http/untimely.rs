//! What is asked of a booking too early, too late, or while it is being confirmed.

use std::time::Duration;

use huddle_core::booking::Finalize;
use huddle_core::idempotency::Key;
use huddle_core::transport::ask;
use huddle_core::{ActorName, Limits};
use huddle_lexicon::com::huddle::{
    approve_booking, decline_booking, finalize, r#match as matching, reschedule_booking,
};
use huddle_lexicon::schema::{ErrorName as _, Method as _};
use huddle_syntax::Did;
use huddle_testkit::ListedWindows;

use crate::server::{Server, declared, did, tomorrow};

/// A booking of Ada with this guest, which is held, and then goes on to where it is to be.
async fn booking(server: &Server, guest: &Did, state: &str) -> String {
    let mut input = matching::Input::new(did("ada"));
    input.idempotency_key = Some(server.fresh_key());
    let matched = server.call::<matching::Match>(guest, &input).await.unwrap();
    let id = matched.booking.unwrap().id;
    assert_eq!(server.settled(&id).await, "held");
    match state {
        "finalizing" => accept(server, guest, &id).await,
        "expired" => {
            let held = Limits::default().hold_secs;
            server.clock.step(Duration::from_secs(held.into()));
        }
        _ => {}
    }
    id
}

/// Accepts what is held, by a driver that does not come back.
async fn accept(server: &Server, guest: &Did, id: &str) {
    let key = Key {
        caller: guest.clone(),
        method: finalize::Finalize::NSID.to_owned(),
        key: server.fresh_key(),
        body_hash: String::new(),
    };
    let name = ActorName::booking(&id.parse().unwrap());
    let accepted = ask(&*server.actors, &name, Finalize { key }).await.unwrap();
    accepted.unwrap();
}

/// The name of the error that a call ends with.
async fn refusal(server: &Server, by: &Did, id: &str, method: &str) -> &'static str {
    let key = Some(server.fresh_key());
    match method {
        "approve" => {
            let mut input = approve_booking::Input::new(id);
            input.idempotency_key = key;
            let called = server.call::<approve_booking::ApproveBooking>(by, &input);
            declared(called.await).name()
        }
        "decline" => {
            let mut input = decline_booking::Input::new(id);
            input.idempotency_key = key;
            let called = server.call::<decline_booking::DeclineBooking>(by, &input);
            declared(called.await).name()
        }
        "reschedule" => {
            let mut input = reschedule_booking::Input::new(id);
            input.idempotency_key = key;
            let called = server.call::<reschedule_booking::RescheduleBooking>(by, &input);
            declared(called.await).name()
        }
        other => panic!("no method {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_untimely_is_refused_by_name() {
    let ada = did("ada");
    let mut windows = ListedWindows::default();
    windows.add(&ada, tomorrow(0), tomorrow(300)).unwrap();
    let server = Server::start(windows, Limits::default()).await;
    for (number, (state, by_host, method, expect)) in [
        ("held", true, "approve", "NotPending"),
        ("held", false, "reschedule", "NotConfirmed"),
        ("finalizing", true, "approve", "InProgress"),
        ("finalizing", true, "decline", "InProgress"),
        ("finalizing", false, "reschedule", "InProgress"),
        ("expired", true, "approve", "BookingExpired"),
        ("expired", false, "reschedule", "BookingExpired"),
    ]
    .into_iter()
    .enumerate()
    {
        let guest = did(&format!("guest{number}"));
        let id = booking(&server, &guest, state).await;
        let by = if by_host { &ada } else { &guest };
        let refused = refusal(&server, by, &id, method).await;
        assert_eq!(refused, expect, "{method} while {state}");
    }
}
