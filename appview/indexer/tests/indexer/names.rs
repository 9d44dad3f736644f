//! What people are called, and of whom that is found out.

use std::slice::from_ref;

use futures_util::FutureExt as _;
use huddle_core::index::{Index as _, people};

use crate::requests::{DAY, HOUR, Scene};
use crate::world::{Answers, NOW, World, handle};

#[tokio::test]
async fn one_who_is_slow_to_say_what_they_are_called_holds_up_no_other() {
    const ALL: usize = 7;
    let world = World::new();
    let people: Vec<_> = (0..ALL)
        .map(|number| world.sign_up(&format!("person{number}")))
        .collect();
    for pair in people.windows(2) {
        let meet = people::meet([&pair[0], &pair[1]], NOW, NOW);
        world.index.batch(vec![meet]).await.unwrap();
    }
    let hosts = world.hosts(Answers::NeverTheFirst);
    let indexer = world.indexer_asking(hosts);
    let mut naming = indexer.name_hosts(10).boxed();
    let named = async || {
        world
            .rows("SELECT handle FROM people WHERE named > 0")
            .await
    };
    for _ in 0..1000 {
        assert_eq!((&mut naming).now_or_never(), None);
        if named().await.len() == ALL - 1 {
            return;
        }
    }
    panic!("{:?}", named().await);
}

#[tokio::test]
async fn one_whose_server_is_away_is_asked_again_before_the_day_is_over() {
    let world = World::new();
    let people = ["ada", "bob"].map(|name| world.sign_up(name));
    let meet = people::meet([&people[0], &people[1]], NOW, NOW);
    world.index.batch(vec![meet]).await.unwrap();
    let away = world.indexer_asking(world.hosts(Answers::Refused));
    assert_eq!(away.name_hosts(10).await, Ok(2));
    assert_eq!(away.name_hosts(10).await, Ok(0), "not at once");
    world.clock.step(HOUR);
    assert_eq!(world.indexer().name_hosts(10).await, Ok(2));
    world.clock.step(HOUR);
    assert_eq!(world.indexer().name_hosts(10).await, Ok(0), "all is known");
    let handles = world
        .rows("SELECT handle FROM people ORDER BY handle")
        .await;
    assert_eq!(handles.len(), 2, "{handles:?}");
}

#[tokio::test]
async fn a_guest_who_only_calls_is_named_once_they_have_a_booking_and_for_as_long() {
    let scene = Scene::new();
    let world = &scene.world;
    world.follow().await;
    let indexer = world.indexer();
    assert_eq!(indexer.name_hosts(10).await, Ok(0));
    scene.book("k").await;
    assert_eq!(indexer.name_hosts(10).await, Ok(2));
    for (person, name) in [(&scene.ada, "ada"), (&scene.bob, "bob")] {
        let names = people::names(&*world.index, from_ref(&person)).await;
        let names = names.unwrap().remove(person).unwrap();
        assert_eq!(names.handle, Some(handle(name)));
    }
    // The second time the meeting is over since a day.
    for named in [2, 0] {
        world.clock.step(DAY + HOUR);
        indexer.forget().await.unwrap();
        assert_eq!(indexer.name_hosts(10).await, Ok(named));
    }
}
