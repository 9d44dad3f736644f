//! The operations of a commit.

use super::{FrameError, missing};
use crate::Cid;
use crate::cbor::{CborError, Key, Reader};

/// The operations of a commit. Most have one, which is kept; others are read from the frame each time that they are
/// looked at.
#[derive(Clone, Copy, Debug)]
pub struct Ops<'a> {
    first: Option<RepoOp<'a>>,
    /// Begins with the items of a list behind the first, which have been read once, without an error.
    others: &'a [u8],
    len: usize,
}

/// What a commit says that it does to one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepoOp<'a> {
    /// What it does.
    pub action: Action<'a>,
    /// Where the record stands: its collection, a slash and its key, which is for the verifier to check.
    pub path: &'a str,
    /// The record afterwards; `None` if there is none.
    pub cid: Option<Cid>,
    /// The record before; also `None` where the host does not say.
    pub prev: Option<Cid>,
}

/// What an operation does to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// Where there was none there is one now.
    Create,
    /// There is another one now.
    Update,
    /// There is none any more.
    Delete,
    /// Nothing that is specified.
    Other(&'a str),
}

impl<'a> Ops<'a> {
    /// How many they are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The operations, in the order of the frame.
    ///
    /// # Panics
    /// Never: they have all been read once.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = RepoOp<'a>> + use<'a> {
        let mut reader = Reader::new(self.others);
        let mut first = self.first;
        (0..self.len).map(move |_| {
            let op = first.take().map_or_else(|| read_op(&mut reader), Ok);
            op.expect("it was read before")
        })
    }

    #[inline]
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, FrameError> {
        let len = reader.list()?;
        let first = (len > 0).then(|| read_op(reader)).transpose()?;
        let others = reader.rest();
        for _ in 1..len {
            read_op(reader)?;
        }
        Ok(Self { first, others, len })
    }
}

const OF: &str = "an operation";
const CID: Key = Key::new("cid");
const PATH: Key = Key::new("path");
const PREV: Key = Key::new("prev");
const ACTION: Key = Key::new("action");

#[inline]
fn read_op<'a>(reader: &mut Reader<'a>) -> Result<RepoOp<'a>, FrameError> {
    // In the list, in the map of the event.
    let mut map = reader.map_in(2)?;
    let cid = map.field(&CID, reader, |reader| reader.nullable(Reader::cid))?;
    let path = map.field(&PATH, reader, Reader::text)?;
    let prev = map.nullable(&PREV, reader, Reader::cid)?;
    let action = map.field(&ACTION, reader, read_action)?;
    map.finish(reader)?;
    Ok(RepoOp {
        action: action.ok_or(missing(OF, "action"))?,
        path: path.ok_or(missing(OF, "path"))?,
        cid: cid.ok_or(missing(OF, "cid"))?,
        prev,
    })
}

#[inline]
fn read_action<'a>(reader: &mut Reader<'a>) -> Result<Action<'a>, CborError> {
    Ok(if reader.take_if(b"\x66create") {
        Action::Create
    } else if reader.take_if(b"\x66update") {
        Action::Update
    } else if reader.take_if(b"\x66delete") {
        Action::Delete
    } else {
        Action::Other(reader.text()?)
    })
}

impl Action<'_> {
    /// The action as it stands in an event.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Other(other) => other,
        }
    }
}
