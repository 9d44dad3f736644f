//! What comes out of the stream, for whoever keeps what the accounts have published.

use std::sync::Arc;

use crate::jetstream::JetstreamError;
use crate::{Account, Cid, CommitError, FrameError, Hosting, RecordError, Tid};

/// Something to be taken over, and [acknowledged](super::Ingest::done) when it has been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// News of one account.
    Account {
        /// The account.
        did: String,
        /// What is news.
        news: News,
        /// The account's state afterwards, where it may be another one. It is to be kept in one transaction with what
        /// the news change: then what comes again after a crash is known to be stale, and is not delivered again. All
        /// accounts of which a state is kept, but the deleted ones, are followed: they are to be in the filter of the
        /// next process.
        state: Option<Account>,
        /// Who vouches for it.
        proof: Proof,
    },
    /// Nobody knows what came between the cursor and now. It is delivered when all that came before has been
    /// acknowledged.
    ///
    /// Of all accounts of which something is held, the repositories have to be fetched ([`Ingest::resync`]); which
    /// ones these are has to be kept before the event is acknowledged. Until then the cursor stays where it is.
    ///
    /// [`Ingest::resync`]: super::Ingest::resync
    Gap {
        /// The host whose stream it is.
        host: String,
        /// How it came to be.
        cause: GapCause,
    },
}

/// What is news of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Records have changed. The list is empty where a commit changed other records only: the account's state is new
    /// all the same.
    Changes {
        /// The revision that the commit makes.
        rev: Tid,
        /// The records of interest that have changed.
        changes: Vec<Change>,
    },
    /// The whole repository has been fetched: these are all records of interest, and what else is held is gone.
    /// What is held may be shown, since the account's host gives it out, unless its state says that it is
    /// [taken down](Hosting::TakenDown).
    Repository {
        /// Its revision.
        rev: Tid,
        /// The records, in the order of their paths.
        records: Vec<Change>,
    },
    /// The DID document or the handle may have changed.
    Identity {
        /// What the host takes the handle to be, which nobody has verified.
        handle: Option<String>,
    },
    /// Whether what is held may be shown: [`Hosting::Inactive`] and [`Hosting::TakenDown`] hide it,
    /// [`Hosting::Deleted`] deletes it. What ends each of them, [`Hosting`] says.
    Hosting(Hosting),
    /// What is held is not what the account has published, and could not be fetched either.
    ///
    /// It is fetched again by itself, after rests that grow to [`Limits::longest_rest`](super::Limits::longest_rest), and
    /// at once by [`Ingest::resync`](super::Ingest::resync). Of more accounts than
    /// [`Limits::max_resting`](super::Limits::max_resting) those that would rest longest wait for their next event, so a
    /// consumer that holds more asks for them now and then. Commits until then are passed over, as the repository has
    /// them. News of its identity, of its hosting, or of the state of its repository end such a rest after a minute
    /// ([`Limits::lookup_every`](super::Limits::lookup_every)).
    Desynchronized(LostTrack),
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The collection, an NSID.
    pub collection: String,
    /// The record key.
    pub rkey: String,
    /// What it is now.
    pub record: Outcome,
}

/// What a record is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This. Whether it says what its collection asks for is for the consumer to check, who reads it anyway: one that does
    /// not is to be left out by itself.
    Record {
        /// Its CID.
        cid: Cid,
        /// Its bytes: DAG-CBOR of a map whose `$type` is the collection. Paths that have the same record share them.
        bytes: Arc<[u8]>,
    },
    /// There is none any more.
    Gone,
    /// Something that is no record. What was there before is gone.
    Refused {
        /// Its CID.
        cid: Cid,
        /// What is wrong with it.
        why: RecordError<RecordProblem>,
    },
}

/// The most bytes of a record.
pub const MAX_RECORD_LEN: usize = 1 << 20;

