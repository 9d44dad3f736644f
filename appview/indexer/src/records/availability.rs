//! Availability that another scheduling app has published, read as office hours.
//!
//! Its record has a `title`, a `duration` in minutes, `timeSlots` of a `dayOfWeek` (a number from 0, Sunday, or a
//! name), `startTime`, `endTime` and `timezone`, and `bookingRules.autoAccept` of `all`, `follows` or `manual`. There
//! is no lexicon that it would have to keep to, so every record becomes office hours, and what of it cannot be read
//! offers nothing: a slot without a day, a time of another form, slots in another zone than the first. Who is not
//! said to be accepted by itself needs the host's approval. Buffers are for preferences, which are not public.

use huddle_lexicon::com::huddle::defs::{Mode, Policy, Weekday, WeeklyRule};
use huddle_lexicon::com::huddle::office_hours::OfficeHours;
use huddle_syntax::Datetime;
use huddle_syntax::data::{Map, Value};

/// Its collection.
pub(super) const COLLECTION: &str = "social.schedule.availability";

/// As many rules as office hours may have.
const MOST_RULES: usize = 50;
/// As many characters as a note may have.
const LONGEST_NOTE: usize = 280;

/// The office hours that a record of another scheduling app, `social.schedule.availability`, comes to.
pub fn office_hours(record: &Map) -> OfficeHours {
    let slots: Vec<&Map> = match record.get("timeSlots") {
        Some(Value::List(slots)) => slots.iter().filter_map(map).collect(),
        _ => Vec::new(),
    };
    let zones = slots.iter().filter_map(|slot| text(slot, "timezone"));
    let tz = zones
        .into_iter()
        .find(|zone| is_zone(zone))
        .unwrap_or("UTC");
    let here = slots
        .iter()
        .filter(|slot| text(slot, "timezone").is_none_or(|zone| zone == tz));
    let rules = here
        .filter_map(|slot| rule(slot))
        .take(MOST_RULES)
        .collect();
    let (policy, mode) = terms(record);
    let created = text(record, "createdAt").and_then(|at| at.parse().ok());
    let mut hours = OfficeHours::new(tz, rules, policy, created.unwrap_or_else(unknown));
    hours.mode = Some(mode);
    hours.durations = duration(record).map(|minutes| vec![minutes]);
    hours.note = note(record);
    hours
}

fn map(value: &Value) -> Option<&Map> {
    match value {
        Value::Map(map) => Some(map),
        _ => None,
    }
}

fn text<'r>(record: &'r Map, name: &str) -> Option<&'r str> {
    match record.get(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn is_zone(zone: &str) -> bool {
    (1..=64).contains(&zone.len())
}

/// When nobody has said when.
fn unknown() -> Datetime {
    Datetime::from_timestamp_millis(0).expect("1970 is a year of four digits")
}

/// Who is accepted by itself.
fn terms(record: &Map) -> (Policy, Mode) {
    let rules = record.get("bookingRules").and_then(map);
    match rules.and_then(|rules| text(rules, "autoAccept")) {
        Some("all") => (Policy::Anyone, Mode::Auto),
        Some("follows") => (Policy::Connected, Mode::Auto),
        _ => (Policy::Anyone, Mode::Approve),
    }
}

fn duration(record: &Map) -> Option<i64> {
    match record.get("duration") {
        Some(Value::Integer(minutes)) if (5..=240).contains(minutes) => Some(*minutes),
        _ => None,
    }
}

fn note(record: &Map) -> Option<String> {
    let title: String = text(record, "title")?.chars().take(LONGEST_NOTE).collect();
    (!title.is_empty()).then_some(title)
}

fn rule(slot: &Map) -> Option<WeeklyRule> {
    let day = match slot.get("dayOfWeek")? {
        Value::Integer(number) => numbered(*number)?,
        Value::String(name) => named(name)?,
        _ => return None,
    };
    let (start, end) = (time(slot, "startTime")?, time(slot, "endTime")?);
    Some(WeeklyRule::new(vec![day], start, end))
}

fn numbered(day: i64) -> Option<Weekday> {
    let days = [
        Weekday::Su,
        Weekday::Mo,
        Weekday::Tu,
        Weekday::We,
        Weekday::Th,
        Weekday::Fr,
        Weekday::Sa,
        Weekday::Su,
    ];
    days.get(usize::try_from(day).ok()?).copied()
}

fn named(day: &str) -> Option<Weekday> {
    let start: String = day.chars().take(2).collect::<String>().to_uppercase();
    start.parse().ok()
}

/// A time of the form HH:MM, whose seconds do not count.
fn time(slot: &Map, name: &str) -> Option<String> {
    let time = text(slot, name)?;
    let (hours, rest) = time.split_once(':')?;
    let minutes = rest.split(':').next()?;
    let is_number = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    (is_number(hours) && is_number(minutes)).then(|| format!("{hours}:{minutes}"))
}
