//! Constraints, from the lexicon's words into the core's and back.

pub(super) use huddle_core::constraints::{checked, read, write};

/// What is wrong where both are given.
pub(super) const BOTH: &str = "a slot token says all that would suit: leave constraints out";
