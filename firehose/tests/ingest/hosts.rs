//! What a host can say or do, and what comes of it.

use std::time::Duration;

use huddle_firehose::ingest::{
    Action, Config, ConfigError, Ended, Event, GapCause, Ingest, Limits, LostTrack, News, Notice,
    Outcome, Proof, RepositoryError, Unavailable,
};
use huddle_firehose::{Account, CommitError, Filter, Hosting, Repository};

use crate::driven::{ALICE, BOB, Driven, HOST, config, identity, news};
use crate::frames::{self, Made, Records, frame, make, record, text};

const KEEP: Duration = Duration::from_secs(5);

fn records(paths: &[(&str, i64)]) -> Records {
    let record = |(path, number): &(&str, i64)| {
        let (collection, _) = path.split_once('/').expect("a path");
        ((*path).to_owned(), record(collection, *number))
    };
    paths.iter().map(record).collect()
}

/// Three commits: nothing, one record, two records.
fn history(did: &str) -> [Made; 3] {
    let first = make(did, None, Records::new(), 1);
    let second = make(did, Some(&first), records(&[("com.example.a/1", 1)]), 1);
    let both = records(&[("com.example.a/1", 1), ("com.example.a/2", 2)]);
    let third = make(did, Some(&second), both, 1);
    [first, second, third]
}

/// An error frame, the connection afterwards, and the cursor that it asks for.
#[track_caller]
fn check_error(name: &str, url_after: &str) -> Driven {
    let mut driven = Driven::new(Limits::default(), &[]);
    let (connection, url) = driven.open();
    assert_eq!(
        url,
        format!("{HOST}/xrpc/com.atproto.sync.subscribeRepos?cursor=100")
    );
    driven.send(connection, &frames::unknown(105));
    let actions = driven.send(connection, &frames::error(name)).to_vec();
    assert!(actions.contains(&Action::Disconnect { connection }));
    let says_why = |notice: &&Notice| {
        let why = Ended::Error {
            name: name.to_owned(),
            message: None,
        };
        matches!(notice, Notice::Disconnected { why: w, .. } if *w == why)
    };
    assert!(driven.notices().iter().any(says_why));
    assert!(
        driven
            .ingest
            .frame(connection, &frames::unknown(106), driven.now)
            .is_ok(),
        "what comes late is passed over"
    );
    let (_, url) = driven.open();
    assert_eq!(url, format!("{HOST}/xrpc/{url_after}"));
    driven
}

#[test]
fn a_consumer_that_is_too_slow_goes_on_from_where_it_was() {
    let driven = check_error(
        "ConsumerTooSlow",
        "com.atproto.sync.subscribeRepos?cursor=105",
    );
    assert_eq!(driven.delivered(), []);
}

#[test]
fn an_error_that_nobody_knows_is_followed_by_another_attempt() {
    check_error("Whatever", "com.atproto.sync.subscribeRepos?cursor=105");
}

#[test]
fn a_cursor_from_the_future_is_forgotten_and_the_gap_is_told() {
    let mut driven = check_error("FutureCursor", "com.atproto.sync.subscribeRepos");
    assert_eq!(driven.kept(), [Some(105), None]);
    let (ticket, event) = driven.delivered().remove(0);
    let gap = Event::Gap {
        host: HOST.to_owned(),
        cause: GapCause::FutureCursor { cursor: 105 },
    };
    assert_eq!(event, gap);
    driven.ingest.done(ticket);
}

#[test]
fn an_outdated_cursor_is_told_and_kept_until_somebody_has_taken_note() {
    let mut driven = Driven::new(Limits::default(), &[]);
    let (connection, _) = driven.open();
    driven.send(connection, &frames::info("OutdatedCursor"));
    driven.send(connection, &frames::unknown(500));
    driven.pass(KEEP);
    assert_eq!(driven.kept(), []);
    let (ticket, event) = driven.delivered().remove(0);
    let gap = Event::Gap {
        host: HOST.to_owned(),
        cause: GapCause::OutdatedCursor,
    };
    assert_eq!(event, gap);
    driven.ingest.done(ticket);
    driven.pass(KEEP);
    assert_eq!(driven.kept().last(), Some(&Some(500)));
}

#[test]
fn a_stream_without_a_cursor_begins_with_a_gap() {
    let mut driven = Driven::with(config(Limits::default()), &[], None);
    let (_, url) = driven.open();
    assert_eq!(url, format!("{HOST}/xrpc/com.atproto.sync.subscribeRepos"));
    let (_, event) = driven.delivered().remove(0);
    assert!(matches!(
        event,
        Event::Gap {
            cause: GapCause::NoCursor,
            ..
        }
    ));
}

#[test]
fn a_gap_is_told_after_everything_that_came_before_it() {
    let mut driven = Driven::new(Limits::default(), &[ALICE]);
    let (connection, _) = driven.open();
    driven.send(connection, &frames::identity(101, ALICE, "a.example.com"));
    driven.send(connection, &frames::info("OutdatedCursor"));
    assert_eq!(driven.delivered().len(), 1);
    let (ticket, _) = driven.delivered().remove(0);
    driven.ingest.done(ticket);
    driven.act();
    assert!(matches!(driven.delivered()[1], (_, Event::Gap { .. })));
}

