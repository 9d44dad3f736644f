//! See [`huddle_fuzz::data::cbor`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| huddle_fuzz::data::cbor(input));
