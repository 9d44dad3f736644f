//! Reads typed values from values of the data model: [`Value`], or `&Value`, as a `Deserializer`.
//!
//! It behaves as the DAG-CBOR decoder does, so that a type reads the same from either.

use super::{CidLink, DataError, Value};
use ::cid::serde::CID_SERDE_PRIVATE_IDENTIFIER;
use serde::de::value::BytesDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use std::borrow::Cow;

/// A value, owned or borrowed, on its way into a type.
enum Item<'de> {
    Null,
    Bool(bool),
    Integer(i64),
    Text(Cow<'de, str>),
    Bytes(Cow<'de, [u8]>),
    Link(Cow<'de, CidLink>),
    List(List<'de>),
    Map(Entries<'de>),
}

enum List<'de> {
    Owned(std::vec::IntoIter<Value>),
    Borrowed(std::slice::Iter<'de, Value>),
}

enum Entries<'de> {
    Owned(std::vec::IntoIter<(String, Value)>),
    Borrowed(super::map::Iter<'de>),
}

impl From<Value> for Item<'_> {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Integer(value) => Self::Integer(value),
            Value::String(value) => Self::Text(Cow::Owned(value)),
            Value::Bytes(value) => Self::Bytes(Cow::Owned(value.into_vec())),
            Value::Link(value) => Self::Link(Cow::Owned(value)),
            Value::List(value) => Self::List(List::Owned(value.into_iter())),
            Value::Map(value) => Self::Map(Entries::Owned(value.into_iter())),
        }
    }
}

impl<'de> From<&'de Value> for Item<'de> {
    fn from(value: &'de Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Integer(value) => Self::Integer(*value),
            Value::String(value) => Self::Text(Cow::Borrowed(value)),
            Value::Bytes(value) => Self::Bytes(Cow::Borrowed(value)),
            Value::Link(value) => Self::Link(Cow::Borrowed(value)),
            Value::List(value) => Self::List(List::Borrowed(value.iter())),
            Value::Map(value) => Self::Map(Entries::Borrowed(value.into_iter())),
        }
    }
}

impl<'de> Iterator for List<'de> {
    type Item = Item<'de>;

    fn next(&mut self) -> Option<Item<'de>> {
        match self {
            Self::Owned(items) => items.next().map(Item::from),
            Self::Borrowed(items) => items.next().map(Item::from),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Owned(items) => items.size_hint(),
            Self::Borrowed(items) => items.size_hint(),
        }
    }
}

impl<'de> Iterator for Entries<'de> {
    type Item = (Cow<'de, str>, Item<'de>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Owned(entries) => entries
                .next()
                .map(|(key, value)| (Cow::Owned(key), value.into())),
            Self::Borrowed(entries) => entries
                .next()
                .map(|(key, value)| (Cow::Borrowed(key.as_str()), value.into())),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Owned(entries) => entries.size_hint(),
            Self::Borrowed(entries) => entries.size_hint(),
        }
    }
}

impl Item<'_> {
    fn refuse(&self, expected: &dyn Expected) -> DataError {
        DataError::invalid_type(
            match self {
                Self::Null => Unexpected::Unit,
                Self::Bool(value) => Unexpected::Bool(*value),
                Self::Integer(value) => Unexpected::Signed(*value),
                Self::Text(value) => Unexpected::Str(value),
                Self::Bytes(value) => Unexpected::Bytes(value),
                Self::Link(_) => Unexpected::NewtypeStruct,
                Self::List(_) => Unexpected::Seq,
                Self::Map(_) => Unexpected::Map,
            },
            expected,
        )
    }
}

/// Methods that let only one kind of item through to the visitor, which might take others too.
macro_rules! only {
    ($($pattern:pat => $($method:ident)+;)+) => {$($(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DataError> {
            match self {
                $pattern => self.deserialize_any(visitor),
                _ => Err(self.refuse(&visitor)),
            }
        }
    )+)+};
}

