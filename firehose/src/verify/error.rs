//! Why a commit is not taken, and what to do then.

use super::{MAX_CLOCK_SKEW, MAX_OPS};
use crate::Tid;
use crate::car::CarError;
use crate::commit::CommitObjectError;
use crate::mst::MstError;

/// Why a commit is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The host says that the change does not fit into an event.
    #[error("the change is too big for an event")]
    TooBig,
    /// It does not say what was there before, as hosts of an older version do not: what it leaves out cannot be seen.
    #[error("without `prevData`, or the `prev` of an operation")]
    Legacy,
    /// The operations, undone, do not lead to `prevData`: some are made up, or left out.
    #[error("the operations do not lead from `prevData` to the commit")]
    PrevData,
    /// The signature is not that of the key.
    #[error("the signature is not valid")]
    Signature,
    /// More than [`MAX_OPS`] operations.
    #[error("{0} operations; the most is {MAX_OPS}")]
    TooManyOps(usize),
    /// More bytes of blocks than [`MAX_BLOCKS_LEN`](super::MAX_BLOCKS_LEN), or of a `#sync` than
    /// [`MAX_SYNC_BLOCKS_LEN`](super::MAX_SYNC_BLOCKS_LEN).
    #[error("{len} bytes of blocks; the most is {most}")]
    BlocksTooLarge {
        /// How many they are.
        len: usize,
        /// How many they may be.
        most: usize,
    },
    /// `rev` is no TID.
    #[error("`rev` is not a TID")]
    RevSyntax,
    /// `since` is no TID.
    #[error("`since` is not a TID")]
    Since,
    /// `rev` does not come after `since`.
    #[error("`rev` does not come after `since`")]
    RevOrder,
    /// The revision is more than [`MAX_CLOCK_SKEW`] ahead.
    #[error("`rev` {0} is more than {MAX_CLOCK_SKEW:?} in the future")]
    RevInFuture(Tid),
    /// `blocks` is no CAR.
    #[error(transparent)]
    Car(#[from] CarError),
    /// The root of the CAR is not the commit that the event names.
    #[error("the root of the blocks is not the commit of the event")]
    Root,
    /// The block of the commit is missing.
    #[error("the block of the commit is missing")]
    NoCommit,
    /// The block of the commit is none.
    #[error("the commit: {0}")]
    Object(#[from] CommitObjectError),
    /// The commit is of another account than the event.
    #[error("the commit is of another account than the event")]
    Did,
    /// The commit has another revision than the event.
    #[error("the commit has another revision than the event")]
    Rev,
    /// Something is wrong with an operation.
    #[error("operation {index}: {problem}")]
    Op {
        /// Which one, counted from 0.
        index: usize,
        /// What is wrong with it.
        problem: OpProblem,
    },
    /// A node of the tree is missing where it is needed, or is none.
    #[error(transparent)]
    Tree(#[from] MstError),
}

/// What can be wrong with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpProblem {
    /// It is neither to create, nor to update, nor to delete.
    #[error("an action that there is not")]
    Action,
    /// Its path is not a collection, a slash and a record key.
    #[error("the path is not a collection and a record key")]
    Path,
    /// It creates or updates no record, deletes and has one all the same, or creates where it says that one was.
    #[error("the record does not fit the action")]
    Cid,
    /// The block of its record is missing.
    #[error("the block of the record is missing")]
    NoRecord,
    /// Another operation has the same path.
    #[error("the path has an operation already")]
    Duplicate,
    /// The new tree does not hold the record, or another one, or one that should be gone.
    #[error("the tree holds something else")]
    Contradiction,
}

/// What to do about a commit that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing: it is not what it says.
    Reject,
    /// Look up the identity of the account again, once: it may have another key now. If it has not, reject.
    RefreshIdentity,
    /// Fetch the repository: it may be as the commit says, but not by these operations alone.
    Resync,
}

impl CommitError {
    /// What to do.
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::TooBig | Self::Legacy | Self::PrevData => Remedy::Resync,
            Self::Signature => Remedy::RefreshIdentity,
            _ => Remedy::Reject,
        }
    }
}
