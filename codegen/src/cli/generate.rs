//! `generate` and `check`.

use super::{
    EXTERNAL_HELP, ExternalFlag, Failure, Format, Report, count, externals, lexicon_problems,
    nothing_done, project_here,
};
use clap::Args;
use huddle_codegen::emit::{Options, Output};
use huddle_codegen::model::NsidPattern;
use huddle_codegen::output::Comparison;
use huddle_codegen::project::{Project, Target};
use std::fmt::Write as _;
use std::path::PathBuf;

pub(super) const EXAMPLES: &str = "\
Examples:
  huddle-codegen generate
      what the nearest Cargo.toml says
  huddle-codegen generate --lexicons lexicons --out src/lexicon
      a tree of modules; name the folder's mod.rs with `mod lexicon;`
  huddle-codegen generate --lexicons lexicons --out example-lexicon --crate-name example-lexicon
      a crate of its own
  huddle-codegen generate --lexicons lexicons --out src/lexicon --nsid 'com.example.*' \\
      --external 'com.atproto.*=huddle_lexicon'
      only com.example, which finds com.atproto in another crate";

#[derive(Args, Debug)]
pub(super) struct Selection {
    /// The folder of lexicons. Default: the project's.
    #[arg(long, value_name = "DIR")]
    lexicons: Option<PathBuf>,
    /// Where the types go; without this, everything is as the nearest Cargo.toml says.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Make the output folder a crate of this name; without this it is a module.
    #[arg(long, value_name = "NAME", requires = "out")]
    crate_name: Option<String>,
    /// Where traits to handle the methods go, if they are wanted.
    #[arg(long, value_name = "DIR", requires = "out")]
    handlers: Option<PathBuf>,
    /// The Rust path by which handlers name the types. Default: the name of the crate, with `_` for `-`.
    #[arg(long, value_name = "PATH", requires = "handlers")]
    types: Option<String>,
    #[arg(long = "external", value_name = "NSID=PATH", requires = "out", help = EXTERNAL_HELP)]
    externals: Vec<ExternalFlag>,
    /// The Rust path of the runtime that generated types stand on, for those who have it from another
    /// crate. Default: `huddle_syntax`.
    #[arg(long, value_name = "PATH", requires = "out")]
    runtime: Option<String>,
    /// Generate this lexicon (com.example.thing) or these (com.example.*), and what they refer to; may be
    /// repeated. Default: all.
    #[arg(long = "nsid", value_name = "NSID", requires = "out")]
    nsids: Vec<NsidPattern>,
}

impl Selection {
    /// What the flags say, or the project of the folder.
    pub(super) fn project(self) -> Result<Project, Failure> {
        let Some(out) = self.out else {
            let mut project = project_here()?.ok_or(Failure::NoProject("--lexicons and --out"))?;
            project.lexicons = self.lexicons.unwrap_or(project.lexicons);
            return Ok(project);
        };
        let lexicons = match self.lexicons {
            Some(lexicons) => lexicons,
            None => {
                project_here()?
                    .ok_or(Failure::NoProject("--lexicons"))?
                    .lexicons
            }
        };
        let externals = externals(&self.externals);
        let options = |output| Options {
            output,
            selection: self.nsids.clone(),
            externals: externals.clone(),
            runtime: self.runtime.clone(),
        };
        let output = match self.crate_name.clone() {
            Some(name) => Output::Crate { name },
            None => Output::Module,
        };
        let mut targets = vec![Target {
            folder: out,
            options: options(output),
        }];
        if let Some(folder) = self.handlers {
            let crate_path = self.crate_name.map(|name| name.replace('-', "_"));
            let types = self.types.or(crate_path).ok_or(Failure::NoTypesPath)?;
            targets.push(Target {
                folder,
                options: options(Output::Handlers { types }),
            });
        }
        Ok(Project {
            lexicons,
            externals,
            targets,
        })
    }
}

pub(super) fn generate(project: &Project) -> Result<Report, Failure> {
    let results = match lexicon_problems(project.write())? {
        Ok(results) => results,
        Err(problems) => return Ok(nothing_done("generated", &problems, Format::Text)),
    };
    let (mut result, mut summary) = (String::new(), String::new());
    for (target, done) in project.targets.iter().zip(results) {
        let written = done.missing.iter().chain(&done.stale);
        result.extend(written.map(|path| format!("wrote {}\n", path.display())));
        result.extend(
            done.orphans
                .iter()
                .map(|path| format!("removed {}\n", path.display())),
        );
        let _ = writeln!(
            summary,
            "{}: {} written, {} removed, {} unchanged",
            target.folder.display(),
            done.missing.len() + done.stale.len(),
            done.orphans.len(),
            done.fresh
        );
    }
    Ok(Report {
        fine: true,
        result,
        summary,
    })
}

pub(super) fn check(project: &Project, format: Format) -> Result<Report, Failure> {
    let results = match lexicon_problems(project.compare())? {
        Ok(results) => results,
        Err(problems) => return Ok(nothing_done("compared", &problems, format)),
    };
    let mut all = Comparison::default();
    for result in results {
        all.stale.extend(result.stale);
        all.missing.extend(result.missing);
        all.orphans.extend(result.orphans);
        all.fresh += result.fresh;
    }
    let lists = [
        ("stale", &all.stale),
        ("missing", &all.missing),
        ("orphan", &all.orphans),
    ];
    let lines = lists.iter().flat_map(|(state, paths)| {
        paths
            .iter()
            .map(move |path| format!("{state}: {}", path.display()))
    });
    let summary = if all.is_fresh() {
        format!(
            "{}, all as the lexicons say\n",
            count(all.fresh, "generated file")
        )
    } else {
        let wrong = all.stale.len() + all.missing.len() + all.orphans.len();
        let wrong = count(wrong, "generated file");
        format!("not as the lexicons say: {wrong}; run `huddle-codegen generate`\n")
    };
    Ok(Report {
        fine: all.is_fresh(),
        result: format.print(lines, &all),
        summary,
    })
}
