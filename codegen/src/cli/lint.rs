//! `lint`

use super::{EXTERNAL_HELP, ExternalFlag, Failure, Format, Report, count, externals, project_here};
use clap::Args;
use huddle_codegen::diagnostic::{Rule, Severity};
use huddle_codegen::lint::lint;
use huddle_codegen::load;
use huddle_codegen::project::ProjectError;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(super) struct Request {
    /// A folder of lexicons, or one file (then references are not followed). Default: the project's.
    path: Option<PathBuf>,
    #[arg(long = "external", value_name = "NSID=PATH", help = EXTERNAL_HELP)]
    externals: Vec<ExternalFlag>,
    /// A rule to leave out, e.g. unlimited-string; may be repeated.
    #[arg(long, short = 'I', value_name = "RULE", value_parser = parse_rule)]
    ignore: Vec<Rule>,
    /// Fail for warnings too.
    #[arg(long)]
    deny_warnings: bool,
    /// How to print what was found. As JSON it is one object: `problems` (file, path, rule, severity,
    /// message).
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn parse_rule(name: &str) -> Result<Rule, String> {
    Rule::from_name(name).ok_or_else(|| {
        let known: Vec<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        format!("there is no such rule; there are {}", known.join(", "))
    })
}

impl Request {
    pub(super) fn run(self) -> Result<Report, Failure> {
        let project = project_here()?;
        let externals = match (self.externals.as_slice(), &project) {
            ([], Some(project)) => project.externals.clone(),
            (flags, _) => externals(flags),
        };
        let path = self.path.or(project.map(|project| project.lexicons));
        let path = path.ok_or(Failure::NoProject("a folder of lexicons"))?;
        let loaded = load::read(&path)?;
        if loaded.catalog.is_empty() && loaded.problems.is_empty() {
            return Err(ProjectError::NoLexicons(path).into());
        }
        let mut found = lint(&loaded, &externals);
        // What a single file refers to is not at hand.
        let mut ignored = self.ignore;
        if path.is_file() {
            ignored.push(Rule::UnresolvedRef);
        }
        found.retain(|diagnostic| !ignored.contains(&diagnostic.rule));
        let errors = found
            .iter()
            .filter(|d| d.rule.severity() == Severity::Error)
            .count();
        let warnings = found.len() - errors;
        Ok(Report {
            fine: errors == 0 && (warnings == 0 || !self.deny_warnings),
            result: self.format.print(&found, [], &()),
            summary: format!(
                "{}: {}, {}\n",
                count(loaded.catalog.len(), "lexicon"),
                count(errors, "error"),
                count(warnings, "warning")
            ),
        })
    }
}
