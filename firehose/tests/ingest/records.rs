//! What records may take, and what paths of the same record share.

use std::sync::Arc;

use huddle_firehose::RecordError;
use huddle_firehose::ingest::{
    Change, Limits, LostTrack, MAX_RECORD_LEN, News, Outcome, RecordProblem, RepositoryError,
};

use crate::driven::{ALICE, BOB, Driven, news};
use crate::frames::{self, Records, make, text};

/// Many paths, all with the same record.
fn same_record(paths: usize, record: &[u8]) -> Records {
    let path = |number| format!("com.example.a/{number}");
    (0..paths).map(|at| (path(at), record.to_vec())).collect()
}

/// A record that takes a little more than so many bytes.
fn padded(bytes: usize) -> Vec<u8> {
    let fields = vec![
        ("$type", text("com.example.a")),
        ("padding", frames::Item::Bytes(vec![0; bytes])),
    ];
    frames::Item::Map(fields).to_bytes()
}

#[track_caller]
fn check_shared(changes: &[Change]) {
    let bytes = changes.iter().map(|change| match &change.record {
        Outcome::Record { bytes, .. } => bytes,
        other => panic!("{other:?}"),
    });
    let bytes: Vec<_> = bytes.collect();
    assert_eq!(bytes.len(), 50);
    assert!(bytes.iter().all(|other| Arc::ptr_eq(bytes[0], other)));
}

#[test]
fn paths_of_one_record_share_its_bytes() {
    let mut driven = Driven::new(Limits::default(), &[ALICE]);
    let (connection, _) = driven.open();
    let first = make(ALICE, None, Records::new(), 1);
    driven.send(connection, &first.frame(101));
    driven.run(1, None);
    driven.actions.clear();
    let made = make(ALICE, Some(&first), same_record(50, &padded(1000)), 1);
    driven.send(connection, &made.frame(102));
    driven.ingest.resync(BOB).expect("there is room");
    let of_bob = make(BOB, None, made.records.clone(), 1);
    let events = driven.run(1, Some(&of_bob.car));
    let [
        News::Changes { changes, .. },
        News::Repository { records, .. },
    ] = [news(&events[0]).0, news(&events[1]).0]
    else {
        panic!("{events:#?}");
    };
    check_shared(changes);
    check_shared(records);
}

#[test]
fn a_record_of_more_than_a_mebibyte_is_refused_by_itself() {
    let mut driven = Driven::new(Limits::default(), &[]);
    let mut mixed = same_record(1, &padded(MAX_RECORD_LEN));
    let fits = padded(MAX_RECORD_LEN - 100);
    mixed.insert("com.example.a/fits".to_owned(), fits);
    driven.ingest.resync(ALICE).expect("there is room");
    let made = make(ALICE, None, mixed, 1);
    let events = driven.run(1, Some(&made.car));
    let News::Repository { records, .. } = news(&events[0]).0 else {
        panic!("{events:#?}");
    };
    let Outcome::Refused { why, .. } = &records[0].record else {
        panic!("it is taken");
    };
    let too_large = RecordError::Refused(RecordProblem::TooLarge(padded(MAX_RECORD_LEN).len()));
    assert_eq!(*why, too_large);
    assert!(matches!(records[1].record, Outcome::Record { .. }));
}

#[test]
fn a_repository_whose_records_take_more_than_the_limit_is_refused() {
    let limits = Limits {
        max_repository_bytes: 10_000,
        max_attempts: 1,
        ..Limits::default()
    };
    let fetched = |records: Records| {
        let mut driven = Driven::new(limits.clone(), &[]);
        driven.ingest.resync(ALICE).expect("there is room");
        let events = driven.run(1, Some(&make(ALICE, None, records, 1).car));
        news(&events[0]).0.clone()
    };
    let too_large = News::Desynchronized(LostTrack::Refused(RepositoryError::TooLarge(10_000)));
    assert_eq!(fetched(same_record(1, &padded(10_000))), too_large);
    assert_eq!(
        fetched(same_record(1000, &padded(1))),
        too_large,
        "the paths count"
    );
    let fits = fetched(same_record(20, &padded(5000)));
    assert!(
        matches!(fits, News::Repository { .. }),
        "they are one record"
    );
}
