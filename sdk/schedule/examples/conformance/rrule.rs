//! Recurrence rules: each case has `rrule`, `dtstart` and `instances`, all local times.

use chrono::NaiveDateTime;
use huddle_schedule::recurrence::Rule;
use serde_json::Value;
use std::path::Path;

/// What came of each case: its name, and what is wrong, if anything.
pub(crate) type Outcomes = Vec<(String, Result<(), String>)>;

/// Compares what each rule gives with what it has to give.
pub(crate) fn compare(file: &Path) -> Result<Outcomes, String> {
    let cases = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let cases: Vec<Value> = serde_json::from_str(&cases).map_err(|error| error.to_string())?;
    let name = |case: &Value| {
        format!(
            "{} {} from {}",
            case["comment"], case["rrule"], case["dtstart"]
        )
    };
    Ok(cases.iter().map(|case| (name(case), check(case))).collect())
}

fn check(case: &Value) -> Result<(), String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rule: Rule = text(&case["rrule"]).parse().map_err(|e| format!("{e}"))?;
    let start = time(&text(&case["dtstart"])).map_err(|e| format!("DTSTART: {e}"))?;
    let expected: Vec<String> = case["instances"]
        .as_array()
        .into_iter()
        .flatten()
        .map(text)
        .collect();
    // A rule without an end is compared as far as the case tells.
    let most = expected.len() + usize::from(rule.is_finite());
    let found: Result<Vec<String>, _> = rule
        .occurrences(start)
        .take(most)
        .map(|found| found.map(|time| time.format(FORMAT).to_string()))
        .collect();
    let found = found.map_err(|e| e.to_string())?;
    if found == expected {
        Ok(())
    } else {
        Err(format!("{found:?} instead of {expected:?}"))
    }
}

const FORMAT: &str = "%Y%m%dT%H%M%S";

fn time(text: &str) -> Result<NaiveDateTime, chrono::ParseError> {
    NaiveDateTime::parse_from_str(text, FORMAT)
}
