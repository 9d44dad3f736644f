//! Why a text is not the identifier that it was taken for.

use std::error::Error;
use std::fmt;

/// A text that breaks the syntax of an identifier.
///
/// Holds no part of the text, which may be of any length and come from anybody.
///
/// ```
/// let error = "did:PLC:abc".parse::<huddle_syntax::Did>().unwrap_err();
/// assert_eq!(error.to_string(), "invalid DID: its method is not lower-case letters");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    kind: &'static str,
    problem: &'static str,
}

impl SyntaxError {
    pub(crate) const fn new(kind: &'static str, problem: &'static str) -> Self {
        Self { kind, problem }
    }

    /// The identifier that was expected, e.g. `DID`.
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// The rule that the text breaks; reads on from "invalid DID: ".
    pub const fn problem(&self) -> &'static str {
        self.problem
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid {}: {}", self.kind, self.problem)
    }
}

impl Error for SyntaxError {}

/// What a check answers: the rule that the text breaks, if any.
pub(crate) type Verdict = Result<(), &'static str>;

/// States a rule of a syntax, and what to say where it does not hold.
pub(crate) const fn ensure(holds: bool, problem: &'static str) -> Verdict {
    if holds { Ok(()) } else { Err(problem) }
}
