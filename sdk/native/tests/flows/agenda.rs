//! What is told of the time that a person has given away.

use std::time::Duration;

use huddle_core::Interval;
use huddle_core::agenda::agenda;
use huddle_core::booking::BookingId;
use huddle_core::host_match::Engagement;
use huddle_ports::Clock as _;

use crate::world::{World, did, key, request_id, tomorrow};

async fn of(
    world: &World,
    name: &str,
    within: Interval,
    but: Option<BookingId>,
) -> Vec<Engagement> {
    let person = did(name);
    agenda(&*world.store, &person, within, but).await.unwrap()
}

#[tokio::test]
async fn an_agenda_tells_what_is_held_and_what_is_booked_on_both_sides() {
    let world = World::new();
    world.say(|it| it.after = Duration::from_mins(30));
    let first = world.request("bob", "ada", "k").await.unwrap();
    let accept = world.flows.finalize(&first.id, key("bob", "finalize", "k"));
    accept.await.unwrap().unwrap();
    world.settle().await;
    world.say(|it| it.hours = vec![2]);
    let second = world.request("cleo", "ada", "k").await.unwrap();
    let until = world.clock.now() + Duration::from_mins(15);
    let engagement = |hour, held_until, hosted, after| Engagement {
        booking: if hour == 0 {
            first.id.clone()
        } else {
            second.id.clone()
        },
        slot: tomorrow(hour),
        guard: tomorrow(hour).widened(Duration::ZERO, after),
        held_until,
        hosted,
    };
    let half = Duration::from_mins(30);
    let hers = [
        engagement(0, None, true, half),
        engagement(2, Some(until), true, half),
    ];
    assert_eq!(of(&world, "ada", Interval::ALWAYS, None).await, hers);
    let his = [engagement(0, None, false, Duration::ZERO)];
    assert_eq!(of(&world, "bob", Interval::ALWAYS, None).await, his);
    let but = Some(first.id.clone());
    assert_eq!(of(&world, "ada", Interval::ALWAYS, but).await, hers[1..]);
    // The hour between them has the margin of the first in it, and the one after the second that of the second.
    assert_eq!(of(&world, "ada", tomorrow(1), None).await, hers[..1]);
    assert_eq!(of(&world, "ada", tomorrow(3), None).await, hers[1..]);
    assert_eq!(of(&world, "ada", tomorrow(4), None).await, []);
}

#[tokio::test]
async fn what_is_held_no_more_is_in_no_agenda_and_asking_writes_nothing() {
    let world = World::new();
    world.request("bob", "ada", "k").await.unwrap();
    world.clock.step(Duration::from_mins(15));
    let claims = world.count("claim");
    assert_eq!(of(&world, "ada", Interval::ALWAYS, None).await, []);
    assert_eq!(world.count("claim"), claims);
    assert_eq!(of(&world, "nobody", Interval::ALWAYS, None).await, []);
    assert_eq!(world.count("actor WHERE name LIKE '%nobody%'"), 0);
    let unknown = request_id("bob", "never asked");
    assert_eq!(of(&world, "ada", Interval::ALWAYS, Some(unknown)).await, []);
}

#[tokio::test]
async fn of_somebody_with_more_meetings_than_are_told_nothing_that_is_not_told_is_free() {
    let world = World::new();
    world.request("bob", "ada", "k").await.unwrap();
    let day = tomorrow(0).start().as_millis();
    let fill = format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10001) \
         INSERT INTO claim SELECT actor, 'booking' || printf('%016d', n), attempt, 'booked', \
         {day} + n * 1000, {day} + n * 1000 + 1000, {day} + n * 1000, {day} + n * 1000 + 1000, \
         role, counterpart, limited, due FROM claim, n WHERE actor LIKE '%ada%'"
    );
    world.connection().execute(&fill, []).unwrap();
    let within = tomorrow(0).widened(Duration::ZERO, Duration::from_hours(48));
    let told = of(&world, "ada", within, None).await;
    assert_eq!(told.len(), 10_000);
    let last = told.last().unwrap();
    assert_eq!(
        [last.slot, last.guard].map(Interval::end),
        [within.end(); 2]
    );
    assert!(
        told.iter()
            .rev()
            .skip(1)
            .all(|it| it.guard.end() < tomorrow(4).start())
    );
}
