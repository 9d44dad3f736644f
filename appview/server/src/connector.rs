//! `huddle connector`

use std::fmt;

use anyhow::{Result, bail};
use clap::Subcommand;
use data_encoding::HEXLOWER;
use huddle_core::idempotency::Key;
use huddle_core::transport::ask;
use huddle_core::user_connector::connector::{
    Connector, ConnectorId, Disconnect, GetCalendars, Health,
};
use huddle_core::{ActorName, Limits};
use huddle_native::OsRandom;
use huddle_ports::Random as _;
use huddle_syntax::Did;
use serde::Serialize;

use crate::config::DataFolder;
use crate::installation::Installation;
use crate::output::Output;

/// Calendars that people have connected.
#[derive(Debug, Subcommand)]
pub(crate) enum Connectors {
    /// List the calendars of a person: where they are, and how the connections stand. Nothing that is secret is shown.
    List {
        /// The person.
        did: Did,

        #[command(flatten)]
        data: DataFolder,

        #[command(flatten)]
        output: Output,
    },
    /// Forget a calendar, with its credentials and what was read from it, as its person could themselves.
    Remove {
        /// The person.
        did: Did,

        /// The calendar's id, from the list.
        id: String,

        #[command(flatten)]
        data: DataFolder,

        #[command(flatten)]
        output: Output,
    },
}

#[derive(Serialize)]
struct Listed {
    calendars: Vec<Calendar>,
}

#[derive(Serialize)]
struct Calendar {
    id: String,
    provider: &'static str,
    access: &'static str,
    health: Health,
    sealed_with: String,
}

#[derive(Serialize)]
struct Removed {
    removed: String,
}

impl Connectors {
    pub(crate) async fn run(self) -> Result<()> {
        match self {
            Self::List { did, data, output } => {
                let actors = Installation::find(&data)?.actors(Limits::default())?;
                let known = GetCalendars { event_of: None };
                let known = ask(&actors, &ActorName::user_connector(&did), known).await?;
                let calendars = known.connectors.into_iter().map(Calendar::from);
                output.print(&Listed {
                    calendars: calendars.collect(),
                })
            }
            Self::Remove {
                did,
                id,
                data,
                output,
            } => {
                let actors = Installation::find(&data)?.actors(Limits::default())?;
                let disconnect = Disconnect {
                    key: fresh_key(&did),
                    id: ConnectorId::from(id.clone()),
                };
                match ask(&actors, &ActorName::user_connector(&did), disconnect).await? {
                    Ok(()) => output.print(&Removed { removed: id }),
                    Err(_) => {
                        bail!("{did} has no calendar {id}: `huddle connector list` lists them")
                    }
                }
            }
        }
    }
}

/// A request that was never sent before.
fn fresh_key(person: &Did) -> Key {
    let mut bytes = [0; 16];
    OsRandom.fill(&mut bytes);
    Key {
        caller: person.clone(),
        method: "com.huddle.deleteConnector".to_owned(),
        key: HEXLOWER.encode(&bytes),
        body_hash: String::new(),
    }
}

impl From<Connector> for Calendar {
    fn from(connector: Connector) -> Self {
        Self {
            id: connector.id.to_string(),
            provider: connector.provider.as_str(),
            access: connector.access.as_str(),
            health: connector.health,
            sealed_with: connector.credentials.key_id().to_owned(),
        }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} calendars", self.calendars.len())?;
        for calendar in &self.calendars {
            let Calendar {
                id,
                provider,
                access,
                health,
                sealed_with,
            } = calendar;
            write!(
                f,
                "\n{id}: {provider}, {access}, {health:?}, sealed with key {sealed_with}"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is forgotten", self.removed)
    }
}
