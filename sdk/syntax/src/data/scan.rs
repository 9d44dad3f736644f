//! One pass over DAG-CBOR before it is decoded: is it canonical, and of the data model?
//!
//! The decoder alone cannot say. It skips what a type does not ask for without looking at it, lets
//! floats and integers of any size through to types that take them, and ignores what follows a CID.

use super::{DataError, DataProblem, MAX_DEPTH, link};
use std::cmp::Ordering;

/// Accepts one canonical item and nothing after it.
pub(super) fn document(cbor: &[u8]) -> Result<(), DataError> {
    let end = item(cbor)?;
    if end < cbor.len() {
        return Err(DataError::Cbor {
            problem: DataProblem::Trailing,
            offset: end,
        });
    }
    Ok(())
}

/// Accepts one canonical item, and returns its length.
pub(super) fn item(cbor: &[u8]) -> Result<usize, DataError> {
    let mut scanner = Scanner { cbor, at: 0 };
    scanner
        .item()
        .map_err(|Fault { problem, offset }| DataError::Cbor { problem, offset })?;
    Ok(scanner.at)
}

/// Whether canonical bytes start with a map that is a whole [`Blob`](super::Blob): these keys, in this
/// order, and no others.
pub(super) fn is_blob(cbor: &[u8]) -> bool {
    after_blob_size(cbor)
        .and_then(|rest| rest.strip_prefix(b"\x65$type\x64blob\x68mimeType"))
        .and_then(|mime_type| mime_type.first())
        .is_some_and(|head| is_filled_text(*head))
}

fn after_blob_size(cbor: &[u8]) -> Option<&[u8]> {
    let link = cbor.strip_prefix(b"\xa4\x63ref")?;
    let rest = after(link, |head| head == LINK)?;
    // An integer that is neither zero nor negative.
    after(rest.strip_prefix(b"\x64size")?, |head| {
        matches!(head, 0x01..=0x1b)
    })
}

/// What follows the first item, if its head is the one that is wanted.
fn after(cbor: &[u8], is_wanted: impl Fn(u8) -> bool) -> Option<&[u8]> {
    is_wanted(*cbor.first()?).then_some(())?;
    Some(&cbor[item(cbor).ok()?..])
}

/// Whether a head is that of a string, and not of the empty one.
const fn is_filled_text(head: u8) -> bool {
    matches!(head, 0x61..=0x7b)
}

/// The head of tag 42, and of every tag from 24 to 255; of these [`item`] takes no other.
const LINK: u8 = 0xd8;

/// What is wrong, and at which byte: small, since every step may return it.
struct Fault {
    problem: DataProblem,
    offset: usize,
}

/// A list or a map whose end has not been reached.
#[derive(Clone, Copy)]
enum Open<'a> {
    List {
        left: usize,
    },
    Map {
        start: usize,
        left: usize,
        last_key: Option<&'a [u8]>,
    },
}

