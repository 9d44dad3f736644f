//! Any value of the data model.

use super::link::LinkVisitor;
use super::{Bytes, CidLink, DataProblem, MAX_DEPTH, Map, blob, bytes, link};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde::ser::{Error as _, Serialize, Serializer};
use std::fmt;

/// Any value of the data model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Value {
    /// `null`, which is not the same as an absent field.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A signed integer.
    Integer(i64),
    /// A string.
    String(String),
    /// A byte string.
    Bytes(Bytes),
    /// A link to another block, or to the bytes of a blob.
    Link(CidLink),
    /// A list.
    List(Vec<Value>),
    /// A map; a blob is one too.
    Map(Map),
}

macro_rules! from {
    ($($type:ty => $variant:ident),+ $(,)?) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        }
    )+};
}

from!(
    bool => Bool,
    i64 => Integer,
    String => String,
    &str => String,
    Bytes => Bytes,
    CidLink => Link,
    Vec<Value> => List,
    Map => Map,
);

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::String(value) => serializer.serialize_str(value),
            Self::Bytes(value) => value.serialize(serializer),
            Self::Link(value) => value.serialize(serializer),
            Self::List(value) => value.serialize(serializer),
            Self::Map(value) => value.serialize(serializer),
        }
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The formats of this crate see to both themselves.
        if serializer.is_human_readable() {
            // Such a map would come back as something else.
            if RESERVED_KEYS.iter().any(|key| self.contains_key(key)) {
                return Err(S::Error::custom(DataProblem::ReservedKey));
            }
            if blob::is_blob(self) {
                blob::fields(self).map_err(S::Error::custom)?;
            }
        }
        serializer.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Seed {
            json: deserializer.is_human_readable(),
            depth: 0,
        }
        .deserialize(deserializer)
    }
}

impl<'de> Deserialize<'de> for Map {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Map(map) => Ok(map),
            _ => Err(D::Error::custom("expected an object")),
        }
    }
}

/// Reads a value that stands in `depth` lists and maps.
#[derive(Clone, Copy)]
struct Seed {
    json: bool,
    depth: usize,
}

impl Seed {
    fn inner<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(DataProblem::TooDeep));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    /// Reads the text of a JSON number.
    fn number<E: Error>(self, text: &str) -> Result<Value, E> {
        match text.parse() {
            Ok(integer) => Ok(Value::Integer(integer)),
            Err(_) => self.visit_f64(text.parse().map_err(E::custom)?),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of the data model")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Value, E> {
        value
            .try_into()
            .map(Value::Integer)
            .map_err(|_| E::custom(DataProblem::IntegerRange))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        value
            .try_into()
            .map(Value::Integer)
            .map_err(|_| E::custom(DataProblem::IntegerRange))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        // Beyond this, a float no longer tells an integer from the next one.
        const EXACT: f64 = 9_007_199_254_740_991.0;

        if !self.json || value.fract() != 0.0 {
            return Err(E::custom(DataProblem::Float));
        }
        if value.abs() > EXACT {
            return Err(E::custom(DataProblem::IntegerRange));
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "an integer of no more than 53 bits"
        )]
        Ok(Value::Integer(value as i64))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(value.into()))
    }

    fn visit_byte_buf<E: Error>(self, value: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Bytes(value.into()))
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, cid: D) -> Result<Value, D::Error> {
        LinkVisitor.visit_newtype_struct(cid).map(Value::Link)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        // Grows with what is read: the input's own claim of its length is worth nothing.
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut next = fields.next_key::<String>()?;
        if self.json {
            match next.as_deref() {
                Some("$link") => return link::from_text(&only_value(fields)?).map(Value::Link),
                Some("$bytes") => return bytes::from_text(&only_value(fields)?).map(Value::Bytes),
                Some(NUMBER) if has_arbitrary_precision() => {
                    return self.number(&only_value(fields)?);
                }
                _ => {}
            }
        }
        let inner = self.inner()?;
        let mut entries = Vec::new();
        while let Some(key) = next {
            if RESERVED_KEYS.contains(&key.as_str()) {
                return Err(A::Error::custom(DataProblem::ReservedKey));
            }
            let value = fields.next_value_seed(inner)?;
            if key == "$type" && !matches!(&value, Value::String(name) if !name.is_empty()) {
                return Err(A::Error::custom(DataProblem::Type));
            }
            entries.push((key, value));
            next = fields.next_key()?;
        }
        let map = Map::from_entries(entries).map_err(A::Error::custom)?;
        if blob::is_blob(&map) {
            blob::fields(&map).map_err(A::Error::custom)?;
        }
        Ok(Value::Map(map))
    }
}

const RESERVED_KEYS: [&str; 2] = ["$link", "$bytes"];

/// The one key of the map that `serde_json` hands out in place of a number if any crate of the build
/// has turned on its feature `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

fn has_arbitrary_precision() -> bool {
    // Too large for a float, and so for a number without that feature.
    serde_json::from_str::<serde_json::Number>("1e999").is_ok()
}

/// The text of an object such as `{"$link": "…"}`, which has no other field than `name`.
pub(super) fn only_field<'de, A: MapAccess<'de>>(
    mut fields: A,
    name: &'static str,
) -> Result<String, A::Error> {
    match fields.next_key::<String>()? {
        Some(key) if key == name => only_value(fields),
        _ => Err(A::Error::custom(format_args!(
            "expected an object with the field {name}"
        ))),
    }
}

fn only_value<'de, A: MapAccess<'de>>(mut fields: A) -> Result<String, A::Error> {
    let text = fields.next_value()?;
    if fields.next_key::<IgnoredAny>()?.is_some() {
        return Err(A::Error::custom(DataProblem::ReservedKey));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{DataProblem, Seed, Value};
    use crate::DataError;

    #[test]
    fn a_number_in_text_is_read_as_any_other() {
        #[track_caller]
        fn check(text: &str, expect: Result<i64, DataProblem>) {
            let seed = Seed {
                json: true,
                depth: 0,
            };
            let expect = expect
                .map(Value::Integer)
                .map_err(|problem| DataError::Mismatch(problem.to_string()));
            assert_eq!(seed.number::<DataError>(text), expect);
        }

        check("-1", Ok(-1));
        check("-0", Ok(0));
        check("9223372036854775807", Ok(i64::MAX));
        check("123.0", Ok(123));
        check("1E2", Ok(100));
        check("1.5", Err(DataProblem::Float));
        check("9223372036854775808", Err(DataProblem::IntegerRange));
        check("1e999", Err(DataProblem::Float));
    }
}
