//! Types of data.

use super::mime;
use super::reader::{Fields, Node, Reader, quote};
use crate::diagnostic::{Rule, a};
use crate::model::{
    ArraySchema, BlobSchema, BooleanSchema, BytesSchema, Format, IntegerSchema, ObjectSchema,
    Property, Schema, SchemaKind, StringSchema, UnionSchema,
};
use crate::validate::{self, Constraint};
use std::collections::{HashMap, HashSet};
use std::fmt::Display;

/// Reads a schema that stands in a field, an item or a body.
pub(super) fn read(reader: &mut Reader, node: &Node<'_>) -> Option<Schema> {
    let mut fields = reader.fields(node)?;
    let name = fields.require(reader, "type", Reader::text);
    let docs = fields.docs(reader);
    let kind = read_kind(reader, &mut fields, &name?);
    let path = fields.path().to_owned();
    fields.finish(reader);
    Some(Schema {
        path,
        docs,
        kind: kind?,
    })
}

/// Reads what follows from a schema's `type`.
pub(super) fn read_kind(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    name: &str,
) -> Option<SchemaKind> {
    Some(match name {
        "boolean" => SchemaKind::Boolean(boolean(reader, fields)),
        "integer" => SchemaKind::Integer(integer(reader, fields)),
        "string" => SchemaKind::String(string(reader, fields)),
        "bytes" => SchemaKind::Bytes(bytes(reader, fields)),
        "cid-link" => SchemaKind::CidLink,
        "blob" => SchemaKind::Blob(blob(reader, fields)),
        "array" => SchemaKind::Array(array(reader, fields)?),
        "object" => SchemaKind::Object(object(reader, fields)?),
        "ref" => SchemaKind::Ref(fields.require(reader, "ref", Reader::reference)?),
        "union" => SchemaKind::Union(union(reader, fields)?),
        "unknown" => SchemaKind::Unknown,
        "token" | "params" | "permission" | "record" | "query" | "procedure" | "subscription"
        | "permission-set" => {
            reader.fail(
                fields.path(),
                Rule::LexiconSchema,
                format!("{} cannot stand here", a(name)),
            );
            return None;
        }
        unknown => {
            let message = format!("unknown type {}", quote(unknown));
            reader.fail(fields.path(), Rule::SchemaJsonParse, message);
            return None;
        }
    })
}

fn boolean(reader: &mut Reader, fields: &mut Fields<'_>) -> BooleanSchema {
    let default = fields.read(reader, "default", Reader::boolean);
    let constant = fields.read(reader, "const", Reader::boolean);
    refuse_default_and_const(reader, fields, default.is_some() && constant.is_some());
    BooleanSchema { default, constant }
}

fn integer(reader: &mut Reader, fields: &mut Fields<'_>) -> IntegerSchema {
    let minimum = fields.read(reader, "minimum", Reader::integer);
    let maximum = fields.read(reader, "maximum", Reader::integer);
    let values = fields.read(reader, "enum", |r, node| choices(r, node, Reader::integer));
    let default = fields.read(reader, "default", Reader::integer);
    let constant = fields.read(reader, "const", Reader::integer);
    refuse_empty_range(reader, fields, ("minimum", minimum), ("maximum", maximum));
    refuse_default_and_const(reader, fields, default.is_some() && constant.is_some());
    let schema = IntegerSchema {
        minimum,
        maximum,
        values,
        default,
        constant,
    };
    for (key, value) in [("default", default), ("const", constant)] {
        if let Some(value) = value {
            refuse_broken(reader, fields, key, validate::integer(&schema, value));
        }
    }
    for (index, value) in schema.values.iter().flatten().enumerate() {
        let broken = validate::integer_range(&schema, *value);
        refuse_broken(reader, fields, &format!("enum[{index}]"), broken);
    }
    schema
}

