//! The tree that holds the records of a repository (Merkle search tree): <https://atproto.com/specs/repository>.
//!
//! A node has entries, which are keys and records in order, and subtrees between them. A key stands at a height that
//! its hash decides, so that the same records always make the same tree. All functions here refuse a node that this
//! tree does not have: they check it as far as they look at it, and look no further than they must.

mod arena;
mod build;
mod cursor;
mod edit;
mod node;

pub use self::build::{NewTree, apply, build};
pub use self::cursor::{Change, Cursor, Leaf, diff, find};
pub(crate) use self::edit::{Edit, Editor};
pub use self::edit::{EditError, Operation};

use crate::cbor::CborError;
use crate::{Cid, hash};

/// The longest key: a collection of 317 bytes, a slash, and a record key of 512.
pub const MAX_KEY_LEN: usize = 830;

/// The most bytes of all keys of a node together. In its block a key takes few bytes if it is much like the one
/// before, so that a node can unfold to fifteen times its size. As a rule a node has four keys, and seldom a hundred.
pub const MAX_NODE_KEYS_LEN: usize = 4 << 20;

/// What is wrong with a tree, in which node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node {node} of the tree: {problem}")]
pub struct MstError {
    /// The node.
    pub node: Cid,
    /// What is wrong with it.
    pub problem: MstProblem,
}

/// What can be wrong with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MstProblem {
    /// It is needed, and not among the blocks.
    #[error("it is missing")]
    Missing,
    /// Not canonical DAG-CBOR, or not of the types that a node has.
    #[error(transparent)]
    Cbor(CborError),
    /// A field that a node does not have, or not one that it has.
    #[error("it does not have the fields of a node")]
    Fields,
    /// A key that shares another number of bytes with the one before than it says.
    #[error("a key is not cut where the one before it begins to differ")]
    Prefix,
    /// A key that is empty or longer than [`MAX_KEY_LEN`].
    #[error("a key is empty or too long")]
    KeyLength,
    /// Keys that are longer together than [`MAX_NODE_KEYS_LEN`].
    #[error("its keys are more than {MAX_NODE_KEYS_LEN} bytes together")]
    TooLarge,
    /// A key that does not come after the one before it, here or in a node above.
    #[error("keys are not in order")]
    Order,
    /// A key that stands at another height than its hash says.
    #[error("a key is at the wrong height")]
    Height,
    /// A node that has neither a key nor a reason to be there.
    #[error("it is empty where a tree has no empty node")]
    Empty,
    /// A subtree below the lowest height.
    #[error("it has a subtree at height 0")]
    TooDeep,
}

/// The height of a key: pairs of zero bits at the beginning of its SHA-256.
///
/// ```
/// assert_eq!(huddle_firehose::mst::height(b"app.bsky.feed.post/9adeb165882c"), 8);
/// ```
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "at most 128")]
pub fn height(key: &[u8]) -> u8 {
    let digest = hash::sha256(key);
    let mut zeros = 0;
    for byte in digest {
        zeros += byte.leading_zeros();
        if byte != 0 {
            break;
        }
    }
    (zeros / 2) as u8
}

/// The node of a tree without a record: `{"e": [], "l": null}`.
const EMPTY_NODE: &[u8] = b"\xa2\x61e\x80\x61l\xf6";

pub(crate) fn empty_root() -> Cid {
    Cid::of_cbor(EMPTY_NODE)
}

/// How many bytes two keys share at their beginning.
#[inline]
fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests;
