//! Sampled values satisfy their schema, and mutated ones break it in one place.

use huddle_codegen::load;
use huddle_codegen::model::{Catalog, DefKind};
use huddle_codegen::sample::{Sampler, mutations};
use huddle_codegen::validate::{Against, Constraint, violations};
use huddle_syntax::{Value, data};
use huddle_testdata::shared;
use std::collections::BTreeMap;

/// SplitMix64: evenly spread, and the same from the same seed.
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
                DefKind::Query(query) => {
                    let schema = query.output.iter().filter_map(|body| body.schema.as_ref());
                    schema.for_each(|schema| found(&name, Against::Schema(schema)));
                }
                DefKind::Procedure(procedure) => {
                    let bodies = procedure.input.iter().chain(&procedure.output);
                    let schema = bodies.filter_map(|body| body.schema.as_ref());
                    schema.for_each(|schema| found(&name, Against::Schema(schema)));
                }
                DefKind::Subscription(subscription) => {
                    found(&name, Against::Union(&subscription.message.union));
                }
                DefKind::PermissionSet(_) | DefKind::Token => {}
            }
        }
    }
}

#[test]
fn every_published_schema_has_samples_and_mutations() {
    let Some(folder) = shared("conformance/lexicons") else { return };
    let catalog = load::load(&folder).unwrap_or_else(|error| panic!("{error}"));
    let mut broken: BTreeMap<Constraint, usize> = BTreeMap::new();
    let mut targets = 0;
    for_each_target(&catalog, |name, against| {
        targets += 1;
        for seed in 0..4 {
            let value = Sampler::new(&catalog, numbers(seed)).sample(against);
            let value = value.unwrap_or_else(|| panic!("{name} has no sample"));
            assert_eq!(violations(&catalog, against, &value), [], "{name}: {value:?}");
            let cbor = data::to_cbor(&value).unwrap_or_else(|e| panic!("{name}: {e}: {value:?}"));
            assert_eq!(data::from_cbor::<Value>(&cbor), Ok(value.clone()), "{name}");
            if seed == 0 {
                for mutation in mutations(&catalog, against, &value) {
                    *broken.entry(mutation.constraint).or_default() += 1;
                }
            }
        }
    });
    println!("{targets} targets; mutations: {broken:?}");
    assert!(targets > 1000);
}
