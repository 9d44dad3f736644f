//! Who may book what.

use huddle_core::availability::Found;
use huddle_core::booking::Constraints;
use huddle_core::matching::UnknownRelationship;
use huddle_schedule::{Circle, Relationship};

use crate::world::{World, ada, bob};

const LADDER: [Circle; 4] = [
    Circle::Mutual,
    Circle::Connected,
    Circle::Follower,
    Circle::Anyone,
];

/// How an offer comes out for a guest.
fn outcome(world: &World) -> &'static str {
    match world.found(Constraints::default()) {
        Found::Proposals(proposals) if proposals.is_empty() => "nothing",
        Found::Proposals(_) => "proposed",
        Found::NeedsApproval(_) => "needs approval",
        Found::StrangersWait(_) => "later",
        Found::Unreadable(_) | Found::Delayed(_) => "a calendar",
    }
}

fn listed(world: &World) -> bool {
    let listed = world.listed(&bob(), Constraints::default());
    !listed.expect("no calendar is in the way").slots.is_empty()
}

#[test]
fn each_circle_gets_what_its_offers_say_and_a_block_wins() {
    let policies = LADDER.map(Circle::as_str);
    let mut cases = 0;
    for circle in LADDER {
        for (rung, policy) in policies.into_iter().chain(["vip"]).enumerate() {
            for mode in ["auto", "pick", "approve", "lottery"] {
                for block in ["none", "public", "private"] {
                    let world = World::new();
                    world.offer("a", ("02T09:00", "02T10:00"), policy, mode);
                    let blocked = block == "public";
                    let relationship = Relationship { circle, blocked };
                    world.people.relate(&ada(), &bob(), Ok(relationship));
                    if block == "private" {
                        let blocks = format!(r#"{{"blockedDids": ["{}"]}}"#, bob());
                        world.prefer(&ada(), &blocks);
                    }
                    let closeness = LADDER.iter().position(|it| *it == circle);
                    let admitted = block == "none" && policy != "vip" && closeness <= Some(rung);
                    let expect = match mode {
                        "auto" if admitted => "proposed",
                        "approve" if admitted => "needs approval",
                        _ => "nothing",
                    };
                    let case = format!("{circle:?} of {policy}, {mode}, {block}");
                    assert_eq!(outcome(&world), expect, "{case}");
                    assert_eq!(listed(&world), admitted && mode == "pick", "{case}");
                    cases += 1;
                }
            }
        }
    }
    assert_eq!(cases, 4 * 5 * 4 * 3);
}

#[test]
fn what_is_not_known_of_two_people_admits_nobody() {
    for unknown in [
        UnknownRelationship::Unavailable("no answer".into()),
        UnknownRelationship::NoSuchAccount(bob()),
    ] {
        let world = World::new();
        world.offer("a", ("02T09:00", "02T10:00"), "anyone", "auto");
        assert_eq!(outcome(&world), "proposed");
        world.people.relate(&ada(), &bob(), Err(unknown.clone()));
        assert_ne!(outcome(&world), "proposed", "{unknown}");
        let retryable = matches!(unknown, UnknownRelationship::Unavailable(_));
        let delayed = matches!(world.found(Constraints::default()), Found::Delayed(_));
        assert_eq!(delayed, retryable, "{unknown}");
        assert!(!listed(&world), "{unknown}");
    }
}

#[test]
fn only_the_service_that_the_host_names_finds_anything() {
    let world = World::new();
    world.offer("a", ("02T09:00", "02T10:00"), "anyone", "auto");
    assert_eq!(outcome(&world), "proposed");
    world.serve("did:web:elsewhere.example");
    assert_eq!(outcome(&world), "nothing");
}

#[test]
fn an_offer_that_needs_no_approval_comes_before_one_that_does() {
    let world = World::new();
    world.relate(Circle::Mutual);
    world.offer("a", ("02T09:00", "02T10:00"), "anyone", "approve");
    assert_eq!(outcome(&world), "needs approval");
    world.offer("b", ("09T09:00", "09T10:00"), "anyone", "auto");
    assert_eq!(outcome(&world), "proposed");
}
