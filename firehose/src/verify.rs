//! Verifies commits: that their blocks are what they are called, that the operations are all that has changed, and
//! that the account has signed it.

mod error;
mod record;

pub use self::error::{CommitError, OpProblem, Remedy};
pub use self::record::{Change, Record, RecordError};

use crate::car::{BlockStore, Index};
use crate::commit::RepoCommit;
use crate::frame::{Action, CommitEvent, RepoOp, SyncEvent};
use crate::key::VerifyingKey;
use crate::mst::{self, Edit, EditError, Editor, MstProblem, Operation};
use crate::{Cid, Tid, syntax};
use std::time::Duration;

/// The most operations of a commit.
pub const MAX_OPS: usize = 200;
/// The most bytes of `blocks`.
pub const MAX_BLOCKS_LEN: usize = 2_000_000;
/// The most bytes of the `blocks` of a `#sync`: `com.atproto.sync.subscribeRepos#sync`.
pub const MAX_SYNC_BLOCKS_LEN: usize = 10_000;
/// How far ahead of the clock a revision may be.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_mins(5);

/// How much of a commit is verified. Each level includes the ones before it.
///
/// Only [`Level::Signature`] proves that a record is its account's: below it, whoever sends the stream is believed.
#[derive(Clone, Copy, Debug)]
pub enum Level<'k> {
    /// The blocks are read, but not hashed: anybody on the way may have changed them.
    Blocks,
    /// Each block has the hash that its CID says.
    Hashes,
    /// The operations, undone, lead from the new tree back to `prevData`: none is made up, and none left out.
    Operations,
    /// The account has signed the commit.
    Signature(&'k VerifyingKey),
}

/// Verifies one commit after the other, with the same memory.
///
/// ```
/// use huddle_firehose::{Frame, Level, Remedy, Verifier, VerifyingKey};
/// # let (frames, now): (Vec<Vec<u8>>, _) = (Vec::new(), std::time::Duration::ZERO);
/// # let key = VerifyingKey::from_did_key("did:key:zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc")?;
/// let mut verifier = Verifier::new();
/// for bytes in frames {
///     let Frame::Commit(commit) = Frame::decode(&bytes)? else { continue };
///     match verifier.verify(&commit, Level::Signature(&key), now) {
///         Ok(verified) => {
///             for change in verified.changes() {
///                 println!("{} {}/{}", change.action.as_str(), change.collection, change.rkey);
///                 if let Some(record) = change.record {
///                     println!("{} {:?}", record.cid, record.bytes());
///                 }
///             }
///         }
///         Err(error) if error.remedy() == Remedy::Resync => println!("fetch the repository"),
///         Err(error) => println!("rejected: {error}"),
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Verifier {
    index: Index,
    editor: Editor,
}

/// What a repository is at one revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The revision.
    pub rev: Tid,
    /// The root of the tree of records.
    pub data: Cid,
}

/// A commit that is what it says, as far as was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Verified<'v, 'a> {
    event: &'v CommitEvent<'a>,
    head: Head,
    since: Option<Tid>,
    index: &'v Index,
}

impl Verifier {
    /// A verifier, which has no memory of its own yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Verifies a commit. `now` is the time since 1970.
    ///
    /// Whether it follows on what is known of the account is for [`Account`](crate::Account) to say.
    pub fn verify<'v, 'a>(
        &'v mut self,
        event: &'v CommitEvent<'a>,
        level: Level<'_>,
        now: Duration,
    ) -> Result<Verified<'v, 'a>, CommitError> {
        let rev = check_rev(event.rev, now)?;
        if event.too_big {
            return Err(CommitError::TooBig);
        }
        if event.ops.len() > MAX_OPS {
            return Err(CommitError::TooManyOps(event.ops.len()));
        }
        let since = event.since.map(str::parse).transpose();
        let since = since.map_err(|_| CommitError::Since)?;
        if since.is_some_and(|since| since >= rev) {
            return Err(CommitError::RevOrder);
        }
        let root = self.read_blocks(event.blocks, MAX_BLOCKS_LEN, level)?;
        if root != event.commit {
            return Err(CommitError::Root);
        }
        let commit = self.read_commit(&event.commit, event.blocks)?;
        if commit.did != event.repo {
            return Err(CommitError::Did);
        }
        if commit.rev != rev {
            return Err(CommitError::Rev);
        }
        self.check_ops(event)?;
        // Only once it is the account's word is a commit reason enough to undo it, or to fetch the repository.
        if let Level::Signature(key) = level {
            commit.verify(key).map_err(|_| CommitError::Signature)?;
        }
        if let Level::Operations | Level::Signature(_) = level {
            self.undo(event, commit.data)?;
        }
        Ok(Verified {
            event,
            head: Head {
                rev,
                data: commit.data,
            },
            since,
            index: &self.index,
        })
    }

