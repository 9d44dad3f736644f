//! Generated types as values, for tests that go over all of them.

use super::{Data, Invalid, Params};
use crate::data::Value;

/// A generated type that stands for a place of a lexicon.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// The lexicon.
    pub nsid: &'static str,
    /// The place of its schema in the lexicon's JSON, e.g. `defs.main` or `defs.main.output.schema`.
    pub path: &'static str,
    /// Decodes and encodes what the type stands for.
    pub codec: Codec,
}

/// Functions that decode a value of a type, check it and encode it again.
#[derive(Clone, Copy, Debug)]
pub enum Codec {
    /// Of a type of data.
    Data {
        /// From and to canonical DAG-CBOR.
        cbor: fn(&[u8]) -> Result<Vec<u8>, Invalid>,
        /// From and to JSON.
        json: fn(&[u8]) -> Result<Vec<u8>, Invalid>,
        /// From and to a value of the data model.
        value: fn(&Value) -> Result<Value, Invalid>,
    },
    /// Of a method's parameters, from and to a query string.
    Params(fn(&str) -> Result<String, Invalid>),
}

impl Definition {
    /// A type of data.
    pub const fn data<T: Data>(nsid: &'static str, path: &'static str) -> Self {
        let codec = Codec::Data {
            cbor: |cbor| T::from_cbor(cbor)?.to_cbor(),
            json: |json| T::from_json(json)?.to_json(),
            value: |value| T::from_value(value)?.to_value(),
        };
        Self { nsid, path, codec }
    }

    /// The parameters of a method.
    pub const fn params<T: Params>(nsid: &'static str, path: &'static str) -> Self {
        Self {
            nsid,
            path,
            codec: Codec::Params(|query| T::from_query(query)?.to_query()),
        }
    }
}
