//! Who asks.

use std::fmt;

use data_encoding::BASE64;
use huddle_ports::{HeaderValue, Method, Timestamp, Url};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::http::digest::Session;
use crate::http::sign_in::SignIn;

/// A user name and a password, best one made for this application alone, and how their server wants to be told of them.
///
/// That is learnt from the server, which is asked something once without them: it gets the password as it is (RFC 7617)
/// if it wants that or never asks, and else a digest (RFC 7616). Clones learn together. What they are written to is to be
/// sealed.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    user: Zeroizing<String>,
    password: Zeroizing<String>,
    #[serde(default)]
    sign_in: SignIn,
}

impl PartialEq for Credentials {
    /// Whatever has been learnt of their server.
    fn eq(&self, other: &Self) -> bool {
        self.user == other.user && self.password == other.password
    }
}

impl Eq for Credentials {}

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
            sign_in: SignIn::default(),
        })
    }

    /// The user's mail address, where that is the name.
    pub(crate) fn address(&self) -> Option<&str> {
        self.user.contains('@').then_some(&self.user)
    }

    /// How their server wants to be told of them.
    pub(crate) fn sign_in(&self) -> &SignIn {
        &self.sign_in
    }

    /// Learns together with others from now on.
    pub(crate) fn learn_with(&mut self, sign_in: SignIn) {
        self.sign_in = sign_in;
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

    /// The value of `Authorization` that is the password as it is, marked as sensitive.
    pub(crate) fn basic(&self) -> HeaderValue {
        let pair = Zeroizing::new([&*self.user, ":", &*self.password].concat());
        let pair = Zeroizing::new(BASE64.encode(pair.as_bytes()));
        let text = Zeroizing::new(["Basic ", &*pair].concat());
        let mut value = HeaderValue::try_from(&*text)
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
        let header = credentials.basic();
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
