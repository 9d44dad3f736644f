//! How long a search takes, from the question to the proposals: offers, preferences, meetings and what strangers were
//! told in SQLite, in memory; a thousand events on each side at hand.

#[path = "../tests/matching/store.rs"]
mod store;
#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../tests/matching/world.rs"]
mod world;

use std::time::Duration;

use divan::{Bencher, black_box};
use huddle_core::Interval;
use huddle_core::booking::Constraints;
use huddle_core::matching::Busy;
use huddle_schedule::Circle;

use crate::world::{World, ada, asking, at, bob};

fn main() {
    divan::main();
}

/// A thousand events of five to twenty-five minutes in the sixty days that can be booked, the same in every run.
fn events(mut seed: u64) -> Busy {
    let mut below = |limit| {
        // Knuth's constants for a linear congruential generator; its high bits are the good ones.
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % limit
    };
    let event = |_| {
        let start = at("01T00:00") + Duration::from_mins(below(60 * 24 * 60));
        let length = Duration::from_mins(5 + 5 * below(5));
        Interval::lasting(start, length).expect("some minutes")
    };
    Busy::Known((0..1000).map(event).collect())
}

fn busy_people(circle: Circle) -> World {
    let world = World::new();
    world.relate(circle);
    world.office_hours("a", "anyone", "auto");
    world.office_hours("b", "anyone", "pick");
    world.people.set_calendars(&ada(), events(1));
    world.people.set_calendars(&bob(), events(2));
    world
}

const CIRCLES: [Circle; 2] = [Circle::Mutual, Circle::Anyone];

/// The best slots of sixty days.
#[divan::bench(args = CIRCLES)]
fn search(bencher: Bencher<'_, '_>, circle: Circle) {
    let world = busy_people(circle);
    let search = asking(Constraints::default());
    bencher.bench_local(|| world.search(black_box(&search)));
}

/// The best slots of one week.
#[divan::bench(args = CIRCLES)]
fn search_in_one_week(bencher: Bencher<'_, '_>, circle: Circle) {
    let world = busy_people(circle);
    let search = asking(Constraints {
        earliest: Some(at("08T00:00")),
        latest: Some(at("15T00:00")),
        ..Constraints::default()
    });
    bencher.bench_local(|| world.search(black_box(&search)));
}

/// Slots to choose from.
#[divan::bench(args = CIRCLES)]
fn list(bencher: Bencher<'_, '_>, circle: Circle) {
    let world = busy_people(circle);
    let guest = bob();
    bencher.bench_local(|| world.listed(black_box(&guest), Constraints::default()));
}