#[test]
fn another_message_of_the_host_is_reported_and_changes_nothing() {
    let mut driven = Driven::new(Limits::default(), &[]);
    let (connection, _) = driven.open();
    driven.send(connection, &frames::info("Hello"));
    let notice = Notice::Info {
        name: "Hello".to_owned(),
        message: None,
    };
    assert!(driven.notices().contains(&&notice));
    assert_eq!(driven.delivered(), []);
}

#[test]
fn unknown_and_bad_frames_are_passed_over_and_the_cursor_moves_on() {
    let mut driven = Driven::new(Limits::default(), &[]);
    let (connection, _) = driven.open();
    driven.send(connection, b"\xff");
    driven.send(
        connection,
        &frame(7, None, vec![("seq", frames::Item::Int(110))]),
    );
    driven.pass(KEEP);
    assert_eq!(driven.kept().last(), Some(&Some(110)));
    let is_bad = |notice: &&Notice| matches!(notice, Notice::BadFrame { .. });
    assert_eq!(driven.notices().into_iter().filter(is_bad).count(), 1);
}

#[test]
fn a_host_that_sends_nothing_but_garbage_is_left() {
    let mut driven = Driven::new(Limits::default(), &[]);
    let (connection, _) = driven.open();
    for _ in 0..99 {
        driven.send(connection, b"\xff");
    }
    let actions = driven.send(connection, b"\xff");
    assert!(actions.contains(&Action::Disconnect { connection }));
}

#[test]
fn garbage_that_comes_again_after_the_same_cursor_is_skipped_and_the_gap_is_told() {
    let mut driven = Driven::new(Limits::default(), &[]);
    let fill = |driven: &mut Driven| {
        let (connection, url) = driven.open();
        for _ in 0..100 {
            driven.send(connection, b"\xff");
        }
        url
    };
    assert!(fill(&mut driven).ends_with("?cursor=100"));
    let (connection, url) = driven.open();
    assert!(url.ends_with("?cursor=100"), "the cursor stays: {url}");
    driven.send(connection, &frames::unknown(105));
    driven.ingest.closed(connection, driven.now);
    assert!(fill(&mut driven).ends_with("?cursor=105"));
    assert!(
        fill(&mut driven).ends_with("?cursor=105"),
        "there was progress"
    );
    let (_, url) = driven.open();
    assert!(url.ends_with("subscribeRepos"), "{url}");
    let gap = Event::Gap {
        host: HOST.to_owned(),
        cause: GapCause::Garbage { cursor: 105 },
    };
    assert_eq!(driven.delivered()[0].1, gap);
}

#[test]
fn numbers_that_do_not_rise_end_the_connection() {
    let mut driven = Driven::new(Limits::default(), &[]);
    let (connection, _) = driven.open();
    driven.send(connection, &frames::unknown(105));
    let actions = driven.send(connection, &frames::unknown(105));
    assert!(actions.contains(&Action::Disconnect { connection }));
}

#[test]
fn a_host_that_begins_before_the_cursor_repeats_nothing() {
    let mut driven = Driven::new(Limits::default(), &[ALICE]);
    let (connection, _) = driven.open();
    driven.send(connection, &frames::identity(99, ALICE, "old.example.com"));
    driven.send(connection, &frames::identity(100, ALICE, "old.example.com"));
    assert_eq!(driven.delivered(), []);
    driven.send(connection, &frames::identity(101, ALICE, "new.example.com"));
    assert_eq!(driven.delivered().len(), 1);
}

#[test]
fn a_host_that_stays_before_the_cursor_has_lost_its_numbers() {
    let mut driven = Driven::new(Limits::default(), &[]);
    let (connection, _) = driven.open();
    driven.send(connection, &frames::unknown(5));
    driven.now += Limits::default().healthy;
    driven.send(connection, &frames::unknown(6));
    let (_, url) = driven.open();
    assert!(url.ends_with("subscribeRepos"), "{url}");
    let cause = GapCause::FutureCursor { cursor: 100 };
    assert!(matches!(&driven.delivered()[0].1, Event::Gap { cause: c, .. } if *c == cause));
}

#[test]
fn silence_ends_the_connection_and_any_sign_of_life_ends_silence() {
    let mut driven = Driven::new(Limits::default(), &[]);
    let (connection, _) = driven.open();
    let silence = Limits::default().silence;
    driven.now += silence.mul_f64(0.9);
    driven.ingest.heard(connection, driven.now);
    driven.now += silence.mul_f64(0.9);
    assert_eq!(driven.act(), []);
    driven.now += silence.mul_f64(0.1);
    assert!(driven.act().contains(&Action::Disconnect { connection }));
}

#[test]
fn another_host_has_its_own_cursor_and_a_gap_without_one() {
    let second = "wss://second.example.com";
    let config = Config {
        hosts: vec![HOST.to_owned(), second.to_owned()],
        ..config(Limits::default())
    };
    let mut driven = Driven::with(config, &[], Some(100));
    for _ in 0..3 {
        let (connection, url) = driven.open();
        assert!(url.starts_with(HOST), "{url}");
        driven.ingest.closed(connection, driven.now);
    }
    let (_, url) = driven.open();
    assert_eq!(
        url,
        format!("{second}/xrpc/com.atproto.sync.subscribeRepos")
    );
    assert!(matches!(&driven.delivered()[0].1, Event::Gap { host, .. } if host == second));
}

