//! What a driver holds while a host sends what takes much.

use std::hint::black_box;

use huddle_firehose::car::write;
use huddle_firehose::ingest::{Action, Limits, MIN_QUEUED_BYTES};
use huddle_firehose::{Cid, MAX_OPS, Tid, mst};

use crate::driven::{Driven, identity};
use crate::frames::{self, Item, Records, make, signed};
use crate::{check, unfolding_nodes};

/// How many times what may wait a driver holds at most, with all that it has delivered.
const OF_QUEUED: usize = 2;

/// What a driver holds at most while a host sends these, and nothing that is delivered is ever taken over.
#[track_caller]
fn check_driver(class: &str, accounts: &[String], is_answered: bool, frames: &[Vec<u8>]) {
    let limits = Limits {
        max_queued_bytes: MIN_QUEUED_BYTES * 2,
        max_queued: 4000,
        ..Limits::default()
    };
    let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
    let mut sent = 0;
    let measured = allocation_counter::measure(|| {
        let mut driven = Driven::new(limits.clone(), &accounts);
        let (connection, _) = driven.open();
        while let Some(frame) = frames.get(sent).filter(|_| driven.ingest.wants_frames()) {
            sent += 1;
            let Ok(()) = driven.ingest.frame(connection, frame, driven.now) else {
                break;
            };
            if is_answered {
                answer(&mut driven);
            }
        }
        driven.act();
        black_box(driven);
    });
    let (peak, most) = (measured.bytes_max, limits.max_queued_bytes);
    println!("{class}: {peak} bytes at most, of which {most} may wait, after {sent} frames");
    assert!(peak <= (OF_QUEUED * most) as u64, "{class}: {peak} bytes");
    // Frames that are not of interest leave nothing behind, and all others stop it.
    assert!(
        sent < frames.len() || accounts.is_empty(),
        "{class}: all {sent} frames"
    );
}

/// Says that nothing is known of an account, and what its key is.
fn answer(driven: &mut Driven) {
    loop {
        let asked: Vec<_> = driven.act().to_vec();
        if asked.is_empty() {
            return;
        }
        for action in asked {
            match action {
                Action::ReadAccount { did } => driven.ingest.account(&did, None),
                Action::FindIdentity { did } => {
                    driven.ingest.identity(&did, Ok(identity(1)), driven.now);
                }
                _ => {}
            }
        }
    }
}

fn dids(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("did:web:a{number}.example.com"))
        .collect()
}

/// An identity event with so much in it that nobody reads.
fn padded(seq: i64, did: &str, bytes: usize) -> Vec<u8> {
    let body = vec![
        ("seq", Item::Int(seq)),
        ("did", frames::text(did)),
        ("time", frames::text("")),
        ("padding", Item::Bytes(vec![0; bytes])),
    ];
    frames::frame(1, Some("#identity"), body)
}

/// The first commit of an account: so many records.
fn first_commit(seq: i64, did: &str, records: usize, bytes: usize) -> Vec<u8> {
    let record = |number: usize| {
        let padding = Item::Bytes([number.to_le_bytes().to_vec(), vec![0; bytes]].concat());
        Item::Map(vec![
            ("$type", frames::text("com.example.a")),
            ("padding", padding),
        ])
        .to_bytes()
    };
    let path = |number| format!("com.example.a/{number}");
    let records: Records = (0..records)
        .map(|number| (path(number), record(number)))
        .collect();
    make(did, None, records, 1).frame(seq)
}

#[test]
fn a_driver_holds_little_more_than_what_may_wait_whatever_a_host_sends() {
    let stream = |dids: &[String], made: &dyn Fn(i64, &str) -> Vec<u8>| -> Vec<Vec<u8>> {
        (101..).zip(dids).map(|(seq, did)| made(seq, did)).collect()
    };
    let one: Vec<String> = std::iter::repeat_n(dids(1).remove(0), 5000).collect();
    let (some, many) = (dids(40), dids(5000));
    let small = |seq, did: &str| frames::identity(seq, did, "a.example.com");
    check_driver(
        "small frames of one account",
        &one,
        false,
        &stream(&one, &small),
    );
    check_driver(
        "small frames of many accounts",
        &many,
        false,
        &stream(&many, &small),
    );
    let large = |seq, did: &str| padded(seq, did, 1_000_000);
    check_driver(
        "large frames of one account",
        &some,
        false,
        &stream(&one[..40], &large),
    );
    check_driver(
        "large frames of many accounts",
        &some,
        false,
        &stream(&some, &large),
    );
    check_driver(
        "large frames of nobody's",
        &[],
        false,
        &stream(&some, &large),
    );
    let records = |seq, did: &str| first_commit(seq, did, MAX_OPS, 9_000);
    let few = dids(12);
    let commits = stream(&few, &records);
    check_driver("commits of records", &few, true, &commits);
    check_driver("commits that wait", &few, false, &commits);
    let tiny = |seq, did: &str| first_commit(seq, did, MAX_OPS, 0);
    let more = dids(350);
    check_driver(
        "commits of tiny records",
        &more,
        true,
        &stream(&more, &tiny),
    );
    let words = "\u{1f575}".repeat(1000);
    let info = frames::frame(
        1,
        Some("#info"),
        vec![
            ("name", frames::text(&words)),
            ("message", frames::text(&words)),
        ],
    );
    check_driver("words of the host", &[], false, &vec![info; 5000]);
    check_driver("garbage", &[], false, &vec![vec![0xff; 1000]; 5000]);
}

#[test]
fn a_driver_holds_a_repository_in_a_multiple_of_its_length() {
    #[track_caller]
    fn check_repository(class: &str, root: Cid, blocks: &[(Cid, Vec<u8>)]) {
        let did = dids(1).remove(0);
        let block = signed(&did, Tid::from_time(frames::EPOCH), root, 1);
        let commit = Cid::of_cbor(&block);
        let blocks = blocks.iter().map(|(cid, block)| (cid, &block[..]));
        let car = write(&commit, [(&commit, &block[..])].into_iter().chain(blocks));
        check(class, std::slice::from_ref(&car), |car| {
            let mut driven = Driven::new(Limits::default(), &[]);
            driven.open();
            driven.ingest.resync(&did).unwrap();
            answer(&mut driven);
            driven.ingest.repository(&did, Ok(car), driven.now);
            let is_delivered = |action: &Action| matches!(action, Action::Deliver { .. });
            assert!(driven.act().iter().any(is_delivered), "it is not delivered");
        });
    }
    let blocks = unfolding_nodes();
    let (root, _) = *blocks.last().unwrap();
    check_repository("a repository whose nodes all unfold", root, &blocks);
    let record = frames::record("com.example.a", 1);
    let cid = Cid::of_cbor(&record);
    let keys = (0..40_000).map(|number| format!("com.example.a/{number}").into_bytes());
    let tree = mst::build(&keys.map(|key| (key, cid)).collect());
    let mut blocks: Vec<_> = tree.blocks.into_iter().collect();
    blocks.push((cid, record));
    check_repository("a repository of one record, many times", tree.root, &blocks);
}
