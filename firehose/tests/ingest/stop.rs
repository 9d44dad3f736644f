//! What is still done once a driver is stopped.

use huddle_firehose::ingest::{Action, Ended, Limits, Notice, Unavailable};

use crate::driven::{ALICE, BOB, Driven, chain, identity};
use crate::frames::{self, Made};

#[test]
fn after_a_stop_what_was_delivered_can_be_acknowledged_and_the_cursor_is_kept() {
    let mut driven = Driven::new(Limits::default(), &[ALICE, BOB]);
    let (connection, _) = driven.open();
    driven.send(connection, &frames::identity(101, ALICE, "a.example.com"));
    driven
        .ingest
        .frame(
            connection,
            &frames::identity(102, BOB, "b.example.com"),
            driven.now,
        )
        .expect("there is room");
    driven.ingest.stop();
    assert_eq!(driven.act(), [Action::Disconnect { connection }]);
    assert!(!driven.ingest.is_settled());
    assert_eq!(driven.ingest.wake_at(), None);
    let (ticket, _) = driven.delivered().remove(0);
    driven.ingest.done(ticket);
    driven.act();
    assert!(driven.ingest.is_settled());
    assert_eq!(driven.kept().last(), Some(&Some(101)), "102 comes again");
}

#[test]
fn a_cursor_is_forgotten_and_a_connection_closed_also_if_it_stops_before_that() {
    let mut driven = Driven::new(Limits::default(), &[]);
    let (connection, _) = driven.open();
    let future = frames::error("FutureCursor");
    let sent = driven.ingest.frame(connection, &future, driven.now);
    sent.expect("there is room");
    driven.ingest.stop();
    driven.actions.clear();
    driven.act();
    assert_eq!(driven.kept(), [None]);
    let disconnect = Action::Disconnect { connection };
    assert!(driven.actions.contains(&disconnect));
    let [Notice::Disconnected { why, .. }] = driven.notices()[..] else {
        panic!("{:#?}", driven.actions);
    };
    assert!(matches!(why, Ended::Error { .. }), "{why:?}");
}

/// What happens one after the other to two accounts that are fetched one at a time, beginning with what is known of them
/// and ending with the first one's repository having been taken over.
const OF_TWO_ACCOUNTS: [fn(&mut Driven, &[Made; 2]); 5] = [
    |driven, _| {
        driven.ingest.account(ALICE, None);
        driven.ingest.account(BOB, None);
    },
    |driven, _| driven.ingest.identity(ALICE, Ok(identity(1)), driven.now),
    |driven, _| driven.ingest.identity(BOB, Ok(identity(1)), driven.now),
    |driven, [alice, _]| driven.ingest.repository(ALICE, Ok(&alice.car), driven.now),
    |driven, _| {
        let (ticket, _) = driven.delivered().remove(0);
        driven.ingest.done(ticket);
    },
];

/// The two accounts, after so many of these steps.
fn of_two_accounts(steps: usize) -> (Driven, [Made; 2]) {
    let limits = Limits {
        max_lookups: 1,
        max_fetches: 1,
        max_attempts: 1,
        ..Limits::default()
    };
    let mut driven = Driven::new(limits, &[]);
    let (connection, _) = driven.open();
    let made = [ALICE, BOB].map(|did| chain(did, 2).remove(1));
    for (seq, made) in (101..).zip(&made) {
        driven.send(connection, &made.frame(seq));
    }
    for step in &OF_TWO_ACCOUNTS[..steps] {
        step(&mut driven, &made);
        driven.act();
    }
    (driven, made)
}

/// After so many steps it is stopped, and then something is answered.
#[track_caller]
fn check_after_stop(steps: usize, answer: impl FnOnce(&mut Driven, &[Made; 2])) {
    let (mut driven, made) = of_two_accounts(steps);
    let connection = driven.connection();
    driven.ingest.stop();
    answer(&mut driven, &made);
    let actions = driven.act();
    assert_eq!(actions, [Action::Disconnect { connection }], "step {steps}");
    assert!(driven.ingest.is_settled(), "step {steps}");
}

#[test]
fn after_a_stop_nothing_more_is_asked_or_delivered_whatever_is_answered() {
    let (driven, _) = of_two_accounts(OF_TWO_ACCOUNTS.len());
    let fetch = Action::FetchRepository {
        did: BOB.to_owned(),
    };
    assert!(driven.actions.contains(&fetch), "it is his turn");
    for (steps, answer) in OF_TWO_ACCOUNTS.into_iter().enumerate() {
        check_after_stop(steps, answer);
    }
    let why = Unavailable::ForNow;
    check_after_stop(1, |driven, _| {
        driven.ingest.identity(ALICE, Err(why), driven.now);
    });
    check_after_stop(3, |driven, _| {
        driven.ingest.repository(ALICE, Err(why), driven.now);
    });
}
