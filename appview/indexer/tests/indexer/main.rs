//! What is published arrives in the index, in whatever order and however often, and whatever dies on the way.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

mod asking;
mod departures;
mod drift;
mod keeper;
mod names;
mod order;
mod requests;
mod stream;
mod world;
