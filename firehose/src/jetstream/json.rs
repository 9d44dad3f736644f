//! JSON as a message has it, in little memory: a tree of maps that can grow takes a hundred times what a hostile
//! message of empty objects does.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Integer(i64),
    /// A number that the data model does not have.
    OtherNumber,
    Text(Box<str>),
    List(Box<[Json]>),
    /// In the order of the message, which may name a key twice.
    Object(Object),
}

/// An object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Object(Box<[(Box<str>, Json)]>);

impl Object {
    /// The value of a key: of one that is there twice, the last.
    pub(super) fn get(&self, key: &str) -> Option<&Json> {
        let mut entries = self.0.iter().rev();
        entries.find_map(|(name, value)| (**name == *key).then_some(value))
    }

    /// The entries in the order of DAG-CBOR, each key once.
    pub(super) fn sorted(&self) -> Vec<(&str, &Json)> {
        let mut entries: Vec<_> = self.0.iter().map(|(key, value)| (&**key, value)).collect();
        entries.reverse();
        entries.sort_by(|(one, _), (other, _)| (one.len(), one).cmp(&(other.len(), other)));
        entries.dedup_by_key(|(key, _)| *key);
        entries
    }
}

impl Json {
    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Values)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::OtherNumber, Json::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::OtherNumber)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            object.push(entry);
        }
        Ok(Json::Object(Object(object.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_key_that_is_there_twice_the_last_value_counts() {
        let json: Json = serde_json::from_str(r#"{"bb":1,"a":2,"bb":3}"#).unwrap();
        let object = json.as_object().unwrap();
        assert_eq!(object.get("bb"), Some(&Json::Integer(3)));
        let sorted = object.sorted();
        assert_eq!(
            sorted,
            [("a", &Json::Integer(2)), ("bb", &Json::Integer(3))]
        );
    }

    #[test]
    fn what_the_data_model_does_not_have_is_no_integer() {
        for number in ["1.0", "1e3", "9223372036854775808", "-9223372036854775809"] {
            let json: Json = serde_json::from_str(number).unwrap();
            assert_eq!(json, Json::OtherNumber, "{number}");
        }
        assert_eq!(
            serde_json::from_str::<Json>("-9223372036854775808").unwrap(),
            Json::Integer(i64::MIN)
        );
    }
}
