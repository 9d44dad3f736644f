//! The Huddle AppView as one process: SQLite for state, axum for the network.
//!
//! [`app`] puts the parts together, [`serve`] is what the command line asks for. Everything that
//! decides is in the libraries.

pub mod app;
mod client_address;
pub mod demo;
mod firehose;
mod request_id;
mod secrets;
pub mod serve;
