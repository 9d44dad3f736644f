//! References to files.

use super::{CidLink, Map, Value};
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};

/// A reference to a file that the account's server holds.
///
/// On the wire a map of exactly `$type` (`blob`), `ref`, `mimeType` and `size`. The older form with
/// `cid` and `mimeType` is refused; so is any field beyond these four, since it would be lost.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Blob {
    /// The link to the file's bytes; its codec should be `raw`.
    pub cid: CidLink,
    /// The media type, e.g. `image/jpeg`; `application/octet-stream` if not known.
    pub mime_type: String,
    /// The length in bytes; at least 1.
    pub size: i64,
}

/// Whether a map calls itself a blob. In the data model it then is a whole one.
pub(crate) fn is_blob(map: &Map) -> bool {
    matches!(map.get("$type"), Some(Value::String(name)) if name == NAME)
}

/// What `$type` says of a blob.
pub(super) const NAME: &str = "blob";

/// The fields of a blob in a map.
pub(super) fn fields(map: &Map) -> Result<(&CidLink, &str, i64), &'static str> {
    if !is_blob(map) {
        let is_older = map.get("$type").is_none() && map.contains_key("cid");
        return Err(if is_older {
            "a blob must have $type and ref; the older form with cid is not supported"
        } else {
            "the $type of a blob must be blob"
        });
    }
    let Some(Value::Link(cid)) = map.get("ref") else {
        return Err("a blob must have a ref, which is a link");
    };
    let mime_type = match map.get("mimeType") {
        Some(Value::String(mime_type)) if !mime_type.is_empty() => mime_type,
        _ => return Err("a blob must have a mimeType, which is a string that is not empty"),
    };
    let size = match map.get("size") {
        Some(Value::Integer(size)) if *size > 0 => *size,
        _ => return Err("a blob must have a size, which is a positive integer"),
    };
    if map.len() != 4 {
        return Err("a blob must have no fields but $type, ref, mimeType and size");
    }
    Ok((cid, mime_type, size))
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // What no reader would take must not be written.
        if self.mime_type.is_empty() || self.size < 1 {
            return Err(S::Error::custom(
                "a blob must have a type and a positive size",
            ));
        }
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("$type", NAME)?;
        map.serialize_entry("ref", &self.cid)?;
        map.serialize_entry("mimeType", &self.mime_type)?;
        map.serialize_entry("size", &self.size)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = Map::deserialize(deserializer)?;
        let (cid, mime_type, size) = fields(&map).map_err(D::Error::custom)?;
        Ok(Self {
            cid: cid.clone(),
            mime_type: mime_type.to_owned(),
            size,
        })
    }
}
