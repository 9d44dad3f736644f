//! What is held at most, and what happens when it is reached.

use std::time::Duration;

use huddle_firehose::ingest::{Action, Full, Limits, MIN_QUEUED_BYTES, Pace};

use crate::driven::{Driven, identity};
use crate::frames::{self, frame, text};

fn did(number: usize) -> String {
    format!("did:web:a{number}.example.com")
}

/// An identity event that takes so many bytes.
fn large(seq: i64, did: &str, bytes: usize) -> Vec<u8> {
    let body = vec![
        ("seq", frames::Item::Int(seq)),
        ("did", text(did)),
        ("time", text("")),
        ("padding", frames::Item::Bytes(vec![0; bytes])),
    ];
    frame(1, Some("#identity"), body)
}

#[test]
fn no_frame_is_taken_that_might_not_fit_and_a_finished_one_makes_room() {
    let limits = Limits {
        max_queued_bytes: MIN_QUEUED_BYTES * 2,
        ..Limits::default()
    };
    let followed = did(1);
    let mut driven = Driven::new(limits.clone(), &[&followed]);
    let (connection, _) = driven.open();
    let mut seq = 101;
    while driven.ingest.wants_frames() {
        // The first is delivered, the others wait for it to be done.
        driven.send(connection, &large(seq, &followed, 1_000_000));
        seq += 1;
        let (_, bytes) = driven.ingest.queued();
        assert!(bytes <= limits.max_queued_bytes, "{bytes}");
    }
    assert!(seq > 105, "{seq} frames");
    let next = large(seq, &followed, 1);
    let refused = driven.ingest.frame(connection, &next, driven.now);
    assert_eq!(refused, Err(Full));
    assert_eq!(driven.ingest.resync("did:web:b.example.com"), Err(Full));

    let (ticket, _) = driven.delivered().remove(0);
    driven.ingest.done(ticket);
    assert!(driven.ingest.wants_frames());
    driven.send(connection, &next);
}

#[test]
fn while_nobody_listens_the_host_is_not_silent() {
    let limits = Limits {
        max_queued: 1,
        ..Limits::default()
    };
    let followed = did(1);
    let mut driven = Driven::new(limits.clone(), &[&followed]);
    let (connection, _) = driven.open();
    driven.send(
        connection,
        &frames::identity(101, &followed, "a.example.com"),
    );
    assert!(!driven.ingest.wants_frames());
    driven.pass(limits.keep_every);
    driven.now += limits.silence * 3;
    assert_eq!(driven.act(), []);

    let (ticket, _) = driven.delivered().remove(0);
    driven.ingest.done(ticket);
    driven.act();
    driven.now += limits.silence;
    assert!(driven.act().contains(&Action::Disconnect { connection }));
}

#[test]
fn keys_are_looked_up_a_few_at_a_time() {
    let limits = Limits {
        max_lookups: 2,
        ..Limits::default()
    };
    let mut driven = Driven::new(limits, &[]);
    let (connection, _) = driven.open();
    for number in 0..5 {
        let did = did(number);
        driven.ingest.resync(&did).expect("there is room");
        driven.act();
        driven.ingest.account(&did, None);
    }
    driven.act();
    let asked = |driven: &Driven| {
        let asks = |action: &&Action| matches!(action, Action::FindIdentity { .. });
        driven.actions.iter().filter(asks).count()
    };
    assert_eq!(asked(&driven), 2);
    driven.ingest.identity(&did(0), Ok(identity(1)), driven.now);
    driven.act();
    assert_eq!(asked(&driven), 3);
    driven.ingest.heard(connection, driven.now);
}

#[test]
fn repositories_are_held_a_few_at_a_time_until_they_are_taken_over() {
    let limits = Limits {
        max_fetches: 1,
        ..Limits::default()
    };
    let mut driven = Driven::new(limits, &[]);
    for number in 0..2 {
        let did = did(number);
        driven.ingest.resync(&did).expect("there is room");
        driven.act();
        driven.ingest.account(&did, None);
        driven.act();
        driven.ingest.identity(&did, Ok(identity(1)), driven.now);
    }
    driven.act();
    let asked = |driven: &Driven| {
        let asks = |action: &&Action| matches!(action, Action::FetchRepository { .. });
        driven.actions.iter().filter(asks).count()
    };
    assert_eq!(asked(&driven), 1);
    let made = frames::make(&did(0), None, frames::Records::new(), 1);
    driven.ingest.repository(&did(0), Ok(&made.car), driven.now);
    driven.act();
    assert_eq!(asked(&driven), 1, "the first is still held");
    let (ticket, _) = driven.delivered().remove(0);
    driven.ingest.done(ticket);
    driven.act();
    assert_eq!(asked(&driven), 2);
}

#[test]
fn accounts_beyond_the_limit_are_asked_for_again() {
    let limits = Limits {
        max_accounts: 1,
        ..Limits::default()
    };
    let (one, two) = (did(1), did(2));
    let mut driven = Driven::new(limits, &[&one, &two]);
    let (connection, _) = driven.open();
    let mut seq = 101;
    let mut read = |driven: &mut Driven, who: &str| {
        driven.actions.clear();
        driven.send(connection, &frames::account(seq, who, Some("deactivated")));
        seq += 1;
        driven.run(1, None);
        let asks = |action: &Action| matches!(action, Action::ReadAccount { .. });
        driven.actions.iter().any(asks)
    };
    assert!(read(&mut driven, &one));
    assert!(!read(&mut driven, &one), "it is remembered");
    assert!(read(&mut driven, &two));
    assert!(read(&mut driven, &one), "the other one took its place");
}

#[test]
fn how_far_the_stream_is_behind_is_told_by_its_newest_frame_of_interest_or_not() {
    let mut driven = Driven::new(Limits::default(), &[]);
    let (connection, _) = driven.open();
    assert_eq!(driven.ingest.pace(driven.now), Pace::default());
    driven.now = Duration::from_mins(29_921_311);
    for (seq, time) in [(101, "2026-11-21T16:29:00Z"), (102, "2026-11-21T16:30:00Z")] {
        let body = vec![
            ("seq", frames::Item::Int(seq)),
            ("did", text(&did(1))),
            ("time", text(time)),
        ];
        driven.send(connection, &frame(1, Some("#identity"), body));
    }
    let expect = Pace {
        frames: 2,
        behind: Some(Duration::from_mins(1)),
    };
    assert_eq!(driven.ingest.pace(driven.now), expect);
}
