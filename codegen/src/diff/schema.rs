//! Types of data side by side.

use super::effect::Effect;
use super::same::{Sameness, by_name};
use super::{Change, Comparison, Direction, Impact};
use crate::model::{
    ArraySchema, BlobSchema, BooleanSchema, BytesSchema, Format, IntegerSchema, ObjectSchema,
    Property, Reference, Schema, SchemaKind, StringSchema, UnionSchema,
};
use std::fmt::Display;

impl Comparison<'_> {
    pub(super) fn schema(&mut self, old: &Schema, new: &Schema) {
        let path = new.path.as_str();
        match (&old.kind, &new.kind) {
            (SchemaKind::Boolean(a), SchemaKind::Boolean(b)) => self.boolean(path, a, b),
            (SchemaKind::Integer(a), SchemaKind::Integer(b)) => self.integer(path, a, b),
            (SchemaKind::String(a), SchemaKind::String(b)) => self.string(path, a, b),
            (SchemaKind::Bytes(a), SchemaKind::Bytes(b)) => self.bytes(path, a, b),
            (SchemaKind::Blob(a), SchemaKind::Blob(b)) => self.blob(path, a, b),
            (SchemaKind::Array(a), SchemaKind::Array(b)) => self.array(path, a, b),
            (SchemaKind::Object(a), SchemaKind::Object(b)) => self.object(path, a, b),
            (SchemaKind::Union(a), SchemaKind::Union(b)) => {
                self.union(Change::UnionOpenRefs, path, a, b);
            }
            (SchemaKind::CidLink, SchemaKind::CidLink)
            | (SchemaKind::Unknown, SchemaKind::Unknown) => {}
            (SchemaKind::Ref(a), SchemaKind::Ref(b)) if a.target == b.target => {}
            (SchemaKind::Ref(_), _) | (_, SchemaKind::Ref(_)) => self.reference(old, new),
            (a, b) => self.report(Change::TypeChange, path, Effect::BOTH, a.name(), b.name()),
        }
    }

    /// A reference that leads elsewhere, or stands where none stood: what matters is whether the data
    /// is the same.
    fn reference(&mut self, old: &Schema, new: &Schema) {
        let path = new.path.as_str();
        let (before, after) = (describe(old), describe(new));
        if Sameness::new(self.old, self.new).schemas(old, new) {
            self.note(Change::RefChange, path, Effect::BOTH, before, after);
        } else if let (SchemaKind::Ref(_), SchemaKind::Ref(_)) = (&old.kind, &new.kind) {
            self.report(Change::RefChange, path, Effect::BOTH, before, after);
        } else {
            self.report(Change::TypeChange, path, Effect::BOTH, before, after);
        }
    }

    fn boolean(&mut self, path: &str, old: &BooleanSchema, new: &BooleanSchema) {
        self.constant(path, old.constant.as_ref(), new.constant.as_ref());
    }

    fn integer(&mut self, path: &str, old: &IntegerSchema, new: &IntegerSchema) {
        self.constant(path, old.constant.as_ref(), new.constant.as_ref());
        self.values(path, old.values.as_deref(), new.values.as_deref());
        let effect = Effect::of_least(old.minimum, new.minimum)
            .and(Effect::of_most(old.maximum, new.maximum));
        let say = |schema: &IntegerSchema| range(schema.minimum, schema.maximum, "");
        let (old, new) = (say(old), say(new));
        self.report(Change::IntegerRange, path, effect, old, new);
    }

    fn string(&mut self, path: &str, old: &StringSchema, new: &StringSchema) {
        self.constant(path, old.constant.as_ref(), new.constant.as_ref());
        self.values(path, old.values.as_deref(), new.values.as_deref());
        self.lengths(
            Change::StringLength,
            path,
            (old.min_length, old.max_length),
            (new.min_length, new.max_length),
            "bytes",
        );
        self.lengths(
            Change::StringLength,
            path,
            (old.min_graphemes, old.max_graphemes),
            (new.min_graphemes, new.max_graphemes),
            "graphemes",
        );
        let say = |format: Option<Format>| format.map_or("no format", Format::name);
        let effect = format_effect(old.format, new.format);
        self.report(
            Change::StringFormat,
            path,
            effect,
            say(old.format),
            say(new.format),
        );
    }

    fn bytes(&mut self, path: &str, old: &BytesSchema, new: &BytesSchema) {
        let (a, b) = (
            (old.min_length, old.max_length),
            (new.min_length, new.max_length),
        );
        self.lengths(Change::BytesLength, path, a, b, "bytes");
    }

    fn blob(&mut self, path: &str, old: &BlobSchema, new: &BlobSchema) {
        let any = ["*/*".to_owned()];
        let patterns = |blob: &BlobSchema| match blob.accept.as_slice() {
            [] => any.to_vec(),
            accept => accept.to_vec(),
        };
        let (before, after) = (patterns(old), patterns(new));
        let effect = Effect::of_mime_patterns(&before, &after);
        self.report(
            Change::BlobAccept,
            path,
            effect,
            list(&before),
            list(&after),
        );
        let effect = Effect::of_most(old.max_size, new.max_size);
        let say = |blob: &BlobSchema| range(None, blob.max_size, "bytes");
        self.report(Change::BlobSize, path, effect, say(old), say(new));
    }

    fn array(&mut self, path: &str, old: &ArraySchema, new: &ArraySchema) {
        let (a, b) = (
            (old.min_length, old.max_length),
            (new.min_length, new.max_length),
        );
        self.lengths(Change::ArrayLength, path, a, b, "items");
        self.schema(&old.items, &new.items);
    }

    pub(super) fn object(&mut self, path: &str, old: &ObjectSchema, new: &ObjectSchema) {
        let (old, new) = (&old.properties, &new.properties);
        self.required(Change::ObjectRequired, path, old, new);
        self.nullable(path, old, new);
        self.properties(old, new);
    }

    pub(super) fn properties(&mut self, old: &[Property], new: &[Property]) {
        let successors = by_name(new);
        for before in old {
            if let Some(after) = successors.get(before.name.as_str()) {
                self.schema(&before.schema, &after.schema);
            }
        }
    }

    /// Fields that must be there: a new one is missing in what exists, one that is no longer required
    /// is missed by who knows the old version.
    pub(super) fn required(
        &mut self,
        rule: Change,
        path: &str,
        old: &[Property],
        new: &[Property],
    ) {
        let names = |properties: &[Property]| -> Vec<String> {
            properties
                .iter()
                .filter(|p| p.required)
                .map(|p| p.name.clone())
                .collect()
        };
        let (old, new) = (names(old), names(new));
        let effect = Effect::of_sets(&new, &old);
        self.report(rule, path, effect, list(&old), list(&new));
    }

    fn nullable(&mut self, path: &str, old: &[Property], new: &[Property]) {
        // Only fields that both have: a field that comes or goes is no change of what may be null.
        let names = |some: &[Property], others: &[Property]| -> Vec<String> {
            let others = by_name(others);
            let shared = some.iter().filter(|p| others.contains_key(p.name.as_str()));
            shared
                .filter(|p| p.nullable)
                .map(|p| p.name.clone())
                .collect()
        };
        let (old, new) = (names(old, new), names(new, old));
        let effect = Effect::of_sets(&old, &new);
        self.report(Change::ObjectNullable, path, effect, list(&old), list(&new));
    }

    /// `lost` is the rule for variants that an open union no longer names.
    pub(super) fn union(&mut self, lost: Change, path: &str, old: &UnionSchema, new: &UnionSchema) {
        let effect = Effect::of_restriction(old.closed, new.closed);
        let say = |closed: bool| if closed { "closed" } else { "open" };
        let (before, after) = (say(old.closed), say(new.closed));
        self.report(Change::UnionOpenClosed, path, effect, before, after);
        let names = |union: &UnionSchema| -> Vec<String> {
            union
                .refs
                .iter()
                .map(|Reference { target, .. }| target.to_string())
                .collect()
        };
        let (before, after) = (names(old), names(new));
        let effect = Effect::of_sets(&before, &after);
        if old.closed && new.closed {
            self.report(
                Change::UnionClosedRefs,
                path,
                effect,
                list(&before),
                list(&after),
            );
        } else if effect.narrows {
            // The specification forbids it outright: what exists is no longer described by anything.
            let (before, after) = (list(&before), list(&after));
            self.push(
                lost,
                path,
                Direction::Backward,
                Impact::Breaking,
                &before,
                &after,
            );
        }
    }

    fn constant<T: Ord + Display>(&mut self, path: &str, old: Option<&T>, new: Option<&T>) {
        let effect = Effect::of_values(
            old.map(|value| [value]).as_ref().map(<[_; 1]>::as_slice),
            new.map(|value| [value]).as_ref().map(<[_; 1]>::as_slice),
        );
        let say = |value: Option<&T>| value.map_or("any value".to_owned(), ToString::to_string);
        self.report(Change::ConstValue, path, effect, say(old), say(new));
    }

    fn values<T: Ord + Display>(&mut self, path: &str, old: Option<&[T]>, new: Option<&[T]>) {
        let effect = Effect::of_values(old, new);
        let say = |values: Option<&[T]>| values.map_or("any value".to_owned(), list);
        self.report(Change::EnumValues, path, effect, say(old), say(new));
    }

    fn lengths(
        &mut self,
        rule: Change,
        path: &str,
        old: (Option<usize>, Option<usize>),
        new: (Option<usize>, Option<usize>),
        unit: &str,
    ) {
        // No length is below 0, with or without a bound.
        let effect = Effect::of_least(old.0.unwrap_or(0).into(), new.0.unwrap_or(0).into())
            .and(Effect::of_most(old.1, new.1));
        let say = |(least, most): (Option<usize>, Option<usize>)| range(least, most, unit);
        self.report(rule, path, effect, say(old), say(new));
    }
}

