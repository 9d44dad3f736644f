//! One pass over DAG-CBOR before it is decoded: is it canonical, and of the data model?
//!
//! The decoder alone cannot say. It skips what a type does not ask for without looking at it, lets
//! floats and integers of any size through to types that take them, and ignores what follows a CID.

use super::{CborProblem, DataError, MAX_DEPTH, link};
use std::cmp::Ordering;

/// Accepts one canonical item and nothing after it.
pub(super) fn document(cbor: &[u8]) -> Result<(), DataError> {
    let end = item(cbor)?;
    if end < cbor.len() {
        return Err(DataError::Cbor {
            problem: CborProblem::Trailing,
            offset: end,
        });
    }
    Ok(())
}

/// Accepts one canonical item, and returns its length.
pub(super) fn item(cbor: &[u8]) -> Result<usize, DataError> {
    let mut scanner = Scanner { cbor, at: 0 };
    let mut open = [Open::List { left: 0 }; MAX_DEPTH];
    let mut depth = 0;
    loop {
        let start = scanner.at;
        if let Some(container) = scanner.value()? {
            let Some(level) = open.get_mut(depth) else {
                return Err(DataError::Cbor {
                    problem: CborProblem::TooDeep,
                    offset: start,
                });
            };
            *level = container;
            depth += 1;
        }
        // The next value stands in the innermost container that has one left.
        loop {
            let Some(innermost) = depth.checked_sub(1) else {
                return Ok(scanner.at);
            };
            if scanner.advance(&mut open[innermost])? {
                break;
            }
            depth = innermost;
        }
    }
}

/// A list or a map whose end has not been reached.
#[derive(Clone, Copy)]
enum Open<'a> {
    List {
        left: usize,
    },
    Map {
        left: usize,
        last_key: Option<&'a [u8]>,
    },
}

struct Scanner<'a> {
    cbor: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// Passes over a scalar, or over the head of a list or map.
    fn value(&mut self) -> Result<Option<Open<'a>>, DataError> {
        let start = self.at;
        let fail = |problem| {
            Err(DataError::Cbor {
                problem,
                offset: start,
            })
        };
        let head = self.peek()?;
        if head >> 5 == 7 {
            self.at += 1;
            return match head {
                // false, true, null
                0xf4..=0xf6 => Ok(None),
                0xf9..=0xfb => fail(CborProblem::Float),
                _ => fail(CborProblem::Unsupported),
            };
        }
        let argument = self.argument()?;
        match head >> 5 {
            // n, or -1 - n: either fits 64 signed bits if n needs no more than 63.
            0 | 1 if argument > i64::MAX as u64 => return fail(CborProblem::IntegerRange),
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
                    left: self.count(argument, 2)?,
                    last_key: None,
                }));
            }
            _ if argument == 42 => {
                if self.peek()? >> 5 != 2 {
                    return fail(CborProblem::Link);
                }
                let length = self.argument()?;
                if !link::is_tagged(self.take(length)?) {
                    return fail(CborProblem::Link);
                }
            }
            _ => return fail(CborProblem::Tag),
        }
        Ok(None)
    }

    /// Goes on to the next value of a container, past the key before it; `false` at the end.
    fn advance(&mut self, container: &mut Open<'a>) -> Result<bool, DataError> {
        match container {
            Open::List { left: 0 } | Open::Map { left: 0, .. } => return Ok(false),
            Open::List { left } => *left -= 1,
            Open::Map { left, last_key } => {
                *left -= 1;
                *last_key = Some(self.key(*last_key)?);
            }
        }
        Ok(true)
    }

    fn key(&mut self, last: Option<&[u8]>) -> Result<&'a [u8], DataError> {
        let start = self.at;
        let fail = |problem| {
            Err(DataError::Cbor {
                problem,
                offset: start,
            })
        };
        if self.peek()? >> 5 != 3 {
            return fail(CborProblem::Key);
        }
        let length = self.argument()?;
        let key = self.text(length)?;
        if let Some(last) = last {
            match (last.len(), last).cmp(&(key.len(), key)) {
                Ordering::Less => {}
                Ordering::Equal => return fail(CborProblem::DuplicateKey),
                Ordering::Greater => return fail(CborProblem::KeyOrder),
            }
        }
        if key.first() == Some(&b'$') {
            match key {
                b"$link" | b"$bytes" => return fail(CborProblem::ReservedKey),
                // A string, and not the empty one.
                b"$type" if !matches!(self.peek()?, 0x61..=0x7b) => {
                    return Err(DataError::Cbor {
                        problem: CborProblem::Type,
                        offset: self.at,
                    });
                }
                _ => {}
            }
        }
        Ok(key)
    }

    fn peek(&self) -> Result<u8, DataError> {
        self.cbor
            .get(self.at)
            .copied()
            .ok_or_else(|| self.truncated())
    }

    /// Passes over a head, and returns the number in it.
    fn argument(&mut self) -> Result<u64, DataError> {
        let start = self.at;
        let fail = |problem| {
            Err(DataError::Cbor {
                problem,
                offset: start,
            })
        };
        let short = self.peek()? & 0x1f;
        self.at += 1;
        let (argument, shortest) = match short {
            0..=23 => return Ok(u64::from(short)),
            24 => (u64::from(u8::from_be_bytes(self.array()?)), 24),
            25 => (u64::from(u16::from_be_bytes(self.array()?)), 1 << 8),
            26 => (u64::from(u32::from_be_bytes(self.array()?)), 1 << 16),
            27 => (u64::from_be_bytes(self.array()?), 1 << 32),
            31 => return fail(CborProblem::Indefinite),
            _ => return fail(CborProblem::Unsupported),
        };
        if argument < shortest {
            return fail(CborProblem::NotMinimal);
        }
        Ok(argument)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DataError> {
        let bytes = self.cbor[self.at..]
            .first_chunk()
            .ok_or_else(|| self.truncated())?;
        self.at += N;
        Ok(*bytes)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], DataError> {
        let left = &self.cbor[self.at..];
        let bytes = usize::try_from(length)
            .ok()
            .and_then(|length| left.get(..length))
            .ok_or_else(|| self.truncated())?;
        self.at += bytes.len();
        Ok(bytes)
    }

    fn text(&mut self, length: u64) -> Result<&'a [u8], DataError> {
        let start = self.at;
        let bytes = self.take(length)?;
        if let Err(error) = std::str::from_utf8(bytes) {
            let offset = start + error.valid_up_to();
            return Err(DataError::Cbor {
                problem: CborProblem::Utf8,
                offset,
            });
        }
        Ok(bytes)
    }

    /// The number of entries of a container, each of which takes at least `least` bytes.
    fn count(&self, claimed: u64, least: usize) -> Result<usize, DataError> {
        usize::try_from(claimed)
            .ok()
            .filter(|count| *count <= (self.cbor.len() - self.at) / least)
            .ok_or_else(|| self.truncated())
    }

    const fn truncated(&self) -> DataError {
        DataError::Cbor {
            problem: CborProblem::Truncated,
            offset: self.cbor.len(),
        }
    }
}
