//! The one place where what calendars hold is read and written: everything else here only carries it.

use std::borrow::Cow;

use chrono::DateTime;
use huddle_ports::Timestamp;
use huddle_schedule::busy::Status;
use huddle_schedule::icalendar::{
    Agenda, Component, Limits, Owner, ReadError, decode, parse, plain,
};
use huddle_schedule::{Interval, IntervalSet, Zone};

use crate::calendar::BusyQuery;
use crate::error::CalendarError;
use crate::event::{BookingEvent, EventKey, EventState};
use crate::http::MAX_ANSWER_BYTES;

/// How many problems of one calendar are told.
const MAX_PROBLEMS: usize = 20;

/// When somebody is busy, as far as a calendar says so.
#[derive(Debug)]
pub(crate) struct Busy {
    /// The time that is taken.
    pub(crate) intervals: IntervalSet,
    /// What its owner should look at.
    pub(crate) problems: Vec<String>,
}

/// What all parts of one calendar say of the window. They share the limits of one.
///
/// Each must be a calendar: text of any other kind has no events, and that is not the same as free time.
pub(crate) fn busy<'t>(
    parts: impl IntoIterator<Item = &'t [u8]>,
    query: &BusyQuery<'_>,
) -> Result<Busy, CalendarError> {
    let texts: Vec<Cow<'_, str>> = parts.into_iter().map(decode).collect();
    let mut components = Vec::new();
    for text in &texts {
        components.extend(calendar(text, &query.limits)?);
    }
    let inside = components.iter().flat_map(|calendar| &calendar.components);
    if inside.filter(|component| component.is("VEVENT")).count() > query.limits.events {
        return Err(CalendarError::TooLarge);
    }
    Ok(read(&components, query))
}

/// What the answer to a free-busy query says of the window.
pub(crate) fn free_busy(bytes: &[u8], query: &BusyQuery<'_>) -> Result<Busy, CalendarError> {
    let text = decode(bytes);
    let components = calendar(&text, &query.limits)?;
    let mut inside = components.iter().flat_map(|calendar| &calendar.components);
    if !inside.any(|component| component.is("VFREEBUSY")) {
        let missing = "its answer has no free-busy time";
        return Err(CalendarError::Broken(missing.into()));
    }
    Ok(read(&components, query))
}

fn read(components: &[Component<'_>], query: &BusyQuery<'_>) -> Busy {
    let owner = Owner {
        zone: query.zone,
        addresses: query.addresses,
    };
    let agenda = Agenda::of(components, query.limits);
    let busy = agenda.busy(query.window, owner, &query.rules, query.ignoring);
    let problems = busy.problems.iter().take(MAX_PROBLEMS);
    Busy {
        problems: problems.map(ToString::to_string).collect(),
        intervals: busy.intervals,
    }
}

/// The calendars in a text that has nothing else.
fn calendar<'t>(text: &'t str, limits: &Limits) -> Result<Vec<Component<'t>>, CalendarError> {
    const BEGIN: &str = "BEGIN:VCALENDAR";
    let begins = text
        .trim_start()
        .get(..BEGIN.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(BEGIN));
    if !begins {
        return Err(CalendarError::NotACalendar);
    }
    let components = parse(text, limits).map_err(|error| match error {
        ReadError::NoComponent => CalendarError::NotACalendar,
        ReadError::CutOff { .. } => CalendarError::Broken("its calendar is cut off".into()),
        _ => CalendarError::TooLarge,
    })?;
    if !components.iter().all(|component| component.is("VCALENDAR")) {
        return Err(CalendarError::NotACalendar);
    }
    Ok(components)
}

/// How much of a calendar is read, unless a query says otherwise.
pub(crate) fn limits() -> Limits {
    Limits {
        bytes: MAX_ANSWER_BYTES,
        ..Limits::default()
    }
}

