//! Which types have values that can break a constraint that their Rust types do not enforce.

use crate::model::{Catalog, DefId, DefKind, Definition, ObjectSchema, Schema, SchemaKind};
use std::collections::{HashMap, HashSet};

/// The definitions of a catalog that have constraints, of their own or of what they refer to.
#[derive(Debug)]
pub(super) struct Constrained {
    unconstrained: HashSet<DefId>,
}

impl Constrained {
    /// Without recursion from one definition to the next: a chain of refs may be as long as the input
    /// likes.
    pub(super) fn new(catalog: &Catalog) -> Self {
        let definitions: HashMap<DefId, &Definition> = catalog
            .documents()
            .flat_map(|document| document.defs.iter().map(|d| (document.def_id(d), d)))
            .collect();
        let mut dependents: HashMap<&DefId, Vec<&DefId>> = HashMap::new();
        let mut open: Vec<&DefId> = Vec::new();
        for (id, definition) in &definitions {
            let constrained = of_definition(definition, &mut |target| {
                dependents.entry(target).or_default().push(id);
                // What another crate has may have any constraints.
                !definitions.contains_key(target)
            });
            if constrained {
                open.push(id);
            }
        }
        let mut constrained: HashSet<&DefId> = HashSet::new();
        while let Some(id) = open.pop() {
            if constrained.insert(id) {
                open.extend(dependents.get(id).into_iter().flatten());
            }
        }
        let unconstrained = definitions.keys().filter(|id| !constrained.contains(id));
        Self {
            unconstrained: unconstrained.cloned().collect(),
        }
    }

    /// Whether a value of this type can break a constraint.
    pub(super) fn includes(&self, schema: &Schema) -> bool {
        of_schema(schema, &mut |target| !self.unconstrained.contains(target))
    }
}

/// Asks `of_target` about references, until one is constrained.
fn of_definition<'a>(
    definition: &'a Definition,
    of_target: &mut impl FnMut(&'a DefId) -> bool,
) -> bool {
    match &definition.kind {
        DefKind::Record(record) => of_object(&record.object, of_target),
        DefKind::Type(schema) => of_schema(schema, of_target),
        _ => false,
    }
}

fn of_schema<'a>(schema: &'a Schema, of_target: &mut impl FnMut(&'a DefId) -> bool) -> bool {
    match &schema.kind {
        SchemaKind::Boolean(schema) => schema.constant.is_some(),
        SchemaKind::Integer(schema) => {
            schema.minimum.is_some()
                || schema.maximum.is_some()
                || schema.values.is_some()
                || schema.constant.is_some()
        }
        // Its format and its values are what its Rust type is made of.
        SchemaKind::String(schema) => {
            schema.min_length.is_some()
                || schema.max_length.is_some()
                || schema.min_graphemes.is_some()
                || schema.max_graphemes.is_some()
                || schema.constant.is_some()
        }
        SchemaKind::Bytes(schema) => schema.min_length.is_some() || schema.max_length.is_some(),
        SchemaKind::Blob(schema) => schema.max_size.is_some() || !schema.accept.is_empty(),
        SchemaKind::CidLink | SchemaKind::Unknown => false,
        SchemaKind::Array(array) => {
            array.min_length.is_some()
                || array.max_length.is_some()
                || of_schema(&array.items, of_target)
        }
        SchemaKind::Object(object) => of_object(object, of_target),
        SchemaKind::Ref(reference) => of_target(&reference.target),
        // What an open union does not name must not be a member that it names.
        SchemaKind::Union(union) => {
            (!union.closed && !union.refs.is_empty())
                || union
                    .refs
                    .iter()
                    .any(|reference| of_target(&reference.target))
        }
    }
}

fn of_object<'a>(object: &'a ObjectSchema, of_target: &mut impl FnMut(&'a DefId) -> bool) -> bool {
    object
        .properties
        .iter()
        .any(|field| of_schema(&field.schema, of_target))
}
