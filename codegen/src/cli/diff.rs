//! `diff`

use super::{Failure, Format, Report, count, lexicon_problems, nothing_done};
use clap::Args;
use huddle_codegen::diff::{Finding, Impact, diff};
use huddle_codegen::project::load_some;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Args, Debug)]
pub(super) struct Request {
    /// The old version: a folder of lexicons, or one file.
    old: PathBuf,
    /// The new version: a folder of lexicons, or one file.
    new: PathBuf,
    /// Fail for notes too.
    #[arg(long)]
    deny_notes: bool,
    /// How to print what was found. As JSON it is one object: `problems` of lexicons that cannot be
    /// compared (see `lint`), and `findings` (file, path, rule, direction, side, impact, old, new).
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What JSON has beside the problems of the lexicons.
#[derive(Default, Serialize)]
struct Findings {
    findings: Vec<Finding>,
}

impl Request {
    pub(super) fn run(self) -> Result<Report, Failure> {
        let load = |path: &Path| lexicon_problems(load_some(path));
        let (old, new) = match (load(&self.old)?, load(&self.new)?) {
            (Ok(old), Ok(new)) => (old, new),
            (old, new) => {
                let problems = [old.err(), new.err()].into_iter().flatten().flatten();
                let problems: Vec<_> = problems.collect();
                let result = self.format.print(&problems, [], &Findings::default());
                return Ok(nothing_done("compared", &problems, result));
            }
        };
        let findings = diff(&old, &new);
        let breaking = findings
            .iter()
            .filter(|finding| finding.impact == Impact::Breaking)
            .count();
        let notes = findings.len() - breaking;
        let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
        Ok(Report {
            fine: breaking == 0 && (notes == 0 || !self.deny_notes),
            result: self.format.print(&[], lines, &Findings { findings }),
            summary: format!(
                "{} before, {} now: {}, {}\n",
                count(old.len(), "lexicon"),
                new.len(),
                count(breaking, "breaking change"),
                count(notes, "note")
            ),
        })
    }
}
