//! SHA-256, in one place.

use sha2::block_api::compress256;
use sha2::{Digest as _, Sha256};

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
    // FIPS 180-4 §5.1.1: a bit, zeros, and the length in bits at the end of a block.
    let mut last = [[0; 64]; 2];
    let padded = last.as_flattened_mut();
    padded[..rest.len()].copy_from_slice(rest);
    padded[rest.len()] = 0x80;
    let end = if rest.len() < 56 { 64 } else { 128 };
    padded[end - 8..end].copy_from_slice(&(bytes.len() as u64 * 8).to_be_bytes());
    compress256(&mut state, &last[..end / 64]);
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
    use super::{sha256, sha256_of};

    #[test]
    fn every_length_of_padding_gives_the_hash_that_the_library_gives() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in 0..=bytes.len() {
            let bytes = &bytes[..length];
            assert_eq!(sha256(bytes), sha256_of(&[bytes]), "{length}");
        }
    }
}
