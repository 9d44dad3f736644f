//! A node, as it stands in its block.

use super::{MAX_KEY_LEN, MstError, MstProblem};
use crate::Cid;
use crate::cbor::{CborError, Reader, write};

/// The entries of a node, read one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entries<'a> {
    node: Cid,
    reader: Reader<'a>,
    left: usize,
}

/// An entry, its key in two parts: what it shares with the key before it, and the rest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) shared: usize,
    pub(super) rest: &'a [u8],
    pub(super) record: Cid,
    /// The subtree after the key.
    pub(super) right: Option<Cid>,
}

impl<'a> Entries<'a> {
    /// Begins to read a node, whose CID is for errors.
    #[inline]
    pub(super) fn new(node: Cid, block: &'a [u8]) -> Result<Self, MstError> {
        let mut reader = Reader::new(block);
        if !reader.take_if(b"\xa2\x61e") {
            return Err(MstError::new(node, MstProblem::Fields));
        }
        let left = reader.list().map_err(|error| MstError::cbor(node, error))?;
        Ok(Self { node, reader, left })
    }

    /// How many entries are left.
    pub(super) const fn left(&self) -> usize {
        self.left
    }

    /// The next entry; `previous` is the key before it.
    #[inline]
    pub(super) fn next(&mut self, previous: &[u8]) -> Result<Option<Entry<'a>>, MstError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let entry =
            read_entry(&mut self.reader).map_err(|error| MstError::cbor(self.node, error))?;
        let entry = entry.ok_or(self.fail(MstProblem::Fields))?;
        let before = previous.get(entry.shared..);
        let before = before.ok_or(self.fail(MstProblem::Prefix))?;
        // The first byte that differs decides on the order, and on where the key is cut.
        match (before.first(), entry.rest.first()) {
            (_, None) if entry.shared == 0 => return Err(self.fail(MstProblem::KeyLength)),
            (_, None) => return Err(self.fail(MstProblem::Order)),
            (Some(before), Some(after)) if before == after => {
                return Err(self.fail(MstProblem::Prefix));
            }
            (Some(before), Some(after)) if before > after => {
                return Err(self.fail(MstProblem::Order));
            }
            _ => {}
        }
        if entry.shared + entry.rest.len() > MAX_KEY_LEN {
            return Err(self.fail(MstProblem::KeyLength));
        }
        Ok(Some(entry))
    }

    /// After the last entry: the subtree before the first.
    #[inline]
    pub(super) fn finish(mut self) -> Result<Option<Cid>, MstError> {
        let reader = &mut self.reader;
        if !reader.take_if(b"\x61l") {
            return Err(self.fail(MstProblem::Fields));
        }
        let left = reader.nullable(Reader::cid);
        let left = left.and_then(|left| reader.end().map(|()| left));
        left.map_err(|error| MstError::cbor(self.node, error))
    }

    const fn fail(&self, problem: MstProblem) -> MstError {
        MstError::new(self.node, problem)
    }
}

/// `{"k": …, "p": …, "t": …, "v": …}`, and nothing else.
#[inline]
fn read_entry<'a>(reader: &mut Reader<'a>) -> Result<Option<Entry<'a>>, CborError> {
    if !reader.take_if(b"\xa4\x61k") {
        return Ok(None);
    }
    let rest = reader.bytes()?;
    if !reader.take_if(b"\x61p") {
        return Ok(None);
    }
    let Ok(shared) = usize::try_from(reader.integer()?) else {
        return Ok(None);
    };
    if !reader.take_if(b"\x61t") {
        return Ok(None);
    }
    let right = reader.nullable(Reader::cid)?;
    if !reader.take_if(b"\x61v") {
        return Ok(None);
    }
    let record = reader.cid()?;
    Ok(Some(Entry {
        shared,
        rest,
        record,
        right,
    }))
}

/// Begins a node of so many entries.
pub(super) fn begin(entries: usize, to: &mut Vec<u8>) {
    write::map(2, to);
    write::text("e", to);
    write::list(entries as u64, to);
}

/// Adds an entry.
#[inline]
pub(super) fn add(entry: &Entry<'_>, to: &mut Vec<u8>) {
    to.extend_from_slice(b"\xa4\x61k");
    write::bytes(entry.rest, to);
    to.extend_from_slice(b"\x61p");
    write::integer(entry.shared as u64, to);
    to.extend_from_slice(b"\x61t");
    write::nullable_cid(entry.right.as_ref(), to);
    to.extend_from_slice(b"\x61v");
    write::cid(&entry.record, to);
}

/// Ends the node.
pub(super) fn end(left: Option<&Cid>, to: &mut Vec<u8>) {
    to.extend_from_slice(b"\x61l");
    write::nullable_cid(left, to);
}

impl MstError {
    pub(super) const fn new(node: Cid, problem: MstProblem) -> Self {
        Self { node, problem }
    }

    const fn cbor(node: Cid, error: CborError) -> Self {
        Self::new(node, MstProblem::Cbor(error))
    }
}

/// The subtree of a node that has no entries; `None` of one that has some.
pub(super) fn only_left(cid: Cid, block: &[u8]) -> Result<Option<Cid>, MstError> {
    let entries = Entries::new(cid, block)?;
    if entries.left() > 0 {
        return Ok(None);
    }
    entries.finish()
}
