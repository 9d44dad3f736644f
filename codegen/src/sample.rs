//! Values made to fit a schema, and values broken in exactly one place: what property tests of
//! generated code feed on.
//!
//! No randomness of its own: whoever calls passes a stream of numbers, so that a failure can be
//! repeated from its seed.

mod mutation;
mod text;

pub use self::mutation::{Mutation, mutations};

use crate::model::{
    ArraySchema, BlobSchema, BooleanSchema, BytesSchema, Catalog, DefId, DefKind, IntegerSchema,
    Property, Schema, SchemaKind, UnionSchema,
};
use crate::resolve::ranks;
use crate::validate::Against;
use huddle_syntax::{Blob, Bytes, CidLink, Map, Value, data};
use std::collections::BTreeMap;

/// How deep values nest before only what is required is added.
const COMFORTABLE_DEPTH: usize = 6;

/// How many parts a value has before only what is required is added.
const COMFORTABLE_SIZE: usize = 80;

/// The most parts that a value has at all: a schema may require more than there is memory for.
const MOST_PARTS: usize = 100_000;

/// The longest string or byte string that is made, however long it is required to be.
const LONGEST: usize = 1 << 16;

/// The most characters, bytes or items that are added beyond what is required.
const GENEROUS_LENGTH: usize = 24;

/// Makes values that satisfy a schema.
#[derive(Clone, Debug)]
pub struct Sampler<'a> {
    catalog: &'a Catalog,
    /// The definitions that have a value, ranked: what one requires ranks before it.
    ranks: BTreeMap<DefId, usize>,
}

impl<'a> Sampler<'a> {
    /// A sampler over the definitions of a catalog. This looks at all of them: make one, and use it often.
    pub fn new(catalog: &'a Catalog) -> Self {
        Self {
            catalog,
            ranks: ranks(catalog),
        }
    }

    /// The catalog whose definitions it samples.
    pub const fn catalog(&self) -> &'a Catalog {
        self.catalog
    }

    /// A value that satisfies what it would be checked against; `None` if there is none, or none that
    /// could be found: what is no type of data, refers to what is not there, contradicts itself,
    /// requires more levels than the data model has, or is very large.
    ///
    /// `random` gives numbers that are spread evenly; the same numbers give the same value.
    pub fn sample(&self, against: Against<'_>, random: &mut impl FnMut() -> u64) -> Option<Value> {
        let mut sampling = Sampling {
            sampler: self,
            parts: 0,
            random,
        };
        match against {
            Against::Definition(id) => sampling.definition(id, 0),
            Against::Schema(schema) => sampling.schema(schema, 0),
            Against::Union(union) => sampling.union(union, 0),
            Against::Params(params) => sampling.object(&params.properties, 0, None).map(Value::Map),
        }
    }
}

/// A value on its way.
struct Sampling<'a, R> {
    sampler: &'a Sampler<'a>,
    /// How many parts it has so far.
    parts: usize,
    random: &'a mut R,
}