#[test]
fn an_account_that_waits_does_not_hold_up_another_but_does_hold_the_cursor() {
    let mut driven = Driven::new(Limits::default(), &[BOB]);
    let (connection, _) = driven.open();
    let [_, second, _] = history(ALICE);
    driven.send(connection, &second.frame(101));
    driven.send(connection, &frames::identity(102, BOB, "b.example.com"));
    let (ticket, event) = driven.delivered().remove(0);
    assert!(matches!(news(&event), (News::Identity { .. }, None)));
    driven.ingest.done(ticket);
    driven.pass(KEEP);
    assert_eq!(driven.kept(), [], "100 is what is kept already");
    driven.run(1, Some(&second.car));
    driven.pass(KEEP);
    assert_eq!(driven.kept().last(), Some(&Some(102)));
}

#[test]
fn an_account_is_fetched_first_and_followed_from_then_on() {
    let mut driven = Driven::new(Limits::default(), &[]);
    let (connection, _) = driven.open();
    let [first, second, third] = history(ALICE);
    driven.send(connection, &first.frame(101));
    assert_eq!(driven.act(), [], "it has nothing of interest yet");
    driven.send(connection, &second.frame(102));
    let events = driven.run(1, Some(&second.car));
    assert_eq!(events.len(), 1);
    let (News::Repository { records, .. }, Some(state)) = news(&events[0]) else {
        panic!("{events:#?}");
    };
    assert_eq!(records.len(), 1);
    assert_eq!(state.repository, Repository::Synced(second.head));

    driven.actions.clear();
    driven.send(connection, &third.frame(103));
    let events = driven.run(1, None);
    let (News::Changes { changes, .. }, Some(state)) = news(&events[0]) else {
        panic!("{events:#?}");
    };
    assert_eq!(changes[0].rkey, "2");
    assert_eq!(state.repository, Repository::Synced(third.head));
    let asks = |action: &Action| matches!(action, Action::FindIdentity { .. });
    assert!(!driven.actions.iter().any(asks), "the key is remembered");
}

#[test]
fn a_bad_signature_has_the_key_looked_up_once_and_is_then_rejected() {
    let mut driven = Driven::new(Limits::default(), &[ALICE]);
    let (connection, _) = driven.open();
    let [first, second, _] = history(ALICE);
    driven.send(connection, &first.frame(101));
    driven.run(1, None);
    driven.actions.clear();

    let forged = make(ALICE, Some(&first), second.records.clone(), 9);
    driven.send(connection, &forged.frame(102));
    let events = driven.run(1, None);
    assert_eq!(events, []);
    let asks = |action: &&Action| matches!(action, Action::FindIdentity { .. });
    assert_eq!(driven.actions.iter().filter(asks).count(), 1);
    let notice = Notice::Rejected {
        did: ALICE.to_owned(),
        seq: 102,
        why: CommitError::Signature,
    };
    assert!(driven.notices().contains(&&notice));

    driven.actions.clear();
    driven.send(connection, &second.frame(103));
    let events = driven.run(1, None);
    assert!(matches!(news(&events[0]), (News::Changes { .. }, _)));
}

#[test]
fn a_look_up_of_the_key_does_for_all_bad_signatures_that_came_before_it() {
    let mut driven = Driven::new(Limits::default(), &[ALICE]);
    let (connection, _) = driven.open();
    let [first, second, _] = history(ALICE);
    driven.send(connection, &first.frame(101));
    driven.run(1, None);
    driven.actions.clear();
    let forged = make(ALICE, Some(&first), second.records.clone(), 9);
    for seq in 102..120 {
        driven.send(connection, &forged.frame(seq));
    }
    assert_eq!(driven.run(1, None), []);
    let asks = |action: &&Action| matches!(action, Action::FindIdentity { .. });
    let lookups = driven.actions.iter().filter(asks).count();
    assert_eq!(lookups, 2, "one for the first, and one for the others");
    let rejected = |notice: &&Notice| matches!(notice, Notice::Rejected { .. });
    assert_eq!(driven.notices().into_iter().filter(rejected).count(), 18);
}

#[test]
fn a_new_key_is_found_when_the_old_one_does_not_fit() {
    let mut driven = Driven::new(Limits::default(), &[ALICE]);
    let (connection, _) = driven.open();
    let [first, second, _] = history(ALICE);
    driven.send(connection, &first.frame(101));
    driven.run(1, None);
    driven.actions.clear();
    let renewed = make(ALICE, Some(&first), second.records.clone(), 2);
    driven.send(connection, &renewed.frame(102));
    let events = driven.run(2, None);
    assert!(matches!(news(&events[0]), (News::Changes { .. }, _)));
}

#[test]
fn an_identity_event_has_the_key_looked_up_again() {
    let mut driven = Driven::new(Limits::default(), &[ALICE]);
    let (connection, _) = driven.open();
    let [first, second, _] = history(ALICE);
    driven.send(connection, &first.frame(101));
    driven.send(connection, &frames::identity(102, ALICE, "a.example.com"));
    driven.send(connection, &second.frame(103));
    let events = driven.run(1, None);
    assert_eq!(events.len(), 3);
    let asks = |action: &&Action| matches!(action, Action::FindIdentity { .. });
    assert_eq!(driven.actions.iter().filter(asks).count(), 2);
}

