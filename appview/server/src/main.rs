//! The command `huddle`.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().collect();
    huddle_appview::cli::run(arguments.into_iter())
}
