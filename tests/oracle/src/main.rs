//! Measures the firehose and its peers, one after the other: `huddle-oracle FRAMES KEYS` prints a line a level, and
//! then how many times as fast as shrike each level is. Nobody is measured by frames that they refuse.

#[path = "../../../firehose/examples/support/input.rs"]
mod input;
mod jacquard;
#[path = "../../../firehose/examples/support/levels.rs"]
mod levels;
#[path = "../../../firehose/examples/support/meter.rs"]
mod meter;

use ::shrike::streaming::{StreamError, parse_firehose_frame};
use ::shrike::sync::RawSyncEvent;
use huddle_firehose::Frame;
use huddle_firehose::car::{BlockStore as _, Car};
use huddle_oracle::shrike;
use std::collections::BTreeMap;
use std::hint::black_box;

fn main() -> Result<(), input::Error> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [frames, keys] = &arguments[..] else {
        return Err("usage: huddle-oracle FRAMES KEYS".into());
    };
    let frames = input::frames(frames.as_ref())?;
    let texts = std::fs::read(keys)?;
    let mut rates = BTreeMap::new();
    levels::measure(&frames, &input::keys(keys.as_ref())?, |level, rate| {
        println!("{level} {rate:.0}");
        rates.insert(level.to_owned(), rate);
    });
    measure_shrike(&frames, &shrike::keys(&texts), |level, rate| {
        println!("shrike_{level} {rate:.0}");
        rates.insert(format!("shrike_{level}"), rate);
    });
    jacquard::measure(&frames, &texts, |level, rate| {
        println!("jacquard_{level} {rate:.0}");
    });
    for level in ["a", "b", "c", "d", "e", "filtered"] {
        let ratio = rates[level] / rates[&format!("shrike_{level}")];
        println!("{level} is {ratio:.2} times shrike's");
    }
    println!(
        "c is {:.0} % of its limit",
        100.0 * rates["c"] / rates["limit_sha256"]
    );
    println!(
        "e is {:.0} % of its limit",
        100.0 * rates["e"] / rates["limit_secp256k1"]
    );
    Ok(())
}

/// The same levels; `filtered` is its parser, which has no filter.
fn measure_shrike(frames: &[Vec<u8>], keys: &shrike::Keys, mut tell: impl FnMut(&str, f64)) {
    let verified = |frame: &Frame<'_>| matches!(frame, Frame::Commit(_) | Frame::Sync(_));
    let verified = count(frames, verified);
    for level in ["a", "b", "c", "d", "e", "filtered"] {
        let expected = match level {
            "a" => frames.len(),
            "filtered" => count(frames, is_whole),
            _ => verified,
        };
        let name = format!("shrike_{level}");
        let rate = per_second(&name, frames, expected, |frame| match level {
            // What it passes over, it has read.
            "filtered" => matches!(
                black_box(parse_firehose_frame(frame)),
                Ok(_) | Err(StreamError::UnknownType(_))
            ),
            _ => shrike_accepts(level, frame, keys),
        });
        tell(level, rate);
    }
}

fn shrike_accepts(level: &str, frame: &[u8], keys: &shrike::Keys) -> bool {
    let event = black_box(shrike::decode(frame));
    match (level, event) {
        ("a", event) => event.is_some(),
        ("b", Some(RawSyncEvent::Commit(commit))) => black_box(shrike::read_blocks(&commit)),
        ("c", Some(RawSyncEvent::Commit(commit))) => black_box(shrike::check_hashes(&commit)),
        ("d", Some(RawSyncEvent::Commit(commit))) => {
            black_box(shrike::verify(&commit, None)).is_ok()
        }
        (_, Some(RawSyncEvent::Commit(commit))) => {
            let key = keys.get(commit.repo.as_str()).map(AsRef::as_ref);
            key.is_some() && black_box(shrike::verify(&commit, key)).is_ok()
        }
        (_, Some(RawSyncEvent::Sync(sync))) => {
            let key = keys.get(sync.did.as_str()).map(AsRef::as_ref);
            let key = key.filter(|_| level == "e");
            black_box(shrike::verify_sync(&sync, key)).is_ok()
        }
        _ => false,
    }
}

/// Whether a host has left no record out, as it may do with one that the same commit takes away elsewhere: shrike's
/// parser refuses such a commit.
fn is_whole(frame: &Frame<'_>) -> bool {
    let Frame::Commit(event) = frame else {
        return true;
    };
    let car = Car::read(event.blocks).expect("the commit is accepted");
    let mut records = event.ops.iter().filter_map(|op| op.cid);
    records.all(|cid| car.block(&cid).is_some())
}

/// How many of the frames are so.
fn count(frames: &[Vec<u8>], is_so: fn(&Frame<'_>) -> bool) -> usize {
    let decoded = frames.iter().filter_map(|frame| Frame::decode(frame).ok());
    decoded.filter(is_so).count()
}

/// Measures what somebody does with each frame, once as many frames were accepted as should be.
fn per_second(
    name: &str,
    frames: &[Vec<u8>],
    expected: usize,
    mut accepts: impl FnMut(&[u8]) -> bool,
) -> f64 {
    let mut pass = || {
        let frames = frames.iter().map(black_box);
        frames.filter(|frame| accepts(frame)).count()
    };
    let accepted = pass();
    assert!(
        accepted == expected,
        "{name} accepts {accepted} of {expected} frames: what is refused is done with sooner, so nothing is measured"
    );
    meter::per_second(frames.len(), || {
        black_box(pass());
    })
}