/// What is told of a status, and whether the account is still followed afterwards.
#[track_caller]
fn check_status(status: &str, expect: Option<Hosting>, followed: bool) {
    let mut driven = Driven::new(Limits::default(), &[ALICE]);
    let (connection, _) = driven.open();
    let [first, ..] = history(ALICE);
    driven.send(connection, &first.frame(101));
    driven.run(1, None);
    driven.actions.clear();
    driven.send(connection, &frames::account(102, ALICE, Some(status)));
    let events = driven.run(1, None);
    let told = events.first().map(|event| match news(event) {
        (News::Hosting(hosting), Some(state)) if state.hosting == *hosting => *hosting,
        other => panic!("{other:?}"),
    });
    assert_eq!(told, expect, "{status}");
    driven.actions.clear();
    driven.send(connection, &frames::identity(103, ALICE, "a.example.com"));
    assert_eq!(driven.delivered().len(), usize::from(followed), "{status}");
}

#[test]
fn the_status_of_an_account_hides_or_deletes_what_is_held() {
    for (status, expect, followed) in [
        ("deactivated", Some(Hosting::Inactive), true),
        ("takendown", Some(Hosting::TakenDown), true),
        ("suspended", Some(Hosting::TakenDown), true),
        ("no such status", Some(Hosting::TakenDown), true),
        ("deleted", Some(Hosting::Deleted), false),
        ("throttled", None, true),
        ("desynchronized", None, true),
    ] {
        check_status(status, expect, followed);
    }
}

#[test]
fn an_account_that_comes_back_is_fetched_if_it_has_to_be() {
    let mut driven = Driven::new(Limits::default(), &[ALICE]);
    let (connection, _) = driven.open();
    let [_, second, _] = history(ALICE);
    driven.send(
        connection,
        &frames::account(101, ALICE, Some("deactivated")),
    );
    driven.send(connection, &frames::account(102, ALICE, None));
    let events = driven.run(1, Some(&second.car));
    let told: Vec<_> = events.iter().map(|event| news(event).0).collect();
    assert!(
        matches!(
            told[..],
            [
                News::Hosting(Hosting::Inactive),
                News::Hosting(Hosting::Active),
                News::Repository { .. }
            ]
        ),
        "{told:#?}"
    );
}

/// What comes of repositories that cannot be had, or not be taken, as often as it is tried.
#[track_caller]
fn check_fetch(car: Result<&[u8], Unavailable>, attempts: usize, expect: &News) {
    let mut driven = Driven::new(Limits::default(), &[]);
    let (connection, _) = driven.open();
    let [_, second, _] = history(ALICE);
    driven.send(connection, &second.frame(101));
    driven.ingest.account(ALICE, None);
    driven.act();
    driven.ingest.identity(ALICE, Ok(identity(1)), driven.now);
    let mut fetched = 0;
    while driven.delivered().is_empty() {
        let asks = |action: &Action| matches!(action, Action::FetchRepository { .. });
        if driven.act().iter().any(asks) {
            fetched += 1;
            driven.ingest.repository(ALICE, car, driven.now);
        } else {
            driven.ingest.heard(connection, driven.now);
            driven.now = driven.ingest.wake_at().expect("it tries again");
        }
    }
    assert_eq!(fetched, attempts);
    let (ticket, event) = driven.delivered().remove(0);
    let (news, state) = news(&event);
    assert_eq!(news, expect);
    let repository = state.map(|state| state.repository);
    assert!(matches!(
        repository,
        Some(Repository::Desynchronized { .. })
    ));
    driven.ingest.done(ticket);
    driven.pass(KEEP);
    assert_eq!(
        driven.kept().last(),
        Some(&Some(101)),
        "it does not stop the stream"
    );
}

#[test]
fn a_repository_that_cannot_be_had_is_given_up_and_told() {
    let refused = |why| News::Desynchronized(LostTrack::Refused(why));
    let [first, second, _] = history(ALICE);
    let of_bob = &history(BOB)[1].car;
    let unsigned = &make(ALICE, Some(&first), second.records.clone(), 9).car;
    let unavailable = News::Desynchronized(LostTrack::Unavailable);
    check_fetch(Err(Unavailable::ForNow), 5, &unavailable);
    check_fetch(Err(Unavailable::AtAll), 1, &unavailable);
    let too_large = News::Desynchronized(LostTrack::TooLarge(1000));
    check_fetch(Err(Unavailable::TooLarge(1000)), 1, &too_large);
    let hidden = News::Hosting(Hosting::Inactive);
    check_fetch(Err(Unavailable::Inactive), 1, &hidden);
    let other = refused(RepositoryError::Commit(CommitError::Did));
    check_fetch(Ok(of_bob), 5, &other);
    let forged = refused(RepositoryError::Commit(CommitError::Signature));
    check_fetch(Ok(unsigned), 5, &forged);
}

/// Alice's key is looked up in vain, until something comes of it. Tells how often.
fn look_up_in_vain(driven: &mut Driven) -> usize {
    let is_keyless = |notice: &&Notice| matches!(notice, Notice::NoKey { .. });
    let mut answered = 0;
    loop {
        driven.act();
        if !driven.delivered().is_empty() || driven.notices().iter().any(is_keyless) {
            return answered;
        }
        let asks = |action: &&Action| matches!(action, Action::FindIdentity { .. });
        if driven.actions.iter().filter(asks).count() > answered {
            answered += 1;
            let for_now = Err(Unavailable::ForNow);
            driven.ingest.identity(ALICE, for_now, driven.now);
        } else {
            driven.wait();
        }
    }
}

