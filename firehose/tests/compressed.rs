//! Compressed messages of a Jetstream: what the reference implementation makes is read, and nothing else.

#[path = "ingest/messages.rs"]
#[expect(dead_code, reason = "what the messages come to is for others")]
mod messages;

use std::borrow::Cow;
use std::io::Write as _;

use huddle_firehose::jetstream::{
    Decompressor, Dictionary, DictionaryError, MAX_MESSAGE_LEN, ZstdError,
};
use messages::{DICTIONARY, compress, life};
use proptest::prelude::*;
use zstd::zstd_safe::CParameter;

fn decompressor(dictionary: &[u8]) -> Decompressor {
    Decompressor::new(&Dictionary::new(dictionary)).expect("it is a dictionary")
}

/// A frame with a window of 128 KiB, of which nobody knew how long it would be: as Jetstream's library makes them.
fn streamed(dictionary: &[u8], level: i32, message: &[u8]) -> Vec<u8> {
    let encoder = zstd::stream::Encoder::with_dictionary(Vec::new(), level, dictionary);
    let mut encoder = encoder.expect("a level that there is");
    encoder.window_log(17).expect("a window that there is");
    encoder.include_checksum(true).expect("it may have one");
    encoder.write_all(message).expect("a `Vec` takes all");
    encoder.finish().expect("a `Vec` takes all")
}

/// A frame that names no dictionary, because it takes none.
fn plain(message: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(message, 3).expect("anything can be compressed")
}

#[track_caller]
fn check(decompressor: &mut Decompressor, frame: &[u8], expect: Result<&[u8], ZstdError>) {
    let json = decompressor.json(frame);
    assert_eq!(json.as_deref(), expect.as_ref().map(|it| &**it));
}

#[test]
fn what_the_reference_implementation_compresses_is_read() {
    let mut decompressor = decompressor(&DICTIONARY);
    let mut messages = life();
    messages.push(Vec::new());
    messages.push(life().concat().repeat(300));
    assert!(
        messages
            .iter()
            .all(|message| message.len() < MAX_MESSAGE_LEN)
    );
    for message in &messages {
        check(
            &mut decompressor,
            &compress(&DICTIONARY, message),
            Ok(message),
        );
        check(&mut decompressor, &plain(message), Ok(message));
        for level in [1, 3, 9, 19] {
            let frame = streamed(&DICTIONARY, level, message);
            check(&mut decompressor, &frame, Ok(message));
        }
    }
}

#[test]
fn what_is_not_compressed_is_its_own_json() {
    for mut decompressor in [Decompressor::default(), decompressor(&DICTIONARY)] {
        for message in [&b""[..], b"{}", b"\x28\xb5\x2f", &life()[0][..]] {
            let json = decompressor.json(message);
            assert!(matches!(json, Ok(Cow::Borrowed(it)) if it == message));
        }
    }
}

#[test]
fn a_frame_of_another_dictionary_is_refused_with_the_number_of_that() {
    let ours = &*DICTIONARY;
    let mut other = ours.clone();
    other[4..8].copy_from_slice(&77_u32.to_le_bytes());
    let frame = compress(&other, &life()[0]);
    check(
        &mut decompressor(ours),
        &frame,
        Err(ZstdError::OtherDictionary(77)),
    );
    check(
        &mut Decompressor::default(),
        &frame,
        Err(ZstdError::NoDictionary),
    );
    check(&mut decompressor(&other), &frame, Ok(&life()[0]));
}

#[test]
fn what_is_cut_off_or_goes_on_is_refused() {
    let mut decompressor = decompressor(&DICTIONARY);
    let malformed = Err(ZstdError::Malformed);
    for message in life() {
        for frame in [
            compress(&DICTIONARY, &message),
            streamed(&DICTIONARY, 3, &message),
        ] {
            for len in 4..frame.len() {
                check(&mut decompressor, &frame[..len], malformed);
            }
            for more in [&b"\0"[..], &frame[..]] {
                check(&mut decompressor, &[&frame, more].concat(), malformed);
            }
            check(&mut decompressor, &frame, Ok(&message));
        }
    }
}

