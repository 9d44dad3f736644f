//! What is wrong with data, and where in its bytes.

use serde::de::{Expected, Unexpected};
use serde_ipld_dagcbor::error::DecodeError;
use std::convert::Infallible;
use std::fmt::{self, Display};

/// Data that cannot be decoded, or a value that the data model cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataError {
    /// Bytes that are not canonical DAG-CBOR, or not of the data model.
    Cbor {
        /// What is wrong.
        problem: CborProblem,
        /// Where, in bytes from the start.
        offset: usize,
    },
    /// Text that is not JSON, or not of the data model.
    Json {
        /// What is wrong.
        problem: String,
        /// Where, counted from 1.
        line: usize,
        /// Where in the line, in bytes, counted from 1.
        column: usize,
    },
    /// Well-formed data of another type than the one asked for, or a value that cannot be encoded.
    Mismatch(String),
}

/// What makes bytes something else than canonical DAG-CBOR of the data model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CborProblem {
    /// The bytes end within an item, or a length is larger than what is left.
    Truncated,
    /// Bytes follow the item.
    Trailing,
    /// An integer, a length or a tag is not in its shortest form.
    NotMinimal,
    /// A length is left open, which DAG-CBOR forbids.
    Indefinite,
    /// An integer that 64 signed bits cannot hold.
    IntegerRange,
    /// A float.
    Float,
    /// A value other than `false`, `true` and `null`, or a head that CBOR reserves.
    Unsupported,
    /// A tag other than 42, which marks a link.
    Tag,
    /// A tag 42 without a `CIDv1` in binary form under it.
    Link,
    /// A string that is not UTF-8.
    Utf8,
    /// A map key that is not a string.
    Key,
    /// A map key that should come before the one in front of it.
    KeyOrder,
    /// A map key that is there twice.
    DuplicateKey,
    /// A map key `$link` or `$bytes`.
    ReservedKey,
    /// A `$type` that is not a string, or is empty.
    Type,
    /// Lists and maps nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep,
}

impl DataError {
    pub(super) const fn cbor(problem: CborProblem, offset: usize) -> Self {
        Self::Cbor { problem, offset }
    }

    pub(super) fn json(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let place = format!(" at line {line} column {column}");
        let problem = text.strip_suffix(&place).unwrap_or(&text).to_owned();
        Self::Json {
            problem,
            line,
            column,
        }
    }
}

impl Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cbor { problem, offset } => write!(f, "{problem}, at byte {offset}"),
            Self::Json {
                problem,
                line,
                column,
            } => {
                write!(f, "{problem}, at line {line} column {column}")
            }
            Self::Mismatch(problem) => f.write_str(problem),
        }
    }
}

impl Display for CborProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the data ends too early",
            Self::Trailing => "data after the end",
            Self::NotMinimal => "a number not in its shortest form",
            Self::Indefinite => "an open length",
            Self::IntegerRange => "an integer beyond 64 signed bits",
            Self::Float => "a float",
            Self::Unsupported => "a kind of value that is not in DAG-CBOR",
            Self::Tag => "a tag other than 42",
            Self::Link => "a malformed link",
            Self::Utf8 => "a string that is not UTF-8",
            Self::Key => "a map key that is not a string",
            Self::KeyOrder => "a map key out of order",
            Self::DuplicateKey => "a map key that is there twice",
            Self::ReservedKey => "$link or $bytes as a map key",
            Self::Type => "a $type that is not a string, or empty",
            Self::TooDeep => "lists and maps nested too deep",
        })
    }
}

impl std::error::Error for DataError {}

impl serde::de::Error for DataError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Mismatch(message.to_string())
    }

    // The default texts of these two repeat the value, however long it is.
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Mismatch(format!("expected {expected}, found {}", kind(&found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Mismatch(format!("expected {expected}, found {}", kind(&found)))
    }
}

impl serde::ser::Error for DataError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Mismatch(message.to_string())
    }
}

impl From<DecodeError<Infallible>> for DataError {
    fn from(error: DecodeError<Infallible>) -> Self {
        Self::Mismatch(match error {
            DecodeError::Msg(message) => message,
            error => error.to_string(),
        })
    }
}

fn kind(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "an integer",
        Unexpected::Float(_) => "a float",
        Unexpected::Char(_) | Unexpected::Str(_) => "a string",
        Unexpected::Bytes(_) => "bytes",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::NewtypeStruct => "a link",
        Unexpected::Seq => "a list",
        Unexpected::Map => "an object",
        _ => "something else",
    }
}
