//! The events, field by field.

use super::ops::Ops;
use super::{FrameError, missing};
use crate::Cid;
use crate::cbor::{CborError, CborProblem, Map, Reader};
use crate::syntax;

/// A change of a repository. Nothing of it is verified: see [`Verifier`](crate::Verifier).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CommitEvent<'a> {
    /// The place in the stream.
    pub seq: i64,
    /// The DID of the account.
    pub repo: &'a str,
    /// The revision that the commit makes.
    pub rev: &'a str,
    /// The revision before it, if the account has had one.
    pub since: Option<&'a str>,
    /// When the host sent the event, by its own account. Nothing rests on it, so it can be any text.
    pub time: &'a str,
    /// The commit.
    pub commit: Cid,
    /// The root of the tree before the commit: without it, what the operations leave out cannot be seen.
    pub prev_data: Option<Cid>,
    /// What the commit does.
    pub ops: Ops<'a>,
    /// A slice of the repository, as CAR.
    pub blocks: &'a [u8],
    /// That the change does not fit: the repository has to be fetched. Hosts of today send [`SyncEvent`] instead.
    pub too_big: bool,
}

/// What a repository is now.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SyncEvent<'a> {
    /// The place in the stream.
    pub seq: i64,
    /// The DID of the account.
    pub did: &'a str,
    /// The revision.
    pub rev: &'a str,
    /// When the host sent the event, by its own account.
    pub time: &'a str,
    /// The commit alone, as CAR.
    pub blocks: &'a [u8],
}

/// The DID document or the handle of an account may have changed: what is known of them is to be looked up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityEvent<'a> {
    /// The place in the stream.
    pub seq: i64,
    /// The DID of the account.
    pub did: &'a str,
    /// When the host sent the event, by its own account.
    pub time: &'a str,
    /// What the host takes the handle to be: not verified, not even its syntax.
    pub handle: Option<&'a str>,
}

/// Whether the sender of the stream hosts an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountEvent<'a> {
    /// The place in the stream.
    pub seq: i64,
    /// The DID of the account.
    pub did: &'a str,
    /// When the host sent the event, by its own account.
    pub time: &'a str,
    /// Whether what the account publishes may be shown.
    pub active: bool,
    /// Why it is not.
    pub status: Option<AccountStatus<'a>>,
}

/// Why an account is not active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStatus<'a> {
    /// The host has taken it down.
    Takendown,
    /// The host has suspended it for a time.
    Suspended,
    /// Its owner has deleted it.
    Deleted,
    /// Its owner has switched it off for a time.
    Deactivated,
    /// The sender has lost track of its repository.
    Desynchronized,
    /// The sender does not pass its events on for now.
    Throttled,
    /// Something else, which counts as not active.
    Other(&'a str),
}

/// A word about the stream, e.g. `OutdatedCursor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Info<'a> {
    /// What it is about.
    pub name: &'a str,
    /// For people.
    pub message: Option<&'a str>,
}

/// Why the stream ends, e.g. `FutureCursor` or `ConsumerTooSlow`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorFrame<'a> {
    /// The name of the error; empty where there is none.
    pub error: &'a str,
    /// For people.
    pub message: Option<&'a str>,
}

/// What this version does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownFrame<'a> {
    /// The operation; 1 is a message.
    pub op: i64,
    /// The type of the message.
    pub event: Option<&'a str>,
    /// The place in the stream, where the body has one: the cursor moves on all the same.
    pub seq: Option<i64>,
}

/// The keys of a commit, in the order of maps.
mod key {
    use crate::cbor::Key;

    pub(super) const OPS: Key = Key::new("ops");
    pub(super) const REV: Key = Key::new("rev");
    pub(super) const SEQ: Key = Key::new("seq");
    pub(super) const REPO: Key = Key::new("repo");
    pub(super) const TIME: Key = Key::new("time");
    pub(super) const BLOBS: Key = Key::new("blobs");
    pub(super) const SINCE: Key = Key::new("since");
    pub(super) const BLOCKS: Key = Key::new("blocks");
    pub(super) const COMMIT: Key = Key::new("commit");
    pub(super) const REBASE: Key = Key::new("rebase");
    pub(super) const TOO_BIG: Key = Key::new("tooBig");
    pub(super) const PREV_DATA: Key = Key::new("prevData");
}

