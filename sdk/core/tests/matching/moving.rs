//! Where a meeting can be moved to.

use huddle_core::availability::Search;
use huddle_core::booking::{Booking, Constraints};
use huddle_core::host_match::Role;
use huddle_core::matching::Busy;
use huddle_schedule::{Circle, IntervalSet};

use crate::world::{World, ada, asking, between, bob, slots};

fn moving(by: Role, approved: bool) -> Search {
    Search {
        acquainted: true,
        approved,
        by,
        ..asking(Constraints::default())
    }
}

#[test]
fn a_guest_does_not_get_by_moving_what_needs_a_yes_or_a_choice() {
    let world = World::new();
    world.relate(Circle::Mutual);
    let [auto, pick, approve] = ["auto", "pick", "approve"].map(|mode| {
        let day = match mode {
            "auto" => ("02T09:00", "02T09:30"),
            "pick" => ("03T09:00", "03T09:30"),
            _ => ("04T09:00", "04T09:30"),
        };
        (
            world.offer(mode, day, "mutual", mode),
            between(day.0, day.1),
        )
    });
    let found = |by, approved| slots(&world.search(&moving(by, approved)));
    assert_eq!(found(Role::Guest, false), [auto.1]);
    assert_eq!(found(Role::Guest, true), [auto.1, approve.1]);
    assert_eq!(found(Role::Host, false), [auto.1, pick.1, approve.1]);
    world.withdraw(&auto.0);
    assert_eq!(
        found(Role::Guest, false),
        [],
        "and is not asked to wait for one"
    );
}

/// A booking of Bob's that is held.
fn held(world: &World) -> Booking {
    world.request(Constraints::default()).expect("it is held")
}

#[test]
fn a_booking_is_not_in_its_own_way() {
    let world = World::new();
    world.relate(Circle::Mutual);
    world.offer("a", ("02T09:00", "02T09:30"), "mutual", "auto");
    let booking = held(&world);
    assert_eq!(world.slots(Constraints::default()), []);
    let own = Search {
        booking: Some(booking.id.clone()),
        ..moving(Role::Guest, false)
    };
    let slot = between("02T09:00", "02T09:30");
    assert_eq!(slots(&world.search(&own)), [slot]);
    for person in [ada(), bob()] {
        world
            .people
            .set_calendars(&person, Busy::Known(IntervalSet::new()));
        world.people.add_event(&person, &booking.id, slot);
    }
    assert_eq!(slots(&world.search(&own)), [slot], "nor are its events");
    world.people.set_calendars(&ada(), Busy::Known(slot.into()));
    assert_eq!(slots(&world.search(&own)), [], "what else is there, is");
}
