//! Slots that are listed, and taken with their tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use huddle_core::availability::Found;
use huddle_core::booking::{Chosen, Constraints, GuestSide, Mode};
use huddle_core::matching::{Busy, Listing, ListingFailed, Slots as _};
use huddle_core::{Interval, Limits};
use huddle_schedule::{Circle, IntervalSet};

use crate::world::{World, ada, at, between, bob, did, slots};

fn picking() -> World {
    let world = World::new();
    world.relate(Circle::Mutual);
    world.office_hours("a", "anyone", "pick");
    world
}

#[track_caller]
fn list(world: &World) -> Listing {
    let listed = world.listed(&bob(), Constraints::default());
    listed.expect("all calendars can be read")
}

#[test]
fn a_slot_that_is_listed_can_be_taken_with_its_token() {
    let world = picking();
    let listing = list(&world);
    assert_eq!(listing.guest_side, GuestSide::Unchecked);
    for listed in &listing.slots {
        let chosen = world.matching.chosen(&listed.token, &ada(), &bob());
        let chosen = chosen.expect("the token is good");
        assert_eq!(chosen.slot, listed.interval);
        assert_eq!(chosen.offer, listed.offer);
        let found = world.found(chosen.into());
        assert_eq!(slots(&found), [listed.interval]);
        let Found::Proposals(proposals) = found else {
            panic!("{found:?}");
        };
        assert_eq!(proposals[0].place.terms.mode, Mode::Pick);
        assert_eq!(proposals[0].place.terms.offer.as_ref(), Some(&listed.offer));
    }
}

#[test]
fn a_token_is_good_for_its_guest_only_and_says_until_when() {
    let world = picking();
    let listed = list(&world).slots.remove(0);
    assert_eq!(listed.expires, at("01T00:15"));
    let take = |host, guest| world.matching.chosen(&listed.token, &host, &guest);
    assert!(take(ada(), did("carol")).is_err());
    assert!(take(bob(), ada()).is_err());
    assert!(world.matching.chosen("token", &ada(), &bob()).is_err());
    let in_time = take(ada(), bob()).expect("the token is good");
    assert_eq!(in_time.expires, listed.expires);
    world.clock.set(at("01T00:15"));
    assert_eq!(take(ada(), bob()), Ok(in_time), "it came too late");
}

#[test]
fn a_slot_that_was_chosen_is_found_only_while_it_suits() {
    let world = picking();
    let listed = list(&world).slots.remove(0);
    let chosen = Chosen {
        offer: listed.offer.clone(),
        slot: listed.interval,
        expires: listed.expires,
    };
    let found = |chosen: &Chosen| world.slots(chosen.clone().into());
    assert_eq!(found(&chosen), [listed.interval]);
    let longer = Chosen {
        slot: listed
            .interval
            .widened(Duration::ZERO, Duration::from_secs(1)),
        ..chosen.clone()
    };
    assert_eq!(found(&longer), []);
    world
        .people
        .set_calendars(&ada(), Busy::Known(listed.interval.into()));
    assert_eq!(found(&chosen), []);
    world.people.set_calendars(&ada(), Busy::Unconnected);
    world.office_hours("a", "anyone", "auto");
    assert_eq!(found(&chosen), [], "it is not there to be picked any more");
}

#[test]
fn of_a_day_nobody_is_told_of_more_than_a_few_starts_however_they_ask() {
    let world = picking();
    let mut told: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for hour in 9..17 {
        for day in 1..=5 {
            let constraints = Constraints {
                earliest: Some(at(&format!("{day:02}T{hour:02}:00"))),
                latest: Some(at(&format!("{day:02}T{:02}:00", hour + 1))),
                ..Constraints::default()
            };
            let listing = world
                .listed(&bob(), constraints)
                .expect("no calendar is in the way");
            for slot in listing.slots {
                let start = slot.interval.start();
                told.entry(start.as_secs() / 86_400)
                    .or_default()
                    .insert(start.as_secs());
            }
        }
    }
    let counts: Vec<_> = told.values().map(BTreeSet::len).collect();
    assert_eq!(counts.len(), 5);
    assert!(
        counts.iter().all(|count| (1..=6).contains(count)),
        "{counts:?}"
    );
}

#[test]
fn friends_get_to_know_which_side_cannot_be_read_and_strangers_of_their_own_only() {
    let unavailable = Err(ListingFailed::CalendarUnavailable);
    for unreadable in [Busy::Unreadable, Busy::Delayed] {
        for circle in [Circle::Mutual, Circle::Anyone] {
            let world = picking();
            world.relate(circle);
            world.people.set_calendars(&ada(), unreadable.clone());
            let listed = world.listed(&bob(), Constraints::default());
            if circle.is_stranger() {
                assert_eq!(listed.map(|it| it.slots), Ok(Vec::new()));
            } else {
                assert_eq!(listed, unavailable);
            }
            world
                .people
                .set_calendars(&ada(), Busy::Known(IntervalSet::new()));
            world.people.set_calendars(&bob(), unreadable.clone());
            assert_eq!(world.listed(&bob(), Constraints::default()), unavailable);
        }
    }
}

#[test]
fn what_is_listed_to_strangers_is_of_whole_blocks() {
    let listed = |circle| {
        let world = picking();
        world.relate(circle);
        let narrow = Constraints {
            earliest: Some(at("02T10:00")),
            latest: Some(at("02T10:40")),
            ..Constraints::default()
        };
        let listing = world.listed(&bob(), narrow);
        listing.expect("no calendar is in the way").slots
    };
    let asked = between("02T10:00", "02T10:40");
    assert!(
        listed(Circle::Mutual)
            .iter()
            .all(|it| asked.covers(it.interval))
    );
    assert!(
        !listed(Circle::Anyone)
            .iter()
            .all(|it| asked.covers(it.interval))
    );
}

#[test]
fn the_slots_of_strangers_are_counted() {
    let world = World::with(Limits {
        disclosures_per_week: 3,
        ..Limits::default()
    });
    world.office_hours("a", "anyone", "pick");
    let week = |day: u32| Constraints {
        earliest: Some(at(&format!("{day:02}T00:00"))),
        latest: Some(at(&format!("{:02}T00:00", day + 7))),
        ..Constraints::default()
    };
    let listed = |name: &str, day| {
        let listing = world.listed(&did(name), week(day));
        let slots = listing.expect("no calendar is in the way").slots;
        slots
            .into_iter()
            .map(|it| it.interval)
            .collect::<BTreeSet<Interval>>()
    };
    let first = listed("bob", 1);
    assert_eq!(first.len(), 3);
    assert!(listed("carol", 1).is_subset(&first));
    assert_eq!(listed("carol", 8).len(), 3, "another week, another budget");
    let outside = between("08T00:00", "15T00:00");
    assert!(listed("dan", 8).iter().all(|slot| outside.covers(*slot)));
}