impl<'a> CommitEvent<'a> {
    #[inline]
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, FrameError> {
        const OF: &str = "#commit";
        let mut map = reader.map()?;
        let ops = map.field(&key::OPS, reader, Ops::read)?;
        let rev = map.field(&key::REV, reader, Reader::text)?;
        let seq = map.field(&key::SEQ, reader, sequence)?;
        let repo = map.field(&key::REPO, reader, |reader| did(OF, "repo", reader))?;
        let time = map.field(&key::TIME, reader, Reader::text)?;
        // `blobs` is deprecated, and some hosts send null for it; nobody has sent `rebase` for years.
        map.field(&key::BLOBS, reader, |reader| reader.skip_in(1))?;
        let since = map.nullable(&key::SINCE, reader, Reader::text)?;
        let blocks = map.nullable(&key::BLOCKS, reader, Reader::bytes)?;
        let commit = map.field(&key::COMMIT, reader, Reader::cid)?;
        map.field(&key::REBASE, reader, Reader::boolean)?;
        let too_big = map.nullable(&key::TOO_BIG, reader, Reader::boolean)?;
        let prev_data = map.nullable(&key::PREV_DATA, reader, Reader::cid)?;
        map.finish(reader)?;
        let too_big = too_big.unwrap_or(false);
        Ok(Self {
            seq: seq.ok_or(missing(OF, "seq"))?,
            repo: repo.ok_or(missing(OF, "repo"))?,
            rev: rev.ok_or(missing(OF, "rev"))?,
            since,
            time: time.ok_or(missing(OF, "time"))?,
            commit: commit.ok_or(missing(OF, "commit"))?,
            prev_data,
            ops: ops.ok_or(missing(OF, "ops"))?,
            blocks: match blocks {
                None if too_big => &[],
                blocks => blocks.ok_or(missing(OF, "blocks"))?,
            },
            too_big,
        })
    }
}

impl<'a> SyncEvent<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, FrameError> {
        const OF: &str = "#sync";
        let (mut rev, mut blocks) = (None, None);
        let about = About::read(OF, reader, |key, reader| {
            match key {
                b"rev" => rev = Some(reader.text()?),
                b"blocks" => blocks = Some(reader.bytes()?),
                _ => reader.skip_in(1)?,
            }
            Ok(())
        })?;
        Ok(Self {
            seq: about.seq,
            did: about.did,
            rev: rev.ok_or(missing(OF, "rev"))?,
            time: about.time,
            blocks: blocks.ok_or(missing(OF, "blocks"))?,
        })
    }
}

impl<'a> IdentityEvent<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, FrameError> {
        let mut handle = None;
        let about = About::read("#identity", reader, |key, reader| {
            match key {
                b"handle" => handle = reader.nullable(Reader::text)?,
                _ => reader.skip_in(1)?,
            }
            Ok(())
        })?;
        Ok(Self {
            seq: about.seq,
            did: about.did,
            time: about.time,
            handle,
        })
    }
}

impl<'a> AccountEvent<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, FrameError> {
        const OF: &str = "#account";
        let (mut active, mut status) = (None, None);
        let about = About::read(OF, reader, |key, reader| {
            match key {
                b"active" => active = Some(reader.boolean()?),
                b"status" => status = reader.nullable(Reader::text)?,
                _ => reader.skip_in(1)?,
            }
            Ok(())
        })?;
        Ok(Self {
            seq: about.seq,
            did: about.did,
            time: about.time,
            active: active.ok_or(missing(OF, "active"))?,
            status: status.map(AccountStatus::from),
        })
    }
}

