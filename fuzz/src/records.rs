//! Target `records`: bytes as every record, object and body that there is a type for.

use crate::mutate::{self, Random};
use crate::repository::{LEXICONS, SAMPLER};
use huddle_codegen::model::{DefId, DefKind, Schema};
use huddle_codegen::sample::mutations;
use huddle_codegen::validate::{Against, violations};
use huddle_lexicon::registry::{DEFINITIONS, check_record};
use huddle_lexicon::schema::{Codec, Invalid};
use huddle_syntax::{DataError, Nsid, Value, data};
use std::sync::LazyLock;

/// A type takes exactly what its lexicon allows, in CBOR, in JSON and as a value; what it takes comes out
/// as it went in. What it refuses, it refuses for a reason that the lexicon gives.
pub fn check(input: &[u8]) {
    let cbor = data::from_cbor(input);
    let json = data::from_json(input);
    for kind in TYPES.iter() {
        kind.check_cbor(input, cbor.as_ref());
        kind.check_json(input, json.as_ref());
    }
}

/// A generated type, and the lexicon that it is held against.
struct Type {
    against: Place,
    record: Option<&'static str>,
    cbor: fn(&[u8]) -> Result<Vec<u8>, Invalid>,
    json: fn(&[u8]) -> Result<Vec<u8>, Invalid>,
    value: fn(&Value) -> Result<Value, Invalid>,
}

/// What a type stands for.
enum Place {
    Definition(DefId),
    Schema(&'static Schema),
}

/// All types of data.
static TYPES: LazyLock<Vec<Type>> = LazyLock::new(|| {
    let types = DEFINITIONS.iter().filter_map(|definition| {
        let Codec::Data { cbor, json, value } = definition.codec else {
            return None;
        };
        let nsid = definition
            .nsid
            .parse()
            .expect("a generated type is of a lexicon");
        let against = place(&nsid, definition.path).expect("a generated type is of a schema");
        let record = check_record(definition.nsid, &[]).map(|_| definition.nsid);
        let record = record.filter(|_| definition.path == "defs.main");
        Some(Type {
            against,
            record,
            cbor,
            json,
            value,
        })
    });
    types.collect()
});

/// What stands at a JSON path of a lexicon.
fn place(nsid: &Nsid, path: &str) -> Option<Place> {
    let document = LEXICONS.get(nsid)?;
    if let Some(definition) = document
        .defs
        .iter()
        .find(|definition| definition.path == path)
    {
        return Some(Place::Definition(document.def_id(definition)));
    }
    let bodies = match &document.definition("main")?.kind {
        DefKind::Query(query) => [None, query.output.as_ref()],
        DefKind::Procedure(procedure) => [procedure.input.as_ref(), procedure.output.as_ref()],
        _ => [None, None],
    };
    let mut schemas = bodies
        .into_iter()
        .flatten()
        .filter_map(|body| body.schema.as_ref());
    schemas
        .find(|schema| schema.path == path)
        .map(Place::Schema)
}

impl Type {
    fn against(&self) -> Against<'_> {
        match &self.against {
            Place::Definition(id) => Against::Definition(id),
            Place::Schema(schema) => Against::Schema(schema),
        }
    }

    fn check_cbor(&self, input: &[u8], value: Result<&Value, &DataError>) {
        let result = (self.cbor)(input);
        if let Some(nsid) = self.record {
            assert_eq!(check_record(nsid, input), Some(result.clone().map(drop)));
        }
        self.check_verdict(value, result.as_ref().map(drop));
        if let Ok(cbor) = result {
            assert_eq!(cbor, input);
        }
    }

    fn check_json(&self, input: &[u8], value: Result<&Value, &DataError>) {
        let result = (self.json)(input);
        self.check_verdict(value, result.as_ref().map(drop));
        if let Ok(json) = result {
            assert_eq!(data::from_json(&json).as_ref(), value);
            assert_eq!((self.json)(&json), Ok(json));
        }
    }

    /// Whether a value was rightly taken or refused; where it is no value at all, it was not taken.
    #[track_caller]
    fn check_verdict(&self, value: Result<&Value, &DataError>, verdict: Result<(), &Invalid>) {
        let Ok(value) = value else {
            assert!(verdict.is_err());
            return;
        };
        assert_eq!((self.value)(value).as_ref(), verdict.map(|()| value));
        let violations = violations(&LEXICONS, self.against(), value);
        match verdict {
            Ok(()) => assert_eq!(violations, []),
            Err(invalid) => assert!(
                violations
                    .iter()
                    .any(|violation| violation.path == invalid.path()
                        && violation.constraint.is_reported_as(invalid.problem())),
                "{invalid:?} is none of {violations:?}"
            ),
        }
    }
}

/// Makes a valid value, breaks one in one place, or edits what there is.
pub fn mutate(input: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let value = sample(random)?;
    let edited = if random.one_in(4) {
        value
    } else {
        let before = data::from_cbor::<Value>(input)
            .or_else(|_| data::from_json(input))
            .ok();
        let json = data::to_json(before.as_ref().unwrap_or(&value)).ok()?;
        let donor = data::to_json(&value).ok()?;
        let donor = serde_json::from_slice(&donor).expect("our own JSON is JSON");
        let edited = mutate::json(&json, &[donor], random)?;
        match data::from_json(&edited) {
            Ok(value) => value,
            // What only JSON can say, and not the data model.
            Err(_) => return Some(edited),
        }
    };
    if random.one_in(2) {
        data::to_cbor(&edited).ok()
    } else {
        data::to_json(&edited).ok()
    }
}

/// A value of some type, perhaps broken in one place.
fn sample(random: &mut Random) -> Option<Value> {
    let against = random.pick(&TYPES)?.against();
    let value = SAMPLER.sample(against, &mut || random.number())?;
    if random.one_in(2) {
        return Some(value);
    }
    let broken: Vec<_> = mutations(&LEXICONS, against, &value).collect();
    Some(
        random
            .pick(&broken)
            .map_or(value.clone(), |mutation| mutation.value.clone()),
    )
}
