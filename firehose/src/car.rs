//! CAR of version 1: what the blocks of a repository come in.
//!
//! What is decided where the format leaves room (<https://ipld.io/specs/transport/car/carv1/>):
//!
//! - The header is canonical DAG-CBOR and has `version`, which is 1, and `roots`, and nothing else. There is a root
//!   at least; the first one counts.
//! - A length is in its shortest form; a section holds a CID and the block. An empty block is a block; an empty
//!   section, or one that goes on past the end, is an error. No padding.
//! - Every CID is one that a repository can have: see [`Cid`]. Every block is hashed, also one that nothing needs.
//! - The order does not matter. A block may be there twice (the two are the same bytes), or for nothing.
//!   Whether one is missing is for whoever needs it to say.

use crate::cbor::{CborError, Reader};
use crate::{Cid, hash, varint};
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::hint::black_box;

/// Where blocks are found by their CIDs. What is found has been hashed.
pub trait BlockStore {
    /// The block of this CID.
    fn block(&self, cid: &Cid) -> Option<&[u8]>;
}

/// Why bytes are not a CAR, at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {offset} of the CAR")]
pub struct CarError {
    /// What is wrong.
    pub problem: CarProblem,
    /// The byte at which the section begins.
    pub offset: usize,
}

/// What can be wrong with a CAR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarProblem {
    /// A length that is no number, 0, or more than there are bytes.
    #[error("a section does not fit")]
    Length,
    /// The header is not canonical DAG-CBOR, or not of its types.
    #[error("the header: {0}")]
    Header(CborError),
    /// The header has a field that this version does not have, or lacks one.
    #[error("the header does not have `roots` and `version` alone")]
    HeaderFields,
    /// Another version than 1.
    #[error("version {0}")]
    Version(i64),
    /// No root.
    #[error("there is no root")]
    NoRoot,
    /// A CID that a repository does not have.
    #[error("a CID that is not of a repository")]
    Cid,
    /// A block that is not what its CID says.
    #[error("a block does not have the hash of its CID")]
    Hash,
}

/// A CAR whose blocks have all been hashed.
#[derive(Clone, Debug)]
pub struct Car<'a> {
    root: Cid,
    bytes: &'a [u8],
    index: Index,
}

impl<'a> Car<'a> {
    /// Reads a CAR and hashes every block of it.
    pub fn read(bytes: &'a [u8]) -> Result<Self, CarError> {
        let mut index = Index::default();
        let root = index.fill(bytes, true)?;
        Ok(Self { root, bytes, index })
    }

    /// The first root: of a repository, the commit.
    pub const fn root(&self) -> Cid {
        self.root
    }

    /// How many blocks there are, the same ones counted again.
    pub fn len(&self) -> usize {
        self.index.entries.len()
    }

    /// Whether there is no block.
    pub fn is_empty(&self) -> bool {
        self.index.entries.is_empty()
    }

    /// The blocks and their CIDs.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Cid, &'a [u8])> + '_ {
        let entries = self.index.entries.iter();
        entries.map(|entry| (entry.cid(self.bytes), entry.block(self.bytes)))
    }
}

impl BlockStore for Car<'_> {
    fn block(&self, cid: &Cid) -> Option<&[u8]> {
        self.index.find(self.bytes, cid)
    }
}

impl<H: BuildHasher> BlockStore for HashMap<Cid, Vec<u8>, H> {
    fn block(&self, cid: &Cid) -> Option<&[u8]> {
        self.get(cid).map(Vec::as_slice)
    }
}

impl BlockStore for BTreeMap<Cid, Vec<u8>> {
    fn block(&self, cid: &Cid) -> Option<&[u8]> {
        self.get(cid).map(Vec::as_slice)
    }
}

/// Writes a CAR of these blocks, the root being the first of its roots.
pub fn write<'a>(root: &Cid, blocks: impl IntoIterator<Item = (&'a Cid, &'a [u8])>) -> Vec<u8> {
    let mut car = Vec::new();
    varint::write((HEADER.len() + Cid::LEN + VERSION.len()) as u64, &mut car);
    car.extend_from_slice(HEADER);
    car.extend_from_slice(&root.to_bytes());
    car.extend_from_slice(VERSION);
    for (cid, block) in blocks {
        varint::write((Cid::LEN + block.len()) as u64, &mut car);
        car.extend_from_slice(&cid.to_bytes());
        car.extend_from_slice(block);
    }
    car
}

