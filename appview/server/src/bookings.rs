//! `huddle bookings`

use std::fmt;

use anyhow::{Result, bail};
use clap::Subcommand;
use huddle_core::booking::{Booking, BookingId, Read};
use huddle_core::transport::ask;
use huddle_core::{ActorName, Interval, Limits};
use huddle_ports::Timestamp;
use serde::Serialize;

use crate::config::DataFolder;
use crate::installation::Installation;
use crate::output::Output;

/// Bookings.
#[derive(Debug, Subcommand)]
pub(crate) enum Bookings {
    /// Show all that is known of a booking: who asked whom, where it stands, and what happened to it.
    Show {
        /// The booking's id, which is the UID of its invitation.
        id: BookingId,

        #[command(flatten)]
        data: DataFolder,

        #[command(flatten)]
        output: Output,
    },
}

#[derive(Serialize)]
#[serde(transparent)]
struct Shown(Booking);

impl Bookings {
    pub(crate) async fn run(self) -> Result<()> {
        let Self::Show { id, data, output } = self;
        let actors = Installation::find(&data)?.actors(Limits::default())?;
        let booking = ask(&actors, &ActorName::booking(&id), Read { by: None }).await?;
        let Ok(booking) = booking else {
            bail!("there is no booking {id}");
        };
        output.print(&Shown(*booking))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(booking) = self;
        let asked = &booking.asked;
        writeln!(f, "{}: {}", booking.id, booking.phase.word())?;
        writeln!(f, "host {}, guest {}", asked.host, asked.guest)?;
        if let Some(place) = booking.phase.place() {
            writeln!(f, "{}", span(place.slot))?;
        }
        if let Some(why) = booking.unmatched {
            writeln!(f, "the last search came to nothing: {why:?}")?;
        }
        write!(
            f,
            "revision {}, attempt {}, asked for at {}",
            booking.revision,
            booking.attempt,
            moment(booking.created_at)
        )?;
        for event in &booking.history {
            write!(
                f,
                "\n  {} {:?} by {:?}",
                moment(event.at),
                event.kind,
                event.by
            )?;
            if let Some(slot) = event.slot {
                write!(f, ", {}", span(slot))?;
            }
        }
        Ok(())
    }
}

fn span(slot: Interval) -> String {
    format!("{} to {}", moment(slot.start()), moment(slot.end()))
}

fn moment(at: Timestamp) -> String {
    match huddle_syntax::Datetime::from_timestamp_millis(at.as_millis()) {
        Ok(at) => at.as_str().to_owned(),
        // Far from any year that a calendar has.
        Err(_) => at.as_millis().to_string(),
    }
}
