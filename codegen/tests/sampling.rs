//! Sampled values satisfy their schema, and mutated ones break it in one place.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use huddle_codegen::load;
use huddle_codegen::model::{Catalog, DefId, DefKind};
use huddle_codegen::parse;
use huddle_codegen::sample::{Sampler, mutations};
use huddle_codegen::validate::{Against, Constraint, violations};
use huddle_syntax::{Value, data};
use huddle_testdata::shared;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// `SplitMix64`: evenly spread, and the same from the same seed.
fn numbers(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// Calls back with everything in a catalog that data can be checked against.
fn for_each_target(catalog: &Catalog, mut found: impl FnMut(&str, Against<'_>)) {
    for document in catalog.documents() {
        for definition in &document.defs {
            let id = document.def_id(definition);
            let name = id.to_string();
            if let Some(params) = definition.kind.parameters() {
                found(&format!("{name} parameters"), Against::Params(params));
            }
            match &definition.kind {
                DefKind::Record(_) | DefKind::Type(_) => found(&name, Against::Definition(&id)),
                DefKind::Subscription(subscription) => {
                    found(&name, Against::Union(&subscription.message.union));
                }
                _ => {}
            }
            let schemas = definition.kind.bodies().filter_map(|b| b.schema.as_ref());
            schemas.for_each(|schema| found(&name, Against::Schema(schema)));
        }
    }
}

/// Checks samples of everything in a catalog; counts the mutations of some of them.
fn check(catalog: &Catalog, seeds: u64, mutated: u64) -> BTreeMap<Constraint, usize> {
    let mut broken = BTreeMap::new();
    let sampler = Sampler::new(catalog);
    for_each_target(catalog, |name, against| {
        for seed in 0..seeds {
            let value = sampler.sample(against, &mut numbers(seed));
            let value = value.unwrap_or_else(|| panic!("{name} has no sample"));
            assert_eq!(
                violations(catalog, against, &value),
                [],
                "{name}: {value:?}"
            );
            let cbor = data::to_cbor(&value).unwrap_or_else(|e| panic!("{name}: {e}: {value:?}"));
            assert_eq!(data::from_cbor::<Value>(&cbor).unwrap(), value, "{name}");
            if seed < mutated {
                for mutation in mutations(catalog, against, &value) {
                    assert_ne!(mutation.value, value);
                    *broken.entry(mutation.constraint).or_default() += 1;
                }
            }
        }
    });
    broken
}

/// Everything that the language has, with bounds that are hard to meet.
const EVERYTHING: &str = r##"{"lexicon": 1, "id": "com.example.all", "defs": {
    "main": {"type": "record", "key": "tid", "record": {"type": "object", "required": ["boolean", "text"], "nullable": ["maybe"], "properties": {
        "boolean": {"type": "boolean"},
        "yes": {"type": "boolean", "const": true},
        "integer": {"type": "integer"},
        "few": {"type": "integer", "minimum": -1, "maximum": 1},
        "least": {"type": "integer", "minimum": -9223372036854775808, "maximum": -9223372036854775807},
        "one": {"type": "integer", "const": 1},
        "some": {"type": "integer", "enum": [3, 5], "maximum": 9},
        "text": {"type": "string"},
        "bytesOfText": {"type": "string", "minLength": 7, "maxLength": 9},
        "graphemes": {"type": "string", "minGraphemes": 2, "maxGraphemes": 3},
        "both": {"type": "string", "minLength": 30, "maxLength": 40, "minGraphemes": 2, "maxGraphemes": 3},
        "single": {"type": "string", "maxGraphemes": 1, "minLength": 1},
        "known": {"type": "string", "knownValues": ["a", "b"], "maxLength": 5},
        "closed": {"type": "string", "enum": ["a", "b"]},
        "only": {"type": "string", "const": "a"},
        "didOfSize": {"type": "string", "format": "did", "maxLength": 40},
        "maybe": {"type": "integer"},
        "bytes": {"type": "bytes", "minLength": 2, "maxLength": 4},
        "link": {"type": "cid-link"},
        "blob": {"type": "blob", "accept": ["image/*", "text/plain"], "maxSize": 100},
        "anyBlob": {"type": "blob"},
        "list": {"type": "array", "minLength": 1, "maxLength": 3, "items": {"type": "array", "items": {"type": "integer"}}},
        "object": {"type": "object", "required": ["a"], "properties": {"a": {"type": "ref", "ref": "#tree"}}},
        "unknown": {"type": "unknown"},
        "open": {"type": "union", "refs": ["#tree", "#leaf", "com.example.all"]},
        "union": {"type": "union", "closed": true, "refs": ["#tree", "#leaf"]},
        "free": {"type": "union", "refs": []}
    }}},
    "tree": {"type": "object", "required": ["left", "right"], "properties": {
        "left": {"type": "union", "closed": true, "refs": ["#tree", "#leaf"]},
        "right": {"type": "union", "closed": true, "refs": ["#tree", "#leaf"]}
    }},
    "leaf": {"type": "object", "properties": {"tree": {"type": "ref", "ref": "#tree"}}},
    "formats": {"type": "object", "required": ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"], "properties": {
        "a": {"type": "string", "format": "at-identifier"},
        "b": {"type": "string", "format": "at-uri"},
        "c": {"type": "string", "format": "cid"},
        "d": {"type": "string", "format": "datetime"},
        "e": {"type": "string", "format": "did"},
        "f": {"type": "string", "format": "handle"},
        "g": {"type": "string", "format": "language"},
        "h": {"type": "string", "format": "nsid"},
        "i": {"type": "string", "format": "record-key"},
        "j": {"type": "string", "format": "tid"},
        "k": {"type": "string", "format": "uri"}
    }}
}}"##;

