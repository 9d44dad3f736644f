//! What is asked of the world, and what it can answer.

use std::sync::Arc;

#[cfg(doc)]
use super::Ingest;
use super::{Event, Notice};
use crate::VerifyingKey;

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open a WebSocket. What comes of it is told with its number: [`Ingest::opened`], [`Ingest::frame`],
    /// [`Ingest::heard`], [`Ingest::closed`].
    Connect {
        /// The number.
        connection: ConnectionId,
        /// Where to, with the cursor.
        url: String,
    },
    /// Close that WebSocket, if it is still there.
    Disconnect {
        /// Which one.
        connection: ConnectionId,
    },
    /// Read what was kept of an account: [`Ingest::account`].
    ReadAccount {
        /// The account.
        did: String,
    },
    /// Look up the identity of an account, whatever is remembered of it: [`Ingest::identity`].
    FindIdentity {
        /// The account.
        did: String,
    },
    /// Fetch the repository of an account from where its DID document says that it is: [`Ingest::repository`].
    FetchRepository {
        /// The account.
        did: String,
    },
    /// Take over an event, and then say so: [`Ingest::done`].
    Deliver {
        /// The number to say so with.
        ticket: Ticket,
        /// The event.
        event: Event,
    },
    /// Keep a cursor, in place of any other of that host.
    KeepCursor {
        /// The host.
        host: String,
        /// The cursor; `None` where the one that is kept means nothing to the host any more, and is to be forgotten.
        cursor: Option<i64>,
    },
    /// Tell the operator.
    Report(Notice),
}

/// What the DID document of an account says.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The key that the account signs with.
    pub key: VerifyingKey,
    /// The host of its repository, by whatever name is the same for all its accounts; `None` if there is none.
    pub host: Option<Arc<str>>,
}

/// The number of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub(super) u64);

/// The number of a delivered event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(super) u64);

/// Why something could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// Not for now: it is tried again.
    #[error("not for now")]
    ForNow,
    /// Nothing suggests that another attempt would help.
    #[error("not at all")]
    AtAll,
    /// The host says that the account is not active (`RepoDeactivated`, `RepoTakendown`, `RepoSuspended`).
    #[error("the account is not active")]
    Inactive,
    /// It takes more than this, which is the most that is read. Only its owner can make it smaller, or whoever reads it the
    /// limit larger.
    #[error("more than {0} bytes")]
    TooLarge(usize),
}

/// As much waits to be done as may. It has to be said again later: see [`Ingest::wants_frames`] and
/// [`Ingest::wants_resyncs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("as much waits to be done as may")]
pub struct Full;
