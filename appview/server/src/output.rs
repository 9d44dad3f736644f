//! What commands print: lines for people, or JSON where that is asked for.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _, stdout};

use anyhow::{Context as _, Result};
use serde::Serialize;

/// For whom to print.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Output {
    /// Print JSON, for programs.
    #[arg(long)]
    json: bool,
}

impl Output {
    /// Whether it is for programs.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Prints what a command comes to.
    pub(crate) fn print<T: Display + Serialize>(self, result: &T) -> Result<()> {
        if self.json {
            line(serde_json::to_string_pretty(result)?)
        } else {
            line(result)
        }
    }
}

/// Prints a line. That somebody has read enough, as `head` does, is no failure.
pub(crate) fn line(line: impl Display) -> Result<()> {
    match writeln!(stdout(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed.context("cannot print"),
    }
}
