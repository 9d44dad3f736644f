//! One account that has to wait, and the room that it leaves for the others.

use std::time::Duration;

use huddle_firehose::ingest::{Action, Event, Limits, News, Notice, Unavailable};
use huddle_firehose::{Account, Hosting, Repository};

use crate::driven::{ALICE, BOB, Driven, chain, identity, news};
use crate::frames::{self, Made, make};

/// Of what may wait, a lane that waits has ten.
fn limits() -> Limits {
    Limits {
        max_queued: 160,
        ..Limits::default()
    }
}

/// Alice's repository is being fetched, and all of these have come: the first is the reason for it.
fn waiting(commits: &[Made]) -> Driven {
    let mut driven = Driven::new(limits(), &[BOB]);
    let (connection, _) = driven.open();
    for (made, seq) in commits.iter().zip(101..) {
        driven.send(connection, &made.frame(seq));
        driven.ingest.account(ALICE, None);
        driven.act();
        driven.ingest.identity(ALICE, Ok(identity(1)), driven.now);
        driven.act();
    }
    assert!(driven.actions.contains(&fetch()));
    driven
}

fn fetch() -> Action {
    let did = ALICE.to_owned();
    Action::FetchRepository { did }
}

/// Waits until Alice's repository is asked for, answers, acknowledges what is delivered, and tells that.
fn answer(driven: &mut Driven, car: Result<&Made, Unavailable>) -> Vec<Event> {
    driven.act();
    let patience = driven.now + Duration::from_hours(1);
    while !driven.actions.contains(&fetch()) {
        assert!(driven.now < patience, "it is not fetched again");
        driven.wait();
        driven.act();
        driven.ingest.account(ALICE, None);
        driven.ingest.identity(ALICE, Ok(identity(1)), driven.now);
        driven.act();
    }
    driven.actions.clear();
    let car = car.map(|made| made.car.as_slice());
    driven.ingest.repository(ALICE, car, driven.now);
    let mut events = Vec::new();
    loop {
        driven.act();
        let delivered = driven.delivered();
        let Some((ticket, event)) = delivered.get(events.len()) else {
            return events;
        };
        driven.ingest.done(*ticket);
        events.push(event.clone());
    }
}

#[test]
fn an_account_that_waits_for_its_repository_leaves_room_for_the_others() {
    let commits = chain(ALICE, 3);
    let mut driven = waiting(&commits[1..2]);
    let connection = driven.connection();
    for seq in 102..2000 {
        driven.send(connection, &commits[2].frame(seq));
        assert!(driven.ingest.queued().0 <= 12);
    }
    driven.send(connection, &frames::identity(2000, BOB, "b.example.com"));
    let (_, event) = driven.delivered().remove(0);
    assert!(matches!(news(&event), (News::Identity { .. }, None)));
}

#[test]
fn large_frames_of_an_account_that_waits_leave_room_for_the_others() {
    let commits = chain(ALICE, 2);
    let mut driven = waiting(&commits[1..]);
    let connection = driven.connection();
    let mut body = commits[1].body(0);
    body.push(("padding", frames::Item::Bytes(vec![0; 1_000_000])));
    for seq in 102..150 {
        body[0] = ("seq", frames::Item::Int(seq));
        let large = frames::frame(1, Some("#commit"), body.clone());
        driven.send(connection, &large);
        let (_, bytes) = driven.ingest.queued();
        assert!(bytes < 5_000_000, "{bytes}");
    }
}

#[test]
fn the_cursor_stays_before_what_was_passed_over_until_a_repository_has_it() {
    let commits = chain(ALICE, 30);
    let mut driven = waiting(&commits[1..]);
    let last = 100 + 29;
    driven.pass(limits().keep_every);
    assert_eq!(driven.kept(), []);

    // A host that is a little behind: what is still there follows on it, what was passed over does not.
    let events = answer(&mut driven, Ok(&commits[5]));
    assert!(
        matches!(news(&events[0]).0, News::Repository { rev, .. } if *rev == commits[5].head.rev)
    );
    let changes = |event: &Event| matches!(news(event).0, News::Changes { .. });
    assert!(events.len() > 3 && events[1..].iter().all(changes));
    assert!(driven.actions.contains(&fetch()));
    driven.pass(limits().keep_every);
    let kept = driven.kept();
    // Eleven could wait.
    assert!(kept.iter().flatten().all(|kept| *kept < 112), "{kept:?}");

    let events = answer(&mut driven, Ok(&commits[20]));
    assert_eq!(events, [], "it is older than the newest that came");
    let events = answer(&mut driven, Ok(&commits[29]));
    let state = news(&events[0]).1.map(|state| state.repository);
    assert_eq!(state, Some(Repository::Synced(commits[29].head)));
    driven.pass(limits().keep_every);
    assert_eq!(driven.kept().last(), Some(&Some(last)));
}

