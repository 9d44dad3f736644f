//! Measures: `throughput FRAMES KEYS` prints a line a level, with the frames that one thread decodes and verifies in
//! a second of its own time, the median of some passes over all of them.
//!
//! What each level adds: `a` header and body; `b` blocks and records; `c` hashes; `d` operations; `e` signatures.
//! `filtered` decodes every frame, and does what `c` does for those that touch `com.huddle`. The limits are what
//! hashing all blocks and verifying all K-256 signatures take by themselves, by the same libraries.
#![expect(clippy::print_stdout, reason = "a command's output")]

#[path = "support/input.rs"]
mod input;
#[path = "support/meter.rs"]
mod meter;

use huddle_firehose::car::Car;
use huddle_firehose::{Cid, Curve, Filter, Frame, Level, Verifier, VerifyingKey};
use input::Keys;
use sha2::{Digest as _, Sha256};
use std::hint::black_box;
use std::time::Duration;

/// After every revision in any file: what is measured is not the clock.
const NOW: Duration = Duration::from_secs(10_000_000_000);

fn main() -> Result<(), input::Error> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [frames, keys] = &arguments[..] else {
        return Err("usage: throughput FRAMES KEYS".into());
    };
    let frames = input::frames(frames.as_ref())?;
    let keys = input::keys(keys.as_ref())?;
    let count = frames.len();

    let decoded = meter::per_second(count, || {
        for frame in &frames {
            let _ = black_box(Frame::decode(black_box(frame)));
        }
    });
    println!("a {decoded:.0}");
    for name in ["b", "c", "d", "e"] {
        let mut verifier = Verifier::new();
        let rate = meter::per_second(count, || {
            for frame in &frames {
                verify(frame, name, &keys, &mut verifier);
            }
        });
        println!("{name} {rate:.0}");
    }
    let filter = Filter::new(["com.huddle."]);
    let mut verifier = Verifier::new();
    let filtered = meter::per_second(count, || {
        for frame in &frames {
            if let Ok(Frame::Commit(event)) = Frame::decode(black_box(frame))
                && filter.wants(&event)
            {
                use_all(verifier.verify(&event, Level::Hashes, NOW));
            }
        }
    });
    println!("filtered {filtered:.0}");
    limits(&frames, &keys);
    Ok(())
}

fn verify(frame: &[u8], name: &str, keys: &Keys, verifier: &mut Verifier) {
    let level = |did| match (name, keys.get(did)) {
        ("b", _) => Level::Blocks,
        ("c", _) => Level::Hashes,
        ("e", Some(key)) => Level::Signature(key),
        _ => Level::Operations,
    };
    match Frame::decode(black_box(frame)) {
        Ok(Frame::Commit(event)) => use_all(verifier.verify(&event, level(event.repo), NOW)),
        Ok(Frame::Sync(event)) => {
            let _ = black_box(verifier.verify_sync(&event, level(event.did), NOW));
        }
        _ => {}
    }
}

fn use_all(verified: Result<huddle_firehose::Verified<'_, '_>, huddle_firehose::CommitError>) {
    let Ok(verified) = verified else { return };
    for change in verified.changes() {
        if let Some(record) = change.record {
            let _ = black_box(record.bytes());
        }
    }
}

/// What takes most of the time, by itself.
fn limits(frames: &[Vec<u8>], keys: &Keys) {
    let mut blocks: Vec<Vec<&[u8]>> = Vec::new();
    let mut signatures: Vec<(&VerifyingKey, [u8; 32], &[u8])> = Vec::new();
    for frame in frames {
        let Ok(Frame::Commit(event)) = Frame::decode(frame) else {
            continue;
        };
        let Ok(car) = Car::read(event.blocks) else {
            continue;
        };
        let commit = car.iter().find(|(cid, _)| *cid == event.commit);
        blocks.push(car.iter().map(|(_, block)| block).collect());
        if let (Some((_, commit)), Some(key)) = (commit, keys.get(event.repo))
            && key.curve() == Curve::K256
            && let Some(sig) = find(commit, b"\x63sig\x58\x40")
        {
            let (start, rest) = commit.split_at(sig);
            let (sig, rest) = rest.split_at(6 + 64);
            let unsigned = [&[commit[0] - 1], &start[1..], rest].concat();
            signatures.push((key, *Cid::of_cbor(&unsigned).digest(), &sig[6..]));
        }
    }
    let hashed = meter::per_second(frames.len(), || {
        for block in blocks.iter().flatten() {
            black_box(Sha256::digest(black_box(block)));
        }
    });
    println!("limit_sha256 {hashed:.0}");
    let verified = meter::per_second(signatures.len(), || {
        for (key, digest, signature) in &signatures {
            let _ = black_box(key.verify_digest(black_box(digest), signature));
        }
    });
    println!("limit_secp256k1 {verified:.0}");
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
