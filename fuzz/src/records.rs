//! Target `records`: a line with the name of a type, then bytes as that record, type, body or message.

use crate::Target;
use crate::mutate::{self, Random};
use crate::repository::{LEXICONS, SAMPLER};
use huddle_codegen::proof::Place;
use huddle_codegen::sample::mutations;
use huddle_codegen::validate::{Violation, violations};
use huddle_lexicon::registry::{DEFINITIONS, check_record};
use huddle_lexicon::schema::{Codec, Invalid};
use huddle_syntax::{DataError, Value, data};
use std::sync::LazyLock;

/// A type takes exactly what its lexicon allows, in CBOR, in JSON and as a value; what it takes comes out
/// as it went in. What it refuses, it refuses for a reason that the lexicon gives.
pub const TARGET: Target = Target {
    name: "records",
    check,
    mutate,
    seeds,
};

fn check(input: &[u8]) {
    if let Some((kind, body)) = split(input) {
        kind.check_cbor(body);
        kind.check_json(body);
    }
}

/// The type that the first line names, and what follows.
fn split(input: &[u8]) -> Option<(&'static Type, &[u8])> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let (name, body) = (&input[..end], &input[end + 1..]);
    let kind = TYPES.iter().find(|kind| kind.name.as_bytes() == name)?;
    Some((kind, body))
}

/// A generated type, and the lexicon that it is held against.
struct Type {
    /// The lexicon and the JSON path in it, e.g. `com.huddle.booking defs.main`.
    name: String,
    place: Place<'static>,
    /// The collection, of a record.
    collection: Option<&'static str>,
    cbor: fn(&[u8]) -> Result<Vec<u8>, Invalid>,
    json: fn(&[u8]) -> Result<Vec<u8>, Invalid>,
    value: fn(&Value) -> Result<Value, Invalid>,
}

/// All types of data.
static TYPES: LazyLock<Vec<Type>> = LazyLock::new(|| {
    let types = DEFINITIONS.iter().filter_map(|definition| {
        let Codec::Data { cbor, json, value } = definition.codec else {
            return None;
        };
        let (nsid, path) = (definition.nsid, definition.path);
        let place = Place::find(&LEXICONS, nsid, path).expect("a type is of a schema");
        let is_record = path == "defs.main" && check_record(nsid, &[]).is_some();
        Some(Type {
            name: format!("{nsid} {path}"),
            place,
            collection: is_record.then_some(nsid),
            cbor,
            json,
            value,
        })
    });
    types.collect()
});

impl Type {
    fn check_cbor(&self, cbor: &[u8]) {
        let result = (self.cbor)(cbor);
        if let Some(nsid) = self.collection {
            assert_eq!(check_record(nsid, cbor), Some(result.clone().map(drop)));
        }
        self.check_verdict(data::from_cbor(cbor).as_ref(), result.as_ref().map(drop));
        if let Ok(again) = result {
            assert_eq!(again, cbor);
        }
    }

    fn check_json(&self, json: &[u8]) {
        let result = (self.json)(json);
        let value = data::from_json(json);
        self.check_verdict(value.as_ref(), result.as_ref().map(drop));
        if let Ok(again) = result {
            assert_eq!(data::from_json(&again), value);
            assert_eq!((self.json)(&again), Ok(again));
        }
    }

    /// Whether a value was rightly taken or refused; what is no value at all was not taken.
    #[track_caller]
    fn check_verdict(&self, value: Result<&Value, &DataError>, verdict: Result<(), &Invalid>) {
        let Ok(value) = value else {
            assert!(verdict.is_err());
            return;
        };
        assert_eq!((self.value)(value).as_ref(), verdict.map(|()| value));
        let mut violations = violations(&LEXICONS, self.place.against(), value);
        violations.retain(
            |Violation {
                 path, constraint, ..
             }| { !self.place.leaves_to_users(&LEXICONS, path, *constraint) },
        );
        match verdict {
            Ok(()) => assert_eq!(violations, []),
            Err(invalid) => {
                let found = violations.iter().any(|violation| {
                    violation.path == invalid.path()
                        && violation.constraint.is_reported_as(invalid.problem())
                });
                assert!(found, "{invalid:?} is none of {violations:?}");
            }
        }
    }

    /// A value of this type, perhaps broken in one place.
    fn sample(&self, random: &mut Random) -> Option<Value> {
        let against = self.place.against();
        let value = SAMPLER.sample(against, &mut || random.number())?;
        if random.one_in(2) {
            return Some(value);
        }
        let broken = mutations(&LEXICONS, against, &value).nth(random.below(8));
        Some(broken.map_or(value, |mutation| mutation.value))
    }

    /// A sample as an input of the target.
    fn input(&self, random: &mut Random) -> Option<Vec<u8>> {
        let sample = self.sample(random)?;
        Some(self.named(&encode(&sample, random)?))
    }

    fn named(&self, body: &[u8]) -> Vec<u8> {
        [self.name.as_bytes(), body].join(&b'\n')
    }
}

/// Two values of every type.
fn seeds() -> Vec<Vec<u8>> {
    let mut random = Random::new(0);
    let types = TYPES.iter().flat_map(|kind| [kind, kind]);
    types.filter_map(|kind| kind.input(&mut random)).collect()
}

/// Makes a value of some type, or edits the one that there is.
fn mutate(input: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let read = |body| {
        data::from_cbor(body)
            .or_else(|_| data::from_json(body))
            .ok()
    };
    match split(input) {
        Some((kind, body)) if !random.one_in(16) => match read(body) {
            Some(value) if !random.one_in(8) => {
                let sample = kind.sample(random)?;
                Some(kind.named(&edit(&value, &sample, random)?))
            }
            _ => kind.input(random),
        },
        _ => random.pick(&TYPES)?.input(random),
    }
}

fn encode(value: &Value, random: &mut Random) -> Option<Vec<u8>> {
    let encoded = if random.one_in(2) {
        data::to_cbor(value)
    } else {
        data::to_json(value)
    };
    encoded.ok()
}

/// Edits a value with parts of another; the result is JSON if the data model cannot hold it.
fn edit(value: &Value, donor: &Value, random: &mut Random) -> Option<Vec<u8>> {
    let donor = serde_json::from_slice(&data::to_json(donor).ok()?).ok()?;
    let json = mutate::json(&data::to_json(value).ok()?, &[donor], random)?;
    match data::from_json::<Value>(&json) {
        Ok(value) => encode(&value, random),
        Err(_) => Some(json),
    }
}
