//! What no Rust can be made of: names that are none, and bodies that no type could be.

use super::{Error, Options};
use crate::diagnostic::{Diagnostic, Diagnostics, Rule, a};
use crate::model::{Schema, SchemaKind};
use crate::resolve::Resolution;

/// Names that mean other crates to the compiler, or to generated code.
const RESERVED_CRATES: [&str; 5] = ["alloc", "core", "proc_macro", "std", "test"];

/// Whether Cargo takes this as the name of a package.
pub(crate) fn is_package_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The crate that a Rust path begins with; `None` if that is the one that it stands in.
pub(crate) fn crate_of(rust_path: &str) -> Option<&str> {
    let name = rust_path.split("::").find(|name| !name.is_empty())?;
    let name = name.strip_prefix("r#").unwrap_or(name);
    (name != "crate").then_some(name)
}

/// Refuses what Cargo would not take as the name of a package, or the compiler as that of a crate.
pub(super) fn refuse_crate_name(name: &str, options: &Options) -> Result<(), Error> {
    let crate_name = name.replace('-', "_");
    if !is_package_name(name)
        || syn::parse_str::<syn::Ident>(&crate_name).is_err()
        || RESERVED_CRATES.contains(&crate_name.as_str())
    {
        let message = format!("{name:?} is no name for a crate; take one like example-lexicon");
        return Err(Error::Unsupported(message));
    }
    if options
        .rust_paths()
        .filter_map(crate_of)
        .any(|needed| needed == crate_name)
    {
        let message =
            format!("a crate called {name:?} would depend on itself; give it another name");
        return Err(Error::Unsupported(message));
    }
    Ok(())
}

/// Refuses what could not stand in front of a module's name, in whatever file.
pub(super) fn refuse_path(path: &str) -> Result<(), Error> {
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
pub(super) fn refuse_bodies(resolution: &Resolution<'_>) -> Result<(), Diagnostics> {
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
            let target = resolution
                .target(&reference.target)
                .map(|target| target.definition);
            if let Some(target) = target.filter(|target| target.kind.object().is_none()) {
                problems.push(Diagnostic {
                    file: document.file.clone(),
                    path: reference.path.clone(),
                    rule: Rule::RefTarget,
                    message: format!(
                        "{} is {}; a body is an object or a union",
                        reference.target,
                        a(target.kind.name())
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
