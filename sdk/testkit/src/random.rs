//! Randomness for tests, that is none.

use std::sync::atomic::{AtomicU64, Ordering};

use huddle_ports::Random;

/// Gives the bytes of a counter: the same in every run, and never the same twice in one.
#[derive(Debug, Default)]
pub struct CountingRandom(AtomicU64);

impl Random for CountingRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let count = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            chunk.copy_from_slice(&count[..chunk.len()]);
        }
    }
}
