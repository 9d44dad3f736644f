//! The scenarios that are explored whole.

use huddle_core::booking::Mode;
use huddle_testdata::is_full;

use crate::scenario::{
    AFTER_MIDNIGHT, BEFORE_MIDNIGHT, OVER_MIDNIGHT, Plan, Scenario, Tour, Trouble, What, Wish,
    twice, wish,
};

fn pick<T>(normally: T, full: T) -> T {
    if is_full() { full } else { normally }
}

/// A moment after leases and patience have run out.
const LEASES_OVER: u32 = 61;
/// A moment after holds have.
const HOLDS_OVER: u32 = 1000;

/// As many wishes as there are.
const ALL: usize = usize::MAX;

/// The clock stands still until nothing goes wrong any more.
pub(crate) const fn still(all: u8) -> Tour {
    Tour {
        clocks: &[0],
        drivers: 2,
        wishes: ALL,
        trouble: Trouble::at_most(all, [2, 2, 2, 0]),
    }
}

/// The clock goes on until leases have run out, at any time.
pub(crate) const fn leases(drivers: usize, all: u8) -> Tour {
    Tour {
        clocks: &[0, LEASES_OVER],
        drivers,
        wishes: ALL,
        trouble: Trouble::at_most(all, [1, 1, 1, 0]),
    }
}

/// The clock goes on until holds have run out, at any time.
pub(crate) const fn holds(all: u8) -> Tour {
    Tour {
        clocks: &[0, HOLDS_OVER],
        drivers: 1,
        wishes: ALL,
        trouble: Trouble::at_most(all, [1, 1, 1, 1]),
    }
}

/// The clock goes forth and back, over the end of holds.
pub(crate) const fn back() -> Tour {
    Tour {
        clocks: &[0, HOLDS_OVER],
        drivers: 1,
        wishes: ALL,
        trouble: Trouble::at_most(1, [0, 0, 0, 1]),
    }
}

/// The clock goes forth over the end of leases, and back: a booking has two drivers, one of which has taken over from the
/// other at a time that then is still to come.
const fn leases_and_back(all: u8) -> Tour {
    Tour {
        trouble: Trouble::at_most(all, [1, 1, 1, 1]),
        ..leases(2, all)
    }
}

/// The same, over the end of holds too, and nothing else goes wrong.
const fn far_and_back() -> Tour {
    Tour {
        clocks: &[0, LEASES_OVER, HOLDS_OVER],
        drivers: 2,
        ..back()
    }
}

/// The same with so many wishes, of all.
pub(crate) const fn of(wishes: usize, tour: Tour) -> Tour {
    Tour { wishes, ..tour }
}

fn race(name: &'static str, bookings: Vec<Plan>) -> Scenario {
    Scenario {
        name,
        bookings,
        sharded: &[],
        prologue: Vec::new(),
        wishes: vec![
            wish(0, What::Create),
            wish(1, What::Create),
            wish(0, What::Finalize("k")),
            wish(1, What::Finalize("k")),
        ],
        tours: vec![
            still(pick(2, 3)),
            leases(1, pick(0, 1)),
            holds(pick(0, 1)),
            of(2, back()),
        ],
        ends: &["0: Confirmed at 1", "0: Unmatched", "0: Expired: Hold"],
    }
}

pub(crate) fn two_guests_race_for_one_slot() -> Scenario {
    race(
        "two guests race for one slot",
        vec![
            Plan::new("host", "guest1", &[0]),
            Plan::new("host", "guest2", &[0]),
        ],
    )
}

pub(crate) fn one_guest_asks_two_hosts_for_the_same_time() -> Scenario {
    race(
        "one guest asks two hosts for the same time",
        vec![
            Plan::new("host1", "guest", &[0]),
            Plan::new("host2", "guest", &[0]),
        ],
    )
}

