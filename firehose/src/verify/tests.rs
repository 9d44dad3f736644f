use super::*;
use crate::car;
use crate::cbor::write;
use crate::frame::Frame;
use crate::mst::build;
use crate::{Curve, UnsignedCommit};
use k256::ecdsa::SigningKey;
use k256::ecdsa::signature::hazmat::PrehashSigner as _;
use std::collections::BTreeMap;

const DID: &str = "did:plc:ewvi7nxzyoun6zhxrhs64oiz";
const NOW: Duration = Duration::from_secs(1_700_000_000);

/// A path, the record afterwards, and the record before.
type Op = (String, Option<Cid>, Option<Cid>);
type Blocks = BTreeMap<Cid, Vec<u8>>;

/// A commit from one set of records to another, which a test makes wrong in one place.
#[derive(Clone)]
struct Event {
    from: BTreeMap<Vec<u8>, Vec<u8>>,
    to: BTreeMap<Vec<u8>, Vec<u8>>,
    rev: Tid,
    since: Option<Tid>,
    key: SigningKey,
    /// Changes the operations.
    ops: fn(&mut Vec<Op>),
    /// Changes the blocks.
    blocks: fn(&mut Blocks),
    prev_data: bool,
}

fn note(text: &str) -> Vec<u8> {
    let mut record = Vec::new();
    write::map(2, &mut record);
    write::text("text", &mut record);
    write::text(text, &mut record);
    write::text("$type", &mut record);
    write::text("com.example.note", &mut record);
    record
}

fn notes(range: std::ops::Range<u32>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    range
        .map(|number| {
            let key = format!("com.example.note/{number:05}").into_bytes();
            (key, note(&number.to_string()))
        })
        .collect()
}

fn event() -> Event {
    Event {
        from: notes(0..40),
        to: notes(2..42),
        rev: Tid::from_time(NOW),
        since: Some(Tid::from_time(Duration::from_secs(1_699_999_999))),
        key: SigningKey::from_slice(&[7; 32]).unwrap(),
        ops: |_| {},
        blocks: |_| {},
        prev_data: true,
    }
}

fn tree(records: &BTreeMap<Vec<u8>, Vec<u8>>) -> mst::NewTree {
    let cids = records
        .iter()
        .map(|(key, record)| (key.clone(), Cid::of_cbor(record)));
    build(&cids.collect())
}

impl Event {
    fn operations(&self) -> Vec<Op> {
        let keys: std::collections::BTreeSet<_> = self.from.keys().chain(self.to.keys()).collect();
        let cid = |records: &BTreeMap<Vec<u8>, Vec<u8>>, key| {
            records.get(key).map(|record| Cid::of_cbor(record))
        };
        let ops = keys.into_iter().map(|key| {
            let path = String::from_utf8(key.clone()).unwrap();
            (path, cid(&self.to, key), cid(&self.from, key))
        });
        ops.filter(|(_, to, from)| to != from).collect()
    }

    fn frame(&self) -> Vec<u8> {
        let (before, after) = (tree(&self.from), tree(&self.to));
        let unsigned = UnsignedCommit {
            did: DID,
            rev: self.rev,
            data: after.root,
            prev: None,
        };
        let digest = *Cid::of_cbor(&unsigned.to_bytes()).digest();
        let signature: k256::ecdsa::Signature = self.key.sign_prehash(&digest).unwrap();
        let commit = unsigned.signed(&signature.normalize_s().to_bytes().into());
        let cid = Cid::of_cbor(&commit);
        let mut blocks = after.blocks;
        blocks.insert(cid, commit);
        for record in self.to.values() {
            blocks.insert(Cid::of_cbor(record), record.clone());
        }
        (self.blocks)(&mut blocks);
        let mut ops = self.operations();
        (self.ops)(&mut ops);

        let mut to = b"\xa2\x61t\x67#commit\x62op\x01".to_vec();
        write::map(9 + u64::from(self.prev_data), &mut to);
        write::text("ops", &mut to);
        write::list(ops.len() as u64, &mut to);
        for (path, cid, prev) in &ops {
            write::map(3 + u64::from(prev.is_some()), &mut to);
            write::text("cid", &mut to);
            write::nullable_cid(cid.as_ref(), &mut to);
            write::text("path", &mut to);
            write::text(path, &mut to);
            if let Some(prev) = prev {
                write::text("prev", &mut to);
                write::cid(prev, &mut to);
            }
            write::text("action", &mut to);
            let action = match (cid, prev) {
                (None, _) => "delete",
                (_, None) => "create",
                _ => "update",
            };
            write::text(action, &mut to);
        }
        let text = |key: &str, value: &str, to: &mut Vec<u8>| {
            write::text(key, to);
            write::text(value, to);
        };
        text("rev", &self.rev.to_string(), &mut to);
        write::text("seq", &mut to);
        write::integer(1, &mut to);
        text("repo", DID, &mut to);
        text("time", "", &mut to);
        write::text("since", &mut to);
        match self.since {
            Some(since) => write::text(&since.to_string(), &mut to),
            None => to.push(0xf6),
        }
        let blocks = blocks.iter().map(|(cid, block)| (cid, &block[..]));
        write::text("blocks", &mut to);
        write::bytes(&car::write(&cid, blocks), &mut to);
        write::text("commit", &mut to);
        write::cid(&cid, &mut to);
        write::text("tooBig", &mut to);
        to.push(0xf4);
        if self.prev_data {
            write::text("prevData", &mut to);
            write::cid(&before.root, &mut to);
        }
        to
    }

