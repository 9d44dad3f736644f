//! Nodes in memory: their items and keys, one after the other, in memory that serves again and again.

use super::node::Entries;
use super::{MAX_NODE_KEYS_LEN, MstError, MstProblem, height};
use crate::Cid;
use crate::car::BlockStore;

/// How much memory is kept once it is no longer used. Hardly any commit takes more.
pub(super) const KEPT_ITEMS: usize = 1 << 12;
pub(super) const KEPT_BYTES: usize = 1 << 18;

#[derive(Clone, Debug, Default)]
pub(super) struct Arena {
    keys: Vec<u8>,
    pub(super) items: Vec<Item>,
}

/// A tree at some height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    Empty,
    /// As it is in the store.
    Stored(Cid),
    /// New, by a number that its maker knows.
    Made(u32),
}

/// A node: the tree before its first item, and the items from `start` to `end`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) left: Tree,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A key, its record, and the tree after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) key: Key,
    pub(super) height: i16,
    pub(super) record: Cid,
    pub(super) right: Tree,
}

/// Where a key lies in an arena.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    start: usize,
    len: usize,
}

/// The keys between which those of a subtree lie, where there are any.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bounds {
    pub(super) after: Option<Key>,
    pub(super) before: Option<Key>,
}

/// How full an arena is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    keys: usize,
    items: usize,
}

impl From<Option<Cid>> for Tree {
    fn from(cid: Option<Cid>) -> Self {
        cid.map_or(Self::Empty, Self::Stored)
    }
}

impl Node {
    pub(super) const fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

impl Arena {
    pub(super) fn mark(&self) -> Mark {
        Mark {
            keys: self.keys.len(),
            items: self.items.len(),
        }
    }

    /// Forgets all that has come since.
    pub(super) fn reset(&mut self, to: Mark) {
        self.keys.truncate(to.keys);
        self.items.truncate(to.items);
    }

    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.keys.shrink_to(KEPT_BYTES);
        self.items.clear();
        self.items.shrink_to(KEPT_ITEMS);
    }

    #[inline]
    pub(super) fn key(&self, key: Key) -> &[u8] {
        &self.keys[key.start..][..key.len]
    }

    /// Keeps a key.
    pub(super) fn add_key(&mut self, key: &[u8]) -> Key {
        let start = self.keys.len();
        self.make_room(key.len());
        self.keys.extend_from_slice(key);
        self.key_from(start)
    }

    /// Makes room for a key. Only nodes that unfold fill more than is kept. That memory grows by half: doubled, it would be
    /// there three times over while it is moved.
    #[inline]
    fn make_room(&mut self, len: usize) {
        let used = self.keys.len();
        if used > KEPT_BYTES && used + len > self.keys.capacity() {
            self.keys.reserve_exact(len.max(used / 2));
        }
    }

    const fn key_from(&self, start: usize) -> Key {
        Key {
            start,
            len: self.keys.len() - start,
        }
    }

    /// The trees of a node, which are one more than its items.
    pub(super) fn tree(&self, node: Node, place: usize) -> Tree {
        match place {
            0 => node.left,
            _ => self.items[node.start + place - 1].right,
        }
    }

    /// Reads the root of a tree; its height is that of its keys, and -1 of a tree without any.
    pub(super) fn read_root<S: BlockStore + ?Sized>(
        &mut self,
        store: &S,
        root: Cid,
    ) -> Result<(Node, i16), MstError> {
        let Some(block) = store.block(&root) else {
            if root == super::empty_root() {
                return Ok((self.no_node(), -1));
            }
            return Err(MstError::new(root, MstProblem::Missing));
        };
        let node = self.read_items(root, block, None)?;
        match self.items[node.start..].first() {
            Some(first) => {
                let height = first.height;
                self.check(root, node, height, Bounds::default())?;
                Ok((node, height))
            }
            None if node.left == Tree::Empty => Ok((node, -1)),
            None => Err(MstError::new(root, MstProblem::Empty)),
        }
    }

    /// A node without anything in it.
    pub(super) fn no_node(&self) -> Node {
        Node {
            left: Tree::Empty,
            start: self.items.len(),
            end: self.items.len(),
        }
    }

    /// Reads a node below the root.
    #[inline]
    pub(super) fn read<S: BlockStore + ?Sized>(
        &mut self,
        store: &S,
        cid: Cid,
        height: i16,
        bounds: Bounds,
    ) -> Result<Node, MstError> {
        let block = store.block(&cid);
        let block = block.ok_or(MstError::new(cid, MstProblem::Missing))?;
        let node = self.read_items(cid, block, Some(height))?;
        if node.is_empty() && node.left == Tree::Empty {
            return Err(MstError::new(cid, MstProblem::Empty));
        }
        self.check(cid, node, height, bounds)?;
        Ok(node)
    }

    /// Reads the items of a node; without a height, it is that of the first key.
    #[inline]
    fn read_items(
        &mut self,
        cid: Cid,
        block: &[u8],
        mut node_height: Option<i16>,
    ) -> Result<Node, MstError> {
        let mut entries = Entries::new(cid, block)?;
        let start = self.items.len();
        let used = self.keys.len();
        let mut last = used..used;
        while let Some(entry) = entries.next(&self.keys[last.clone()])? {
            let key_start = self.keys.len();
            self.make_room(entry.shared + entry.rest.len());
            self.keys
                .extend_from_within(last.start..last.start + entry.shared);
            self.keys.extend_from_slice(entry.rest);
            last = key_start..self.keys.len();
            if last.end - used > MAX_NODE_KEYS_LEN {
                return Err(MstError::new(cid, MstProblem::TooLarge));
            }
            let key_height = i16::from(height(&self.keys[last.clone()]));
            if *node_height.get_or_insert(key_height) != key_height {
                return Err(MstError::new(cid, MstProblem::Height));
            }
            self.items.push(Item {
                key: self.key_from(key_start),
                height: key_height,
                record: entry.record,
                right: entry.right.into(),
            });
        }
        Ok(Node {
            left: entries.finish()?.into(),
            start,
            end: self.items.len(),
        })
    }

    /// Checks what a node is where it stands.
    #[inline]
    fn check(&self, cid: Cid, node: Node, height: i16, bounds: Bounds) -> Result<(), MstError> {
        let items = &self.items[node.start..node.end];
        let is_lowest = height == 0;
        let mut trees = items.iter().map(|item| item.right).chain([node.left]);
        if is_lowest && trees.any(|tree| tree != Tree::Empty) {
            return Err(MstError::new(cid, MstProblem::TooDeep));
        }
        if let (Some(first), Some(last)) = (items.first(), items.last()) {
            let after = bounds.after;
            let before = bounds.before;
            let is_after = after.is_none_or(|key| self.key(key) < self.key(first.key));
            let is_before = before.is_none_or(|key| self.key(last.key) < self.key(key));
            if !(is_after && is_before) {
                return Err(MstError::new(cid, MstProblem::Order));
            }
        }
        Ok(())
    }
}