#[test]
fn a_key_that_cannot_be_looked_up_is_given_up_in_the_end_and_whoever_is_followed_is_lost() {
    let of_alice = Account {
        hosting: Hosting::Inactive,
        ..Account::new()
    };
    for (followed, kept) in [(&[ALICE][..], None), (&[], Some(of_alice))] {
        let mut driven = Driven::new(Limits::default(), followed);
        let (connection, _) = driven.open();
        driven.send(connection, &history(ALICE)[1].frame(101));
        driven.ingest.account(ALICE, kept);
        assert_eq!(look_up_in_vain(&mut driven), 5);
        let (_, event) = driven.delivered().remove(0);
        let lost = News::Desynchronized(LostTrack::Identity);
        assert_eq!(news(&event), (&lost, Some(&kept.unwrap_or_default())));
    }
}

/// A commit in Alice's name, which nobody has seen before, and whose key cannot be looked up.
fn stranger() -> Driven {
    let mut driven = Driven::new(Limits::default(), &[]);
    let (connection, _) = driven.open();
    driven.send(connection, &history(ALICE)[1].frame(101));
    driven.ingest.account(ALICE, None);
    driven
}

#[test]
fn an_account_that_nobody_has_verified_is_neither_kept_nor_followed_when_its_key_cannot_be_had() {
    let mut driven = stranger();
    assert_eq!(look_up_in_vain(&mut driven), 5);
    let did = ALICE.to_owned();
    let notice = Notice::NoKey { did, seq: 101 };
    assert!(driven.notices().contains(&&notice));
    let connection = driven.connection();
    driven.send(connection, &frames::identity(102, ALICE, "a.example.com"));
    driven.pass(KEEP);
    assert_eq!(driven.kept().last(), Some(&Some(102)));
    assert_eq!(driven.delivered(), []);
}

#[test]
fn an_account_that_nobody_has_verified_is_tried_again_by_itself() {
    let mut driven = stranger();
    look_up_in_vain(&mut driven);
    driven.actions.clear();
    let connection = driven.connection();
    let [.., third] = history(ALICE);
    let actions = driven.send(connection, &third.frame(102));
    assert_eq!(actions, [], "the repository will have it");
    let asks = |action: &Action| {
        matches!(
            action,
            Action::ReadAccount { .. } | Action::FindIdentity { .. }
        )
    };
    let until = driven.now + Limits::default().rest;
    while !driven.actions.iter().any(asks) {
        assert!(driven.now <= until, "it is not tried again");
        driven.wait();
        driven.act();
    }
    let events = driven.run(1, Some(&third.car));
    let (News::Repository { records, .. }, Some(state)) = news(&events[0]) else {
        panic!("{events:#?}");
    };
    assert_eq!(records.len(), 2);
    assert_eq!(state.repository, Repository::Synced(third.head));
}

#[test]
fn what_a_host_says_of_an_account_that_nobody_has_verified_is_not_kept() {
    for status in [
        None,
        Some("deactivated"),
        Some("takendown"),
        Some("deleted"),
    ] {
        let mut driven = stranger();
        let connection = driven.connection();
        driven.send(connection, &frames::account(102, ALICE, status));
        look_up_in_vain(&mut driven);
        driven.act();
        assert_eq!(driven.ingest.queued().0, 0);
        assert_eq!(driven.delivered(), [], "{status:?}");
        driven.actions.clear();
        let until = driven.now + Limits::default().rest;
        while driven.now <= until {
            driven.wait();
            driven.act();
        }
        let asks = |action: &Action| matches!(action, Action::FindIdentity { .. });
        let tries = driven.actions.iter().any(asks);
        assert_eq!(tries, status.is_none(), "{status:?}");
    }
}

#[test]
fn a_repository_is_fetched_when_somebody_asks_even_while_the_account_rests() {
    let mut driven = Driven::new(Limits::default(), &[]);
    let (connection, _) = driven.open();
    let [_, second, _] = history(ALICE);
    driven.send(connection, &second.frame(101));
    driven.run(1, None);
    driven.actions.clear();
    driven.ingest.resync(ALICE).expect("there is room");
    let events = driven.run(1, Some(&second.car));
    let [
        Event::Account {
            news: News::Repository { .. },
            proof: Proof::Signature,
            ..
        },
    ] = &events[..]
    else {
        panic!("{events:#?}");
    };
}

#[test]
fn a_commit_that_does_not_follow_has_the_repository_fetched() {
    let mut driven = Driven::new(Limits::default(), &[ALICE]);
    let (connection, _) = driven.open();
    let [first, _, third] = history(ALICE);
    driven.send(connection, &first.frame(101));
    driven.run(1, None);
    driven.actions.clear();
    driven.send(connection, &third.frame(103));
    let events = driven.run(1, Some(&third.car));
    let (News::Repository { records, .. }, Some(state)) = news(&events[0]) else {
        panic!("{events:#?}");
    };
    assert_eq!(records.len(), 2);
    assert_eq!(state.repository, Repository::Synced(third.head));
}

