//! `huddle import`: office hours out of what another application has published.
//!
//! Records are their owner's to write, so what comes out is text for whoever writes them.

use std::fs::File;
use std::io::{Read as _, stdin};
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use huddle_appview_indexer::office_hours;
use huddle_lexicon::com::huddle::defs::Preferences;
use huddle_lexicon::com::huddle::office_hours::OfficeHours;
use huddle_lexicon::schema::Data as _;
use huddle_native::SystemClock;
use huddle_ports::Clock as _;
use huddle_syntax::Datetime;
use huddle_syntax::data::{self, Map, Value};
use serde_json::json;

use crate::output::line;

/// Turn availability that another application has published into a record of office hours.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// File with a `social.schedule.availability` record, in JSON; `-` is the standard input.
    record: PathBuf,
}

pub(crate) const HELP: &str = "\
It reads a record of the collection social.schedule.availability, as com.atproto.repo.getRecord answers it, and prints
what says the same here: a com.huddle.officeHours record, to be written to the same repository, and preferences for
com.huddle.putPreferences. `left_out` counts the time slots of which it could make nothing.

Example:
  huddle import availability.json > office-hours.json";

/// The most bytes of a record.
const MAX_BYTES: u64 = 64 << 10;

impl Options {
    pub(crate) fn run(self) -> Result<()> {
        let mut text = String::new();
        let read = if self.record.as_os_str() == "-" {
            stdin().take(MAX_BYTES).read_to_string(&mut text)
        } else {
            File::open(&self.record).and_then(|it| it.take(MAX_BYTES).read_to_string(&mut text))
        };
        read.with_context(|| format!("cannot read {}", self.record.display()))?;
        let now = Datetime::from_timestamp_millis(SystemClock.now().as_millis())?;
        let imported = import(&text, now)
            .with_context(|| format!("{} cannot be imported", self.record.display()))?;
        line(serde_json::to_string_pretty(&imported)?)
    }
}

fn import(text: &str, now: Datetime) -> Result<serde_json::Value> {
    let record: Map = data::from_json(text.as_bytes())?;
    // An answer of getRecord has the record in it.
    let record = match record.get("value") {
        Some(Value::Map(value)) => value,
        _ => &record,
    };
    let hours = OfficeHours {
        created_at: now,
        ..office_hours(record)
    };
    ensure!(
        !hours.rules.is_empty(),
        "it has no time slots with a dayOfWeek, a startTime and an endTime"
    );
    let slots = match record.get("timeSlots") {
        Some(Value::List(slots)) => slots.len(),
        _ => 0,
    };
    let minutes = |name: &str| match record.get(name) {
        Some(Value::Integer(minutes)) => Some(*minutes),
        _ => None,
    };
    let preferences = Preferences {
        buffer_before_minutes: minutes("bufferBefore"),
        buffer_after_minutes: minutes("bufferAfter"),
        ..Preferences::default()
    };
    Ok(json!({
        "officeHours": written(&hours.to_json()?)?,
        "preferences": written(&preferences.to_json()?)?,
        "left_out": slots - hours.rules.len(),
    }))
}

fn written(json: &[u8]) -> Result<serde_json::Value> {
    Ok(serde_json::from_slice(json)?)
}
