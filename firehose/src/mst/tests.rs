use super::{
    Cursor, Edit, EditError, Editor, MstError, MstProblem, Operation, apply, build, diff,
    empty_root, find, node,
};
use crate::Cid;
use crate::car::BlockStore;
use huddle_testdata::shared_text;
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

type Records = BTreeMap<Vec<u8>, Cid>;

fn record(number: u8) -> Cid {
    Cid::of_cbor(&[number])
}

/// The tree by its definition, height by height, with no edit in it.
fn define(
    records: &[(&[u8], Cid)],
    height: u8,
    blocks: &mut BTreeMap<Cid, Vec<u8>>,
) -> Option<Cid> {
    if records.is_empty() {
        return None;
    }
    let mut below = height.checked_sub(1);
    let is_here = |key: &[u8]| super::height(key) == height;
    let mut groups = records.split(|(key, _)| is_here(key));
    let mut child = |records: &[(&[u8], Cid)], blocks: &mut _| {
        below
            .as_mut()
            .and_then(|height| define(records, *height, blocks))
    };
    let left = child(groups.next()?, blocks);
    let here: Vec<_> = records.iter().filter(|(key, _)| is_here(key)).collect();
    let mut block = Vec::new();
    node::begin(here.len(), &mut block);
    let mut last: &[u8] = &[];
    for ((key, record), after) in here.into_iter().zip(groups) {
        let shared = super::common_prefix(last, key);
        let entry = node::Entry {
            shared,
            rest: &key[shared..],
            record: *record,
            right: child(after, blocks),
        };
        node::add(&entry, &mut block);
        last = key;
    }
    node::end(left.as_ref(), &mut block);
    let cid = Cid::of_cbor(&block);
    blocks.insert(cid, block);
    Some(cid)
}

fn reference(records: &Records) -> (Cid, BTreeMap<Cid, Vec<u8>>) {
    let list: Vec<(&[u8], Cid)> = records.iter().map(|(key, cid)| (&key[..], *cid)).collect();
    let mut blocks = BTreeMap::new();
    let top = list
        .iter()
        .map(|(key, _)| super::height(key))
        .max()
        .unwrap_or(0);
    let root = define(&list, top, &mut blocks).unwrap_or_else(empty_root);
    (root, blocks)
}

fn leaves(store: &impl BlockStore, root: Cid) -> Records {
    let mut cursor = Cursor::new(store, root).unwrap();
    let mut leaves = Records::new();
    while let Some(leaf) = cursor.next_leaf().unwrap() {
        leaves.insert(leaf.key.to_vec(), leaf.record);
    }
    leaves
}

/// A store that remembers what it was asked for.
struct Watched<'s> {
    blocks: &'s BTreeMap<Cid, Vec<u8>>,
    asked: RefCell<BTreeSet<Cid>>,
}

impl<'s> Watched<'s> {
    fn new(blocks: &'s BTreeMap<Cid, Vec<u8>>) -> Self {
        Self {
            blocks,
            asked: RefCell::default(),
        }
    }

    /// What it was asked for, and had.
    fn proof(&self) -> BTreeMap<Cid, Vec<u8>> {
        let asked = self.asked.borrow();
        let block = |cid: &Cid| Some((*cid, self.blocks.get(cid)?.clone()));
        asked.iter().filter_map(block).collect()
    }
}

impl BlockStore for Watched<'_> {
    fn block(&self, cid: &Cid) -> Option<&[u8]> {
        self.asked.borrow_mut().insert(*cid);
        self.blocks.block(cid)
    }
}

#[test]
fn an_edit_of_unusual_size_leaves_no_memory_behind() {
    let keys: Vec<_> = (0..30_000)
        .map(|number| format!("com.example.a/{number}").into_bytes())
        .collect();
    let mut edits: Vec<_> = keys
        .iter()
        .enumerate()
        .map(|(index, key)| Edit {
            key,
            operation: Operation::Insert(record(0)),
            index,
        })
        .collect();
    edits.sort_unstable_by_key(|edit| edit.key);
    let mut editor = Editor::default();
    let measured = allocation_counter::measure(|| {
        let store = BTreeMap::new();
        let edited = editor.edit(&store, empty_root(), &edits, &mut |_, _| {});
        assert!(edited.is_ok());
    });
    assert!(measured.bytes_max > 4 << 20, "{}", measured.bytes_max);
    assert!(
        measured.bytes_current < 2 << 20,
        "{}",
        measured.bytes_current
    );
}

fn invert(operation: Operation) -> Operation {
    match operation {
        Operation::Insert(record) => Operation::Remove(record),
        Operation::Remove(record) => Operation::Insert(record),
        Operation::Replace { from, to } => Operation::Replace { from: to, to: from },
    }
}