#[test]
fn a_change_that_is_too_big_has_the_repository_fetched() {
    let mut driven = Driven::new(Limits::default(), &[ALICE]);
    let (connection, _) = driven.open();
    let [first, second, _] = history(ALICE);
    driven.send(connection, &first.frame(101));
    driven.run(1, None);
    driven.actions.clear();
    let mut body = second.body(102);
    body.retain(|(key, _)| !matches!(*key, "tooBig" | "blocks"));
    body.push(("tooBig", frames::Item::Bool(true)));
    driven.send(connection, &frame(1, Some("#commit"), body));
    let events = driven.run(1, Some(&second.car));
    assert!(matches!(news(&events[0]), (News::Repository { .. }, _)));
}

#[test]
fn a_sync_of_something_else_has_the_repository_fetched_and_of_the_same_nothing() {
    let mut driven = Driven::new(Limits::default(), &[ALICE]);
    let (connection, _) = driven.open();
    let [first, second, _] = history(ALICE);
    driven.send(connection, &first.frame(101));
    driven.run(1, None);
    driven.actions.clear();
    driven.send(connection, &first.sync(102));
    assert_eq!(driven.run(1, None), []);
    driven.send(connection, &second.sync(103));
    let events = driven.run(1, Some(&second.car));
    assert!(matches!(news(&events[0]), (News::Repository { .. }, _)));
}

#[test]
fn a_bad_record_is_refused_by_itself() {
    let mut driven = Driven::new(Limits::default(), &[ALICE]);
    let (connection, _) = driven.open();
    let [first, ..] = history(ALICE);
    driven.send(connection, &first.frame(101));
    driven.run(1, None);
    driven.actions.clear();
    let mut mixed = records(&[("com.example.a/good", 1)]);
    let other = record("com.example.b", 2);
    mixed.insert("com.example.a/bad".to_owned(), other);
    let made = make(ALICE, Some(&first), mixed, 1);
    driven.send(connection, &made.frame(102));
    let events = driven.run(1, None);
    let (News::Changes { changes, .. }, _) = news(&events[0]) else {
        panic!("{events:#?}");
    };
    let refused = |rkey: &str| {
        let change = changes.iter().find(|change| change.rkey == rkey);
        matches!(
            change.map(|change| &change.record),
            Some(Outcome::Refused { .. })
        )
    };
    assert!(refused("bad") && !refused("good"), "{changes:#?}");
}

#[test]
fn the_state_that_was_kept_tells_what_came_before_a_crash() {
    let mut driven = Driven::new(Limits::default(), &[ALICE]);
    let (connection, _) = driven.open();
    let [_, second, third] = history(ALICE);
    driven.send(connection, &second.frame(101));
    driven.send(connection, &third.frame(102));
    let kept = Account {
        repository: Repository::Synced(second.head),
        hosting: Hosting::Active,
    };
    driven.ingest.account(ALICE, Some(kept));
    let events = driven.run(1, None);
    assert_eq!(events.len(), 1, "101 is stale");
}

#[test]
fn limits_that_cannot_work_are_refused() {
    let refusal = |config: Config| {
        let ingest = Ingest::new(config, Filter::default(), &[].into(), 1);
        ingest.err()
    };
    let no_host = Config {
        hosts: Vec::new(),
        ..config(Limits::default())
    };
    assert_eq!(refusal(no_host), Some(ConfigError::NoHost));
    let small = Limits {
        max_queued_bytes: 5_000_000,
        ..Limits::default()
    };
    assert_eq!(refusal(config(small)), Some(ConfigError::QueueTooSmall));
    let zero = Limits {
        max_fetches: 0,
        ..Limits::default()
    };
    assert_eq!(refusal(config(zero)), Some(ConfigError::Zero));
}

#[test]
fn words_of_a_host_are_cut_to_a_length_that_a_log_can_take() {
    let mut driven = Driven::new(Limits::default(), &[]);
    let (connection, _) = driven.open();
    let long = "ä".repeat(100_000);
    let body = vec![("name", text(&long)), ("message", text(&long))];
    driven.send(connection, &frame(1, Some("#info"), body));
    let lengths = driven
        .notices()
        .into_iter()
        .find_map(|notice| match notice {
            Notice::Info { name, message } => Some((
                name.chars().count(),
                message
                    .as_ref()
                    .map_or(0, |message| message.chars().count()),
            )),
            _ => None,
        });
    assert_eq!(lengths, Some((300, 300)));
}

/// Alice is synced at the first of these commits.
fn synced(commits: &[Made]) -> Driven {
    let mut driven = Driven::new(Limits::default(), &[ALICE]);
    let (connection, _) = driven.open();
    driven.send(connection, &commits[0].frame(101));
    driven.run(1, None);
    driven.actions.clear();
    driven
}

fn op(action: &str, path: &str, cid: frames::Item) -> frames::Item {
    frames::Item::Map(vec![
        ("action", text(action)),
        ("path", text(path)),
        ("cid", cid),
    ])
}

