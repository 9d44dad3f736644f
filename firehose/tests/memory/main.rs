//! What the library holds at most while it reads something: inputs of up to five megabytes, made to make it hold much.
//!
//! A line is printed for each of them (`cargo nextest run -p huddle-firehose --test memory --no-capture`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "the measurements")]

mod compressed;
#[path = "../ingest/driven.rs"]
#[expect(dead_code, reason = "here nobody looks at what comes of it")]
mod driven;
mod driver;
mod edits;
#[path = "../ingest/frames.rs"]
#[expect(dead_code, reason = "only some kinds of frames are large")]
mod frames;
#[path = "../../examples/support/input.rs"]
#[expect(dead_code, reason = "the keys are for others")]
mod input;
#[path = "../ingest/messages.rs"]
#[expect(dead_code, reason = "what the messages come to is for others")]
mod messages;

use huddle_firehose::car::{Car, write};
use huddle_firehose::frame::MAX_FRAME_LEN;
use huddle_firehose::mst::{self, Cursor, MstProblem, Operation};
use huddle_firehose::{
    Cid, Filter, Frame, Level, MAX_BLOCKS_LEN, MAX_OPS, UnsignedCommit, Verifier, VerifyingKey,
    jetstream,
};
use huddle_testdata::shared;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

/// After every revision in any file.
const NOW: Duration = Duration::from_secs(10_000_000_000);

/// How many times its length is held of an input at most, as the documentation of the crate promises.
const OF_FRAME: usize = 48;
const OF_JSON: usize = 32;
/// What may be held besides: for an input that is next to nothing.
const LITTLE: usize = 64 << 10;

/// Reads each input, and prints what is held at most.
#[track_caller]
fn check(class: &str, inputs: &[Vec<u8>], read: impl Fn(&[u8])) {
    check_times(OF_FRAME, class, inputs, read);
}

#[track_caller]
fn check_times(times: usize, class: &str, inputs: &[Vec<u8>], read: impl Fn(&[u8])) {
    let mut most = (0, 0);
    for input in inputs {
        let len = input.len();
        assert!(len <= MAX_FRAME_LEN, "{class}");
        let peak = allocation_counter::measure(|| read(input)).bytes_max;
        assert!(
            peak <= (times * len + LITTLE) as u64,
            "{class}: {peak} bytes for {len}"
        );
        most = most.max((peak, len));
    }
    let (peak, len) = most;
    println!("{class}: {peak} bytes at most, for an input of {len}");
}

/// Verifies a frame at each level, and reads what it brings.
fn judge(frame: &[u8]) {
    let key = "did:key:zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc";
    let key = VerifyingKey::from_did_key(key).unwrap();
    let levels = [
        Level::Blocks,
        Level::Hashes,
        Level::Operations,
        Level::Signature(&key),
    ];
    let mut verifier = Verifier::new();
    for level in levels {
        match Frame::decode(frame) {
            Ok(Frame::Commit(event)) => {
                let Ok(commit) = verifier.verify(&event, level, NOW) else {
                    continue;
                };
                let records = commit.changes().filter_map(|change| change.record);
                records.for_each(|record| _ = black_box(record.bytes()));
            }
            Ok(Frame::Sync(event)) => drop(black_box(verifier.verify_sync(&event, level, NOW))),
            other => drop(black_box(other)),
        }
    }
}

/// Hashes a CAR, and walks over the tree of its root.
fn walk(car: &[u8]) {
    let Ok(car) = Car::read(car) else { return };
    let Ok(mut cursor) = Cursor::new(&car, car.root()) else {
        return;
    };
    while let Ok(Some(leaf)) = cursor.next_leaf() {
        black_box(leaf);
    }
}

/// An item's head, in its shortest form.
fn head(kind: u8, number: usize, to: &mut Vec<u8>) {
    let bytes = (number as u64).to_be_bytes();
    let (short, kept) = match number {
        0..24 => (bytes[7], 0),
        24..0x100 => (24, 1),
        0x100..0x1_0000 => (25, 2),
        _ => (26, 4),
    };
    to.push(kind << 5 | short);
    to.extend_from_slice(&bytes[8 - kept..]);
}

