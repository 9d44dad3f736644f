//! What is measured: what each level adds, and the limits.
//!
//! `a` header and body; `b` blocks and records; `c` hashes; `d` operations; `e` signatures. `filtered` decodes every
//! frame, and does what `c` does for those that touch `com.huddle`. The limits are what hashing all blocks, one after
//! the other, and verifying all K-256 signatures take by themselves, by the same libraries. As `c` hashes several blocks
//! at once, its hashing alone takes less than that.

use super::input::Keys;
use super::meter;
use huddle_firehose::car::Car;
use huddle_firehose::{
    Cid, CommitError, Curve, Filter, Frame, Level, Verified, Verifier, VerifyingKey,
};
use sha2::{Digest as _, Sha256};
use std::hint::black_box;
use std::time::Duration;

/// After every revision in any file: what is measured is not the clock.
const NOW: Duration = Duration::from_secs(10_000_000_000);

/// Measures all levels, and tells for each how many frames a second of one thread is enough for.
pub(crate) fn measure(frames: &[Vec<u8>], keys: &Keys, mut tell: impl FnMut(&str, f64)) {
    let count = frames.len();
    let decoded = meter::per_second(count, || {
        for frame in frames {
            let _ = black_box(Frame::decode(black_box(frame)));
        }
    });
    tell("a", decoded);
    for name in ["b", "c", "d", "e"] {
        let mut verifier = Verifier::new();
        let rate = meter::per_second(count, || {
            for frame in frames {
                verify(frame, name, keys, &mut verifier);
            }
        });
        tell(name, rate);
    }
    let filter = Filter::new(["com.huddle."]);
    let mut verifier = Verifier::new();
    let filtered = meter::per_second(count, || {
        for frame in frames {
            if let Ok(Frame::Commit(event)) = Frame::decode(black_box(frame))
                && filter.wants(&event)
            {
                use_all(verifier.verify(&event, Level::Hashes, NOW));
            }
        }
    });
    tell("filtered", filtered);
    limits(frames, keys, &mut tell);
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

fn use_all(verified: Result<Verified<'_, '_>, CommitError>) {
    let Ok(commit) = verified else { return };
    for change in commit.changes() {
        if let Some(record) = change.record {
            let _ = black_box(record.bytes());
        }
    }
}

/// What takes most of the time, by itself.
fn limits(frames: &[Vec<u8>], keys: &Keys, tell: &mut impl FnMut(&str, f64)) {
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
    tell("limit_sha256", hashed);
    let verified = meter::per_second(signatures.len(), || {
        for (key, digest, signature) in &signatures {
            let _ = black_box(key.verify_digest(black_box(digest), signature));
        }
    });
    tell("limit_secp256k1", verified);
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