/// The operations that lead from some records to others.
fn operations(from: &Records, to: &Records) -> BTreeMap<Vec<u8>, Operation> {
    let keys: BTreeSet<_> = from.keys().chain(to.keys()).collect();
    let change = |key: &&Vec<u8>| match (from.get(*key), to.get(*key)) {
        (None, Some(record)) => Some(Operation::Insert(*record)),
        (Some(record), None) => Some(Operation::Remove(*record)),
        (Some(from), Some(to)) if from != to => Some(Operation::Replace {
            from: *from,
            to: *to,
        }),
        _ => None,
    };
    keys.into_iter()
        .filter_map(|key| Some((key.clone(), change(&key)?)))
        .collect()
}

fn records() -> impl Strategy<Value = Records> {
    let key = prop_oneof![
        (0..60_u16).prop_map(|number| format!("com.example.a/{number}").into_bytes()),
        (0..6_u8).prop_map(tall_key),
    ];
    proptest::collection::btree_map(key, (0..3_u8).prop_map(record), 0..40)
}

/// A key that stands high.
fn tall_key(which: u8) -> Vec<u8> {
    const TALL: [&str; 6] = [
        "app.bsky.feed.post/454397e440ec",
        "app.bsky.feed.post/9adeb165882c",
        "884976f5",
        "2a92d355",
        "A5/518415",
        "M5/563354",
    ];
    TALL[usize::from(which)].into()
}

proptest! {
    #[test]
    fn a_tree_is_the_one_of_its_definition(records in records()) {
        let tree = build(&records);
        let (root, blocks) = reference(&records);
        prop_assert_eq!(tree.root, root);
        for (cid, block) in blocks {
            prop_assert_eq!(tree.blocks.get(&cid), Some(&block));
        }
        prop_assert_eq!(leaves(&tree.blocks, root), records);
    }

    #[test]
    fn operations_lead_from_one_tree_to_the_other_and_back(from in records(), to in records()) {
        let (before, after) = (build(&from), build(&to));
        let operations = operations(&from, &to);
        let applied = apply(&before.blocks, before.root, &operations).unwrap();
        prop_assert_eq!(applied.root, after.root);
        let back = operations.iter().map(|(key, one)| (key.clone(), invert(*one))).collect();
        // What is asked for is a proof: with it alone the same comes of it.
        let watched = Watched::new(&after.blocks);
        let undone = apply(&watched, after.root, &back).unwrap();
        prop_assert_eq!(undone.root, before.root);
        prop_assert_eq!(apply(&watched.proof(), after.root, &back).unwrap().root, before.root);
    }

    #[test]
    fn an_operation_that_is_not_so_is_found(records in records(), key in 0..60_u16, other in 3..5_u8) {
        let tree = build(&records);
        let key = format!("com.example.a/{key}").into_bytes();
        let held = records.get(&key);
        let wrong = [
            Operation::Remove(record(other)),
            Operation::Replace { from: record(other), to: record(0) },
            Operation::Insert(record(other)),
        ];
        for operation in wrong {
            let applied = apply(&tree.blocks, tree.root, &[(key.clone(), operation)].into());
            let is_insert = matches!(operation, Operation::Insert(_));
            if is_insert && held.is_none() {
                prop_assert!(applied.is_ok());
            } else {
                prop_assert_eq!(applied, Err(EditError::Contradiction { index: 0 }));
            }
        }
    }

    #[test]
    fn each_key_is_found_or_proved_absent(records in records(), key in 0..60_u16) {
        let tree = build(&records);
        let key = format!("com.example.a/{key}").into_bytes();
        let held = Ok(records.get(&key).copied());
        let watched = Watched::new(&tree.blocks);
        prop_assert_eq!(find(&watched, tree.root, &key), held);
        // What was asked for is a proof, and nothing less is.
        let proof = watched.proof();
        prop_assert_eq!(find(&proof, tree.root, &key), held);
        for node in proof.keys().filter(|node| **node != empty_root()) {
            let mut rest = proof.clone();
            rest.remove(node);
            let missing = MstError { node: *node, problem: MstProblem::Missing };
            prop_assert_eq!(find(&rest, tree.root, &key), Err(missing));
        }
    }

    #[test]
    fn a_difference_is_what_is_different(from in records(), to in records()) {
        let (before, after) = (build(&from), build(&to));
        let mut told = BTreeMap::new();
        diff((&before.blocks, before.root), (&after.blocks, after.root), |change| {
            let operation = match (change.from, change.to) {
                (Some(from), Some(to)) => Operation::Replace { from, to },
                (Some(from), None) => Operation::Remove(from),
                (_, to) => Operation::Insert(to.expect("something has changed")),
            };
            told.insert(change.key.to_vec(), operation);
        }).unwrap();
        prop_assert_eq!(told, operations(&from, &to));
    }
}

#[test]
fn keys_share_what_the_vectors_say() {
    let text = shared_text("conformance/interop/mst/common_prefix.json").unwrap_or("[]".into());
    let vectors: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    for vector in vectors {
        let key = |side: &str| vector[side].as_str().unwrap().as_bytes().to_vec();
        assert_eq!(
            super::common_prefix(&key("left"), &key("right")),
            vector["len"]
        );
    }
}

