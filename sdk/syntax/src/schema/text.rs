//! Strings from a set: closed (`enum`) and open (`knownValues`).

use super::{Invalid, Problem};
use serde::de::{Deserializer, Error, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A generated enum of strings.
pub trait TextEnum: Sized {
    /// The values that the schema names, in its order.
    const VALUES: &'static [&'static str];

    /// The value as it stands on the wire.
    fn as_str(&self) -> &str;

    /// The variant of a value; `None` where the set is closed and does not hold it.
    fn from_text(text: &str) -> Option<Self>;
}

/// Implements an enum of strings; `..Other` names the variant that keeps unknown values, if the set is open.
#[macro_export]
macro_rules! text_enum {
    ($type:ident { $($variant:ident = $text:literal),+ $(,)? } $(..$other:ident)?) => {
        impl $crate::schema::TextEnum for $type {
            const VALUES: &'static [&'static str] = &[$($text),+];

            fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    $(Self::$other(text) => text,)?
                }
            }

            fn from_text(text: &str) -> ::core::option::Option<Self> {
                ::core::option::Option::Some(match text {
                    $($text => Self::$variant,)+
                    $(_ => Self::$other(text.to_owned()),)?
                    #[allow(unreachable_patterns, reason = "reached where the set is closed")]
                    _ => return ::core::option::Option::None,
                })
            }
        }

        impl $type {
            /// The value as it stands on the wire.
            pub fn as_str(&self) -> &str {
                $crate::schema::TextEnum::as_str(self)
            }
        }

        impl ::core::convert::AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::core::fmt::Display for $type {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::core::str::FromStr for $type {
            type Err = $crate::schema::Invalid;

            fn from_str(
                text: &str,
            ) -> ::core::result::Result<Self, $crate::schema::Invalid> {
                $crate::schema::macros::text_enum_from_str(text)
            }
        }

        impl $crate::schema::Data for $type {
            fn decode<'de, __D: $crate::schema::macros::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                $crate::schema::macros::decode_text_enum(deserializer)
            }

            fn encode<__S: $crate::schema::macros::Serializer>(
                &self,
                serializer: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl $crate::schema::FromParam for $type {
            fn from_param(
                text: &str,
            ) -> ::core::result::Result<Self, $crate::schema::Invalid> {
                $crate::schema::macros::text_enum_from_str(text)
            }
        }

        $crate::serde_by_data!($type);
    };
}

#[doc(hidden)]
pub fn text_enum_from_str<T: TextEnum>(text: &str) -> Result<T, Invalid> {
    T::from_text(text).ok_or_else(|| {
        Invalid::new(Problem::NotAllowed {
            allowed: T::VALUES.join(", "),
        })
    })
}

#[doc(hidden)]
pub fn decode_text_enum<'de, T: TextEnum, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    struct TextOf<T>(PhantomData<T>);

    impl<T: TextEnum> Visitor<'_> for TextOf<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text_enum_from_str(text).map_err(|invalid| E::custom(invalid.carried()))
        }
    }

    from.deserialize_str(TextOf(PhantomData))
}
