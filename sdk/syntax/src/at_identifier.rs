//! What names an account from outside: its DID or its handle.

use crate::syntax_error::Verdict;
use crate::text_type::text_type;
use crate::{Did, Handle, SyntaxError, did, handle};

/// A DID or a handle, as many XRPC methods take for an account.
///
/// ```
/// use huddle_syntax::AtIdentifier;
///
/// let who: AtIdentifier = "alice.example.com".parse()?;
/// match who {
///     AtIdentifier::Did(did) => println!("known: {did}"),
///     AtIdentifier::Handle(handle) => println!("to be resolved: {handle}"),
/// }
/// # Ok::<(), huddle_syntax::SyntaxError>(())
/// ```
#[derive(Clone)]
pub enum AtIdentifier {
    /// The lasting name.
    Did(Did),
    /// The name that may change hands.
    Handle(Handle),
}

text_type!(AtIdentifier: "AT identifier");

impl AtIdentifier {
    fn parse(text: impl AsRef<str> + Into<Box<str>>) -> Result<Self, SyntaxError> {
        let parsed = if is_did(text.as_ref()) {
            Did::try_from(String::from(text.into())).map(Self::Did)
        } else {
            Handle::try_from(String::from(text.into())).map(Self::Handle)
        };
        parsed.map_err(|error| SyntaxError::new(Self::KIND, error.problem()))
    }

    /// The text, as it came.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Did(did) => did.as_str(),
            Self::Handle(handle) => handle.as_str(),
        }
    }

    fn into_text(self) -> Box<str> {
        match self {
            Self::Did(did) => String::from(did).into(),
            Self::Handle(handle) => String::from(handle).into(),
        }
    }

    /// The DID, if it is one.
    pub const fn as_did(&self) -> Option<&Did> {
        match self {
            Self::Did(did) => Some(did),
            Self::Handle(_) => None,
        }
    }

    /// The handle, if it is one.
    pub const fn as_handle(&self) -> Option<&Handle> {
        match self {
            Self::Did(_) => None,
            Self::Handle(handle) => Some(handle),
        }
    }
}

impl From<Did> for AtIdentifier {
    fn from(did: Did) -> Self {
        Self::Did(did)
    }
}

impl From<Handle> for AtIdentifier {
    fn from(handle: Handle) -> Self {
        Self::Handle(handle)
    }
}

pub(crate) fn check(text: &str) -> Verdict {
    if is_did(text) {
        did::check(text)
    } else {
        handle::check(text)
    }
}

/// No handle has a colon, so that the prefix alone decides.
fn is_did(text: &str) -> bool {
    text.starts_with("did:")
}

#[cfg(test)]
mod tests {
    use super::AtIdentifier;

    #[test]
    fn the_prefix_of_a_did_decides() {
        #[track_caller]
        fn check(text: &str, did: Option<&str>, handle: Option<&str>) {
            let who: AtIdentifier = text.parse().unwrap();
            assert_eq!(who.as_did().map(AsRef::as_ref), did);
            assert_eq!(who.as_handle().map(AsRef::as_ref), handle);
        }
        check("did:plc:abc", Some("did:plc:abc"), None);
        check("did.plc.abc", None, Some("did.plc.abc"));
    }

    #[test]
    fn an_error_names_what_was_asked_for() {
        #[track_caller]
        fn check(text: &str, problem: &str) {
            let error = text.parse::<AtIdentifier>().unwrap_err();
            assert_eq!((error.kind(), error.problem()), ("AT identifier", problem));
        }
        check("did:plc", "has no `:` after its method");
        check("did", "has no dot");
    }
}
