//! What the library allocates: nothing for what is passed over, and no more than it should for anything.

#[path = "../examples/support/input.rs"]
#[expect(dead_code, reason = "the keys are for others")]
mod input;

use huddle_firehose::car::{Car, write};
use huddle_firehose::mst::{MstProblem, Operation};
use huddle_firehose::{Cid, Filter, Frame, Level, Verifier, mst};
use huddle_testdata::shared;
use std::time::Duration;

/// After every revision in any file.
const NOW: Duration = Duration::from_secs(10_000_000_000);

fn corpus() -> Vec<Vec<u8>> {
    let folder = shared("firehose/corpus");
    folder.map_or_else(Vec::new, |folder| {
        input::frames(&folder.join("frames.bin")).expect("the frames can be read")
    })
}

#[test]
fn decoding_a_frame_allocates_nothing() {
    let frames = corpus();
    let measured = allocation_counter::measure(|| {
        for frame in &frames {
            std::hint::black_box(Frame::decode(frame).unwrap());
        }
    });
    assert_eq!(measured.count_total, 0);
}

#[test]
fn filtering_and_hashing_what_is_wanted_allocates_nothing_once_warm() {
    let frames = corpus();
    let filter = Filter::new(["com.huddle."]);
    let mut verifier = Verifier::new();
    let mut pass = || {
        for frame in &frames {
            if let Frame::Commit(event) = Frame::decode(frame).unwrap()
                && filter.wants(&event)
            {
                let commit = verifier.verify(&event, Level::Hashes, NOW).unwrap();
                assert!(commit.changes().len() > 0);
            }
        }
    };
    pass();
    assert_eq!(allocation_counter::measure(pass).count_total, 0);
}

/// A node of nothing but keys that share all they can: the most that a few bytes can unfold to.
fn unfolding_node(entries: u16) -> Vec<u8> {
    let start = [b'a'; 827];
    let keys = (0..u32::MAX).map(|number| [&start[..], &number.to_be_bytes()[1..]].concat());
    let mut keys = keys
        .filter(|key| mst::height(key) == 0)
        .take(entries.into());
    let mut node = vec![0xa2, 0x61, b'e', 0x99];
    node.extend_from_slice(&entries.to_be_bytes());
    let record = Cid::of_cbor(b"\xa0").to_bytes();
    let mut last = Vec::new();
    for key in &mut keys {
        let shared = key.iter().zip(&last).take_while(|(a, b)| a == b).count();
        let rest = &key[shared..];
        node.extend_from_slice(b"\xa4\x61k");
        match u8::try_from(rest.len()) {
            Ok(len @ ..24) => node.push(0x40 | len),
            _ => node.extend_from_slice(&[0x59, 0x03, 0x3e]),
        }
        node.extend_from_slice(rest);
        node.extend_from_slice(b"\x61p");
        match u16::try_from(shared).expect("a key is short") {
            0 => node.push(0),
            shared => {
                node.push(0x19);
                node.extend_from_slice(&shared.to_be_bytes());
            }
        }
        node.extend_from_slice(b"\x61t\xf6\x61v\xd8\x2a\x58\x25\x00");
        node.extend_from_slice(&record);
        last = key;
    }
    node.extend_from_slice(b"\x61l\xf6");
    node
}

#[test]
fn a_tree_unfolds_to_a_bounded_size() {
    #[track_caller]
    fn check(entries: u16, expect: Option<MstProblem>) {
        let node = unfolding_node(entries);
        let root = Cid::of_cbor(&node);
        let car = write(&root, [(&root, &node[..])]);
        let measured = allocation_counter::measure(|| {
            let car = Car::read(&car).unwrap();
            let found = mst::find(&car, root, b"b");
            assert_eq!(found.err().map(|error| error.problem), expect);
        });
        assert!(measured.bytes_max < 12 << 20, "{}", measured.bytes_max);
    }
    check(5_000, None);
    check(5_100, Some(MstProblem::TooLarge));
}

/// Each key that goes joins what is before it with what is after it: a few short nodes after a long one.
#[test]
fn a_long_node_is_not_copied_for_each_key_that_goes() {
    let long = (0..).map(|number| format!("a/{number:06}").into_bytes());
    let long = long.filter(|key| mst::height(key) == 0).take(20_000);
    let keys = (0..).map(|number| format!("b/{number:06}").into_bytes());
    let tall = keys.clone().filter(|key| mst::height(key) == 1).take(200);
    let tall: Vec<_> = tall.collect();
    let between = keys.filter(|key| mst::height(key) == 0);
    let between = between.take_while(|key| Some(key) < tall.last());
    let record = Cid::of_cbor(b"\xa0");
    let records = long.chain(between).chain(tall.iter().cloned());
    let tree = mst::build(&records.map(|key| (key, record)).collect());
    let goes = |key: &Vec<u8>| (key.clone(), Operation::Remove(record));
    let operations = tall.iter().map(goes).collect();
    let measured = allocation_counter::measure(|| {
        mst::apply(&tree.blocks, tree.root, &operations).unwrap();
    });
    assert!(measured.bytes_max < 32 << 20, "{}", measured.bytes_max);
}
