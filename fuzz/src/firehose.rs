//! Targets `firehose_car`, `firehose_frame` and `firehose_mst`: the decoder and verifier of the firehose.

use crate::mutate::{self, Random};
use crate::{Target, account};
use huddle_firehose::car::{BlockStore as _, Car, write};
use huddle_firehose::frame::MAX_FRAME_LEN;
use huddle_firehose::mst::{self, Operation};
use huddle_firehose::{Cid, Frame, Level, RepoCommit, Verified, Verifier};
use huddle_syntax::data::{self, Value};
use huddle_testdata::shared;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::time::Duration;

/// A CAR is refused, or every block of it is what its CID says.
pub const CAR: Target = Target {
    name: "firehose_car",
    check: check_car,
    mutate: mutate_car,
    seeds: car_seeds,
};

/// A frame is refused, or it is the data that another decoder sees in it; a commit is verified at a level only if
/// it is at the levels below.
pub const FRAME: Target = Target {
    name: "firehose_frame",
    check: check_frame,
    mutate: mutate_frame,
    seeds: frame_seeds,
};

/// A tree is refused, or it is the one tree that its records make. An input is a CAR whose root is the tree's.
pub const MST: Target = Target {
    name: "firehose_mst",
    check: check_tree,
    mutate: mutate_tree,
    seeds: tree_seeds,
};

/// After every revision that there is in the data.
const NOW: Duration = Duration::from_secs(10_000_000_000);

fn check_car(input: &[u8]) {
    let Ok(car) = Car::read(input) else {
        return;
    };
    for (cid, block) in car.iter() {
        assert_eq!(Cid::of_cbor(block).digest(), cid.digest());
        assert_eq!(car.block(&cid), Some(block));
    }
    let blocks = blocks_of(&car);
    let again = write(&car.root(), pairs(&blocks));
    let again = Car::read(&again).expect("what was written is a CAR");
    assert_eq!(again.root(), car.root());
    assert_eq!(blocks_of(&again), blocks);
}

fn check_frame(input: &[u8]) {
    let Ok(frame) = Frame::decode(input) else {
        return;
    };
    // What the data model says of names with a `$` is said of records, not of frames.
    if !input.contains(&b'$') {
        let header = data::item_len(input).expect("a frame starts with an item");
        // Of an error the header is enough: the stream ends, whatever there is to say about it.
        if header < input.len() || !matches!(frame, Frame::Error(_)) {
            let body = data::item_len(&input[header..]);
            assert_eq!(body, Ok(input.len() - header));
        }
    }
    if let Frame::Commit(event) = &frame {
        assert_eq!(event.ops.iter().count(), event.ops.len());
    }
    if let Some(levels) = verified_at(&frame) {
        assert!(levels.is_sorted_by(|lower, higher| lower >= higher));
    }
}

/// At which levels a commit is verified, or what a repository is said to be; nothing of another frame.
fn verified_at(frame: &Frame<'_>) -> Option<[bool; 4]> {
    let levels = [
        Level::Blocks,
        Level::Hashes,
        Level::Operations,
        Level::Signature(&account::KEY),
    ];
    let mut verifier = Verifier::new();
    match frame {
        Frame::Commit(event) => Some(levels.map(|level| {
            let commit = verifier.verify(event, level, NOW);
            let changes = commit.iter().flat_map(Verified::changes);
            // Each record is read, whatever comes of it.
            changes.for_each(|change| _ = change.record.map(|record| record.bytes()));
            commit.is_ok()
        })),
        Frame::Sync(event) => Some(levels.map(|level| {
            let head = verifier.verify_sync(event, level, NOW);
            head.is_ok()
        })),
        _ => None,
    }
}

fn check_tree(input: &[u8]) {
    let Ok(car) = Car::read(input) else {
        return;
    };
    let Some(records) = records(&car) else {
        return;
    };
    let tree = mst::build(&records);
    assert_eq!(tree.root, car.root(), "two trees of the same records");
    let none = BTreeMap::new();
    for (key, record) in records.iter().take(8) {
        assert_eq!(mst::find(&car, car.root(), key), Ok(Some(*record)));
        let remove = BTreeMap::from([(key.clone(), Operation::Remove(*record))]);
        let without = mst::apply(&car, car.root(), &remove).expect("the tree is whole");
        let mut fewer = records.clone();
        fewer.remove(key);
        assert_eq!(without.root, mst::build(&fewer).root);
    }
    let same = mst::apply(&car, car.root(), &none).expect("the tree is whole");
    assert_eq!(same.root, car.root());
}

