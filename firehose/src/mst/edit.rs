//! Edits of a tree of which only a part is at hand.
//!
//! A node is read when an edit falls into it. All edits are made in one descent, in the order of their keys, so no
//! node is looked at that the outcome does not depend on; and what is new is written once, when all are made.

use super::arena::{Arena, Bounds, Item, KEPT_BYTES, KEPT_ITEMS, Node, Tree};
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

/// A tree that is to become one with its neighbours.
#[derive(Clone, Copy, Debug)]
struct Part {
    tree: Tree,
    bounds: Bounds,
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
        let edited = self.edit_tree(store, root, edits, put);
        self.clear();
        edited
    }

    /// Forgets all, and keeps as much memory as edits take as a rule.
    fn clear(&mut self) {
        self.arena.clear();
        self.nodes.clear();
        self.nodes.shrink_to(KEPT_ITEMS);
        self.stack.clear();
        self.stack.shrink_to(KEPT_ITEMS);
        self.block.clear();
        self.block.shrink_to(KEPT_BYTES);
    }

    fn edit_tree<S: BlockStore + ?Sized>(
        &mut self,
        store: &S,
        root: Cid,
        edits: &[Edit<'_>],
        put: Put<'_>,
    ) -> Result<Cid, EditError> {
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
        // Trees that are to become one, because the keys between them have gone. They wait for the last one:
        // joined one by one, they would be copied for each key that goes.
        let mut parts = Vec::new();
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
            let mut tree = self.apply(store, subtree, height - 1, within, bounds)?;
            let mut kept = item;
            if let (Some(item), Some((edit, others))) = (item, rest.split_first())
                && edit.key == self.arena.key(item.key)
            {
                rest = others;
                kept = change(item, edit)?;
            }
            let has_gone = item.is_some() && kept.is_none();
            let is_cut = self.stack.len() > slot;
            if !parts.is_empty() {
                parts.push(Part { tree, bounds });
                if !has_gone || is_cut {
                    tree = self.join(store, &parts, height - 1)?;
                    parts.clear();
                }
            }
            if parts.is_empty() {
                *tree_after(&mut self.stack[mark..slot], &mut first) = tree;
            }
            if has_gone && parts.is_empty() {
                let tree = *tree_after(&mut self.stack[mark..], &mut first);
                parts.push(Part { tree, bounds });
            }
            after = item.map(|item| item.key);
            self.stack.extend(kept);
        }
        Ok(self.group(first, mark, height))
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

    /// Makes one tree of those between which there is no key any more.
    fn join<S: BlockStore + ?Sized>(
        &mut self,
        store: &S,
        parts: &[Part],
        height: i16,
    ) -> Result<Tree, MstError> {
        let mut parts = parts.iter().filter(|part| part.tree != Tree::Empty);
        let Some(one) = parts.next() else {
            return Ok(Tree::Empty);
        };
        let Some(other) = parts.next() else {
            return Ok(one.tree);
        };
        let mark = self.stack.len();
        let mut first = Tree::Empty;
        // The trees that meet where one node ends and the next begins.
        let mut seam = Vec::new();
        for part in [one, other].into_iter().chain(parts) {
            let node = self.load(store, part.tree, height, part.bounds)?;
            let next = self.arena.items[node.start..node.end].first();
            seam.push(Part {
                tree: node.left,
                bounds: Bounds {
                    after: part.bounds.after,
                    before: next.map(|item| item.key).or(part.bounds.before),
                },
            });
            if node.is_empty() {
                continue;
            }
            let tree = self.join(store, &seam, height - 1)?;
            *tree_after(&mut self.stack[mark..], &mut first) = tree;
            let items = &self.arena.items[node.start..node.end];
            self.stack.extend_from_slice(items);
            seam.clear();
            seam.extend(items.last().map(|item| Part {
                tree: item.right,
                bounds: Bounds {
                    after: Some(item.key),
                    before: part.bounds.before,
                },
            }));
        }
        let tree = self.join(store, &seam, height - 1)?;
        *tree_after(&mut self.stack[mark..], &mut first) = tree;
        let start = self.arena.items.len();
        self.arena.items.extend(self.stack.drain(mark..));
        let end = self.arena.items.len();
        Ok(self.make(Node {
            left: first,
            start,
            end,
        }))
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

/// The tree after these items: where there is none, the first tree of their node.
fn tree_after<'t>(items: &'t mut [Item], first: &'t mut Tree) -> &'t mut Tree {
    items.last_mut().map_or(first, |item| &mut item.right)
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
