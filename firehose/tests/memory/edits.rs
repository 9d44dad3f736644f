//! What it takes to undo operations on nodes that unfold.

use huddle_firehose::car::{Car, write};
use huddle_firehose::{Cid, Frame, Level, Verifier, mst};
use std::collections::BTreeMap;

use crate::frames::{Made, Records, make};
use crate::{DID, NOW, check};

/// Which nodes there are, by the letter with which their keys begin.
const NODES: [char; 7] = ['b', 'c', 'd', 'e', 'f', 'g', 'h'];

/// Records at these keys: only one block.
fn records(keys: impl IntoIterator<Item = String>) -> Records {
    let keys = keys.into_iter();
    keys.map(|key| (key, b"\xa0".to_vec())).collect()
}

/// Keys that fill a node, and share all they can.
fn unfolding_keys(node: char, count: usize) -> impl Iterator<Item = String> {
    let start = String::from(node).repeat(826);
    let keys = (0..0x1_0000).map(move |number| format!("{start}{number:04x}"));
    let keys = keys.filter(|key| mst::height(key.as_bytes()) == 0);
    keys.take(count)
}

/// A path of this height before all those keys, and after those of the node before.
fn path(node: char, collection: &str, height: u8) -> String {
    let mut paths = (0..10_000).map(|number| format!("{node}.example.{collection}/{number}"));
    paths
        .find(|path| mst::height(path.as_bytes()) == height)
        .unwrap()
}

/// What it takes to undo the commit that adds these records to those of the one before; returns it.
#[track_caller]
fn check_commit(class: &str, before: &Made, paths: [String; NODES.len()]) -> Made {
    let mut all = before.records.clone();
    all.extend(records(paths));
    let mut made = make(DID, Some(before), all, 1);
    let car = Car::read(&made.car).unwrap();
    // The record once, and not for each key.
    let blocks: BTreeMap<Cid, &[u8]> = car.iter().collect();
    made.car = write(
        &made.commit,
        blocks.iter().map(|(cid, block)| (cid, *block)),
    );
    check(class, &[made.frame(1)], |frame| {
        let Ok(Frame::Commit(event)) = Frame::decode(frame) else {
            panic!("it is no commit");
        };
        let mut verifier = Verifier::new();
        let undone = verifier.verify(&event, Level::Operations, NOW);
        assert_eq!(undone.err(), None);
    });
    made
}

/// So many keys that memory for them which is doubled again and again has just been.
#[test]
fn operations_on_nodes_that_all_unfold_are_undone_in_a_multiple_of_their_length() {
    let keys = NODES.iter().flat_map(|node| unfolding_keys(*node, 2_600));
    let joined = make(DID, None, records(keys), 1);
    let between = NODES.map(|node| path(node, "a", 1));
    let cut = check_commit("operations between nodes that all unfold", &joined, between);
    let within = NODES.map(|node| path(node, "b", 0));
    check_commit("operations in nodes that all unfold", &cut, within);
}