/// All records of a tree, if it is one.
fn records(car: &Car<'_>) -> Option<BTreeMap<Vec<u8>, Cid>> {
    let mut cursor = mst::Cursor::new(car, car.root()).ok()?;
    let mut records = BTreeMap::new();
    while let Some(leaf) = cursor.next_leaf().ok()? {
        let is_new = records.insert(leaf.key.to_vec(), leaf.record).is_none();
        assert!(is_new, "a key that is there twice");
    }
    Some(records)
}

type Blocks = BTreeMap<Cid, Vec<u8>>;

fn blocks_of(car: &Car<'_>) -> Blocks {
    car.iter()
        .map(|(cid, block)| (cid, block.to_vec()))
        .collect()
}

fn pairs(blocks: &Blocks) -> impl Iterator<Item = (&Cid, &[u8])> {
    blocks.iter().map(|(cid, block)| (cid, &block[..]))
}

/// Changes a block, and all that link to it, so that hashes still fit.
fn mutate_tree(input: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let car = Car::read(input).ok()?;
    let (root, blocks) = relinked(&car, random)?;
    Some(write(&root, pairs(&blocks)))
}

fn relinked(car: &Car<'_>, random: &mut Random) -> Option<(Cid, Blocks)> {
    let mut root = car.root();
    let mut blocks = blocks_of(car);
    let cids: Vec<Cid> = blocks.keys().copied().collect();
    let mut changed = *random.pick(&cids)?;
    let mut block = mutate_block(&blocks[&changed], random)?;
    // A tree has few levels; what links in a circle does not exist.
    for _ in 0..64 {
        let cid = Cid::of_cbor(&block);
        blocks.remove(&changed);
        blocks.insert(cid, block);
        if root == changed {
            root = cid;
        }
        let (old, new) = (changed.to_bytes(), cid.to_bytes());
        let holds = |block: &[u8]| block.windows(Cid::LEN).position(|part| part == old);
        let parent = blocks
            .iter()
            .find_map(|(cid, block)| Some((*cid, holds(block)?)));
        let Some((parent, place)) = parent else {
            break;
        };
        let mut linking = blocks[&parent].clone();
        linking[place..place + Cid::LEN].copy_from_slice(&new);
        (changed, block) = (parent, linking);
    }
    let root = sign_again(root, &mut blocks);
    Some((root, blocks))
}

/// Signs a commit of the account that is made here, and says what its CID is then.
fn sign_again(root: Cid, blocks: &mut Blocks) -> Cid {
    let signed = blocks
        .get(&root)
        .and_then(|block| account::sign_again(block));
    let Some(signed) = signed else {
        return root;
    };
    blocks.remove(&root);
    let root = Cid::of_cbor(&signed);
    blocks.insert(root, signed);
    root
}

/// Another block: as data where it is some, else byte by byte.
fn mutate_block(block: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    if random.one_in(2)
        && let Some(mutated) = mutate_item(block, random)
    {
        return Some(mutated);
    }
    let mut block = block.to_vec();
    let place = random.below(block.len().max(1));
    match random.below(3) {
        0 => *block.get_mut(place)? ^= 1 << random.below(8),
        1 => drop(block.get(place).copied().map(|_| block.remove(place))),
        _ => block.insert(place.min(block.len()), 0x61),
    }
    Some(block)
}

/// The longest item that is changed as data, which takes a while: others are left to the fuzzer.
const MAX_MUTATED_ITEM: usize = 1 << 20;

fn mutate_item(item: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    if item.len() > MAX_MUTATED_ITEM {
        return None;
    }
    let json = data::to_json(&data::from_cbor::<Value>(item).ok()?).ok()?;
    let donors: Vec<Json> = vec![serde_json::from_slice(&json).ok()?];
    let mutated = mutate::json(&json, &donors, random)?;
    data::to_cbor(&data::from_json::<Value>(&mutated).ok()?).ok()
}

/// Leaves blocks out, or changes one with its hash.
fn mutate_car(input: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    if random.one_in(2) {
        return mutate_tree(input, random);
    }
    let car = Car::read(input).ok()?;
    let mut blocks = blocks_of(&car);
    blocks.retain(|_, _| !random.one_in(8));
    Some(write(&car.root(), pairs(&blocks)))
}