    fn verify(&self) -> Result<Head, CommitError> {
        verify_frame(&self.frame(), |_| {})
    }
}

/// Verifies the commit of a frame, after something has been changed in it.
fn verify_frame(frame: &[u8], change: fn(&mut CommitEvent<'_>)) -> Result<Head, CommitError> {
    let Ok(Frame::Commit(mut event)) = Frame::decode(frame) else {
        panic!("not a commit");
    };
    change(&mut event);
    let point = SigningKey::from_slice(&[7; 32])
        .unwrap()
        .verifying_key()
        .to_sec1_point(true);
    let point = point.as_bytes().try_into().unwrap();
    let key = VerifyingKey::from_compressed(Curve::K256, &point).unwrap();
    let mut verifier = Verifier::new();
    let commit = verifier.verify(&event, Level::Signature(&key), NOW)?;
    assert!(
        commit
            .changes()
            .all(|change| { change.record.is_none_or(|record| record.bytes().is_ok()) })
    );
    Ok(commit.head())
}

#[track_caller]
fn check(event: &Event, expect: CommitError) {
    assert_eq!(event.verify(), Err(expect));
}

const fn op(index: usize, problem: OpProblem) -> CommitError {
    CommitError::Op { index, problem }
}

#[test]
fn commits_of_every_shape_are_verified() {
    for (from, to) in [
        (notes(0..0), notes(0..1)),
        (notes(0..1), notes(0..0)),
        (notes(0..40), notes(0..41)),
        (notes(0..400), notes(0..399)),
        (notes(0..400), notes(150..450)),
        (notes(0..3), notes(0..3)),
        (notes(0..100), notes(100..190)),
    ] {
        let count = to
            .iter()
            .filter(|(key, _)| !from.contains_key(*key))
            .count();
        let event = Event {
            from,
            to,
            ..event()
        };
        if event.operations().len() <= MAX_OPS {
            let head = event.verify().unwrap();
            assert_eq!(head.data, tree(&event.to).root, "{count}");
        } else {
            check(&event, CommitError::TooManyOps(event.operations().len()));
        }
    }
}

#[test]
fn an_operation_that_is_left_out_is_missed() {
    check(
        &Event {
            ops: |ops| drop(ops.remove(0)),
            ..event()
        },
        CommitError::PrevData,
    );
    check(
        &Event {
            ops: |ops| drop(ops.pop()),
            ..event()
        },
        CommitError::PrevData,
    );
    check(
        &Event {
            ops: Vec::clear,
            ..event()
        },
        CommitError::PrevData,
    );
}

#[test]
fn an_operation_that_is_made_up_is_found() {
    use OpProblem::{Contradiction, Duplicate, NoRecord, Path};
    // A deletion of what never was.
    let ops: fn(&mut Vec<Op>) = |ops| ops.push(("com.example.note/zz".into(), None, ops[0].2));
    check(&Event { ops, ..event() }, CommitError::PrevData);
    // A deletion of what is still there.
    let ops: fn(&mut Vec<Op>) = |ops| ops.push(("com.example.note/00030".into(), None, ops[0].2));
    check(&Event { ops, ..event() }, op(4, Contradiction));
    // A creation of what is not there, and of what is another record.
    let ops: fn(&mut Vec<Op>) = |ops| ops[3].0.push('x');
    check(&Event { ops, ..event() }, op(3, Contradiction));
    let ops: fn(&mut Vec<Op>) = |ops| ops[3].1 = ops[2].1;
    check(&Event { ops, ..event() }, op(3, Contradiction));
    // An update from what was not there.
    let ops: fn(&mut Vec<Op>) = |ops| ops[3].2 = ops[0].2;
    check(&Event { ops, ..event() }, CommitError::PrevData);
    let ops: fn(&mut Vec<Op>) = |ops| ops.push(ops[3].clone());
    check(&Event { ops, ..event() }, op(4, Duplicate));
    let ops: fn(&mut Vec<Op>) = |ops| ops[1].0 = "note/1".into();
    check(&Event { ops, ..event() }, op(1, Path));
    let ops: fn(&mut Vec<Op>) = |ops| ops[3].1 = Some(Cid::of_cbor(b"nothing"));
    check(&Event { ops, ..event() }, op(3, NoRecord));
}

#[test]
fn blocks_are_what_they_are_called() {
    let blocks: fn(&mut Blocks) = |blocks| {
        blocks.insert(Cid::of_cbor(&note("41")), note("forged"));
    };
    let verdict = Event { blocks, ..event() }.verify();
    assert!(
        matches!(verdict, Err(CommitError::Car(error)) if error.problem == car::CarProblem::Hash)
    );
    let blocks: fn(&mut Blocks) = |blocks| {
        blocks.remove(&tree(&notes(2..42)).root);
    };
    let verdict = Event { blocks, ..event() }.verify();
    assert!(
        matches!(verdict, Err(CommitError::Tree(error)) if error.problem == MstProblem::Missing)
    );
}

#[test]
fn only_the_key_of_the_account_signs() {
    let key = SigningKey::from_slice(&[8; 32]).unwrap();
    check(&Event { key, ..event() }, CommitError::Signature);
    assert_eq!(CommitError::Signature.remedy(), Remedy::RefreshIdentity);
}

#[test]
fn nothing_is_undone_before_the_signature_is_known_to_be_valid() {
    let contradiction: fn(&mut Vec<Op>) = |ops| ops[3].0.push('x');
    let key = SigningKey::from_slice(&[8; 32]).unwrap();
    check(
        &Event {
            key,
            ops: contradiction,
            ..event()
        },
        CommitError::Signature,
    );
}

#[test]
fn what_is_created_was_not_there_before() {
    let event = Event {
        from: BTreeMap::new(),
        to: BTreeMap::from([
            (b"com.example.note/a".to_vec(), note("absent")),
            (b"com.example.note/b".to_vec(), note("present")),
        ]),
        ops: |ops| ops[1].2 = ops[0].1,
        blocks: |blocks| drop(blocks.remove(&Cid::of_cbor(&note("absent")))),
        ..event()
    };
    let mut frame = event.frame();
    let place = frame.windows(6).position(|part| part == b"update");
    let place = place.expect("an operation that has a record before is an update");
    frame[place..place + 6].copy_from_slice(b"create");
    let verdict = verify_frame(&frame, |_| {});
    assert_eq!(verdict, Err(op(1, OpProblem::Cid)));
}

#[test]
fn a_change_that_is_too_big_has_a_revision_as_any_other() {
    #[track_caller]
    fn check(event: &Event, change: fn(&mut CommitEvent<'_>), expect: CommitError) {
        assert_eq!(verify_frame(&event.frame(), change), Err(expect));
    }
    let rev = Tid::from_time(NOW + Duration::from_secs(301));
    let ahead = Event { rev, ..event() };
    let too_big = |event: &mut CommitEvent<'_>| event.too_big = true;
    check(&event(), too_big, CommitError::TooBig);
    check(&ahead, too_big, CommitError::RevInFuture(rev));
    let nonsense = |event: &mut CommitEvent<'_>| (event.too_big, event.rev) = (true, "nonsense");
    check(&event(), nonsense, CommitError::RevSyntax);
}

#[test]
fn a_sync_brings_no_more_than_a_commit() {
    let blocks = vec![0; MAX_SYNC_BLOCKS_LEN + 1];
    let verify = |blocks| {
        let event = SyncEvent {
            seq: 1,
            did: DID,
            rev: "3ke6kg3wk2222",
            time: "",
            blocks,
        };
        Verifier::new().verify_sync(&event, Level::Hashes, NOW)
    };
    let (len, most) = (10_001, 10_000);
    let too_large = CommitError::BlocksTooLarge { len, most };
    assert_eq!(verify(&blocks), Err(too_large));
    assert!(matches!(verify(&blocks[1..]), Err(CommitError::Car(_))));
}

/// Whoever is no more than on the way must not be able to have repositories fetched.
#[test]
fn a_repository_is_fetched_only_on_the_word_of_its_account() {
    let key = SigningKey::from_slice(&[8; 32]).unwrap();
    check(
        &Event {
            key: key.clone(),
            ops: Vec::clear,
            ..event()
        },
        CommitError::Signature,
    );
    check(
        &Event {
            key,
            prev_data: false,
            ..event()
        },
        CommitError::Signature,
    );
    check(
        &Event {
            prev_data: false,
            ..event()
        },
        CommitError::Legacy,
    );
    assert_eq!(CommitError::Legacy.remedy(), Remedy::Resync);
}

#[test]
fn revisions_go_forward_but_not_into_the_future() {
    let rev = |seconds| Tid::from_time(NOW + Duration::from_secs(seconds));
    let soon = Event {
        rev: rev(300),
        ..event()
    };
    assert!(soon.verify().is_ok());
    check(
        &Event {
            rev: rev(301),
            ..event()
        },
        CommitError::RevInFuture(rev(301)),
    );
    let since = Some(rev(0));
    check(&Event { since, ..event() }, CommitError::RevOrder);
}

#[test]
fn the_first_commit_of_a_repository_needs_no_tree_before_it() {
    let first = Event {
        from: notes(0..0),
        to: notes(0..5),
        since: None,
        prev_data: false,
        ..event()
    };
    assert!(first.verify().is_ok());
    check(
        &Event {
            from: notes(0..1),
            ..first.clone()
        },
        CommitError::Legacy,
    );
    // Hosts of before `prevData` do not send what is beside the operations.
    check(
        &Event {
            blocks: |blocks| drop(blocks.remove(&tree(&notes(0..5)).root)),
            ..first
        },
        CommitError::Legacy,
    );
}

#[test]
fn a_record_that_another_operation_takes_away_may_be_left_out() {
    let moved = Event {
        from: BTreeMap::from([(b"com.example.note/a".to_vec(), note("same"))]),
        to: BTreeMap::from([(b"com.example.note/b".to_vec(), note("same"))]),
        blocks: |blocks| drop(blocks.remove(&Cid::of_cbor(&note("same")))),
        ..event()
    };
    let frame = moved.frame();
    let Ok(Frame::Commit(event)) = Frame::decode(&frame) else {
        panic!("not a commit");
    };
    let mut verifier = Verifier::new();
    let commit = verifier.verify(&event, Level::Operations, NOW).unwrap();
    let records: Vec<_> = commit
        .changes()
        .filter_map(|change| change.record)
        .collect();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].bytes(), Err(RecordError::LeftOut));
}