/// `{"roots": [` and the beginning of a link, which the CID follows.
const HEADER: &[u8] = b"\xa2\x65roots\x81\xd8\x2a\x58\x25\x00";
/// `], "version": 1}`
const VERSION: &[u8] = b"\x67version\x01";

/// Where the blocks of a CAR lie; it can be filled again for another one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The first bytes of the digest: what is compared first.
    prefix: u64,
    section: u32,
    /// Where the block begins, and the section ends.
    block: u32,
    end: u32,
}

/// Above so many blocks they are sorted, and found by halves.
const LINEAR: usize = 64;

impl Index {
    /// Finds the sections of a CAR, hashes each block on the way if that is wanted, and returns the first root.
    #[inline]
    pub(crate) fn fill(&mut self, car: &[u8], hashing: bool) -> Result<Cid, CarError> {
        self.entries.clear();
        // Offsets are of 32 bits; a repository is far below.
        if u32::try_from(car.len()).is_err() {
            return Err(at(0, CarProblem::Length));
        }
        let (header, rest) = section(car, car)?;
        let root = read_header(header).map_err(|problem| at(0, problem))?;
        let mut error = None;
        let sections = Sections {
            car,
            rest,
            touched: 0,
            error: &mut error,
        };
        let entered = sections.inspect(|section| self.entries.push(section.entry()));
        let wrong = if hashing {
            first_wrong(entered)
        } else {
            entered.for_each(drop);
            None
        };
        // The sections end with the first error: a block that is wrong lies before it.
        if let Some(error) = wrong.or(error) {
            return Err(error);
        }
        if self.entries.len() > LINEAR {
            // By all of the CID: nothing keeps a CAR from having many that begin alike, or one many times.
            self.entries.sort_unstable_by(|one, other| {
                let by_prefix = one.prefix.cmp(&other.prefix);
                by_prefix.then_with(|| one.cid(car).cmp(&other.cid(car)))
            });
        }
        Ok(root)
    }

    /// Finds a block of the CAR that this is the index of.
    #[inline]
    pub(crate) fn find<'a>(&self, car: &'a [u8], cid: &Cid) -> Option<&'a [u8]> {
        let wanted = prefix(cid.digest());
        let place = if self.entries.len() > LINEAR {
            let by_cid = |entry: &Entry| {
                let by_prefix = entry.prefix.cmp(&wanted);
                by_prefix.then_with(|| entry.cid(car).cmp(cid))
            };
            self.entries.binary_search_by(by_cid).ok()
        } else {
            let is_it = |entry: &Entry| entry.prefix == wanted && entry.cid(car) == *cid;
            self.entries.iter().position(is_it)
        };
        place.map(|place| self.entries[place].block(car))
    }
}

impl Entry {
    #[inline]
    fn cid(self, car: &[u8]) -> Cid {
        let cid = &car[self.section as usize..self.block as usize];
        Cid::from_bytes(cid).expect("it was read before")
    }

    #[inline]
    fn block(self, car: &[u8]) -> &[u8] {
        &car[self.block as usize..self.end as usize]
    }
}

/// A block and the digest of its CID, as they lie in a CAR.
struct Section<'a> {
    digest: &'a [u8; 32],
    block: &'a [u8],
    /// Where the length stands, and where the block ends.
    start: usize,
    end: usize,
}

impl Section<'_> {
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a CAR that is larger is refused"
    )]
    fn entry(&self) -> Entry {
        let block = self.end - self.block.len();
        Entry {
            prefix: prefix(self.digest),
            section: (block - Cid::LEN) as u32,
            block: block as u32,
            end: self.end as u32,
        }
    }
}

/// The sections behind the header, up to the end or the first that is none.
struct Sections<'a, 'e> {
    car: &'a [u8],
    rest: &'a [u8],
    /// How far the CAR has been touched.
    touched: usize,
    error: &'e mut Option<CarError>,
}

/// How far ahead of its reader a CAR is touched.
const AHEAD: usize = 1024;

