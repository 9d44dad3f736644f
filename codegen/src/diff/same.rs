//! Whether two schemas take the same data, whatever names it has in them.

use crate::model::{
    Catalog, DefKind, Definition, ObjectSchema, Property, Schema, SchemaKind, UnionSchema,
};
use std::collections::{HashMap, HashSet};
use std::ptr::from_ref;

/// How many references are followed one from another before two schemas count as different.
const MAX_FOLLOWED: usize = 32;

/// An old and a new catalog, and the pairs of schemas that are the same unless a difference is found.
pub(super) struct Sameness<'a> {
    old: &'a Catalog,
    new: &'a Catalog,
    followed: usize,
    // A pair that comes up again is being compared already, or has been.
    assumed: HashSet<(*const Schema, *const Schema)>,
}

impl<'a> Sameness<'a> {
    pub(super) fn new(old: &'a Catalog, new: &'a Catalog) -> Self {
        Self {
            old,
            new,
            followed: 0,
            assumed: HashSet::new(),
        }
    }

    pub(super) fn schemas(&mut self, old: &Schema, new: &Schema) -> bool {
        match (&old.kind, &new.kind) {
            (SchemaKind::Ref(a), SchemaKind::Ref(b)) if a.target == b.target => true,
            (SchemaKind::Ref(_), _) | (_, SchemaKind::Ref(_)) => self.follow(old, new),
            (SchemaKind::Boolean(a), SchemaKind::Boolean(b)) => a == b,
            (SchemaKind::Integer(a), SchemaKind::Integer(b)) => a == b,
            (SchemaKind::String(a), SchemaKind::String(b)) => a == b,
            (SchemaKind::Bytes(a), SchemaKind::Bytes(b)) => a == b,
            (SchemaKind::Blob(a), SchemaKind::Blob(b)) => a == b,
            (SchemaKind::Array(a), SchemaKind::Array(b)) => {
                let bounds = (a.min_length, a.max_length) == (b.min_length, b.max_length);
                bounds && self.schemas(&a.items, &b.items)
            }
            (SchemaKind::Object(a), SchemaKind::Object(b)) => self.objects(a, b),
            (SchemaKind::Union(a), SchemaKind::Union(b)) => unions(a, b),
            (SchemaKind::CidLink, SchemaKind::CidLink)
            | (SchemaKind::Unknown, SchemaKind::Unknown) => true,
            _ => false,
        }
    }

    fn follow(&mut self, old: &Schema, new: &Schema) -> bool {
        let (Some(before), Some(after)) = (data(self.old, old), data(self.new, new)) else {
            return false;
        };
        if !self.assumed.insert((from_ref(before), from_ref(after))) {
            return true;
        }
        if self.followed == MAX_FOLLOWED {
            return false;
        }
        self.followed += 1;
        let same = self.schemas(before, after);
        self.followed -= 1;
        same
    }

    fn objects(&mut self, old: &ObjectSchema, new: &ObjectSchema) -> bool {
        let successors = by_name(&new.properties);
        old.properties.len() == new.properties.len()
            && old.properties.iter().all(|before| {
                successors.get(before.name.as_str()).is_some_and(|after| {
                    before.required == after.required
                        && before.nullable == after.nullable
                        && self.schemas(&before.schema, &after.schema)
                })
            })
    }
}

/// Properties, found by their names.
pub(super) fn by_name(properties: &[Property]) -> HashMap<&str, &Property> {
    properties
        .iter()
        .map(|property| (property.name.as_str(), property))
        .collect()
}

/// What a schema stands for; `None` for what a catalog does not have, and for records: the data of a
/// record says which one it is, so that no other is the same.
fn data<'a>(catalog: &'a Catalog, schema: &'a Schema) -> Option<&'a Schema> {
    let SchemaKind::Ref(reference) = &schema.kind else {
        return Some(schema);
    };
    let Definition {
        kind: DefKind::Type(schema),
        ..
    } = catalog.definition(&reference.target)?
    else {
        return None;
    };
    Some(schema)
}

fn unions(old: &UnionSchema, new: &UnionSchema) -> bool {
    let targets = |union: &UnionSchema| -> HashSet<_> {
        union
            .refs
            .iter()
            .map(|reference| reference.target.clone())
            .collect()
    };
    old.closed == new.closed && targets(old) == targets(new)
}