/// Changes the header or the body, or the blocks of a commit, whose CID is then written where it stands.
fn mutate_frame(input: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    if random.one_in(2)
        && let Ok(Frame::Commit(event)) = Frame::decode(input)
    {
        let car = Car::read(event.blocks).ok()?;
        let (root, blocks) = relinked(&car, random)?;
        let blocks = write(&root, pairs(&blocks));
        return replace_blocks(input, &event.commit, &root, &blocks);
    }
    let (header, body) = input.split_at(data::item_len(input).ok()?);
    if random.one_in(8) {
        return Some([&mutate_item(header, random)?[..], body].concat());
    }
    Some([header, &mutate_item(body, random)?].concat())
}

fn replace_blocks(frame: &[u8], old: &Cid, new: &Cid, blocks: &[u8]) -> Option<Vec<u8>> {
    let (header, body) = frame.split_at(data::item_len(frame).ok()?);
    let mut body: data::Map = data::from_cbor(body).ok()?;
    body.insert("blocks", Value::Bytes(blocks.to_vec().into()));
    let body = data::to_cbor(&body).ok()?;
    let link = |cid: &Cid| [&b"\x66commit\xd8\x2a\x58\x25\x00"[..], &cid.to_bytes()].concat();
    let (old, new) = (link(old), link(new));
    let place = body.windows(old.len()).position(|part| part == old)?;
    Some([header, &body[..place], &new, &body[place + old.len()..]].concat())
}

fn frame_seeds() -> Vec<Vec<u8>> {
    let mut seeds = events();
    seeds.push(longest());
    seeds
}

/// A part of the frames of a day, all that are odd, and those of the account that is made here.
///
/// # Panics
/// If one of the latter is not verified at every level: then nothing of what comes behind a signature is tried out.
pub(crate) fn events() -> Vec<Vec<u8>> {
    let some = frames("corpus").into_iter().step_by(97);
    let odd = ["cases", "proof"].into_iter().flat_map(frames);
    let error = b"\xa1\x62op\x20\xa1\x65error\x6cFutureCursor".to_vec();
    let made = account::commits().into_iter();
    let made: Vec<_> = made
        .flat_map(|commit| [commit.event, commit.sync])
        .collect();
    for frame in &made {
        let frame = Frame::decode(frame).expect("what is made is a frame");
        assert_eq!(verified_at(&frame), Some([true; 4]), "{frame:?}");
    }
    some.chain(odd).chain([error]).chain(made).collect()
}

/// A commit with so many bytes of blocks that no frame is much longer.
pub(crate) fn longest() -> Vec<u8> {
    let commits = account::commits();
    let frame = &commits[0].event;
    let Ok(Frame::Commit(event)) = Frame::decode(frame) else {
        panic!("the event of a commit is one");
    };
    let blocks = vec![0; MAX_FRAME_LEN - frame.len()];
    replace_blocks(frame, &event.commit, &event.commit, &blocks).expect("it has blocks")
}

fn frames(folder: &str) -> Vec<Vec<u8>> {
    let file = shared(&format!("firehose/{folder}/frames.bin"));
    let bytes = file.map_or_else(Vec::new, |file| {
        std::fs::read(file).expect("the frames can be read")
    });
    let mut frames = Vec::new();
    let mut rest = bytes.get(4..).unwrap_or_default();
    while let Some((length, after)) = rest.split_first_chunk() {
        let (frame, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        frames.push(frame.to_vec());
        rest = after;
    }
    frames
}

fn car_seeds() -> Vec<Vec<u8>> {
    let empty = write(&Cid::of_cbor(b""), []);
    let cars = events();
    let cars = cars.iter().filter_map(|frame| match Frame::decode(frame) {
        Ok(Frame::Commit(event)) => Some(event.blocks.to_vec()),
        Ok(Frame::Sync(event)) => Some(event.blocks.to_vec()),
        _ => None,
    });
    cars.chain([empty]).collect()
}

/// The trees of commits, and some that are whole.
fn tree_seeds() -> Vec<Vec<u8>> {
    let parts = car_seeds();
    let parts = parts.iter().filter_map(|car| {
        let car = Car::read(car).ok()?;
        let root = RepoCommit::read(car.block(&car.root())?).ok()?.data;
        Some(write(&root, pairs(&blocks_of(&car))))
    });
    let whole = [0, 1, 2, 20, 60].map(|count| {
        let record = |number: u32| Cid::of_cbor(&number.to_be_bytes());
        let key = |number| format!("com.example.note/{number}").into_bytes();
        let records = (0..count).map(|number| (key(number), record(number)));
        let tree = mst::build(&records.collect());
        write(&tree.root, pairs(&tree.blocks))
    });
    whole.into_iter().chain(parts.step_by(8)).collect()
}
