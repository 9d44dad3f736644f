//! The SHA extensions of x86-64.

use crate::State;
use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_set_epi32, _mm_set_epi64x,
    _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8,
    _mm_shuffle_epi32,
};

/// FIPS 180-4 §4.2.2.
const ROUNDS: [[u32; 4]; 16] = [
    [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5],
    [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
    [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3],
    [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
    [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc],
    [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
    [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7],
    [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
    [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13],
    [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
    [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3],
    [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
    [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5],
    [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
    [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208],
    [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
];

/// Shows that this processor has them, and AVX, which all have that came with them but a few.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instructions(());

impl Instructions {
    #[inline]
    pub(crate) fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("sha") && is_x86_feature_detected!("avx");
        has.then_some(Self(()))
    }

    #[inline]
    pub(crate) fn compress<const N: usize>(
        _: Self,
        states: [&mut State; N],
        blocks: [&[u8; 64]; N],
    ) {
        #[expect(
            unsafe_code,
            reason = "there is no other way to call what not every processor can run"
        )]
        // SAFETY: an `Instructions` is made by `detect` alone, where the processor has what `compress` enables. In all else
        // `compress` is a safe function.
        unsafe {
            compress(states, blocks);
        }
    }
}

#[target_feature(enable = "sha,avx")]
fn compress<const N: usize>(states: [&mut State; N], blocks: [&[u8; 64]; N]) {
    let before: [_; N] = std::array::from_fn(|lane| states[lane].0.map(|half| words(half)));
    let mut now = before;
    let mut schedule: [_; N] = std::array::from_fn(|lane| {
        let (quarters, _) = blocks[lane].as_chunks();
        std::array::from_fn::<_, 4, _>(|at| big_endian(quarters[at]))
    });
    macro_rules! four_rounds {
        ($($at:literal)*) => {$({
            let constants = words(ROUNDS[$at]);
            if $at >= 4 {
                for words in &mut schedule {
                    // FIPS 180-4 §6.2.2, step 1.
                    let older = _mm_sha256msg1_epu32(words[$at % 4], words[($at + 1) % 4]);
                    let newer = _mm_alignr_epi8::<4>(words[($at + 3) % 4], words[($at + 2) % 4]);
                    let sum = _mm_add_epi32(older, newer);
                    words[$at % 4] = _mm_sha256msg2_epu32(sum, words[($at + 3) % 4]);
                }
            }
            for ([abef, cdgh], words) in now.iter_mut().zip(&schedule) {
                let first = _mm_add_epi32(words[$at % 4], constants);
                let second = _mm_shuffle_epi32::<0b_00_00_11_10>(first);
                *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, first);
                *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, second);
            }
        })*};
    }
    four_rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    for ((state, before), now) in states.into_iter().zip(before).zip(now) {
        let [abef, cdgh] = [0, 1].map(|half| _mm_add_epi32(before[half], now[half]));
        state.0 = [numbers(abef), numbers(cdgh)];
    }
}

/// The first of the words is the lowest.
#[target_feature(enable = "sha,avx")]
fn words(words: [u32; 4]) -> __m128i {
    let [first, second, third, fourth] = words.map(u32::cast_signed);
    _mm_set_epi32(fourth, third, second, first)
}

#[target_feature(enable = "sha,avx")]
fn numbers(words: __m128i) -> [u32; 4] {
    [
        _mm_extract_epi32::<0>(words),
        _mm_extract_epi32::<1>(words),
        _mm_extract_epi32::<2>(words),
        _mm_extract_epi32::<3>(words),
    ]
    .map(i32::cast_unsigned)
}

/// Four words of a message.
#[target_feature(enable = "sha,avx")]
fn big_endian(bytes: [u8; 16]) -> __m128i {
    let (halves, _) = bytes.as_chunks();
    let bytes = _mm_set_epi64x(i64::from_le_bytes(halves[1]), i64::from_le_bytes(halves[0]));
    let reversed = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    _mm_shuffle_epi8(bytes, reversed)
}