/// The meetings themselves do not overlap, but what one of the hosts keeps free after theirs does.
pub(crate) fn two_people_host_each_other() -> Scenario {
    let anna = Plan {
        buffer: 30,
        ..Plan::new("anna", "bert", &[0])
    };
    race(
        "two people host each other",
        vec![anna, Plan::new("bert", "anna", &[1])],
    )
}

/// Two hosts and two guests, each of whom asks either host for one of the same two hours: whatever one gets is in the way
/// of two others, at either side.
///
/// Messages come in any order. Four bookings whole, with all that can go wrong with each, are more than can be explored,
/// although of states that are alike there is only one: what two bookings do at the same time makes for as many states as
/// what one does, times what the other does. So there are all four in each tour, and only so many of the eight wishes,
/// whichever: four, such as to hold all or to hold two and confirm them, while nothing goes wrong; three, while one thing
/// does, which a message that is lost, late or comes twice is, a calendar that is busy or silent, and a driver that dies;
/// two, while any two things do; two, while the clock goes over the end of leases, so that bookings have two drivers; and
/// two, while it goes over the end of holds and back. At length it is one wish more where the clock stands still, and where
/// it goes over leases one thing goes wrong, of which to go back is one; and three while it goes over the end of holds and
/// back, of which one is to confirm: see below. Three holds with that would make for hundreds of times as many states.
pub(crate) fn two_guests_ask_two_hosts_for_two_slots() -> Scenario {
    let pairs = [
        ("host1", "guest1"),
        ("host1", "guest2"),
        ("host2", "guest1"),
        ("host2", "guest2"),
    ];
    let bookings = pairs.map(|(host, guest)| Plan::new(host, guest, &[0, 1]));
    let wishes = (0..bookings.len())
        .flat_map(|booking| [What::Create, What::Finalize("k")].map(|what| wish(booking, what)));
    Scenario {
        name: "two guests ask two hosts for two slots",
        bookings: bookings.into(),
        sharded: &[],
        prologue: Vec::new(),
        wishes: wishes.collect(),
        tours: vec![
            of(pick(4, 5), still(0)),
            of(pick(3, 4), still(1)),
            of(pick(2, 3), still(2)),
            of(2, pick(leases(2, 0), leases_and_back(1))),
            of(2, back()),
        ],
        ends: &[
            "0: Confirmed at 1",
            "0: Confirmed at 2",
            "0: Expired: Hold",
            "0: Unmatched",
        ],
    }
}

/// Of the same people: a hold runs out, what it held is granted to another, and only then is it to be confirmed, while the
/// clock goes there and back. The other is a booking of the same host or of the same guest, one as good as the other; with
/// neither in common, one would not notice the other.
fn overtaken(name: &'static str, other: usize) -> Scenario {
    Scenario {
        name,
        wishes: vec![
            wish(0, What::Create),
            wish(0, What::Finalize("k")),
            wish(other, What::Create),
        ],
        tours: vec![of(pick(1, 3), back())],
        ends: &["0: Expired: Hold"],
        ..two_guests_ask_two_hosts_for_two_slots()
    }
}

pub(crate) fn a_hold_that_its_host_grants_to_another() -> Scenario {
    overtaken("a hold that its host grants to another", 1)
}

pub(crate) fn a_hold_whose_guest_asks_another_host() -> Scenario {
    overtaken("a hold whose guest asks another host", 2)
}

fn alone(name: &'static str, wishes: Vec<Wish>) -> Scenario {
    Scenario {
        name,
        bookings: vec![Plan::new("host", "guest", &[0, 1])],
        sharded: &[],
        prologue: Vec::new(),
        wishes,
        tours: vec![still(pick(2, 3)), leases(2, pick(1, 2)), holds(pick(1, 2))],
        ends: &[],
    }
}