#[test]
fn a_record_is_refused_by_itself() {
    use crate::cbor::CborProblem::{DuplicateKey, Expected, Float, Trailing, Truncated};
    #[track_caller]
    fn check(block: &[u8], expect: Option<RecordError<&str>>) {
        let record = Record {
            collection: "com.example.note",
            cid: Cid::of_cbor(block),
            block: Some(block),
        };
        let read = record.read(|bytes| {
            if bytes.contains(&b'!') {
                Err("shouting")
            } else {
                Ok(())
            }
        });
        assert_eq!(read.err(), expect);
        let own_check = matches!(expect, Some(RecordError::Refused(_)));
        assert_eq!(record.bytes().is_ok(), expect.is_none() || own_check);
    }
    let problem = |problem, offset| {
        Some(RecordError::Cbor(crate::cbor::CborError {
            problem,
            offset,
        }))
    };
    check(&note("hello"), None);
    check(&note("hello!"), Some(RecordError::Refused("shouting")));
    check(b"", problem(Truncated, 0));
    check(b"\x80", problem(Expected("a map"), 0));
    check(b"\xa0", Some(RecordError::Type));
    check(b"\xa1\x65$type\x6dcom.example.a", Some(RecordError::Type));
    check(
        &[&note("a")[..], b"\0"].concat(),
        problem(Trailing, note("a").len()),
    );
    check(b"\xa1\x61a\xfb\0\0\0\0\0\0\0\0", problem(Float, 3));
    check(b"\xa2\x61a\x00\x61a\x00", problem(DuplicateKey, 4));
}
