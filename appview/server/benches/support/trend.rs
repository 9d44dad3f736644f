//! Whether what was sampled stays as it was, and under the load that it was to be under.

use std::fmt::Write as _;

use crate::plot::{Sample, curves};

/// A shorter run tells how a server warms up, and nothing else.
const SHORTEST_SECS: u64 = 60;

/// So much more may there be at the end of the second half than at its beginning: a share of what there is on the average,
/// and in any case so much.
struct Bound {
    share: f64,
    least: f64,
}

/// Of memory in MiB, open files, and the age of the oldest task in milliseconds.
const BOUNDS: [Bound; 3] = [
    Bound {
        share: 0.05,
        least: 4.0,
    },
    Bound {
        share: 0.05,
        least: 8.0,
    },
    Bound {
        share: 0.0,
        least: 1000.0,
    },
];

/// At least this part of the meetings that were due is to come about: the others came to nothing, or are late.
const LEAST_DONE: f64 = 0.95;

/// How many meetings were due in a run at the rate that was to be kept, and what came of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meetings {
    pub(crate) due: f64,
    pub(crate) done: u64,
    pub(crate) refused: u64,
}

/// A line for each of what is to stay as it is, and for the load; and whether all is well.
pub(crate) struct Verdict {
    pub(crate) lines: String,
    pub(crate) is_good: bool,
}

/// What became of it over the second half; `None` of a run that is too short to tell.
pub(crate) fn verdict(samples: &[Sample], meetings: Meetings) -> Option<Verdict> {
    let second_half = samples.get(samples.len() / 2..)?;
    if samples.last()?.second < SHORTEST_SECS {
        return None;
    }
    let mut verdict = Verdict {
        lines: String::new(),
        is_good: true,
    };
    for ((name, value), bound) in curves().into_iter().zip(BOUNDS) {
        let values: Vec<f64> = second_half.iter().map(value).collect();
        let (mean, growth) = (mean(&values), growth(&values));
        let allowed = bound.least.max(bound.share * mean);
        let is_flat = growth <= allowed;
        let word = if is_flat { "flat" } else { "not flat" };
        writeln!(
            verdict.lines,
            "{name:16} {mean:9.1} on the average, {growth:+9.1} over the second half, {allowed:.1} allowed: {word}"
        )
        .expect("a text takes what is written");
        verdict.is_good &= is_flat;
    }
    verdict.judge(meetings);
    Some(verdict)
}

impl Verdict {
    /// Where little comes about, it is no wonder that nothing grows.
    #[expect(clippy::cast_precision_loss, reason = "there are not that many")]
    fn judge(&mut self, meetings: Meetings) {
        let Meetings { due, done, refused } = meetings;
        let came_about = done as f64 / due;
        let is_loaded = LEAST_DONE <= came_about;
        let word = if is_loaded { "enough" } else { "too few" };
        writeln!(
            self.lines,
            "meetings         {:9.1} % of those due came about, and {refused} came to nothing: {word}",
            came_about * 100.0
        )
        .expect("a text takes what is written");
        self.is_good &= is_loaded;
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are not that many")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// How much higher the line of least squares through these is at its end than at its beginning.
#[expect(clippy::cast_precision_loss, reason = "there are not that many")]
fn growth(values: &[f64]) -> f64 {
    let last = values.len().saturating_sub(1) as f64;
    let (middle, mean) = (last / 2.0, mean(values));
    let (mut rise, mut run) = (0.0, 0.0);
    for (position, value) in values.iter().enumerate() {
        let across = position as f64 - middle;
        rise += across * (value - mean);
        run += across * across;
    }
    if run == 0.0 { 0.0 } else { rise / run * last }
}
