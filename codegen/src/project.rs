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
//! and `crate-name` to make the folder a crate of its own, whose `Cargo.toml` is written where there is
//! none. `runtime` is the Rust path of what generated types stand on, where that is not `huddle_syntax`.

mod package;
mod settings;

pub use self::package::{Dependency, DependencyError, NewManifest};

use crate::emit::{self, GeneratedFile, Options};
use crate::load::{LoadError, load};
use crate::model::{Catalog, NsidPattern};
use crate::output::{self, Comparison, OutputError, true_path};
use crate::resolve::{Externals, resolve};
use huddle_syntax::Nsid;
use std::borrow::Cow;
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
    /// There is nothing to generate from; what was generated before would be removed.
    #[error("there is no lexicon (*.json) in {}", .0.display())]
    NoLexicons(PathBuf),
    /// A pattern selects none of the lexicons.
    #[error("{pattern} selects no lexicon in {}{lacking}", lexicons.display())]
    NothingSelected {
        /// Where the lexicons are.
        lexicons: PathBuf,
        /// The pattern.
        pattern: NsidPattern,
        /// What those lack that it would select; empty if there are none.
        lacking: &'static str,
    },
    /// Nobody says where a crate comes from that a new `Cargo.toml` has to name.
    #[error(
        "where does the crate {0} come from, which the generated code names? pass --dependency {0}=…, or \
         write the Cargo.toml yourself, which is then left alone"
    )]
    NoDependency(String),
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
        settings::read(path)
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
        let catalog = load_some(&self.lexicons)?;
        let files = |target: &Target| {
            let options = &target.options;
            let usable = if options.has_types() {
                Cow::Borrowed(&catalog)
            } else {
                Cow::Owned(self.with_types(&catalog)?)
            };
            self.refuse_empty_selection(&catalog, &usable, options)?;
            Ok(emit::generate(&usable, options)?)
        };
        self.targets.iter().map(files).collect()
    }

    /// The lexicons that have types, here or in another crate: handlers name types as they are called
    /// among these, and what is wrong with others is no concern of theirs.
    fn with_types(&self, catalog: &Catalog) -> Result<Catalog, ProjectError> {
        let mut options = self.targets.iter().map(|target| &target.options);
        let Some(options) = options.find(|options| options.has_types()) else {
            return Ok(catalog.clone());
        };
        let resolution = resolve(catalog, &options.selection, &options.externals);
        let resolution = resolution.map_err(emit::Error::from)?;
        let external = catalog
            .documents()
            .filter(|document| options.externals.rust_path(&document.id).is_some());
        let mut with_types = Catalog::default();
        for document in resolution.documents().chain(external) {
            with_types
                .insert(document.clone())
                .expect("a lexicon is either external or not, and in a catalog once");
        }
        Ok(with_types)
    }

    /// Refuses patterns that select nothing: a typing error would remove all that was generated.
    fn refuse_empty_selection(
        &self,
        catalog: &Catalog,
        usable: &Catalog,
        options: &Options,
    ) -> Result<(), ProjectError> {
        // What another crate has can be handled here, but gets no types here.
        let selectable =
            |nsid: &Nsid| !options.has_types() || options.externals.rust_path(nsid).is_none();
        let is_empty = |pattern: &&NsidPattern| {
            let mut names = usable.documents().map(|document| &document.id);
            !names.any(|nsid| pattern.matches(nsid) && selectable(nsid))
        };
        let everything = ["*".parse().expect("it is a pattern")];
        let patterns = match options.selection.as_slice() {
            [] if options.has_types() => everything.as_slice(),
            patterns => patterns,
        };
        let Some(pattern) = patterns.iter().find(is_empty) else {
            return Ok(());
        };
        let mut names = catalog.documents().map(|document| &document.id);
        let exists = names.any(|nsid| pattern.matches(nsid));
        Err(ProjectError::NothingSelected {
            lexicons: self.lexicons.clone(),
            pattern: pattern.clone(),
            lacking: match (exists, options.has_types()) {
                (false, _) => "",
                (true, true) => " that is not external",
                (true, false) => " that has types",
            },
        })
    }

    fn refuse_overlap(&self) -> Result<(), ProjectError> {
        let folders = self
            .targets
            .iter()
            .map(|target| Ok((&target.folder, true_path(&target.folder)?)))
            .collect::<Result<Vec<_>, OutputError>>()?;
        for (index, (a, true_a)) in folders.iter().enumerate() {
            for (b, true_b) in &folders[index + 1..] {
                if true_a.starts_with(true_b) || true_b.starts_with(true_a) {
                    return Err(ProjectError::Overlap((*a).clone(), (*b).clone()));
                }
            }
        }
        Ok(())
    }
}

/// Loads lexicons of which there has to be one at least.
pub fn load_some(path: &Path) -> Result<Catalog, ProjectError> {
    let catalog = load(path)?;
    if catalog.is_empty() {
        return Err(ProjectError::NoLexicons(path.to_owned()));
    }
    Ok(catalog)
}

#[cfg(test)]
mod tests;
