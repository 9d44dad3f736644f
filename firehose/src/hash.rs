//! SHA-256, in one place.

use sha2::block_api::compress256;
use sha2::{Digest as _, Sha256};
use std::hint::black_box;
use std::slice;

/// FIPS 180-4 §5.3.3.
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The hash of bytes that lie together. Blocks are short: padding them here, rather than in a buffer, saves a tenth.
#[inline]
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut state = INITIAL;
    let (whole, rest) = bytes.as_chunks();
    if !whole.is_empty() {
        compress256(&mut state, whole);
    }
    let mut last = [[0; 64]; 2];
    let at = pad(rest, bytes.len(), &mut last);
    compress256(&mut state, &last[at..]);
    digest(state)
}

/// Hashes messages, and tells the hash of each with what was given with it; not in the order of the messages.
///
/// Every step of a hash waits for the step before. A processor that has instructions for them has time for steps of
/// another hash meanwhile: two messages by turns take three quarters of the time that they take one after the other.
#[inline]
pub(crate) fn sha256_each<'a, T>(
    mut messages: impl Iterator<Item = (T, &'a [u8])>,
    mut tell: impl FnMut(T, [u8; 32]),
) {
    let mut lanes = [(None, Message::NONE), (None, Message::NONE)];
    let mut is_more = true;
    while is_more {
        for (about, message) in &mut lanes {
            if message.is_done() {
                if let Some(about) = about.take() {
                    tell(about, digest(message.state));
                }
                let Some((next, bytes)) = messages.next() else {
                    is_more = false;
                    break;
                };
                *about = Some(next);
                // A processor fetches ahead what is read in one direction. Two messages by turns are no direction.
                black_box(bytes.iter().step_by(64).fold(0, |all, byte| all | byte));
                message.begin(bytes);
            }
            message.step();
        }
    }
    for (about, mut message) in lanes {
        if let Some(about) = about {
            compress256(&mut message.state, message.whole);
            compress256(&mut message.state, &message.last[message.at..]);
            tell(about, digest(message.state));
        }
    }
}

/// A message of which a part has been hashed.
struct Message<'a> {
    state: [u32; 8],
    /// The blocks that lie in it as they are, without those that have been hashed.
    whole: &'a [[u8; 64]],
    /// What is left over, padded to one block or two: those from `at` on.
    last: [[u8; 64]; 2],
    at: usize,
}

impl<'a> Message<'a> {
    /// Nothing is left to be hashed.
    const NONE: Self = Self {
        state: INITIAL,
        whole: &[],
        last: [[0; 64]; 2],
        at: 2,
    };

    #[inline]
    fn begin(&mut self, bytes: &'a [u8]) {
        let (whole, rest) = bytes.as_chunks();
        self.state = INITIAL;
        self.whole = whole;
        self.last = [[0; 64]; 2];
        self.at = pad(rest, bytes.len(), &mut self.last);
    }

    #[inline]
    const fn is_done(&self) -> bool {
        self.at == self.last.len()
    }

    /// Hashes one more block.
    #[inline]
    fn step(&mut self) {
        if let Some((block, whole)) = self.whole.split_first() {
            compress256(&mut self.state, slice::from_ref(block));
            self.whole = whole;
        } else {
            compress256(&mut self.state, &self.last[self.at..=self.at]);
            self.at += 1;
        }
    }
}

/// Writes what is left over of a message, padded, to the end of blocks of zeros, and returns the block that it begins in.
#[inline]
fn pad(rest: &[u8], length: usize, last: &mut [[u8; 64]; 2]) -> usize {
    // FIPS 180-4 §5.1.1: a bit, zeros, and the length in bits at the end of a block.
    let at = usize::from(rest.len() < 56);
    let padded = last[at..].as_flattened_mut();
    padded[..rest.len()].copy_from_slice(rest);
    padded[rest.len()] = 0x80;
    last[1][56..].copy_from_slice(&(length as u64 * 8).to_be_bytes());
    at
}

#[inline]
fn digest(state: [u32; 8]) -> [u8; 32] {
    let mut digest = [0; 32];
    for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    digest
}

/// The hash of bytes that do not lie together.
pub(crate) fn sha256_of(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::{sha256, sha256_each, sha256_of};

    #[test]
    fn every_length_of_padding_gives_the_hash_that_the_library_gives() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in 0..=bytes.len() {
            let bytes = &bytes[..length];
            assert_eq!(sha256(bytes), sha256_of(&[bytes]), "{length}");
        }
    }

    #[test]
    fn messages_that_are_hashed_at_once_have_the_hashes_that_they_have_alone() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1_000).collect();
        // Long and short ones by turns, of all lengths of padding.
        let lengths = (0..=255).map(|number: usize| number * 77 % 257 * (number % 4));
        let messages: Vec<_> = lengths.map(|length| &bytes[..length]).collect();
        for count in (0..=4).chain([messages.len()]) {
            let mut hashes = vec![None; count];
            let numbered = messages[..count].iter().copied().enumerate();
            sha256_each(numbered, |number, hash| {
                assert_eq!(hashes[number].replace(hash), None, "{number} of {count}");
            });
            let alone = messages[..count].iter().map(|bytes| Some(sha256(bytes)));
            assert_eq!(hashes, alone.collect::<Vec<_>>());
        }
    }
}