const BYTES: u8 = 2;
const TEXT: u8 = 3;
const LIST: u8 = 4;

fn text(text: &str, to: &mut Vec<u8>) {
    head(TEXT, text.len(), to);
    to.extend_from_slice(text.as_bytes());
}

fn link(cid: &Cid, to: &mut Vec<u8>) {
    to.extend_from_slice(&[0xd8, 42, 0x58, 37, 0]);
    to.extend_from_slice(&cid.to_bytes());
}

const DID: &str = "did:plc:ewvi7nxzyoun6zhxrhs64oiz";
const REV: &str = "3ke6kg3wk222b";

/// A block of a repository whose tree has this root.
fn commit(data: Cid) -> (Cid, Vec<u8>) {
    let rev = REV.parse().unwrap();
    let unsigned = UnsignedCommit {
        did: DID,
        rev,
        data,
        prev: None,
    };
    let block = unsigned.signed(&[7; 64]);
    (Cid::of_cbor(&block), block)
}

/// An event of a commit that creates records at these paths.
fn event(
    paths: impl ExactSizeIterator<Item = String>,
    record: &Cid,
    data: Cid,
    blocks: &[(Cid, Vec<u8>)],
) -> Vec<u8> {
    let (root, block) = commit(data);
    let blocks = blocks.iter().map(|(cid, block)| (cid, &block[..]));
    let car = write(&root, [(&root, &block[..])].into_iter().chain(blocks));
    let mut to = b"\xa2\x61t\x67#commit\x62op\x01\xa8\x63ops".to_vec();
    head(LIST, paths.len(), &mut to);
    for path in paths {
        to.extend_from_slice(b"\xa3\x63cid");
        link(record, &mut to);
        to.extend_from_slice(b"\x64path");
        text(&path, &mut to);
        to.extend_from_slice(b"\x66action\x66create");
    }
    for (key, value) in [("rev", REV), ("repo", DID), ("time", "now")] {
        if key == "repo" {
            to.extend_from_slice(b"\x63seq\x01");
        }
        text(key, &mut to);
        text(value, &mut to);
    }
    text("blocks", &mut to);
    head(BYTES, car.len(), &mut to);
    to.extend_from_slice(&car);
    text("commit", &mut to);
    link(&root, &mut to);
    text("prevData", &mut to);
    link(&data, &mut to);
    to
}

/// Sections that are hardly more than a CID.
fn small_blocks(len: usize) -> Vec<u8> {
    let empty = Cid::of_cbor(b"");
    write(&empty, (0..(len - 100) / 37).map(|_| (&empty, &b""[..])))
}

#[test]
fn a_car_of_small_blocks_is_held_in_a_few_times_its_length() {
    check(
        "a CAR of empty blocks",
        &[small_blocks(MAX_FRAME_LEN)],
        walk,
    );
    let large = vec![0; MAX_FRAME_LEN - 200];
    let cid = Cid::of_cbor(&large);
    check(
        "a CAR of one block",
        &[write(&cid, [(&cid, &large[..])])],
        walk,
    );
    let empty = Cid::of_cbor(b"");
    let blocks = vec![(empty, Vec::new()); (MAX_BLOCKS_LEN - 1000) / 37];
    let frame = event(
        [String::from("com.example.a/b")].into_iter(),
        &empty,
        empty,
        &blocks,
    );
    check("a commit of empty blocks", &[frame], judge);
}

#[test]
fn lengths_that_are_only_claimed_are_not_held() {
    let mut frames = Vec::new();
    for kind in 2..=5_u8 {
        for len in [4_u64, 16, 1 << 20, 1 << 32, i64::MAX as u64, u64::MAX] {
            let mut item = vec![(kind << 5) + 27];
            item.extend_from_slice(&len.to_be_bytes());
            for start in [
                &b""[..],
                b"\xa2\x61t\x67#commit\x62op\x01",
                b"\xa1\x62op\x02",
            ] {
                for key in [&b""[..], b"\xa1\x63ops", b"\xa1\x66blocks", b"\xa1\x61?"] {
                    frames.push([start, key, &item].concat());
                }
            }
        }
    }
    check("frames that claim lengths", &frames, judge);
    let cars = [
        [&[0xff; 8][..], &[0x7f]].concat(),
        [&small_blocks(1000)[..], &[0xff, 0xff, 0xff, 0x7f]].concat(),
    ];
    check("CARs that claim lengths", &cars, walk);
}

