//! What is measured: what each level adds, and the limits.
//!
//! `a` header and body; `b` blocks and records; `c` hashes; `d` operations; `e` signatures. `filtered` decodes every
//! frame, looks for its account among those that are followed, and does what `c` does for commits that touch
//! `com.huddle`. The limits are what hashing all blocks, one after the other, and verifying all K-256 signatures take by
//! themselves, by the same libraries. As `c` hashes several blocks at once, its hashing alone takes less than that.
//!
//! What is refused is done with sooner. So nothing is measured before every frame has been accepted.

#[path = "filter.rs"]
mod filter;

use super::input::Keys;
use huddle_firehose::car::Car;
use huddle_firehose::{Cid, CommitError, Curve, Frame, Level, Verified, Verifier, VerifyingKey};
use sha2::{Digest as _, Sha256};
use std::hint::black_box;
use std::time::Duration;

/// After every revision in any file: what is measured is not the clock.
const NOW: Duration = Duration::from_secs(10_000_000_000);

/// The levels, as they are printed.
pub(crate) const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "filtered"];

/// Does something with a frame, and says whether it was accepted.
type Accepts<'a> = dyn FnMut(&[u8]) -> bool + 'a;

/// What is done with each of some frames, over and over.
pub(crate) struct Work<'a> {
    frames: &'a [Vec<u8>],
    accepts: Box<Accepts<'a>>,
}

impl<'a> Work<'a> {
    /// Does it once, to see that as many frames are accepted as should be.
    ///
    /// # Panics
    ///
    /// If it accepts another number, or none: what is refused is done with sooner, so it is not measured.
    pub(crate) fn new(
        name: &str,
        frames: &'a [Vec<u8>],
        expected: usize,
        accepts: impl FnMut(&[u8]) -> bool + 'a,
    ) -> Self {
        let accepts = Box::new(accepts);
        let mut work = Self { frames, accepts };
        let accepted = work.pass();
        assert!(
            accepted == expected && accepted > 0,
            "{name} accepts {accepted} of {expected} frames: what is measured is to be accepted, with the keys of all \
             accounts"
        );
        work
    }

    /// Does it with every frame, and says how many were accepted.
    pub(crate) fn pass(&mut self) -> usize {
        let frames = self.frames.iter().map(black_box);
        frames.filter(|frame| (self.accepts)(frame)).count()
    }
}

/// What is measured at a level.
pub(crate) fn level<'a>(name: &'static str, frames: &'a [Vec<u8>], keys: &'a Keys) -> Work<'a> {
    let mut verifier = Verifier::new();
    match name {
        "a" => Work::new(name, frames, frames.len(), |frame| {
            black_box(Frame::decode(black_box(frame))).is_ok()
        }),
        "filtered" => {
            let filter = filter::filter();
            Work::new(
                name,
                frames,
                count(frames, is_wanted),
                move |frame| match Frame::decode(black_box(frame)) {
                    Ok(Frame::Commit(event)) if filter.wants(&event) => {
                        use_all(&verifier.verify(&event, Level::Hashes, NOW))
                    }
                    _ => false,
                },
            )
        }
        _ => Work::new(name, frames, count(frames, is_verified), move |frame| {
            verify(frame, name, keys, &mut verifier)
        }),
    }
}

/// How many of the frames are so.
pub(crate) fn count(frames: &[Vec<u8>], is_so: fn(&Frame<'_>) -> bool) -> usize {
    let decoded = frames.iter().filter_map(|frame| Frame::decode(frame).ok());
    decoded.filter(is_so).count()
}

/// Whether there is something to verify of it.
pub(crate) fn is_verified(frame: &Frame<'_>) -> bool {
    matches!(frame, Frame::Commit(_) | Frame::Sync(_))
}

/// Whether it is a commit that touches the collections of the filter, whose accounts are in no file.
fn is_wanted(frame: &Frame<'_>) -> bool {
    let Frame::Commit(event) = frame else {
        return false;
    };
    let mut ops = event.ops.iter();
    ops.any(|op| op.path.starts_with(filter::PREFIX))
}

/// Whether a frame is accepted at a level; what has no signature to verify is not.
fn verify(frame: &[u8], name: &str, keys: &Keys, verifier: &mut Verifier) -> bool {
    let level = |did| {
        Some(match name {
            "b" => Level::Blocks,
            "c" => Level::Hashes,
            "d" => Level::Operations,
            _ => Level::Signature(keys.get(did)?),
        })
    };
    match Frame::decode(black_box(frame)) {
        Ok(Frame::Commit(event)) => {
            level(event.repo).is_some_and(|level| use_all(&verifier.verify(&event, level, NOW)))
        }
        Ok(Frame::Sync(event)) => level(event.did)
            .is_some_and(|level| black_box(verifier.verify_sync(&event, level, NOW)).is_ok()),
        _ => false,
    }
}

fn use_all(verified: &Result<Verified<'_, '_>, CommitError>) -> bool {
    let Ok(commit) = verified else { return false };
    for change in commit.changes() {
        if let Some(record) = change.record {
            let _ = black_box(record.bytes());
        }
    }
    true
}

/// What takes most of the time, by itself.
pub(crate) struct Limit<'a> {
    /// So many of what is counted are done each time.
    pub(crate) units: usize,
    pub(crate) work: Box<dyn FnMut() + 'a>,
}

/// Hashing all blocks, and verifying all K-256 signatures.
pub(crate) fn limits<'a>(frames: &'a [Vec<u8>], keys: &'a Keys) -> [(&'static str, Limit<'a>); 2] {
    let mut blocks: Vec<Vec<&[u8]>> = Vec::new();
    let mut signatures: Vec<(&VerifyingKey, [u8; 32], &[u8])> = Vec::new();
    for frame in frames {
        let Ok(Frame::Commit(event)) = Frame::decode(frame) else {
            continue;
        };
        let car = Car::read(event.blocks).expect("the commit is accepted");
        let commit = car.iter().find(|(cid, _)| *cid == event.commit);
        let (_, commit) = commit.expect("so its block is there");
        blocks.push(car.iter().map(|(_, block)| block).collect());
        let key = &keys[event.repo];
        if key.curve() == Curve::K256 {
            let sig = find(commit, b"\x63sig\x58\x40").expect("so it is signed");
            let (start, rest) = commit.split_at(sig);
            let (sig, rest) = rest.split_at(6 + 64);
            let unsigned = [&[commit[0] - 1], &start[1..], rest].concat();
            signatures.push((key, *Cid::of_cbor(&unsigned).digest(), &sig[6..]));
        }
    }
    let hashing = Limit {
        units: frames.len(),
        work: Box::new(move || {
            for block in blocks.iter().flatten() {
                black_box(Sha256::digest(black_box(block)));
            }
        }),
    };
    let verifying = Limit {
        units: signatures.len(),
        work: Box::new(move || {
            for (key, digest, signature) in &signatures {
                let verified = black_box(key.verify_digest(black_box(digest), signature));
                verified.expect("the commit is accepted");
            }
        }),
    };
    [("limit_sha256", hashing), ("limit_secp256k1", verifying)]
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
