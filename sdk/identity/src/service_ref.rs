//! A DID with the name of one of its services: what `aud`, `iss` and the `atproto-proxy` header
//! say.

use std::fmt;
use std::str::FromStr;

use huddle_syntax::Did;

/// A DID, or one service of it: `did:web:example.com#huddle_appview`.
///
/// ```
/// use huddle_identity::ServiceRef;
///
/// let service: ServiceRef = "did:web:example.com#huddle_appview".parse()?;
/// assert_eq!(service.did().as_str(), "did:web:example.com");
/// assert_eq!(service.service(), Some("huddle_appview"));
/// assert_eq!(service.to_string(), "did:web:example.com#huddle_appview");
/// # Ok::<(), huddle_identity::ServiceRefError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServiceRef {
    did: Did,
    service: Option<Box<str>>,
}

/// The text is not a DID, alone or followed by `#` and the name of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a DID, alone or with the name of a service after a `#`")]
pub struct ServiceRefError;

/// The longest service name: names in use are a few words.
const MAX_SERVICE_LEN: usize = 64;

impl ServiceRef {
    /// The service `service` of `did`. Its name is letters, digits, `_`, `-` and `.`, at most 64.
    pub fn new(did: Did, service: &str) -> Result<Self, ServiceRefError> {
        let is_name = (1..=MAX_SERVICE_LEN).contains(&service.len())
            && service
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
        if !is_name {
            return Err(ServiceRefError);
        }
        Ok(Self {
            did,
            service: Some(service.into()),
        })
    }

    /// The DID.
    pub fn did(&self) -> &Did {
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

impl From<Did> for ServiceRef {
    /// The DID itself, none of its services.
    fn from(did: Did) -> Self {
        Self { did, service: None }
    }
}

impl FromStr for ServiceRef {
    type Err = ServiceRefError;

    fn from_str(text: &str) -> Result<Self, ServiceRefError> {
        let parse = |did: &str| did.parse::<Did>().map_err(|_| ServiceRefError);
        match text.split_once('#') {
            None => parse(text).map(Self::from),
            Some((did, service)) => Self::new(parse(did)?, service),
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
    use super::*;

    #[test]
    fn text_is_kept_or_refused() {
        for text in [
            "did:plc:abc",
            "did:web:a.example#x",
            "did:plc:abc#bsky_fg.2-b",
        ] {
            assert_eq!(text.parse::<ServiceRef>().unwrap().to_string(), text);
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
            assert_eq!(text.parse::<ServiceRef>(), Err(ServiceRefError), "{text}");
        }
    }
}
