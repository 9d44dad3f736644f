//! The command `huddle`.

use std::io::{IsTerminal as _, stderr};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use huddle_appview::{demo, serve};
use tracing::{Level, error};

/// Scheduling on the AT Protocol: finds, holds and confirms meetings between people whose calendars
/// stay private.
#[derive(Debug, Parser)]
#[command(name = "huddle", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch one booking come about, on a network made up for it.
    Demo(demo::Options),
    /// Serve the `com.huddle` methods.
    Serve(Box<serve::Options>),
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = Cli::parse().command;
    // What a demonstration shows is what it prints itself.
    let level = match command {
        Command::Demo(_) => Level::WARN,
        Command::Serve(_) => Level::INFO,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .init();
    let done = match command {
        Command::Demo(options) => options.run().await,
        Command::Serve(options) => options.run().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, with the causes; where in the code it happened is nobody's help.
            error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
