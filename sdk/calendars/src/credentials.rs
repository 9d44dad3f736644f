//! Who asks.

use std::fmt;

use data_encoding::BASE64;
use huddle_ports::{HeaderValue, Method, Timestamp, Url};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::http::digest::Session;

/// A user name and a password, best one made for this application alone (RFC 7617).
///
/// They are sent with every request and not only when asked for, because some servers never ask; where a server asks for
/// a digest (RFC 7616), that is sent instead. What they are written to is to be sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    user: Zeroizing<String>,
    password: Zeroizing<String>,
}

/// A user name with a colon, or a control character in either part (RFC 7617 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a user name has no colon, and neither it nor a password has control characters")]
pub struct InvalidCredentials;

impl Credentials {
    /// The two, as the person gave them.
    pub fn new(user: &str, password: &str) -> Result<Self, InvalidCredentials> {
        let forbidden = |part: &str| part.chars().any(char::is_control);
        if user.contains(':') || forbidden(user) || forbidden(password) {
            return Err(InvalidCredentials);
        }
        Ok(Self {
            user: Zeroizing::new(user.to_owned()),
            password: Zeroizing::new(password.to_owned()),
        })
    }

    /// The user's mail address, where that is the name.
    pub(crate) fn address(&self) -> Option<&str> {
        self.user.contains('@').then_some(&self.user)
    }

    /// The value of `Authorization` that a server has asked for.
    pub(crate) fn digest(
        &self,
        session: &mut Session,
        request: (&Method, &Url),
        now: Timestamp,
    ) -> Option<HeaderValue> {
        session.authorize(&self.user, &self.password, request, now)
    }

    /// The value of `Authorization`, marked as sensitive.
    pub(crate) fn authorization(&self) -> HeaderValue {
        let pair = Zeroizing::new(format!("{}:{}", *self.user, *self.password));
        let mut value = HeaderValue::try_from(format!("Basic {}", BASE64.encode(pair.as_bytes())))
            .expect("Base64 has no character that a header cannot have");
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_them_is_printed() {
        let credentials = Credentials::new("ana@example.com", "secret").unwrap();
        let header = credentials.authorization();
        assert_eq!(
            header.to_str().unwrap(),
            "Basic YW5hQGV4YW1wbGUuY29tOnNlY3JldA=="
        );
        for text in [format!("{credentials:?}"), format!("{header:?}")] {
            assert!(!text.contains("ana") && !text.contains("secret") && !text.contains("YW5h"));
        }
    }

    #[test]
    fn what_would_end_up_in_the_other_part_or_header_is_refused() {
        for (user, password) in [("a:b", "c"), ("a\r\nX: y", "c"), ("a", "c\n")] {
            assert_eq!(Credentials::new(user, password), Err(InvalidCredentials));
        }
        assert!(Credentials::new("ana", "pass:wörd 1").is_ok());
    }
}
