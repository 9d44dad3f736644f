//! Decodes frames: `decode FRAMES` prints a line of JSON an event, with every block hashed.
#![expect(clippy::print_stdout, reason = "a command's output")]

#[path = "support/input.rs"]
#[expect(dead_code, reason = "the keys are for others")]
mod input;
#[path = "support/json.rs"]
mod json;

fn main() -> Result<(), input::Error> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [frames] = &arguments[..] else {
        return Err("usage: decode FRAMES".into());
    };
    for (i, frame) in input::frames(frames.as_ref())?.iter().enumerate() {
        match json::line(i, frame) {
            Ok(Some(line)) => println!("{line}"),
            Ok(None) => {}
            Err(error) => return Err(format!("frame {i}: {error}").into()),
        }
    }
    Ok(())
}
