//! A reader of canonical DAG-CBOR that borrows everything and takes nothing else.
//!
//! Integers and lengths in their shortest form, within 64 signed bits; the keys of a map sorted by length, then
//! by bytes, and each of them once; text in UTF-8; no floats, no tag but 42, no indefinite length; at most
//! [`MAX_DEPTH`] containers in each other. A length is compared with what is left before anything is done with
//! it, and nothing is ever allocated.

mod data;
mod map;
pub(crate) mod write;

pub(crate) use self::map::Key;
pub use self::map::Map;

use crate::Cid;
use ascii::AsciiStr;

/// How deep lists and maps may stand in each other.
pub const MAX_DEPTH: usize = 64;

/// What is wrong with bytes, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {offset}")]
pub struct CborError {
    /// What is wrong.
    pub problem: CborProblem,
    /// The byte, counted from 0 from the start of what was read.
    pub offset: usize,
}

/// What can be wrong with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CborProblem {
    /// More bytes are announced than there are.
    #[error("the end comes too early")]
    Truncated,
    /// An item is followed by something that belongs to nothing.
    #[error("there are bytes after the end")]
    Trailing,
    /// An integer or a length that could be shorter.
    #[error("a number is not in its shortest form")]
    NotMinimal,
    /// More than 64 signed bits.
    #[error("an integer does not fit 64 signed bits")]
    IntegerRange,
    /// The data model has no floats.
    #[error("a float")]
    Float,
    /// Of indefinite length.
    #[error("a length is indefinite")]
    Indefinite,
    /// A tag other than 42.
    #[error("a tag other than 42")]
    Tag,
    /// A simple value other than false, true and null, or a reserved head.
    #[error("a value that the data model does not have")]
    Unsupported,
    /// Tag 42 around what is no CID that is allowed there.
    #[error("not a CID that is allowed here")]
    Link,
    /// Text that is not UTF-8.
    #[error("text is not UTF-8")]
    Utf8,
    /// A key that is not text.
    #[error("a key is not text")]
    Key,
    /// Keys in another order than by length, then by bytes.
    #[error("keys are not in order")]
    KeyOrder,
    /// A key that the map has already.
    #[error("a key is there twice")]
    DuplicateKey,
    /// More than [`MAX_DEPTH`] containers in each other.
    #[error("too many lists and maps in each other")]
    TooDeep,
    /// A key that only the JSON form of the data model has, or a `$type` or blob that is none.
    #[error("a map that the data model does not have")]
    DataModel,
    /// Something other than what is wanted at this place.
    #[error("not {0}")]
    Expected(&'static str),
}

/// Reads items one after the other.
///
/// ```
/// use huddle_firehose::cbor::Reader;
///
/// let mut reader = Reader::new(b"\xa2\x61a\x01\x62bb\x63yes");
/// let mut map = reader.map()?;
/// assert_eq!(map.next_key(&mut reader)?, Some(&b"a"[..]));
/// assert_eq!(reader.integer()?, 1);
/// assert_eq!(map.next_key(&mut reader)?, Some(&b"bb"[..]));
/// assert_eq!(reader.text()?, "yes");
/// assert_eq!(map.next_key(&mut reader)?, None);
/// reader.end()?;
/// # Ok::<(), huddle_firehose::cbor::CborError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const LIST: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;

const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;
const NULL: u8 = 0xf6;