fn string(reader: &mut Reader, fields: &mut Fields<'_>) -> StringSchema {
    let format = fields.read(reader, "format", format);
    let (min_length, max_length) = range(reader, fields, "minLength", "maxLength");
    let (min_graphemes, max_graphemes) = range(reader, fields, "minGraphemes", "maxGraphemes");
    let known_values = fields
        .read(reader, "knownValues", Reader::texts)
        .unwrap_or_default();
    let values = fields.read(reader, "enum", |r, node| choices(r, node, Reader::text));
    let default = fields.read(reader, "default", Reader::text);
    let constant = fields.read(reader, "const", Reader::text);
    refuse_default_and_const(reader, fields, default.is_some() && constant.is_some());
    let schema = StringSchema {
        format,
        min_length,
        max_length,
        min_graphemes,
        max_graphemes,
        known_values,
        values,
        default,
        constant,
    };
    for (key, value) in [("default", &schema.default), ("const", &schema.constant)] {
        if let Some(value) = value {
            refuse_broken(reader, fields, key, validate::string(&schema, value));
        }
    }
    for (index, value) in schema.values.iter().flatten().enumerate() {
        let broken = validate::string_form(&schema, value);
        refuse_broken(reader, fields, &format!("enum[{index}]"), broken);
    }
    schema
}

fn format(reader: &mut Reader, node: &Node<'_>) -> Option<Format> {
    let name = reader.text(node)?;
    let format = Format::from_name(&name);
    if format.is_none() {
        let known = Format::ALL.map(Format::name).join(", ");
        let message = format!("unknown format {}; there are {known}", quote(&name));
        reader.fail(&node.path, Rule::LexiconSchema, message);
    }
    format
}

fn bytes(reader: &mut Reader, fields: &mut Fields<'_>) -> BytesSchema {
    let (min_length, max_length) = range(reader, fields, "minLength", "maxLength");
    BytesSchema {
        min_length,
        max_length,
    }
}

fn blob(reader: &mut Reader, fields: &mut Fields<'_>) -> BlobSchema {
    let accept = fields.read(reader, "accept", |r, node| r.list(node, mime::pattern));
    let max_size = fields.read(reader, "maxSize", |reader, node| {
        let size = reader.integer(node)?;
        if size <= 0 {
            reader.fail(
                &node.path,
                Rule::LexiconSchema,
                format!("{size} is no size of a blob"),
            );
        }
        Some(size)
    });
    BlobSchema {
        accept: accept.unwrap_or_default(),
        max_size,
    }
}