fn describe(schema: &Schema) -> String {
    match &schema.kind {
        SchemaKind::Ref(reference) => format!("ref {}", reference.target),
        kind => kind.name().to_owned(),
    }
}

/// What one format's texts are to another's.
fn format_effect(old: Option<Format>, new: Option<Format>) -> Effect {
    let within = |inner: Format, outer: Format| {
        matches!(
            (inner, outer),
            (Format::Did | Format::Handle, Format::AtIdentifier)
                | (Format::Did | Format::AtUri, Format::Uri)
                | (Format::Tid | Format::Nsid, Format::RecordKey)
        )
    };
    match (old, new) {
        (old, new) if old == new => Effect::default(),
        (None, _) => Effect::NARROWS,
        (_, None) => Effect::WIDENS,
        (Some(old), Some(new)) if within(old, new) => Effect::WIDENS,
        (Some(old), Some(new)) if within(new, old) => Effect::NARROWS,
        _ => Effect::BOTH,
    }
}

pub(super) fn list<T: Display>(items: &[T]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn range<T: Display>(least: Option<T>, most: Option<T>, unit: &str) -> String {
    let bounds = match (least, most) {
        (None, None) => return "no bound".to_owned(),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (Some(least), Some(most)) => format!("{least} to {most}"),
    };
    if unit.is_empty() {
        bounds
    } else {
        format!("{bounds} {unit}")
    }
}
