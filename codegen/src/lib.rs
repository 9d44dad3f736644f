//! Lexicon JSON to Rust: owned plain types, XRPC handlers, lint and breaking-change check.
