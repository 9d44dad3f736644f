//! SHA-256 of several messages at once.
//!
//! Every round of SHA-256 waits for the one before, so that the instructions that a processor has for rounds are idle
//! half of the time; with rounds of other messages in between they are not. The field calls this multi-buffer hashing.
//! Three messages take about three fifths of the time that they take one after the other.
//!
//! This is the compression function (FIPS 180-4 §6.2.2) and nothing else: who calls it pads, and says which messages
//! go together.

#[cfg(not(target_arch = "x86_64"))]
use elsewhere::Instructions;
#[cfg(target_arch = "x86_64")]
use x86_64::Instructions;

#[cfg(not(target_arch = "x86_64"))]
mod elsewhere;
#[cfg(target_arch = "x86_64")]
mod x86_64;

/// What has been hashed of a message so far.
///
/// Its words stand as the instructions want them, the last one first: A, B, E and F, then C, D, G and H.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State([[u32; 4]; 2]);

impl State {
    /// Nothing yet: FIPS 180-4 §5.3.3.
    pub const INITIAL: Self = Self([
        [0x9b05_688c, 0x510e_527f, 0xbb67_ae85, 0x6a09_e667],
        [0x5be0_cd19, 0x1f83_d9ab, 0xa54f_f53a, 0x3c6e_f372],
    ]);

    /// The hash, once all blocks of the padded message have been compressed.
    #[inline]
    #[must_use]
    pub fn digest(self) -> [u8; 32] {
        let [abef, cdgh] = self.0.map(|[fourth, third, second, first]| {
            [[first, second], [third, fourth]].map(|pair| pair.map(u32::to_be_bytes))
        });
        let mut digest = [0; 32];
        let (words, _) = digest.as_chunks_mut();
        let in_order = [abef[0], cdgh[0], abef[1], cdgh[1]];
        words.copy_from_slice(in_order.as_flattened());
        digest
    }
}

/// The compression function of a processor that has instructions for it.
#[derive(Clone, Copy, Debug)]
pub struct Compressor(Instructions);

impl Compressor {
    /// `None` where there are no such instructions, or none that this crate knows: it knows those of x86-64.
    #[inline]
    #[must_use]
    pub fn detect() -> Option<Self> {
        Instructions::detect().map(Self)
    }

    /// Compresses one block of each of these messages.
    #[inline]
    pub fn compress<const N: usize>(self, states: [&mut State; N], blocks: [&[u8; 64]; N]) {
        Instructions::compress(self.0, states, blocks);
    }
}

#[cfg(test)]
mod tests;
