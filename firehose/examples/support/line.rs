//! Verdicts as lines of JSON, as `verdicts` prints them.

use serde_json::json;

use super::verdict::Verdict;

/// The line of a frame, of which `i` have come before.
pub(crate) fn line(i: usize, verdict: &Verdict) -> String {
    json!({"i": i, "verdict": verdict.verdict, "reason": verdict.reason}).to_string()
}
