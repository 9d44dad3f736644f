//! See [`huddle_fuzz::data_json`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| huddle_fuzz::data_json(input));
