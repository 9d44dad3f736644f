//! The AppView over HTTP, with its databases in files, as a client meets it.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

mod again;
mod booking;
mod clock;
mod connectors;
mod elsewhere;
mod export;
mod limits;
mod mail;
mod preferences;
mod published;
mod race;
mod server;
mod settings;
mod slow;
mod typed;
mod untimely;
