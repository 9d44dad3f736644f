use super::{Compressor, State};
use proptest::prelude::*;
use sha2::block_api::compress256;
use std::array;

/// FIPS 180-4 §5.3.3, in its own order.
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

/// The compressor of this processor. Nothing can be tested where there is none, and it says so.
fn compressor() -> Option<Compressor> {
    let compressor = Compressor::detect();
    if compressor.is_none() {
        eprintln!("skipped: this processor has no instructions for SHA-256 that are known here");
    }
    compressor
}

/// Compresses a block of each message after the other, and holds every state against those of the library.
fn check<const N: usize>(compressor: Compressor, messages: [&[[u8; 64]]; N]) {
    let mut states = [State::INITIAL; N];
    let mut expected = [INITIAL; N];
    for at in 0..messages[0].len() {
        compressor.compress(states.each_mut(), messages.map(|blocks| &blocks[at]));
        for lane in 0..N {
            compress256(&mut expected[lane], &messages[lane][at..=at]);
            let words = expected[lane].map(u32::to_be_bytes);
            assert_eq!(
                states[lane].digest(),
                words.as_flattened(),
                "{lane} of {N}, block {at}"
            );
        }
    }
}

#[test]
fn a_message_of_the_standard_has_its_hash() {
    let Some(compressor) = compressor() else {
        return;
    };
    // FIPS 180-2, appendix B.1.
    let mut block = [0; 64];
    block[..4].copy_from_slice(b"abc\x80");
    block[63] = 24;
    let mut state = State::INITIAL;
    compressor.compress([&mut state], [&block]);
    let hash = [
        0xba78_16bf_u32,
        0x8f01_cfea,
        0x4141_40de,
        0x5dae_2223,
        0xb003_61a3,
        0x9617_7a9c,
        0xb410_ff61,
        0xf200_15ad,
    ];
    assert_eq!(state.digest(), hash.map(u32::to_be_bytes).as_flattened());
}

proptest! {
    #[test]
    fn messages_at_once_come_to_what_they_come_to_alone(
        bytes in prop::collection::vec(any::<[u8; 64]>(), 12),
    ) {
        if let Some(compressor) = compressor() {
            let message = |lane: usize| &bytes[lane * 3..][..3];
            check::<1>(compressor, array::from_fn(message));
            check::<2>(compressor, array::from_fn(message));
            check::<3>(compressor, array::from_fn(message));
            check::<4>(compressor, array::from_fn(message));
        }
    }
}