#[test]
fn what_is_deep_or_long_in_a_frame_is_not_held() {
    let nested = |start: &[u8], item: u8| {
        let mut frame = start.to_vec();
        frame.resize(MAX_FRAME_LEN, item);
        frame
    };
    let starts: [&[u8]; 3] = [
        b"",
        b"\xa1\x62op\x02",
        b"\xa2\x61t\x67#commit\x62op\x01\xa1\x61?",
    ];
    let frames = starts.map(|start| nested(start, 0x81));
    check("lists in lists", &frames, judge);
    let frames = starts.map(|start| nested(start, 0xa1));
    check("maps in maps", &frames, judge);
    let mut zeros = vec![0xa1, 0x62, b'o', b'p', 2];
    head(LIST, MAX_FRAME_LEN - 10, &mut zeros);
    zeros.resize(MAX_FRAME_LEN, 0);
    check("a list of zeros", &[zeros], judge);
}

#[test]
fn operations_are_not_held_before_their_number_is_known() {
    let record = Cid::of_cbor(b"\xa0");
    let paths = |count: usize| (0..count).map(|number| format!("com.example.a/{number:08}"));
    let frame = event(paths(50_000), &record, record, &[]);
    check("five megabytes of operations", &[frame], judge);
    let tree: BTreeMap<_, _> = paths(20_000)
        .map(|path| (path.into_bytes(), record))
        .collect();
    let tree = mst::build(&tree);
    let mut blocks: Vec<_> = tree.blocks.into_iter().collect();
    blocks.push((record, b"\xa0".to_vec()));
    let frame = event(paths(MAX_OPS), &record, tree.root, &blocks);
    assert!(frame.len() > MAX_BLOCKS_LEN / 2);
    check("as many operations as there may be", &[frame], judge);
}

#[test]
fn a_tree_is_held_only_as_far_as_it_is_walked() {
    let record = Cid::of_cbor(b"\xa0");
    let keys = |count: u32| (0..count).map(|number| format!("{number:08}").into_bytes());
    let car = |tree: &mst::NewTree| {
        write(
            &tree.root,
            tree.blocks.iter().map(|(cid, block)| (cid, &block[..])),
        )
    };
    let tree = mst::build(&keys(50_000).map(|key| (key, record)).collect());
    check("a tree of many nodes", &[car(&tree)], walk);
    let low = keys(u32::MAX)
        .filter(|key| mst::height(key) == 0)
        .take(80_000);
    let tree = mst::build(&low.map(|key| (key, record)).collect());
    assert_eq!(tree.blocks.len(), 1);
    check("a tree of one node", &[car(&tree)], walk);
}

#[test]
fn messages_of_a_jetstream_are_held_as_the_values_that_they_are() {
    let message = |start: &str, item: &str, end: &str| {
        let count = (jetstream::MAX_MESSAGE_LEN - start.len() - end.len()) / item.len();
        format!("{start}{}{end}", item.repeat(count)).into_bytes()
    };
    let start = r#"{"did":"did:plc:ewvi7nxzyoun6zhxrhs64oiz","time_us":1,"kind":"commit","commit":{"rev":"3ke6kg3wk222b","operation":"create","collection":"com.example.a","rkey":"b","cid":"bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua","record":{"a":[0"#;
    let messages = [
        message(start, ",0", "]}}}"),
        message(start, ",[]", "]}}}"),
        message(start, ",{}", "]}}}"),
        message(start, ",{\"\":0}", "]}}}"),
        message(start, ",[0]", "]}}}"),
        message(start, ",[", "]}}}"),
        message(start, ",\"\"", "]}}}"),
    ];
    check_times(OF_JSON, "messages of a Jetstream", &messages, |message| {
        drop(black_box(jetstream::decode(message)));
    });
}

