//! A DID with the name of one of its services: what `aud`, `iss` and the `atproto-proxy` header say.

use crate::syntax_error::{Verdict, ensure};
use crate::{Did, SyntaxError};
use std::fmt;
use std::str::FromStr;

/// A DID, or one service of it: `did:web:example.com#huddle_appview`.
///
/// ```
/// use huddle_syntax::ServiceRef;
///
/// let service: ServiceRef = "did:web:example.com#huddle_appview".parse()?;
/// assert_eq!(service.did().as_str(), "did:web:example.com");
/// assert_eq!(service.service(), Some("huddle_appview"));
/// assert_eq!(service.to_string(), "did:web:example.com#huddle_appview");
/// # Ok::<(), huddle_syntax::SyntaxError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServiceRef {
    did: Did,
    service: Option<Box<str>>,
}

/// The longest service name: names in use are a few words.
const MAX_SERVICE_LEN: usize = 64;

impl ServiceRef {
    /// The service `service` of `did`. Its name is letters, digits, `_`, `-` and `.`, at most 64.
    pub fn new(did: Did, service: &str) -> Result<Self, SyntaxError> {
        check_service(service).map_err(|problem| SyntaxError::new("service reference", problem))?;
        Ok(Self {
            did,
            service: Some(service.into()),
        })
    }

    /// The DID.
    pub const fn did(&self) -> &Did {
        &self.did
    }

    /// The name of the service, without its `#`.
    pub fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// The DID and the service, taken apart.
    pub fn into_parts(self) -> (Did, Option<Box<str>>) {
        (self.did, self.service)
    }
}

fn check_service(name: &str) -> Verdict {
    ensure(!name.is_empty(), "nothing follows its `#`")?;
    ensure(
        name.len() <= MAX_SERVICE_LEN,
        "the name of its service is longer than 64 bytes",
    )?;
    ensure(
        name.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)),
        "the name of its service has a character other than letters, digits and `_-.`",
    )
}

impl From<Did> for ServiceRef {
    /// The DID itself, none of its services.
    fn from(did: Did) -> Self {
        Self { did, service: None }
    }
}

impl FromStr for ServiceRef {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        match text.split_once('#') {
            None => text.parse().map(|did: Did| did.into()),
            Some((did, service)) => Self::new(did.parse()?, service),
        }
    }
}

impl fmt::Display for ServiceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.did.as_str())?;
        match &self.service {
            None => Ok(()),
            Some(service) => write!(f, "#{service}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ServiceRef;

    #[test]
    fn text_is_kept_or_refused() {
        for text in [
            "did:plc:abc",
            "did:web:a.example#x",
            "did:plc:abc#bsky_fg.2-b",
        ] {
            assert_eq!(
                text.parse::<ServiceRef>()
                    .map(|service| service.to_string()),
                Ok(text.to_owned())
            );
        }
        let long = format!("did:plc:abc#{}", "a".repeat(65));
        for text in [
            "",
            "#x",
            "plc:abc",
            "did:plc:abc#",
            "did:plc:abc##x",
            "did:plc:abc#x#y",
            "did:plc:abc#a b",
            "did:plc:abc#ä",
            "did:plc:abc #x",
            &long,
        ] {
            assert!(text.parse::<ServiceRef>().is_err(), "{text}");
        }
    }
}
