//! Many strangers who ask whatever they can think of.

use std::collections::BTreeSet;

use huddle_core::availability::{Found, Search};
use huddle_core::booking::Constraints;
use huddle_core::matching::Busy;
use huddle_core::{Interval, Limits};
use huddle_ports::Timestamp;

use crate::world::{World, ada, asking, at, did};

/// Numbers by a seed: the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        // Knuth's constants for a linear congruential generator; its high bits are the good ones.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn flip<T>(&mut self, value: T) -> Option<T> {
        (self.below(2) == 0).then_some(value)
    }

    fn moment(&mut self, days: u64) -> Timestamp {
        at("01T00:00") + std::time::Duration::from_mins(self.below(days * 24 * 60))
    }

    fn constraints(&mut self) -> Constraints {
        const ZONES: [&str; 4] = ["Asia/Tokyo", "America/New_York", "UTC", "Pacific/Auckland"];
        let (one, other) = (self.moment(7), self.moment(7));
        let shortest = 5 + u32::try_from(self.below(60)).expect("below 60");
        let zone = ZONES[usize::try_from(self.below(4)).expect("below 4")];
        let day = u8::try_from(self.below(7)).expect("below 7");
        Constraints {
            duration_min: self.flip(shortest),
            duration_max: self.flip(shortest + 30),
            earliest: self.flip(one.min(other)),
            latest: Some(one.max(other)),
            days: self.flip(vec![day]).unwrap_or_default(),
            tz: self.flip(zone.to_owned()),
            chosen: None,
        }
    }
}

/// A week of Ada's, in which she has something to do every now and then.
fn busy_week(chance: &mut Chance) -> Busy {
    let event = |chance: &mut Chance| {
        let start = chance.moment(7);
        let length = std::time::Duration::from_mins(15 + chance.below(90));
        Interval::lasting(start, length).expect("some minutes")
    };
    Busy::Known((0..40).map(|_| event(chance)).collect())
}

#[test]
fn fifty_strangers_learn_no_more_than_the_budget_of_a_week() {
    let world = World::new();
    let budget = Limits::default().disclosures_per_week;
    let durations = r#"{"durations": [30, 15, 45, 60], "minimumNoticeMinutes": 0}"#;
    world.prefer(&ada(), durations);
    world.office_hours("a", "anyone", "auto");
    world.office_hours("b", "follower", "auto");
    world.office_hours("c", "anyone", "pick");
    world.office_hours("d", "anyone", "approve");
    let mut chance = Chance(1);
    let mut slots = BTreeSet::new();
    let mut questions = 0;
    for guest in 0..50 {
        let guest = did(&format!("guest{guest}"));
        for _ in 0..6 {
            let busy = busy_week(&mut chance);
            world.people.set_calendars(&ada(), busy);
            let constraints = chance.constraints();
            let listing = world.listed(&guest, constraints.clone());
            let listed = listing.expect("no calendar is in the way").slots;
            slots.extend(listed.into_iter().map(|it| it.interval));
            let search = Search {
                guest: guest.clone(),
                ..asking(constraints)
            };
            if let Found::Proposals(found) = world.search(&search) {
                slots.extend(found.into_iter().map(|it| it.place.slot));
            }
            questions += 2;
        }
    }
    let instants: BTreeSet<_> = slots.iter().map(|slot| slot.start()).collect();
    println!(
        "{questions} questions of 50 strangers: {} distinct instants, {} slots; the budget is {budget}",
        instants.len(),
        slots.len(),
    );
    let most = usize::try_from(budget).expect("a small number");
    assert!(slots.len() <= most, "{} slots", slots.len());
    assert!(!slots.is_empty(), "somebody is told something");
}

#[test]
fn where_nothing_is_free_the_budget_is_spent_all_the_same() {
    let world = World::new();
    world.office_hours("a", "anyone", "auto");
    let all = Interval::new(at("01T00:00"), at("30T00:00")).expect("a month");
    world.people.set_calendars(&ada(), Busy::Known(all.into()));
    let mut chance = Chance(2);
    for guest in 0..50 {
        let search = Search {
            guest: did(&format!("guest{guest}")),
            ..asking(chance.constraints())
        };
        assert_eq!(world.search(&search), Found::Proposals(Vec::new()));
    }
    world.people.set_calendars(&ada(), Busy::Unconnected);
    let week = Constraints {
        latest: Some(at("06T00:00")),
        ..Constraints::default()
    };
    assert_eq!(world.slots(week), [], "all that may be told was told");
    world.people.relate(
        &ada(),
        &crate::world::bob(),
        Ok(huddle_schedule::Relationship {
            circle: huddle_schedule::Circle::Mutual,
            blocked: false,
        }),
    );
    assert!(
        !world.slots(Constraints::default()).is_empty(),
        "friends are told"
    );
}
