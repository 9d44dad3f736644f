//! Any value of the data model.

use super::link::LinkVisitor;
use super::{Bytes, CidLink, MAX_DEPTH, Map};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde::ser::{Serialize, Serializer};
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
            return Err(E::custom("lists and maps nested too deep"));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
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

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value)
            .map(Value::Integer)
            .map_err(|_| E::custom("an integer beyond 64 signed bits"))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Value, E> {
        i64::try_from(value)
            .map(Value::Integer)
            .map_err(|_| E::custom("an integer beyond 64 signed bits"))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        if self.json && value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
            return Ok(Value::Integer(value as i64));
        }
        Err(E::custom("a float"))
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
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut key = fields.next_key::<String>()?;
        if self.json
            && let Some(special) = &key
        {
            match special.as_str() {
                "$link" => {
                    return text_of("$link", fields)?
                        .parse()
                        .map(Value::Link)
                        .map_err(A::Error::custom);
                }
                "$bytes" => {
                    return Bytes::from_base64(&text_of("$bytes", fields)?)
                        .map(Value::Bytes)
                        .ok_or_else(|| A::Error::custom("$bytes must be base64"));
                }
                _ => {}
            }
        }
        let inner = self.inner()?;
        let mut entries = Vec::new();
        while let Some(name) = key {
            if name == "$link" || name == "$bytes" {
                return Err(A::Error::custom("$link or $bytes beside other fields"));
            }
            let value = fields.next_value_seed(inner)?;
            if name == "$type" && !matches!(&value, Value::String(tag) if !tag.is_empty()) {
                return Err(A::Error::custom("$type must be a string that is not empty"));
            }
            entries.push((name, value));
            key = fields.next_key()?;
        }
        let map =
            Map::from_unsorted(entries).map_err(|_| A::Error::custom("a key is there twice"))?;
        Ok(Value::Map(map))
    }
}

/// The text of the one field of an object such as `{"$link": "…"}`.
pub(super) fn only_field<'de, A: MapAccess<'de>>(
    mut fields: A,
    name: &'static str,
) -> Result<String, A::Error> {
    match fields.next_key::<String>()? {
        Some(key) if key == name => text_of(name, fields),
        _ => Err(A::Error::custom(format_args!(
            "expected an object with the field {name}"
        ))),
    }
}

fn text_of<'de, A: MapAccess<'de>>(name: &'static str, mut fields: A) -> Result<String, A::Error> {
    let text = fields.next_value()?;
    if fields.next_key::<IgnoredAny>()?.is_some() {
        return Err(A::Error::custom(format_args!("{name} beside other fields")));
    }
    Ok(text)
}
