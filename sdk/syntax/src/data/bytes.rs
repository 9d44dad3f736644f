//! Byte strings.

use super::value::only_field;
use data_encoding::{BASE64_NOPAD, Encoding};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;
use std::ops::Deref;
use std::sync::LazyLock;

/// Base64 whose last character may have bits to spare that are set, as in the official vectors.
static LENIENT: LazyLock<Encoding> = LazyLock::new(|| {
    let mut base64 = BASE64_NOPAD.specification();
    base64.check_trailing_bits = false;
    base64.encoding().expect("base64 stays an encoding")
});

/// A byte string: in DAG-CBOR as it is, in JSON `{"$bytes": "…"}` in base64 without padding.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(Vec<u8>);

impl Bytes {
    /// The bytes themselves.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }

    /// The text that stands in JSON: base64 of RFC 4648 §4, without padding.
    pub fn to_base64(&self) -> String {
        BASE64_NOPAD.encode(&self.0)
    }

    /// Reads the text that stands in JSON; padding may be there or not, and bits that the last
    /// character has to spare may be anything.
    pub fn from_base64(text: &str) -> Option<Self> {
        let unpadded = if text.len().is_multiple_of(4) {
            text.strip_suffix("==")
                .or_else(|| text.strip_suffix('='))
                .unwrap_or(text)
        } else {
            text
        };
        LENIENT.decode(unpadded.as_bytes()).ok().map(Self)
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl<const N: usize> From<[u8; N]> for Bytes {
    fn from(bytes: [u8; N]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<Bytes> for Vec<u8> {
    fn from(bytes: Bytes) -> Self {
        bytes.0
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({})", self.0.escape_ascii())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_bytes(&self.0);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("$bytes", &self.to_base64())?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(BytesVisitor)
        } else {
            deserializer.deserialize_byte_buf(BytesVisitor)
        }
    }
}

struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(bytes.to_vec()))
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
        Ok(Bytes(bytes))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Bytes, A::Error> {
        from_text(&only_field(map, "$bytes")?)
    }
}

/// Reads the text that stands under `$bytes`.
pub(super) fn from_text<E: Error>(text: &str) -> Result<Bytes, E> {
    Bytes::from_base64(text).ok_or_else(|| E::custom("$bytes must be base64"))
}
