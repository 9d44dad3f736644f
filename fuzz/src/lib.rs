//! What each fuzz target does with its input. A target passes if it returns.
//!
//! They are here and not in `fuzz_targets`, so that the tests of the workspace can run them, on a stable
//! compiler, over every input that has ever failed: those are in `regressions`, a folder a target.

use huddle_syntax::data::{self, Value};

/// A target's name, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[("data_cbor", data_cbor), ("data_json", data_json)];

/// Bytes are refused, or they are the one canonical form of the value they hold, which JSON can hold too.
pub fn data_cbor(input: &[u8]) {
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
pub fn data_json(input: &[u8]) {
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
