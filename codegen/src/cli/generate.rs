//! `generate` and `check`.

use super::{
    EXTERNAL_HELP, ExternalFlag, Failure, Format, Report, count, lexicon_problems, nothing_done,
    project_here,
};
use clap::Args;
use huddle_codegen::emit::{Options, Output};
use huddle_codegen::model::NsidPattern;
use huddle_codegen::output::Comparison;
use huddle_codegen::project::{Dependency, Project, Target};
use huddle_codegen::resolve::Externals;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

pub(super) const EXAMPLES: &str = "\
Examples:
  huddle-codegen generate
      what the nearest Cargo.toml says
  huddle-codegen generate --lexicons lexicons --out src/lexicon
      a tree of modules; name the folder's mod.rs with `mod lexicon;`
  huddle-codegen generate --lexicons lexicons --out example-lexicon --crate-name example-lexicon \\
      --dependency 'huddle-syntax={path=\"../sdk/syntax\"}'
      a crate of its own; its Cargo.toml is written if there is none, and then yours
  huddle-codegen generate --lexicons lexicons --out src/lexicon --nsid 'com.example.*' \\
      --external 'com.atproto.*=huddle_lexicon'
      only com.example, which finds com.atproto in another crate";

#[derive(Args, Debug)]
pub(super) struct Selection {
    /// The folder of lexicons (every *.json below it), or one file. Default: the project's.
    #[arg(long, value_name = "DIR")]
    lexicons: Option<PathBuf>,
    /// Where the types go. Without this, all is as the nearest Cargo.toml says. With this, the Cargo.toml
    /// only stands in for --lexicons, --external and --runtime where they are absent; with this and
    /// --lexicons, it has no say.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Make the output folder a crate of this name; without this it is a module. Its Cargo.toml is
    /// written where there is none, and never changed.
    #[arg(long, value_name = "NAME", requires = "out")]
    crate_name: Option<String>,
    /// A dependency for the Cargo.toml of a new crate, as it would stand there: a version, or a table,
    /// e.g. 'huddle-syntax={path="../syntax"}' (from the new Cargo.toml) or
    /// 'huddle-syntax={workspace=true}'; may be repeated. The generated code needs the crates of
    /// --runtime and of each --external. Default: huddle-syntax of this tool's version.
    #[arg(long = "dependency", value_name = "NAME=SPEC")]
    dependencies: Vec<Dependency>,
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
    /// repeated. One that selects nothing is an error. Default: all.
    #[arg(long = "nsid", value_name = "NSID", requires = "out")]
    nsids: Vec<NsidPattern>,
}

impl Selection {
    /// What the flags say, or the project of the folder.
    pub(super) fn project(&self) -> Result<Project, Failure> {
        let project = if let Some(out) = &self.out {
            self.project_of_flags(out)?
        } else {
            let found = project_here()?.ok_or(Failure::NoProject("--lexicons and --out"))?;
            Project {
                lexicons: self.lexicons.clone().unwrap_or(found.lexicons),
                ..found
            }
        };
        let is_crate = |target: &Target| matches!(target.options.output, Output::Crate { .. });
        if project.targets.is_empty() {
            Err(Failure::NoTargets)
        } else if !self.dependencies.is_empty() && !project.targets.iter().any(is_crate) {
            Err(Failure::NoCrate)
        } else {
            Ok(project)
        }
    }

    fn project_of_flags(&self, out: &Path) -> Result<Project, Failure> {
        let Defaults {
            lexicons,
            externals,
            runtime,
        } = self.defaults()?;
        let externals = match self.externals.as_slice() {
            [] => externals,
            flags => super::externals(flags),
        };
        let target = |folder: &Path, output| Target {
            folder: folder.to_owned(),
            options: Options {
                output,
                selection: self.nsids.clone(),
                externals: externals.clone(),
                runtime: self.runtime.clone().or_else(|| runtime.clone()),
            },
        };
        let crate_name = self.crate_name.clone();
        let output = crate_name.map_or(Output::Module, |name| Output::Crate { name });
        let mut targets = vec![target(out, output)];
        if let Some(folder) = &self.handlers {
            let types = self.types_path().ok_or(Failure::NoTypesPath)?;
            targets.push(target(folder, Output::Handlers { types }));
        }
        Ok(Project {
            lexicons,
            externals,
            targets,
        })
    }

    /// The Rust path by which handlers name the types.
    fn types_path(&self) -> Option<String> {
        let of_crate = || Some(self.crate_name.as_ref()?.replace('-', "_"));
        self.types.clone().or_else(of_crate)
    }

    /// What holds where there is no flag. Lexicons that a flag names have nothing to do with the project
    /// of the folder that the tool was started in.
    fn defaults(&self) -> Result<Defaults, Failure> {
        if let Some(lexicons) = &self.lexicons {
            return Ok(Defaults {
                lexicons: lexicons.clone(),
                externals: Externals::default(),
                runtime: None,
            });
        }
        let project = project_here()?.ok_or(Failure::NoProject("--lexicons"))?;
        let runtimes = project.targets.into_iter().map(|t| t.options.runtime);
        Ok(Defaults {
            lexicons: project.lexicons,
            externals: project.externals,
            runtime: runtimes.flatten().next(),
        })
    }
}

struct Defaults {
    lexicons: PathBuf,
    externals: Externals,
    runtime: Option<String>,
}

pub(super) fn generate(selection: &Selection) -> Result<Report, Failure> {
    let project = selection.project()?;
    let manifests = project.new_manifests(&selection.dependencies)?;
    let results = match lexicon_problems(project.write())? {
        Ok(results) => results,
        Err(problems) => {
            let result = Format::Text.print(&problems, [], &());
            return Ok(nothing_done("generated", &problems, result));
        }
    };
    let (mut result, mut summary) = (String::new(), String::new());
    for manifest in manifests {
        manifest.write()?;
        let _ = writeln!(result, "wrote {}", manifest.path.display());
    }
    for (target, done) in project.targets.iter().zip(results) {
        for path in done.missing.iter().chain(&done.stale) {
            let _ = writeln!(result, "wrote {}", path.display());
        }
        for path in &done.orphans {
            let _ = writeln!(result, "removed {}", path.display());
        }
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
    let mut all = Comparison::default();
    let results = match lexicon_problems(project.compare())? {
        Ok(results) => results,
        Err(problems) => {
            let result = format.print(&problems, [], &all);
            return Ok(nothing_done("compared", &problems, result));
        }
    };
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
        result: format.print(&[], lines, &all),
        summary,
    })
}
