//! Holds that come to nothing, over a store whose clock is set by hand.

use std::sync::Arc;
use std::time::Duration;

use huddle_core::booking::{Attempt, BookingId};
use huddle_core::host_match::{Candidate, Ending, Finish, Hold, HoldRefused, Margins, Role};
use huddle_core::transport::ask;
use huddle_core::{ActorName, Interval, Limits, Unreachable};
use huddle_native::ActorStore;
use huddle_ports::{Clock as _, Timestamp};
use huddle_syntax::Did;
use huddle_testkit::SteppingClock;

const NOW: Timestamp = Timestamp::from_millis(1_767_268_800_000);
const QUARTER: Duration = Duration::from_mins(15);

fn hold(booking: &str, host: &Did, now: Timestamp) -> Hold {
    let start = NOW + Duration::from_hours(24);
    Hold {
        booking: id(booking),
        attempt: Attempt::FIRST,
        candidates: vec![Candidate {
            slot: Interval::new(start, start + QUARTER).expect("a quarter is not empty"),
            margins: Margins::default(),
        }],
        until: now + QUARTER,
        role: Role::Guest,
        counterpart: host.clone(),
        limited: true,
    }
}

fn id(booking: &str) -> BookingId {
    booking.parse().expect("letters and digits")
}

#[tokio::test]
async fn a_guest_whose_hold_simply_ran_out_waits_once_for_it() -> Result<(), Unreachable> {
    let clock = Arc::new(SteppingClock::at(NOW));
    let store = ActorStore::in_memory(clock.clone(), Limits::default()).expect("memory can be had");
    let did = |text: &str| text.parse::<Did>().expect("a DID");
    let (guest, host) = (
        did("did:web:bob.example.com"),
        did("did:web:ada.example.com"),
    );
    let guest = ActorName::host_match(&guest);
    let first = hold("first000000000000000", &host, NOW);
    assert!(ask(&store, &guest, first.clone()).await?.is_ok());
    clock.step(QUARTER);
    // The hold is over, and gone, before the booking says what it came to; and that comes twice.
    let over = HoldRefused::Over {
        highest: Attempt::FIRST,
    };
    assert_eq!(ask(&store, &guest, first).await?, Err(over));
    for _ in 0..2 {
        let lapsed = Finish {
            booking: id("first000000000000000"),
            attempt: Attempt::FIRST,
            ending: Ending::Lapsed,
        };
        ask(&store, &guest, lapsed).await?;
    }
    let second = hold("second00000000000000", &host, clock.now());
    let retry_at = clock.now() + Duration::from_mins(1);
    let waits = HoldRefused::TooManyHolds { retry_at };
    assert_eq!(ask(&store, &guest, second.clone()).await?, Err(waits));
    clock.step(Duration::from_mins(1));
    assert!(ask(&store, &guest, second).await?.is_ok());
    Ok(())
}
