//! `huddle hosts`

use std::fmt;

use anyhow::{Result, bail};
use clap::Subcommand;
use huddle_core::host_match::{Shard, ShardRefused};
use huddle_core::transport::ask;
use huddle_core::{ActorName, Limits};
use huddle_syntax::Did;
use serde::Serialize;

use crate::config::DataFolder;
use crate::installation::Installation;
use crate::output::Output;

/// Hosts.
#[derive(Debug, Subcommand)]
pub(crate) enum Hosts {
    /// Keep a host's time by days from now on, each by an actor of its own: for hosts whom very many ask. It cannot be
    /// taken back, and must come before anybody has asked for the host's time.
    Shard {
        /// The host.
        did: Did,

        #[command(flatten)]
        data: DataFolder,

        #[command(flatten)]
        output: Output,
    },
}

#[derive(Serialize)]
struct Sharded {
    host: Did,
    kept_by_days: bool,
}

impl Hosts {
    pub(crate) async fn run(self) -> Result<()> {
        let Self::Shard { did, data, output } = self;
        let actors = Installation::find(&data)?.actors(Limits::default())?;
        match ask(&actors, &ActorName::host_match(&did), Shard {}).await? {
            Ok(()) => output.print(&Sharded {
                host: did,
                kept_by_days: true,
            }),
            Err(ShardRefused::InUse) => bail!(
                "the time of {did} is given away in part, or was asked for within the last 30 days, and no day knows of \
                 that: try again when neither is so"
            ),
        }
    }
}

impl fmt::Display for Sharded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the time of {} is kept by days from now on", self.host)
    }
}
