//! What is wrong with a value, and where.

use std::fmt::{self, Display};

const CARRIED: &str = "in ";
const MISSING: &str = "required, but missing";
const NOT_ALLOWED: &str = "must be one of ";

/// A value that breaks its schema: the place, in the lexicon's names, and the constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    path: String,
    problem: Problem,
}

/// The constraint that a value breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Not of the type or string format that the schema names, or not well-formed at all.
    Malformed(String),
    /// A required field or parameter is absent.
    Missing,
    /// Shorter than the minimum, in the unit of the constraint.
    TooShort {
        /// What is counted.
        unit: Unit,
        /// The least that is allowed.
        minimum: usize,
        /// What there is.
        actual: usize,
    },
    /// Longer than the maximum, in the unit of the constraint.
    TooLong {
        /// What is counted.
        unit: Unit,
        /// The most that is allowed.
        maximum: usize,
        /// What there is.
        actual: usize,
    },
    /// An integer below `minimum`.
    TooSmall {
        /// The least that is allowed.
        minimum: i64,
        /// What there is.
        actual: i64,
    },
    /// An integer above `maximum`.
    TooLarge {
        /// The most that is allowed.
        maximum: i64,
        /// What there is.
        actual: i64,
    },
    /// Not one of the values of an `enum`, or not the `const`.
    NotAllowed {
        /// The values that are allowed.
        allowed: String,
    },
    /// A blob whose MIME type the schema does not accept.
    MimeType {
        /// The patterns that are accepted, e.g. `image/*`.
        accepted: String,
    },
    /// A blob larger than `maxSize`.
    BlobSize {
        /// The most that is allowed, in bytes.
        maximum: i64,
        /// What there is, in bytes.
        actual: i64,
    },
}

/// What a length is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of UTF-8, or of a byte string.
    Bytes,
    /// Extended grapheme clusters (UAX #29).
    Graphemes,
    /// Items of an array.
    Items,
}

impl Invalid {
    /// The problem of the value itself; the path grows as it is handed up with [`At::at`].
    pub const fn new(problem: Problem) -> Self {
        Self {
            path: String::new(),
            problem,
        }
    }

    pub(crate) fn malformed(problem: impl Display) -> Self {
        Self::new(Problem::Malformed(problem.to_string()))
    }

    /// The text that takes the problem through a format's own error type, which keeps nothing but
    /// text; [`of_text`](Self::of_text) reads it again.
    pub(super) fn carried(&self) -> impl Display + '_ {
        fmt::from_fn(|f| match self.path.as_str() {
            "" => self.problem.fmt(f),
            path => write!(f, "{CARRIED}{path}: {}", self.problem),
        })
    }

    /// Reads what [`carried`](Self::carried) wrote, or else what a format says.
    pub(super) fn of_text(text: &str) -> Self {
        let (path, text) = text
            .strip_prefix(CARRIED)
            .and_then(|carried| carried.split_once(": "))
            .unwrap_or(("", text));
        let problem = match text.strip_prefix(NOT_ALLOWED) {
            Some(allowed) => Problem::NotAllowed {
                allowed: allowed.to_owned(),
            },
            None if text == MISSING => Problem::Missing,
            None => Problem::Malformed(text.to_owned()),
        };
        Self {
            path: path.to_owned(),
            problem,
        }
    }

    /// What an error of a format says, at the place where the format met it.
    pub(super) fn located(path: &serde_path_to_error::Path, text: &str) -> Self {
        use serde_path_to_error::Segment;

        let steps: Vec<_> = path.iter().collect();
        steps
            .into_iter()
            .rev()
            .fold(Self::of_text(text), |invalid, step| match step {
                Segment::Seq { index } => invalid.under(index),
                Segment::Map { key } => invalid.under(key),
                Segment::Enum { .. } | Segment::Unknown => invalid,
            })
    }

    pub(super) fn under(mut self, step: impl Display) -> Self {
        self.path = if self.path.is_empty() {
            step.to_string()
        } else {
            format!("{step}/{}", self.path)
        };
        self
    }

    /// The steps from the root to the value, e.g. `constraints/days/0`; empty for the root.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The constraint that is broken.
    pub const fn problem(&self) -> &Problem {
        &self.problem
    }
}

/// Hands a failed check up to the value that holds the one it failed on.
pub trait At: Sized {
    /// Puts a field's name or an item's index before the path of the problem.
    #[must_use]
    fn at(self, step: impl Display) -> Self;
}

impl<T> At for Result<T, Invalid> {
    fn at(self, step: impl Display) -> Self {
        self.map_err(|invalid| invalid.under(step))
    }
}

impl Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        self.problem.fmt(f)
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(text) => f.write_str(text),
            Self::Missing => f.write_str(MISSING),
            Self::TooShort {
                unit,
                minimum,
                actual,
            } => {
                write!(f, "has {actual} {unit}, and must have at least {minimum}")
            }
            Self::TooLong {
                unit,
                maximum,
                actual,
            } => {
                write!(f, "has {actual} {unit}, and may have at most {maximum}")
            }
            Self::TooSmall { minimum, actual } => {
                write!(f, "is {actual}, and must be at least {minimum}")
            }
            Self::TooLarge { maximum, actual } => {
                write!(f, "is {actual}, and may be at most {maximum}")
            }
            Self::NotAllowed { allowed } => write!(f, "{NOT_ALLOWED}{allowed}"),
            Self::MimeType { accepted } => write!(f, "must be a blob of type {accepted}"),
            Self::BlobSize { maximum, actual } => {
                write!(
                    f,
                    "is a blob of {actual} bytes, and may have at most {maximum}"
                )
            }
        }
    }
}

impl Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "bytes",
            Self::Graphemes => "graphemes",
            Self::Items => "items",
        })
    }
}

impl std::error::Error for Invalid {}
