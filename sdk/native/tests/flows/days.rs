//! People whose time is kept by days.

use std::time::Duration;

use huddle_core::agenda::agenda;
use huddle_core::booking::{Booking, Constraints, NoMatch, Phase};
use huddle_core::host_match::{Cap, Shard, ShardRefused};
use huddle_core::transport::ask;
use huddle_core::{ActorName, Interval};

use crate::world::{World, did, key, tomorrow};

/// The hour before the midnight after tomorrow's noon, and the one after it.
const BEFORE: u32 = 11;
const AFTER: u32 = 12;

async fn shard(world: &World, name: &str) -> Result<(), ShardRefused> {
    let person = ActorName::host_match(&did(name));
    ask(&*world.store, &person, Shard {}).await.unwrap()
}

async fn world_of(sharded: &[&str]) -> World {
    let world = World::new();
    for name in sharded {
        assert_eq!(shard(&world, name).await, Ok(()));
    }
    world
}

async fn confirmed(world: &World, guest: &str, host: &str) -> Booking {
    let held = world.request(guest, host, "k").await.unwrap();
    assert_eq!(held.phase.word(), "held", "{:?}", held.unmatched);
    let finalize = world.flows.finalize(&held.id, key(guest, "finalize", "k"));
    let confirmed = finalize.await.unwrap().unwrap();
    assert_eq!(confirmed.phase.word(), "confirmed");
    world.settle().await;
    confirmed
}

fn days(world: &World, condition: &str) -> u32 {
    world.count(&format!(
        "claim WHERE actor LIKE 'host-match/%/2026-01-%' AND {condition}"
    ))
}

#[tokio::test]
async fn a_slot_is_booked_on_each_of_the_days_that_it_meets_with_its_buffers() {
    let world = world_of(&["ada"]).await;
    world.say(|it| {
        it.hours = vec![BEFORE];
        it.after = Duration::from_mins(30);
    });
    let booking = confirmed(&world, "bob", "ada").await;
    for day in ["02", "03"] {
        let is_booked = format!("state = 'booked' AND actor LIKE '%ada%/2026-01-{day}'");
        assert_eq!(days(&world, &is_booked), 1, "{day}");
    }
    // The next hour is within the buffer, which the second day knows of.
    world.say(|it| it.hours = vec![AFTER, AFTER + 1]);
    let next = confirmed(&world, "cleo", "ada").await;
    assert_eq!(next.phase.place().unwrap().slot, tomorrow(AFTER + 1));
    world.say(|it| it.hours = vec![AFTER]);
    let none = world.request("dora", "ada", "k").await.unwrap();
    assert_eq!(none.unmatched, Some(NoMatch::NoSlot));
    let cancel = world
        .flows
        .cancel(&booking.id, key("ada", "cancel", "k"), None);
    cancel.await.unwrap().unwrap();
    world.settle().await;
    world.say(|it| it.after = Duration::ZERO);
    let now = confirmed(&world, "emil", "ada").await;
    assert_eq!(now.phase.place().unwrap().slot, tomorrow(AFTER));
}

#[tokio::test]
async fn a_meeting_that_is_moved_or_canceled_leaves_its_days() {
    // Either side, and both.
    for sharded in [&["ada"][..], &["bob"], &["ada", "bob"]] {
        let world = world_of(sharded).await;
        world.say(|it| it.hours = vec![BEFORE]);
        let booking = confirmed(&world, "bob", "ada").await;
        let people = u32::try_from(sharded.len()).unwrap();
        assert_eq!(days(&world, "actor LIKE '%-02'"), people);
        world.say(|it| it.hours = vec![AFTER]);
        let moved = key("bob", "reschedule", "k");
        let moved = world
            .flows
            .reschedule(&booking.id, moved, Constraints::default(), None);
        let moved = moved.await.unwrap().unwrap();
        assert_eq!(moved.phase.place().unwrap().slot, tomorrow(AFTER));
        world.settle().await;
        assert_eq!(days(&world, "actor LIKE '%-02'"), 0);
        assert_eq!(days(&world, "actor LIKE '%-03'"), people);
        let cancel = world
            .flows
            .cancel(&booking.id, key("ada", "cancel", "k"), None);
        cancel.await.unwrap().unwrap();
        world.settle().await;
        assert_eq!(world.count("claim"), 0);
    }
}

