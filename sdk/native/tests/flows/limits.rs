//! How much a guest may hold, and what that tells.

use std::time::Duration;

use huddle_core::availability::{Checked, Side};
use huddle_core::booking::{Booking, Constraints, GuestSide, Mode, NoMatch, Phase};
use huddle_ports::Clock as _;

use crate::world::{World, asked, key, request_id, tomorrow};

#[tokio::test]
async fn a_limit_tells_nothing_of_the_hosts_time() {
    // Of each pair, one sorts before the host and the other after: that is the order of holding.
    for guest in ["aaron", "zoe"] {
        let world = World::new();
        for host in ["h1", "h2", "h3"] {
            let held = world.request(guest, host, host).await.unwrap();
            assert_eq!(held.phase.word(), "held", "{:?}", held.unmatched);
            world.say(|it| it.hours.rotate_left(1));
            if host == "h2" {
                world.say(|it| it.hours = vec![2]);
            }
        }
        world.say(|it| it.hours = vec![5]);
        world.request("other", "taken", "k").await.unwrap();
        let retry_at = world.clock.now() + Duration::from_mins(15);
        for (host, hours) in [("free", vec![5]), ("taken", vec![5]), ("closed", vec![])] {
            world.say(|it| it.hours = hours);
            let refused = world.request(guest, host, host).await.unwrap();
            let too_many = NoMatch::TooManyHolds { retry_at };
            assert_eq!(refused.unmatched, Some(too_many), "{guest} and {host}");
            let rehearsed = world.rehearse(guest, host).await;
            assert_eq!(rehearsed.unmatched, Some(too_many), "{guest} and {host}");
        }
    }
}

#[tokio::test]
async fn a_hosts_yes_and_a_move_are_not_limited() {
    let world = World::new();
    world.say(|it| it.mode = Mode::Approve);
    let asked = world.request("bob", "ada", "approved").await.unwrap();
    world.say(|it| it.mode = Mode::Auto);
    let held = world.request("bob", "ada", "held").await.unwrap();
    assert_eq!(held.phase.word(), "held");
    // As many as there may be.
    let yes = world.flows.approve(&asked.id, key("ada", "approve", "k"));
    let confirmed = yes.await.unwrap().unwrap();
    assert_eq!(confirmed.phase.word(), "confirmed");
    world.say(|it| it.hours = vec![7]);
    let reschedule = key("ada", "reschedule", "k");
    let moved = world
        .flows
        .reschedule(&asked.id, reschedule, Constraints::default(), None);
    let moved = moved.await.unwrap().unwrap();
    assert_eq!(moved.phase.place().unwrap().slot, tomorrow(7));
}

#[tokio::test]
async fn a_guest_who_accepted_in_vain_may_ask_again_at_once() {
    let world = World::new();
    let side = Side::Host { stranger: false };
    world.say(|it| it.checked = Checked::Unreadable(side));
    let held = world.request("bob", "ada", "k").await.unwrap();
    let accept = world.flows.finalize(&held.id, key("bob", "finalize", "k"));
    assert_eq!(accept.await.unwrap().unwrap().phase.word(), "held");
    world.clock.step(Duration::from_mins(15));
    world.settle().await;
    assert_eq!(world.count("lapse"), 0);
    let again = world.request("bob", "ada", "again").await.unwrap();
    assert_eq!(again.phase.word(), "held");
}

#[tokio::test]
async fn a_guest_whose_own_calendar_is_in_the_way_waits_like_any_who_lets_a_hold_lapse() {
    let world = World::new();
    world.say(|it| it.checked = Checked::Unreadable(Side::Guest));
    let held = world.request("bob", "ada", "k").await.unwrap();
    let accept = world.flows.finalize(&held.id, key("bob", "finalize", "k"));
    assert_eq!(accept.await.unwrap().unwrap().phase.word(), "held");
    world.clock.step(Duration::from_mins(15));
    world.settle().await;
    let again = world.request("bob", "ada", "again").await.unwrap();
    let retry_at = world.clock.now() + Duration::from_mins(1);
    let too_many = NoMatch::TooManyHolds { retry_at };
    assert_eq!(again.unmatched, Some(too_many));
}

/// What a request is answered, without what is new each time.
fn answer(booking: &Booking) -> (String, Option<NoMatch>, Option<GuestSide>) {
    let phase = match &booking.phase {
        Phase::Unmatched => "unmatched",
        other => other.word(),
    };
    let side = booking.terms().map(|terms| terms.guest_side);
    (phase.into(), booking.unmatched, side)
}

#[tokio::test]
async fn a_rehearsal_comes_to_what_the_request_would_and_leaves_nothing() {
    let tables = ["actor", "timer", "outbox", "claim", "fence", "booking"];
    // What others have of the two hours that the host offers, and what comes of it.
    for (hosts, guests, outcome) in [
        (&[][..], &[][..], "held"),
        (&[0], &[], "held"),
        (&[0], &[0], "held"),
        (&[0], &[1], "unmatched"),
        (&[0, 1], &[], "unmatched"),
        (&[], &[0, 1], "unmatched"),
    ] {
        for guest in ["aaron", "zoe"] {
            let world = World::new();
            for (person, hours) in [("host", hosts), (guest, guests)] {
                for hour in hours {
                    world.say(|it| it.hours = vec![*hour]);
                    let other = format!("other-{person}{hour}");
                    let taken = world.request(&other, person, person).await.unwrap();
                    assert_eq!(taken.phase.word(), "held");
                }
            }
            world.say(|it| it.hours = vec![0, 1]);
            let before = tables.map(|table| world.count(table));
            let rehearsed = world.rehearse(guest, "host").await;
            assert_eq!(tables.map(|table| world.count(table)), before);
            let requested = world.request(guest, "host", "k").await.unwrap();
            assert_eq!(answer(&rehearsed), answer(&requested));
            assert_eq!(answer(&requested).0, outcome, "{hosts:?} and {guests:?}");
        }
    }
}

#[tokio::test]
async fn what_counts_as_accepted_is_rehearsed_up_to_the_hold() {
    let world = World::new();
    let mut asked = asked("bob", "ada");
    asked.accepted = true;
    let id = request_id("bob", "rehearsal");
    let rehearsed = world.flows.rehearse(&id, asked).await.unwrap();
    assert_eq!(rehearsed.phase.word(), "held");
    assert_eq!(world.count("claim"), 0);
}