    /// Verifies what an account says its repository is now.
    ///
    /// There are no operations to check: of the levels only [`Level::Signature`] asks for more.
    pub fn verify_sync(
        &mut self,
        event: &SyncEvent<'_>,
        level: Level<'_>,
        now: Duration,
    ) -> Result<Head, CommitError> {
        let rev = check_rev(event.rev, now)?;
        let root = self.read_blocks(event.blocks, MAX_SYNC_BLOCKS_LEN, level)?;
        let commit = self.read_commit(&root, event.blocks)?;
        if commit.did != event.did {
            return Err(CommitError::Did);
        }
        if commit.rev != rev {
            return Err(CommitError::Rev);
        }
        if let Level::Signature(key) = level {
            commit.verify(key).map_err(|_| CommitError::Signature)?;
        }
        Ok(Head {
            rev,
            data: commit.data,
        })
    }

    #[inline]
    fn read_blocks(
        &mut self,
        blocks: &[u8],
        most: usize,
        level: Level<'_>,
    ) -> Result<Cid, CommitError> {
        let len = blocks.len();
        if len > most {
            return Err(CommitError::BlocksTooLarge { len, most });
        }
        let hashing = !matches!(level, Level::Blocks);
        Ok(self.index.fill(blocks, hashing)?)
    }

    fn read_commit<'a>(&self, cid: &Cid, blocks: &'a [u8]) -> Result<RepoCommit<'a>, CommitError> {
        let block = self.index.find(blocks, cid);
        Ok(RepoCommit::read(block.ok_or(CommitError::NoCommit)?)?)
    }

    /// Checks each operation by itself, and that its record is there.
    fn check_ops(&self, event: &CommitEvent<'_>) -> Result<(), CommitError> {
        for (index, op) in event.ops.iter().enumerate() {
            let fail = |problem| Err(CommitError::Op { index, problem });
            if syntax::split_path(op.path).is_none() {
                return fail(OpProblem::Path);
            }
            match (op.action, op.cid, op.prev) {
                (Action::Create, Some(cid), None) | (Action::Update, Some(cid), _) => {
                    let is_there = self.index.find(event.blocks, &cid).is_some();
                    if !is_there && !event.ops.iter().any(|other| removes(&other, cid)) {
                        return fail(OpProblem::NoRecord);
                    }
                }
                (Action::Create | Action::Update, ..) | (Action::Delete, Some(_), _) => {
                    return fail(OpProblem::Cid);
                }
                (Action::Delete, None, _) => {}
                (Action::Other(_), ..) => return fail(OpProblem::Action),
            }
        }
        Ok(())
    }

    /// Undoes the operations on the new tree, which has to lead to the tree before.
    fn undo(&mut self, event: &CommitEvent<'_>, data: Cid) -> Result<(), CommitError> {
        let mut edits = Vec::with_capacity(event.ops.len());
        for (index, op) in event.ops.iter().enumerate() {
            let Some(operation) = inverse(&op) else {
                return Err(CommitError::Legacy);
            };
            edits.push(Edit {
                key: op.path.as_bytes(),
                operation,
                index,
            });
        }
        edits.sort_unstable_by_key(|edit| edit.key);
        if let Some(twice) = edits.windows(2).find(|pair| pair[0].key == pair[1].key) {
            return Err(CommitError::Op {
                index: twice[0].index.max(twice[1].index),
                problem: OpProblem::Duplicate,
            });
        }
        // Before its first commit a repository is empty, whether or not the host says so.
        let is_first = event.since.is_none();
        let before = event.prev_data.or(is_first.then(mst::empty_root));
        let before = before.ok_or(CommitError::Legacy)?;
        // The tree of a commit that changes nothing need not be there.
        let undone = if edits.is_empty() {
            data
        } else {
            let blocks = Blocks {
                car: event.blocks,
                index: &self.index,
            };
            let undone = self.editor.edit(&blocks, data, &edits, &mut |_, _| {});
            undone.map_err(|error| match error {
                // A host of before `prevData` does not send what is beside the operations.
                EditError::Node(node)
                    if event.prev_data.is_none() && node.problem == MstProblem::Missing =>
                {
                    CommitError::Legacy
                }
                error => error.into(),
            })?
        };
        match undone == before {
            true => Ok(()),
            false if event.prev_data.is_none() => Err(CommitError::Legacy),
            false => Err(CommitError::PrevData),
        }
    }
}

