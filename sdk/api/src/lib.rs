//! The com.huddle router: generated handler traits and their routes.
//!
//! Whoever serves `com.huddle.*` implements the trait of each method and adds
//! [`routes`](handlers::routes) to a [`Router`](huddle_xrpc::server::Router).

#[rustfmt::skip]
mod generated;

pub use self::generated::*;
