//! Objects and records: field by field in, field by field out, unknown fields kept.

use super::union::without_main;
use super::{Data, Invalid, Problem, Unchecked};
use crate::data::{Map, Value};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// A lexicon `object`, or the object of a `record`; implemented by [`object!`](crate::object) and
/// [`record!`](crate::record).
pub trait Object: Constraints + Sized {
    /// What `$type` says of this object: `nsid` for a `main` definition, `nsid#name` for another;
    /// empty for an object without a name of its own.
    const TYPE: &'static str;

    /// Whether `$type` must be there: so for records, where it names the collection.
    const TAGGED: bool = false;

    /// The fields that the schema names.
    const FIELDS: &'static [&'static str];

    /// Reads the fields in whatever order they come.
    fn read<'de, M: MapAccess<'de>>(fields: Fields<'de, Self, M>) -> Result<Self, M::Error>;

    /// Writes the fields in the order of the schema.
    fn write<W: SerializeMap>(&self, fields: &mut Writer<W>) -> Result<(), W::Error>;

    /// The fields that the schema does not name, kept as they came.
    fn extra(&self) -> &Map;
}

/// What a schema asks of fields or parameters beyond their types.
pub trait Constraints {
    /// Finds the first constraint that a field breaks.
    fn check_fields(&self) -> Result<(), Invalid> {
        Ok(())
    }
}

/// A lexicon `record`: what a repository holds under [`NSID`](Record::NSID).
pub trait Record: Object + Data {
    /// The collection, which is also the `$type`.
    const NSID: &'static str;

    /// The form of the record's key: `tid`, `any`, `nsid` or `literal:…`.
    const KEY: &'static str;
}

/// The fields of an object as they are read.
#[derive(Debug)]
pub struct Fields<'de, T, M> {
    map: M,
    /// What the schema does not name, in the order of the input: put in order once, at the end.
    extra: Vec<(String, Value)>,
    tag_seen: bool,
    marker: PhantomData<(&'de (), T)>,
}

impl<'de, T: Object, M: MapAccess<'de>> Fields<'de, T, M> {
    /// The name of the next field; `None` after the last.
    pub fn next_name(&mut self) -> Result<Option<Cow<'de, str>>, M::Error> {
        Ok(self.map.next_key::<Name<'de>>()?.map(|Name(name)| name))
    }

    /// Reads the value of a field that the schema names.
    pub fn read<F: Data>(&mut self, field: &mut Field<F>) -> Result<(), M::Error> {
        if field.value.is_some() {
            return Err(M::Error::duplicate_field(field.name));
        }
        let Unchecked(value) = self.map.next_value()?;
        field.value = Some(value);
        Ok(())
    }

    /// Keeps the value of a field that the schema does not name; compares `$type` with the schema.
    pub fn keep(&mut self, name: Cow<'de, str>) -> Result<(), M::Error> {
        let value: Value = self.map.next_value()?;
        if name == "$type" {
            self.compare_tag(&value)?;
            if T::TAGGED {
                return Ok(());
            }
        }
        self.extra.push((name.into_owned(), value));
        Ok(())
    }

    fn compare_tag(&mut self, tag: &Value) -> Result<(), M::Error> {
        if self.tag_seen {
            return Err(M::Error::duplicate_field("$type"));
        }
        self.tag_seen = true;
        let compared = match tag {
            Value::String(tag) => check_tag::<T>(tag),
            _ => Err(Invalid::malformed("must be a string").under("$type")),
        };
        compared.map_err(|invalid| M::Error::custom(invalid.carried()))
    }

    /// Ends the reading with what [`keep`](Self::keep) kept; refuses a record without its `$type`.
    pub fn finish(self) -> Result<Map, M::Error> {
        if T::TAGGED && !self.tag_seen {
            return Err(missing("$type"));
        }
        Map::from_entries(self.extra).map_err(M::Error::custom)
    }
}

/// A field on its way from the input into its struct.
#[derive(Debug)]
pub struct Field<T> {
    name: &'static str,
    value: Option<T>,
}

