//! Reading a tree: one key of it, all of it, or what is different from another.

use super::MstError;
use super::arena::{Arena, Bounds, Mark, Node, Tree};
use crate::Cid;
use crate::car::BlockStore;
use std::cmp::Ordering;

/// Finds the record of a key. `None` is proof that there is none: the nodes that would hold it were there.
pub fn find<S: BlockStore + ?Sized>(
    store: &S,
    root: Cid,
    key: &[u8],
) -> Result<Option<Cid>, MstError> {
    let mut arena = Arena::default();
    let (mut node, mut height) = arena.read_root(store, root)?;
    let mut bounds = Bounds::default();
    loop {
        let items = &arena.items[node.start..node.end];
        let place = items.partition_point(|item| arena.key(item.key) < key);
        if let Some(item) = items.get(place) {
            if arena.key(item.key) == key {
                return Ok(Some(item.record));
            }
            bounds.before = Some(item.key);
        }
        if let Some(before) = place.checked_sub(1) {
            bounds.after = Some(items[before].key);
        }
        let Tree::Stored(cid) = arena.tree(node, place) else {
            return Ok(None);
        };
        height -= 1;
        node = arena.read(store, cid, height, bounds)?;
    }
}

/// Walks over a tree in the order of its keys.
///
/// Every node is checked as it comes, so that what has been walked over to the end is a tree as it should be. After
/// an error nothing more comes.
///
/// ```
/// use huddle_firehose::{Cid, mst};
/// use std::collections::BTreeMap;
///
/// let record = Cid::of_cbor(b"\xa0");
/// let tree = mst::build(&BTreeMap::from([(b"a/1".to_vec(), record), (b"a/2".to_vec(), record)]));
/// let mut cursor = mst::Cursor::new(&tree.blocks, tree.root)?;
/// let mut keys = Vec::new();
/// while let Some(leaf) = cursor.next_leaf()? {
///     keys.push(leaf.key.to_vec());
/// }
/// assert_eq!(keys, [b"a/1", b"a/2"]);
/// # Ok::<(), mst::MstError>(())
/// ```
#[derive(Debug)]
pub struct Cursor<'s, S: BlockStore + ?Sized> {
    store: &'s S,
    arena: Arena,
    levels: Vec<Level>,
}

/// A key of a tree and its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf<'c> {
    /// The key: `collection/record key`.
    pub key: &'c [u8],
    /// The record.
    pub record: Cid,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    node: Node,
    height: i16,
    bounds: Bounds,
    /// The next tree or item: trees have even numbers, items odd ones.
    next: usize,
    /// How full the arena was before.
    mark: Mark,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Subtree { cid: Cid, height: i16 },
    Item { place: usize },
}

impl<'s, S: BlockStore + ?Sized> Cursor<'s, S> {
    /// Starts before the first key.
    pub fn new(store: &'s S, root: Cid) -> Result<Self, MstError> {
        let mut arena = Arena::default();
        let mark = arena.mark();
        let (node, height) = arena.read_root(store, root)?;
        let levels = vec![Level {
            node,
            height,
            bounds: Bounds::default(),
            next: 0,
            mark,
        }];
        Ok(Self {
            store,
            arena,
            levels,
        })
    }