#[test]
fn an_account_that_is_followed_takes_some_hundred_bytes() {
    for count in [1_000, 28_673, 100_000_u64] {
        let measured = allocation_counter::measure(|| {
            let mut filter = Filter::new(["com.example."]);
            for number in 0..count {
                filter.add_account(&format!("did:plc:{number:024}"));
            }
            black_box(filter);
        });
        let each = measured.bytes_max / count;
        println!("a filter of {count} accounts: {each} bytes each at most");
        assert!((32..=100).contains(&each), "{each} bytes");
    }
}

#[test]
fn frames_of_the_wild_and_hostile_ones_are_held_in_little() {
    // Of the corpus many are much like each other, and all take a while without optimisation.
    for (name, step) in [("corpus", 64), ("cases", 1)] {
        let Some(folder) = shared(&format!("firehose/{name}")) else {
            return;
        };
        let frames = input::frames(&folder.join("frames.bin")).unwrap();
        let frames = frames.into_iter().step_by(step);
        let frames: Vec<_> = frames
            .filter(|frame| frame.len() <= MAX_FRAME_LEN)
            .collect();
        check(name, &frames, judge);
    }
}

/// A node of nothing but keys that share all they can, at one height: the most that a few bytes can unfold to. They are
/// all below `b`; `left` is the subtree below them.
fn unfolding_node(height: u8, entries: u16, left: Option<Cid>) -> Vec<u8> {
    // Of two heights, the keys of the lower one come first.
    let start = [b'a' + height; 827];
    let keys = (0..u32::MAX).map(|number| [&start[..], &number.to_be_bytes()[1..]].concat());
    let mut keys = keys
        .filter(|key| mst::height(key) == height)
        .take(entries.into());
    let mut node = vec![0xa2, 0x61, b'e'];
    head(LIST, entries.into(), &mut node);
    let record = Cid::of_cbor(b"\xa0");
    let mut last = Vec::new();
    for key in &mut keys {
        let shared = key.iter().zip(&last).take_while(|(a, b)| a == b).count();
        let rest = &key[shared..];
        node.extend_from_slice(b"\xa4\x61k");
        head(BYTES, rest.len(), &mut node);
        node.extend_from_slice(rest);
        node.extend_from_slice(b"\x61p");
        head(0, shared, &mut node);
        node.extend_from_slice(b"\x61t\xf6\x61v");
        link(&record, &mut node);
        last = key;
    }
    node.extend_from_slice(b"\x61l");
    match left {
        None => node.push(0xf6),
        Some(left) => link(&left, &mut node),
    }
    node
}

#[test]
fn a_tree_unfolds_to_a_bounded_size() {
    #[track_caller]
    fn check_node(entries: u16, expect: Option<MstProblem>) {
        let node = unfolding_node(0, entries, None);
        let root = Cid::of_cbor(&node);
        let car = write(&root, [(&root, &node[..])]);
        check("a node that unfolds", &[car], |car| {
            let car = Car::read(car).unwrap();
            let found = mst::find(&car, root, b"b");
            assert_eq!(found.err().map(|error| error.problem), expect);
        });
    }
    check_node(5_000, None);
    check_node(5_100, Some(MstProblem::TooLarge));
}

/// Nodes that all unfold, each the left child of the next; the last one is the root.
fn unfolding_nodes() -> Vec<(Cid, Vec<u8>)> {
    let mut blocks: Vec<(Cid, Vec<u8>)> = Vec::new();
    for height in 0..2 {
        let left = blocks.last().map(|(cid, _)| *cid);
        let node = unfolding_node(height, 5_000, left);
        blocks.push((Cid::of_cbor(&node), node));
    }
    blocks
}

/// The walk holds the nodes above the one that it is at.
#[test]
fn a_tree_whose_nodes_all_unfold_is_held_in_a_multiple_of_its_length() {
    let blocks = unfolding_nodes();
    let (root, _) = *blocks.last().unwrap();
    let car = write(&root, blocks.iter().map(|(cid, block)| (cid, &block[..])));
    check("nodes that all unfold", &[car], |car| {
        let car = Car::read(car).unwrap();
        let mut cursor = Cursor::new(&car, root).unwrap();
        let mut leaves = 0;
        while cursor.next_leaf().unwrap().is_some() {
            leaves += 1;
        }
        assert_eq!(leaves, 2 * 5_000);
    });
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