pub(crate) fn several_drivers_of_one_booking() -> Scenario {
    Scenario {
        ends: &[
            "0: Confirmed at 1",
            "0: Confirmed at 2",
            "0: Expired: Hold",
            "0: Expired: SlotTaken",
            "0: Unmatched",
        ],
        tours: vec![
            still(pick(2, 3)),
            leases_and_back(pick(1, 2)),
            holds(pick(1, 2)),
            of(pick(1, 2), far_and_back()),
        ],
        ..alone(
            "several drivers of one booking",
            vec![
                twice(0, What::Create),
                twice(0, What::Finalize("k")),
                wish(0, What::Finalize("l")),
            ],
        )
    }
}

pub(crate) fn either_side_calls_it_off() -> Scenario {
    Scenario {
        tours: vec![still(pick(2, 3)), leases(2, pick(0, 1)), holds(pick(0, 1))],
        ends: &[
            "0: Confirmed at 1",
            "0: Canceled",
            "0: Canceled, confirmed before",
            "0: Declined",
        ],
        ..alone(
            "either side calls it off",
            vec![
                wish(0, What::Create),
                wish(0, What::Finalize("k")),
                wish(0, What::CancelByGuest),
                wish(0, What::CancelByHost),
                wish(0, What::Decline),
            ],
        )
    }
}

fn moving(name: &'static str, bookings: Vec<Plan>, wishes: Vec<Wish>) -> Scenario {
    Scenario {
        name,
        bookings,
        sharded: &[],
        prologue: vec![wish(0, What::Create), wish(0, What::Finalize("k"))],
        wishes,
        tours: vec![still(pick(1, 2))],
        ends: &[
            "0: Confirmed at 1",
            "0: Confirmed at 2",
            "0: Canceled, confirmed before",
        ],
    }
}

fn moving_plan() -> Plan {
    Plan {
        moves: &[1],
        ..Plan::new("host", "guest1", &[0])
    }
}

pub(crate) fn either_side_moves_it() -> Scenario {
    Scenario {
        prologue: vec![wish(0, What::Create)],
        tours: vec![still(pick(1, 2)), of(pick(1, 2), leases(2, 0))],
        ends: &[
            "0: Confirmed at 1",
            "0: Confirmed at 2",
            "0: Confirmed at 3",
        ],
        ..moving(
            "either side moves it",
            vec![moving_plan()],
            vec![
                wish(0, What::Finalize("k")),
                wish(0, What::RescheduleByGuest),
                wish(0, What::RescheduleByHost),
            ],
        )
    }
}

/// What stands is moved, and then moved again.
pub(crate) fn each_side_moves_it() -> Scenario {
    Scenario {
        tours: vec![still(2)],
        ends: &[
            "0: Confirmed at 1",
            "0: Confirmed at 2",
            "0: Confirmed at 3",
        ],
        ..moving(
            "each side moves it",
            vec![moving_plan()],
            vec![
                wish(0, What::RescheduleByGuest),
                wish(0, What::RescheduleByHost),
            ],
        )
    }
}

fn move_while(name: &'static str, other: &'static [u8]) -> Scenario {
    moving(
        name,
        vec![moving_plan(), Plan::new("host", "guest2", other)],
        vec![
            wish(0, What::RescheduleByGuest),
            wish(0, What::CancelByHost),
            wish(1, What::Create),
            wish(1, What::Finalize("k")),
        ],
    )
}

pub(crate) fn a_move_to_a_slot_that_another_wants() -> Scenario {
    move_while("a move to a slot that another wants", &[1])
}

pub(crate) fn a_move_from_a_slot_that_another_wants() -> Scenario {
    move_while("a move from a slot that another wants", &[0])
}

pub(crate) fn the_host_approves() -> Scenario {
    Scenario {
        bookings: vec![Plan {
            mode: Mode::Approve,
            ..Plan::new("host", "guest", &[0, 1])
        }],
        tours: vec![still(pick(2, 3)), leases(2, pick(0, 1)), holds(pick(1, 2))],
        ends: &[
            "0: Confirmed at 2",
            "0: Declined",
            "0: Canceled",
            "0: Expired: Unanswered",
        ],
        ..alone(
            "the host approves",
            vec![
                wish(0, What::Create),
                twice(0, What::Approve),
                wish(0, What::Decline),
                wish(0, What::CancelByGuest),
            ],
        )
    }
}

