//! The command `huddle`.

use clap::{Parser, Subcommand};
use huddle_appview::serve;

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
    /// Serve the `com.huddle` methods.
    Serve(Box<serve::Options>),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    match Cli::parse().command {
        Command::Serve(options) => options.run().await,
    }
}