/// Tag 42 around 37 bytes, the first of which is the zero that says that the CID is in binary form.
const LINK: [u8; 5] = [0xd8, 42, 0x58, 37, 0];

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes have been read.
    pub const fn offset(&self) -> usize {
        self.at
    }

    /// The bytes that have not been read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Whether these bytes come next, which are then read.
    #[inline]
    pub(crate) fn take_if<const N: usize>(&mut self, bytes: &[u8; N]) -> bool {
        let is_next = self.bytes[self.at..].first_chunk() == Some(bytes);
        if is_next {
            self.at += N;
        }
        is_next
    }

    /// Fails if there is anything left.
    pub fn end(&self) -> Result<(), CborError> {
        if self.at == self.bytes.len() {
            Ok(())
        } else {
            Err(self.fail(CborProblem::Trailing))
        }
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self) -> Result<i64, CborError> {
        let start = self.at;
        match self.head("an integer")? {
            (UNSIGNED, value) => i64::try_from(value),
            (NEGATIVE, value) => i64::try_from(value).map(|value| -1 - value),
            _ => return Err(at(start, CborProblem::Expected("an integer"))),
        }
        .map_err(|_| at(start, CborProblem::IntegerRange))
    }

    /// `true` or `false`.
    #[inline]
    pub fn boolean(&mut self) -> Result<bool, CborError> {
        let value = match self.peek()? {
            FALSE => false,
            TRUE => true,
            _ => return Err(self.fail(CborProblem::Expected("true or false"))),
        };
        self.at += 1;
        Ok(value)
    }

    /// Whether null comes next, which is then read.
    #[inline]
    pub fn null(&mut self) -> bool {
        let is_null = self.bytes.get(self.at) == Some(&NULL);
        self.at += usize::from(is_null);
        is_null
    }

    /// What `read` reads, unless null comes next.
    #[inline]
    pub(crate) fn nullable<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, CborError>,
    ) -> Result<Option<T>, CborError> {
        if self.null() {
            return Ok(None);
        }
        read(self).map(Some)
    }

    /// Text.
    #[inline]
    pub fn text(&mut self) -> Result<&'a str, CborError> {
        let length = self.length_of(TEXT, "text")?;
        let start = self.at;
        utf8(self.take(length)?).ok_or(at(start, CborProblem::Utf8))
    }

    /// Bytes.
    #[inline]
    pub fn bytes(&mut self) -> Result<&'a [u8], CborError> {
        let length = self.length_of(BYTES, "bytes")?;
        self.take(length)
    }

    /// A link to a block of DAG-CBOR.
    #[inline]
    pub fn cid(&mut self) -> Result<Cid, CborError> {
        let rest = &self.bytes[self.at..];
        if let Some((link, _)) = rest.split_first_chunk::<{ LINK.len() + Cid::LEN }>()
            && let Some(cid) = link.strip_prefix(&LINK)
            && let Ok(cid) = Cid::from_bytes(cid)
            && cid.is_cbor()
        {
            self.at += link.len();
            return Ok(cid);
        }
        // Not in the one form that it has: what it is instead is looked at again.
        let mut look = *self;
        look.skip()?;
        Err(self.fail(CborProblem::Link))
    }

    /// The number of items of a list, which come next.
    #[inline]
    pub fn list(&mut self) -> Result<usize, CborError> {
        let start = self.at;
        let count = self.length_of(LIST, "a list")?;
        self.count(start, count, 1)
    }

    /// The beginning of a map.
    #[inline]
    pub fn map(&mut self) -> Result<Map<'a>, CborError> {
        self.map_in(0)
    }

    /// As [`map`](Self::map), inside of so many containers that have been opened by hand.
    #[inline]
    pub(crate) fn map_in(&mut self, depth: usize) -> Result<Map<'a>, CborError> {
        let start = self.at;
        let count = self.length_of(MAP, "a map")?;
        let left = self.count(start, count, 2)?;
        Ok(Map::new(left, depth + 1))
    }

    /// Passes over an item, and over all that is in it: the rules hold there too.
    #[inline]
    pub fn skip(&mut self) -> Result<(), CborError> {
        self.item(0)
    }

    /// As [`skip`](Self::skip), inside of so many containers that have been opened by hand.
    #[inline]
    pub(crate) fn skip_in(&mut self, depth: usize) -> Result<(), CborError> {
        self.item(depth)
    }

    fn item(&mut self, depth: usize) -> Result<(), CborError> {
        let start = self.at;
        let head = self.peek()?;
        if head >> 5 == 7 {
            self.at += 1;
            return match head {
                FALSE..=NULL => Ok(()),
                0xf9..=0xfb => Err(at(start, CborProblem::Float)),
                _ => Err(at(start, CborProblem::Unsupported)),
            };
        }
        let argument = self.argument(head)?;
        match head >> 5 {
            UNSIGNED | NEGATIVE if argument > i64::MAX as u64 => {
                Err(at(start, CborProblem::IntegerRange))
            }
            UNSIGNED | NEGATIVE => Ok(()),
            BYTES => self.take(argument).map(drop),
            TEXT => {
                let is_text = is_utf8(self.take(argument)?);
                is_text.then_some(()).ok_or(at(start, CborProblem::Utf8))
            }
            TAG => self.link(start, argument),
            _ if depth == MAX_DEPTH => Err(at(start, CborProblem::TooDeep)),
            LIST => {
                for _ in 0..self.count(start, argument, 1)? {
                    self.item(depth + 1)?;
                }
                Ok(())
            }
            _ => {
                self.at = start;
                self.entries(depth + 1).map(drop)
            }
        }
    }

    fn entries(&mut self, depth: usize) -> Result<Option<&'a str>, CborError> {
        let start = self.at;
        let mut map = self.map()?;
        let mut name = None;
        while let Some(key) = map.next_key(self)? {
            match key {
                b"$type" => {
                    let text = self.text().ok();
                    let text = text.filter(|name| data::is_type(name, &self.bytes[start..]));
                    name = Some(text.ok_or(at(start, CborProblem::DataModel))?);
                }
                // Links and bytes are kinds of their own in CBOR; only their JSON is a map.
                b"$link" | b"$bytes" => return Err(at(start, CborProblem::DataModel)),
                _ => self.item(depth)?,
            }
        }
        Ok(name)
    }

    fn link(&mut self, start: usize, tag: u64) -> Result<(), CborError> {
        if tag != 42 {
            return Err(at(start, CborProblem::Tag));
        }
        match self.bytes() {
            Ok([0, cid @ ..]) if data::is_cid(cid) => Ok(()),
            Err(error) if error.problem == CborProblem::Truncated => Err(error),
            _ => Err(at(start, CborProblem::Link)),
        }
    }

    /// The next sixteen bytes as a number, with zeros for those that are not there.
    #[inline]
    fn word(&self) -> u128 {
        let rest = self.rest();
        rest.first_chunk()
            .map_or_else(|| last_word(rest), |bytes| u128::from_be_bytes(*bytes))
    }

    #[inline]
    fn peek(&self) -> Result<u8, CborError> {
        self.bytes.get(self.at).copied().ok_or(self.truncated())
    }

    /// The argument of a head of one kind.
    #[inline]
    fn length_of(&mut self, kind: u8, expected: &'static str) -> Result<u64, CborError> {
        let start = self.at;
        match self.head(expected)? {
            (found, length) if found == kind => Ok(length),
            _ => Err(at(start, CborProblem::Expected(expected))),
        }
    }

    #[inline]
    fn head(&mut self, expected: &'static str) -> Result<(u8, u64), CborError> {
        let head = self.peek()?;
        if head >> 5 == 7 {
            let problem = match head {
                0xf9..=0xfb => CborProblem::Float,
                _ => CborProblem::Expected(expected),
            };
            return Err(self.fail(problem));
        }
        Ok((head >> 5, self.argument(head)?))
    }

    /// Passes over a head, and returns the number in it.
    #[inline]
    fn argument(&mut self, head: u8) -> Result<u64, CborError> {
        let short = head & 0x1f;
        if short < 24 {
            self.at += 1;
            return Ok(u64::from(short));
        }
        if let [_, argument, ..] = *self.rest()
            && short == 24
            && argument >= 24
        {
            self.at += 2;
            return Ok(u64::from(argument));
        }
        self.long_argument(head)
    }

    fn long_argument(&mut self, head: u8) -> Result<u64, CborError> {
        let start = self.at;
        self.at += 1;
        let (argument, shortest) = match head & 0x1f {
            24 => (u64::from(u8::from_be_bytes(self.array()?)), 24),
            25 => (u64::from(u16::from_be_bytes(self.array()?)), 1 << 8),
            26 => (u64::from(u32::from_be_bytes(self.array()?)), 1 << 16),
            27 => (u64::from_be_bytes(self.array()?), 1 << 32),
            31 if matches!(head >> 5, BYTES..=MAP) => {
                return Err(at(start, CborProblem::Indefinite));
            }
            _ => return Err(at(start, CborProblem::Unsupported)),
        };
        if argument < shortest {
            return Err(at(start, CborProblem::NotMinimal));
        }
        Ok(argument)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CborError> {
        let bytes = self.bytes[self.at..]
            .first_chunk()
            .ok_or(self.truncated())?;
        self.at += N;
        Ok(*bytes)
    }

    #[inline]
    fn take(&mut self, length: u64) -> Result<&'a [u8], CborError> {
        let left = &self.bytes[self.at..];
        let taken = usize::try_from(length).ok().and_then(|n| left.get(..n));
        let taken = taken.ok_or(self.truncated())?;
        self.at += taken.len();
        Ok(taken)
    }

    /// The number of entries of a container, each of which takes at least `least` bytes.
    #[inline]
    fn count(&self, start: usize, claimed: u64, least: usize) -> Result<usize, CborError> {
        let most = (self.bytes.len() - self.at) / least;
        let count = usize::try_from(claimed).ok().filter(|count| *count <= most);
        count.ok_or(at(start, CborProblem::Truncated))
    }

    const fn truncated(&self) -> CborError {
        at(self.bytes.len(), CborProblem::Truncated)
    }

    const fn fail(&self, problem: CborProblem) -> CborError {
        at(self.at, problem)
    }
}

