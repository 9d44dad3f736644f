//! Holds generated types against their lexicons: what is valid must survive a rewrite unchanged, and
//! what is broken must be refused for that very reason.

use crate::model::{
    self, Body, Catalog, DefId, DefKind, Document, Params, Property, Schema, SchemaKind,
    UnionSchema,
};
use crate::sample::{Mutation, Sampler, mutations};
use crate::validate::{Against, Constraint};
use huddle_syntax::schema::{Codec, Definition, Invalid, QueryWriter};
use huddle_syntax::{Nsid, Value, data};

/// How much was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Values that survived.
    pub values: usize,
    /// Broken values that were refused.
    pub mutations: usize,
}

/// Where a generated type and its lexicon disagree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{nsid} {path}: {problem}")]
pub struct Disagreement {
    /// The lexicon.
    pub nsid: String,
    /// The JSON path of the schema.
    pub path: String,
    /// What was expected, and what happened.
    pub problem: String,
}

/// Tries a generated type with `count` sampled values, and with each of them broken in every way that
/// [`mutations`] finds. Nothing is tried where a schema has no value at all.
///
/// The lexicons are those of the sampler. The same seed gives the same values.
pub fn prove(
    sampler: &Sampler<'_>,
    definition: &Definition,
    count: usize,
    seed: u64,
) -> Result<Tally, Disagreement> {
    let mut random = numbers(seed);
    let disagreement = |problem: String| Disagreement {
        nsid: definition.nsid.to_owned(),
        path: definition.path.to_owned(),
        problem,
    };
    let catalog = sampler.catalog();
    let place = Place::find(catalog, definition.nsid, definition.path)
        .ok_or_else(|| disagreement("there is no such schema".to_owned()))?;
    let mut tally = Tally::default();
    for _ in 0..count {
        let Some(value) = sampler.sample(place.against(), &mut random) else {
            break;
        };
        prove_value(catalog, &definition.codec, &place, &value, &mut tally)
            .map_err(|problem| disagreement(format!("{problem}\nof {value:?}")))?;
    }
    Ok(tally)
}

fn prove_value(
    catalog: &Catalog,
    codec: &Codec,
    place: &Place<'_>,
    value: &Value,
    tally: &mut Tally,
) -> Result<(), String> {
    match (codec, place) {
        (
            Codec::Data {
                cbor,
                json,
                value: through_value,
            },
            _,
        ) => {
            let codecs = Codecs {
                cbor: *cbor,
                json: *json,
                value: *through_value,
            };
            codecs.prove(catalog, place, value, tally)
        }
        (Codec::Params(codec), Place::Params(params)) => {
            prove_params(catalog, params, *codec, value, tally)
        }
        (Codec::Params(_), _) => Err("these are no parameters".to_owned()),
    }
}

