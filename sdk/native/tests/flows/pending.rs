//! Requests that are not answered at once, or come to nothing.

use std::time::Duration;

use huddle_core::ActorName;
use huddle_core::availability::{Found, Side};
use huddle_core::booking::{
    Attempt, Booking, CreateRefused, Expiry, Finalize, Mode, Next, NoMatch, Phase, Waiting,
};
use huddle_core::index::{Index as _, Statement};
use huddle_core::outbox::Task;
use huddle_core::transport::ask;
use huddle_ports::Clock as _;

use crate::world::{World, asked, did, key, request_id};

const LEASE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_request_that_runs_out_of_time_is_known_to_nobody_until_it_comes_to_something() {
    // What another driver finds that goes on.
    for (hours, instead, outcome) in [
        (vec![0], None, Some("held")),
        (vec![], None, None),
        (
            vec![0],
            Some(Found::Delayed(Side::Host { stranger: true })),
            None,
        ),
        (vec![0], Some(Found::Delayed(Side::Guest)), Some("pending")),
    ] {
        let world = World::new();
        world.say(|it| it.search_takes = Duration::from_secs(9));
        let retry_at = world.clock.now() + LEASE;
        let in_flight = Err(CreateRefused::InFlight { retry_at });
        assert_eq!(world.request("bob", "ada", "k").await, in_flight);
        assert_eq!(world.request("bob", "ada", "k").await, in_flight);
        world.settle().await;
        assert_eq!(seen_by_the_host(&world).await, None);
        assert_eq!(listed(&world).await, 0);
        world.say(|it| {
            it.hours = hours;
            it.instead = instead;
        });
        world.clock.step(LEASE);
        world.settle().await;
        assert_eq!(seen_by_the_host(&world).await.as_deref(), outcome);
        let again = world.request("bob", "ada", "k").await.unwrap();
        assert_eq!(again.is_known().then(|| again.phase.word()), outcome);
    }
}

async fn seen_by_the_host(world: &World) -> Option<String> {
    let id = request_id("bob", "k");
    let seen = world.flows.read(&id, Some(did("ada"))).await.unwrap();
    seen.ok().map(|booking| booking.phase.word().to_owned())
}

#[tokio::test]
async fn a_rehearsal_that_runs_out_of_time_tells_nothing() {
    let world = World::new();
    world.say(|it| it.search_takes = Duration::from_secs(9));
    let begun = world.clock.now();
    let rehearsed = world.rehearse("bob", "ada").await;
    assert_eq!(rehearsed.in_flight(), Some(begun + LEASE));
    assert_eq!(world.count("actor"), 0);
}

/// A request that waits for a calendar, as both sides see it.
async fn postponed(world: &World) -> Booking {
    world.say(|it| it.instead = Some(Found::Delayed(Side::Guest)));
    let pending = world.request("bob", "ada", "k").await.unwrap();
    world.say(|it| it.instead = None);
    pending
}

#[tokio::test]
async fn a_request_that_waits_for_a_calendar_is_pending_for_everybody() {
    let world = World::new();
    let first = postponed(&world).await;
    let waits = |phase: &Phase| {
        matches!(
            phase,
            Phase::Pending {
                waiting: Waiting::Calendar,
                ..
            }
        )
    };
    assert!(waits(&first.phase), "{:?}", first.phase);
    let again = world.request("bob", "ada", "k").await.unwrap();
    assert_eq!(again, first, "the same request again");
    let seen = world.flows.read(&first.id, Some(did("ada"))).await;
    assert_eq!(seen.unwrap().unwrap(), first);
}

#[tokio::test]
async fn a_pending_request_that_comes_to_nothing_expires_where_it_is_seen() {
    let world = World::new();
    let first = postponed(&world).await;
    world.say(|it| it.hours.clear());
    world.clock.step(LEASE);
    world.settle().await;
    for party in ["ada", "bob"] {
        let seen = world.flows.read(&first.id, Some(did(party))).await;
        let seen = seen.unwrap().unwrap();
        assert_eq!(seen.phase, Phase::Expired(Expiry::NoMatch), "{party}");
    }
    let again = world.request("bob", "ada", "k").await.unwrap();
    assert_eq!(again.phase, Phase::Expired(Expiry::NoMatch));
}