/// The zone that a calendar describes, by its name in the database.
pub(crate) fn zone(text: &str) -> Option<Zone> {
    let components = calendar(text, &limits()).ok()?;
    let zones = components.iter().flat_map(|calendar| &calendar.components);
    let named = zones
        .filter(|c| c.is("VTIMEZONE"))
        .find_map(|c| c.property("TZID"));
    named?.value().trim().parse().ok()
}

/// The event of ours in a resource.
pub(crate) fn state(bytes: &[u8], uid: &str, etag: String) -> Result<EventState, CalendarError> {
    let text = decode(bytes);
    let components = calendar(&text, &limits())?;
    let event = components
        .iter()
        .flat_map(|calendar| &calendar.components)
        .filter(|component| component.is("VEVENT"))
        .find(|event| value(event, "UID").is_some_and(|value| value == uid))
        // Somebody has put another event in its place.
        .ok_or(CalendarError::Conflict)?;
    let status = value(event, "STATUS").unwrap_or_default();
    let status = match status.to_ascii_uppercase().as_str() {
        "TENTATIVE" => Status::Tentative,
        "CANCELLED" => Status::Cancelled,
        _ => Status::Confirmed,
    };
    let expansion = Agenda::of(&components, limits()).expand(any_time(), Zone::UTC);
    let time = match expansion.occurrences.as_slice() {
        [once] if expansion.problems.is_empty() => Interval::new(once.start, once.end),
        _ => None,
    };
    let sequence = value(event, "SEQUENCE").and_then(|number| number.parse().ok());
    Ok(EventState {
        etag,
        time,
        status,
        sequence: sequence.unwrap_or_default(),
    })
}

fn value(event: &Component<'_>, name: &str) -> Option<String> {
    let property = event.property(name)?;
    Some(property.text().trim().to_owned())
}

/// All the time that iCalendar can tell: the years 1 to 9999.
fn any_time() -> Interval {
    let first = Timestamp::from_millis(-62_135_596_800_000);
    let last = Timestamp::from_millis(253_402_300_799_000);
    Interval::new(first, last).expect("the first year is before the last")
}

/// A moment in UTC and whole seconds (RFC 5545 §3.3.5), or the nearest that can be told.
pub(crate) fn utc(moment: Timestamp) -> String {
    let moment = moment.clamp(any_time().start(), any_time().end());
    DateTime::from_timestamp_millis(moment.as_millis())
        .expect("the years of iCalendar are among those of chrono")
        .format("%Y%m%dT%H%M%SZ")
        .to_string()
}

/// The text of a resource with an event of ours. It has no METHOD (RFC 4791 §4.1).
pub(crate) fn write(
    key: &EventKey,
    event: &BookingEvent<'_>,
    now: Timestamp,
) -> Result<String, CalendarError> {
    let status = match event.status {
        Status::Tentative => "TENTATIVE",
        Status::Confirmed => "CONFIRMED",
        Status::Cancelled => "CANCELLED",
    };
    let mut text = format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Huddle//Huddle//EN\nBEGIN:VEVENT\nUID:{}\n\
         SEQUENCE:{}\nDTSTAMP:{}\nDTSTART:{}\nDTEND:{}\nSTATUS:{status}\nTRANSP:OPAQUE\nSUMMARY:{}\n",
        escape(key.uid()),
        event.sequence,
        utc(now),
        utc(event.time.start()),
        utc(event.time.end()),
        escape(event.summary),
    );
    for (name, value) in [
        ("DESCRIPTION", event.description),
        ("LOCATION", event.location),
    ] {
        if let Some(value) = value {
            text.extend([name, ":", &escape(value), "\n"]);
        }
    }
    text.push_str("END:VEVENT\nEND:VCALENDAR\n");
    // Printed, its lines are folded.
    let components = parse(&text, &limits()).map_err(|_| CalendarError::TooLarge)?;
    Ok(components.iter().map(ToString::to_string).collect())
}

/// A value of type TEXT (RFC 5545 §3.3.11).
fn escape(text: &str) -> String {
    plain(text)
        .replace('\\', "\\\\")
        .replace(';', "\\;")
        .replace(',', "\\,")
        .replace('\n', "\\n")
}
