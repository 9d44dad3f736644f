//! `huddle-codegen`: lexicons to Rust, and what can be said of lexicons before that.

mod cli;

use clap::Parser as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = cli::Cli::parse().run();
    let (status, said) = match outcome {
        Ok(report) => {
            let status = u8::from(!report.fine);
            // Whoever closes a pipe early has read enough; there is nobody left to tell.
            let _ = io::stdout().write_all(report.result.as_bytes());
            (status, report.summary)
        }
        Err(error) => (2, format!("error: {error}\n")),
    };
    let _ = io::stderr().write_all(said.as_bytes());
    ExitCode::from(status)
}
