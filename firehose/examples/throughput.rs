//! Measures: `throughput FRAMES KEYS` prints a line a level, with the frames that one thread decodes and verifies in
//! a second of its own time, the median of some passes over all of them. See `support/levels.rs` for the levels.
#![expect(clippy::print_stdout, reason = "a command's output")]

#[path = "support/input.rs"]
mod input;
#[path = "support/levels.rs"]
mod levels;
#[path = "support/meter.rs"]
mod meter;

use std::hint::black_box;

fn main() -> Result<(), input::Error> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [frames, keys] = &arguments[..] else {
        return Err("usage: throughput FRAMES KEYS".into());
    };
    let frames = input::frames(frames.as_ref())?;
    let keys = input::keys(keys.as_ref())?;
    for name in levels::NAMES {
        let mut work = levels::level(name, &frames, &keys);
        let rate = meter::per_second(frames.len(), || {
            black_box(work.pass());
        });
        println!("{name} {rate:.0}");
    }
    for (name, mut limit) in levels::limits(&frames, &keys) {
        println!(
            "{name} {:.0}",
            meter::per_second(limit.units, &mut limit.work)
        );
    }
    Ok(())
}