/// With a checksum nothing else comes out than what went in, whatever happens on the way.
#[test]
fn a_byte_that_is_changed_is_noticed() {
    let mut decompressor = decompressor(&DICTIONARY);
    let message = life().concat();
    let frame = streamed(&DICTIONARY, 3, &message);
    for at in 4..frame.len() {
        for change in [1, 0x10, 0x80, 0xff] {
            let mut changed = frame.clone();
            changed[at] ^= change;
            if let Ok(json) = decompressor.json(&changed) {
                assert_eq!(*json, message, "byte {at}");
            }
        }
    }
}

#[test]
fn what_comes_to_more_than_a_message_is_refused() {
    let mut decompressor = decompressor(&DICTIONARY);
    let most = vec![b' '; MAX_MESSAGE_LEN];
    check(&mut decompressor, &compress(&DICTIONARY, &most), Ok(&most));
    check(
        &mut decompressor,
        &streamed(&DICTIONARY, 3, &most),
        Ok(&most),
    );
    let too_large = Err(ZstdError::TooLarge);
    let more = vec![b' '; MAX_MESSAGE_LEN + 1];
    let bomb = vec![0; 50_000_000];
    for message in [&more, &bomb] {
        check(&mut decompressor, &plain(message), too_large);
        check(
            &mut decompressor,
            &streamed(&DICTIONARY, 3, message),
            too_large,
        );
    }
    for claim in claims() {
        check(&mut decompressor, &claim, too_large);
    }
}

/// Frames that say that they are large, and are not there.
fn claims() -> Vec<Vec<u8>> {
    let magic = [0x28, 0xb5, 0x2f, 0xfd];
    // Eight bytes of length, in one segment; then a window that is as large as there are.
    let content = [&magic[..], &[0xe0], &u64::MAX.to_le_bytes()].concat();
    let window = [&magic[..], &[0, 0xf8]].concat();
    let megabytes = |bytes: u32| [&magic[..], &[0xa0], &bytes.to_le_bytes()].concat();
    vec![content, window, megabytes(4_000_000), megabytes(2_050_000)]
}

#[test]
fn bytes_that_are_no_dictionary_are_refused() {
    let mut nameless = DICTIONARY.clone();
    nameless[4..8].fill(0);
    let malformed = Some(DictionaryError::Malformed);
    for bytes in [
        &b""[..],
        b"{}",
        &DICTIONARY[..100],
        &DICTIONARY[1..],
        &nameless,
    ] {
        let refused = Decompressor::new(&Dictionary::new(bytes)).err();
        assert_eq!(refused, malformed);
    }
}

#[test]
fn a_dictionary_that_is_damaged_is_refused_or_reads_something() {
    let frame = compress(&DICTIONARY, &life()[0]);
    for at in 8..DICTIONARY.len().min(400) {
        for change in [1, 0x80, 0xff] {
            let mut damaged = DICTIONARY.clone();
            damaged[at] ^= change;
            if let Ok(mut decompressor) = Decompressor::new(&Dictionary::new(damaged)) {
                // Whatever comes of it.
                let _ = decompressor.json(&frame);
            }
        }
        let _ = Decompressor::new(&Dictionary::new(&DICTIONARY[..at]));
    }
}

proptest! {
    #[test]
    fn any_message_of_any_length_comes_back(
        parts in prop::collection::vec(("[ -~]{0,40}", 1_usize..200), 0..40),
        level in 1..20,
        checksum in any::<bool>(),
    ) {
        let parts = parts.iter().map(|(part, times)| part.repeat(*times));
        let message = parts.collect::<String>().into_bytes();
        let compressor = zstd::bulk::Compressor::with_dictionary(level, &DICTIONARY);
        let mut compressor = compressor.expect("a level that there is");
        let with_checksum = compressor.set_parameter(CParameter::ChecksumFlag(checksum));
        with_checksum.expect("it may have one");
        let frame = compressor.compress(&message).expect("anything can be compressed");
        let json = decompressor(&DICTIONARY).json(&frame).map(Cow::into_owned);
        prop_assert_eq!(json, Ok(message));
    }
}
