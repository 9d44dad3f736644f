//! What generated lexicon types stand on: decoding, encoding and checking, and the shape of XRPC methods.
//!
//! Generated code holds plain owned structs and enums; everything they have in common is here, so
//! that a foreign project needs no other crate for its types. Three rules hold for all of them:
//!
//! - decoding checks every constraint of the schema, and so does encoding: a value that breaks its
//!   lexicon neither comes in nor goes out;
//! - what a schema does not name (unknown fields, unknown union members) is kept, and written back
//!   as it was, so that a record keeps its CID through a rewrite;
//! - errors name the place in the lexicon's own names, e.g. `constraints/durationMax`.

pub mod check;
mod definition;
mod frame;
mod invalid;
mod method;
mod object;
mod permission;
mod query;
mod text;
mod union;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeSeq, Serializer};
use std::fmt;
use std::marker::PhantomData;

#[doc(hidden)]
pub use self::definition::{Codec, Definition};
pub use self::frame::{Frame, FrameError, Message, UnknownFrame};
pub use self::invalid::{At, Invalid, Problem, Unit};
pub use self::method::{
    Body, Call, ErrorName, Method, Params, Payload, Procedure, Query, Subscription,
};
pub use self::object::{Constraints, Field, Fields, Object, Record, Writer};
pub use self::permission::{Audience, Permission, PermissionSet};
pub use self::query::{FromParam, QueryPairs, QueryWriter};
pub use self::text::TextEnum;
pub use self::union::{Unknown, Variant, read_union, write_variant};

use crate::data::{self, Blob, Bytes, CidLink, Map, Value, is_blob};

#[doc(hidden)]
pub mod macros {
    //! What the exported macros name; not for direct use.
    pub use super::frame::{Member, unknown_body, unknown_frame_type};
    pub use super::object::{decode_object, encode_object};
    pub use super::text::{decode_text_enum, text_enum_from_str};
    pub use serde::de::{Deserialize, Deserializer, Error as DeError, MapAccess};
    pub use serde::ser::{Error as SerError, Serialize, SerializeMap, Serializer};
}

/// A type with a lexicon schema: anything that can stand in a field.
///
/// [`decode`](Data::decode) and [`encode`](Data::encode) are the steps for nested values and check
/// nothing beyond types; [`from_json`](Data::from_json), [`to_cbor`](Data::to_cbor) and their
/// siblings, like serde's own traits on generated types, check the whole value once.
pub trait Data: Sized {
    /// Reads a value without checking its constraints.
    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// Writes a value without checking its constraints.
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Finds the first constraint that this value, or anything in it, breaks.
    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    /// The value itself, if it breaks no constraint: the last step of building one.
    fn valid(self) -> Result<Self, Invalid> {
        self.check()?;
        Ok(self)
    }

    /// Decodes and checks JSON in the data model's form.
    fn from_json(json: &[u8]) -> Result<Self, Invalid> {
        let Unchecked::<Self>(value) =
            data::from_json(json).map_err(|error| locate::<Self>(data::from_json(json), &error))?;
        value.valid()
    }

    /// Decodes and checks canonical DAG-CBOR; anything not canonical is refused.
    fn from_cbor(cbor: &[u8]) -> Result<Self, Invalid> {
        let Unchecked::<Self>(value) =
            data::from_cbor(cbor).map_err(|error| locate::<Self>(data::from_cbor(cbor), &error))?;
        value.valid()
    }

    /// Decodes and checks a value of the data model.
    fn from_value(value: &Value) -> Result<Self, Invalid> {
        decode_value::<Self>(value)?.valid()
    }

    /// Checks and encodes as JSON.
    fn to_json(&self) -> Result<Vec<u8>, Invalid> {
        self.check()?;
        data::to_json(&Unchecked(self)).map_err(|error| Invalid::of_text(&error.to_string()))
    }

    /// Checks and encodes as canonical DAG-CBOR: the bytes that a record's CID is made of.
    fn to_cbor(&self) -> Result<Vec<u8>, Invalid> {
        self.check()?;
        data::to_cbor(&Unchecked(self)).map_err(|error| Invalid::of_text(&error.to_string()))
    }

