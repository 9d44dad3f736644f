//! What names a booking, and each try to place it.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use huddle_syntax::Did;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::sql::{Binding, FromValue, Value};

/// The id of a booking: opaque, unguessable, and the UID of its calendar events for ever.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BookingId(String);

/// A text that no booking has for an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a booking id is 16 to 128 lower-case letters and digits")]
pub struct InvalidBookingId;

impl BookingId {
    /// The id as it stands in requests and invitations.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Makes booking ids: the same request of the same caller always gets the same one, and nobody
/// without the secret can tell which.
#[derive(Clone)]
pub struct BookingIds {
    secret: Hmac<Sha256>,
}

impl BookingIds {
    /// Ids under a secret of 32 random bytes, which is never changed: it is what finds a booking
    /// again when its request is repeated.
    #[expect(clippy::missing_panics_doc, reason = "HMAC takes keys of any length")]
    pub fn new(secret: &[u8; 32]) -> Self {
        let secret = Hmac::new_from_slice(secret);
        Self {
            secret: secret.expect("HMAC takes keys of any length"),
        }
    }

    /// The id of what `caller` asked of `method` under the idempotency key `key`.
    pub fn of_request(&self, caller: &Did, method: &str, key: &str) -> BookingId {
        let mut hash = self.secret.clone();
        // None of the first two holds a NUL, so no two requests hash the same text.
        for part in [caller.as_str(), "\0", method, "\0", key] {
            hash.update(part.as_bytes());
        }
        let hash = hash.finalize().into_bytes();
        // 128 bits: as unguessable as a key, and 26 letters.
        let id = BASE32_NOPAD.encode(&hash[..16]).to_ascii_lowercase();
        BookingId(id)
    }
}

impl fmt::Debug for BookingIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BookingIds").finish_non_exhaustive()
    }
}

impl FromStr for BookingId {
    type Err = InvalidBookingId;

    fn from_str(text: &str) -> Result<Self, InvalidBookingId> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for BookingId {
    type Error = InvalidBookingId;

    fn try_from(text: String) -> Result<Self, InvalidBookingId> {
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if (16..=128).contains(&text.len()) && text.bytes().all(known) {
            Ok(Self(text))
        } else {
            Err(InvalidBookingId)
        }
    }
}

impl From<BookingId> for String {
    fn from(id: BookingId) -> Self {
        id.0
    }
}

impl fmt::Display for BookingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for BookingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BookingId").field(&self.0).finish()
    }
}

impl FromValue for BookingId {
    fn from_value(value: &Value) -> Option<Self> {
        String::from_value(value)?.try_into().ok()
    }
}

/// One try to place a booking, counted from 1. Of two messages about the same booking, the one of the
/// higher attempt is the later decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attempt(u32);

impl Attempt {
    /// Before the first try.
    pub(crate) const NONE: Self = Self(0);

    /// The first try.
    pub const FIRST: Self = Self(1);

    /// The try after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Attempt> for Binding<'_> {
    fn from(attempt: Attempt) -> Self {
        attempt.0.into()
    }
}

impl FromValue for Attempt {
    fn from_value(value: &Value) -> Option<Self> {
        u32::from_value(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn did(text: &str) -> Did {
        text.parse().unwrap()
    }

    #[test]
    fn the_same_request_always_has_the_same_id() {
        let ids = BookingIds::new(&[7; 32]);
        let ada = did("did:web:ada.example.com");
        let id = ids.of_request(&ada, "com.huddle.match", "k");
        assert_eq!(id, ids.of_request(&ada, "com.huddle.match", "k"));
        // Stored bookings are found by it: a change of this text would lose them.
        assert_eq!(id.as_str(), "hbx5yqqvlztry3lxxuavzvpaze");
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
    }

    #[test]
    fn another_caller_method_key_or_secret_has_another_id() {
        let ids = BookingIds::new(&[7; 32]);
        let ada = did("did:web:ada.example.com");
        let id = ids.of_request(&ada, "com.huddle.match", "k");
        let others = [
            ids.of_request(&did("did:web:bob.example.com"), "com.huddle.match", "k"),
            ids.of_request(&ada, "com.huddle.finalize", "k"),
            ids.of_request(&ada, "com.huddle.match", "l"),
            BookingIds::new(&[8; 32]).of_request(&ada, "com.huddle.match", "k"),
        ];
        assert!(others.iter().all(|other| *other != id), "{others:?}");
    }

    #[test]
    fn an_id_is_lower_case_letters_and_digits() {
        for text in [
            "",
            "short",
            "0123456789abcdeF",
            "0123456789abcde/",
            "0123456789abcdé",
        ] {
            assert_eq!(text.parse::<BookingId>(), Err(InvalidBookingId), "{text:?}");
        }
        assert!("a".repeat(129).parse::<BookingId>().is_err());
        assert!("0123456789abcdef".parse::<BookingId>().is_ok());
    }
}
