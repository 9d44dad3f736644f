//! The command line.

use std::ffi::OsString;
use std::io::{IsTerminal as _, stderr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap_complete::Shell;
use tokio::runtime::Runtime;
use tracing::error;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{CONFIG_VARIABLE, Config, File, with_file};
use crate::logs::{LogFormat, LogLevel};
use crate::{
    backup, bookings, connector, demo, doctor, hosts, import, jobs, keys, logs, migrate, output,
};

/// Scheduling on the AT Protocol: finds, holds and confirms meetings between people whose calendars
/// stay private.
#[derive(Debug, Parser)]
#[command(
    name = "huddle",
    version,
    arg_required_else_help = true,
    after_help = AFTER_HELP,
    after_long_help = AFTER_LONG_HELP
)]
struct Cli {
    /// File of settings, in TOML. Without it ./huddle.toml is read or else /etc/huddle/huddle.toml, if there is one.
    #[arg(long, env = CONFIG_VARIABLE, global = true, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str =
    "Begin with `huddle demo`, and `huddle help COMMAND` tells of each of them.";

const AFTER_LONG_HELP: &str = "\
Settings:
  What no flag says, the environment says (--hold-secs is HUDDLE_HOLD_SECS).
  What neither says, the file of settings says, and else there is a default:

