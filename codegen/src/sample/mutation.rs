//! Values that break one constraint each.

use super::LONGEST;
use super::text::grapheme;
use crate::model::{
    ArraySchema, BlobSchema, BytesSchema, Catalog, DefId, DefKind, IntegerSchema, Property, Schema,
    SchemaKind, StringSchema, UnionSchema,
};
use crate::validate::{Against, Constraint, violations};
use huddle_syntax::{Map, Value};
use std::collections::HashSet;

/// A value that breaks one constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// Where, in the form of [`Violation::path`](crate::validate::Violation::path).
    pub path: String,
    /// Which constraint.
    pub constraint: Constraint,
    /// The whole value.
    pub value: Value,
}

/// Ways to break a valid value: each result breaks exactly one constraint at exactly one place, and
/// differs from the value only there.
///
/// A constraint is left out where nothing was found that breaks it alone.
pub fn mutations<'a>(
    catalog: &'a Catalog,
    against: Against<'a>,
    value: &'a Value,
) -> impl Iterator<Item = Mutation> + 'a {
    let mut search = Search {
        catalog,
        path: Vec::new(),
        found: Vec::new(),
    };
    match against {
        Against::Definition(id) => search.definition(id, value),
        Against::Schema(schema) => search.schema(schema, value),
        Against::Union(union) => search.union(union, value),
        Against::Params(params) => search.properties(&params.properties, value),
    }
    search.found.into_iter().filter_map(move |candidate| {
        let mutation = candidate.apply(value)?;
        let broken = violations(catalog, against, &mutation.value);
        let [only] = broken.as_slice() else {
            return None;
        };
        (only.path == mutation.path && only.constraint == mutation.constraint).then_some(mutation)
    })
}

/// A change that may break a constraint, alone or along with others.
struct Candidate {
    /// The steps to what changes.
    path: Vec<Step>,
    /// What it changes into; nothing, if it goes.
    new: Option<Value>,
    constraint: Constraint,
}

#[derive(Clone)]
enum Step {
    Field(String),
    Item(usize),
}

impl Candidate {
    fn apply(self, value: &Value) -> Option<Mutation> {
        let mut value = value.clone();
        let path: Vec<_> = self.path.iter().map(Step::name).collect();
        match (self.new, self.path.split_last()) {
            (Some(new), None) => value = new,
            (Some(new), Some((Step::Field(name), above))) => {
                drop(fields(descend(&mut value, above)?)?.insert(name, new));
            }
            (Some(new), Some(_)) => *descend(&mut value, &self.path)? = new,
            (None, Some((Step::Field(name), above))) => {
                fields(descend(&mut value, above)?)?.remove(name)?;
            }
            (None, _) => return None,
        }
        Some(Mutation {
            path: path.join("/"),
            constraint: self.constraint,
            value,
        })
    }
}

impl Step {
    fn name(&self) -> String {
        match self {
            Self::Field(name) => name.clone(),
            Self::Item(index) => index.to_string(),
        }
    }
}

fn descend<'v>(value: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter()
        .try_fold(value, |value, step| match (value, step) {
            (Value::Map(map), Step::Field(name)) => map.get_mut(name),
            (Value::List(items), Step::Item(index)) => items.get_mut(*index),
            _ => None,
        })
}

fn fields(value: &mut Value) -> Option<&mut Map> {
    match value {
        Value::Map(map) => Some(map),
        _ => None,
    }
}

/// Walks a value along its schema and collects what could be changed.
struct Search<'a> {
    catalog: &'a Catalog,
    path: Vec<Step>,
    found: Vec<Candidate>,
}

