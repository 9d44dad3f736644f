//! Edits of a tree of which only a part is at hand.
//!
//! A node is read when an edit falls into it. All edits are made in one descent, in the order of their keys, so no
//! node is looked at that the outcome does not depend on; and what is new is written once, when all are made.

use super::arena::{Arena, Bounds, Item, Key, Node, Tree};
use super::node::{self, Entry};
use super::{MstError, common_prefix, height};
use crate::Cid;
use crate::car::BlockStore;

/// What is done to one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A record comes where none is.
    Insert(Cid),
    /// A record takes the place of another.
    Replace {
        /// The record that is there.
        from: Cid,
        /// The record that comes.
        to: Cid,
    },
    /// A record goes.
    Remove(Cid),
}

/// Why a tree cannot be edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// A node is missing or is none.
    #[error(transparent)]
    Node(#[from] MstError),
    /// The tree does not hold what an operation says that it holds.
    #[error("the tree does not hold what operation {index} says")]
    Contradiction {
        /// Which operation.
        index: usize,
    },
}

/// An operation, ready to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edit<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) operation: Operation,
    /// Which operation it is, for errors.
    pub(crate) index: usize,
}

/// Is told the nodes that are written.
pub(crate) type Put<'p> = &'p mut dyn FnMut(Cid, &[u8]);

/// Makes edits; its memory serves again and again.
#[derive(Debug, Default)]
pub(crate) struct Editor {
    arena: Arena,
    /// Nodes that have been made.
    nodes: Vec<Node>,
    /// Where nodes are put together: each call works above what it finds.
    stack: Vec<Item>,
    block: Vec<u8>,
}

