//! What names a booking, and each try to place it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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
