//! The Huddle AppView as one process: SQLite for state, axum for the network.
//!
//! [`app`] puts the parts together, [`cli`] does what the command line asks for, with what [`config`] says. An app that
//! embeds the AppView begins with [`Config::start`](config::Config::start). Everything that decides is in the libraries.

pub mod app;
mod backlog;
mod backup;
mod bookings;
pub mod calendars;
pub mod cli;
mod client_address;
pub mod config;
mod connector;
pub mod demo;
mod doctor;
mod firehose;
mod hosts;
mod import;
mod installation;
mod jobs;
mod keys;
pub mod listen;
pub mod logs;
pub mod loopback;
pub mod mail;
mod migrate;
mod output;
mod request_id;
mod secrets;
mod serve;

pub use serve::Running;