/// The `$type` of a record, of which nothing may be left over.
pub(crate) fn type_of(record: &[u8]) -> Result<Option<&str>, CborError> {
    let mut reader = Reader::new(record);
    let name = reader.entries(1)?;
    reader.end()?;
    Ok(name)
}

/// Fewer than sixteen bytes as a number.
#[cold]
fn last_word(bytes: &[u8]) -> u128 {
    let mut padded = [0; 16];
    padded[..bytes.len()].copy_from_slice(bytes);
    u128::from_be_bytes(padded)
}

/// Keys are short: a loop over the bytes is over before anything cleverer has begun.
#[inline]
fn is_ascii(key: &[u8]) -> bool {
    key.iter().fold(0, |all, byte| all | byte) < 0x80
}

#[inline]
fn is_utf8(bytes: &[u8]) -> bool {
    bytes.is_ascii() || simdutf8::basic::from_utf8(bytes).is_ok()
}

/// What is read as text is short, and nearly always ASCII, which is known sooner than that it is UTF-8.
#[inline]
fn utf8(bytes: &[u8]) -> Option<&str> {
    match AsciiStr::from_ascii(bytes) {
        Ok(text) => Some(text.as_str()),
        Err(_) => simdutf8::basic::from_utf8(bytes).ok(),
    }
}

const fn at(offset: usize, problem: CborProblem) -> CborError {
    CborError { problem, offset }
}

#[cfg(test)]
mod tests;
