//! Every published type against its lexicon; `LEXICONS` is their folder.
//!
//! A test of the crate that `official.rs` generates.

use huddle_codegen::load::load;
use huddle_codegen::proof::prove;
use huddle_codegen::sample::Sampler;
use official_lexicons::registry::DEFINITIONS;
use std::path::Path;

#[test]
fn every_published_type_agrees_with_its_lexicon() {
    let catalog = load(Path::new(env!("LEXICONS"))).unwrap_or_else(|error| panic!("{error}"));
    let sampler = Sampler::new(&catalog);
    for (seed, definition) in (0..).zip(DEFINITIONS) {
        prove(&sampler, definition, 2, seed).unwrap_or_else(|error| panic!("{error}"));
    }
}
