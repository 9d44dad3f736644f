//! What each fuzz target does with its input. A target passes if it returns.
//!
//! They are here and not in `fuzz_targets`, so that the tests of the workspace can run them, on a stable
//! compiler, over every input that has ever failed: those are in `regressions`, a folder a target.
#![forbid(unsafe_code)]

pub mod data;
pub mod identifiers;
pub mod lexicon;
pub mod mutate;
pub mod records;
mod repository;
pub mod service_auth;

/// A target's name, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("data_cbor", data::cbor),
    ("data_json", data::json),
    ("identifiers", identifiers::check),
    ("lexicon", lexicon::check),
    ("records", records::check),
    ("service_auth", service_auth::check),
];