#[test]
fn the_empty_tree_has_one_node_which_need_not_be_there() {
    let tree = build(&Records::new());
    assert_eq!(tree.root, empty_root());
    assert_eq!(leaves(&tree.blocks, tree.root), Records::new());
    assert_eq!(find(&BTreeMap::new(), empty_root(), b"a"), Ok(None));
}

/// Entries of a node that is written by hand: shared, rest, tree after it.
fn write_node(entries: &[(usize, &str, Option<Cid>)], left: Option<Cid>) -> Vec<u8> {
    let mut block = Vec::new();
    node::begin(entries.len(), &mut block);
    for (shared, rest, right) in entries {
        let entry = node::Entry {
            shared: *shared,
            rest: rest.as_bytes(),
            record: record(0),
            right: *right,
        };
        node::add(&entry, &mut block);
    }
    node::end(left.as_ref(), &mut block);
    block
}

#[track_caller]
fn check_nodes(nodes: &[Vec<u8>], expect: MstProblem) {
    let root = Cid::of_cbor(&nodes[0]);
    let blocks: BTreeMap<Cid, Vec<u8>> = nodes
        .iter()
        .map(|block| (Cid::of_cbor(block), block.clone()))
        .collect();
    let mut cursor = Cursor::new(&blocks, root);
    let error = loop {
        match cursor
            .as_mut()
            .map_err(|error| *error)
            .and_then(Cursor::next_leaf)
        {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a tree without a fault"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.problem, expect);
}

// Of height 0 are "a", "g", "h" and "asdf"; "b", "blue" and "asdg" are of height 1, "88bfafc7" of 2.

#[test]
fn a_node_that_no_tree_has_is_refused() {
    use MstProblem::{Empty, Fields, Height, KeyLength, Missing, Order, Prefix, TooDeep};
    let leaf = |key| write_node(&[(0, key, None)], None);
    let link = |node: &Vec<u8>| Some(Cid::of_cbor(node));
    check_nodes(
        &[write_node(&[(0, "a", None), (0, "a", None)], None)],
        Prefix,
    );
    check_nodes(
        &[write_node(&[(0, "g", None), (0, "a", None)], None)],
        Order,
    );
    check_nodes(
        &[write_node(&[(0, "asdf", None), (4, "", None)], None)],
        Order,
    );
    check_nodes(
        &[write_node(&[(0, "asdf", None), (2, "", None)], None)],
        Order,
    );
    check_nodes(&[write_node(&[(1, "a", None)], None)], Prefix);
    check_nodes(
        &[write_node(&[(0, "a", None), (9, "b", None)], None)],
        Prefix,
    );
    check_nodes(
        &[write_node(&[(0, "asdf", None), (0, "asdg", None)], None)],
        Prefix,
    );
    check_nodes(&[write_node(&[(0, "", None)], None)], KeyLength);
    check_nodes(
        &[write_node(&[(0, &"a".repeat(831), None)], None)],
        KeyLength,
    );
    check_nodes(
        &[write_node(&[(0, "asdf", None), (0, "blue", None)], None)],
        Height,
    );
    check_nodes(
        &[
            write_node(&[(0, "asdf", link(&leaf("g")))], None),
            leaf("g"),
        ],
        TooDeep,
    );
    check_nodes(&[write_node(&[], link(&leaf("a"))), leaf("a")], Empty);
    check_nodes(
        &[write_node(&[(0, "blue", None)], link(&leaf("asdf")))],
        Missing,
    );
    let empty = write_node(&[], None);
    check_nodes(
        &[write_node(&[(0, "blue", None)], link(&empty)), empty],
        Empty,
    );
    // Of the subtrees, keys that lie outside, or stand too high.
    check_nodes(
        &[
            write_node(&[(0, "blue", None)], link(&leaf("h"))),
            leaf("h"),
        ],
        Order,
    );
    check_nodes(
        &[
            write_node(&[(0, "blue", link(&leaf("asdf")))], None),
            leaf("asdf"),
        ],
        Order,
    );
    check_nodes(
        &[
            write_node(&[(0, "blue", None)], link(&leaf("88bfafc7"))),
            leaf("88bfafc7"),
        ],
        Height,
    );
    check_nodes(&[b"\xa0".to_vec()], Fields);
    check_nodes(&[b"\xa2\x61e\x80\x61m\xf6".to_vec()], Fields);
    check_nodes(&[b"\xa2\x61e\x81\xa0\x61l\xf6".to_vec()], Fields);
    let mut trailing = leaf("a");
    trailing.push(0);
    assert!(
        find(
            &BTreeMap::from([(Cid::of_cbor(&trailing), trailing.clone())]),
            Cid::of_cbor(&trailing),
            b"a"
        )
        .is_err()
    );
}
