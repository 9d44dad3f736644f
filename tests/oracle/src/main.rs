//! Measures the firehose and its peers: `huddle-oracle FRAMES KEYS` prints a line a level, and then how many times as fast as
//! shrike each level is, of passes by turns. Nobody is measured by frames that they refuse.

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
use std::hint::black_box;

/// The levels that the limits are limits of, in their order.
const LIMITED: [&str; 2] = ["c", "e"];

fn main() -> Result<(), input::Error> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [frames, keys] = &arguments[..] else {
        return Err("usage: huddle-oracle FRAMES KEYS".into());
    };
    let frames = input::frames(frames.as_ref())?;
    let texts = std::fs::read(keys)?;
    let (keys, shrikes) = (input::keys(keys.as_ref())?, shrike::keys(&texts));
    let mut ratios = Vec::new();
    for name in levels::NAMES {
        let mut ours = levels::level(name, &frames, &keys);
        let mut theirs = level_of_shrike(name, &frames, &shrikes);
        let beside = beside(
            (frames.len(), &mut || pass(&mut ours)),
            (frames.len(), &mut || pass(&mut theirs)),
        );
        println!("{name} {:.0}", beside.ours);
        println!("shrike_{name} {:.0}", beside.theirs);
        ratios.push(format!("{name} is {:.2} times shrike's", beside.ratio));
    }
    let limits = levels::limits(&frames, &keys);
    for ((limit, mut by_itself), name) in limits.into_iter().zip(LIMITED) {
        let mut ours = levels::level(name, &frames, &keys);
        let beside = beside(
            (frames.len(), &mut || pass(&mut ours)),
            (by_itself.units, &mut by_itself.work),
        );
        println!("{limit} {:.0}", beside.theirs);
        ratios.push(format!(
            "{name} is {:.0} % of its limit",
            100.0 * beside.ratio
        ));
    }
    jacquard::measure(&frames, &texts, |level, rate| {
        println!("jacquard_{level} {rate:.0}");
    });
    for ratio in ratios {
        println!("{ratio}");
    }
    Ok(())
}

fn pass(work: &mut levels::Work<'_>) {
    black_box(work.pass());
}

/// How often two things get done in a second, and how many times as often the first.
struct Beside {
    ours: f64,
    theirs: f64,
    ratio: f64,
}

/// Does one after the other, again and again: what else the machine does, which slows down either, then slows down both. Each
/// is so many units of something, and what does it.
fn beside(
    (units, ours): (usize, &mut dyn FnMut()),
    (others, theirs): (usize, &mut dyn FnMut()),
) -> Beside {
    let passes: Vec<[f64; 2]> = (0..meter::PASSES)
        .map(|_| {
            [
                meter::pass(units, &mut *ours),
                meter::pass(others, &mut *theirs),
            ]
        })
        .collect();
    let median = |number: fn(&[f64; 2]) -> f64| meter::median(passes.iter().map(number).collect());
    Beside {
        ours: median(|[ours, _]| *ours),
        theirs: median(|[_, theirs]| *theirs),
        ratio: median(|[ours, theirs]| ours / theirs),
    }
}

/// The same level of shrike's; `filtered` is its parser, which has no filter.
fn level_of_shrike<'a>(
    level: &'static str,
    frames: &'a [Vec<u8>],
    keys: &'a shrike::Keys,
) -> levels::Work<'a> {
    let expected = match level {
        "a" => frames.len(),
        "filtered" => levels::count(frames, is_whole),
        _ => levels::count(frames, levels::is_verified),
    };
    let name = format!("shrike_{level}");
    levels::Work::new(&name, frames, expected, move |frame| match level {
        // What it passes over, it has read.
        "filtered" => matches!(
            black_box(parse_firehose_frame(frame)),
            Ok(_) | Err(StreamError::UnknownType(_))
        ),
        _ => shrike_accepts(level, frame, keys),
    })
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
