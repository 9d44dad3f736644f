//! The protocol of holds and bookings, explored on the actors and the driver as they are.
//!
//! A model is a few people and bookings, drivers that may die anywhere, messages that may come late,
//! twice or never, and a clock that goes forth and back. After every step no time is given away twice
//! and no booking is confirmed on one side only; and from every state it all comes to rest.

mod actors;
mod mutations;
mod scenario;
mod scenarios;
mod search;
mod sql;
mod world;

use std::collections::BTreeSet;

use mutations::Mutation;
use scenario::Scenario;
use search::Counterexample;

#[track_caller]
fn check(scenario: &Scenario) {
    let name = scenario.name;
    let mut ends = BTreeSet::new();
    for tour in &scenario.tours {
        let explored = search::explore(scenario, tour, &mutations::NONE);
        println!(
            "{name}, clock {:?}, trouble {}: {} states, {} transitions, {} turns of actors",
            tour.clocks, tour.trouble.all, explored.states, explored.transitions, explored.turns
        );
        if let Some(counterexample) = explored.counterexample {
            panic!("{name}: {counterexample}");
        }
        ends.extend(explored.ends);
    }
    let missing = scenario.ends.iter().find(|end| !ends.contains(**end));
    assert_eq!(missing, None, "{name}: bookings only end as {ends:?}");
}

macro_rules! explored {
    ($($name:ident)+) => {
        $(
            #[test]
            fn $name() {
                check(&scenarios::$name());
            }
        )+
    };
}

explored! {
    two_guests_race_for_one_slot
    one_guest_asks_two_hosts_for_the_same_time
    two_people_host_each_other
    several_drivers_of_one_booking
    either_side_calls_it_off
    either_side_moves_it
    a_move_to_a_slot_that_another_wants
    a_move_from_a_slot_that_another_wants
    the_host_approves
    asking_is_accepting
}

/// What goes wrong with a rule broken, at the earliest.
fn counterexample(mutation: &'static Mutation) -> Option<Counterexample> {
    let scenario = (mutation.scenario)();
    let mut tours = scenario.tours.iter();
    tours.find_map(|tour| search::explore(&scenario, tour, mutation).counterexample)
}

#[test]
fn every_rule_is_there_for_a_reason() {
    let mut harmless = Vec::new();
    for mutation in mutations::ALL {
        let name = mutation.name;
        if let Ok(only) = std::env::var("ONLY") {
            if !name.contains(&only) {
                continue;
            }
        }
        match counterexample(mutation) {
            Some(found) if std::env::var("SHOW").is_ok() => println!("{found}"),
            Some(found) => println!(
                "{name}: after {} steps, {}",
                found.steps.len(),
                found.problem
            ),
            None => {
                println!("{name}: nothing goes wrong");
                harmless.push(name);
            }
        }
    }
    assert_eq!(harmless, [""; 0]);
}
