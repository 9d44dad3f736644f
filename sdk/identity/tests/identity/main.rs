//! Identity over scripted ports: no network, a clock that is set by hand.

mod crypto;
mod did_document;
mod resolver;
mod support;
