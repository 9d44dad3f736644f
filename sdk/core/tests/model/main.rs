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

use scenario::Scenario;

#[track_caller]
fn check(scenario: Scenario) {
    let (name, ends) = (scenario.name, scenario.ends);
    let mut scenario = scenario; scenario.trouble.all = std::env::var("T").unwrap().parse().unwrap(); if let Ok(c)=std::env::var("C") { scenario.clocks = c.split(',').map(|c| c.parse().unwrap()).collect(); } if let Ok(c)=std::env::var("D") { scenario.drivers = c.parse().unwrap(); }
    let explored = search::explore(scenario, &mutations::NONE);
    println!(
        "{name}: {} states, {} transitions, {} turns of actors; ends: {:?}",
        explored.states, explored.transitions, explored.turns, explored.ends
    );
    if let Some(counterexample) = explored.counterexample {
        panic!("{name}: {counterexample}");
    }
    for end in ends {
        assert!(
            explored.ends.iter().any(|it| it == end),
            "{name}: no booking ends as {end}: {:?}",
            explored.ends
        );
    }
}

macro_rules! explored {
    ($($name:ident)+) => {
        $(
            #[test]
            fn $name() {
                check(scenarios::$name());
            }
        )+
    };
}

explored! {
    two_guests_race_for_one_slot
    one_guest_asks_two_hosts_for_the_same_time
    two_people_host_each_other
    several_drivers_of_one_booking
    a_move_to_a_slot_that_another_wants
    a_move_from_a_slot_that_another_wants
    the_host_approves
    asking_is_accepting
}
