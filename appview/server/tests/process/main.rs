//! The command `huddle` as people and machines run it: a process with arguments, files and signals.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

mod doctor;
mod documents;
mod faults;
mod import;
mod keys;
mod kill;
mod metrics;
mod program;
mod serve;
mod settings;
mod smtp;
mod upkeep;
mod world;
