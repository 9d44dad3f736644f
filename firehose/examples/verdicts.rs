//! Judges frames: `verdicts [--typed] FRAMES KEYS` prints a line of JSON a frame.
//!
//! With `--typed` records of `com.huddle.*` are also held against their lexicons, which the library leaves to whoever
//! uses it: one that breaks its lexicon is a `reject-record`. Frames of made-up records are judged without.
//!
//! A record whose `$type` is not its collection is a `reject-record` here in `com.huddle.*` alone; the library refuses
//! it in every collection.
#![expect(clippy::print_stdout, reason = "a command's output")]

#[path = "support/input.rs"]
mod input;
#[path = "support/line.rs"]
mod line;
#[path = "support/typed.rs"]
mod typed;
#[path = "support/verdict.rs"]
mod verdict;

use huddle_firehose::Verifier;
use std::time::{Duration, SystemTime};

fn main() -> Result<(), input::Error> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let (check, files) = match &arguments[..] {
        [flag, files @ ..] if flag == "--typed" => (typed::typed as verdict::Check, files),
        files => (verdict::UNTYPED, files),
    };
    let [frames, keys] = files else {
        return Err("usage: verdicts [--typed] FRAMES KEYS".into());
    };
    let keys = input::keys(keys.as_ref())?;
    let now = now()?;
    let mut verifier = Verifier::new();
    for (i, frame) in input::frames(frames.as_ref())?.iter().enumerate() {
        let verdict = verdict::judge(frame, &keys, &mut verifier, now, check);
        println!("{}", line::line(i, &verdict));
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the clock is the command's")]
fn now() -> Result<Duration, input::Error> {
    Ok(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?)
}
