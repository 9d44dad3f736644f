//! Judges frames: `verdicts FRAMES KEYS` prints a line of JSON a frame.
#![expect(clippy::print_stdout, reason = "a command's output")]

#[path = "support/input.rs"]
mod input;
#[path = "support/verdict.rs"]
mod verdict;

use huddle_firehose::Verifier;
use serde_json::json;
use std::time::{Duration, SystemTime};

fn main() -> Result<(), input::Error> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [frames, keys] = &arguments[..] else {
        return Err("usage: verdicts FRAMES KEYS".into());
    };
    let keys = input::keys(keys.as_ref())?;
    let now = now()?;
    let mut verifier = Verifier::new();
    for (i, frame) in input::frames(frames.as_ref())?.iter().enumerate() {
        let verdict = verdict::judge(frame, &keys, &mut verifier, now);
        println!(
            "{}",
            json!({"i": i, "verdict": verdict.verdict, "reason": verdict.reason})
        );
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the clock is the command's")]
fn now() -> Result<Duration, input::Error> {
    Ok(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?)
}
