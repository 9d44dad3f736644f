use super::{Account, CommitStep, Hosting, Link, OutdatedRepository, Repository};
use crate::frame::{AccountEvent, Frame};
use crate::verify::Head;
use crate::{Cid, Tid};
use std::time::Duration;

fn rev(number: u64) -> Tid {
    Tid::from_time(Duration::from_micros(number))
}

fn head(number: u8) -> Head {
    Head {
        rev: rev(number.into()),
        data: Cid::of_cbor(&[number]),
    }
}

/// A commit from one state to another.
fn link(from: u8, to: u8) -> Link {
    Link {
        head: head(to),
        since: Some(head(from).rev),
        prev_data: Some(head(from).data),
    }
}

const FIRST: Option<Tid> = None;

fn synced(number: u8) -> Account {
    let mut account = Account::new();
    account.fetched(head(number)).unwrap();
    account
}

#[test]
fn a_chain_of_commits_is_applied_once() {
    let mut account = Account::new();
    let first = Link {
        head: head(1),
        since: FIRST,
        prev_data: None,
    };
    assert_eq!(account.commit(&first), CommitStep::Apply);
    assert_eq!(account.commit(&link(1, 2)), CommitStep::Apply);
    assert_eq!(account.commit(&link(1, 2)), CommitStep::Stale);
    assert_eq!(account.commit(&first), CommitStep::Stale);
    assert_eq!(account.commit(&link(2, 3)), CommitStep::Apply);
    assert_eq!(account.repository, Repository::Synced(head(3)));
}

#[test]
fn a_commit_that_does_not_follow_waits_for_the_repository() {
    for wrong in [
        link(3, 4),
        Link {
            since: Some(rev(9)),
            ..link(2, 12)
        },
        Link {
            prev_data: None,
            ..link(2, 4)
        },
        Link {
            prev_data: Some(Cid::of_cbor(b"")),
            ..link(2, 4)
        },
    ] {
        let mut account = synced(2);
        assert_eq!(account.commit(&wrong), CommitStep::Resync);
        assert_eq!(account.commit(&link(4, 5)), CommitStep::Wait);
        assert_eq!(account.fetched(head(1)), Err(OutdatedRepository));
        account.fetched(head(4)).unwrap();
        assert_eq!(account.commit(&link(3, 4)), CommitStep::Stale);
        assert_eq!(account.commit(&link(4, 5)), CommitStep::Apply);
    }
}

#[test]
fn of_an_account_that_is_new_to_us_only_its_first_commit_is_enough() {
    let mut account = Account::new();
    assert_eq!(account.commit(&link(1, 2)), CommitStep::Wait);
    assert_eq!(
        account.repository,
        Repository::Desynchronized { at_least: None }
    );
}

#[test]
fn a_sync_is_a_reason_to_fetch_unless_it_is_known() {
    #[track_caller]
    fn check(head: Head, expect: bool) {
        assert_eq!(synced(2).sync(head), expect);
    }
    check(head(2), false);
    check(head(1), false);
    check(head(3), true);
    check(
        Head {
            data: Cid::of_cbor(b""),
            ..head(2)
        },
        true,
    );
    let mut account = synced(2);
    account.sync(head(4));
    assert_eq!(account.fetched(head(3)), Err(OutdatedRepository));
    account.fetched(head(4)).unwrap();
}

#[test]
fn what_is_lost_is_at_least_as_new_as_what_was_held() {
    let mut account = synced(2);
    account.lose_track();
    account.lose_track();
    assert_eq!(account.fetched(head(1)), Err(OutdatedRepository));
    assert_eq!(account.commit(&link(2, 3)), CommitStep::Wait);
    account.fetched(head(2)).unwrap();
}

#[test]
fn a_status_hides_and_a_deletion_forgets() {
    #[track_caller]
    fn check(active: bool, status: &str, expect: Hosting) {
        let mut frame = b"\xa2\x61t\x68#account\x62op\x01\xa5\x63did\x78\x20did:plc:ewvi7nxzyoun6zhxrhs64oiz\x63seq\x01\x64time\x60\x66active".to_vec();
        frame.push(if active { 0xf5 } else { 0xf4 });
        crate::cbor::write::text("status", &mut frame);
        crate::cbor::write::text(status, &mut frame);
        let Ok(Frame::Account(event)) = Frame::decode(&frame) else {
            panic!("not an account");
        };
        let event: AccountEvent<'_> = event;
        let mut account = synced(2);
        assert_eq!(account.status(&event), expect);
        let is_kept = account.repository == Repository::Synced(head(2));
        assert_eq!(is_kept, expect != Hosting::Deleted);
    }
    check(true, "", Hosting::Active);
    check(true, "deleted", Hosting::Active);
    for status in ["takendown", "suspended", "deactivated", "frozen"] {
        check(false, status, Hosting::Inactive);
    }
    check(false, "deleted", Hosting::Deleted);
    check(false, "desynchronized", Hosting::Active);
    check(false, "throttled", Hosting::Active);
}
