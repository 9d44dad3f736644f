//! Names of definitions, and patterns that select lexicons by name.

use huddle_syntax::{Nsid, SyntaxError};
use std::fmt;
use std::str::FromStr;

/// The absolute name of a definition: `com.example.defs#view`, or `com.example.thing` for its `main`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefId {
    nsid: Nsid,
    name: String,
}

impl DefId {
    /// The definition of this name in a lexicon.
    pub fn new(nsid: Nsid, name: impl Into<String>) -> Self {
        Self {
            nsid,
            name: name.into(),
        }
    }

    /// The lexicon.
    pub const fn nsid(&self) -> &Nsid {
        &self.nsid
    }

    /// The key in its `defs`, e.g. `main`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is the definition that the NSID alone stands for.
    pub fn is_main(&self) -> bool {
        self.name == "main"
    }
}

/// As `$type` and tokens write it: a `main` is never spelled out.
impl fmt::Display for DefId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_main() {
            return self.nsid.fmt(f);
        }
        write!(f, "{}#{}", self.nsid, self.name)
    }
}

impl FromStr for DefId {
    type Err = SyntaxError;

    /// Reads an absolute name; `#main` may be spelled out.
    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        let (nsid, name) = text.split_once('#').unwrap_or((text, "main"));
        Ok(Self::new(nsid.parse()?, name))
    }
}

/// Selects lexicons by name: one NSID, all below a prefix (`com.example.*`), or all (`*`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NsidPattern(String);

/// A text that is no pattern of lexicon names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} selects no lexicon: write an NSID (com.example.thing), a prefix (com.example.*) or *"
)]
pub struct PatternError(String);

impl NsidPattern {
    /// Whether it selects this lexicon.
    pub fn matches(&self, nsid: &Nsid) -> bool {
        match self.0.strip_suffix('*') {
            Some(prefix) => nsid.as_str().starts_with(prefix),
            None => nsid.as_str() == self.0,
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How narrow it is: of two patterns that match, the one with the higher number says more.
    pub fn specificity(&self) -> usize {
        self.0.len()
    }
}

impl FromStr for NsidPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let valid = match text.strip_suffix('*') {
            Some("") => true,
            // A prefix ends where a segment ends; two segments are an NSID with any name added.
            Some(prefix) => prefix
                .strip_suffix('.')
                .is_some_and(|authority| format!("{authority}.a.a").parse::<Nsid>().is_ok()),
            None => text.parse::<Nsid>().is_ok(),
        };
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(PatternError(text.to_owned()))
        }
    }
}

impl fmt::Display for NsidPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
