//! The AppView as its callers meet it, over the routes themselves.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

mod admission;
mod operations;
mod pages;
mod support;
mod web;
mod webhooks;