/// The first search could not read a calendar. The second has the guest wait for the host.
pub(crate) fn the_guest_asks_again() -> Scenario {
    Scenario {
        name: "the guest asks again",
        wishes: vec![twice(0, What::Create), wish(0, What::Decline)],
        tours: vec![still(2), of(2, leases(1, 2))],
        ends: &["0: Declined", "0: Expired: Unanswered", "0: Unmatched"],
        ..the_host_approves()
    }
}

pub(crate) fn asking_is_accepting() -> Scenario {
    Scenario {
        wishes: vec![wish(0, What::Create), wish(1, What::Create)],
        tours: vec![
            still(pick(2, 3)),
            leases(1, pick(0, 1)),
            holds(pick(0, 1)),
            of(pick(1, 2), back()),
        ],
        ends: &["0: Confirmed at 1", "0: Unmatched"],
        ..race(
            "asking is accepting",
            vec![
                Plan {
                    accepted: true,
                    ..Plan::new("host", "guest1", &[0])
                },
                Plan::new("host", "guest2", &[0]),
            ],
        )
    }
}

/// Two guests race for the time of a host that is kept by days.
fn race_by_days(name: &'static str, one: Plan, other: Plan) -> Scenario {
    Scenario {
        sharded: &["host"],
        tours: vec![still(pick(1, 2))],
        ends: &["0: Confirmed at 1", "0: Unmatched"],
        ..race(name, vec![one, other])
    }
}

/// Both days have to agree.
pub(crate) fn a_slot_over_midnight() -> Scenario {
    race_by_days(
        "a slot over midnight",
        Plan::new("host", "guest1", &[OVER_MIDNIGHT]),
        Plan::new("host", "guest2", &[OVER_MIDNIGHT]),
    )
}

/// The first guest makes nothing of it, and the second may be given it then.
pub(crate) fn a_hold_over_midnight_that_runs_out() -> Scenario {
    Scenario {
        name: "a hold over midnight that runs out",
        prologue: vec![wish(0, What::Create)],
        wishes: vec![wish(1, What::Create)],
        tours: vec![holds(pick(0, 1))],
        ends: &["0: Expired: Hold", "1: Expired: Hold", "1: Unmatched"],
        ..a_slot_over_midnight()
    }
}

/// The meetings are on days of their own, and what the host keeps free after the first is on that of the second.
pub(crate) fn a_buffer_that_reaches_into_the_next_day() -> Scenario {
    race_by_days(
        "a buffer that reaches into the next day",
        Plan {
            buffer: 30,
            ..Plan::new("host", "guest1", &[BEFORE_MIDNIGHT])
        },
        Plan::new("host", "guest2", &[AFTER_MIDNIGHT]),
    )
}

/// One day has both slots; that of the first guest's choice is on it and on the next.
pub(crate) fn slots_that_share_a_day() -> Scenario {
    Scenario {
        ends: &["0: Confirmed at 1", "0: Confirmed at 2", "1: Unmatched"],
        ..race_by_days(
            "slots that share a day",
            Plan::new("host", "guest1", &[OVER_MIDNIGHT, 0]),
            Plan::new("host", "guest2", &[BEFORE_MIDNIGHT]),
        )
    }
}