/// What can be wrong with a record beside what [`RecordError`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordProblem {
    /// More than [`MAX_RECORD_LEN`] bytes.
    #[error("{0} bytes; the most is {MAX_RECORD_LEN}")]
    TooLarge(usize),
    /// A Jetstream's JSON has something that the data model does not have.
    #[error("its JSON is not of the data model")]
    DataModel,
    /// A Jetstream's JSON does not have the CID that the message says.
    #[error("its JSON does not have its CID")]
    Cid,
}

/// Who vouches for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The account has signed it.
    Signature,
    /// Nobody but the host that sent it.
    None,
}

/// Why the stream has a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapCause {
    /// There was no cursor for this host: what it sent before is not known.
    NoCursor,
    /// The host no longer has all that came after the cursor.
    OutdatedCursor,
    /// The host has not come as far as the cursor: its stream is another one than it was.
    FutureCursor {
        /// The cursor that was asked for.
        cursor: i64,
    },
    /// The host sent nothing but garbage after the cursor, twice.
    Garbage {
        /// The cursor that was asked for.
        cursor: i64,
    },
}

/// Why the repository of an account could not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LostTrack {
    /// Its key could not be looked up.
    #[error("its key could not be looked up")]
    Identity,
    /// Its host did not give it out.
    #[error("its host did not give it out")]
    Unavailable,
    /// It takes more bytes than are read of one.
    #[error("it takes more than {0} bytes, which is the most that is read of one")]
    TooLarge(usize),
    /// As many repositories have been fetched as [may be](super::Limits::fetches), so it has to wait.
    #[error("it has to wait for others")]
    Postponed,
    /// What its host gave out was refused.
    #[error("what its host gave out was refused: {0}")]
    Refused(RepositoryError),
}

/// Why a repository is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepositoryError {
    /// It is no repository of the account, or not signed by it.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// It is older than what is known of the account.
    #[error("it is older than what is known of the account")]
    Outdated,
    /// A block of a record of interest is missing.
    #[error("the block of a record is missing")]
    NoRecord,
    /// Its records of interest take more than [`Limits::max_repository_bytes`](super::Limits::max_repository_bytes).
    #[error("its records of interest take more than {0} bytes")]
    TooLarge(usize),
}

/// Something that an operator may want to know, and nobody has to act upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A connection is there.
    Connected {
        /// To which host.
        host: String,
    },
    /// A connection has ended, or did not come about.
    Disconnected {
        /// To which host.
        host: String,
        /// Why.
        why: Ended,
        /// The time since 1970 of the next attempt; it may be at another host.
        next: std::time::Duration,
    },
    /// The host says something about its stream.
    Info {
        /// What it is about.
        name: String,
        /// For people.
        message: Option<String>,
    },
    /// Bytes that are no event were passed over.
    BadFrame {
        /// What is wrong with them.
        why: BadFrame,
    },
    /// An event was not taken.
    Rejected {
        /// The account.
        did: String,
        /// The place in the stream.
        seq: i64,
        /// Why.
        why: CommitError,
    },
    /// An event was not taken, because the account has no key that could be found, or is one of more strangers than may
    /// wait for theirs: see [`Ingest`](super::Ingest#memory).
    NoKey {
        /// The account.
        did: String,
        /// The place in the stream.
        seq: i64,
    },
}

/// Why a connection has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was closed or broken, or could not be made.
    Closed,
    /// It did not come about in [`Limits::connect_timeout`](super::Limits::connect_timeout).
    ConnectTimeout,
    /// There was no sign of life for [`Limits::silence`](super::Limits::silence).
    Silent,
    /// There was no frame for [`Limits::idle`](super::Limits::idle).
    Idle,
    /// The host has ended the stream with this error.
    Error {
        /// Its name, e.g. `ConsumerTooSlow`.
        name: String,
        /// For people.
        message: Option<String>,
    },
    /// The numbers of the stream did not rise.
    Disorder,
    /// Nothing of a long row of frames was an event.
    Garbage,
}

/// Why bytes are no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// Of a stream of repositories.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Of a Jetstream.
    #[error(transparent)]
    Jetstream(#[from] JetstreamError),
}