fn catalog_of(text: &str) -> Catalog {
    let document = parse::document(Path::new("all.json"), "all.json", text.as_bytes());
    let mut catalog = Catalog::default();
    catalog
        .insert(document.unwrap_or_else(|error| panic!("{error}")))
        .unwrap();
    catalog
}

#[test]
fn every_construct_has_samples_and_every_constraint_is_broken_by_a_mutation() {
    use Constraint::{
        Accept, Const, Enum, Format, MaxGraphemes, MaxLength, MaxSize, Maximum, MinGraphemes,
        MinLength, Minimum, Required, Tag, Type,
    };
    let broken = check(&catalog_of(EVERYTHING), 100, 30);
    let kinds: BTreeSet<_> = broken.keys().copied().collect();
    let all = [
        Type,
        Tag,
        Required,
        Format,
        MinLength,
        MaxLength,
        MinGraphemes,
        MaxGraphemes,
        Minimum,
        Maximum,
        Enum,
        Const,
        Accept,
        MaxSize,
    ];
    assert_eq!(kinds, BTreeSet::from(all));
}

#[test]
fn samples_reach_every_optional_field_and_leave_out_each() {
    let catalog = catalog_of(EVERYTHING);
    let id: DefId = "com.example.all".parse().unwrap();
    let definition = catalog.definition(&id).unwrap();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut unknown = 0;
    let sampler = Sampler::new(&catalog);
    for seed in 0..200 {
        let value = sampler.sample(Against::Definition(&id), &mut numbers(seed));
        let Some(Value::Map(map)) = value else {
            panic!("no sample")
        };
        let object = definition.kind.object().unwrap();
        for (name, _) in &map {
            if object.property(name).is_some() {
                *seen.entry(name.clone()).or_default() += 1;
            } else if name != "$type" {
                unknown += 1;
            }
        }
    }
    for property in &definition.kind.object().unwrap().properties {
        let times = seen.get(&property.name).copied().unwrap_or_default();
        let expected = if property.required {
            200..=200
        } else {
            20..=180
        };
        assert!(
            expected.contains(&times),
            "{}: {times} times of 200",
            property.name
        );
    }
    assert!(unknown > 10, "{unknown} unknown fields in 200 samples");
}

#[test]
fn the_same_seed_gives_the_same_sample_and_another_seed_another() {
    let catalog = catalog_of(EVERYTHING);
    let id: DefId = "com.example.all".parse().unwrap();
    let sampler = Sampler::new(&catalog);
    let sample = |seed| sampler.sample(Against::Definition(&id), &mut numbers(seed));
    assert_eq!(sample(1), sample(1));
    assert_ne!(sample(1), sample(2));
}