impl<'v, 'a> Verified<'v, 'a> {
    /// What the repository is after the commit.
    pub const fn head(&self) -> Head {
        self.head
    }

    /// The revision before it.
    pub const fn since(&self) -> Option<Tid> {
        self.since
    }

    /// The root of the tree before it, as the event says: up to [`Level::Hashes`] that is all there is to it. From
    /// [`Level::Operations`] on the commit is known to have come from it, and without it from an empty repository.
    pub const fn prev_data(&self) -> Option<Cid> {
        self.event.prev_data
    }

    /// The event.
    pub const fn event(&self) -> &'v CommitEvent<'a> {
        self.event
    }

    /// What has changed, in the order of the event.
    ///
    /// # Panics
    /// Never: the paths have all been checked.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = Change<'a>> + use<'v, 'a> {
        let Self { event, index, .. } = *self;
        event.ops.iter().map(move |op| {
            let (collection, rkey) = syntax::halves(op.path).expect("the paths have been checked");
            Change {
                action: op.action,
                collection,
                rkey,
                prev: op.prev,
                record: op.cid.map(|cid| Record {
                    collection,
                    cid,
                    block: index.find(event.blocks, &cid),
                }),
            }
        })
    }
}

/// Whether an operation takes away a record of this CID. A host then leaves out its block, though another operation
/// puts the same record elsewhere.
fn removes(op: &RepoOp<'_>, cid: Cid) -> bool {
    op.prev == Some(cid) && op.cid != Some(cid)
}

/// What undoes an operation; `None` where the host does not say what was there before.
fn inverse(op: &RepoOp<'_>) -> Option<Operation> {
    match (op.action, op.cid, op.prev) {
        (Action::Create, Some(cid), _) => Some(Operation::Remove(cid)),
        (_, Some(from), Some(to)) => Some(Operation::Replace { from, to }),
        (_, None, Some(prev)) => Some(Operation::Insert(prev)),
        _ => None,
    }
}

fn check_rev(rev: &str, now: Duration) -> Result<Tid, CommitError> {
    let rev: Tid = rev.parse().map_err(|_| CommitError::RevSyntax)?;
    if rev.since_epoch() > now.saturating_add(MAX_CLOCK_SKEW) {
        return Err(CommitError::RevInFuture(rev));
    }
    Ok(rev)
}

/// The blocks of a commit.
struct Blocks<'v, 'a> {
    car: &'a [u8],
    index: &'v Index,
}

impl BlockStore for Blocks<'_, '_> {
    #[inline]
    fn block(&self, cid: &Cid) -> Option<&[u8]> {
        self.index.find(self.car, cid)
    }
}

impl From<EditError> for CommitError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Node(error) => Self::Tree(error),
            EditError::Contradiction { index } => Self::Op {
                index,
                problem: OpProblem::Contradiction,
            },
        }
    }
}

#[cfg(test)]
mod tests;