#[tokio::test]
async fn a_search_that_nobody_waits_for_is_put_off_before_another_driver_begins() {
    let world = World::new();
    let first = postponed(&world).await;
    world.clock.step(LEASE);
    let resumed = world.clock.now();
    let takes = Duration::from_secs(25);
    world.say(|it| {
        it.search_takes = takes;
        it.deadlines.clear();
    });
    world.settle().await;
    let deadlines = world.say(|it| std::mem::take(&mut it.deadlines));
    assert_eq!(deadlines, [resumed + Duration::from_secs(22)]);
    let seen = world.flows.read(&first.id, None).await.unwrap().unwrap();
    assert_eq!(seen.phase.word(), "pending");
    assert_eq!(seen.lease, Some(resumed + takes + LEASE));
}

#[tokio::test]
async fn a_pending_request_waits_until_a_calendar_can_be_read_again() {
    let world = World::new();
    let first = postponed(&world).await;
    for (instead, word) in [
        (Some(Found::Unreadable(Side::Guest)), "pending"),
        (None, "held"),
    ] {
        world.say(|it| it.instead = instead);
        world.clock.step(LEASE);
        world.settle().await;
        let seen = world.flows.read(&first.id, None).await.unwrap().unwrap();
        assert_eq!(seen.phase.word(), word);
    }
}

#[tokio::test]
async fn a_first_search_that_another_driver_took_over_is_in_flight() {
    let world = World::new();
    world.say(|it| {
        it.search_takes = LEASE;
        it.taken_over = Some(request_id("bob", "k"));
    });
    let answer = world.request("bob", "ada", "k").await;
    assert!(
        matches!(answer, Err(CreateRefused::InFlight { .. })),
        "{answer:?}"
    );
}

async fn listed(world: &World) -> usize {
    let all = Statement {
        sql: "SELECT id FROM bookings",
        bindings: vec![],
    };
    world.index.query(all).await.unwrap().len()
}

#[tokio::test]
async fn a_request_that_comes_to_nothing_is_in_no_list_and_leaves_word_with_nobody() {
    let world = World::new();
    world.say(|it| it.hours.clear());
    let nothing = world.request("bob", "invented", "k").await.unwrap();
    assert_eq!(nothing.phase, Phase::Unmatched);
    assert_eq!(nothing.unmatched, Some(NoMatch::NoSlot));
    assert_eq!(world.count("outbox"), 0);
    assert_eq!(world.count("fence"), 0);
    world.settle().await;
    for id in [nothing.id, request_id("bob", "never asked")] {
        world.tasks.run(&Task::Project(id)).await.unwrap();
        assert_eq!(listed(&world).await, 0);
    }
}

#[tokio::test]
async fn a_finalize_under_another_key_does_not_start_a_second_driver() {
    let world = World::new();
    let held = world.request("bob", "ada", "k").await.unwrap();
    let finalize = |text: &'static str| {
        let finalize = Finalize {
            key: key("bob", "finalize", text),
        };
        let booking = ActorName::booking(&held.id);
        let store = world.store.clone();
        async move {
            let standing = ask(&*store, &booking, finalize).await;
            standing.unwrap().unwrap().next
        }
    };
    assert_eq!(finalize("one").await, Next::Confirm(Attempt::FIRST));
    assert_eq!(finalize("other").await, Next::Rest);
    world.clock.step(LEASE);
    assert_eq!(finalize("third").await, Next::Confirm(Attempt::FIRST));
}

#[tokio::test]
async fn a_stranger_cannot_tell_a_host_who_cannot_be_read_from_one_who_has_no_time() {
    let host = Side::Host { stranger: true };
    let mut answers = Vec::new();
    for instead in [
        None,
        Some(Found::Unreadable(host)),
        Some(Found::Delayed(host)),
    ] {
        let world = World::new();
        world.say(|it| {
            it.hours.clear();
            it.instead = instead;
        });
        let rehearsed = world.rehearse("bob", "ada").await;
        let requested = world.request("bob", "ada", "k").await.unwrap();
        world.say(|it| {
            it.hours = vec![0];
            it.instead = None;
        });
        let again = world.request("bob", "ada", "k").await.unwrap();
        answers.push([rehearsed, requested, again]);
    }
    assert_eq!(answers[0][1].unmatched, Some(NoMatch::NoSlot));
    assert_eq!(answers[1], answers[0]);
    assert_eq!(answers[2], answers[0]);
}

