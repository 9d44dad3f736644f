//! The AppView over HTTP, with its databases in files, as a client meets it.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

mod booking;
mod connectors;
mod export;
mod limits;
mod mail;
mod preferences;
mod race;
mod server;
mod settings;
mod typed;