impl<R: FnMut() -> u64> Sampling<'_, R> {
    /// Whether a value may grow beyond what is required of it.
    const fn comfortable(&self, depth: usize) -> bool {
        depth < COMFORTABLE_DEPTH && self.parts < COMFORTABLE_SIZE
    }

    /// A number below `bound`, which is not 0.
    fn below(&mut self, bound: usize) -> usize {
        // The bias of the remainder is of no concern for test data.
        usize::try_from((self.random)() % bound as u64).unwrap_or(0)
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<'i, T>(&mut self, items: &'i [T]) -> Option<&'i T> {
        if items.is_empty() {
            None
        } else {
            items.get(self.below(items.len()))
        }
    }

    /// A length within bounds: the bounds themselves, and what is near the lower one.
    fn length(&mut self, least: Option<usize>, most: Option<usize>) -> usize {
        let least = least.unwrap_or(0);
        let most = most.unwrap_or(usize::MAX);
        let near = least.saturating_add(GENEROUS_LENGTH).min(most);
        match self.below(8) {
            0 => least,
            // The upper bound is worth meeting where it is not absurdly far.
            1 if most <= 4096 => most,
            _ => least + self.below(near - least + 1),
        }
    }

    fn definition(&mut self, id: &DefId, depth: usize) -> Option<Value> {
        // Before anything else, because without any value the recursion would not end.
        self.sampler.ranks.get(id)?;
        match &self.sampler.catalog.definition(id)?.kind {
            DefKind::Record(record) => self
                .object(&record.object.properties, depth, Some(id))
                .map(Value::Map),
            DefKind::Type(schema) => self.schema(schema, depth),
            _ => None,
        }
    }

    fn schema(&mut self, schema: &Schema, depth: usize) -> Option<Value> {
        if depth > data::MAX_DEPTH || self.parts > MOST_PARTS {
            return None;
        }
        self.parts += 1;
        Some(match &schema.kind {
            SchemaKind::Boolean(schema) => Value::Bool(self.boolean(schema)),
            SchemaKind::Integer(schema) => Value::Integer(self.integer(schema)),
            SchemaKind::String(schema) => Value::String(self.string(schema)?),
            SchemaKind::Bytes(schema) => Value::Bytes(self.bytes(schema)?),
            SchemaKind::CidLink => Value::Link(self.link()),
            SchemaKind::Blob(schema) => self.blob(schema)?,
            SchemaKind::Array(schema) => self.array(schema, depth)?,
            SchemaKind::Object(object) => {
                Value::Map(self.object(&object.properties, depth, None)?)
            }
            SchemaKind::Ref(reference) => self.definition(&reference.target, depth)?,
            SchemaKind::Union(union) => self.union(union, depth)?,
            SchemaKind::Unknown => Value::Map(self.unknown_object()),
        })
    }

    fn boolean(&mut self, schema: &BooleanSchema) -> bool {
        schema.constant.unwrap_or_else(|| self.one_in(2))
    }

    fn integer(&mut self, schema: &IntegerSchema) -> i64 {
        if let Some(constant) = schema.constant {
            return constant;
        }
        if let Some(value) = self.pick(schema.values.as_deref().unwrap_or_default()) {
            return *value;
        }
        let least = schema.minimum.unwrap_or(i64::MIN);
        let most = schema.maximum.unwrap_or(i64::MAX);
        let any = (self.random)().cast_signed();
        let edges = [least, most, 0, 1, -1, schema.default.unwrap_or(0)];
        match self.below(3) {
            0 => edges[self.below(edges.len())].clamp(least, most),
            1 => any.clamp(least, most),
            _ => (any % 1000).clamp(least, most),
        }
    }

    fn bytes(&mut self, schema: &BytesSchema) -> Option<Bytes> {
        let length = self.length(schema.min_length, schema.max_length);
        let bytes = (0..length).map(|_| (self.random)().to_le_bytes()[0]);
        (length <= LONGEST).then(|| bytes.collect::<Vec<_>>().into())
    }

    fn link(&mut self) -> CidLink {
        let seed = (self.random)().to_le_bytes();
        if self.one_in(2) {
            CidLink::of_cbor(&seed)
        } else {
            CidLink::of_raw(&seed)
        }
    }

    fn blob(&mut self, schema: &BlobSchema) -> Option<Value> {
        let any = ["*/*".to_owned()];
        let accept = if schema.accept.is_empty() {
            &any
        } else {
            schema.accept.as_slice()
        };
        let pattern = self.pick(accept)?.clone();
        let family = pattern.strip_suffix("/*");
        let mime_type = match family {
            Some("*") => "application/octet-stream".to_owned(),
            Some(family) => format!("{family}/x-sample"),
            None => pattern,
        };
        let most = schema.max_size.unwrap_or(i64::MAX);
        let size = match self.below(3) {
            0 => 1,
            1 => most,
            _ => (self.random)().cast_signed().checked_abs().unwrap_or(1) % most + 1,
        };
        let blob = Blob {
            cid: self.link(),
            mime_type,
            size: size.clamp(1, most),
        };
        data::to_value(&blob).ok()
    }

    fn array(&mut self, schema: &ArraySchema, depth: usize) -> Option<Value> {
        let least = schema.min_length.unwrap_or(0);
        let most = schema.max_length.unwrap_or(usize::MAX);
        let length = match self.comfortable(depth) {
            true if most <= 64 && self.one_in(8) => most,
            true => least + self.below(3.min(most - least) + 1),
            false => least,
        };
        let items = (0..length).map(|_| self.schema(&schema.items, depth + 1));
        match items.collect() {
            Some(items) => Some(Value::List(items)),
            // No item can be made, but none is needed.
            None => (least == 0).then(|| Value::List(Vec::new())),
        }
    }

    fn object(
        &mut self,
        properties: &[Property],
        depth: usize,
        tag: Option<&DefId>,
    ) -> Option<Map> {
        let mut map = Map::new();
        for Property {
            name,
            required,
            nullable,
            schema,
        } in properties
        {
            let wanted = *required || (self.comfortable(depth) && !self.one_in(3));
            if !wanted {
                continue;
            }
            if *nullable && (!self.comfortable(depth) || self.one_in(3)) {
                map.insert(name, Value::Null);
                continue;
            }
            match self.schema(schema, depth + 1) {
                Some(value) => drop(map.insert(name, value)),
                None if *nullable => drop(map.insert(name, Value::Null)),
                None if *required => return None,
                None => {}
            }
        }
        if depth < 2 && self.one_in(4) {
            self.add_unknown_field(&mut map, properties);
        }
        if let Some(id) = tag {
            map.insert("$type", id.to_string().into());
        }
        Some(map)
    }

    fn add_unknown_field(&mut self, map: &mut Map, properties: &[Property]) {
        let name = ["unknownToUs", "x", "zz-later", "Übung"][self.below(4)];
        if properties.iter().all(|property| property.name != name) {
            let value = self.unknown_value(0);
            map.insert(name, value);
        }
    }

    fn union(&mut self, union: &UnionSchema, depth: usize) -> Option<Value> {
        let possible = |id: &DefId| self.sampler.ranks.get(id).copied();
        let mut variants: Vec<(usize, &DefId)> = union
            .refs
            .iter()
            .filter_map(|reference| Some((possible(&reference.target)?, &reference.target)))
            .collect();
        if !self.comfortable(depth) {
            // The way to the end leads to ever lower ranks.
            variants.sort();
            variants.truncate(1);
        }
        let unknown = !union.closed && (variants.is_empty() || self.one_in(5));
        if unknown {
            return Some(Value::Map(self.unknown_member(union)));
        }
        let (_, id) = *self.pick(&variants)?;
        let Value::Map(mut map) = self.definition(id, depth)? else {
            return None;
        };
        map.insert("$type", id.to_string().into());
        Some(Value::Map(map))
    }

    /// A member of an open union that no lexicon at hand names.
    fn unknown_member(&mut self, union: &UnionSchema) -> Map {
        let names = [
            "com.example.later",
            "com.example.later#thing",
            "not even an NSID",
        ];
        let name = names[self.below(names.len())];
        let mut map = self.unknown_object();
        let taken = union
            .refs
            .iter()
            .any(|reference| reference.target.to_string() == name);
        let name = if taken {
            "com.example.laterStill"
        } else {
            name
        };
        map.insert("$type", name.into());
        map
    }

    fn unknown_object(&mut self) -> Map {
        let mut map = Map::new();
        for name in ["a", "text", "nested"] {
            if self.one_in(2) {
                map.insert(name, self.unknown_value(0));
            }
        }
        map
    }

    /// Anything of the data model.
    fn unknown_value(&mut self, depth: usize) -> Value {
        match self.below(if depth < 2 { 8 } else { 6 }) {
            0 => Value::Null,
            1 => Value::Bool(true),
            2 => Value::Integer((self.random)().cast_signed()),
            3 => "né 🇩🇪".into(),
            4 => Value::Bytes(vec![0, 255].into()),
            5 => Value::Link(self.link()),
            6 => Value::List(vec![self.unknown_value(depth + 1)]),
            _ => Value::Map([("inner", self.unknown_value(depth + 1))].into()),
        }
    }
}