impl Search<'_> {
    fn set(&mut self, constraint: Constraint, new: impl Into<Value>) {
        self.found.push(Candidate {
            path: self.path.clone(),
            new: Some(new.into()),
            constraint,
        });
    }

    fn set_field(&mut self, name: &str, constraint: Constraint, new: impl Into<Value>) {
        self.at(Step::Field(name.to_owned()), |search| {
            search.set(constraint, new);
        });
    }

    fn remove_field(&mut self, name: &str, constraint: Constraint) {
        let mut path = self.path.clone();
        path.push(Step::Field(name.to_owned()));
        self.found.push(Candidate {
            path,
            new: None,
            constraint,
        });
    }

    fn at(&mut self, step: Step, search: impl FnOnce(&mut Self)) {
        self.path.push(step);
        search(self);
        self.path.pop();
    }

    fn definition(&mut self, id: &DefId, value: &Value) {
        match self
            .catalog
            .definition(id)
            .map(|definition| &definition.kind)
        {
            Some(DefKind::Record(record)) => {
                self.remove_field("$type", Constraint::Tag);
                self.set_field("$type", Constraint::Tag, "com.example.another");
                self.properties(&record.object.properties, value);
            }
            Some(DefKind::Type(schema)) => self.schema(schema, value),
            _ => {}
        }
    }

    fn schema(&mut self, schema: &Schema, value: &Value) {
        match &schema.kind {
            SchemaKind::Boolean(schema) => {
                self.set(Constraint::Type, 1);
                if let Some(constant) = schema.constant {
                    self.set(Constraint::Const, !constant);
                }
            }
            SchemaKind::Integer(schema) => self.integer(schema),
            SchemaKind::String(schema) => self.string(schema, value),
            SchemaKind::Bytes(schema) => self.bytes(schema),
            SchemaKind::CidLink => {
                self.set(
                    Constraint::Type,
                    "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a",
                );
                self.set(Constraint::Type, Value::Bytes(vec![1].into()));
            }
            SchemaKind::Blob(schema) => self.blob(schema, value),
            SchemaKind::Array(schema) => self.array(schema, value),
            SchemaKind::Object(object) => self.properties(&object.properties, value),
            SchemaKind::Ref(reference) => self.definition(&reference.target, value),
            SchemaKind::Union(union) => self.union(union, value),
            SchemaKind::Unknown => {
                self.set(Constraint::Type, true);
                self.set(Constraint::Type, Value::List(Vec::new()));
            }
        }
    }

    fn integer(&mut self, schema: &IntegerSchema) {
        self.set(Constraint::Type, "1");
        if let Some(below) = schema.minimum.and_then(|n| n.checked_sub(1)) {
            self.set(Constraint::Minimum, below);
        }
        if let Some(above) = schema.maximum.and_then(|n| n.checked_add(1)) {
            self.set(Constraint::Maximum, above);
        }
        let inside = schema.minimum.unwrap_or(0)..=schema.maximum.unwrap_or(i64::MAX);
        if let Some(values) = &schema.values {
            let values: HashSet<_> = values.iter().collect();
            // One of so many is none of them.
            let mut others = inside.clone().take(values.len() + 1);
            if let Some(other) = others.find(|n| !values.contains(n)) {
                self.set(Constraint::Enum, other);
            }
        }
        if let Some(constant) = schema.constant
            && let Some(other) = inside.take(2).find(|n| *n != constant)
        {
            self.set(Constraint::Const, other);
        }
    }

    fn string(&mut self, schema: &StringSchema, value: &Value) {
        self.set(Constraint::Type, 1);
        let Value::String(text) = value else { return };
        let bytes = |least: usize| least.max(schema.min_length.unwrap_or(0));
        let graphemes = schema.min_graphemes.unwrap_or(1).max(1);
        if let Some(least) = schema.min_length.filter(|n| (1..LONGEST).contains(n)) {
            self.set(
                Constraint::MinLength,
                text_of(graphemes.min(least - 1), least - 1),
            );
        }
        if let Some(most) = schema.max_length.filter(|n| *n < LONGEST) {
            self.set(Constraint::MaxLength, text_of(graphemes, most + 1));
            // What has a format may keep it as it grows.
            let more = (most + 1).saturating_sub(text.len());
            self.set(Constraint::MaxLength, format!("{text}{}", "a".repeat(more)));
        }
        if let Some(least) = schema.min_graphemes.filter(|n| (1..LONGEST).contains(n)) {
            let size = if least == 1 { 0 } else { bytes(least - 1) };
            self.set(Constraint::MinGraphemes, text_of(least - 1, size));
        }
        if let Some(most) = schema.max_graphemes.filter(|n| *n < LONGEST) {
            self.set(Constraint::MaxGraphemes, text_of(most + 1, bytes(most + 1)));
        }
        if schema.format.is_some() {
            for wrong in ["", "!", "\u{7f}", "{} {}"] {
                self.set(Constraint::Format, wrong.to_owned() + &" ".repeat(bytes(0)));
            }
        }
        let other = text_of(graphemes, bytes(graphemes));
        for constraint in [
            schema.values.as_ref().map(|_| Constraint::Enum),
            schema.constant.as_ref().map(|_| Constraint::Const),
        ]
        .into_iter()
        .flatten()
        {
            self.set(constraint, other.clone());
            self.set(constraint, format!("{text}x"));
        }
    }

    fn bytes(&mut self, schema: &BytesSchema) {
        self.set(Constraint::Type, "AQI");
        self.set(Constraint::Type, Value::Map(Map::new()));
        if let Some(least) = schema.min_length.filter(|n| (1..LONGEST).contains(n)) {
            self.set(
                Constraint::MinLength,
                Value::Bytes(vec![7; least - 1].into()),
            );
        }
        if let Some(most) = schema.max_length.filter(|n| *n < LONGEST) {
            self.set(
                Constraint::MaxLength,
                Value::Bytes(vec![7; most + 1].into()),
            );
        }
    }

    fn blob(&mut self, schema: &BlobSchema, value: &Value) {
        self.set(Constraint::Type, "blob");
        self.set(Constraint::Type, Value::Map([("a", Value::from(1))].into()));
        let Value::Map(blob) = value else { return };
        // A blob is one value: what is wrong with a part of it is wrong with the blob.
        let with = |name: &str, new: Value| {
            let mut blob = blob.clone();
            blob.insert(name, new);
            Value::Map(blob)
        };
        if !schema.accept.is_empty() {
            self.set(
                Constraint::Accept,
                with("mimeType", "x-sample/none-of-them".into()),
            );
        }
        if let Some(above) = schema.max_size.and_then(|n| n.checked_add(1)) {
            self.set(Constraint::MaxSize, with("size", above.into()));
        }
    }

    fn array(&mut self, schema: &ArraySchema, value: &Value) {
        self.set(Constraint::Type, true);
        let Value::List(items) = value else { return };
        if let Some(least) = schema.min_length.filter(|n| (1..LONGEST).contains(n)) {
            let short: Vec<_> = items.iter().take(least - 1).cloned().collect();
            self.set(Constraint::MinLength, short);
        }
        if let (Some(most), Some(last)) = (schema.max_length.filter(|n| *n < LONGEST), items.last())
        {
            let mut long = items.clone();
            long.resize(most + 1, last.clone());
            self.set(Constraint::MaxLength, long);
        }
        for (index, item) in items.iter().enumerate() {
            self.at(Step::Item(index), |search| {
                search.schema(&schema.items, item);
            });
        }
    }

    fn properties(&mut self, properties: &[Property], value: &Value) {
        self.set(Constraint::Type, true);
        let Value::Map(map) = value else { return };
        for Property {
            name,
            required,
            nullable,
            schema,
        } in properties
        {
            let Some(value) = map.get(name) else { continue };
            if *required {
                self.remove_field(name, Constraint::Required);
            }
            if !nullable {
                self.set_field(name, Constraint::Type, Value::Null);
            }
            if *value != Value::Null {
                self.at(Step::Field(name.clone()), |search| {
                    search.schema(schema, value);
                });
            }
        }
    }

    fn union(&mut self, union: &UnionSchema, value: &Value) {
        self.set(Constraint::Type, true);
        let Value::Map(map) = value else { return };
        self.remove_field("$type", Constraint::Tag);
        if union.closed {
            self.set_field("$type", Constraint::Tag, "com.example.another");
        }
        let Some(Value::String(tag)) = map.get("$type") else {
            return;
        };
        if let Some(variant) = union
            .refs
            .iter()
            .find(|variant| variant.target.to_string() == *tag)
        {
            self.definition(&variant.target, value);
        }
    }
}

/// A text of so many graphemes and bytes; as many graphemes as bytes, if there are too few bytes.
fn text_of(graphemes: usize, bytes: usize) -> String {
    let graphemes = graphemes.min(bytes);
    if graphemes == 0 {
        return String::new();
    }
    "a".repeat(graphemes - 1) + &grapheme(bytes - graphemes + 1)
}
