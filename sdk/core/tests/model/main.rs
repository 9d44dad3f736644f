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
mod alike;
mod mutations;
mod scenario;
mod scenarios;
mod search;
mod sql;
mod walk;
mod world;

use std::collections::BTreeSet;

use alike::Swap;
use mutations::Mutation;
use scenario::Scenario;
use search::Explored;
use world::World;

#[track_caller]
fn check(scenario: &Scenario) {
    let name = scenario.name;
    let mut ends = BTreeSet::new();
    for tour in &scenario.tours {
        let explored = search::explore(World::new(scenario.clone(), *tour, &mutations::NONE));
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
    a_hold_that_its_host_grants_to_another
    a_hold_whose_guest_asks_another_host
    several_drivers_of_one_booking
    either_side_calls_it_off
    either_side_moves_it
    each_side_moves_it
    a_move_to_a_slot_that_another_wants
    a_move_from_a_slot_that_another_wants
    the_host_approves
    the_guest_asks_again
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

fn broken(mutation: &'static Mutation) -> World {
    World::new((mutation.scenario)(), mutation.tour, mutation)
}

/// Explores what goes wrong with a rule broken, all of whose breaks must have a say.
#[track_caller]
fn explore_broken(mutation: &'static Mutation) -> Explored {
    let explored = search::explore(broken(mutation));
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

#[test]
fn states_that_are_alike_lead_to_states_that_are_alike() {
    for scenario in scenarios::small() {
        for tour in &scenario.tours {
            let name = scenario.name;
            let world = World::new(scenario.clone(), *tour, &mutations::NONE);
            let (states, alike) = search::compare(world);
            println!("{name}, {tour}: {states} states, {alike} but for those that are alike");
            assert!(alike < states, "{name}, {tour}");
        }
    }
}

#[test]
fn one_of_the_states_that_are_alike_shows_what_all_of_them_do() {
    let caught = mutations::CAUGHT.iter();
    let caught = caught.filter(|_| huddle_testdata::is_full());
    let can_swap = |it: &&Mutation| Swap::all(&(it.scenario)()).len() > 1;
    for mutation in mutations::ALL.iter().chain(caught).filter(can_swap) {
        let one = search::explore(broken(mutation));
        let all = search::explore_singly(broken(mutation));
        let length = |explored: &Explored| Some(explored.counterexample.as_ref()?.steps.len());
        let (name, states) = (mutation.name, [all.states, one.states]);
        assert_eq!(length(&one), length(&all), "{name}: {states:?}");
        println!("{name}: {states:?} states");
    }
}
