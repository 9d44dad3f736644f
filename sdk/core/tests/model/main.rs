//! The protocol of holds and bookings, explored on the actors and the driver as they are.
//!
//! A model is a few people and bookings, drivers that may die anywhere, messages that may come late,
//! twice or never, and a clock that goes forth and back. After every step no time is given away twice
//! and no booking is confirmed on one side only; and from every state it all comes to rest.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]
#![expect(
    clippy::print_stdout,
    reason = "how much was explored is worth knowing"
)]

mod actors;
mod mutations;
mod scenario;
mod scenarios;
mod search;
mod sql;
mod walk;
mod world;

use std::collections::BTreeSet;

use mutations::Mutation;
use scenario::Scenario;
use search::Explored;

#[track_caller]
fn check(scenario: &Scenario) {
    let name = scenario.name;
    let mut ends = BTreeSet::new();
    for tour in &scenario.tours {
        let explored = search::explore(scenario, tour, &mutations::NONE);
        println!(
            "{name}, {tour}: {} states, {} transitions, {} turns of actors",
            explored.states, explored.transitions, explored.turns
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
    two_guests_ask_two_hosts_for_two_slots
    several_drivers_of_one_booking
    either_side_calls_it_off
    either_side_moves_it
    a_move_to_a_slot_that_another_wants
    a_move_from_a_slot_that_another_wants
    the_host_approves
    asking_is_accepting
    a_slot_over_midnight
    a_hold_over_midnight_that_runs_out
    a_buffer_that_reaches_into_the_next_day
    slots_that_share_a_day
    a_move_to_the_next_day
    days_that_come_too_late
}

#[test]
fn long_walks_break_no_rule() {
    let (seeds, steps) = if huddle_testdata::is_full() {
        (50, 20_000)
    } else {
        (1, 5000)
    };
    for seed in 1..=seeds {
        let walks = walk::walk(&scenarios::a_busy_week(), seed, steps);
        println!("{steps} steps in {walks} walks from seed {seed}");
    }
}

/// Explores what goes wrong with a rule broken, all of whose breaks must have a say.
#[track_caller]
fn explore_broken(mutation: &'static Mutation) -> Explored {
    let explored = search::explore(&(mutation.scenario)(), &mutation.tour, mutation);
    let (name, idle) = (mutation.name, &explored.idle);
    assert!(idle.is_empty(), "{name}: of no effect: {idle:?}");
    explored
}

#[test]
fn every_rule_is_there_for_a_reason() {
    for mutation in mutations::ALL {
        let name = mutation.name;
        let explored = explore_broken(mutation);
        let Some(found) = explored.counterexample else {
            panic!("{name}: nothing goes wrong in {} states", explored.states);
        };
        println!("{name}: {found}");
    }
}

#[test]
fn a_rule_that_is_broken_does_no_harm_where_another_catches_what_comes_of_it() {
    for mutation in mutations::CAUGHT {
        let name = mutation.name;
        let explored = explore_broken(mutation);
        if let Some(found) = explored.counterexample {
            panic!("{name}: {found}");
        }
        println!("{name}: no harm in {} states", explored.states);
    }
}
