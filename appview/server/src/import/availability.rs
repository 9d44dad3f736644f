//! Office hours out of what another application has published.

use anyhow::{Result, ensure};
use huddle_appview_indexer::office_hours;
use huddle_lexicon::com::huddle::defs::Preferences;
use huddle_lexicon::com::huddle::office_hours::OfficeHours;
use huddle_lexicon::schema::Data as _;
use huddle_native::SystemClock;
use huddle_ports::Clock as _;
use huddle_syntax::Datetime;
use huddle_syntax::data::{self, Map, Value};
use serde_json::json;

/// The most bytes of a record.
const MAX_BYTES: usize = 64 << 10;

/// What says here what a `social.schedule.availability` record says.
pub(super) fn import(text: &str) -> Result<serde_json::Value> {
    ensure!(
        text.len() <= MAX_BYTES,
        "it is no archive, and longer than any record"
    );
    let record: Map = data::from_json(text.as_bytes())?;
    // An answer of getRecord has the record in it.
    let record = match record.get("value") {
        Some(Value::Map(value)) => value,
        _ => &record,
    };
    let hours = OfficeHours {
        created_at: Datetime::from_timestamp_millis(SystemClock.now().as_millis())?,
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
