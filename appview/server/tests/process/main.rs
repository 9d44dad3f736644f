//! The command `huddle` as people and machines run it: a process with arguments, files and signals.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

mod consistency;
mod damage;
mod doctor;
mod documents;
mod faults;
mod import;
mod keys;
mod kill;
mod load;
mod metrics;
mod outside;
mod program;
mod serve;
mod settings;
mod smtp;
mod upgrade;
mod upkeep;
mod world;