/// Numbers that are evenly spread (`SplitMix64`).
fn numbers(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// The JSON paths of what has a generated type to prove: definitions, and the parameters, bodies and
/// messages of methods, unless they are empty. What stands in their fields is proven along with them.
pub fn paths(document: &Document) -> Vec<String> {
    let mut paths = Vec::new();
    for model::Definition { path, kind, .. } in &document.defs {
        if matches!(kind, DefKind::Record(_) | DefKind::Type(_)) {
            paths.push(path.clone());
        }
        if matches!(kind, DefKind::Subscription(_)) {
            paths.push(format!("{path}.message.schema"));
        }
        if kind.parameters().is_some_and(|p| !p.properties.is_empty()) {
            paths.push(format!("{path}.parameters"));
        }
        let schemas = kind.bodies().filter_map(|body| body.schema.as_ref());
        paths.extend(schemas.map(|schema| schema.path.clone()));
    }
    paths
}

/// What of a lexicon a generated type stands for.
#[derive(Clone, Debug)]
pub enum Place<'a> {
    /// A definition.
    Definition(DefId),
    /// A body.
    Schema(&'a Schema),
    /// The messages of a subscription.
    Union(&'a UnionSchema),
    /// The parameters of a method.
    Params(&'a Params),
}

impl<'a> Place<'a> {
    /// What stands at a JSON path of a lexicon.
    pub fn find(catalog: &'a Catalog, nsid: &str, path: &str) -> Option<Self> {
        let document: &Document = catalog.get(&nsid.parse::<Nsid>().ok()?)?;
        document.defs.iter().find_map(|definition| {
            let rest = path.strip_prefix(definition.path.as_str())?;
            let schema = |body: &'a Option<Body>| body.as_ref()?.schema.as_ref().map(Place::Schema);
            match (rest, &definition.kind) {
                ("", _) => Some(Place::Definition(document.def_id(definition))),
                (".parameters", kind) => kind.parameters().map(Place::Params),
                (".input.schema", DefKind::Procedure(procedure)) => schema(&procedure.input),
                (".output.schema", DefKind::Procedure(procedure)) => schema(&procedure.output),
                (".output.schema", DefKind::Query(query)) => schema(&query.output),
                (".message.schema", DefKind::Subscription(subscription)) => {
                    Some(Place::Union(&subscription.message.union))
                }
                _ => None,
            }
        })
    }

    /// What its values are checked against.
    pub const fn against(&self) -> Against<'_> {
        match self {
            Self::Definition(id) => Against::Definition(id),
            Self::Schema(schema) => Against::Schema(schema),
            Self::Union(union) => Against::Union(union),
            Self::Params(params) => Against::Params(params),
        }
    }

    /// Whether a constraint at a path of a value is enforced where the type is used, and not by the
    /// type: that of a definition that is no object is an alias or an enum, which know no bounds.
    pub fn leaves_to_users(&self, catalog: &Catalog, path: &str, constraint: Constraint) -> bool {
        let Self::Definition(id) = self else {
            return false;
        };
        let schema_of = |id| match &catalog.definition(id)?.kind {
            DefKind::Type(schema) => Some(schema),
            _ => None,
        };
        let mut steps = path.split('/').filter(|step| !step.is_empty());
        let mut schema = schema_of(id);
        while let Some(Schema { kind, .. }) = schema {
            schema = match kind {
                SchemaKind::Ref(reference) => schema_of(&reference.target),
                SchemaKind::Array(array) if steps.next().is_some() => Some(&array.items),
                SchemaKind::Object(_) | SchemaKind::Union(_) => None,
                SchemaKind::String(_) if constraint == Constraint::Enum => None,
                _ => return !matches!(constraint, Constraint::Type | Constraint::Format),
            };
        }
        false
    }
}

/// The ways through a type of data.
struct Codecs {
    cbor: fn(&[u8]) -> Result<Vec<u8>, Invalid>,
    json: fn(&[u8]) -> Result<Vec<u8>, Invalid>,
    value: fn(&Value) -> Result<Value, Invalid>,
}

impl Codecs {
    fn prove(
        &self,
        catalog: &Catalog,
        place: &Place<'_>,
        value: &Value,
        tally: &mut Tally,
    ) -> Result<(), String> {
        self.survives(value)?;
        tally.values += 1;
        for mutation in mutations(catalog, place.against(), value) {
            if place.leaves_to_users(catalog, &mutation.path, mutation.constraint) {
                self.survives(&mutation.value)?;
                continue;
            }
            refused(
                "a value",
                &mutation,
                (self.value)(&mutation.value).map(drop),
            )?;
            // What the data model itself cannot hold is refused before any schema is asked.
            let Ok(cbor) = data::to_cbor(&mutation.value) else {
                continue;
            };
            refused("CBOR", &mutation, (self.cbor)(&cbor).map(drop))?;
            if let Ok(json) = data::to_json(&mutation.value) {
                refused("JSON", &mutation, (self.json)(&json).map(drop))?;
            }
            tally.mutations += 1;
        }
        Ok(())
    }

    fn survives(&self, value: &Value) -> Result<(), String> {
        let said = |format: &str, error: &dyn std::fmt::Display| {
            format!("a valid value was refused as {format}: {error}")
        };
        let same = (self.value)(value).map_err(|error| said("a value", &error))?;
        if same != *value {
            return Err(format!("a value came back as {same:?}"));
        }
        let cbor = data::to_cbor(value).map_err(|error| said("CBOR", &error))?;
        let same = (self.cbor)(&cbor).map_err(|error| said("CBOR", &error))?;
        if same != cbor {
            return Err(format!("CBOR came back as {}", same.escape_ascii()));
        }
        let json = data::to_json(value).map_err(|error| said("JSON", &error))?;
        let once = (self.json)(&json).map_err(|error| said("JSON", &error))?;
        let twice = (self.json)(&once).map_err(|error| said("JSON", &error))?;
        if data::from_json::<Value>(&once).as_ref() != Ok(value) || once != twice {
            return Err(format!("JSON came back as {}", once.escape_ascii()));
        }
        Ok(())
    }
}

/// Whether a broken value was refused at the place and for the constraint that is broken.
fn refused(format: &str, mutation: &Mutation, result: Result<(), Invalid>) -> Result<(), String> {
    let Mutation {
        path,
        constraint,
        value,
    } = mutation;
    match result {
        Err(invalid) if invalid.path() == path && constraint.is_reported_as(invalid.problem()) => {
            Ok(())
        }
        Err(invalid) => Err(format!(
            "{constraint:?} is broken at {path:?}, but {format} was refused with {invalid:?}: {value:?}"
        )),
        Ok(()) => Err(format!(
            "{format} was taken, with {constraint:?} broken at {path:?}: {value:?}"
        )),
    }
}

fn prove_params(
    catalog: &Catalog,
    params: &Params,
    codec: fn(&str) -> Result<String, Invalid>,
    value: &Value,
    tally: &mut Tally,
) -> Result<(), String> {
    let Some(query) = query(&params.properties, value) else {
        return Ok(());
    };
    let same = codec(&query).map_err(|error| format!("{query} was refused: {error}"))?;
    if same != query {
        return Err(format!("{query} came back as {same}"));
    }
    tally.values += 1;
    for mutation in mutations(catalog, Against::Params(params), value) {
        // In a query string everything is text, so that much of another type reads as the right one.
        if mutation.constraint == Constraint::Type {
            continue;
        }
        if let Some(query) = self::query(&params.properties, &mutation.value) {
            refused("a query", &mutation, codec(&query).map(drop))?;
            tally.mutations += 1;
        }
    }
    Ok(())
}

/// Parameters as a query string, in the order of the schema; nothing for what one cannot say: an empty
/// list is no list there.
fn query(properties: &[Property], value: &Value) -> Option<String> {
    let Value::Map(map) = value else { return None };
    let mut query = QueryWriter::default();
    for Property { name, .. } in properties {
        match map.get(name) {
            None => {}
            Some(Value::List(items)) if items.is_empty() => return None,
            Some(Value::List(items)) => {
                for item in items {
                    query.required(name, &text(item)?);
                }
            }
            Some(value) => query.required(name, &text(value)?),
        }
    }
    Some(query.finish())
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Integer(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        _ => None,
    }
}
