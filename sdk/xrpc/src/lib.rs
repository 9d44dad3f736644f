//! XRPC for methods that are generated from lexicons: a [`client`] over any transport, and a [`server`] on axum.
//!
//! This crate and `huddle-syntax` are all that a project needs beside its own generated types; neither knows a runtime.

pub mod client;
mod error;
mod mime;
mod response;
pub mod server;
pub mod subscription;

pub use self::error::Generic;
pub use self::response::{RateLimit, Response};
