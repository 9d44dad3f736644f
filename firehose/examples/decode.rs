//! Decodes frames: `decode FRAMES` prints a line of JSON an event, with every block hashed. Of a frame that cannot be
//! decoded the line says why (`i`, `error`), and the next one is decoded.
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
    for line in json::lines(&input::frames(frames.as_ref())?) {
        println!("{line}");
    }
    Ok(())
}
