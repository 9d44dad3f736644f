//! Frames and vectors that others have made: what they are decoded to, and how they are judged.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod corpus;
#[path = "../../examples/support/input.rs"]
mod input;
mod interop;
#[path = "../../examples/support/json.rs"]
mod json;
#[path = "../../examples/support/line.rs"]
mod line;
#[path = "../../examples/support/typed.rs"]
mod typed;
#[path = "../../examples/support/verdict.rs"]
mod verdict;
mod verdicts;
