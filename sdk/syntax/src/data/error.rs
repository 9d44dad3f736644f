//! What is wrong with data, and where in its bytes.

use super::InvalidLink;
use serde::de::{Expected, Unexpected};
use serde_ipld_dagcbor::error::DecodeError;
use std::convert::Infallible;
use std::fmt::{self, Display};

/// Data that cannot be decoded, or a value that cannot be encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataError {
    /// Bytes that are not canonical DAG-CBOR, or not of the data model.
    Cbor {
        /// What is wrong.
        problem: DataProblem,
        /// Where, in bytes from the start.
        offset: usize,
    },
    /// Text that is not JSON, or not of the data model.
    Json {
        /// What is wrong.
        problem: String,
        /// The line, counted from 1.
        line: usize,
        /// How many bytes of the line were read.
        column: usize,
    },
    /// Well-formed data of another type than the one asked for: what the type says of it.
    Mismatch(String),
    /// A value that the data model cannot hold.
    Unencodable(DataProblem),
    /// A value whose own type refuses to be encoded: what the type says of it.
    Refused(String),
}

/// What keeps something out of the data model, or out of the canonical form of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataProblem {
    /// The bytes end within an item, or a length is larger than what is left.
    Truncated,
    /// Bytes follow the item.
    Trailing,
    /// An integer, a length or a tag is not in its shortest form.
    NotMinimal,
    /// A length is left open, which DAG-CBOR forbids.
    Indefinite,
    /// A kind of value that DAG-CBOR does not have, such as `undefined`.
    Unsupported,
    /// A tag other than 42, which marks a link.
    Tag,
    /// A link that is not a `CIDv1`.
    Link,
    /// A float.
    Float,
    /// An integer beyond 64 signed bits.
    IntegerRange,
    /// A string that is not UTF-8.
    Utf8,
    /// A map key that is not a string.
    Key,
    /// A map key that should come before the one in front of it.
    KeyOrder,
    /// A map key that is there twice.
    DuplicateKey,
    /// A map key `$link` or `$bytes`, or such a field that is not alone in its object.
    ReservedKey,
    /// A `$type` that is not a string, or is empty.
    Type,
    /// A map whose `$type` is `blob`, and which is not a whole [`Blob`](super::Blob).
    Blob,
    /// Lists and maps nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep,
}

impl DataError {
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
            Self::Mismatch(problem) | Self::Refused(problem) => f.write_str(problem),
            Self::Unencodable(problem) => problem.fmt(f),
        }
    }
}

impl Display for DataProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the data ends too early",
            Self::Trailing => "something follows the data",
            Self::NotMinimal => "a number is not in its shortest form",
            Self::Indefinite => "a length is left open",
            Self::Unsupported => "this kind of value is not in DAG-CBOR",
            Self::Tag => "a tag must be 42",
            Self::Link => return InvalidLink.fmt(f),
            Self::Float => "the data model has no floats",
            Self::IntegerRange => "an integer must fit into 64 signed bits",
            Self::Utf8 => "a string must be UTF-8",
            Self::Key => "a map key must be a string",
            Self::KeyOrder => "map keys must be in canonical order",
            Self::DuplicateKey => "a map key is there twice",
            Self::ReservedKey => "$link and $bytes must be alone in an object, and only in JSON",
            Self::Type => "$type must be a string, and not empty",
            Self::Blob => {
                "a map whose $type is blob must have a ref, a mimeType, a size, and nothing else"
            }
            Self::TooDeep => "lists and maps are nested too deep",
        })
    }
}

impl std::error::Error for DataError {}

impl serde::de::Error for DataError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Mismatch(bounded(message.to_string()))
    }

    // The default texts of these two repeat the value.
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Mismatch(format!("expected {expected}, found {}", kind(&found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Mismatch(format!(
            "expected {expected}, found another {}",
            kind(&found)
        ))
    }
}

impl serde::ser::Error for DataError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Refused(message.to_string())
    }
}

/// What the decoder says of bytes that the scan has accepted.
impl From<DecodeError<Infallible>> for DataError {
    fn from(error: DecodeError<Infallible>) -> Self {
        Self::Mismatch(match error {
            DecodeError::Msg(message) => bounded(message),
            DecodeError::Mismatch { name, found } | DecodeError::Unsupported { name, found } => {
                let name = if name.starts_with("CBOR tag") {
                    "link"
                } else {
                    name
                };
                format!("expected {name}, found {}", kind_of_head(found))
            }
            DecodeError::CastOverflow { name } | DecodeError::ArithmeticOverflow { name, .. } => {
                format!("expected {name}, found an integer out of its range")
            }
            DecodeError::LengthMismatch {
                name,
                expect,
                value,
            } => {
                format!("expected {name} of {expect} items, found {value}")
            }
            error => error.to_string(),
        })
    }
}

/// Cuts a text that may repeat the input, which is as long as it likes.
fn bounded(mut message: String) -> String {
    const MAX_LEN: usize = 2048;

    if message.len() > MAX_LEN {
        message.truncate(message.floor_char_boundary(MAX_LEN));
        message.push('…');
    }
    message
}

fn kind(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "integer",
        Unexpected::Float(_) => "float",
        Unexpected::Char(_) | Unexpected::Str(_) => "string",
        Unexpected::Bytes(_) => "bytes",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::NewtypeStruct => "link",
        Unexpected::Seq => "list",
        Unexpected::Map => "map",
        _ => "something else",
    }
}

fn kind_of_head(head: u8) -> &'static str {
    match head >> 5 {
        0 | 1 => "integer",
        2 => "bytes",
        3 => "string",
        4 => "list",
        5 => "map",
        6 => "link",
        _ if head == 0xf6 => "null",
        _ => "boolean",
    }
}