#[test]
fn an_account_that_is_given_up_is_kept_as_lost_before_the_cursor_passes() {
    let commits = chain(ALICE, 30);
    let mut driven = waiting(&commits[1..]);
    driven.actions.clear();
    let at_all = Err(Unavailable::AtAll);
    driven.ingest.repository(ALICE, at_all, driven.now);
    driven.pass(limits().keep_every);
    let (ticket, event) = driven.delivered().remove(0);
    let (News::Desynchronized(_), Some(state)) = news(&event) else {
        panic!("{event:?}");
    };
    assert!(state.is_lost());
    assert_eq!(driven.kept(), []);
    driven.ingest.done(ticket);
    driven.pass(limits().keep_every);
    assert_eq!(driven.kept(), [Some(129)]);
    assert_eq!(driven.delivered().len(), 1, "the rest is covered");

    // Nothing older than what its key was known for will do then.
    assert_eq!(answer(&mut driven, Ok(&commits[28])), []);
    assert_eq!(answer(&mut driven, Ok(&commits[29])).len(), 1);
}

/// Something comes after more commits than can wait, and the repository that is fetched has some of them.
#[track_caller]
fn check_hides_nothing(commits: &[Made], last: &Made) {
    let mut driven = waiting(&commits[1..20]);
    let connection = driven.connection();
    driven.send(connection, &last.frame(200));
    let events = answer(&mut driven, Ok(&commits[15]));
    assert!(matches!(news(&events[0]).0, News::Repository { .. }));
    // Where it has to be looked up again, the key is the same.
    let events = answer(&mut driven, Ok(&commits[19]));
    let state = news(&events[0]).1.map(|state| state.repository);
    assert_eq!(state, Some(Repository::Synced(commits[19].head)));
    assert_eq!(driven.ingest.queued().0, 0);
}

#[test]
fn something_old_or_forged_that_came_last_hides_nothing_that_was_passed_over() {
    let commits = chain(ALICE, 30);
    check_hides_nothing(&commits, &commits[0]);
    let forged = make(ALICE, Some(&commits[29]), frames::Records::new(), 9);
    check_hides_nothing(&commits, &forged);
}

#[test]
fn of_what_is_told_of_an_account_that_waits_the_newest_is_told() {
    let commits = chain(ALICE, 3);
    let mut driven = waiting(&commits[1..2]);
    let connection = driven.connection();
    for number in 0..100 {
        let seq = 102 + 2 * number;
        let handle = format!("a{number}.example.com");
        driven.send(connection, &frames::identity(seq, ALICE, &handle));
        let status = (number % 2 == 1).then_some("deactivated");
        driven.send(connection, &frames::account(seq + 1, ALICE, status));
    }
    assert!(driven.ingest.queued().0 <= 14);
    let events = answer(&mut driven, Ok(&commits[1]));
    let mut handles = events.iter().filter_map(|event| match news(event).0 {
        News::Identity { handle } => handle.clone(),
        _ => None,
    });
    assert_eq!(handles.next_back().as_deref(), Some("a99.example.com"));
    let hidden = |event: &&Event| *news(event).0 == News::Hosting(Hosting::Inactive);
    assert!(events.iter().rfind(hidden).is_some());
    let state = events.iter().filter_map(|event| news(event).1).next_back();
    assert_eq!(state.map(|state| state.hosting), Some(Hosting::Inactive));
}

#[test]
fn accounts_that_wait_have_less_room_once_half_of_it_is_taken() {
    let mut driven = Driven::new(limits(), &[BOB]);
    let (connection, _) = driven.open();
    let mut seq = 100;
    for number in 0..30 {
        let did = format!("did:web:a{number}.example.com");
        driven.ingest.set_interest(&did, true);
        let made = make(&did, None, frames::Records::new(), 1);
        for _ in 0..20 {
            seq += 1;
            driven.send(connection, &made.sync(seq));
            driven.ingest.account(&did, Some(Account::new()));
            driven.act();
        }
    }
    assert!(driven.ingest.wants_frames());
    driven.send(connection, &frames::identity(9000, BOB, "b.example.com"));
    assert!(matches!(
        news(&driven.delivered()[0].1).0,
        News::Identity { .. }
    ));
}

#[test]
fn nothing_is_passed_over_because_the_consumer_is_slow() {
    let mut driven = Driven::new(limits(), &[ALICE]);
    let (connection, _) = driven.open();
    for seq in 101..151 {
        driven.send(connection, &frames::identity(seq, ALICE, "a.example.com"));
    }
    assert_eq!(driven.run(1, None).len(), 50);
}

