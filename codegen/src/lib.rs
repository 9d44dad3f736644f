//! Lexicon JSON to Rust: owned plain types, XRPC handlers, lint and breaking-change check.
//!
//! [`load`] reads a folder into a [`Catalog`](model::Catalog), [`parse`] being what reads one file;
//! [`resolve`] follows references; [`emit`] writes Rust.

pub mod diagnostic;
pub mod diff;
pub mod emit;
#[cfg(test)]
mod fixture;
mod json;
pub mod lint;
pub mod load;
pub mod model;
pub mod output;
pub mod parse;
pub mod project;
pub mod proof;
pub mod resolve;
pub mod sample;
pub mod validate;