impl<T> Field<T> {
    /// A field that has not been read yet.
    pub const fn new(name: &'static str) -> Self {
        Self { name, value: None }
    }

    /// The value of a field that must be there.
    pub fn required<E: serde::de::Error>(self) -> Result<T, E> {
        self.value.ok_or_else(|| missing(self.name))
    }

    /// The value of a field that may be absent; a `Result` because that of one that must be there is.
    pub fn optional<E: serde::de::Error>(self) -> Result<Option<T>, E> {
        Ok(self.value)
    }
}

fn missing<E: serde::de::Error>(name: &str) -> E {
    E::custom(Invalid::new(Problem::Missing).under(name).carried())
}

/// The fields of an object as they are written.
#[derive(Debug)]
pub struct Writer<W> {
    map: W,
}

impl<W: SerializeMap> Writer<W> {
    /// Writes a required field.
    pub fn required<T: Data>(&mut self, name: &'static str, value: &T) -> Result<(), W::Error> {
        self.map.serialize_entry(name, &Unchecked(value))
    }

    /// Writes an optional field, if it is there.
    pub fn optional<T: Data>(
        &mut self,
        name: &'static str,
        value: &Option<T>,
    ) -> Result<(), W::Error> {
        value
            .as_ref()
            .map_or(Ok(()), |value| self.required(name, value))
    }
}

/// Reads an object; what [`Data::decode`] of every generated struct does.
#[doc(hidden)]
pub fn decode_object<'de, T: Object, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    struct MapOf<T>(PhantomData<T>);

    impl<'de, T: Object> Visitor<'de> for MapOf<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<T, M::Error> {
            T::read(Fields {
                map,
                extra: Vec::new(),
                tag_seen: false,
                marker: PhantomData,
            })
        }
    }

    from.deserialize_map(MapOf(PhantomData))
}

/// Writes an object as a map: `$type`, the schema's fields, then what else was there.
pub(super) fn write<T: Object, S: Serializer>(
    object: &T,
    tagged: bool,
    to: S,
) -> Result<S::Ok, S::Error> {
    let extra = object.extra();
    let mut fields = Writer {
        map: to.serialize_map(None)?,
    };
    if tagged && !extra.contains_key("$type") {
        fields.map.serialize_entry("$type", T::TYPE)?;
    }
    object.write(&mut fields)?;
    for (name, value) in extra {
        if T::FIELDS.contains(&name.as_str()) || (T::TAGGED && name == "$type") {
            let invalid =
                Invalid::malformed("is a field of the schema, and no extra one").under(name);
            return Err(S::Error::custom(invalid.carried()));
        }
        if let ("$type", Value::String(tag)) = (name.as_str(), value) {
            check_tag::<T>(tag).map_err(|invalid| S::Error::custom(invalid.carried()))?;
        }
        fields.map.serialize_entry(name, value)?;
    }
    fields.map.end()
}

/// Compares `$type` with the schema. `#main` may be spelled out, except where the tag names a
/// collection.
fn check_tag<T: Object>(tag: &str) -> Result<(), Invalid> {
    let plain = if T::TAGGED { tag } else { without_main(tag) };
    if T::TYPE.is_empty() || plain == T::TYPE {
        return Ok(());
    }
    Err(Invalid::new(Problem::NotAllowed {
        allowed: T::TYPE.to_owned(),
    })
    .under("$type"))
}

/// Writes an object; what [`Data::encode`] of every generated struct does.
#[doc(hidden)]
pub fn encode_object<T: Object, S: Serializer>(object: &T, to: S) -> Result<S::Ok, S::Error> {
    write(object, T::TAGGED, to)
}

/// A map's key, borrowed from the input where the format can lend it.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOf;

        impl<'de> Visitor<'de> for NameOf {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field's name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }

            fn visit_string<E>(self, name: String) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name)))
            }
        }

        deserializer.deserialize_str(NameOf)
    }
}