    listen = \"127.0.0.1:2480\"
    service = \"did:web:huddle.example.com#huddle_appview\"
    firehose = [\"wss://relay.example.com\"]
    operator_token_file = \"/etc/huddle/operator-token\"
    [limits]
    hold_secs = 600

Examples:
  huddle demo
      one booking, on a network made up for it
  huddle serve
      serves on this machine, and says what is missing for production
  huddle doctor
      looks whether all is well, and says what to do
  huddle backup /backups/2026-06-01
      copies the installation while it is at work
  huddle jobs list
      what was given up; `huddle jobs retry --all` has it tried again

Exit codes:
  0  done
  1  it failed, or `doctor` found that something fails
  2  the command line or the file of settings is wrong";

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch one booking come about, on a network made up for it.
    Demo(demo::Options),
    /// Serve the `com.huddle` methods.
    #[command(after_long_help = SERVE_HELP)]
    Serve(Box<Config>),
    /// Look whether all is well, and say what to do.
    Doctor(Box<doctor::Options>),
    /// Bring the databases up to the schema of this version; `serve` does so, too, when it starts.
    Migrate(migrate::Options),
    /// Copy the installation while it is at work, and see whether the copy is intact.
    #[command(after_long_help = backup::HELP)]
    Backup(backup::Options),
    /// List what was to be done outside and was given up, and have it tried again.
    #[command(subcommand)]
    Jobs(jobs::Jobs),
    /// Show what is known of a booking.
    #[command(subcommand)]
    Bookings(bookings::Bookings),
    /// Keep a host's time by days.
    #[command(subcommand)]
    Hosts(hosts::Hosts),
    /// List and forget calendars that people have connected.
    #[command(subcommand)]
    Connector(connector::Connectors),
    /// List the keys of the installation, and change those that can be changed.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Take over what another application has published, or the archive of a person.
    #[command(after_long_help = import::HELP)]
    Import(import::Options),
    /// Print what makes a shell complete this command.
    #[command(after_long_help = COMPLETIONS_HELP)]
    Completions {
        /// Which shell.
        shell: Shell,
    },
}

const SERVE_HELP: &str = "\
Examples:
  huddle serve
      on this machine alone, with everything at its default
  huddle serve --firehose wss://relay.example.com --service 'did:web:huddle.example.com#huddle_appview' \\
      --public-url https://huddle.example.com --client-address-header x-forwarded-for
      behind a reverse proxy that speaks TLS

It ends on SIGTERM or SIGINT, after it has answered what was asked, for which it takes 30 seconds at most; a second
signal ends it at once.";

const COMPLETIONS_HELP: &str = "\
Examples:
  huddle completions bash > ~/.local/share/bash-completion/completions/huddle
  huddle completions zsh > \"${fpath[1]}/_huddle\"
  huddle completions fish > ~/.config/fish/completions/huddle.fish";

/// The command line or the file of settings is wrong.
const USAGE: u8 = 2;

/// Does what the command line asks for.
pub fn run(arguments: impl Iterator<Item = OsString> + Clone) -> ExitCode {
    let matches = match matches(arguments) {
        Ok(matches) => matches,
        Err(error) => return refused(&error),
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return refused(&error.format(&mut Cli::command()).into()),
    };
    log_to_stderr(&cli.command);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let done = runtime
        .map_err(Into::into)
        .and_then(|runtime| finish(runtime, cli.command.run()));
    done.unwrap_or_else(|error| {
        // One line, with the causes; where in the code it happened is nobody's help.
        error!("{error:#}");
        ExitCode::FAILURE
    })
}

/// How long is waited for what a command has left behind.
const LEAVE: Duration = Duration::from_secs(3);

/// Does the work, and ends. What it has given up on may still be under way, a read from a disk that does not answer for
/// example, and would keep the process for as long.
fn finish<T>(runtime: Runtime, work: impl Future<Output = T>) -> T {
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(LEAVE);
    done
}

/// Reads the command line twice: it names the file whose settings take the place of its defaults.
fn matches(arguments: impl Iterator<Item = OsString> + Clone) -> Result<ArgMatches> {
    let matches = Cli::command().try_get_matches_from(arguments.clone())?;
    let named: Option<&PathBuf> = matches.get_one("config");
    Ok(match File::find(named.map(PathBuf::as_path))? {
        Some(file) => with_file(Cli::command(), &file).try_get_matches_from(arguments)?,
        None => matches,
    })
}

/// Says what is wrong with the command line, or what was asked for in its place.
fn refused(error: &anyhow::Error) -> ExitCode {
    if let Some(error) = error.downcast_ref::<clap::Error>() {
        // Nobody is left to hear that it could not be printed.
        let _ = error.print();
        let is_answer = !error.use_stderr();
        return if is_answer {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(USAGE)
        };
    }
    complain(error);
    ExitCode::from(USAGE)
}

#[expect(clippy::print_stderr, reason = "there is no log yet")]
fn complain(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

fn log_to_stderr(command: &Command) {
    // What a command shows is what it prints itself.
    let (level, format) = match command {
        Command::Serve(config) => (config.log_level, config.log_format),
        // What it serves with is not meant for production.
        Command::Demo(_) => (LogLevel::Error, LogFormat::Text),
        _ => (LogLevel::Warn, LogFormat::Text),
    };
    logs::subscriber(level, format, stderr, stderr().is_terminal()).init();
}

impl Command {
    async fn run(self) -> Result<ExitCode> {
        match self {
            Self::Demo(options) => options.run().await?,
            Self::Serve(config) => config.run().await?,
            Self::Doctor(options) => return options.run().await,
            Self::Migrate(options) => options.run()?,
            Self::Backup(options) => options.run()?,
            Self::Jobs(jobs) => jobs.run().await?,
            Self::Bookings(bookings) => bookings.run().await?,
            Self::Hosts(hosts) => hosts.run().await?,
            Self::Connector(connectors) => connectors.run().await?,
            Self::Keys(keys) => keys.run().await?,
            Self::Import(options) => options.run().await?,
            Self::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Cli::command(), "huddle", &mut script);
                output::line(String::from_utf8(script)?)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::sync::oneshot;
    use tokio::task::spawn_blocking;

    use super::*;

    #[test]
    fn what_was_given_up_does_not_keep_the_process() {
        let runtime = Runtime::new().unwrap();
        let (answer, question) = mpsc::channel::<()>();
        let begun = finish(runtime, async {
            let (tell, told) = oneshot::channel();
            spawn_blocking(move || {
                tell.send(()).unwrap();
                // Nobody answers before it is over.
                let _ = question.recv();
            });
            told.await
        });
        assert!(begun.is_ok());
        drop(answer);
    }

    #[test]
    fn every_command_is_well_formed() {
        Cli::command().debug_assert();
    }
}