    /// The next key and its record.
    pub fn next_leaf(&mut self) -> Result<Option<Leaf<'_>>, MstError> {
        loop {
            match self.peek() {
                None => return Ok(None),
                Some(Step::Subtree { cid, .. }) => self.enter(cid)?,
                Some(Step::Item { place }) => {
                    self.pass();
                    return Ok(Some(self.leaf(place)));
                }
            }
        }
    }

    fn leaf(&self, place: usize) -> Leaf<'_> {
        let item = &self.arena.items[place];
        Leaf {
            key: self.arena.key(item.key),
            record: item.record,
        }
    }

    fn peek(&mut self) -> Option<Step> {
        while let Some(level) = self.levels.last_mut() {
            let items = level.node.end - level.node.start;
            if level.next > 2 * items {
                self.arena.reset(level.mark);
                self.levels.pop();
                continue;
            }
            let place = level.next / 2;
            if level.next % 2 == 1 {
                let place = level.node.start + place;
                return Some(Step::Item { place });
            }
            if let Tree::Stored(cid) = self.arena.tree(level.node, place) {
                let height = level.height - 1;
                return Some(Step::Subtree { cid, height });
            }
            level.next += 1;
        }
        None
    }

    /// Passes over what comes next.
    fn pass(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.next += 1;
        }
    }

    /// Goes into the subtree that comes next.
    fn enter(&mut self, cid: Cid) -> Result<(), MstError> {
        let Some(level) = self.levels.last_mut() else {
            return Ok(());
        };
        let items = &self.arena.items[level.node.start..level.node.end];
        let place = level.next / 2;
        level.next += 1;
        let before = items.get(place).map(|item| item.key);
        let after = place.checked_sub(1).map(|place| items[place].key);
        let bounds = Bounds {
            after: after.or(level.bounds.after),
            before: before.or(level.bounds.before),
        };
        let height = level.height - 1;
        let mark = self.arena.mark();
        let node = self.arena.read(self.store, cid, height, bounds);
        let node = node.inspect_err(|_| self.levels.clear())?;
        self.levels.push(Level {
            node,
            height,
            bounds,
            next: 0,
            mark,
        });
        Ok(())
    }
}

/// A key at which two trees differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'c> {
    /// The key: `collection/record key`.
    pub key: &'c [u8],
    /// The record in the old tree, if there is one.
    pub from: Option<Cid>,
    /// The record in the new tree, if there is one.
    pub to: Option<Cid>,
}

/// Tells each key at which two trees differ, in their order. What the trees share is not looked at.
pub fn diff<S: BlockStore + ?Sized, T: BlockStore + ?Sized>(
    old: (&S, Cid),
    new: (&T, Cid),
    mut tell: impl FnMut(Change<'_>),
) -> Result<(), MstError> {
    if old.1 == new.1 {
        return Ok(());
    }
    let mut old = Cursor::new(old.0, old.1)?;
    let mut new = Cursor::new(new.0, new.1)?;
    loop {
        match (old.peek(), new.peek()) {
            (None, None) => return Ok(()),
            (
                Some(Step::Subtree { cid: one, height }),
                Some(Step::Subtree {
                    cid: two,
                    height: other,
                }),
            ) => {
                if one == two {
                    old.pass();
                    new.pass();
                } else if height >= other {
                    old.enter(one)?;
                } else {
                    new.enter(two)?;
                }
            }
            (Some(Step::Subtree { cid, .. }), _) => old.enter(cid)?,
            (_, Some(Step::Subtree { cid, .. })) => new.enter(cid)?,
            (Some(Step::Item { place: one }), Some(Step::Item { place: two })) => {
                let (one, two) = (old.leaf(one), new.leaf(two));
                let order = one.key.cmp(two.key);
                match order {
                    Ordering::Less => tell(one.gone()),
                    Ordering::Greater => tell(two.come()),
                    Ordering::Equal if one.record != two.record => tell(Change {
                        from: Some(one.record),
                        ..two.come()
                    }),
                    Ordering::Equal => {}
                }
                if order.is_le() {
                    old.pass();
                }
                if order.is_ge() {
                    new.pass();
                }
            }
            (Some(Step::Item { place }), None) => {
                tell(old.leaf(place).gone());
                old.pass();
            }
            (None, Some(Step::Item { place })) => {
                tell(new.leaf(place).come());
                new.pass();
            }
        }
    }
}

impl<'c> Leaf<'c> {
    const fn gone(self) -> Change<'c> {
        Change {
            key: self.key,
            from: Some(self.record),
            to: None,
        }
    }

    const fn come(self) -> Change<'c> {
        Change {
            key: self.key,
            from: None,
            to: Some(self.record),
        }
    }
}