impl<'a> From<&'a str> for AccountStatus<'a> {
    fn from(status: &'a str) -> Self {
        match status {
            "takendown" => Self::Takendown,
            "suspended" => Self::Suspended,
            "deleted" => Self::Deleted,
            "deactivated" => Self::Deactivated,
            "desynchronized" => Self::Desynchronized,
            "throttled" => Self::Throttled,
            other => Self::Other(other),
        }
    }
}

impl<'a> AccountStatus<'a> {
    /// The status as it stands in an event.
    pub fn as_str(&self) -> &'a str {
        match self {
            Self::Takendown => "takendown",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
            Self::Deactivated => "deactivated",
            Self::Desynchronized => "desynchronized",
            Self::Throttled => "throttled",
            Self::Other(other) => other,
        }
    }
}

impl<'a> Info<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, FrameError> {
        let (name, message) = named(reader, b"name")?;
        Ok(Self {
            name: name.ok_or(missing("#info", "name"))?,
            message,
        })
    }
}

impl<'a> ErrorFrame<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, FrameError> {
        // The stream ends, however little there is to say about it.
        let (error, message) = if reader.end().is_ok() {
            (None, None)
        } else {
            named(reader, b"error")?
        };
        Ok(Self {
            error: error.unwrap_or_default(),
            message,
        })
    }
}

impl<'a> UnknownFrame<'a> {
    pub(super) fn read(
        op: i64,
        event: Option<&'a str>,
        reader: &mut Reader<'a>,
    ) -> Result<Self, FrameError> {
        let mut body = *reader;
        reader.skip()?;
        let mut seq = None;
        if let Ok(mut map) = body.map() {
            while let Some(key) = map.next_key(&mut body)? {
                if key == b"seq" {
                    seq = sequence(&mut body.clone()).ok();
                }
                body.skip()?;
            }
        }
        Ok(Self { op, event, seq })
    }
}

/// What an event about an account has, whichever it is.
struct About<'a> {
    seq: i64,
    did: &'a str,
    time: &'a str,
}

impl<'a> About<'a> {
    /// Reads the body; `other` is given every other key, and reads its value.
    fn read(
        of: &'static str,
        reader: &mut Reader<'a>,
        mut other: impl FnMut(&[u8], &mut Reader<'a>) -> Result<(), CborError>,
    ) -> Result<Self, FrameError> {
        let (mut seq, mut account, mut time) = (None, None, None);
        let mut map: Map<'a> = reader.map()?;
        while let Some(key) = map.next_key(reader)? {
            match key {
                b"seq" => seq = Some(sequence(reader)?),
                b"did" => account = Some(did(of, "did", reader)?),
                b"time" => time = Some(reader.text()?),
                key => other(key, reader)?,
            }
        }
        Ok(Self {
            seq: seq.ok_or(missing(of, "seq"))?,
            did: account.ok_or(missing(of, "did"))?,
            time: time.ok_or(missing(of, "time"))?,
        })
    }
}

/// A name under this key, and a message.
type Named<'a> = (Option<&'a str>, Option<&'a str>);

fn named<'a>(reader: &mut Reader<'a>, name: &[u8]) -> Result<Named<'a>, CborError> {
    let (mut found, mut message) = (None, None);
    let mut map = reader.map()?;
    while let Some(key) = map.next_key(reader)? {
        match key {
            b"message" => message = reader.nullable(Reader::text)?,
            key if key == name => found = Some(reader.text()?),
            _ => reader.skip_in(1)?,
        }
    }
    Ok((found, message))
}

fn sequence(reader: &mut Reader<'_>) -> Result<i64, CborError> {
    let offset = reader.offset();
    let seq = reader.integer()?;
    (seq >= 0).then_some(seq).ok_or(CborError {
        problem: CborProblem::Expected("a place in a stream"),
        offset,
    })
}

fn did<'a>(
    of: &'static str,
    field: &'static str,
    reader: &mut Reader<'a>,
) -> Result<&'a str, FrameError> {
    let text = reader.text()?;
    syntax::is_did(text)
        .then_some(text)
        .ok_or(FrameError::NotDid { of, field })
}