impl Editor {
    /// Makes edits, which are in the order of their keys and have each key once, and returns the new root.
    pub(crate) fn edit<S: BlockStore + ?Sized>(
        &mut self,
        store: &S,
        root: Cid,
        edits: &[Edit<'_>],
        put: Put<'_>,
    ) -> Result<Cid, EditError> {
        self.arena.clear();
        self.nodes.clear();
        self.stack.clear();
        let (node, mut height) = self.arena.read_root(store, root)?;
        let mut tree = self.make(node);
        if !edits.is_empty() {
            tree = self.apply(store, tree, height, edits, Bounds::default())?;
        }
        // Keys above the old root: one layer after the other, until the last of them is in.
        while !self.stack.is_empty() {
            height += 1;
            tree = self.group(tree, 0, height);
        }
        let tree = self.trim(store, tree)?;
        Ok(match tree {
            Tree::Empty => {
                put(super::empty_root(), super::EMPTY_NODE);
                super::empty_root()
            }
            tree => self.write(tree, put).expect("the tree is not empty"),
        })
    }

    /// Makes the edits that fall into a tree. What comes of it are trees of the same height with keys between them
    /// that stand higher: the first tree is returned, each key is pushed with the tree after it.
    fn apply<S: BlockStore + ?Sized>(
        &mut self,
        store: &S,
        tree: Tree,
        height: i16,
        edits: &[Edit<'_>],
        bounds: Bounds,
    ) -> Result<Tree, EditError> {
        if edits.is_empty() {
            return Ok(tree);
        }
        if tree == Tree::Empty {
            return self.plant(height, edits);
        }
        let node = self.load(store, tree, height, bounds)?;
        let mark = self.stack.len();
        let mut first = Tree::Empty;
        let mut rest = edits;
        let mut after = bounds.after;
        // The key that has gone, if the trees around it are to become one.
        let mut seam = None;
        for place in 0..=node.end - node.start {
            let item = self.arena.items[..node.end]
                .get(node.start + place)
                .copied();
            let below = match item {
                Some(item) => {
                    let key = self.arena.key(item.key);
                    rest.iter().take_while(|edit| edit.key < key).count()
                }
                None => rest.len(),
            };
            let (within, others) = rest.split_at(below);
            rest = others;
            let bounds = Bounds {
                after,
                before: item.map(|item| item.key).or(bounds.before),
            };
            let slot = self.stack.len();
            let subtree = self.arena.tree(node, place);
            let mut subtree = self.apply(store, subtree, height - 1, within, bounds)?;
            if let Some(key) = seam.take() {
                let before = self.tree_before(slot, mark, first);
                subtree = self.merge(store, [before, subtree], height - 1, key, bounds.before)?;
            }
            match slot.checked_sub(1).filter(|_| slot > mark) {
                Some(slot) => self.stack[slot].right = subtree,
                None => first = subtree,
            }
            let Some(item) = item else { break };
            after = Some(item.key);
            match rest.split_first() {
                Some((edit, others)) if edit.key == self.arena.key(item.key) => {
                    rest = others;
                    match change(item, edit)? {
                        Some(item) => self.stack.push(item),
                        None => seam = Some(item.key),
                    }
                }
                _ => self.stack.push(item),
            }
        }
        Ok(self.group(first, mark, height))
    }

    fn tree_before(&self, slot: usize, mark: usize, first: Tree) -> Tree {
        if slot > mark {
            self.stack[slot - 1].right
        } else {
            first
        }
    }

    /// Makes a tree where none is.
    fn plant(&mut self, tree_height: i16, edits: &[Edit<'_>]) -> Result<Tree, EditError> {
        let mark = self.stack.len();
        for edit in edits {
            let Operation::Insert(record) = edit.operation else {
                return Err(edit.contradiction());
            };
            let item = Item {
                key: self.arena.add_key(edit.key),
                height: i16::from(height(edit.key)),
                record,
                right: Tree::Empty,
            };
            self.stack.push(item);
        }
        let mut tree = Tree::Empty;
        for height in 0..=tree_height {
            tree = self.group(tree, mark, height);
        }
        Ok(tree)
    }

    /// Puts the items of a height that stand on the stack into nodes; those that stand higher remain, with the
    /// new nodes between them.
    fn group(&mut self, mut left: Tree, mark: usize, height: i16) -> Tree {
        let mut first = None;
        let mut kept = mark;
        let mut start = self.arena.items.len();
        for place in mark..=self.stack.len() {
            let item = self.stack.get(place).copied();
            if let Some(item) = item
                && item.height == height
            {
                self.arena.items.push(item);
                continue;
            }
            let end = self.arena.items.len();
            let tree = self.make(Node { left, start, end });
            if first.is_none() {
                first = Some(tree);
            } else {
                self.stack[kept - 1].right = tree;
            }
            if let Some(item) = item {
                (left, start) = (item.right, end);
                self.stack[kept] = item;
                kept += 1;
            }
        }
        self.stack.truncate(kept);
        first.expect("the last round makes a tree")
    }

    fn make(&mut self, node: Node) -> Tree {
        if node.is_empty() && node.left == Tree::Empty {
            return Tree::Empty;
        }
        self.nodes.push(node);
        Tree::Made(u32::try_from(self.nodes.len() - 1).expect("a node takes more than a byte"))
    }

    /// Makes one tree of two between which a key has gone.
    fn merge<S: BlockStore + ?Sized>(
        &mut self,
        store: &S,
        [one, other]: [Tree; 2],
        height: i16,
        gone: Key,
        before: Option<Key>,
    ) -> Result<Tree, EditError> {
        if one == Tree::Empty {
            return Ok(other);
        }
        if other == Tree::Empty {
            return Ok(one);
        }
        let bounds = |after, before| Bounds { after, before };
        let one = self.load(store, one, height, bounds(None, Some(gone)))?;
        let other = self.load(store, other, height, bounds(Some(gone), before))?;
        let seam = [self.arena.tree(one, one.end - one.start), other.left];
        let next = self.arena.items[other.start..other.end].first();
        let before = next.map(|item| item.key).or(before);
        let seam = self.merge(store, seam, height - 1, gone, before)?;
        let start = self.arena.items.len();
        self.arena.items.extend_from_within(one.start..one.end);
        let mut left = one.left;
        match self.arena.items[start..].last_mut() {
            Some(last) => last.right = seam,
            None => left = seam,
        }
        self.arena.items.extend_from_within(other.start..other.end);
        let end = self.arena.items.len();
        Ok(self.make(Node { left, start, end }))
    }

    #[inline]
    fn load<S: BlockStore + ?Sized>(
        &mut self,
        store: &S,
        tree: Tree,
        height: i16,
        bounds: Bounds,
    ) -> Result<Node, MstError> {
        match tree {
            Tree::Empty => Ok(self.arena.no_node()),
            Tree::Stored(cid) => self.arena.read(store, cid, height, bounds),
            Tree::Made(node) => Ok(self.nodes[node as usize]),
        }
    }

    /// Takes nodes without a key off the top.
    fn trim<S: BlockStore + ?Sized>(&self, store: &S, mut tree: Tree) -> Result<Tree, MstError> {
        loop {
            let left = match tree {
                Tree::Made(node) if self.nodes[node as usize].is_empty() => {
                    self.nodes[node as usize].left
                }
                // Where the block is missing, whoever knows the root that it should be sees it.
                Tree::Stored(cid) => match store.block(&cid) {
                    Some(block) => match node::only_left(cid, block)? {
                        Some(left) => Tree::Stored(left),
                        None => return Ok(tree),
                    },
                    None => return Ok(tree),
                },
                tree => return Ok(tree),
            };
            tree = left;
        }
    }

    /// Writes what is new of a tree, from below, and returns its root; `None` of an empty one.
    fn write(&mut self, tree: Tree, put: Put<'_>) -> Option<Cid> {
        let made = match tree {
            Tree::Empty => return None,
            Tree::Stored(cid) => return Some(cid),
            Tree::Made(made) => made as usize,
        };
        let node = self.nodes[made];
        let left = self.write(node.left, put);
        for place in node.start..node.end {
            let right = self.write(self.arena.items[place].right, put);
            self.arena.items[place].right = right.into();
        }
        self.block.clear();
        node::begin(node.end - node.start, &mut self.block);
        let mut last: &[u8] = &[];
        for item in &self.arena.items[node.start..node.end] {
            let key = self.arena.key(item.key);
            let shared = common_prefix(last, key);
            let entry = Entry {
                shared,
                rest: &key[shared..],
                record: item.record,
                right: match item.right {
                    Tree::Stored(cid) => Some(cid),
                    _ => None,
                },
            };
            node::add(&entry, &mut self.block);
            last = key;
        }
        node::end(left.as_ref(), &mut self.block);
        let cid = Cid::of_cbor(&self.block);
        put(cid, &self.block);
        Some(cid)
    }
}

/// What an edit makes of an item; `None` if it goes.
fn change(item: Item, edit: &Edit<'_>) -> Result<Option<Item>, EditError> {
    match edit.operation {
        Operation::Replace { from, to } if from == item.record => {
            Ok(Some(Item { record: to, ..item }))
        }
        Operation::Remove(record) if record == item.record => Ok(None),
        _ => Err(edit.contradiction()),
    }
}

impl Edit<'_> {
    const fn contradiction(&self) -> EditError {
        EditError::Contradiction { index: self.index }
    }
}
