//! `diff`

use super::{Failure, Format, Report, count, lexicon_problems, nothing_done};
use clap::Args;
use huddle_codegen::diff::{Impact, diff};
use huddle_codegen::load;
use huddle_codegen::project::ProjectError;
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
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Request {
    pub(super) fn run(self) -> Result<Report, Failure> {
        let load = |path: &Path| lexicon_problems(load::load(path).map_err(ProjectError::from));
        let (old, new) = match (load(&self.old)?, load(&self.new)?) {
            (Ok(old), Ok(new)) => (old, new),
            (old, new) => {
                let problems = [old.err(), new.err()].into_iter().flatten().flatten();
                return Ok(nothing_done(
                    "compared",
                    &problems.collect::<Vec<_>>(),
                    self.format,
                ));
            }
        };
        let findings = diff(&old, &new);
        let breaking = findings
            .iter()
            .filter(|finding| finding.impact == Impact::Breaking)
            .count();
        let notes = findings.len() - breaking;
        Ok(Report {
            fine: breaking == 0 && (notes == 0 || !self.deny_notes),
            result: self
                .format
                .print(findings.iter().map(ToString::to_string), &findings),
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
