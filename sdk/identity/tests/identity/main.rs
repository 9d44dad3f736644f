//! Identity over scripted ports: no network, a clock that is set by hand.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

mod crypto;
mod did_document;
mod resolver;
mod service_auth;
mod support;
