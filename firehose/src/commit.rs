//! The commit of a repository: what an account signs.

use crate::cbor::{CborError, Reader};
use crate::key::{BadSignature, VerifyingKey};
use crate::tid::Tid;
use crate::{Cid, hash, syntax};

/// A commit as it stands in its block.
///
/// Source: <https://atproto.com/specs/repository#commit-objects>.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RepoCommit<'a> {
    /// The account.
    pub did: &'a str,
    /// The revision.
    pub rev: Tid,
    /// The root of the tree of records.
    pub data: Cid,
    /// The commit before, which commits of today do not name.
    pub prev: Option<Cid>,
    block: &'a [u8],
    /// Where the entry `sig` begins, and the signature, and both end.
    entry: usize,
    signature: &'a [u8],
    end: usize,
}

/// Why a block is not a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitObjectError {
    /// Not canonical DAG-CBOR, or not of the types that a commit has.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// More than 23 entries.
    #[error("{0} entries; the most is {MAX_ENTRIES}")]
    TooManyEntries(usize),
    /// Without something that a commit has.
    #[error("without `{0}`")]
    Missing(&'static str),
    /// Another version than 3.
    #[error("of version {0}")]
    Version(i64),
    /// `did` is no DID.
    #[error("`did` is not a DID")]
    Did,
    /// `rev` is no TID.
    #[error("`rev` is not a TID")]
    Rev,
}

impl<'a> RepoCommit<'a> {
    /// Reads a commit. What this version does not know may stand in it, and is signed too.
    pub fn read(block: &'a [u8]) -> Result<Self, CommitObjectError> {
        use CommitObjectError::Missing;
        let mut reader = Reader::new(block);
        let mut map = reader.map()?;
        if map.left() > MAX_ENTRIES {
            return Err(CommitObjectError::TooManyEntries(map.left()));
        }
        let reader = &mut reader;
        let did = map.field(&key::DID, reader, Reader::text)?;
        let rev = map.field(&key::REV, reader, Reader::text)?;
        let sig = map.field(&key::SIG, reader, |reader| {
            let entry = reader.offset() - key::SIG.len();
            Ok::<_, CborError>((entry, reader.bytes()?, reader.offset()))
        })?;
        let data = map.field(&key::DATA, reader, Reader::cid)?;
        let prev = map.field(&key::PREV, reader, |reader| reader.nullable(Reader::cid))?;
        let version = map.field(&key::VERSION, reader, Reader::integer)?;
        map.finish(reader)?;
        reader.end()?;
        match version.ok_or(Missing("version"))? {
            3 => {}
            other => return Err(CommitObjectError::Version(other)),
        }
        let (entry, signature, end) = sig.ok_or(Missing("sig"))?;
        let did = did.ok_or(Missing("did"))?;
        let rev = rev.ok_or(Missing("rev"))?;
        Ok(Self {
            did: syntax::is_did(did)
                .then_some(did)
                .ok_or(CommitObjectError::Did)?,
            rev: rev.parse().map_err(|_| CommitObjectError::Rev)?,
            data: data.ok_or(Missing("data"))?,
            prev: prev.ok_or(Missing("prev"))?,
            block,
            entry,
            signature,
            end,
        })
    }

    /// Checks the signature.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), BadSignature> {
        key.verify_digest(&self.unsigned_digest(), self.signature)
    }

    /// The SHA-256 of the commit without its signature: of the bytes themselves, with one entry less.
    fn unsigned_digest(&self) -> [u8; 32] {
        // Of at most 23 entries the number stands in the first byte.
        let head = [self.block[0] - 1];
        let start = &self.block[1..self.entry];
        hash::sha256_of(&[&head, start, &self.block[self.end..]])
    }
}

/// The keys of a commit, in the order of maps.
mod key {
    use crate::cbor::Key;

    pub(super) const DID: Key = Key::new("did");
    pub(super) const REV: Key = Key::new("rev");
    pub(super) const SIG: Key = Key::new("sig");
    pub(super) const DATA: Key = Key::new("data");
    pub(super) const PREV: Key = Key::new("prev");
    pub(super) const VERSION: Key = Key::new("version");
}

/// The most entries of a commit. It has six.
const MAX_ENTRIES: usize = 23;

/// A commit that is still to be signed.
///
/// ```
/// use huddle_firehose::{Cid, RepoCommit, UnsignedCommit};
///
/// let unsigned = UnsignedCommit {
///     did: "did:plc:ewvi7nxzyoun6zhxrhs64oiz",
///     rev: "3ke6kg3wk2222".parse()?,
///     data: Cid::of_cbor(b"\xa2\x61e\x80\x61l\xf6"),
///     prev: None,
/// };
/// // A signature is made over `unsigned.to_bytes()`, by whatever holds the key.
/// let block = unsigned.signed(&[7; 64]);
/// assert_eq!(RepoCommit::read(&block)?.rev, unsigned.rev);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct UnsignedCommit<'a> {
    /// The account.
    pub did: &'a str,
    /// The revision.
    pub rev: Tid,
    /// The root of the tree of records.
    pub data: Cid,
    /// The commit before; none today.
    pub prev: Option<Cid>,
}

impl UnsignedCommit<'_> {
    /// What is signed.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode(None)
    }

    /// The block of the commit with its signature.
    pub fn signed(&self, signature: &[u8; 64]) -> Vec<u8> {
        self.encode(Some(signature))
    }

    fn encode(&self, signature: Option<&[u8; 64]>) -> Vec<u8> {
        use crate::cbor::write;
        let mut to = Vec::with_capacity(256);
        write::map(5 + u64::from(signature.is_some()), &mut to);
        write::text("did", &mut to);
        write::text(self.did, &mut to);
        write::text("rev", &mut to);
        write::text(&self.rev.to_string(), &mut to);
        if let Some(signature) = signature {
            write::text("sig", &mut to);
            write::bytes(signature, &mut to);
        }
        write::text("data", &mut to);
        write::cid(&self.data, &mut to);
        write::text("prev", &mut to);
        write::nullable_cid(self.prev.as_ref(), &mut to);
        write::text("version", &mut to);
        write::integer(3, &mut to);
        to
    }
}

#[cfg(test)]
mod tests;
