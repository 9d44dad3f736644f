//! What people are answered, and what is left behind.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

mod agenda;
mod days;
mod disclosure;
mod limits;
mod memory;
mod pending;
mod preferences;
mod world;
mod writes;
