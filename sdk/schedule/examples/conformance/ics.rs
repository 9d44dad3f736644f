//! Calendars: the occurrences of all their events in a window, beside those that another engine found.
//!
//! A difference counts as passed where `tests/vectors/icalendar/verdicts.txt` has just that difference, and the
//! reason for it.

use huddle_ports::Timestamp;
use huddle_schedule::icalendar::{Agenda, Kind, Limits, Occurrence, decode, parse};
use huddle_schedule::{Interval, Zone};
use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

const VERDICTS: &str = include_str!("../../tests/vectors/icalendar/verdicts.txt");

/// What came of each file: its name, and how it differs, if it does without a verdict.
pub(crate) type Outcomes = Vec<(String, Result<(), String>)>;

/// Compares all files of a folder with a list of occurrences in each.
pub(crate) fn compare(folder: &Path, occurrences: &Path) -> Result<Outcomes, String> {
    outcomes(folder, occurrences).map_err(|error| error.to_string())
}

fn outcomes(folder: &Path, occurrences: &Path) -> Result<Outcomes, Box<dyn Error>> {
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(occurrences)?)?;
    let verdicts = verdicts()?;
    cases
        .iter()
        .map(|case| {
            let file = text(&case["file"]);
            let found = found(&folder.join(file), &case["window"])?;
            let mut differences = differences(expected(case), found);
            differences.sort();
            let verdict = verdicts.get(file).cloned().unwrap_or_default();
            let result = if differences == verdict {
                Ok(())
            } else {
                Err(differences.join("\n    "))
            };
            Ok((file.to_owned(), result))
        })
        .collect()
}

/// The lines of each file that begin with `+` (only we find it) and `-` (only the other engine does).
fn verdicts() -> Result<BTreeMap<&'static str, Vec<String>>, Box<dyn Error>> {
    let mut verdicts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for block in VERDICTS
        .split("\n\n")
        .filter(|block| !block.trim_start().starts_with('#'))
    {
        let mut lines = block.lines().filter(|line| !line.is_empty());
        let Some(file) = lines.next() else { continue };
        let (differences, reasons): (Vec<&str>, Vec<&str>) =
            lines.partition(|line| line.starts_with(['+', '-']));
        if reasons.is_empty() {
            return Err(format!("no reason is given for {file}").into());
        }
        let mut differences: Vec<String> = differences.into_iter().map(str::to_owned).collect();
        differences.sort();
        verdicts.insert(file, differences);
    }
    Ok(verdicts)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn expected(case: &Value) -> Vec<String> {
    let occurrences = case["occurrences"].as_array().into_iter().flatten();
    occurrences
        .map(|at| {
            let fields = ["start", "end", "uid", "status", "transp"].map(|key| text(&at[key]));
            line(&fields)
        })
        .collect()
}

fn line(fields: &[&str]) -> String {
    fields.join(" ").trim_end().to_owned()
}

/// What we find. Files have no owner, so that floating times are compared as they stand.
fn found(file: &Path, window: &Value) -> Result<Vec<String>, Box<dyn Error>> {
    let moment = |value: &Value| {
        let time: chrono::NaiveDateTime = text(value).parse()?;
        Ok::<_, Box<dyn Error>>(Timestamp::from_millis(time.and_utc().timestamp_millis()))
    };
    let window =
        Interval::new(moment(&window[0])?, moment(&window[1])?).ok_or("an empty window")?;
    let bytes = std::fs::read(file)?;
    let limits = Limits::default();
    let decoded = decode(&bytes);
    let components = match parse(&decoded, &limits) {
        Ok(components) => components,
        Err(error) => return Ok(vec![error.to_string()]),
    };
    let expansion = Agenda::of(&components, limits).expand(window, Zone::UTC);
    Ok(expansion.occurrences.iter().map(describe).collect())
}

fn describe(at: &Occurrence<'_>) -> String {
    let utc = |moment: Timestamp| Zone::UTC.local(moment).format("%FT%TZ").to_string();
    let (start, end) = match at.kind {
        Kind::AllDay { first, end } => (first.to_string(), end.to_string()),
        Kind::Floating { start, end } => (
            start.format("%FT%T").to_string(),
            end.format("%FT%T").to_string(),
        ),
        Kind::Zoned => (utc(at.start), utc(at.end)),
    };
    let property = |name| {
        at.component
            .property(name)
            .map_or("", |property| property.value())
    };
    line(&[
        &start,
        &end,
        property("UID"),
        property("STATUS"),
        property("TRANSP"),
    ])
}

/// What only one of two lists has, repetitions counted.
fn differences(expected: Vec<String>, found: Vec<String>) -> Vec<String> {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for line in found {
        *counts.entry(line).or_default() += 1;
    }
    for line in expected {
        *counts.entry(line).or_default() -= 1;
    }
    let sides = counts.into_iter().flat_map(|(line, count)| {
        let side = if count > 0 { '+' } else { '-' };
        let times = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        std::iter::repeat_n(format!("{side} {line}"), times)
    });
    sides.collect()
}