#[tokio::test]
async fn what_a_person_sets_themselves_counts_over_all_days() {
    let world = world_of(&["ada"]).await;
    let within = Interval::new(tomorrow(0).start(), tomorrow(30).end()).unwrap();
    world.say(|it| {
        it.caps = vec![Cap { within, at_most: 1 }];
        it.hours = vec![BEFORE];
    });
    confirmed(&world, "bob", "ada").await;
    world.say(|it| it.hours = vec![AFTER]);
    let none = world.request("cleo", "ada", "k").await.unwrap();
    assert_eq!(none.unmatched, Some(NoMatch::NoSlot));
    world.say(|it| it.caps[0].at_most = 2);
    confirmed(&world, "dora", "ada").await;
}

#[tokio::test]
async fn how_much_a_guest_may_hold_counts_over_all_days() {
    let world = world_of(&["bob"]).await;
    for (number, host) in ["h1", "h2", "h3"].into_iter().enumerate() {
        world.say(|it| it.hours = vec![8 * u32::try_from(number).unwrap()]);
        let held = world.request("bob", host, host).await.unwrap();
        assert_eq!(held.phase.word(), "held");
    }
    world.say(|it| it.hours = vec![30]);
    let refused = world.request("bob", "h4", "h4").await.unwrap();
    assert!(matches!(
        refused.unmatched,
        Some(NoMatch::TooManyHolds { .. })
    ));
}

#[tokio::test]
async fn a_rehearsal_asks_the_days_too() {
    let world = world_of(&["ada"]).await;
    world.say(|it| it.hours = vec![BEFORE]);
    assert_eq!(world.rehearse("cleo", "ada").await.phase.word(), "held");
    assert_eq!(world.count("claim"), 0);
    confirmed(&world, "bob", "ada").await;
    let rehearsed = world.rehearse("cleo", "ada").await;
    assert_eq!(rehearsed.phase, Phase::Unmatched);
}

#[tokio::test]
async fn one_agenda_tells_of_all_days() {
    let world = world_of(&["ada"]).await;
    let mut slots = Vec::new();
    for (guest, hour) in [("bob", BEFORE), ("cleo", AFTER), ("dora", 40)] {
        world.say(|it| it.hours = vec![hour]);
        confirmed(&world, guest, "ada").await;
        slots.push(tomorrow(hour));
    }
    let host = did("ada");
    let told = agenda(&*world.store, &host, Interval::ALWAYS, None).await;
    let told = told.unwrap().into_iter().map(|it| it.slot);
    assert_eq!(told.collect::<Vec<_>>(), slots);
}

#[tokio::test]
async fn only_time_that_nobody_has_asked_for_comes_to_be_kept_by_days() {
    let world = world_of(&["ada"]).await;
    world.request("bob", "ada", "k").await.unwrap();
    assert_eq!(shard(&world, "ada").await, Ok(()), "it is already");
    assert_eq!(shard(&world, "bob").await, Err(ShardRefused::InUse));
    // A fence is kept for 30 days after the last word of a booking.
    world.clock.step(Duration::from_mins(15));
    world.settle().await;
    assert_eq!(shard(&world, "bob").await, Err(ShardRefused::InUse));
    world.clock.step(Duration::from_hours(30 * 24));
    world.settle().await;
    assert_eq!(shard(&world, "bob").await, Ok(()));
    let people = world.count("actor WHERE name LIKE 'host-match/%'");
    assert_eq!(people, 2, "neither is forgotten");
}
