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
mod root;
mod source;

use self::plan::Plan;
use crate::diagnostic::{Diagnostic, Diagnostics, Rule};
use crate::model::{Catalog, NsidPattern, Schema, SchemaKind};
use crate::resolve::{Externals, Resolution, Target, resolve};
use std::path::{Path, PathBuf};

/// What to generate of which lexicons.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the files are.
    pub output: Output,
    /// The lexicons to generate; all, if empty. What they refer to is generated too, unless it is
    /// external. For [`Output::Handlers`] these are the methods, and nothing is added to them.
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
    /// A crate of types, with its `Cargo.toml`.
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

/// Generates Rust source, in a fixed order: the same input gives the same files.
pub fn generate(docs: &Catalog, options: &Options) -> Result<Vec<GeneratedFile>, Error> {
    let Options {
        output,
        selection,
        externals,
        runtime,
    } = options;
    let runtime = runtime.as_deref().unwrap_or(RUNTIME);
    externals
        .rust_paths()
        .chain([runtime])
        .try_for_each(refuse_path)?;
    let mut files = match output {
        Output::Module => {
            let resolution = resolve(docs, selection, externals)?;
            refuse_bodies(&resolution)?;
            root::types(&Plan::new(&resolution), runtime, "mod.rs")
        }
        Output::Crate { name } => {
            let resolution = resolve(docs, selection, externals)?;
            refuse_bodies(&resolution)?;
            let mut files = root::types(&Plan::new(&resolution), runtime, "lib.rs");
            for file in &mut files {
                file.path = Path::new("src").join(&file.path);
            }
            let paths = externals.rust_paths().chain([runtime]);
            let crates = paths.filter_map(|path| path.split("::").find(|name| !name.is_empty()));
            files.push(root::manifest(name, &crates.collect()));
            files
        }
        Output::Handlers { types } => {
            refuse_path(types)?;
            // The types are called what they are called among all lexicons.
            let resolution = resolve(docs, &[], externals)?;
            handlers::files(&Plan::new(&resolution), selection, types, "mod.rs")
        }
    };
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Refuses what could not stand in front of a module's name, in whatever file.
fn refuse_path(path: &str) -> Result<(), Error> {
    let valid = syn::parse_str::<syn::Path>(path).is_ok_and(|parsed| {
        let plain = parsed
            .segments
            .iter()
            .all(|segment| segment.arguments.is_none());
        let first = parsed
            .segments
            .first()
            .map(|segment| segment.ident.to_string());
        plain && !matches!(first.as_deref(), Some("self" | "super" | "Self"))
    });
    if valid && !path.contains(char::is_whitespace) {
        return Ok(());
    }
    let message =
        format!("{path:?} is no Rust path from a crate on, e.g. example_lexicon or crate::lexicon");
    Err(Error::Unsupported(message))
}

/// Refuses bodies that are no objects in the end: the specification has no others, and there is no
/// type that could enforce their constraints.
fn refuse_bodies(resolution: &Resolution<'_>) -> Result<(), Diagnostics> {
    let mut problems = Vec::new();
    for document in resolution.documents() {
        for body in document
            .defs
            .iter()
            .flat_map(|definition| definition.kind.bodies())
        {
            let Some(Schema {
                kind: SchemaKind::Ref(reference),
                ..
            }) = &body.schema
            else {
                continue;
            };
            let target = match resolution.target(&reference.target) {
                Some(Target::Local(_, definition)) => Some(definition),
                Some(Target::External { definition, .. }) => definition,
                None => None,
            };
            if let Some(target) = target.filter(|target| target.kind.object().is_none()) {
                problems.push(Diagnostic {
                    file: document.file.clone(),
                    path: reference.path.clone(),
                    rule: Rule::RefTarget,
                    message: format!(
                        "{} is a {}; a body is an object or a union",
                        reference.target,
                        target.kind.name()
                    ),
                });
            }
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Diagnostics(problems))
    }
}

/// The first line of a generated file.
fn header(source: &str) -> String {
    format!("// Generated by huddle-codegen from {source}. Do not edit.")
}
