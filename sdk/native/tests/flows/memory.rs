//! What is kept, and for how long.

use std::time::Duration;

use huddle_core::Ask;
use huddle_core::booking::{Attempt, Cancel, Finalize, Outcome};
use huddle_core::transport::ask;
use huddle_core::{ActorName, Limits};

use crate::world::{World, did, key, request_id};

#[tokio::test]
async fn a_booking_keeps_the_latest_answers_of_each_caller_without_its_history() {
    let world = World::new();
    let held = world.request("bob", "ada", "k").await.unwrap();
    let cancel = world
        .flows
        .cancel(&held.id, key("ada", "cancel", "k"), None);
    let canceled = cancel.await.unwrap().unwrap();
    for number in 0..100 {
        let key = key("bob", "finalize", &format!("k{number}"));
        let refused = world.flows.finalize(&held.id, key).await.unwrap();
        assert_eq!(refused.unwrap().phase.word(), "canceled");
        world.clock.step(Duration::from_secs(1));
    }
    assert_eq!(world.count("reply WHERE caller LIKE '%ada%'"), 1);
    assert_eq!(world.count("reply WHERE caller LIKE '%bob%'"), 32);
    assert_eq!(world.count("reply WHERE key = 'k99'"), 1, "the latest");
    let again = world
        .flows
        .cancel(&held.id, key("ada", "cancel", "k"), None);
    let again = again.await.unwrap().unwrap();
    assert!(!canceled.history.is_empty() && again.history.is_empty());
    assert_eq!(again.phase, canceled.phase);
}

#[tokio::test]
async fn what_never_came_to_be_leaves_nothing() {
    let world = World::new();
    world.say(|it| it.hours.clear());
    let nothing = world.request("bob", "invented", "k").await.unwrap();
    assert!(!nothing.is_known());
    let day = Duration::from_secs(Limits::default().idempotency_secs.into());
    world.clock.step(day);
    world.settle().await;
    for table in ["actor", "timer", "outbox", "booking", "fence"] {
        assert_eq!(world.count(table), 0, "{table}");
    }
}

async fn tell<A: Ask>(world: &World, question: A) -> A::Answer {
    let booking = ActorName::booking(&request_id("bob", "never asked"));
    ask(&*world.store, &booking, question).await.unwrap()
}

#[tokio::test]
async fn questions_about_a_booking_that_never_was_leave_nothing() {
    let world = World::new();
    let asker = ActorName::host_match(&did("ada"));
    let attempt = Attempt::FIRST;
    tell(&world, Outcome { attempt, asker }).await;
    assert_eq!(world.count("outbox"), 1, "the answer");
    let finalize = key("bob", "finalize", "k");
    assert!(tell(&world, Finalize { key: finalize }).await.is_err());
    let (key, reason) = (key("bob", "cancel", "k"), None);
    assert!(tell(&world, Cancel { key, reason }).await.is_err());
    assert_eq!(world.count("actor WHERE name LIKE 'booking/%'"), 0);
}

#[tokio::test]
async fn a_person_is_forgotten_when_the_last_of_their_fences_is() {
    let world = World::new();
    world.request("bob", "ada", "k").await.unwrap();
    world.clock.step(Duration::from_mins(15));
    world.settle().await;
    assert_eq!(world.count("actor WHERE name LIKE 'host-match/%'"), 2);
    world.clock.step(Duration::from_hours(30 * 24));
    world.settle().await;
    assert_eq!(world.count("actor WHERE name LIKE 'host-match/%'"), 0);
    assert_eq!(world.count("fence"), 0);
}
