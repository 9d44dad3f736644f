//! What it takes to decompress a message of a Jetstream.

use std::hint::black_box;

use huddle_firehose::Cid;
use huddle_firehose::jetstream::{Decompressor, Dictionary, MAX_MESSAGE_LEN, ZstdError};

use crate::messages::{DICTIONARY, compress};

/// The most that a decompressor holds, as its documentation promises.
const DECOMPRESSING: u64 = 16 << 20;

#[test]
fn a_compressed_message_is_held_in_sixteen_mebibytes_whatever_it_claims() {
    let magic = [0x28, 0xb5, 0x2f, 0xfd];
    let block = |kind: u32, len: u32, last: u32| (len << 3 | kind << 1 | last).to_le_bytes();
    // A window of two mebibytes, and blocks that repeat one byte 128 Ki times.
    let mut repeated = [&magic[..], &[0, 0x58]].concat();
    for _ in 0..1000 {
        repeated.extend_from_slice(&block(1, 128 << 10, 0)[..3]);
        repeated.push(b' ');
    }
    // Blocks of nothing but a literal, 2^20 - 1 times.
    let mut literals = [&magic[..], &[0, 0x58]].concat();
    for _ in 0..1000 {
        literals.extend_from_slice(&block(2, 5, 0)[..3]);
        literals.extend_from_slice(&[0xfd, 0xff, 0xff, b' ', 0]);
    }
    let claimed = [&magic[..], &[0xa0], &2_000_000_u32.to_le_bytes()].concat();
    let bomb = vec![b' '; 20_000_000];
    let streamed = zstd::encode_all(&bomb[..], 3).unwrap();
    let noise: Vec<u8> = (0..60_000_u32)
        .flat_map(|n| Cid::of_cbor(&n.to_le_bytes()).to_bytes())
        .collect();
    let whole = compress(&DICTIONARY, &noise[..MAX_MESSAGE_LEN]);
    let frames = [
        (repeated, Err(ZstdError::TooLarge)),
        (literals, Err(ZstdError::TooLarge)),
        (claimed, Err(ZstdError::Malformed)),
        (compress(&DICTIONARY, &bomb), Err(ZstdError::TooLarge)),
        (streamed, Err(ZstdError::TooLarge)),
        (whole, Ok(MAX_MESSAGE_LEN)),
    ];
    for (frame, expect) in &frames {
        let measured = allocation_counter::measure(|| {
            let mut decompressor = Decompressor::new(&Dictionary::new(&DICTIONARY[..])).unwrap();
            for _ in 0..3 {
                let json = black_box(decompressor.json(black_box(frame)));
                assert_eq!(json.map(|it| it.len()), *expect);
            }
        });
        let (peak, len) = (measured.bytes_max, frame.len());
        println!("a compressed message: {peak} bytes at most, for one of {len}");
        assert!(peak <= DECOMPRESSING, "{peak} bytes for {len}");
    }
}
