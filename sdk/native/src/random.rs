//! The operating system's randomness.

use huddle_ports::Random;

/// The operating system's cryptographically secure generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    /// # Panics
    /// When the system gives no randomness: nothing that is to be unguessable can go on then.
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("a running system has a random number generator");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_filled_and_never_in_the_same_way() {
        let (mut one, mut two) = ([0; 64], [0; 64]);
        OsRandom.fill(&mut one);
        OsRandom.fill(&mut two);
        assert_ne!(one, two);
        assert_ne!(one[32..], [0; 32]);
        OsRandom.fill(&mut []);
    }
}
