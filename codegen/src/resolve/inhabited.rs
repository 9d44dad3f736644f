//! Which definitions have any value at all: one that requires itself, directly or not, has none.

use crate::model::{
    Catalog, DefId, DefKind, Definition, ObjectSchema, Property, Schema, SchemaKind,
};
use std::collections::{BTreeMap, VecDeque};

/// The definitions that have a value, in an order in which each comes after what it requires: of the
/// variants of a closed union, one.
///
/// `elsewhere` says whether a definition that the catalog does not have is taken to have a value.
pub(super) fn ranks(catalog: &Catalog, elsewhere: bool) -> BTreeMap<DefId, usize> {
    let definitions: BTreeMap<DefId, &Definition> = catalog
        .documents()
        .flat_map(|document| document.defs.iter().map(|d| (document.def_id(d), d)))
        .collect();
    let mut dependents: BTreeMap<&DefId, Vec<&DefId>> = BTreeMap::new();
    for (id, definition) in &definitions {
        required(definition, &mut |target, _| {
            dependents.entry(target).or_default().push(id);
        });
    }
    let mut ranks: BTreeMap<DefId, usize> = BTreeMap::new();
    let mut open: VecDeque<&DefId> = definitions.keys().collect();
    while let Some(id) = open.pop_front() {
        let has_value = |target: &DefId| {
            ranks.contains_key(target) || (elsewhere && !definitions.contains_key(target))
        };
        if !ranks.contains_key(id) && inhabited(definitions[id], &has_value) {
            ranks.insert(id.clone(), ranks.len());
            open.extend(dependents.get(id).into_iter().flatten());
        }
    }
    ranks
}

/// Calls back with the references that a value of a definition may not do without, and their paths.
/// Of the variants of a closed union it needs only one.
pub(super) fn required<'a>(definition: &'a Definition, found: &mut impl FnMut(&'a DefId, &'a str)) {
    match &definition.kind {
        DefKind::Record(record) => required_fields(&record.object, found),
        DefKind::Type(schema) => required_in(schema, found),
        _ => {}
    }
}

fn required_fields<'a>(object: &'a ObjectSchema, found: &mut impl FnMut(&'a DefId, &'a str)) {
    object
        .properties
        .iter()
        .filter(|property| indispensable(property))
        .for_each(|property| required_in(&property.schema, found));
}

fn required_in<'a>(schema: &'a Schema, found: &mut impl FnMut(&'a DefId, &'a str)) {
    match &schema.kind {
        SchemaKind::Ref(reference) => found(&reference.target, &schema.path),
        SchemaKind::Array(array) if array.min_length > Some(0) => required_in(&array.items, found),
        SchemaKind::Object(object) => required_fields(object, found),
        SchemaKind::Union(union) if union.closed => {
            union
                .refs
                .iter()
                .for_each(|variant| found(&variant.target, &variant.path));
        }
        _ => {}
    }
}

const fn indispensable(property: &Property) -> bool {
    property.required && !property.nullable
}

fn inhabited(definition: &Definition, has_value: &impl Fn(&DefId) -> bool) -> bool {
    match &definition.kind {
        DefKind::Record(record) => fields_inhabited(&record.object, has_value),
        DefKind::Type(schema) => schema_inhabited(schema, has_value),
        _ => false,
    }
}

fn fields_inhabited(object: &ObjectSchema, has_value: &impl Fn(&DefId) -> bool) -> bool {
    object
        .properties
        .iter()
        .filter(|property| indispensable(property))
        .all(|property| schema_inhabited(&property.schema, has_value))
}

fn schema_inhabited(schema: &Schema, has_value: &impl Fn(&DefId) -> bool) -> bool {
    match &schema.kind {
        SchemaKind::Ref(reference) => has_value(&reference.target),
        SchemaKind::Array(array) if array.min_length > Some(0) => {
            schema_inhabited(&array.items, has_value)
        }
        SchemaKind::Object(object) => fields_inhabited(object, has_value),
        SchemaKind::Union(union) if union.closed => {
            union.refs.iter().any(|variant| has_value(&variant.target))
        }
        _ => true,
    }
}