#[test]
fn what_has_no_value_has_no_sample() {
    #[track_caller]
    fn check(defs: &str) {
        let text = format!(r#"{{"lexicon": 1, "id": "com.example.none", "defs": {defs}}}"#);
        let catalog = catalog_of(&text);
        let id: DefId = "com.example.none#a".parse().unwrap();
        let sampler = Sampler::new(&catalog);
        assert_eq!(
            sampler.sample(Against::Definition(&id), &mut numbers(1)),
            None
        );
    }
    check(r#"{"b": {"type": "token"}}"#);
    check(r#"{"a": {"type": "token"}}"#);
    check(
        r##"{"a": {"type": "object", "required": ["x"], "properties": {"x": {"type": "ref", "ref": "#a"}}}}"##,
    );
    check(
        r#"{"a": {"type": "object", "required": ["x"], "properties": {"x": {"type": "ref", "ref": "com.example.gone"}}}}"#,
    );
    check(r#"{"a": {"type": "string", "maxLength": 2, "minGraphemes": 3}}"#);
    check(r#"{"a": {"type": "string", "format": "did", "maxLength": 3}}"#);
    let immense = i64::MAX;
    for kind in ["string", "bytes"] {
        check(&format!(
            r#"{{"a": {{"type": "{kind}", "minLength": {immense}}}}}"#
        ));
    }
    check(&format!(
        r#"{{"a": {{"type": "string", "minGraphemes": {immense}}}}}"#
    ));
    let items = r#"{"type": "array", "items": {"type": "boolean"}, "minLength": 1000000}"#;
    check(&format!(
        r#"{{"a": {{"type": "array", "items": {items}, "minLength": {immense}}}}}"#
    ));
    let required = |n: usize| {
        format!(
            r##""{}": {{"type": "object", "required": ["x"], "properties": {{"x": {{"type": "ref", "ref": "#{n}"}}}}}}"##,
            if n == 0 {
                "a".to_owned()
            } else {
                (n - 1).to_string()
            }
        )
    };
    let chain: Vec<_> = (0..20_000).map(required).collect();
    check(&format!(
        r#"{{{}, "19999": {{"type": "boolean"}}}}"#,
        chain.join(",")
    ));
}

/// Changes a lexicon somewhere: a number, a flag, a text, or a key that goes.
fn change(json: &mut Json, random: &mut impl FnMut() -> u64) {
    let mut below = |bound: usize| usize::try_from(random() % bound as u64).unwrap();
    match json {
        Json::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(below(map.len())).unwrap().clone();
            if below(12) == 0 {
                map.remove(&key);
            } else {
                change(map.get_mut(&key).unwrap(), random);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            let index = below(items.len());
            change(&mut items[index], random);
        }
        Json::Number(_) => *json = ([-1, 0, 1, 2, 3, 10, 100, i64::MAX][below(8)]).into(),
        Json::Bool(value) => *value = !*value,
        Json::String(text) => {
            let types = [
                "string", "integer", "boolean", "bytes", "unknown", "did", "datetime", "a",
            ];
            types[below(8)].clone_into(text);
        }
        _ => *json = Json::Bool(true),
    }
}

#[test]
fn whatever_the_schema_its_samples_satisfy_it() {
    let original: Json = serde_json::from_str(EVERYTHING).unwrap();
    let mut random = numbers(7);
    let mut count = 0;
    for _ in 0..2_000 {
        let mut lexicon = original.clone();
        for _ in 0..=random() % 3 {
            change(&mut lexicon["defs"], &mut random);
        }
        let text = lexicon.to_string();
        let Ok(document) = parse::document(Path::new("all.json"), "all.json", text.as_bytes())
        else {
            continue;
        };
        let mut catalog = Catalog::default();
        catalog.insert(document).unwrap();
        let sampler = Sampler::new(&catalog);
        for_each_target(&catalog, |name, against| {
            let Some(value) = sampler.sample(against, &mut random) else {
                return;
            };
            assert_eq!(
                violations(&catalog, against, &value),
                [],
                "{name} of {text}"
            );
            count += 1;
        });
    }
    assert!(count > 1_000, "only {count} samples");
}

#[test]
fn every_published_schema_has_samples() {
    let Some(folder) = shared("conformance/lexicons") else {
        return;
    };
    let catalog = load::load(&folder).unwrap_or_else(|error| panic!("{error}"));
    check(&catalog, 8, 0);
}

#[test]
fn what_requires_very_much_has_samples_in_bearable_time() {
    const COUNT: usize = 20_000;
    let reference = |n: usize| format!(r##"{{"type": "ref", "ref": "#d{n}"}}"##);
    // A chain of which the last link is there first, and something that requires all of its links.
    let link = |n: usize| match n {
        _ if n + 1 == COUNT => format!(r#""d{n}": {{"type": "object"}}"#),
        _ => format!(
            r#""d{n}": {{"type": "object", "required": ["x"], "properties": {{"x": {}}}}}"#,
            reference(n + 1)
        ),
    };
    let links: Vec<_> = (0..COUNT).map(link).collect();
    let names: Vec<_> = (0..COUNT).map(|n| format!(r#""f{n}""#)).collect();
    let fields: Vec<_> = (0..COUNT)
        .rev()
        .map(|n| format!(r#""f{n}": {}"#, reference(n)))
        .collect();
    let all = format!(
        r#""all": {{"type": "object", "required": [{}], "properties": {{{}}}}}"#,
        names.join(","),
        fields.join(",")
    );
    let catalog = catalog_of(&format!(
        r#"{{"lexicon": 1, "id": "com.example.much", "defs": {{{all},{}}}}}"#,
        links.join(",")
    ));
    let sampler = Sampler::new(&catalog);
    let id: DefId = "com.example.much#d19999".parse().unwrap();
    let value = sampler.sample(Against::Definition(&id), &mut numbers(1));
    assert!(value.is_some());
}
