//! Maps: their keys one after the other, or those that are asked for.

use super::{CborError, CborProblem, Reader, TEXT, at, is_ascii, is_utf8};
use std::cmp::Ordering;

/// The keys of a map that is being read: after each of them comes its value.
#[derive(Clone, Copy, Debug)]
pub struct Map<'a> {
    left: usize,
    last: Option<&'a [u8]>,
    /// The last key as [`order_of`] has it: no short key is above a long one's.
    order: u128,
    /// In how many containers its values stand.
    depth: usize,
}

/// A key that is asked for, of at most 15 bytes.
///
/// The head of a short text says how long it is, so that keys of canonical maps are in the order of their bytes, heads
/// included. Sixteen bytes are one number, and to compare two keys is to compare two numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    name: &'static [u8],
    order: u128,
    mask: u128,
}

impl Key {
    pub(crate) const fn new(name: &'static str) -> Self {
        let name = name.as_bytes();
        let mut order = head(name.len());
        let mut place = 0;
        while place < name.len() {
            order |= (name[place] as u128) << (8 * (LONGEST - 1 - place));
            place += 1;
        }
        let mask = mask(name.len());
        Self { name, order, mask }
    }

    /// How many bytes the key takes with its head.
    pub(crate) const fn len(&self) -> usize {
        1 + self.name.len()
    }
}

/// The longest key that is compared as a number.
const LONGEST: usize = 15;

/// The heads of such keys, from none to [`LONGEST`] bytes.
const SHORT: u8 = TEXT << 5;
const SHORT_MAX: u8 = SHORT | 15;

/// The head of a key of this length, at its place.
const fn head(len: usize) -> u128 {
    (SHORT as u128 + len as u128) << (8 * LONGEST)
}

/// Ones for a head and so many bytes.
const fn mask(len: usize) -> u128 {
    u128::MAX << (8 * (LONGEST - len))
}

/// The first bit of each byte, which is zero in ASCII.
const NOT_ASCII: u128 = u128::from_ne_bytes([0x80; 16]);

impl<'a> Map<'a> {
    pub(super) const fn new(left: usize, depth: usize) -> Self {
        Self {
            left,
            last: None,
            order: 0,
            depth,
        }
    }

    /// How many entries have not been read.
    pub const fn left(&self) -> usize {
        self.left
    }

    /// Reads the next key; `None` at the end of the map.
    #[inline]
    pub fn next_key(&mut self, reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, CborError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.key(reader).map(Some)
    }

    /// The next of the keys that are left.
    fn key(&mut self, reader: &mut Reader<'a>) -> Result<&'a [u8], CborError> {
        let word = reader.word();
        let head = (word >> (8 * LONGEST)) as u8;
        if let SHORT..=SHORT_MAX = head {
            let len = usize::from(head - SHORT);
            let order = word & mask(len);
            if order > self.order
                && order & NOT_ASCII == 0
                && let Some(key) = reader.rest().get(1..=len)
            {
                reader.at += 1 + len;
                self.left -= 1;
                self.order = order;
                self.last = Some(key);
                return Ok(key);
            }
        }
        self.any_key(reader)
    }

    /// A key of any length, or what is wrong with it.
    fn any_key(&mut self, reader: &mut Reader<'a>) -> Result<&'a [u8], CborError> {
        self.left -= 1;
        let start = reader.at;
        let head = reader.peek()?;
        if head >> 5 != TEXT {
            return Err(at(start, CborProblem::Key));
        }
        let length = reader.argument(head)?;
        let key = reader.take(length)?;
        if !is_ascii(key) && !is_utf8(key) {
            return Err(at(start, CborProblem::Utf8));
        }
        if let Some(last) = self.last {
            match compare(last, key) {
                Ordering::Less => {}
                Ordering::Equal => return Err(at(start, CborProblem::DuplicateKey)),
                Ordering::Greater => return Err(at(start, CborProblem::KeyOrder)),
            }
        }
        self.order = order_of(key);
        self.last = Some(key);
        Ok(key)
    }

    /// The value of a key, if the map has it. Keys have to be asked for in the order of maps; what stands before one
    /// and has not been asked for is passed over, by the same rules.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "what a key is compared with is then a constant"
    )]
    pub(crate) fn field<T, E: From<CborError>>(
        &mut self,
        key: &'static Key,
        reader: &mut Reader<'a>,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        if self.seek(key, reader)? {
            read(reader).map(Some)
        } else {
            Ok(None)
        }
    }

    /// As [`field`](Self::field), null being as good as nothing.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `field`")]
    pub(crate) fn nullable<T>(
        &mut self,
        key: &'static Key,
        reader: &mut Reader<'a>,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, CborError>,
    ) -> Result<Option<T>, CborError> {
        let value = self.field(key, reader, |reader| reader.nullable(read))?;
        Ok(value.flatten())
    }

    /// Whether a key is there; if so it is read.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `field`")]
    fn seek(&mut self, key: &'static Key, reader: &mut Reader<'a>) -> Result<bool, CborError> {
        debug_assert!(self.order < key.order, "keys are asked for in their order");
        if self.left == 0 {
            return Ok(false);
        }
        // No name has a zero in it: one that is cut off by the end is another one.
        match (reader.word() & key.mask).cmp(&key.order) {
            Ordering::Less => self.seek_past(key, reader),
            Ordering::Equal => {
                reader.at += key.len();
                self.left -= 1;
                self.order = key.order;
                self.last = Some(key.name);
                Ok(true)
            }
            Ordering::Greater => Ok(false),
        }
    }

    /// Seeks a key behind others.
    #[cold]
    fn seek_past(&mut self, key: &Key, reader: &mut Reader<'a>) -> Result<bool, CborError> {
        let mut before = (*self, *reader);
        while let Some(found) = self.next_key(reader)? {
            match compare(found, key.name) {
                Ordering::Less => reader.skip_in(self.depth)?,
                Ordering::Equal => return Ok(true),
                Ordering::Greater => {
                    (*self, *reader) = before;
                    return Ok(false);
                }
            }
            before = (*self, *reader);
        }
        Ok(false)
    }

    /// Passes over what is left, once all has been asked for that is wanted.
    #[inline]
    pub(crate) fn finish(mut self, reader: &mut Reader<'a>) -> Result<(), CborError> {
        while self.next_key(reader)?.is_some() {
            reader.skip_in(self.depth)?;
        }
        Ok(())
    }
}

/// By length, then by bytes.
fn compare(one: &[u8], other: &[u8]) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

fn order_of(key: &[u8]) -> u128 {
    if key.len() > LONGEST {
        return u128::MAX;
    }
    let mut bytes = [0; 16];
    bytes[1..=key.len()].copy_from_slice(key);
    head(key.len()) | u128::from_be_bytes(bytes)
}
