//! Resolved lexicons to Rust source.
//!
//! A lexicon becomes the module that its NSID names (`com.example.thing`: `com::example::thing`), and in
//! it
//!
//! | what | becomes |
//! | --- | --- |
//! | `record`, `object` | a struct: plain fields, `extra` for what the schema does not name, `new` with what is required |
//! | a field that may be absent, or null | an `Option`; if both, an `Option` in an `Option` |
//! | a field with a `default` | `…_or_default()` beside it |
//! | a `string` with `enum` or `knownValues` | an enum; if open, with `Other(String)` |
//! | a `string` with a `format` | the type of that format, e.g. `Datetime` |
//! | a `union` | an enum of boxes; if open, with `Unknown` for other members |
//! | `token` | a `&str` constant |
//! | any other definition | a type alias, its constraints enforced where it is used |
//! | `query`, `procedure`, `subscription` | a marker type, and `Params`, `Input`, `Output`, `Message`, `Error` |
//! | `permission-set` | a constant that makes OAuth scopes |
//!
//! Names are those of the lexicon in Rust's case. What Rust cannot have (`crate`, `1st`), and what would be
//! there twice, is changed in a fixed way; on the wire it stays as it is. `codegen/golden` shows it all.

mod docs;
mod handlers;
mod ident;
mod lexicon;
mod plan;
mod refusal;
mod root;
mod source;

pub(crate) use self::refusal::{crate_of, is_package_name};

use self::plan::Plan;
use self::refusal::{refuse_bodies, refuse_crate_name, refuse_path};
use crate::diagnostic::Diagnostics;
use crate::model::{Catalog, NsidPattern};
use crate::resolve::{Externals, resolve};
use std::path::{Path, PathBuf};

/// What to generate of which lexicons.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the files are.
    pub output: Output,
    /// The lexicons to generate; all, if empty. What they refer to is generated too, unless it is
    /// external. For [`Output::Handlers`] these are the methods, and nothing is added to them; which
    /// lexicons have types is then what the catalog says.
    pub selection: Vec<NsidPattern>,
    /// Lexicons whose types another crate has.
    pub externals: Externals,
    /// The Rust path of the runtime that generated types stand on, if it is not `huddle_syntax`: for
    /// those who have it from another crate.
    pub runtime: Option<String>,
}

/// What the generated files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A tree of modules of types, to be put into a crate.
    Module,
    /// The source of a crate of types; its `Cargo.toml` is its owner's, see
    /// [`Project::new_manifests`](crate::project::Project::new_manifests).
    Crate {
        /// The name of its package.
        name: String,
    },
    /// A tree of modules of handler traits and routes.
    Handlers {
        /// The Rust path of the types, e.g. `huddle_lexicon`.
        types: String,
    },
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Where, from the output folder on, with `/`.
    pub path: PathBuf,
    /// Its text; the first line says what it was generated from.
    pub text: String,
}

/// Why nothing was generated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The lexicons are wrong.
    #[error(transparent)]
    Lexicons(#[from] Diagnostics),
    /// The generator cannot do what was asked.
    #[error("{0}")]
    Unsupported(String),
}

/// The Rust path of the runtime, if nothing else is said.
const RUNTIME: &str = "huddle_syntax";

impl Options {
    /// Whether this makes types, or else what stands on them.
    pub(crate) const fn has_types(&self) -> bool {
        !matches!(self.output, Output::Handlers { .. })
    }

    /// The Rust path of the runtime.
    fn runtime(&self) -> &str {
        self.runtime.as_deref().unwrap_or(RUNTIME)
    }

    /// The Rust paths under which types find what they need from elsewhere.
    pub(crate) fn rust_paths(&self) -> impl Iterator<Item = &str> {
        self.externals.rust_paths().chain([self.runtime()])
    }
}

/// Generates Rust source, in a fixed order: the same input gives the same files.
pub fn generate(docs: &Catalog, options: &Options) -> Result<Vec<GeneratedFile>, Error> {
    let runtime = options.runtime();
    options.rust_paths().try_for_each(refuse_path)?;
    let types = |root| {
        let resolution = resolve(docs, &options.selection, &options.externals)?;
        refuse_bodies(&resolution)?;
        Ok::<_, Error>(root::types(&Plan::new(&resolution), runtime, root))
    };
    let mut files = match &options.output {
        Output::Module => types("mod.rs")?,
        Output::Crate { name } => {
            refuse_crate_name(name, options)?;
            let mut files = types("lib.rs")?;
            for file in &mut files {
                file.path = Path::new("src").join(&file.path);
            }
            files
        }
        Output::Handlers { types } => {
            refuse_path(types)?;
            // A name can depend on those beside it, so that all lexicons count, as they do for types.
            let resolution = resolve(docs, &[], &options.externals)?;
            let plan = Plan::new(&resolution);
            handlers::files(&plan, &options.selection, types, "mod.rs")
        }
    };
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The first line of a generated file.
fn header(source: &str) -> String {
    format!("// Generated by huddle-codegen from {source}. Do not edit.")
}
