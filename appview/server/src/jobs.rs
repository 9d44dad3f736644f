//! `huddle jobs`

use std::fmt;

use anyhow::{Result, bail};
use clap::Subcommand;
use huddle_core::Limits;
use huddle_core::outbox::DeadLetter;
use huddle_native::ActorStore;
use serde::Serialize;

use crate::config::DataFolder;
use crate::installation::Installation;
use crate::output::Output;

/// What was to be done outside and was given up.
#[derive(Debug, Subcommand)]
pub(crate) enum Jobs {
    /// List what was given up, the oldest first.
    List {
        #[command(flatten)]
        data: DataFolder,

        /// Begin after the job of this number.
        #[arg(long, value_name = "ID", default_value_t = 0)]
        after: i64,

        /// List so many at most.
        #[arg(long, value_name = "N", default_value_t = 100)]
        most: u32,

        #[command(flatten)]
        output: Output,
    },
    /// Have jobs tried again, as if they had never failed, once the cause is mended.
    Retry {
        /// The numbers of the jobs.
        #[arg(required_unless_present = "all")]
        ids: Vec<i64>,

        /// All that were given up.
        #[arg(long, conflicts_with = "ids")]
        all: bool,

        #[command(flatten)]
        data: DataFolder,

        #[command(flatten)]
        output: Output,
    },
}

/// How many are read at a time.
const PAGE: u32 = 500;

#[derive(Serialize)]
struct Listed {
    jobs: Vec<DeadLetter>,
}

#[derive(Serialize)]
struct Retried {
    retried: usize,
}

impl Jobs {
    pub(crate) async fn run(self) -> Result<()> {
        match self {
            Self::List {
                data,
                after,
                most,
                output,
            } => {
                let actors = Installation::find(&data)?.actors(Limits::default())?;
                let jobs = actors.dead_letters(after, most).await?;
                output.print(&Listed { jobs })
            }
            Self::Retry {
                ids,
                all,
                data,
                output,
            } => {
                let actors = Installation::find(&data)?.actors(Limits::default())?;
                let ids = if all { every(&actors).await? } else { ids };
                for id in &ids {
                    if !actors.requeue(*id).await? {
                        bail!("no job {id} was given up: `huddle jobs list` lists those that were");
                    }
                }
                output.print(&Retried { retried: ids.len() })
            }
        }
    }
}

async fn every(actors: &ActorStore) -> Result<Vec<i64>> {
    let mut ids = Vec::new();
    loop {
        let after = ids.last().copied().unwrap_or(0);
        let page = actors.dead_letters(after, PAGE).await?;
        if page.is_empty() {
            return Ok(ids);
        }
        ids.extend(page.iter().map(|job| job.id));
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} given up", self.jobs.len())?;
        for job in &self.jobs {
            let DeadLetter {
                id,
                actor,
                task,
                tries,
            } = job;
            write!(f, "\n{id}: {actor} wants {task}; failed {tries} times")?;
        }
        Ok(())
    }
}

impl fmt::Display for Retried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to be tried again within a second", self.retried)
    }
}