/// What comes of a commit of the account that is changed on the way: it is refused, and the repository fetched.
#[track_caller]
fn check_changed(change: impl FnOnce(&mut Vec<(&'static str, frames::Item)>)) -> CommitError {
    let commits = history(ALICE);
    let mut driven = synced(&commits);
    let connection = driven.connection();
    let mut body = commits[1].body(102);
    change(&mut body);
    driven.send(connection, &frame(1, Some("#commit"), body));
    let events = driven.run(1, Some(&commits[2].car));
    let (News::Repository { rev, .. }, Some(state)) = news(&events[0]) else {
        panic!("{events:#?}");
    };
    assert_eq!(*rev, commits[2].head.rev);
    assert_eq!(state.repository, Repository::Synced(commits[2].head));
    let rejected = driven
        .notices()
        .into_iter()
        .filter_map(|notice| match notice {
            Notice::Rejected { why, seq: 102, .. } => Some(*why),
            _ => None,
        });
    let rejected: Vec<_> = rejected.collect();
    assert_eq!(rejected.len(), 1, "{rejected:?}");
    rejected[0]
}

#[test]
fn a_commit_that_is_refused_though_the_account_has_signed_it_has_the_repository_fetched() {
    let set = |body: &mut Vec<(&str, frames::Item)>, name: &str, value: frames::Item| {
        let field = body.iter_mut().find(|(key, _)| *key == name);
        field.expect("there is one").1 = value;
    };
    let ops = |list| frames::Item::List(list);
    let null = frames::Item::Null;
    let unknown = ops(vec![op("explode", "com.example.a/1", null.clone())]);
    let why = check_changed(|body| set(body, "ops", unknown));
    assert!(matches!(why, CommitError::Op { index: 0, .. }), "{why}");
    let no_path = ops(vec![op("delete", "nowhere", null.clone())]);
    let why = check_changed(|body| set(body, "ops", no_path));
    assert!(matches!(why, CommitError::Op { index: 0, .. }), "{why}");
    let many = ops(vec![op("delete", "com.example.a/1", null); 201]);
    let why = check_changed(|body| set(body, "ops", many));
    assert_eq!(why, CommitError::TooManyOps(201));
    let late = text("3zzzzzzzzzzzz");
    let why = check_changed(|body| set(body, "since", late));
    assert_eq!(why, CommitError::RevOrder);
    let other = history(ALICE)[2].head.rev.to_string();
    let why = check_changed(|body| set(body, "rev", text(&other)));
    assert_eq!(why, CommitError::Rev);
}

#[test]
fn a_commit_that_is_refused_and_has_nothing_new_changes_nothing() {
    let commits = history(ALICE);
    let mut driven = synced(&commits);
    let connection = driven.connection();
    driven.send(connection, &commits[1].frame(102));
    driven.run(1, None);
    driven.actions.clear();
    let mut body = commits[0].body(103);
    let later = commits[2].head.rev.to_string();
    body.retain(|(key, _)| *key != "rev");
    body.push(("rev", text(&later)));
    driven.send(connection, &frame(1, Some("#commit"), body));
    assert_eq!(driven.run(1, None), []);
    driven.send(connection, &commits[2].frame(104));
    let events = driven.run(1, None);
    assert!(matches!(news(&events[0]).0, News::Changes { .. }));
}

#[test]
fn a_commit_of_the_future_is_refused_until_it_is_none() {
    let commits = history(ALICE);
    let mut driven = synced(&commits);
    let connection = driven.connection();
    let future = frames::make_at(&commits[0], driven.now + Duration::from_mins(30));
    driven.send(connection, &future.frame(102));
    let events = driven.run(1, Some(&future.car));
    let (News::Desynchronized(_), Some(state)) = news(&events[0]) else {
        panic!("{events:#?}");
    };
    let at_least = Some(commits[0].head.rev);
    assert_eq!(state.repository, Repository::Desynchronized { at_least });

    let mut events = Vec::new();
    while events.is_empty() {
        driven.wait();
        driven.actions.clear();
        events = driven.run(1, Some(&future.car));
        events.retain(|event| !matches!(news(event).0, News::Desynchronized(_)));
    }
    assert!(matches!(news(&events[0]).0, News::Repository { .. }));
    assert!(driven.now >= frames::START + Duration::from_mins(25));
}

#[test]
fn what_a_relay_has_taken_down_stays_so_whatever_the_account_s_own_host_gives_out() {
    let commits = history(ALICE);
    let mut driven = synced(&commits);
    let connection = driven.connection();
    driven.send(connection, &frames::account(102, ALICE, Some("takendown")));
    driven.send(connection, &commits[2].frame(103));
    let events = driven.run(1, Some(&commits[2].car));
    let told = News::Hosting(Hosting::TakenDown);
    assert_eq!(news(&events[0]).0, &told);
    let (News::Repository { .. }, Some(state)) = news(&events[1]) else {
        panic!("{events:#?}");
    };
    assert_eq!(state.hosting, Hosting::TakenDown);

    driven.actions.clear();
    driven.send(connection, &frames::account(104, ALICE, None));
    let events = driven.run(1, None);
    assert_eq!(news(&events[0]).0, &News::Hosting(Hosting::Active));
    assert_eq!(events.len(), 1, "nothing is lost");
}

#[test]
fn what_another_relay_says_last_counts() {
    let second = "wss://second.example.com";
    let config = Config {
        hosts: vec![HOST.to_owned(), second.to_owned()],
        ..config(Limits::default())
    };
    let mut driven = Driven::with(config, &[ALICE], Some(100));
    for _ in 0..3 {
        let (connection, _) = driven.open();
        driven.send(connection, &frames::account(101, ALICE, Some("takendown")));
        driven.ingest.closed(connection, driven.now);
    }
    let (connection, url) = driven.open();
    assert!(url.starts_with(second), "{url}");
    driven.send(connection, &frames::account(7, ALICE, None));
    let events = driven.run(1, None);
    let hostings = events.iter().filter_map(|event| match event {
        Event::Account { news, .. } => Some(news),
        Event::Gap { .. } => None,
    });
    let hostings: Vec<_> = hostings.take(2).collect();
    let expect = [Hosting::TakenDown, Hosting::Active].map(News::Hosting);
    assert_eq!(hostings, expect.each_ref());
}

#[test]
fn what_was_deleted_does_not_come_back_with_what_somebody_has_kept() {
    let commits = history(ALICE);
    let mut driven = synced(&commits);
    let connection = driven.connection();
    driven.send(connection, &frames::account(102, ALICE, Some("deleted")));
    let events = driven.run(1, None);
    let state = news(&events[0]).1.copied();
    driven.actions.clear();
    driven.ingest.set_interest(ALICE, true);
    for (at, seq) in [(0, 103), (0, 104), (1, 105), (1, 106), (1, 107)] {
        driven.send(connection, &commits[at].frame(seq));
        driven.ingest.account(ALICE, state);
        assert_eq!(driven.run(1, None), [], "{seq}");
    }
    // Those that are newer than what was deleted have the host asked, once.
    let asks = |action: &&Action| matches!(action, Action::FetchRepository { .. });
    assert_eq!(driven.actions.iter().filter(asks).count(), 1);

    driven.actions.clear();
    driven.now += Duration::from_hours(48);
    let (connection, _) = driven.open();
    driven.send(connection, &commits[2].frame(108));
    let events = driven.run(1, Some(&commits[2].car));
    let (News::Repository { records, .. }, Some(state)) = news(&events[0]) else {
        panic!("{events:#?}");
    };
    assert_eq!((records.len(), state.hosting), (2, Hosting::Active));
}

#[test]
fn a_host_that_only_answers_is_left_after_a_while() {
    let mut driven = Driven::new(Limits::default(), &[]);
    let (connection, _) = driven.open();
    let opened = driven.now;
    let idle = Limits::default().idle;
    while !driven.act().contains(&Action::Disconnect { connection }) {
        assert!(driven.now < opened + idle, "it is not left");
        driven.wait();
    }
    assert_eq!(driven.now, opened + idle);
    let idle = |notice: &&Notice| {
        let why = Ended::Idle;
        matches!(notice, Notice::Disconnected { why: w, .. } if *w == why)
    };
    assert!(driven.notices().iter().any(idle));
}

#[test]
fn a_host_is_not_idle_while_nobody_listens_or_where_another_connection_would_cost_a_gap() {
    let limits = Limits {
        max_queued: 1,
        ..Limits::default()
    };
    let mut busy = Driven::new(limits, &[ALICE]);
    let (connection, _) = busy.open();
    busy.send(connection, &frames::identity(101, ALICE, "a.example.com"));
    let mut unknown = Driven::with(config(Limits::default()), &[], None);
    unknown.open();
    for driven in [&mut busy, &mut unknown] {
        let connection = driven.connection();
        for _ in 0..100 {
            driven.now += Duration::from_secs(30);
            driven.ingest.heard(connection, driven.now);
            assert!(!driven.act().contains(&Action::Disconnect { connection }));
        }
    }
}

#[test]
fn a_clock_that_is_set_back_stops_neither_time_outs_nor_cursors_nor_commits() {
    let commits = history(ALICE);
    let mut driven = Driven::new(Limits::default(), &[ALICE]);
    // The revisions are of the time at which they come.
    driven.now = frames::EPOCH;
    let (connection, _) = driven.open();
    driven.send(connection, &commits[0].frame(101));
    driven.run(1, None);
    driven.now -= Duration::from_hours(1);
    driven.send(connection, &commits[1].frame(102));
    let events = driven.run(1, None);
    assert!(matches!(news(&events[0]).0, News::Changes { .. }));
    let wake_at = driven.ingest.wake_at().expect("the cursor is to be kept");
    assert!(wake_at <= driven.now + KEEP, "by the clock as it is");
    driven.pass(KEEP);
    assert_eq!(driven.kept().last(), Some(&Some(102)));
    driven.pass(Limits::default().silence);
    assert!(driven.actions.contains(&Action::Disconnect { connection }));
    let (_, url) = driven.open();
    assert!(url.ends_with("cursor=102"), "{url}");
    assert!(driven.now < frames::EPOCH, "no hour was waited for");
}

#[test]
fn a_clock_that_is_set_forward_costs_one_connection() {
    let mut driven = Driven::new(Limits::default(), &[]);
    let (first, _) = driven.open();
    driven.send(first, &frames::unknown(105));
    driven.actions.clear();
    driven.now += Duration::from_hours(24);
    let (connection, url) = driven.open();
    assert!(url.ends_with("cursor=105"), "{url}");
    driven.send(connection, &frames::unknown(106));
    driven.wait();
    driven.act();
    let connects = |action: &&Action| matches!(action, Action::Connect { .. });
    assert_eq!(driven.actions.iter().filter(connects).count(), 1);
    driven.now -= Duration::from_hours(24);
    driven.pass(KEEP);
    assert_eq!(driven.kept().last(), Some(&Some(106)));
}
