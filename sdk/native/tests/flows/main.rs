//! What people are answered, and what is left behind.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

mod agenda;
mod days;
mod disclosure;
mod effects;
mod letters;
mod limits;
mod memory;
mod pending;
mod petitions;
mod preferences;
mod stage;
mod strangers;
mod webhooks;
mod world;
mod writes;