#[tokio::test]
async fn a_calendar_that_the_guest_may_know_of_is_told_of() {
    for side in [Side::Guest, Side::Host { stranger: false }] {
        let world = World::new();
        world.say(|it| it.instead = Some(Found::Unreadable(side)));
        let refused = world.request("bob", "ada", "k").await.unwrap();
        assert_eq!(refused.unmatched, Some(NoMatch::CalendarUnavailable));
        world.say(|it| it.instead = Some(Found::Delayed(side)));
        let waits = world.request("bob", "ada", "l").await.unwrap();
        assert_eq!(waits.phase.word(), "pending");
    }
}

#[tokio::test]
async fn a_host_who_said_yes_waits_for_their_calendar_whoever_asked() {
    let world = World::new();
    world.say(|it| it.mode = Mode::Approve);
    let asked = world.request("bob", "ada", "k").await.unwrap();
    let host = Side::Host { stranger: true };
    world.say(|it| it.instead = Some(Found::Delayed(host)));
    let yes = world.flows.approve(&asked.id, key("ada", "approve", "k"));
    assert!(yes.await.unwrap().unwrap().approved);
    world.say(|it| it.instead = None);
    world.clock.step(LEASE);
    world.settle().await;
    let seen = world.flows.read(&asked.id, None).await.unwrap().unwrap();
    assert_eq!(seen.phase.word(), "confirmed");
}

#[tokio::test]
async fn calendars_are_told_by_when_somebody_must_have_an_answer() {
    let world = World::new();
    let in_time = || world.clock.now() + Duration::from_secs(8);
    let matched_by = in_time();
    world.say(|it| it.search_takes = Duration::from_secs(3));
    let held = world.request("bob", "ada", "k").await.unwrap();
    let finalized_by = in_time();
    let accept = world.flows.finalize(&held.id, key("bob", "finalize", "k"));
    accept.await.unwrap().unwrap();
    let deadlines = world.say(|it| std::mem::take(&mut it.deadlines));
    assert_eq!(deadlines, [matched_by, finalized_by]);
}

#[tokio::test]
async fn whoever_waits_does_so_since_their_request_arrived() {
    let world = World::new();
    let arrived = world.clock.now();
    world.clock.step(Duration::from_secs(5));
    let flows = world.flows.since(arrived);
    let id = request_id("bob", "k");
    let requested = flows.request(&id, asked("bob", "ada"), "hash".into());
    assert_eq!(requested.await.unwrap().unwrap().phase.word(), "held");
    let finalize = flows.finalize(&id, key("bob", "finalize", "k"));
    finalize.await.unwrap().unwrap();
    let by = arrived + Duration::from_secs(8);
    assert_eq!(world.say(|it| std::mem::take(&mut it.deadlines)), [by, by]);
    // Nothing is searched once it is too late.
    world.clock.step(Duration::from_secs(3));
    let late = request_id("cleo", "k");
    let requested = flows.request(&late, asked("cleo", "ada"), "hash".into());
    let requested = requested.await.unwrap();
    assert!(
        matches!(requested, Err(CreateRefused::InFlight { .. })),
        "{requested:?}"
    );
    assert_eq!(world.say(|it| it.deadlines.len()), 0);
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_nobody_wait_longer() {
    let world = World::new();
    let flows = world
        .flows
        .since(world.clock.now() + Duration::from_hours(1));
    let by = world.clock.now() + Duration::from_secs(8);
    let id = request_id("bob", "k");
    let requested = flows.request(&id, asked("bob", "ada"), "hash".into());
    requested.await.unwrap().unwrap();
    assert_eq!(world.say(|it| std::mem::take(&mut it.deadlines)), [by]);
}
