//! The events, field by field.

use super::ops::Ops;
use super::{FrameError, missing};
use crate::Cid;
use crate::cbor::{CborError, CborProblem, KnownKey, Map, Reader};
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

const COMMIT_KEYS: [KnownKey; 12] = [
    KnownKey::new("ops"),
    KnownKey::new("rev"),
    KnownKey::new("seq"),
    KnownKey::new("repo"),
    KnownKey::new("time"),
    KnownKey::new("blobs"),
    KnownKey::new("since"),
    KnownKey::new("blocks"),
    KnownKey::new("commit"),
    KnownKey::new("rebase"),
    KnownKey::new("tooBig"),
    KnownKey::new("prevData"),
];

impl<'a> CommitEvent<'a> {
    #[inline]
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, FrameError> {
        const OF: &str = "#commit";
        let (mut seq, mut repo, mut rev, mut time) = (None, None, None, None);
        let (mut since, mut commit, mut prev_data) = (None, None, None);
        let (mut ops, mut blocks, mut too_big) = (None, None, false);
        let mut map = reader.map_of(&COMMIT_KEYS)?;
        while let Some(key) = map.next_key(reader)? {
            match key {
                b"ops" => ops = Some(Ops::read(reader)?),
                b"rev" => rev = Some(reader.text()?),
                b"seq" => seq = Some(sequence(reader)?),
                b"repo" => repo = Some(did(OF, "repo", reader)?),
                b"time" => time = Some(reader.text()?),
                b"since" => since = nullable(reader, Reader::text)?,
                b"blocks" => blocks = nullable(reader, Reader::bytes)?,
                b"commit" => commit = Some(reader.cid()?),
                b"tooBig" => too_big = nullable(reader, Reader::boolean)?.unwrap_or(false),
                b"rebase" => drop(reader.boolean()?),
                b"prevData" => prev_data = nullable(reader, Reader::cid)?,
                // `blobs` is deprecated, and some hosts send null for it.
                _ => reader.skip_in(1)?,
            }
        }
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
                b"handle" => handle = nullable(reader, Reader::text)?,
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
                b"status" => status = nullable(reader, Reader::text)?,
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
            b"message" => message = nullable(reader, Reader::text)?,
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

pub(super) fn nullable<'a, T>(
    reader: &mut Reader<'a>,
    read: impl Fn(&mut Reader<'a>) -> Result<T, CborError>,
) -> Result<Option<T>, CborError> {
    if reader.null() {
        return Ok(None);
    }
    read(reader).map(Some)
}
