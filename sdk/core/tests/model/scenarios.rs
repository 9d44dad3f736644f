//! The scenarios that are explored whole.

use huddle_core::booking::Mode;

use crate::scenario::{Plan, Scenario, Trouble, What, Wish, twice, wish};

/// Whether there is time for more: `scripts/test --full` says so.
pub(crate) fn is_full() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test has no other way to be told how long it may take"
    )]
    let full = std::env::var_os("HUDDLE_FULL");
    full.is_some_and(|value| value == "1")
}

fn pick<T>(normally: T, full: T) -> T {
    if is_full() { full } else { normally }
}

/// A moment after leases and patience have run out.
const LEASES_OVER: u32 = 61;
/// A moment after holds have.
const HOLDS_OVER: u32 = 1000;

fn scenario(name: &'static str, bookings: Vec<Plan>, wishes: Vec<Wish>) -> Scenario {
    Scenario {
        name,
        bookings,
        prologue: Vec::new(),
        wishes,
        clocks: vec![0, HOLDS_OVER],
        drivers: 1,
        trouble: Trouble::at_most(pick(1, 2), [1, 1, 1, 1]),
        ends: &[],
    }
}

pub(crate) fn two_guests_race_for_one_slot() -> Scenario {
    let wishes = vec![
        wish(0, What::Create),
        wish(1, What::Create),
        wish(0, What::Finalize("k")),
        wish(1, What::Finalize("k")),
    ];
    Scenario {
        ends: &[],
        ..scenario(
            "two guests race for one slot",
            vec![
                Plan::new("host", "guest1", &[0]),
                Plan::new("host", "guest2", &[0]),
            ],
            wishes,
        )
    }
}

pub(crate) fn one_guest_asks_two_hosts_for_the_same_time() -> Scenario {
    Scenario {
        name: "one guest asks two hosts for the same time",
        bookings: vec![
            Plan::new("host1", "guest", &[0]),
            Plan::new("host2", "guest", &[0]),
        ],
        ..two_guests_race_for_one_slot()
    }
}

pub(crate) fn two_people_host_each_other() -> Scenario {
    Scenario {
        name: "two people host each other at the same time",
        bookings: vec![
            Plan::new("anna", "bert", &[0]),
            Plan::new("bert", "anna", &[0]),
        ],
        ..two_guests_race_for_one_slot()
    }
}

pub(crate) fn several_drivers_of_one_booking() -> Scenario {
    let wishes = vec![
        twice(0, What::Create),
        twice(0, What::Finalize("k")),
        wish(0, What::Finalize("l")),
        wish(0, What::CancelByGuest),
        wish(0, What::Decline),
    ];
    Scenario {
        clocks: vec![0, LEASES_OVER, HOLDS_OVER],
        drivers: 2,
        trouble: Trouble::at_most(pick(2, 3), [2, 1, 1, 1]),
        ends: &[],
        ..scenario(
            "several drivers of one booking",
            vec![Plan::new("host", "guest", &[0, 1])],
            wishes,
        )
    }
}

fn move_while(name: &'static str, other: &'static [u8]) -> Scenario {
    Scenario {
        prologue: vec![wish(0, What::Create), wish(0, What::Finalize("k"))],
        ends: &[],
        ..scenario(
            name,
            vec![
                Plan {
                    moves: &[1],
                    ..Plan::new("host", "guest1", &[0])
                },
                Plan::new("host", "guest2", other),
            ],
            vec![
                wish(0, What::RescheduleByGuest),
                wish(0, What::CancelByHost),
                wish(1, What::Create),
                wish(1, What::Finalize("k")),
            ],
        )
    }
}

pub(crate) fn a_move_to_a_slot_that_another_wants() -> Scenario {
    move_while("a move to a slot that another wants", &[1])
}

pub(crate) fn a_move_from_a_slot_that_another_wants() -> Scenario {
    move_while("a move from a slot that another wants", &[0])
}

pub(crate) fn the_host_approves() -> Scenario {
    Scenario {
        trouble: Trouble::at_most(pick(2, 3), [1, 1, 1, 1]),
        ends: &[],
        ..scenario(
            "the host approves",
            vec![Plan {
                mode: Mode::Approve,
                ..Plan::new("host", "guest", &[0, 1])
            }],
            vec![
                wish(0, What::Create),
                twice(0, What::Approve),
                wish(0, What::Decline),
                wish(0, What::CancelByGuest),
            ],
        )
    }
}

pub(crate) fn asking_is_accepting() -> Scenario {
    Scenario {
        trouble: Trouble::at_most(pick(1, 2), [1, 1, 1, 1]),
        ends: &[],
        ..scenario(
            "asking is accepting",
            vec![
                Plan {
                    accepted: true,
                    ..Plan::new("host", "guest1", &[0, 1])
                },
                Plan::new("host", "guest2", &[0]),
            ],
            vec![
                wish(0, What::Create),
                wish(0, What::CancelByGuest),
                wish(1, What::Create),
                wish(1, What::Finalize("k")),
            ],
        )
    }
}
