//! Writes a zone of the database as a `VTIMEZONE` (RFC 5545 §3.6.5), as far as an event needs it.

use super::component::{Component, Property};
use crate::{Interval, Zone};
use chrono::NaiveDateTime;
use huddle_ports::Timestamp;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// How long before and after the event the clock is described: whoever moves it by less finds it right.
const AROUND: Duration = DAY.saturating_mul(400);

/// The zone around an event: each change of the clock by itself, so that nothing is said but what the database says.
pub(super) fn component(zone: Zone, event: Interval) -> Component<'static> {
    let around = event.widened(AROUND, AROUND);
    let mut component = Component::new("VTIMEZONE");
    component
        .properties
        .push(Property::new("TZID", &[], zone.name()));
    let first = zone.offset_millis(around.start());
    let begin = zone.local(around.start());
    component
        .components
        .push(observance("STANDARD", begin, first, first));
    let mut before = first;
    for (change, after) in zone.changes(around) {
        let name = if after > before {
            "DAYLIGHT"
        } else {
            "STANDARD"
        };
        // By the clock before the change (RFC 5545 §3.6.5).
        let local = Zone::UTC.local(Timestamp::from_millis(change.as_millis() + before));
        component
            .components
            .push(observance(name, local, before, after));
        before = after;
    }
    component
}

fn observance(name: &'static str, local: NaiveDateTime, from: i64, to: i64) -> Component<'static> {
    let mut observance = Component::new(name);
    let start = local.format("%Y%m%dT%H%M%S").to_string();
    observance.properties = vec![
        Property::new("DTSTART", &[], &start),
        Property::new("TZOFFSETFROM", &[], &offset(from)),
        Property::new("TZOFFSETTO", &[], &offset(to)),
    ];
    observance
}

/// `+0100`, and `+005328` where there are seconds.
fn offset(millis: i64) -> String {
    let sign = if millis < 0 { '-' } else { '+' };
    let seconds = millis.unsigned_abs() / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match seconds {
        0 => format!("{sign}{hours:02}{minutes:02}"),
        _ => format!("{sign}{hours:02}{minutes:02}{seconds:02}"),
    }
}
