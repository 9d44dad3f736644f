//! Walks over everything in a document.

use super::{DefKind, Definition, Document, Property, Schema, SchemaKind, UnionSchema};

/// Calls back with every schema of a document, outer ones before what is in them.
pub(crate) fn schemas<'a>(document: &'a Document, found: &mut impl FnMut(&'a Schema)) {
    for definition in &document.defs {
        of_definition(definition, found);
    }
}

/// Calls back with every union of a document, the messages of subscriptions last.
pub(crate) fn unions<'a>(document: &'a Document, found: &mut impl FnMut(&'a UnionSchema)) {
    schemas(document, &mut |schema| {
        if let SchemaKind::Union(union) = &schema.kind {
            found(union);
        }
    });
    for definition in &document.defs {
        if let DefKind::Subscription(subscription) = &definition.kind {
            found(&subscription.message.union);
        }
    }
}

fn of_definition<'a>(definition: &'a Definition, found: &mut impl FnMut(&'a Schema)) {
    if let Some(params) = definition.kind.parameters() {
        of_properties(&params.properties, found);
    }
    for body in definition.kind.bodies() {
        body.schema
            .iter()
            .for_each(|schema| of_schema(schema, found));
    }
    match &definition.kind {
        DefKind::Record(record) => of_properties(&record.object.properties, found),
        DefKind::Type(schema) => of_schema(schema, found),
        _ => {}
    }
}

fn of_properties<'a>(properties: &'a [Property], found: &mut impl FnMut(&'a Schema)) {
    for property in properties {
        of_schema(&property.schema, found);
    }
}

fn of_schema<'a>(schema: &'a Schema, found: &mut impl FnMut(&'a Schema)) {
    found(schema);
    match &schema.kind {
        SchemaKind::Array(array) => of_schema(&array.items, found),
        SchemaKind::Object(object) => of_properties(&object.properties, found),
        _ => {}
    }
}
