//! What strangers get to know: little, and never why there is nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use huddle_core::availability::{Found, Side};
use huddle_core::booking::Constraints;
use huddle_core::flows::Flows;
use huddle_core::matching::{Busy, UnknownRelationship};
use huddle_core::pause::Pause;
use huddle_core::{Interval, Limits};
use huddle_ports::{Clock as _, Timestamp};
use huddle_schedule::{Circle, IntervalSet, Relationship};

use crate::world::{World, ada, at, between, bob, did, request_by};

/// Ada offers one slot, to everybody.
fn offering() -> World {
    let world = World::new();
    world.offer("a", ("02T09:00", "02T09:30"), "anyone", "auto");
    world
}

/// Makes that slot one that Bob must not have.
type Hide = fn(&World);

const REASONS: &[(&str, Hide)] = &[
    ("a block", |world| {
        let blocked = Relationship {
            circle: Circle::Anyone,
            blocked: true,
        };
        world.people.relate(&ada(), &bob(), Ok(blocked));
    }),
    ("a private block", |world| {
        world.prefer(&ada(), &format!(r#"{{"blockedDids": ["{}"]}}"#, bob()));
    }),
    ("a policy", |world| {
        world.offer("a", ("02T09:00", "02T09:30"), "follower", "auto");
    }),
    ("an unknown policy", |world| {
        world.offer("a", ("02T09:00", "02T09:30"), "vip", "auto");
    }),
    ("a mode without constraints", |world| {
        world.offer("a", ("02T09:00", "02T09:30"), "anyone", "pick");
    }),
    ("busy time", |world| {
        let busy = IntervalSet::from(between("02T09:10", "02T09:20"));
        world.people.set_calendars(&ada(), Busy::Known(busy));
    }),
    ("a hold", |world| {
        world.hold(&ada(), between("02T08:45", "02T09:15"));
    }),
    ("a full day", |world| {
        world.prefer(&ada(), r#"{"maxPerDay": 1}"#);
        world.hold(&ada(), between("02T20:00", "02T21:00"));
    }),
    ("notice", |world| {
        world.prefer(&ada(), r#"{"minimumNoticeMinutes": 10000}"#);
    }),
    ("a calendar that cannot be read", |world| {
        world.people.set_calendars(&ada(), Busy::Unreadable);
    }),
    ("a calendar that is slow", |world| {
        world.people.set_calendars(&ada(), Busy::Delayed);
    }),
    ("a graph that does not answer", |world| {
        let unknown = UnknownRelationship::Unavailable("no answer".into());
        world.people.relate(&ada(), &bob(), Err(unknown));
    }),
    ("an account that is nowhere", |world| {
        let unknown = UnknownRelationship::NoSuchAccount(bob());
        world.people.relate(&ada(), &bob(), Err(unknown));
    }),
    ("another service", |world| {
        world.serve("did:web:elsewhere.example");
    }),
    ("an offer that is gone", |world| {
        let uri = world.offer("a", ("02T09:00", "02T09:30"), "anyone", "auto");
        world.withdraw(&uri);
    }),
    ("an offer that makes no sense", |world| {
        world.offer("a", ("02T09:30", "02T09:00"), "anyone", "auto");
    }),
];

/// What a request of Bob's comes to, as bytes.
fn answer(world: &World) -> String {
    let booking = world.request(Constraints::default());
    serde_json::to_string(&booking).expect("an answer is JSON")
}

#[test]
fn whatever_the_reason_is_the_answer_is_the_same() {
    let nobody = answer(&World::new());
    assert!(nobody.contains("NoSlot"), "{nobody}");
    assert!(answer(&offering()).contains("Held"), "there is a slot");
    for (reason, hide) in REASONS {
        let world = offering();
        hide(&world);
        assert_eq!(answer(&world), nobody, "{reason}");
    }
}

/// Notes until when it should have waited.
#[derive(Default)]
struct Noted(Mutex<Vec<Timestamp>>);

#[async_trait]
impl Pause for Noted {
    async fn until(&self, moment: Timestamp) {
        self.0.lock().expect("nothing has panicked").push(moment);
    }
}

/// A way to ask for a slot: the mode of offers that are asked for like this, and how Bob does.
type Question = (&'static str, fn(&World, &Flows));

const QUESTIONS: [Question; 2] = [
    ("auto", |_, flows| {
        let answer = request_by(flows, Constraints::default());
        answer.expect("it is answered");
    }),
    ("pick", |world, flows| {
        let listing = world.listed_by(flows, &bob(), Constraints::default());
        listing.expect("it is answered");
    }),
];

/// Until when an answer to Bob's waits that took so long, if it waits.
fn step(world: &World, (_, ask): Question, took: Duration) -> Vec<Timestamp> {
    let noted = Arc::new(Noted::default());
    let arrived = world.clock.now();
    world.clock.step(took);
    let flows = world.flows().since(arrived).in_step(noted.clone());
    ask(world, &flows);
    let noted = noted.0.lock().expect("nothing has panicked");
    noted.clone()
}

#[test]
fn whatever_the_reason_is_the_answer_comes_in_step() {
    let millis = Duration::from_millis;
    for question in QUESTIONS {
        let (mode, _) = question;
        let offering = || {
            let world = World::new();
            world.offer("a", ("02T09:00", "02T09:30"), "anyone", mode);
            world
        };
        assert_eq!(
            step(&offering(), question, millis(0)),
            [],
            "there is a slot"
        );
        for (reason, hide) in REASONS {
            // Which is the mode of what is listed.
            if (mode, *reason) == ("pick", "a mode without constraints") {
                continue;
            }
            for (took, step_millis) in [(0, 250), (1, 250), (250, 250), (251, 500)] {
                let world = offering();
                hide(&world);
                let due = world.clock.now() + millis(step_millis);
                let waits = step(&world, question, millis(took));
                assert_eq!(waits, [due], "{mode}, {reason}, {took} ms");
            }
        }
    }
}

#[test]
fn an_answer_that_is_over_the_budget_is_the_same() {
    let limits = Limits {
        disclosures_per_week: 1,
        ..Limits::default()
    };
    let world = World::with(limits);
    world.offer("a", ("02T09:00", "02T09:30"), "anyone", "auto");
    world.offer("b", ("03T09:00", "03T09:30"), "anyone", "auto");
    let first = world.slots(Constraints::default());
    assert_eq!(first.len(), 1, "a stranger is told of one slot");
    assert_eq!(
        world.slots(Constraints::default()),
        first,
        "again for nothing"
    );
    world.hold(&ada(), first[0]);
    assert_eq!(answer(&world), answer(&World::new()));
}

#[test]
fn the_guests_own_calendars_tell_nothing_of_the_host() {
    for busy in [Busy::Unreadable, Busy::Delayed] {
        let nobody = World::new();
        nobody.people.set_calendars(&bob(), busy.clone());
        let expect = nobody.found(Constraints::default());
        assert_eq!(expect, Found::Unreadable(Side::Guest));
        for (reason, hide) in REASONS {
            let world = offering();
            hide(&world);
            world.people.set_calendars(&bob(), busy.clone());
            assert_eq!(world.found(Constraints::default()), expect, "{reason}");
        }
    }
}

#[test]
fn who_cannot_book_does_not_spend_what_others_may_be_told() {
    let limits = || Limits {
        disclosures_per_week: 1,
        ..Limits::default()
    };
    for (reason, hide) in REASONS {
        let world = World::with(limits());
        world.offer("a", ("02T09:00", "02T09:30"), "anyone", "auto");
        hide(&world);
        world.found(Constraints::default());
        let spends = ["busy time", "a hold", "a full day", "notice"].contains(reason);
        // Carol may book whatever Ada offers from now on, and is a stranger.
        world.serve(crate::world::SERVICE);
        world.people.set_calendars(&ada(), Busy::Unconnected);
        world.prefer(&ada(), "{}");
        world.offer("b", ("04T09:00", "04T09:30"), "anyone", "auto");
        let search = huddle_core::availability::Search {
            guest: did("carol"),
            ..crate::world::asking(Constraints::default())
        };
        let told = crate::world::slots(&world.search(&search)).len();
        assert_eq!(told, usize::from(!spends), "{reason}");
    }
}

#[test]
fn a_stranger_who_has_to_wait_is_told_nothing_of_the_host_and_a_friend_does_not_wait() {
    let later = at("01T12:00");
    let waiting = huddle_core::availability::Search {
        strangers_wait: Some(later),
        ..crate::world::asking(Constraints::default())
    };
    assert_eq!(World::new().search(&waiting), Found::StrangersWait(later));
    assert_eq!(offering().search(&waiting), Found::StrangersWait(later));
    for (reason, hide) in REASONS {
        let world = offering();
        hide(&world);
        assert_eq!(
            world.search(&waiting),
            Found::StrangersWait(later),
            "{reason}"
        );
    }
    let world = offering();
    world.relate(Circle::Connected);
    assert_eq!(crate::world::slots(&world.search(&waiting)).len(), 1);
}

#[test]
fn strangers_are_answered_for_whole_blocks() {
    let world = World::new();
    world.offer("a", ("02T09:00", "02T11:00"), "anyone", "auto");
    let narrow = Constraints {
        earliest: Some(at("02T10:07")),
        latest: Some(at("02T10:52")),
        ..Constraints::default()
    };
    let stranger = world.slots(narrow.clone());
    assert_eq!(stranger.len(), 1, "they are told of one slot");
    let wide = Constraints {
        earliest: Some(at("02T08:00")),
        latest: Some(at("02T12:00")),
        ..Constraints::default()
    };
    assert_eq!(stranger, world.slots(wide));
    for (earliest, latest) in [("02T08:10", "02T08:20"), ("02T11:30", "02T11:40")] {
        let beside = Constraints {
            earliest: Some(at(earliest)),
            latest: Some(at(latest)),
            ..Constraints::default()
        };
        assert_eq!(stranger, world.slots(beside), "from {earliest}");
    }
    world.relate(Circle::Mutual);
    assert_eq!(world.slots(narrow), [between("02T10:15", "02T10:45")]);
}

#[test]
fn a_stranger_is_not_booked_outside_of_what_they_asked_for() {
    let world = World::new();
    world.offer("a", ("02T09:00", "02T11:00"), "anyone", "auto");
    let within = |earliest, latest| Constraints {
        earliest: Some(at(earliest)),
        latest: Some(at(latest)),
        ..Constraints::default()
    };
    let told = world.slots(within("02T08:00", "02T12:00"))[0];
    let confirming = |constraints| huddle_core::availability::Search {
        confirms: true,
        ..crate::world::asking(constraints)
    };
    let found = |constraints| crate::world::slots(&world.search(&confirming(constraints)));
    assert_eq!(found(within("02T08:00", "02T12:00")), [told]);
    // Whatever narrow window they ask for, it is the one slot of the block, or none.
    let quarter = Duration::from_mins(15);
    for start in (0..12).map(|n: u32| at("02T08:30") + quarter * n) {
        let narrow = Interval::lasting(start, quarter * 2).unwrap();
        let constraints = Constraints {
            earliest: Some(narrow.start()),
            latest: Some(narrow.end()),
            ..Constraints::default()
        };
        let expect: &[Interval] = if narrow == told { &[told] } else { &[] };
        assert_eq!(found(constraints), expect, "{narrow:?}");
    }
}

#[test]
fn both_calendars_are_read_for_whole_blocks() {
    for person in [ada(), bob()] {
        let world = World::new();
        world.offer("a", ("02T08:00", "02T12:00"), "anyone", "auto");
        // All of the block is taken, but for what is asked for: nothing of that is told.
        let taken = [
            between("02T08:00", "02T09:50"),
            between("02T10:10", "02T12:00"),
        ];
        let taken = IntervalSet::from_iter(taken);
        world.people.set_calendars(&person, Busy::Known(taken));
        let narrow = Constraints {
            earliest: Some(at("02T09:50")),
            latest: Some(at("02T10:10")),
            ..Constraints::default()
        };
        assert_eq!(world.slots(narrow), []);
    }
}

#[test]
fn strangers_are_told_of_the_same_few_starts_whoever_they_are() {
    let world = World::with(Limits {
        disclosures_per_week: 1000,
        ..Limits::default()
    });
    world.offer("a", ("02T08:00", "02T20:00"), "anyone", "auto");
    let mut told = std::collections::BTreeSet::new();
    let mut busy = Vec::new();
    // Whatever is told is taken at once, so that the next best has to be told.
    for guest in 0..40 {
        let search = huddle_core::availability::Search {
            guest: did(&format!("guest{guest}")),
            ..crate::world::asking(Constraints::default())
        };
        for slot in crate::world::slots(&world.search(&search)) {
            told.insert(slot.start());
            busy.push(slot);
            let busy = busy.iter().copied().collect();
            world.people.set_calendars(&ada(), Busy::Known(busy));
        }
    }
    assert!((3..=6).contains(&told.len()), "{told:?}");
}

#[test]
fn a_yes_makes_a_stranger_known() {
    let world = World::new();
    world.offer("a", ("02T08:00", "02T20:00"), "anyone", "approve");
    assert!(matches!(
        world.found(Constraints::default()),
        Found::NeedsApproval(_)
    ));
    let approved = huddle_core::availability::Search {
        approved: true,
        acquainted: true,
        ..crate::world::asking(Constraints {
            earliest: Some(at("02T10:00")),
            latest: Some(at("02T11:00")),
            ..Constraints::default()
        })
    };
    let slots = crate::world::slots(&world.search(&approved));
    let quarter = Duration::from_mins(15);
    let half_hour = |n: u32| Interval::lasting(at("02T10:00") + quarter * n, quarter * 2).unwrap();
    assert_eq!(slots, [half_hour(0), half_hour(1), half_hour(2)]);
}

#[test]
fn a_meeting_by_itself_makes_no_stranger_known() {
    let world = World::new();
    world.offer("a", ("02T08:00", "02T20:00"), "anyone", "auto");
    let booking = world.request(Constraints::default()).expect("it is held");
    let search = huddle_core::availability::Search::of(&booking);
    assert!(!search.acquainted, "the host has done nothing for it");
}
