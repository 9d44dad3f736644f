//! Lists in lists, deeper than data can nest.

use super::{Resolution, problem};
use crate::diagnostic::{Diagnostic, Rule};
use crate::model::{Catalog, DefKind, Definition, Schema, SchemaKind, visit};
use huddle_syntax::data::MAX_DEPTH;

/// The lists into the innermost of which nothing could ever go.
pub(super) fn too_deep(resolution: &Resolution<'_>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for document in resolution.documents() {
        visit::schemas(document, &mut |schema| {
            let levels = levels(resolution.catalog, schema);
            let wrong = match &schema.kind {
                // The lists around it are as wrong, and need not be named too.
                SchemaKind::Array(_) => levels == MAX_DEPTH + 1,
                SchemaKind::Ref(reference) => {
                    let target = resolution.target(&reference.target);
                    levels > MAX_DEPTH && target.is_some_and(|target| target.home.is_some())
                }
                _ => false,
            };
            if wrong {
                let message = format!("lists nest deeper than the {MAX_DEPTH} levels of data");
                let path = &schema.path;
                problems.push(problem(document, path, Rule::LexiconSchema, message));
            }
        });
    }
    problems
}

/// How many lists are in one another here; no more are counted than it takes to see that they are too many.
fn levels<'a>(catalog: &'a Catalog, mut schema: &'a Schema) -> usize {
    let mut levels = 0;
    while levels <= MAX_DEPTH + 1 {
        match &schema.kind {
            SchemaKind::Array(array) => {
                levels += 1;
                schema = &array.items;
            }
            SchemaKind::Ref(reference) => match catalog.definition(&reference.target) {
                Some(Definition {
                    kind: DefKind::Type(target),
                    ..
                }) => schema = target,
                _ => break,
            },
            _ => break,
        }
    }
    levels
}