fn array(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<ArraySchema> {
    let items = fields.require(reader, "items", read);
    let (min_length, max_length) = range(reader, fields, "minLength", "maxLength");
    Some(ArraySchema {
        items: Box::new(items?),
        min_length,
        max_length,
    })
}

/// Reads the fields of an object that says it is one.
pub(super) fn object(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<ObjectSchema> {
    let mut properties = properties(reader, fields, read)?;
    let nullable = fields
        .read(reader, "nullable", Reader::texts)
        .unwrap_or_default();
    mark(
        reader,
        &mut properties,
        fields,
        "nullable",
        &nullable,
        |property| {
            property.nullable = true;
        },
    );
    Some(ObjectSchema { properties })
}

/// Reads `properties` and `required`, which objects and parameters share.
pub(super) fn properties(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    mut read: impl FnMut(&mut Reader, &Node<'_>) -> Option<Schema>,
) -> Option<Vec<Property>> {
    let required = fields
        .read(reader, "required", Reader::texts)
        .unwrap_or_default();
    // The specification requires the key; published lexicons leave it out where there is nothing.
    let entries = match fields.read(reader, "properties", |reader, node| {
        Some(reader.entries(node))
    }) {
        Some(entries) => entries?,
        None => Vec::new(),
    };
    let properties: Vec<_> = entries
        .into_iter()
        .map(|(name, node)| {
            if name.is_empty() || name.starts_with('$') {
                let message = "a field's name is not empty and does not start with `$`";
                reader.fail(&node.path, Rule::LexiconSchema, message);
            }
            let schema = read(reader, &node)?;
            Some(Property {
                name: name.to_owned(),
                required: false,
                nullable: false,
                schema,
            })
        })
        .collect();
    // A property that is wrong has been reported; as a missing one it would be reported again.
    let mut properties = properties.into_iter().collect::<Option<Vec<_>>>()?;
    mark(
        reader,
        &mut properties,
        fields,
        "required",
        &required,
        |property| {
            property.required = true;
        },
    );
    Some(properties)
}

/// Applies a list of names (`required`, `nullable`) to the properties that it names.
fn mark(
    reader: &mut Reader,
    properties: &mut [Property],
    fields: &Fields<'_>,
    list: &str,
    names: &[String],
    set: impl Fn(&mut Property),
) {
    let mut places = HashMap::new();
    for (place, property) in properties.iter().enumerate() {
        places.insert(property.name.clone(), place);
    }
    for (index, name) in names.iter().enumerate() {
        if let Some(place) = places.get(name) {
            set(&mut properties[*place]);
        } else {
            let path = format!("{}.{list}[{index}]", fields.path());
            let message = format!("there is no property {}", quote(name));
            reader.fail(&path, Rule::LexiconSchema, message);
        }
    }
}

/// Reads a union's variants.
pub(super) fn union(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<UnionSchema> {
    let refs = fields.require(reader, "refs", |r, node| r.list(node, Reader::reference))?;
    let closed = fields
        .read(reader, "closed", Reader::boolean)
        .unwrap_or(false);
    if closed && refs.is_empty() {
        reader.fail(
            fields.path(),
            Rule::LexiconSchema,
            "a closed union has at least one variant",
        );
    }
    Some(UnionSchema { refs, closed })
}

/// The values of an `enum`: at least one, none twice.
fn choices<T: Clone + Eq + std::hash::Hash>(
    reader: &mut Reader,
    node: &Node<'_>,
    read: impl FnMut(&mut Reader, &Node<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let values = reader.list(node, read)?;
    let distinct: HashSet<_> = values.iter().cloned().collect();
    if values.is_empty() {
        reader.fail(&node.path, Rule::LexiconSchema, "no value is allowed");
    } else if distinct.len() < values.len() {
        reader.fail(&node.path, Rule::LexiconSchema, "a value is there twice");
    }
    Some(values)
}

fn range(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    least: &'static str,
    greatest: &'static str,
) -> (Option<usize>, Option<usize>) {
    let minimum = fields.read(reader, least, Reader::count);
    let maximum = fields.read(reader, greatest, Reader::count);
    refuse_empty_range(reader, fields, (least, minimum), (greatest, maximum));
    (minimum, maximum)
}

fn refuse_empty_range<T: PartialOrd + Display>(
    reader: &mut Reader,
    fields: &Fields<'_>,
    (least, minimum): (&str, Option<T>),
    (greatest, maximum): (&str, Option<T>),
) {
    if let (Some(minimum), Some(maximum)) = (minimum, maximum)
        && minimum > maximum
    {
        let message = format!("`{least}` {minimum} is above `{greatest}` {maximum}");
        reader.fail(fields.path(), Rule::LexiconSchema, message);
    }
}

fn refuse_default_and_const(reader: &mut Reader, fields: &Fields<'_>, both: bool) {
    if both {
        let message = "`default` and `const` exclude each other";
        reader.fail(fields.path(), Rule::LexiconSchema, message);
    }
}

/// Refuses a value, at a key of its schema, that breaks the constraints beside it.
fn refuse_broken(
    reader: &mut Reader,
    fields: &Fields<'_>,
    key: &str,
    broken: Vec<(Constraint, String)>,
) {
    for (_, message) in broken {
        let path = format!("{}.{key}", fields.path());
        reader.fail(&path, Rule::LexiconSchema, message);
    }
}
