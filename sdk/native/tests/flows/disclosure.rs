//! How much strangers are told of a week of a host's time, all of them together.

use std::time::Duration;

use huddle_core::host_match::{Disclose, Disclosure};
use huddle_core::transport::ask;
use huddle_core::{ActorName, Limits};
use huddle_ports::{Clock as _, Timestamp};

use crate::world::{World, did};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// The world begins on Thursday, 2026-01-01, at noon; so many hours later, the answer of this number.
fn answer(begun: Timestamp, hours: u32, number: u32) -> Disclosure {
    Disclosure {
        start: begun + HOUR * hours,
        mark: format!("{hours} {number}"),
    }
}

async fn told(world: &World, wanted: &[Disclosure], at_most: u32) -> Vec<u32> {
    told_to("bob", world, wanted, at_most).await
}

async fn told_to(guest: &str, world: &World, wanted: &[Disclosure], at_most: u32) -> Vec<u32> {
    let disclose = Disclose {
        to: did(guest),
        wanted: wanted.to_vec(),
        at_most,
    };
    let host = ActorName::host_match(&did("ada"));
    ask(&*world.store, &host, disclose).await.unwrap()
}

/// As many answers about the week in which that hour is as are told, each to somebody else.
async fn spend(world: &World, begun: Timestamp, hours: u32) {
    for number in 0..Limits::default().disclosures_per_week {
        let (guest, wanted) = (format!("guest{number}"), answer(begun, hours, number));
        assert_eq!(told_to(&guest, world, &[wanted], 1).await, [0]);
    }
}

#[tokio::test]
async fn of_each_week_so_much_is_told_and_that_again_for_nothing() {
    let world = World::new();
    let begun = world.clock.now();
    // Monday begins 84 hours from the start.
    spend(&world, begun, 83).await;
    let [this, next] = [83, 84].map(|hours| answer(begun, hours, 99));
    let again = answer(begun, 83, 7);
    let wanted = [this.clone(), next.clone(), again.clone(), again];
    assert_eq!(told(&world, &wanted, 9).await, [1, 2]);
    assert_eq!(told(&world, &[this, next], 9).await, [1]);
    assert_eq!(world.count("disclosure"), 41);
}

#[tokio::test]
async fn one_stranger_is_told_so_much_of_a_day_and_no_more_of_a_host() {
    let world = World::new();
    let begun = world.clock.now();
    let most = Limits::default().disclosures_per_guest;
    let wanted: Vec<_> = (0..most + 3).map(|it| answer(begun, 100, it)).collect();
    let first: Vec<u32> = (0..most).collect();
    assert_eq!(told(&world, &wanted, 99).await, first);
    // What they were told is told again, and others are told of it and of more.
    assert_eq!(told(&world, &wanted, 99).await, first);
    assert_eq!(told(&world, &[answer(begun, 100, 99)], 1).await, [0; 0]);
    assert_eq!(
        told_to("cleo", &world, &wanted[most as usize..], 99).await,
        [0, 1, 2]
    );
    // It is noon: in twelve hours it is another day.
    world.clock.step(HOUR * 12);
    world.settle().await;
    assert_eq!(told(&world, &[answer(begun, 100, 99)], 1).await, [0]);
    assert_eq!(
        world.count("told"),
        1,
        "of days that are over nothing is kept"
    );
}

#[tokio::test]
async fn only_what_is_told_is_paid_for_and_the_most_wanted_is_told_first() {
    let world = World::new();
    let begun = world.clock.now();
    let wanted = [100, 90, 300, 10].map(|hours| answer(begun, hours, 0));
    assert_eq!(told(&world, &wanted, 2).await, [0, 1]);
    assert_eq!(world.count("disclosure"), 2);
    assert_eq!(told(&world, &wanted, 0).await, [0; 0]);
    assert_eq!(told(&world, &wanted, 4).await, [0, 1, 2, 3]);
    assert_eq!(world.count("disclosure"), 4);
}

#[tokio::test]
async fn nothing_is_told_of_weeks_that_are_over_or_very_far_ahead() {
    let world = World::new();
    let begun = world.clock.now();
    let over = Disclosure {
        start: begun - DAY * 4,
        mark: "over".into(),
    };
    // It is over, but its week is not.
    let before = Disclosure {
        start: begun - DAY,
        mark: "before".into(),
    };
    let far = answer(begun, 400 * 24, 0);
    assert_eq!(told(&world, &[over, far, before], 9).await, [2]);
}

#[tokio::test]
async fn what_was_told_is_kept_until_its_week_is_over_and_no_longer() {
    let world = World::new();
    let begun = world.clock.now();
    spend(&world, begun, 0).await;
    world
        .clock
        .step(HOUR * 83 + Duration::from_millis(3_599_999));
    world.settle().await;
    assert_eq!(told(&world, &[answer(begun, 1, 0)], 9).await, [0; 0]);
    world.clock.step(Duration::from_millis(1));
    world.settle().await;
    assert_eq!(world.count("disclosure"), 0);
    assert_eq!(world.count("timer"), 0);
    assert_eq!(world.count("actor"), 0);
}
