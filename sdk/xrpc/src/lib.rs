//! XRPC for generated lexicon methods: a client over the `Fetch` port, and a server on axum.
mod error;
mod mime;
mod response;
pub mod server;

pub use self::error::Generic;
pub use self::response::{RateLimit, Response};