    /// Checks and turns into a value of the data model.
    fn to_value(&self) -> Result<Value, Invalid> {
        self.check()?;
        data::to_value(&Unchecked(self)).map_err(|error| Invalid::of_text(&error.to_string()))
    }
}

/// Lends serde's traits to a value without the check that its own implementation would repeat.
pub(crate) struct Unchecked<T>(pub(crate) T);

impl<'de, T: Data> Deserialize<'de> for Unchecked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::decode(deserializer).map(Unchecked)
    }
}

impl<T: Data> Serialize for Unchecked<&T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.encode(serializer)
    }
}

/// Finds where decoding failed, by a second and slower pass over the same input.
///
/// The fast pass decodes straight into the type and cannot know its path.
fn locate<T: Data>(input: Result<Value, data::DataError>, failure: &data::DataError) -> Invalid {
    input
        .map_err(Invalid::malformed)
        .and_then(|value| decode_value::<T>(&value))
        .err()
        .unwrap_or_else(|| Invalid::malformed(failure))
}

fn decode_value<T: Data>(value: &Value) -> Result<T, Invalid> {
    serde_path_to_error::deserialize(value)
        .map(|Unchecked(value)| value)
        .map_err(|error| Invalid::located(error.path(), &error.inner().to_string()))
}

macro_rules! leaf {
    ($($type:ty),+ $(,)?) => {$(
        impl Data for $type {
            fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <$type>::deserialize(deserializer)
            }
            fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }
        }
    )+};
}

leaf!(
    bool,
    i64,
    String,
    Blob,
    Bytes,
    CidLink,
    Value,
    crate::AtIdentifier,
    crate::AtUri,
    crate::Cid,
    crate::Datetime,
    crate::Did,
    crate::Handle,
    crate::Language,
    crate::Nsid,
    crate::RecordKey,
    crate::Tid,
    crate::Uri,
);

/// A field of type `unknown`: any object of the data model.
impl Data for Map {
    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Through `Value`, because a JSON object may be a link, bytes or a blob, which are not objects.
        match Value::deserialize(deserializer)? {
            Value::Map(map) if !is_blob(&map) => Ok(map),
            _ => Err(serde::de::Error::custom(OBJECT_EXPECTED)),
        }
    }

    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.check().map_err(serde::ser::Error::custom)?;
        self.serialize(serializer)
    }

    fn check(&self) -> Result<(), Invalid> {
        if is_blob(self) {
            return Err(Invalid::malformed(OBJECT_EXPECTED));
        }
        Ok(())
    }
}

const OBJECT_EXPECTED: &str = "expected an object";

impl<T: Data> Data for Box<T> {
    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::decode(deserializer).map(Box::new)
    }

    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).encode(serializer)
    }

    fn check(&self) -> Result<(), Invalid> {
        (**self).check()
    }
}

/// A nullable field: present, and perhaps null.
impl<T: Data> Data for Option<T> {
    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<Unchecked<T>>::deserialize(deserializer)?.map(|Unchecked(value)| value))
    }

    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(Unchecked).serialize(serializer)
    }

    fn check(&self) -> Result<(), Invalid> {
        self.as_ref().map_or(Ok(()), Data::check)
    }
}

impl<T: Data> Data for Vec<T> {
    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);

        impl<'de, T: Data> Visitor<'de> for Items<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
                // Grows with what is read: the input's own claim of its length is worth nothing.
                let mut list = Vec::new();
                while let Some(Unchecked(item)) = items.next_element()? {
                    list.push(item);
                }
                Ok(list)
            }
        }

        deserializer.deserialize_seq(Items(PhantomData))
    }

    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.len()))?;
        for item in self {
            list.serialize_element(&Unchecked(item))?;
        }
        list.end()
    }

    fn check(&self) -> Result<(), Invalid> {
        self.iter()
            .enumerate()
            .try_for_each(|(index, item)| item.check().at(index))
    }
}