struct Scanner<'a> {
    cbor: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// Passes over an item and all that is in it.
    fn item(&mut self) -> Result<(), Fault> {
        let mut open = [Open::List { left: 0 }; MAX_DEPTH];
        let mut depth = 0;
        loop {
            let start = self.at;
            if let Some(container) = self.value()? {
                let level = open
                    .get_mut(depth)
                    .ok_or(Fault::at(start, DataProblem::TooDeep))?;
                *level = container;
                depth += 1;
            }
            // The next value stands in the innermost container that has one left.
            loop {
                let Some(innermost) = depth.checked_sub(1) else {
                    return Ok(());
                };
                if self.advance(&mut open[innermost])? {
                    break;
                }
                depth = innermost;
            }
        }
    }

    /// Passes over a scalar, or over the head of a list or map.
    #[inline]
    fn value(&mut self) -> Result<Option<Open<'a>>, Fault> {
        let start = self.at;
        let fail = |problem| Err(Fault::at(start, problem));
        let head = self.peek()?;
        if head >> 5 == 7 {
            self.at += 1;
            return match head {
                // false, true, null
                0xf4..=0xf6 => Ok(None),
                0xf9..=0xfb => fail(DataProblem::Float),
                _ => fail(DataProblem::Unsupported),
            };
        }
        let argument = self.argument(head)?;
        match head >> 5 {
            // n, or -1 - n: either fits 64 signed bits if n needs no more than 63.
            0 | 1 if argument > i64::MAX as u64 => return fail(DataProblem::IntegerRange),
            0 | 1 => {}
            2 => {
                self.take(argument)?;
            }
            3 => {
                self.text(argument)?;
            }
            4 => {
                return Ok(Some(Open::List {
                    left: self.count(argument, 1)?,
                }));
            }
            5 => {
                return Ok(Some(Open::Map {
                    start,
                    left: self.count(argument, 2)?,
                    last_key: None,
                }));
            }
            _ if argument == 42 => {
                let content = self.peek()?;
                if content >> 5 != 2 {
                    return fail(DataProblem::Link);
                }
                let length = self.argument(content)?;
                match self.take(length)? {
                    // The zero byte says that the CID is in binary form.
                    [0, cid @ ..] if link::is_binary(cid) => {}
                    _ => return fail(DataProblem::Link),
                }
            }
            _ => return fail(DataProblem::Tag),
        }
        Ok(None)
    }

    /// Goes on to the next value of a container, past the key before it; `false` at the end.
    #[inline]
    fn advance(&mut self, container: &mut Open<'a>) -> Result<bool, Fault> {
        match container {
            Open::List { left: 0 } | Open::Map { left: 0, .. } => return Ok(false),
            Open::List { left } => *left -= 1,
            Open::Map {
                start,
                left,
                last_key,
            } => {
                *left -= 1;
                *last_key = Some(self.key(*start, *last_key)?);
            }
        }
        Ok(true)
    }

    /// Passes over a key of the map at `map`.
    fn key(&mut self, map: usize, last: Option<&[u8]>) -> Result<&'a [u8], Fault> {
        let start = self.at;
        let fail = |problem| Err(Fault::at(start, problem));
        let head = self.peek()?;
        if head >> 5 != 3 {
            return fail(DataProblem::Key);
        }
        let length = self.argument(head)?;
        let key = self.text(length)?;
        if let Some(last) = last {
            match (last.len(), last).cmp(&(key.len(), key)) {
                Ordering::Less => {}
                Ordering::Equal => return fail(DataProblem::DuplicateKey),
                Ordering::Greater => return fail(DataProblem::KeyOrder),
            }
        }
        if key.first() == Some(&b'$') {
            match key {
                b"$link" | b"$bytes" => return fail(DataProblem::ReservedKey),
                b"$type" if !is_filled_text(self.peek()?) => {
                    return Err(Fault::at(self.at, DataProblem::Type));
                }
                b"$type" if self.is_next(b"\x64blob") && !is_blob(&self.cbor[map..]) => {
                    return Err(Fault::at(map, DataProblem::Blob));
                }
                _ => {}
            }
        }
        Ok(key)
    }

    #[inline]
    fn peek(&self) -> Result<u8, Fault> {
        self.cbor.get(self.at).copied().ok_or(self.truncated())
    }

    fn is_next(&self, bytes: &[u8]) -> bool {
        self.cbor[self.at..].starts_with(bytes)
    }

    /// Passes over a head, and returns the number in it.
    #[inline]
    fn argument(&mut self, head: u8) -> Result<u64, Fault> {
        let short = head & 0x1f;
        if short < 24 {
            self.at += 1;
            return Ok(u64::from(short));
        }
        self.long_argument(head)
    }

    fn long_argument(&mut self, head: u8) -> Result<u64, Fault> {
        let start = self.at;
        self.at += 1;
        let (argument, shortest) = match head & 0x1f {
            24 => (u64::from(u8::from_be_bytes(self.array()?)), 24),
            25 => (u64::from(u16::from_be_bytes(self.array()?)), 1 << 8),
            26 => (u64::from(u32::from_be_bytes(self.array()?)), 1 << 16),
            27 => (u64::from_be_bytes(self.array()?), 1 << 32),
            31 if matches!(head >> 5, 2..=5) => {
                return Err(Fault::at(start, DataProblem::Indefinite));
            }
            _ => return Err(Fault::at(start, DataProblem::Unsupported)),
        };
        if argument < shortest {
            return Err(Fault::at(start, DataProblem::NotMinimal));
        }
        Ok(argument)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let bytes = self.cbor[self.at..].first_chunk().ok_or(self.truncated())?;
        self.at += N;
        Ok(*bytes)
    }

    #[inline]
    fn take(&mut self, length: u64) -> Result<&'a [u8], Fault> {
        let left = &self.cbor[self.at..];
        let bytes = usize::try_from(length)
            .ok()
            .and_then(|length| left.get(..length))
            .ok_or(self.truncated())?;
        self.at += bytes.len();
        Ok(bytes)
    }

    #[inline]
    fn text(&mut self, length: u64) -> Result<&'a [u8], Fault> {
        let start = self.at;
        let bytes = self.take(length)?;
        // Most text is ASCII, and whether it is can be told faster.
        if !bytes.is_ascii()
            && let Err(error) = std::str::from_utf8(bytes)
        {
            return Err(Fault::at(start + error.valid_up_to(), DataProblem::Utf8));
        }
        Ok(bytes)
    }

    /// The number of entries of a container, each of which takes at least `least` bytes.
    fn count(&self, claimed: u64, least: usize) -> Result<usize, Fault> {
        usize::try_from(claimed)
            .ok()
            .filter(|count| *count <= (self.cbor.len() - self.at) / least)
            .ok_or(self.truncated())
    }

    const fn truncated(&self) -> Fault {
        Fault::at(self.cbor.len(), DataProblem::Truncated)
    }
}

impl Fault {
    const fn at(offset: usize, problem: DataProblem) -> Self {
        Self { problem, offset }
    }
}