impl<'a> Sections<'a, '_> {
    /// Asks for the CAR up to there. A processor fetches ahead what is read in one direction, and does not wait for
    /// what is not used yet; but blocks that are hashed by turns are no direction, and where the next section begins is
    /// known only from this one.
    #[inline]
    fn touch(&mut self, end: usize) {
        let end = end.min(self.car.len());
        if let Some(ahead) = self.car.get(self.touched..end) {
            let lines = ahead.chunks(64);
            self.touched += lines.len() * 64;
            black_box(lines.fold(0, |all, line| all | line[0]));
        }
    }

    #[inline]
    fn read(&mut self) -> Result<Section<'a>, CarError> {
        let start = self.car.len() - self.rest.len();
        self.touch(start + AHEAD);
        let (section, rest) = section(self.rest, self.car)?;
        let (cid, block) = section
            .split_at_checked(Cid::LEN)
            .ok_or(at(start, CarProblem::Cid))?;
        self.rest = rest;
        Ok(Section {
            digest: Cid::digest_in(cid).map_err(|_| at(start, CarProblem::Cid))?,
            block,
            start,
            end: self.car.len() - rest.len(),
        })
    }
}

impl<'a> Iterator for Sections<'a, '_> {
    type Item = Section<'a>;

    #[inline]
    fn next(&mut self) -> Option<Section<'a>> {
        if self.rest.is_empty() || self.error.is_some() {
            return None;
        }
        let section = self.read();
        section.map_err(|error| *self.error = Some(error)).ok()
    }
}

/// The first of the blocks that do not have the hashes of their CIDs.
#[inline]
fn first_wrong<'a>(sections: impl Iterator<Item = Section<'a>>) -> Option<CarError> {
    let mut first: Option<usize> = None;
    let messages = sections.map(|section| ((section.start, section.digest), section.block));
    hash::sha256_each(messages, |(start, wanted), digest| {
        if !are_same(&digest, wanted) {
            first = Some(first.map_or(start, |first| first.min(start)));
        }
    });
    first.map(|start| at(start, CarProblem::Hash))
}

/// Compares words, which a digest is made of: bytes would have to be put together first.
#[inline]
fn are_same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let (one, other) = (one.as_chunks().0, other.as_chunks().0);
    let differing = one.iter().zip(other).fold(0, |all, (one, other)| {
        all | (u64::from_ne_bytes(*one) ^ u64::from_ne_bytes(*other))
    });
    differing == 0
}

#[inline]
fn prefix(digest: &[u8; 32]) -> u64 {
    let (first, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
    u64::from_be_bytes(*first)
}

/// Takes one section off `rest`, which is the end of `car`.
#[inline]
fn section<'a>(rest: &'a [u8], car: &[u8]) -> Result<(&'a [u8], &'a [u8]), CarError> {
    let taken = varint::varint(rest).and_then(|(length, rest)| {
        let length = usize::try_from(length).ok().filter(|length| *length > 0)?;
        rest.split_at_checked(length)
    });
    taken.ok_or(at(car.len() - rest.len(), CarProblem::Length))
}

fn read_header(bytes: &[u8]) -> Result<Cid, CarProblem> {
    // As [`write`] writes it, and nearly everybody.
    if let Some(root) = bytes
        .strip_prefix(HEADER)
        .and_then(|rest| rest.strip_suffix(VERSION))
        && let Ok(root) = Cid::from_bytes(root)
        && root.is_cbor()
    {
        return Ok(root);
    }
    let (mut root, mut version) = (None, None);
    let mut reader = Reader::new(bytes);
    let mut map = reader.map().map_err(CarProblem::Header)?;
    while let Some(key) = map.next_key(&mut reader).map_err(CarProblem::Header)? {
        match key {
            b"roots" => root = Some(read_roots(&mut reader).map_err(CarProblem::Header)?),
            b"version" => version = Some(reader.integer().map_err(CarProblem::Header)?),
            _ => return Err(CarProblem::HeaderFields),
        }
    }
    reader.end().map_err(CarProblem::Header)?;
    match version.ok_or(CarProblem::HeaderFields)? {
        1 => root
            .ok_or(CarProblem::HeaderFields)?
            .ok_or(CarProblem::NoRoot),
        other => Err(CarProblem::Version(other)),
    }
}

/// The first of the roots.
fn read_roots(reader: &mut Reader<'_>) -> Result<Option<Cid>, CborError> {
    let mut first = None;
    for _ in 0..reader.list()? {
        let root = reader.cid()?;
        first = first.or(Some(root));
    }
    Ok(first)
}

const fn at(offset: usize, problem: CarProblem) -> CarError {
    CarError { problem, offset }
}

#[cfg(test)]
mod tests;
