//! The last check of a slot that is held.

use huddle_core::availability::{Checked, Side};
use huddle_core::booking::{Booking, Constraints, Phase, Place};
use huddle_core::matching::{Busy, Freshness, UnknownRelationship};
use huddle_schedule::{Circle, IntervalSet, Relationship};

use crate::world::{World, ada, between, bob};

/// Ada offers one slot to whom she follows, and Bob holds it.
fn held() -> (World, Booking, Place) {
    let world = World::new();
    world.relate(Circle::Connected);
    world.offer("a", ("02T09:00", "02T09:30"), "connected", "auto");
    let booking = world.request(Constraints::default()).expect("it is held");
    let Phase::Held { place, .. } = booking.phase.clone() else {
        panic!("{booking:?}");
    };
    world.people.take_asked();
    (world, booking, place)
}

#[track_caller]
fn check(what: &str, change: impl FnOnce(&World, &Booking), expect: Checked) {
    let (world, booking, place) = held();
    change(&world, &booking);
    assert_eq!(world.check(&booking, &place), expect, "{what}");
}

fn slot() -> IntervalSet {
    between("02T09:00", "02T09:30").into()
}

const HOST: Checked = Checked::Unreadable(Side::Host { stranger: false });
const STRANGERS_HOST: Checked = Checked::Unreadable(Side::Host { stranger: true });
const GUEST: Checked = Checked::Unreadable(Side::Guest);

#[test]
fn a_slot_is_free_until_something_has_changed() {
    check("nothing", |_, _| (), Checked::Free);
    check(
        "it is soon",
        |world, _| world.clock.set(crate::world::at("02T08:59")),
        Checked::Free,
    );
    check(
        "its own events",
        |world, booking| {
            for person in [ada(), bob()] {
                world
                    .people
                    .set_calendars(&person, Busy::Known(IntervalSet::new()));
                world
                    .people
                    .add_event(&person, &booking.id, between("02T09:00", "02T09:30"));
            }
        },
        Checked::Free,
    );
}

#[test]
fn whatever_has_come_into_its_way_takes_it() {
    for person in [ada(), bob()] {
        let busy = |world: &World, _: &Booking| {
            world.people.set_calendars(&person, Busy::Known(slot()));
        };
        check("a calendar", busy, Checked::Busy);
        let around = |world: &World, _: &Booking| {
            world.prefer(&person, r#"{"bufferAfterMinutes": 15}"#);
            let busy = between("02T09:40", "02T10:00").into();
            world.people.set_calendars(&person, Busy::Known(busy));
        };
        check("what is kept free around it", around, Checked::Busy);
    }
}

#[test]
fn what_is_not_offered_any_more_is_not_given_away() {
    let withdraw = |world: &World, _: &Booking| {
        let uri = world.offer("a", ("02T09:00", "02T09:30"), "connected", "auto");
        world.withdraw(&uri);
    };
    check("it is gone", withdraw, Checked::Busy);
    let offer = |window, policy, mode| {
        move |world: &World, _: &Booking| {
            world.offer("a", window, policy, mode);
        }
    };
    let (whole, part) = (("02T09:00", "02T09:30"), ("02T09:00", "02T09:29"));
    check(
        "it is closed",
        offer(part, "connected", "auto"),
        Checked::Busy,
    );
    check("for whom", offer(whole, "mutual", "auto"), Checked::Busy);
    check("how", offer(whole, "connected", "lottery"), Checked::Busy);
    check(
        "longer",
        offer(("02T08:00", "02T12:00"), "anyone", "pick"),
        Checked::Free,
    );
    let elsewhere = |world: &World, _: &Booking| world.serve("did:web:elsewhere.example");
    check("by whom", elsewhere, Checked::Busy);
}

#[test]
fn who_is_blocked_or_known_no_more_gets_nothing() {
    let relate = |relationship| {
        move |world: &World, _: &Booking| world.people.relate(&ada(), &bob(), Ok(relationship))
    };
    let circle = Circle::Connected;
    let blocked = relate(Relationship {
        circle,
        blocked: true,
    });
    check("a block", blocked, Checked::Busy);
    let unfollowed = relate(Relationship {
        circle: Circle::Follower,
        blocked: false,
    });
    check("no follow", unfollowed, Checked::Busy);
    let private = |world: &World, _: &Booking| {
        world.prefer(&ada(), &format!(r#"{{"blockedDids": ["{}"]}}"#, bob()));
    };
    check("a private block", private, Checked::Busy);
    let gone = |world: &World, _: &Booking| {
        let unknown = UnknownRelationship::NoSuchAccount(bob());
        world.people.relate(&ada(), &bob(), Err(unknown));
    };
    check("no account", gone, Checked::Busy);
}

#[test]
fn what_cannot_be_read_leaves_it_open_unless_it_is_taken_anyway() {
    for unreadable in [Busy::Unreadable, Busy::Delayed] {
        let set = |person, busy| {
            move |world: &World, _: &Booking| world.people.set_calendars(&person, busy)
        };
        check("the host", set(ada(), unreadable.clone()), HOST);
        check("the guest", set(bob(), unreadable.clone()), GUEST);
        let taken = |world: &World, _: &Booking| {
            world.people.set_calendars(&bob(), unreadable.clone());
            world.people.set_calendars(&ada(), Busy::Known(slot()));
        };
        check("the guest, and taken", taken, Checked::Busy);
    }
    let unknown = |world: &World, _: &Booking| {
        let unknown = UnknownRelationship::Unavailable("no answer".into());
        world.people.relate(&ada(), &bob(), Err(unknown));
    };
    check("the graph", unknown, STRANGERS_HOST);
}

#[test]
fn the_calendars_of_a_guest_whom_another_service_schedules_for_are_in_no_way() {
    for busy in [Busy::Known(slot()), Busy::Unreadable, Busy::Delayed] {
        let elsewhere = |world: &World, _: &Booking| {
            world.people.set_calendars(&bob(), busy);
            world.name_service(&bob(), "did:web:elsewhere.example");
        };
        check("the guest", elsewhere, Checked::Free);
    }
}

#[test]
fn everything_is_asked_afresh() {
    let (world, booking, place) = held();
    world.check(&booking, &place);
    assert_eq!(world.people.take_asked(), [Freshness::Fresh; 3]);
    world.found(Constraints::default());
    assert_eq!(world.people.take_asked(), [Freshness::Recent; 3]);
}
