//! How much a stranger may have of one host.

use std::time::Duration;

use huddle_core::booking::{Booking, Constraints, NoMatch};
use huddle_ports::Clock as _;

use crate::world::{World, key, tomorrow};

const MINUTE: Duration = Duration::from_mins(1);

fn strangers() -> World {
    let world = World::new();
    world.say(|it| {
        it.strangers = true;
        it.hours = (0..8).collect();
    });
    world
}

/// Asks for a meeting and accepts it.
async fn meet(world: &World, host: &str, name: &str) -> Booking {
    let held = world.request("bob", host, name).await.unwrap();
    assert_eq!(held.phase.word(), "held", "{name}: {:?}", held.unmatched);
    let finalize = world.flows.finalize(&held.id, key("bob", "finalize", name));
    let confirmed = finalize.await.unwrap().unwrap();
    assert_eq!(confirmed.phase.word(), "confirmed", "{name}");
    world.settle().await;
    confirmed
}

async fn call_off(world: &World, booking: &Booking, by: &str) {
    let cancel = key(by, "cancel", booking.id.as_str());
    let canceled = world.flows.cancel(&booking.id, cancel, None);
    assert_eq!(canceled.await.unwrap().unwrap().phase.word(), "canceled");
    world.settle().await;
}

/// After how long the guest may ask the host again; `None` is at once, and the host declines.
async fn waits(world: &World, host: &str, name: &str) -> Option<Duration> {
    let asked = world.request("bob", host, name).await.unwrap();
    match asked.unmatched {
        Some(NoMatch::TooManyHolds { retry_at }) => Some(retry_at.since(world.clock.now())),
        other => {
            assert_eq!((asked.phase.word(), other), ("held", None), "{name}");
            let decline = key(host, "decline", name);
            let declined = world.flows.decline(&asked.id, decline, None);
            declined.await.unwrap().unwrap();
            world.settle().await;
            None
        }
    }
}

#[tokio::test]
async fn a_stranger_has_three_meetings_ahead_with_one_host() {
    let world = strangers();
    for name in ["a", "b", "c"] {
        meet(&world, "ada", name).await;
    }
    let first_ends = tomorrow(0).end().since(world.clock.now());
    assert_eq!(waits(&world, "ada", "d").await, Some(first_ends));
    assert_eq!(waits(&world, "dora", "e").await, None, "another host");
    world.say(|it| it.strangers = false);
    assert_eq!(waits(&world, "ada", "f").await, None, "a friend");
    world.say(|it| it.strangers = true);
    world.clock.step(first_ends);
    world.settle().await;
    assert_eq!(waits(&world, "ada", "g").await, None, "the first is over");
}

#[tokio::test]
async fn a_stranger_who_calls_meetings_off_waits_longer_each_time() {
    let world = strangers();
    for (name, wait) in [("a", MINUTE), ("b", 5 * MINUTE), ("c", 30 * MINUTE)] {
        let booking = meet(&world, "ada", name).await;
        call_off(&world, &booking, "bob").await;
        let asked = waits(&world, "ada", &format!("{name} again")).await;
        assert_eq!(asked, Some(wait), "{name}");
        world.clock.step(wait);
    }
    let booking = meet(&world, "ada", "d").await;
    call_off(&world, &booking, "ada").await;
    assert_eq!(waits(&world, "ada", "e").await, None, "it was the host");
}

#[tokio::test]
async fn a_move_in_between_does_not_spare_the_wait_and_a_friend_has_none() {
    for is_found in [true, false] {
        let world = strangers();
        let booking = meet(&world, "ada", "a").await;
        world.say(|it| it.hours = if is_found { vec![5] } else { vec![] });
        let reschedule = key("bob", "reschedule", "k");
        let constraints = Constraints::default();
        let moved = world
            .flows
            .reschedule(&booking.id, reschedule, constraints, None);
        assert_eq!(moved.await.unwrap().unwrap().unmatched.is_none(), is_found);
        world.settle().await;
        call_off(&world, &booking, "bob").await;
        world.say(|it| it.hours = vec![6]);
        assert_eq!(waits(&world, "ada", "b").await, Some(MINUTE), "{is_found}");
        world.say(|it| it.strangers = false);
        assert_eq!(waits(&world, "ada", "c").await, None);
    }
}
