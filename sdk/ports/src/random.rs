//! Randomness, as bytes: no generator type crosses a port.

use std::sync::Arc;

/// A source of bytes that nobody can predict.
pub trait Random: Send + Sync {
    /// Fills all of `bytes` from a cryptographically secure source.
    ///
    /// An adapter whose source fails must panic rather than return: whatever was to be unguessable
    /// would not be.
    fn fill(&self, bytes: &mut [u8]);
}

impl<R: Random + ?Sized> Random for Arc<R> {
    fn fill(&self, bytes: &mut [u8]) {
        (**self).fill(bytes);
    }
}

impl<R: Random + ?Sized> Random for &R {
    fn fill(&self, bytes: &mut [u8]) {
        (**self).fill(bytes);
    }
}