/// Implements what a generated struct is: [`Object`], [`Data`] and serde's traits.
///
/// `object!(Name = "nsid#name" { field: required "wireName", other: optional "other" } ..extra)`:
/// the value of `$type`, the fields in the order of the schema, and the field that keeps the rest.
#[macro_export]
macro_rules! object {
    ($type:ident = $tag:literal {
        $($field:ident: $presence:ident $name:literal),* $(,)?
    } ..$extra:ident) => {
        $crate::object!(@ $type, $tag, false, { $($field, $presence, $name;)* }, $extra);
    };

    (@ $type:ident, $tag:literal, $tagged:literal, {
        $($field:ident, $presence:ident, $name:literal;)*
    }, $extra:ident) => {
        impl $crate::schema::Object for $type {
            const TYPE: &'static str = $tag;
            const TAGGED: bool = $tagged;
            const FIELDS: &'static [&'static str] = &[$($name),*];

            fn read<'de, __M: $crate::schema::macros::MapAccess<'de>>(
                mut fields: $crate::schema::Fields<'de, Self, __M>,
            ) -> ::core::result::Result<Self, __M::Error> {
                $(let mut $field = $crate::schema::Field::new($name);)*
                while let ::core::option::Option::Some(name) = fields.next_name()? {
                    match &*name {
                        $($name => fields.read(&mut $field)?,)*
                        _ => fields.keep(name)?,
                    }
                }
                let extra = fields.finish()?;
                ::core::result::Result::Ok(Self {
                    $($field: $field.$presence()?,)*
                    $extra: extra,
                })
            }

            fn write<__W: $crate::schema::macros::SerializeMap>(
                &self,
                fields: &mut $crate::schema::Writer<__W>,
            ) -> ::core::result::Result<(), __W::Error> {
                let _ = &fields;
                $(fields.$presence($name, &self.$field)?;)*
                ::core::result::Result::Ok(())
            }

            fn extra(&self) -> &$crate::data::Map {
                &self.$extra
            }
        }

        impl $crate::schema::Data for $type {
            fn decode<'de, __D: $crate::schema::macros::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                $crate::schema::macros::decode_object(deserializer)
            }

            fn encode<__S: $crate::schema::macros::Serializer>(
                &self,
                serializer: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                $crate::schema::macros::encode_object(self, serializer)
            }

            fn check(&self) -> ::core::result::Result<(), $crate::schema::Invalid> {
                $crate::schema::Constraints::check_fields(self)
            }
        }

        $crate::serde_by_data!($type);
    };
}

/// Implements what a generated record is: as [`object!`](crate::object), and [`Record`].
///
/// `record!(Name = "nsid", key "tid" { … } ..extra)`.
#[macro_export]
macro_rules! record {
    ($type:ident = $nsid:literal, key $key:literal {
        $($field:ident: $presence:ident $name:literal),* $(,)?
    } ..$extra:ident) => {
        impl $crate::schema::Record for $type {
            const NSID: &'static str = $nsid;
            const KEY: &'static str = $key;
        }

        $crate::object!(@ $type, $nsid, true, { $($field, $presence, $name;)* }, $extra);
    };
}

/// Gives a type that has [`Data`] serde's traits, which check what they read and write.
#[macro_export]
#[doc(hidden)]
macro_rules! serde_by_data {
    ($type:ident) => {
        impl<'de> $crate::schema::macros::Deserialize<'de> for $type {
            fn deserialize<__D: $crate::schema::macros::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                let value = <Self as $crate::schema::Data>::decode(deserializer)?;
                $crate::schema::Data::valid(value)
                    .map_err(<__D::Error as $crate::schema::macros::DeError>::custom)
            }
        }

        impl $crate::schema::macros::Serialize for $type {
            fn serialize<__S: $crate::schema::macros::Serializer>(
                &self,
                serializer: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                $crate::schema::Data::check(self)
                    .map_err(<__S::Error as $crate::schema::macros::SerError>::custom)?;
                $crate::schema::Data::encode(self, serializer)
            }
        }
    };
}