#[test]
fn repositories_that_are_asked_for_leave_room_for_frames() {
    let mut driven = Driven::new(limits(), &[BOB]);
    driven.open();
    let asked = (0..1000).filter(|number| {
        let did = format!("did:web:a{number}.example.com");
        driven.ingest.resync(&did).is_ok()
    });
    assert_eq!(asked.count(), 80);
    assert!(driven.ingest.wants_frames() && !driven.ingest.wants_resyncs());
}

/// A commit in somebody's name, which nobody looks at without a key.
fn named(made: &Made, did: &str, number: usize) -> Vec<u8> {
    let mut body = made.body(101 + i64::try_from(number).expect("small"));
    body.retain(|(key, _)| *key != "repo");
    body.push(("repo", frames::text(did)));
    frames::frame(1, Some("#commit"), body)
}

/// Ten thousand accounts of which nobody has heard, whose keys are at hosts that do not answer, each named by a commit.
#[track_caller]
fn check_strangers(did: fn(usize) -> String) {
    let [first, second] = chain(BOB, 2).try_into().expect("two");
    let mut driven = Driven::new(Limits::default(), &[BOB]);
    let (connection, _) = driven.open();
    let made = chain(&did(0), 2).pop().expect("two");
    for number in 0..10_000 {
        let frame = named(&made, &did(number), number);
        driven.send(connection, &frame);
        driven.ingest.account(&did(number), None);
        driven.act();
    }
    let looks_up = |action: &&Action| matches!(action, Action::FindIdentity { .. });
    let lookups = driven.actions.iter().filter(looks_up).count();
    assert_eq!(lookups, Limits::default().max_lookups / 2);
    assert_eq!(driven.ingest.queued().0, Limits::default().max_queued / 4);
    let is_keyless = |notice: &&Notice| matches!(notice, Notice::NoKey { .. });
    let refused = driven.notices().into_iter().filter(is_keyless).count();
    assert_eq!(refused, 10_000 - Limits::default().max_queued / 4);

    for (made, seq) in [(first, 20_001), (second, 20_002)] {
        driven.send(connection, &made.frame(seq));
        driven.ingest.account(BOB, None);
        driven.act();
        driven.ingest.identity(BOB, Ok(identity(1)), driven.now);
        driven.act();
        let (ticket, event) = driven.delivered().pop().expect("it is delivered");
        let (News::Changes { rev, .. }, Some(_)) = news(&event) else {
            panic!("{event:?}");
        };
        assert_eq!(*rev, made.head.rev);
        driven.ingest.done(ticket);
    }
}

#[test]
fn strangers_whose_keys_are_at_a_silent_host_hold_up_nobody_who_is_followed() {
    check_strangers(|number| format!("did:web:silent.example.com:a{number}"));
    check_strangers(|number| format!("did:web:a{number}.silent.example.com"));
}

#[test]
fn strangers_make_room_for_each_other_when_their_keys_are_given_up() {
    let did = |number: usize| format!("did:web:a{number}.example.com");
    let made = chain(&did(0), 2).pop().expect("two");
    let mut driven = Driven::new(limits(), &[]);
    let (connection, _) = driven.open();
    let send = |driven: &mut Driven, number: usize| {
        driven.send(connection, &named(&made, &did(number), number));
        driven.ingest.account(&did(number), None);
        driven.act();
        driven.ingest.queued().0
    };
    for number in 0..50 {
        assert_eq!(send(&mut driven, number), 40.min(number + 1));
    }
    for number in 0..40 {
        let at_all = Err(Unavailable::AtAll);
        driven.ingest.identity(&did(number), at_all, driven.now);
        driven.act();
    }
    assert_eq!(driven.ingest.queued().0, 0);
    assert_eq!(send(&mut driven, 50), 1);
    assert_eq!(driven.delivered(), []);
}

#[test]
fn accounts_that_are_followed_share_the_look_ups_with_those_of_their_host_alone() {
    let mut followed: Vec<_> = (0..40)
        .map(|number| format!("did:web:silent.example.com:a{number}"))
        .collect();
    followed.push("did:web:other.example.com".to_owned());
    let mut driven = Driven::new(Limits::default(), &[]);
    let (connection, _) = driven.open();
    for (did, seq) in followed.iter().zip(101..) {
        driven.ingest.set_interest(did, true);
        let made = make(did, None, frames::Records::new(), 1);
        driven.send(connection, &made.sync(seq));
        driven.ingest.account(did, None);
        driven.act();
    }
    let asked = driven.actions.iter().filter_map(|action| match action {
        Action::FindIdentity { did } => Some(did.as_str()),
        _ => None,
    });
    let asked: Vec<_> = asked.collect();
    assert_eq!(asked.len(), Limits::default().max_lookups / 2 + 1);
    assert_eq!(asked.last(), Some(&"did:web:other.example.com"));
}
