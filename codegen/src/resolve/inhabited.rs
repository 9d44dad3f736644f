//! Which definitions have any value at all: one that requires itself, directly or not, has none.

use super::Edge;
use crate::model::{
    Catalog, DefId, DefKind, Definition, ObjectSchema, Property, Schema, SchemaKind,
};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// The definitions that have a value, in an order in which each comes after what it requires: of the
/// variants of a closed union, one.
///
/// `elsewhere` says whether a definition that the catalog does not have is taken to have a value.
pub(super) fn ranks(catalog: &Catalog, elsewhere: bool) -> BTreeMap<DefId, usize> {
    let definitions: BTreeMap<DefId, &Definition> = catalog
        .documents()
        .flat_map(|document| document.defs.iter().map(|d| (document.def_id(d), d)))
        .collect();
    let given = |target: &DefId| elsewhere && !definitions.contains_key(target);
    // Every requirement, by the definition that has it, until it is met; and how many each still has.
    let mut unmet: Vec<Option<&DefId>> = Vec::new();
    let mut counts: HashMap<&DefId, usize> = HashMap::new();
    let mut met_by: HashMap<&DefId, Vec<usize>> = HashMap::new();
    let mut open = VecDeque::new();
    for (id, definition) in &definitions {
        let Some(mut requirements) = requirements(definition) else {
            continue;
        };
        requirements.retain(|any_of| !any_of.iter().any(|(target, _)| given(target)));
        if requirements.is_empty() {
            open.push_back(id);
        }
        counts.insert(id, requirements.len());
        for any_of in requirements {
            for (target, _) in any_of {
                met_by.entry(target).or_default().push(unmet.len());
            }
            unmet.push(Some(id));
        }
    }
    let mut ranks = BTreeMap::new();
    while let Some(id) = open.pop_front() {
        ranks.insert(id.clone(), ranks.len());
        for requirement in met_by.get(id).into_iter().flatten() {
            if let Some(waiting) = unmet[*requirement].take()
                && let Some(count) = counts.get_mut(waiting)
            {
                *count -= 1;
                if *count == 0 {
                    open.push_back(waiting);
                }
            }
        }
    }
    ranks
}

/// The references that a value of a definition may not do without, each as what it can choose from:
/// several, where it is a closed union. `None` for what is no type of data.
pub(super) fn requirements(definition: &Definition) -> Option<Vec<Vec<Edge<'_>>>> {
    let mut found = Vec::new();
    match &definition.kind {
        DefKind::Record(record) => of_fields(&record.object, &mut found),
        DefKind::Type(schema) => of_schema(schema, &mut found),
        _ => return None,
    }
    Some(found)
}

fn of_fields<'a>(object: &'a ObjectSchema, found: &mut Vec<Vec<Edge<'a>>>) {
    object
        .properties
        .iter()
        .filter(|property| indispensable(property))
        .for_each(|property| of_schema(&property.schema, found));
}

fn of_schema<'a>(schema: &'a Schema, found: &mut Vec<Vec<Edge<'a>>>) {
    match &schema.kind {
        SchemaKind::Ref(reference) => found.push(vec![(&reference.target, &schema.path)]),
        SchemaKind::Array(array) if array.min_length > Some(0) => of_schema(&array.items, found),
        SchemaKind::Object(object) => of_fields(object, found),
        SchemaKind::Union(union) if union.closed => {
            let variants = union.refs.iter();
            found.push(variants.map(|v| (&v.target, v.path.as_str())).collect());
        }
        _ => {}
    }
}

const fn indispensable(property: &Property) -> bool {
    property.required && !property.nullable
}