impl<'de> Deserializer<'de> for Item<'de> {
    type Error = DataError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DataError> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Integer(value) => visitor.visit_i64(value),
            Self::Text(Cow::Borrowed(value)) => visitor.visit_borrowed_str(value),
            Self::Text(Cow::Owned(value)) => visitor.visit_string(value),
            Self::Bytes(Cow::Borrowed(value)) => visitor.visit_borrowed_bytes(value),
            Self::Bytes(Cow::Owned(value)) => visitor.visit_byte_buf(value),
            Self::Link(value) => {
                visitor.visit_newtype_struct(BytesDeserializer::new(value.as_bytes()))
            }
            Self::List(mut items) => {
                let value = visitor.visit_seq(&mut items)?;
                match items.next() {
                    None => Ok(value),
                    Some(_) => Err(DataError::custom("a list with too many items")),
                }
            }
            Self::Map(entries) => {
                let mut fields = Fields {
                    entries,
                    value: None,
                };
                let value = visitor.visit_map(&mut fields)?;
                match fields.entries.next() {
                    None => Ok(value),
                    Some(_) => Err(DataError::custom("a map with too many entries")),
                }
            }
        }
    }

    only! {
        Item::Bool(_) => deserialize_bool;
        Item::Integer(_) =>
            deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
            deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128;
        Item::Text(_) =>
            deserialize_char deserialize_str deserialize_string deserialize_identifier;
        Item::Bytes(_) => deserialize_bytes deserialize_byte_buf;
        Item::Null => deserialize_unit;
        Item::List(_) => deserialize_seq;
        Item::Map(_) => deserialize_map;
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DataError> {
        Err(self.refuse(&visitor))
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DataError> {
        Err(self.refuse(&visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DataError> {
        match self {
            Self::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DataError> {
        match self {
            // How the `cid` crate asks for a CID.
            _ if name != CID_SERDE_PRIVATE_IDENTIFIER => visitor.visit_newtype_struct(self),
            Self::Link(_) => self.deserialize_any(visitor),
            _ => Err(self.refuse(&visitor)),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DataError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, DataError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, DataError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DataError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DataError> {
        match self {
            Self::Text(_) => visitor.visit_enum(Variant {
                name: self,
                content: None,
            }),
            Self::Map(mut fields) if fields.size_hint().0 == 1 => {
                let (name, value) = fields.next().expect("the map has one entry");
                visitor.visit_enum(Variant {
                    name: Item::Text(name),
                    content: Some(value),
                })
            }
            _ => Err(self.refuse(&visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DataError> {
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

impl<'de> SeqAccess<'de> for List<'de> {
    type Error = DataError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DataError> {
        self.next().map(|item| seed.deserialize(item)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(Iterator::size_hint(self).0)
    }
}

struct Fields<'de> {
    entries: Entries<'de>,
    value: Option<Item<'de>>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = DataError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DataError> {
        let Some((key, value)) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        seed.deserialize(Item::Text(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DataError> {
        match self.value.take() {
            Some(value) => seed.deserialize(value),
            None => Err(DataError::custom("a value was asked for before its key")),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.size_hint().0)
    }
}

/// A variant of an enum: its name alone, or a map from its name to its content.
struct Variant<'de> {
    name: Item<'de>,
    content: Option<Item<'de>>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = DataError;
    type Variant = Content<'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Content<'de>), DataError> {
        Ok((seed.deserialize(self.name)?, Content(self.content)))
    }
}

struct Content<'de>(Option<Item<'de>>);

impl<'de> Content<'de> {
    fn some(self) -> Result<Item<'de>, DataError> {
        self.0
            .ok_or_else(|| DataError::custom("a variant without its content"))
    }
}

impl<'de> VariantAccess<'de> for Content<'de> {
    type Error = DataError;

    fn unit_variant(self) -> Result<(), DataError> {
        match self.0 {
            None => Ok(()),
            Some(_) => Err(DataError::custom(
                "a variant with content, where there should be none",
            )),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, DataError> {
        seed.deserialize(self.some()?)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, DataError> {
        self.some()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DataError> {
        self.some()?.deserialize_map(visitor)
    }
}

/// Lends `Item`'s implementation to the types that it is made from.
macro_rules! by_item {
    ($($type:ty),+ => $($method:ident($($name:ident: $argument:ty),*))+) => {
        by_item!(@each [$($type),+] [$($method($($name: $argument),*))+]);
    };
    (@each [$($type:ty),+] $methods:tt) => {$(by_item!(@one $type, $methods);)+};
    (@one $type:ty, [$($method:ident($($name:ident: $argument:ty),*))+]) => {
        impl<'de> Deserializer<'de> for $type {
            type Error = DataError;

            $(
                fn $method<V: Visitor<'de>>(
                    self,
                    $($name: $argument,)*
                    visitor: V,
                ) -> Result<V::Value, DataError> {
                    Item::from(self).$method($($name,)* visitor)
                }
            )+

            fn is_human_readable(&self) -> bool {
                false
            }
        }

        impl<'de> IntoDeserializer<'de, DataError> for $type {
            type Deserializer = Self;

            fn into_deserializer(self) -> Self {
                self
            }
        }
    };
}

by_item! {
    Value, &'de Value =>
    deserialize_any()
    deserialize_bool()
    deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
    deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
    deserialize_f32() deserialize_f64()
    deserialize_char() deserialize_str() deserialize_string() deserialize_identifier()
    deserialize_bytes() deserialize_byte_buf()
    deserialize_option()
    deserialize_unit() deserialize_unit_struct(name: &'static str)
    deserialize_newtype_struct(name: &'static str)
    deserialize_seq() deserialize_tuple(len: usize)
    deserialize_tuple_struct(name: &'static str, len: usize)
    deserialize_map()
    deserialize_struct(name: &'static str, fields: &'static [&'static str])
    deserialize_enum(name: &'static str, variants: &'static [&'static str])
    deserialize_ignored_any()
}
