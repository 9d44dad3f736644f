//! The server without a network, and the client against it.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

mod authentication;
mod bodies;
mod client;
mod cors;
mod etag;
mod hostile;
mod params;
mod replies;
mod routing;
mod subscription;
mod support;
