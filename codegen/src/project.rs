//! What to generate where: from a `Cargo.toml`, or put together by hand.
//!
//! ```toml
//! [workspace.metadata.huddle-codegen]      # or package.metadata
//! lexicons = "lexicons"
//! types = { out = "crates/lexicon/src/generated" }
//! handlers = { out = "crates/api/src/generated", nsids = ["com.example.*"], types = "example_lexicon" }
//! externals = { "com.atproto.*" = "huddle_lexicon" }
//! ```
//!
//! Paths are relative to the folder of the `Cargo.toml`. `types` takes `nsids` too (all, if absent),
//! and `crate-name` to make the folder a crate of its own. `runtime` is the Rust path of what generated
//! types stand on, where that is not `huddle_syntax`.

use crate::emit::{self, GeneratedFile, Options, Output};
use crate::load::{LoadError, load};
use crate::model::{NsidPattern, PatternError};
use crate::output::{self, Comparison, OutputError};
use crate::resolve::{External, Externals};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Lexicons, and what is generated from them.
#[derive(Clone, Debug)]
pub struct Project {
    /// The folder of lexicons.
    pub lexicons: PathBuf,
    /// Lexicons whose types other crates have.
    pub externals: Externals,
    /// What to generate.
    pub targets: Vec<Target>,
}

/// Something to generate.
#[derive(Clone, Debug)]
pub struct Target {
    /// The folder that it goes into.
    pub folder: PathBuf,
    /// What it is.
    pub options: Options,
}

/// Why a project is not one, or could not be generated.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// A `Cargo.toml` could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A `Cargo.toml`, or what it says of the generator, makes no sense.
    #[error("{}: {message}", path.display())]
    Manifest {
        /// Which.
        path: PathBuf,
        /// What makes no sense.
        message: String,
    },
    /// Two targets would remove each other's files.
    #[error("{} and {} overlap; give each target a folder of its own", .0.display(), .1.display())]
    Overlap(PathBuf, PathBuf),
    /// The lexicons could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// They could not be generated.
    #[error(transparent)]
    Emit(#[from] emit::Error),
    /// The generated files could not be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl Project {
    /// The project of the nearest `Cargo.toml`, in this folder or above it, that has one.
    pub fn find(start: &Path) -> Result<Option<Self>, ProjectError> {
        for folder in start.ancestors() {
            let manifest = folder.join("Cargo.toml");
            if manifest.is_file()
                && let Some(project) = Self::of_manifest(&manifest)?
            {
                return Ok(Some(project));
            }
        }
        Ok(None)
    }

    /// The project that a `Cargo.toml` describes, if it describes one.
    pub fn of_manifest(path: &Path) -> Result<Option<Self>, ProjectError> {
        let text = fs::read_to_string(path).map_err(|source| ProjectError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let senseless = |message: String| ProjectError::Manifest {
            path: path.to_owned(),
            message,
        };
        let manifest: Manifest =
            toml::from_str(&text).map_err(|error| senseless(error.to_string()))?;
        let Some(settings) = manifest.settings() else {
            return Ok(None);
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        settings
            .project(folder)
            .map(Some)
            .map_err(|error| senseless(error.to_string()))
    }

    /// Compares each target's folder with what would be generated, and touches nothing.
    pub fn compare(&self) -> Result<Vec<Comparison>, ProjectError> {
        Ok(self.each(&self.generated()?, output::compare)?)
    }

    /// Generates every target. Nothing is written unless all of it could be generated, and no file is
    /// in the way of any of it.
    pub fn write(&self) -> Result<Vec<Comparison>, ProjectError> {
        let generated = self.generated()?;
        self.each(&generated, output::compare)?;
        Ok(self.each(&generated, output::write)?)
    }

    fn each(
        &self,
        generated: &[Vec<GeneratedFile>],
        act: impl Fn(&Path, &[GeneratedFile]) -> Result<Comparison, OutputError>,
    ) -> Result<Vec<Comparison>, OutputError> {
        let targets = self.targets.iter().zip(generated);
        targets
            .map(|(target, files)| act(&target.folder, files))
            .collect()
    }

    /// The files of each target.
    fn generated(&self) -> Result<Vec<Vec<GeneratedFile>>, ProjectError> {
        self.refuse_overlap()?;
        let catalog = load(&self.lexicons)?;
        let files = |target: &Target| emit::generate(&catalog, &target.options);
        Ok(self.targets.iter().map(files).collect::<Result<_, _>>()?)
    }

    fn refuse_overlap(&self) -> Result<(), ProjectError> {
        for (index, target) in self.targets.iter().enumerate() {
            for other in &self.targets[index + 1..] {
                let (a, b) = (&target.folder, &other.folder);
                if a.starts_with(b) || b.starts_with(a) {
                    return Err(ProjectError::Overlap(a.clone(), b.clone()));
                }
            }
        }
        Ok(())
    }
}

/// The part of a `Cargo.toml` that concerns the generator.
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    workspace: Section,
    #[serde(default)]
    package: Section,
}

#[derive(Default, Deserialize)]
struct Section {
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(rename = "huddle-codegen")]
    settings: Option<Settings>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    lexicons: PathBuf,
    types: Option<TypesSettings>,
    handlers: Option<HandlersSettings>,
    #[serde(default)]
    externals: BTreeMap<String, String>,
    runtime: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TypesSettings {
    out: PathBuf,
    #[serde(default)]
    nsids: Vec<String>,
    crate_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HandlersSettings {
    out: PathBuf,
    #[serde(default)]
    nsids: Vec<String>,
    types: String,
}

impl Manifest {
    fn settings(self) -> Option<Settings> {
        self.package
            .metadata
            .settings
            .or(self.workspace.metadata.settings)
    }
}

impl Settings {
    fn project(self, folder: &Path) -> Result<Project, PatternError> {
        let externals = self.externals.into_iter().map(|(lexicons, rust_path)| {
            Ok(External {
                lexicons: lexicons.parse()?,
                rust_path,
            })
        });
        let externals = Externals::new(externals.collect::<Result<Vec<_>, PatternError>>()?);
        let mut targets = Vec::new();
        if let Some(TypesSettings {
            out,
            nsids,
            crate_name,
        }) = self.types
        {
            let output = crate_name.map_or(Output::Module, |name| Output::Crate { name });
            let selection = patterns(&nsids)?;
            let options = Options {
                output,
                selection,
                externals: externals.clone(),
                runtime: self.runtime.clone(),
            };
            targets.push(Target {
                folder: folder.join(out),
                options,
            });
        }
        if let Some(HandlersSettings { out, nsids, types }) = self.handlers {
            let output = Output::Handlers { types };
            let selection = patterns(&nsids)?;
            let options = Options {
                output,
                selection,
                externals: externals.clone(),
                runtime: self.runtime.clone(),
            };
            targets.push(Target {
                folder: folder.join(out),
                options,
            });
        }
        Ok(Project {
            lexicons: folder.join(self.lexicons),
            externals,
            targets,
        })
    }
}

fn patterns(texts: &[String]) -> Result<Vec<NsidPattern>, PatternError> {
    texts.iter().map(|text| text.parse()).collect()
}

#[cfg(test)]
mod tests;
