//! Unions: the variant that `$type` names, and unknown members kept as they came.

use super::object::write;
use super::{Data, Invalid, Object, Problem, decode_value};
use crate::data::{Map, Value};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

/// A member of an open union that this version of the lexicon does not name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown(Map);

impl Unknown {
    /// Wraps an object of a type that the union does not name; `None` without a `$type`.
    pub fn new(object: Map) -> Option<Self> {
        tag(&object)?;
        Some(Self(object))
    }

    /// What its `$type` says.
    pub fn type_name(&self) -> &str {
        tag(&self.0).unwrap_or_default()
    }

    /// Refuses an object that is a member by its `$type`: it has a variant of its own, which checks it.
    #[doc(hidden)]
    pub fn is_none_of(&self, members: &[&str]) -> Result<(), Invalid> {
        let name = self.type_name();
        if members.contains(&without_main(name)) {
            return Err(known(name));
        }
        Ok(())
    }

    /// The whole object, `$type` included.
    pub const fn fields(&self) -> &Map {
        &self.0
    }

    /// The whole object, `$type` included.
    pub fn into_fields(self) -> Map {
        self.0
    }
}

/// An open union without members.
impl Data for Unknown {
    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_union(deserializer).map(Variant::unknown)
    }

    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

impl Serialize for Unknown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// The refusal of a member that is held as unknown though the schema names it.
pub(super) fn known(name: &str) -> Invalid {
    Invalid::malformed(format_args!("{name} is not unknown to this union"))
}

/// The name of a type with an optional `#main` left out.
pub(super) fn without_main(name: &str) -> &str {
    name.strip_suffix("#main").unwrap_or(name)
}

fn tag(object: &Map) -> Option<&str> {
    match object.get("$type") {
        Some(Value::String(tag)) if !tag.is_empty() => Some(tag),
        _ => None,
    }
}

/// An object on its way into a variant of a union.
#[derive(Debug)]
pub struct Variant {
    tag: String,
    object: Map,
}

impl Variant {
    /// What `$type` says, with an optional `#main` left out.
    pub fn tag(&self) -> &str {
        without_main(&self.tag)
    }

    /// Reads the object as the variant's type.
    pub fn read<T: Object + Data, E: serde::de::Error>(mut self) -> Result<Box<T>, E> {
        // The variant says what the tag says, unless the tag spells `#main` out.
        if !T::TAGGED && self.tag == T::TYPE {
            self.object.remove("$type");
        }
        decode_value(&Value::Map(self.object))
            .map(Box::new)
            .map_err(|invalid| E::custom(invalid.carried()))
    }

    /// Keeps the object of a type that an open union does not name.
    pub fn unknown(self) -> Unknown {
        Unknown(self.object)
    }

    /// Refuses a type that a closed union does not name.
    pub fn refuse<T, E: serde::de::Error>(&self, allowed: &[&str]) -> Result<T, E> {
        let allowed = allowed.join(", ");
        Err(E::custom(
            Invalid::new(Problem::NotAllowed { allowed })
                .under("$type")
                .carried(),
        ))
    }
}

/// Reads an object whose `$type` decides what it is.
pub fn read_union<'de, D: Deserializer<'de>>(from: D) -> Result<Variant, D::Error> {
    let Value::Map(object) = Value::deserialize(from)? else {
        return Err(D::Error::custom("expected an object with a $type"));
    };
    let Some(tag) = tag(&object) else {
        return Err(D::Error::custom(
            Invalid::new(Problem::Missing).under("$type").carried(),
        ));
    };
    Ok(Variant {
        tag: tag.to_owned(),
        object,
    })
}

/// Writes an object as a member of a union, with its `$type`.
pub fn write_variant<T: Object, S: Serializer>(object: &T, to: S) -> Result<S::Ok, S::Error> {
    write(object, true, to)
}

/// Implements a union: `..Unknown` names the variant that keeps unknown members, if the union is open.
#[macro_export]
macro_rules! union {
    ($type:ident { $($variant:ident($member:ty)),* $(,)? } $(..$unknown:ident)?) => {
        $(
            impl ::core::convert::From<$member> for $type {
                fn from(value: $member) -> Self {
                    Self::$variant(::std::boxed::Box::new(value))
                }
            }
        )*

        impl $type {
            /// What `$type` says of each member that the lexicon names.
            const MEMBERS: &'static [&'static str] =
                &[$(<$member as $crate::schema::Object>::TYPE),*];
        }

        impl $crate::schema::Data for $type {
            fn decode<'de, __D: $crate::schema::macros::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                let variant = $crate::schema::read_union(deserializer)?;
                match variant.tag() {
                    $(<$member as $crate::schema::Object>::TYPE => variant.read().map(Self::$variant),)*
                    $(_ => ::core::result::Result::Ok(Self::$unknown(variant.unknown())),)?
                    #[allow(unreachable_patterns, reason = "reached where the union is closed")]
                    _ => variant.refuse(Self::MEMBERS),
                }
            }

            fn encode<__S: $crate::schema::macros::Serializer>(
                &self,
                serializer: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                match self {
                    $(Self::$variant(value) => $crate::schema::write_variant(&**value, serializer),)*
                    $(Self::$unknown(value) => {
                        value.is_none_of(Self::MEMBERS)
                            .map_err(<__S::Error as $crate::schema::macros::SerError>::custom)?;
                        $crate::schema::macros::Serialize::serialize(value, serializer)
                    })?
                }
            }

            fn check(&self) -> ::core::result::Result<(), $crate::schema::Invalid> {
                match self {
                    $(Self::$variant(value) => $crate::schema::Data::check(&**value),)*
                    $(Self::$unknown(value) => value.is_none_of(Self::MEMBERS),)?
                }
            }
        }

        $crate::serde_by_data!($type);
    };
}
