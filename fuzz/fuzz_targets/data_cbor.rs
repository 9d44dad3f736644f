//! See [`huddle_fuzz::data::CBOR`].
#![no_main]

huddle_fuzz::program!(huddle_fuzz::data::CBOR);