/// The days of the old slot let go of it, those of the new one take it.
pub(crate) fn a_move_to_the_next_day() -> Scenario {
    let plan = Plan {
        moves: &[AFTER_MIDNIGHT],
        ..Plan::new("host", "guest1", &[OVER_MIDNIGHT])
    };
    Scenario {
        sharded: &["host"],
        tours: vec![still(pick(0, 1))],
        ..moving(
            "a move to the next day",
            vec![plan, Plan::new("host", "guest2", &[BEFORE_MIDNIGHT])],
            vec![
                wish(0, What::RescheduleByGuest),
                wish(0, What::CancelByHost),
                wish(1, What::Create),
                wish(1, What::Finalize("k")),
            ],
        )
    }
}

/// The host's time comes to be kept by days while guests ask for it, if that is still possible.
pub(crate) fn days_that_come_too_late() -> Scenario {
    let one = Plan::new("host", "guest1", &[0]);
    let mut scenario = race_by_days("days that come too late", one.clone(), one);
    scenario.bookings[1].guest = "guest2";
    scenario.sharded = &[];
    scenario.wishes.push(wish(0, What::Shard));
    scenario
}

/// So little that every single state can be looked at.
pub(crate) fn small() -> [Scenario; 5] {
    [
        Scenario {
            tours: vec![still(1), of(pick(1, 2), back())],
            ..two_guests_race_for_one_slot()
        },
        Scenario {
            tours: vec![of(pick(2, 3), leases(1, 0)), of(pick(1, 2), holds(1))],
            ..one_guest_asks_two_hosts_for_the_same_time()
        },
        Scenario {
            tours: vec![of(3, still(0)), of(2, still(2)), of(1, back())],
            ..two_guests_ask_two_hosts_for_two_slots()
        },
        Scenario {
            tours: vec![still(pick(0, 1))],
            ..a_slot_over_midnight()
        },
        Scenario {
            tours: vec![of(pick(1, 4), leases_and_back(1))],
            ..several_drivers_of_one_booking()
        },
    ]
}

/// More people than can be explored whole.
pub(crate) fn a_busy_week() -> Scenario {
    let bookings = vec![
        Plan {
            moves: &[2, 1],
            ..Plan::new("anna", "bert", &[0, 1])
        },
        Plan::new("bert", "anna", &[1, 2]),
        Plan {
            buffer: 30,
            moves: &[0],
            ..Plan::new("anna", "cleo", &[0, 2])
        },
        Plan {
            accepted: true,
            ..Plan::new("dora", "bert", &[2, 0])
        },
        Plan {
            mode: Mode::Approve,
            ..Plan::new("cleo", "dora", &[1, 0])
        },
        Plan {
            moves: &[1, 2],
            ..Plan::new("dora", "anna", &[0])
        },
        Plan::new("cleo", "bert", &[0, 1, 2]),
        Plan::new("emil", "anna", &[OVER_MIDNIGHT, 0]),
        Plan {
            moves: &[OVER_MIDNIGHT],
            buffer: 30,
            ..Plan::new("emil", "cleo", &[BEFORE_MIDNIGHT, AFTER_MIDNIGHT])
        },
        Plan::new("bert", "emil", &[AFTER_MIDNIGHT]),
    ];
    let wishes = (0..bookings.len()).flat_map(|booking| {
        [
            twice(booking, What::Create),
            twice(booking, What::Finalize("k")),
            twice(booking, What::Finalize("l")),
            wish(booking, What::Approve),
            wish(booking, What::Decline),
            wish(booking, What::CancelByHost),
            wish(booking, What::CancelByGuest),
            twice(booking, What::RescheduleByHost),
            twice(booking, What::RescheduleByGuest),
        ]
    });
    let wishes = wishes.collect();
    let tour = Tour {
        clocks: &[0, 20, LEASES_OVER, 200, HOLDS_OVER, 2000],
        drivers: 2,
        wishes: ALL,
        trouble: Trouble::at_most(u8::MAX, [u8::MAX; 4]),
    };
    Scenario {
        name: "a busy week",
        bookings,
        sharded: &["emil", "bert"],
        prologue: Vec::new(),
        wishes,
        tours: vec![tour],
        ends: &[],
    }
}
