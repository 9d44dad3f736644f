//! XRPC client and axum server for generated lexicon methods.
