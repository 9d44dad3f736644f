//! Lexicon JSON to Rust: owned plain types, XRPC handlers, lint and breaking-change check.
//!
//! [`load`] reads a folder into a [`Catalog`](model::Catalog), [`parse`] being what reads one file;
//! [`resolve`] follows references; [`emit`] writes Rust, and [`output`] puts it on disk; [`project`] is
//! all of that as a `Cargo.toml` asks for it. On the side, [`lint`] says what is unwise, [`diff`] what a
//! new version breaks. [`validate`] checks data without generated code, and [`sample`] makes some, so
//! that [`proof`] can hold generated code against its lexicons.

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
