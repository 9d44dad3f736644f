//! What all identifiers have in common: each is a text that was checked once, and kept as it came.

use crate::SyntaxError;
use serde::de::{Error, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Gives a type what follows from being checked text.
///
/// - `text_type!(Did: "DID", check)` is for a struct around one `Box<str>`: `check` decides, and
///   everything else is here.
/// - `text_type!(Tid: "TID")` is for a type with storage of its own, which brings `as_str`,
///   `into_text(self) -> Box<str>` and
///   `parse(text: impl AsRef<str> + Into<Box<str>>) -> Result<Self, SyntaxError>`.
/// - `text_type!(Datetime: "datetime", unordered)` leaves out the order, where that of the text
///   would mislead.
///
/// Equality, order and hash are those of the text, as `Borrow<str>` demands.
macro_rules! text_type {
    ($type:ident: $kind:literal, unordered) => {
        impl $type {
            const KIND: &'static str = $kind;
        }

        impl ::std::str::FromStr for $type {
            type Err = $crate::SyntaxError;

            fn from_str(text: &str) -> Result<Self, $crate::SyntaxError> {
                Self::parse(text)
            }
        }

        impl TryFrom<&str> for $type {
            type Error = $crate::SyntaxError;

            fn try_from(text: &str) -> Result<Self, $crate::SyntaxError> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $type {
            type Error = $crate::SyntaxError;

            fn try_from(text: String) -> Result<Self, $crate::SyntaxError> {
                Self::parse(text)
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.into_text().into()
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::fmt::Debug for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_tuple(stringify!($type)).field(&self.as_str()).finish()
            }
        }

        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.as_str() == other.as_str()
            }
        }

        impl Eq for $type {}

        impl PartialEq<str> for $type {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $type {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl ::std::hash::Hash for $type {
            fn hash<H: ::std::hash::Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }

        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::text_type::TextVisitor::new(Self::KIND))
            }
        }
    };

    ($type:ident: $kind:literal) => {
        text_type!($type: $kind, unordered);

        impl Ord for $type {
            fn cmp(&self, other: &Self) -> ::std::cmp::Ordering {
                self.as_str().cmp(other.as_str())
            }
        }

        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<::std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
    };

    ($type:ident: $kind:literal, $check:path) => {
        text_type!($type: $kind);

        impl $type {
            fn parse(
                text: impl AsRef<str> + Into<Box<str>>,
            ) -> Result<Self, $crate::SyntaxError> {
                match $check(text.as_ref()) {
                    Ok(()) => Ok(Self(text.into())),
                    Err(problem) => Err($crate::SyntaxError::new(Self::KIND, problem)),
                }
            }

            fn into_text(self) -> Box<str> {
                self.0
            }

            /// The text, as it came.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

pub(crate) use text_type;

/// Reads a checked text from any format: borrowed text is copied once, owned text is taken over.
pub(crate) struct TextVisitor<T> {
    kind: &'static str,
    target: PhantomData<T>,
}

impl<T> TextVisitor<T> {
    pub(crate) const fn new(kind: &'static str) -> Self {
        Self {
            kind,
            target: PhantomData,
        }
    }
}

impl<T> Visitor<'_> for TextVisitor<T>
where
    T: TryFrom<String, Error = SyntaxError> + for<'a> TryFrom<&'a str, Error = SyntaxError>,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a string that is a valid {}", self.kind)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::try_from(text).map_err(E::custom)
    }

    fn visit_string<E: Error>(self, text: String) -> Result<T, E> {
        T::try_from(text).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use crate::{AtIdentifier, Datetime, Did, Tid};
    use serde::de::DeserializeOwned;
    use std::collections::{BTreeMap, BTreeSet, HashSet};
    use std::fmt::Debug;

    #[test]
    fn a_type_prints_its_text_and_debugs_its_name() {
        #[track_caller]
        fn check(value: &(impl Debug + ToString), debug: &str, display: &str) {
            assert_eq!(
                (format!("{value:?}").as_str(), value.to_string().as_str()),
                (debug, display)
            );
        }
        let did: Did = "did:plc:abc".parse().unwrap();
        check(&did, r#"Did("did:plc:abc")"#, "did:plc:abc");
        check(
            &AtIdentifier::from(did.clone()),
            r#"AtIdentifier("did:plc:abc")"#,
            "did:plc:abc",
        );
        assert_eq!(format!("{did:>13}|"), "  did:plc:abc|");
    }

    #[test]
    fn sets_and_maps_are_searched_by_text() {
        let did: Did = "did:plc:abc".parse().unwrap();
        let tid: Tid = "3jzfcijpj2z2a".parse().unwrap();
        let who = AtIdentifier::from(did.clone());
        assert!(HashSet::from([did.clone()]).contains("did:plc:abc"));
        assert!(HashSet::from([tid]).contains("3jzfcijpj2z2a"));
        assert!(HashSet::from([who.clone()]).contains("did:plc:abc"));
        assert!(BTreeSet::from([tid]).contains("3jzfcijpj2z2a"));

        let handle = AtIdentifier::try_from("alice.test").unwrap();
        let both = BTreeMap::from([(who, 1), (handle, 2)]);
        assert_eq!(both.get("did:plc:abc"), Some(&1));
        assert_eq!(both.get("alice.test"), Some(&2));
        assert_eq!(
            both.values().copied().collect::<Vec<_>>(),
            [2, 1],
            "in the order of the texts"
        );
    }

    #[test]
    fn serde_reads_and_writes_a_string() {
        #[track_caller]
        fn check<T: DeserializeOwned + serde::Serialize + Into<String>>(text: &str) {
            let json = format!("{text:?}");
            let value: T = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
            let cbor = serde_ipld_dagcbor::to_vec(&value).unwrap();
            let value: T = serde_ipld_dagcbor::from_slice(&cbor).unwrap();
            let owned = serde_json::Value::String(value.into());
            assert_eq!(serde_json::from_value::<T>(owned).unwrap().into(), text);
        }
        check::<Did>("did:plc:abc");
        check::<AtIdentifier>("did:plc:abc");
        check::<AtIdentifier>("alice.test");
        check::<Tid>("3jzfcijpj2z2a");
        check::<Datetime>("2026-01-01T10:00:00-10:00");
    }

    #[test]
    fn serde_errors_say_what_was_expected_and_what_is_wrong() {
        #[track_caller]
        fn check<T: DeserializeOwned + Debug>(json: &str, expect: &str) {
            let error = serde_json::from_str::<T>(json).unwrap_err().to_string();
            assert_eq!(error.split(" at line").next(), Some(expect));
        }
        check::<Did>(
            "7",
            "invalid type: integer `7`, expected a string that is a valid DID",
        );
        check::<Did>(r#""did:plc""#, "invalid DID: has no `:` after its method");
        check::<AtIdentifier>(r#""alice""#, "invalid AT identifier: has no dot");
        check::<Datetime>(
            r#""2026-01-01T10:00:00""#,
            "invalid datetime: has no offset from UTC",
        );
    }
}
