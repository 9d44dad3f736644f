//! Measures the firehose and its peers, one after the other: `huddle-oracle FRAMES KEYS` prints a line a level, and
//! then how many times as fast as shrike each level is.

#[path = "../../../firehose/examples/support/input.rs"]
mod input;
mod jacquard;
#[path = "../../../firehose/examples/support/levels.rs"]
mod levels;
#[path = "../../../firehose/examples/support/meter.rs"]
mod meter;

use ::shrike::streaming::parse_firehose_frame;
use ::shrike::sync::RawSyncEvent;
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
    for level in ["a", "b", "c", "d", "e", "filtered"] {
        let rate = meter::per_second(frames.len(), || {
            for frame in frames {
                let frame = black_box(frame);
                if level == "filtered" {
                    let _ = black_box(parse_firehose_frame(frame));
                    continue;
                }
                let Some(RawSyncEvent::Commit(commit)) = black_box(shrike::decode(frame)) else {
                    continue;
                };
                let key = keys.get(commit.repo.as_str()).map(AsRef::as_ref);
                black_box(match level {
                    "a" => true,
                    "b" => shrike::read_blocks(&commit),
                    "c" => shrike::check_hashes(&commit),
                    "d" => shrike::verify(&commit, None).is_ok(),
                    _ => shrike::verify(&commit, key).is_ok(),
                });
            }
        });
        tell(level, rate);
    }
}
