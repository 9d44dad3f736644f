use super::{Account, CommitStep, Hosting, InvalidAccount, Link, OutdatedRepository, Repository};
use crate::frame::Frame;
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
        assert_eq!(account.commit(&link(12, 13)), CommitStep::Wait);
        assert_eq!(account.fetched(head(1)), Err(OutdatedRepository));
        account.fetched(head(13)).unwrap();
        assert_eq!(account.commit(&link(12, 13)), CommitStep::Stale);
        assert_eq!(account.commit(&link(13, 14)), CommitStep::Apply);
    }
}

#[test]
fn a_repository_that_is_older_than_a_commit_of_the_account_does_not_do() {
    let mut account = synced(2);
    account.commit(&link(3, 4));
    assert_eq!(account.fetched(head(3)), Err(OutdatedRepository));
    account.commit(&link(4, 6));
    assert_eq!(account.fetched(head(5)), Err(OutdatedRepository));
    account.lose_track(Some(rev(8)));
    assert_eq!(account.fetched(head(7)), Err(OutdatedRepository));
    account.fetched(head(8)).unwrap();
}

#[test]
fn of_an_account_that_is_new_to_us_only_its_first_commit_is_enough() {
    let mut account = Account::new();
    assert_eq!(account.commit(&link(1, 2)), CommitStep::Wait);
    assert!(account.is_lost());
    let first = Link {
        head: head(3),
        since: FIRST,
        prev_data: None,
    };
    assert_eq!(account.commit(&first), CommitStep::Wait);
    assert_eq!(Account::new().commit(&first), CommitStep::Apply);
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
    account.lose_track(None);
    account.lose_track(None);
    assert_eq!(account.fetched(head(1)), Err(OutdatedRepository));
    account.fetched(head(2)).unwrap();
}

/// What a host says of the account; nothing for `active`.
fn say(account: &mut Account, status: Option<&str>) -> Hosting {
    let mut frame = b"\xa2\x61t\x68#account\x62op\x01\xa5\x63did\x78\x20did:plc:ewvi7nxzyoun6zhxrhs64oiz\x63seq\x01\x64time\x60\x66active".to_vec();
    frame.push(if status.is_none() { 0xf5 } else { 0xf4 });
    crate::cbor::write::text("status", &mut frame);
    crate::cbor::write::text(status.unwrap_or_default(), &mut frame);
    let Ok(Frame::Account(event)) = Frame::decode(&frame) else {
        panic!("not an account");
    };
    account.status(&event)
}

/// What a status makes of an account, and what it is once its own host gives out its repository.
#[track_caller]
fn check_status(status: &str, expect: Hosting, given_out: Hosting) {
    let mut account = synced(2);
    assert_eq!(say(&mut account, Some(status)), expect, "{status}");
    assert_eq!(account.is_lost(), expect == Hosting::Deleted, "{status}");
    let mut fetched = account;
    fetched.fetched(head(3)).unwrap();
    assert_eq!(fetched.hosting, given_out, "{status}");
    assert_eq!(say(&mut account, None), Hosting::Active, "{status}");
}

#[test]
fn what_a_relay_takes_down_only_a_relay_shows_again() {
    use Hosting::{Active, Deleted, Inactive, TakenDown};
    check_status("deactivated", Inactive, Active);
    for status in ["takendown", "suspended", "frozen", ""] {
        check_status(status, TakenDown, TakenDown);
    }
    check_status("deleted", Deleted, Active);
    for status in ["desynchronized", "throttled"] {
        check_status(status, Active, Active);
    }
}

#[test]
fn the_host_of_an_account_hides_it_and_leaves_a_takedown_what_it_is() {
    let mut account = synced(2);
    account.refused();
    assert_eq!(account.hosting, Hosting::Inactive);
    assert!(account.is_lost());
    say(&mut account, Some("takendown"));
    account.refused();
    assert_eq!(account.hosting, Hosting::TakenDown);
}

#[test]
fn what_was_deleted_comes_back_with_something_newer_from_its_own_host_alone() {
    let mut account = synced(2);
    say(&mut account, Some("deleted"));
    let first = |number| Link {
        head: head(number),
        since: FIRST,
        prev_data: None,
    };
    assert_eq!(account.commit(&first(1)), CommitStep::Stale);
    assert_eq!(account.commit(&link(1, 2)), CommitStep::Stale);
    assert_eq!(account.commit(&first(3)), CommitStep::Wait);
    assert_eq!(account.fetched(head(2)), Err(OutdatedRepository));
    account.fetched(head(3)).unwrap();
    assert_eq!(account.hosting, Hosting::Active);

    let mut account = Account::new();
    say(&mut account, Some("deleted"));
    assert_eq!(account.commit(&first(1)), CommitStep::Wait);
}

#[test]
fn an_account_is_kept_as_a_short_text() {
    let mut deleted = synced(2);
    say(&mut deleted, Some("deleted"));
    let mut taken_down = synced(7);
    say(&mut taken_down, Some("takendown"));
    let mut hidden = Account::new();
    hidden.refused();
    for account in [Account::new(), synced(1), deleted, taken_down, hidden] {
        let text = account.to_string();
        assert!(text.len() < 128, "{text}");
        assert_eq!(text.parse(), Ok(account), "{text}");
        let json = serde_json::to_string(&account).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Account>(&json).unwrap(), account);
    }
    for text in [
        "",
        "active",
        "shown lost",
        "active lost 3",
        "active lost 3ke6kg3wk222b ",
        "active synced 3ke6kg3wk222b",
        "active synced 3ke6kg3wk222b bafy x",
        " active lost",
    ] {
        assert_eq!(text.parse::<Account>(), Err(InvalidAccount), "{text:?}");
    }
}
