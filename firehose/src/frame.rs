//! Frames of `com.atproto.sync.subscribeRepos`: a header and a body, decoded where they lie.
//!
//! Nothing is allocated and nothing is copied: strings and blocks point into the frame. All of the frame is held to
//! the rules of [`cbor`](crate::cbor), also what this version does not know. What is inside `blocks` is the business
//! of [`car`](crate::car) and of the [`Verifier`](crate::Verifier).

mod event;
mod ops;

pub use self::event::{
    AccountEvent, AccountStatus, CommitEvent, ErrorFrame, IdentityEvent, Info, SyncEvent,
    UnknownFrame,
};
pub use self::ops::{Action, Ops, RepoOp};

use crate::cbor::{CborError, Reader};
use std::hint::black_box;

/// The most bytes of a frame: what the specification of event streams allows.
pub const MAX_FRAME_LEN: usize = 5_000_000;

/// A frame, by what its header says that it is.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all frames are commits, and a box would be an allocation for each"
)]
pub enum Frame<'a> {
    /// `#commit`: a repository has changed.
    Commit(CommitEvent<'a>),
    /// `#sync`: what a repository is now, whatever was said before.
    Sync(SyncEvent<'a>),
    /// `#identity`: the DID document or the handle may have changed.
    Identity(IdentityEvent<'a>),
    /// `#account`: an account is hosted, or is not.
    Account(AccountEvent<'a>),
    /// `#info`: a word about the stream itself.
    Info(Info<'a>),
    /// An error, after which the stream ends.
    Error(ErrorFrame<'a>),
    /// An operation or a type that this version does not know: to be passed over.
    Unknown(UnknownFrame<'a>),
}

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Longer than [`MAX_FRAME_LEN`].
    #[error("{0} bytes; the most is {MAX_FRAME_LEN}")]
    TooLarge(usize),
    /// Not canonical DAG-CBOR, or not of the types that the event has.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// Without something that its type requires.
    #[error("{of} without `{field}`")]
    Missing {
        /// The header, or the type of the event.
        of: &'static str,
        /// The name of the field.
        field: &'static str,
    },
    /// An account that is named by something else than a DID.
    #[error("`{field}` of {of} is not a DID")]
    NotDid {
        /// The type of the event.
        of: &'static str,
        /// The name of the field.
        field: &'static str,
    },
}

/// What stands behind the blocks of a commit: `commit`, `rebase`, `tooBig` and `prevData`.
const TAIL: usize = 115;

/// How nearly every frame begins: `{"t": "#commit", "op": 1}`.
const COMMIT_HEADER: &[u8; 15] = b"\xa2\x61t\x67#commit\x62op\x01";

impl<'a> Frame<'a> {
    /// Decodes a frame.
    ///
    /// ```
    /// use huddle_firehose::Frame;
    ///
    /// let frame = Frame::decode(b"\xa1\x62op\x20\xa1\x65error\x6cFutureCursor")?;
    /// assert!(matches!(frame, Frame::Error(error) if error.error == "FutureCursor"));
    /// # Ok::<(), huddle_firehose::FrameError>(())
    /// ```
    pub fn decode(frame: &'a [u8]) -> Result<Self, FrameError> {
        if frame.len() > MAX_FRAME_LEN {
            return Err(FrameError::TooLarge(frame.len()));
        }
        // The blocks are passed over, and what is behind them is far from what is read first. Asked for now, it is on
        // its way meanwhile: in a frame that is in no near cache, that takes as long as all the rest.
        let tail = &frame[frame.len().saturating_sub(TAIL)..];
        black_box((tail.first().copied(), tail.last().copied()));
        let mut reader = Reader::new(frame);
        let header = if reader.take_if(COMMIT_HEADER) {
            Header {
                op: MESSAGE,
                event: Some("#commit"),
            }
        } else {
            Header::read(&mut reader)?
        };
        let decoded = match (header.op, header.event) {
            (MESSAGE, Some("#commit")) => Self::Commit(CommitEvent::read(&mut reader)?),
            (MESSAGE, Some("#sync")) => Self::Sync(SyncEvent::read(&mut reader)?),
            (MESSAGE, Some("#identity")) => Self::Identity(IdentityEvent::read(&mut reader)?),
            (MESSAGE, Some("#account")) => Self::Account(AccountEvent::read(&mut reader)?),
            (MESSAGE, Some("#info")) => Self::Info(Info::read(&mut reader)?),
            (MESSAGE, None) => return Err(missing("the header of a message", "t")),
            (ERROR, _) => Self::Error(ErrorFrame::read(&mut reader)?),
            (op, event) => Self::Unknown(UnknownFrame::read(op, event, &mut reader)?),
        };
        reader.end()?;
        Ok(decoded)
    }

    /// The place in the stream, which a cursor names; `None` for what has none.
    pub fn seq(&self) -> Option<i64> {
        match self {
            Self::Commit(event) => Some(event.seq),
            Self::Sync(event) => Some(event.seq),
            Self::Identity(event) => Some(event.seq),
            Self::Account(event) => Some(event.seq),
            Self::Unknown(frame) => frame.seq,
            Self::Info(_) | Self::Error(_) => None,
        }
    }

    /// When the host sent it out first, by the host's clock and in its words; `None` for what has no such time.
    pub fn time(&self) -> Option<&'a str> {
        match self {
            Self::Commit(event) => Some(event.time),
            Self::Sync(event) => Some(event.time),
            Self::Identity(event) => Some(event.time),
            Self::Account(event) => Some(event.time),
            Self::Unknown(_) | Self::Info(_) | Self::Error(_) => None,
        }
    }
}

const MESSAGE: i64 = 1;
const ERROR: i64 = -1;

struct Header<'a> {
    op: i64,
    event: Option<&'a str>,
}

impl<'a> Header<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, FrameError> {
        let (mut op, mut event) = (None, None);
        let mut map = reader.map()?;
        while let Some(key) = map.next_key(reader)? {
            match key {
                b"op" => op = Some(reader.integer()?),
                b"t" => event = Some(reader.text()?),
                _ => reader.skip_in(1)?,
            }
        }
        let op = op.ok_or(missing("the header", "op"))?;
        Ok(Self { op, event })
    }
}

const fn missing(of: &'static str, field: &'static str) -> FrameError {
    FrameError::Missing { of, field }
}

#[cfg(test)]
mod tests;
