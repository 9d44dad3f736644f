//! Guests whom another service schedules for: their calendars are its affair.

use huddle_core::availability::Found;
use huddle_core::booking::{Constraints, GuestSide};
use huddle_core::matching::{Busy, Freshness};
use huddle_schedule::{Circle, IntervalSet};

use crate::world::{SERVICE, World, ada, between, bob};

const ELSEWHERE: &str = "did:web:elsewhere.example";

/// Ada offers a slot in each of two ways, and Bob, whom she knows, has named a service.
fn named(service: &str) -> World {
    let world = World::new();
    world.relate(Circle::Mutual);
    world.offer("a", ("02T09:00", "02T09:30"), "mutual", "auto");
    world.offer("b", ("03T09:00", "03T09:30"), "mutual", "pick");
    world.name_service(&bob(), service);
    world
}

/// What is said of Bob's side where a slot is found, and where one is listed.
fn sides(world: &World) -> [Option<GuestSide>; 2] {
    let found = match world.found(Constraints::default()) {
        Found::Proposals(proposals) => proposals.first().map(|it| it.place.terms.guest_side),
        _ => None,
    };
    let listing = world.listed(&bob(), Constraints::default());
    let listed = listing.ok().filter(|it| !it.slots.is_empty());
    [found, listed.map(|it| it.guest_side)]
}

#[test]
fn the_calendars_of_a_guest_are_looked_at_only_by_the_service_that_they_have_named() {
    let nothing = IntervalSet::new();
    let all = IntervalSet::from(between("01T00:00", "09T00:00"));
    let (checked, unchecked) = (Some(GuestSide::Checked), Some(GuestSide::Unchecked));
    for (calendars, here) in [
        (Busy::Known(nothing), checked),
        (Busy::Known(all), None),
        (Busy::Unreadable, None),
        (Busy::Delayed, None),
        (Busy::Unconnected, unchecked),
    ] {
        for (service, expect) in [(SERVICE, here), (ELSEWHERE, unchecked)] {
            let world = named(service);
            world.people.set_calendars(&bob(), calendars.clone());
            assert_eq!(sides(&world), [expect; 2], "{calendars:?} at {service}");
        }
    }
    let world = named(ELSEWHERE);
    world.found(Constraints::default());
    let asked = world.people.take_asked();
    assert_eq!(asked, [Freshness::Recent; 2], "the graph, and the host's");
}

#[test]
fn what_such_a_guest_holds_here_is_in_the_way_all_the_same() {
    let world = named(ELSEWHERE);
    world.hold(&bob(), between("02T09:00", "02T09:30"));
    world.hold(&bob(), between("03T09:15", "03T10:00"));
    assert_eq!(sides(&world), [None; 2]);
}

#[test]
fn the_calendars_of_the_host_count_for_such_a_guest_too() {
    let world = named(ELSEWHERE);
    let busy = IntervalSet::from(between("02T09:00", "02T09:10"));
    world.people.set_calendars(&ada(), Busy::Known(busy));
    let unchecked = Some(GuestSide::Unchecked);
    assert_eq!(sides(&world), [None, unchecked]);
}
