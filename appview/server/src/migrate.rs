//! `huddle migrate`

use std::fmt;

use anyhow::Result;
use huddle_native::Database;
use serde::Serialize;

use crate::config::DataFolder;
use crate::installation::Installation;
use crate::output::Output;

/// Bring the databases up to the schema of this version.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    data: DataFolder,

    /// Only try it, and say what would be done.
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    output: Output,
}

/// What each database lacked.
#[derive(Serialize)]
struct Migrated {
    dry_run: bool,
    databases: Vec<Steps>,
}

#[derive(Serialize)]
struct Steps {
    database: &'static str,
    steps: Vec<&'static str>,
}

impl Options {
    pub(crate) fn run(self) -> Result<()> {
        let installation = Installation::find(&self.data)?;
        let mut databases = Vec::new();
        for database in Database::ALL {
            let path = database.path(installation.folder());
            let steps = if self.dry_run {
                database.missing(&path)?
            } else {
                database.migrate(&path)?
            };
            databases.push(Steps {
                database: database.file_name(),
                steps,
            });
        }
        self.output.print(&Migrated {
            dry_run: self.dry_run,
            databases,
        })
    }
}

impl fmt::Display for Migrated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = if self.dry_run { "would run" } else { "ran" };
        for (position, Steps { database, steps }) in self.databases.iter().enumerate() {
            if position > 0 {
                writeln!(f)?;
            }
            match &steps[..] {
                [] => write!(f, "{database}: up to date")?,
                steps => write!(f, "{database}: {done} {}", steps.join(", "))?,
            }
        }
        Ok(())
    }
}
