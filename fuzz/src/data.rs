//! Targets `data_cbor` and `data_json`: the formats of the data model, whatever the value.

use huddle_syntax::data::{self, Value};

/// Bytes are refused, or they are the one canonical form of the value they hold, which JSON can hold too.
pub fn cbor(input: &[u8]) {
    let Ok(value) = data::from_cbor::<Value>(input) else {
        return;
    };
    let cbor = data::to_cbor(&value).expect("what was decoded can be encoded");
    assert_eq!(cbor, input);
    let json = data::to_json(&value).expect("what CBOR holds, JSON can hold");
    assert_eq!(
        data::from_json::<Value>(&json).expect("our own JSON is read"),
        value
    );
}

/// JSON is refused, or its value survives both formats.
pub fn json(input: &[u8]) {
    let Ok(value) = data::from_json::<Value>(input) else {
        return;
    };
    let json = data::to_json(&value).expect("what was decoded can be encoded");
    assert_eq!(
        data::from_json::<Value>(&json).expect("our own JSON is read"),
        value
    );
    let cbor = data::to_cbor(&value).expect("what JSON holds, CBOR can hold");
    assert_eq!(
        data::from_cbor::<Value>(&cbor).expect("our own CBOR is read"),
        value
    );
}
