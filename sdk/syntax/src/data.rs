//! The AT Protocol data model: values, links, byte strings and blobs, in canonical DAG-CBOR and in JSON.
//!
//! Both formats carry the same data, and a type sees no difference between them: it is asked for
//! and given the same (`is_human_readable` is false), only the notation changes. Decoding is strict,
//! because a record is its bytes: [`from_cbor`] accepts the one canonical form alone, whatever type
//! is asked for, and [`from_json`] only what that form can hold. Rules beyond those of the formats
//! (<https://atproto.com/specs/data-model>):
//!
//! - there are no floats; in JSON `123.0` is read as the integer that it is;
//! - integers are signed, with 64 bits. Whoever wants JavaScript to read them exactly stays within
//!   ±(2⁵³ − 1);
//! - no map has a key twice, and none has the keys `$link` and `$bytes`: JSON has another use for them;
//! - `$type`, where it is there, is a string that is not empty; a map whose `$type` is `blob` is a
//!   whole [`Blob`];
//! - lists and maps nest at most [`MAX_DEPTH`] deep.
//!
//! The types also work with serde's formats directly, e.g. in a `serde_json::Value`, but then under
//! the rules of those.
//!
//! ```
//! use huddle_syntax::data::{self, Map, Value};
//!
//! let map: Map = data::from_json(br#"{"note": "Lunch", "a": {"$bytes": "AQI"}}"#)?;
//! assert_eq!(map.get("note"), Some(&Value::from("Lunch")));
//!
//! let cbor = data::to_cbor(&map)?;
//! assert_eq!(cbor, b"\xa2\x61a\x42\x01\x02\x64note\x65Lunch");
//! assert_eq!(data::from_cbor::<Map>(&cbor)?, map);
//! # Ok::<(), data::DataError>(())
//! ```

mod blob;
mod bytes;
mod deserializer;
mod encode;
mod error;
mod link;
mod map;
mod scan;
mod value;

pub use self::blob::Blob;
pub(crate) use self::blob::is_blob;
pub use self::bytes::Bytes;
pub use self::error::{DataError, DataProblem};
pub use self::link::{CidLink, InvalidLink};
pub use self::map::{Map, canonical_cmp};
pub use self::value::Value;

use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned};

/// How deep lists and maps may nest: a list in a list is two deep.
pub const MAX_DEPTH: usize = 64;

/// Decodes canonical DAG-CBOR; anything else is refused, whatever the type asked for.
pub fn from_cbor<'de, T: Deserialize<'de>>(cbor: &'de [u8]) -> Result<T, DataError> {
    scan::document(cbor)?;
    decode(cbor)
}

fn decode<'de, T: Deserialize<'de>>(cbor: &'de [u8]) -> Result<T, DataError> {
    serde_ipld_dagcbor::from_slice(cbor).map_err(DataError::from)
}

/// Encodes as canonical DAG-CBOR, in whatever order the fields are given.
pub fn to_cbor<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, DataError> {
    encode::document::<encode::Cbor, T>(value)
}

/// Decodes JSON in the data model's form.
pub fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, DataError> {
    let value: Value = serde_json::from_slice(json).map_err(|e| DataError::json(&e))?;
    T::deserialize(value)
}

/// Encodes as JSON in the data model's form, with the fields in the order they are given.
pub fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, DataError> {
    encode::document::<encode::Json, T>(value)
}

/// As [`to_json`], for those who need a string.
///
/// # Panics
/// Never: JSON is UTF-8.
pub fn to_json_string<T: Serialize + ?Sized>(value: &T) -> Result<String, DataError> {
    Ok(String::from_utf8(to_json(value)?).expect("JSON is UTF-8"))
}

/// Turns a typed value into a value of the data model.
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, DataError> {
    // The encoder writes nothing that a scan would refuse.
    decode(&to_cbor(value)?)
}

/// Turns a value of the data model into a typed one.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, DataError> {
    T::deserialize(value)
}

/// The length of the first item of `cbor`, which is canonical DAG-CBOR; more may follow it.
pub fn item_len(cbor: &[u8]) -> Result<usize, DataError> {
    scan::item(cbor)
}

/// The link to a block of DAG-CBOR.
pub fn cid_for_cbor(cbor: &[u8]) -> CidLink {
    CidLink::of_cbor(cbor)
}
