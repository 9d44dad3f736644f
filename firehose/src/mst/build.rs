//! Trees from records, and trees from trees.

use super::edit::{Edit, EditError, Editor, Operation};
use crate::Cid;
use crate::car::BlockStore;
use std::collections::BTreeMap;

/// A tree that has been made, with the nodes that are new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTree {
    /// The root.
    pub root: Cid,
    /// The nodes that were written: of a tree from records, all of them.
    pub blocks: BTreeMap<Cid, Vec<u8>>,
}

/// Makes the tree of these records, by their keys: `collection/record key`.
///
/// # Panics
/// Never: nothing can go wrong with a tree that is empty before.
///
/// ```
/// use huddle_firehose::{Cid, mst};
/// use std::collections::BTreeMap;
///
/// let record = Cid::of_cbor(b"\xa1\x65$type\x6dcom.example.a");
/// let records = BTreeMap::from([(b"com.example.a/self".to_vec(), record)]);
/// let tree = mst::build(&records);
/// assert_eq!(mst::find(&tree.blocks, tree.root, b"com.example.a/self")?, Some(record));
/// assert_eq!(mst::find(&tree.blocks, tree.root, b"com.example.a/other")?, None);
/// # Ok::<(), mst::MstError>(())
/// ```
pub fn build(records: &BTreeMap<Vec<u8>, Cid>) -> NewTree {
    let inserts = records
        .iter()
        .map(|(key, record)| (key.clone(), Operation::Insert(*record)))
        .collect();
    apply(&BTreeMap::new(), super::empty_root(), &inserts)
        .expect("inserts into an empty tree need no node and contradict nothing")
}

/// Makes operations on the tree of this root. What a node needs to be is asked of the store.
///
/// Keys are taken as they are: that they are paths of records is for the caller to see to.
pub fn apply<S: BlockStore + ?Sized>(
    store: &S,
    root: Cid,
    operations: &BTreeMap<Vec<u8>, Operation>,
) -> Result<NewTree, EditError> {
    let edits: Vec<Edit<'_>> = operations
        .iter()
        .enumerate()
        .map(|(index, (key, operation))| Edit {
            key,
            operation: *operation,
            index,
        })
        .collect();
    let mut blocks = BTreeMap::new();
    let root = Editor::default().edit(store, root, &edits, &mut |cid, block| {
        blocks.insert(cid, block.to_vec());
    })?;
    Ok(NewTree { root, blocks })
}
