//! Every type agrees with its lexicon: valid values keep their bytes through a rewrite, and a value that
//! breaks one constraint is refused for that constraint, at its place.

use huddle_codegen::load::load;
use huddle_codegen::model::{Catalog, DefKind};
use huddle_codegen::proof::{paths, prove};
use huddle_codegen::sample::Sampler;
use huddle_lexicon::registry::{DEFINITIONS, check_record};
use proptest::test_runner::Config as ProptestConfig;
use std::collections::BTreeSet;
use std::path::Path;

fn catalog() -> Catalog {
    let lexicons = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lexicons");
    load(&lexicons).unwrap_or_else(|error| panic!("{error}"))
}

/// How many values to try of each type: `PROPTEST_CASES` says whether it is to be many.
fn samples() -> usize {
    let cases = ProptestConfig::default().cases;
    usize::try_from(cases / 128).expect("a few").max(1)
}

#[test]
fn every_type_agrees_with_its_lexicon() {
    let catalog = catalog();
    let sampler = Sampler::new(&catalog);
    let (mut values, mut mutations) = (0, 0);
    for (seed, definition) in (0..).zip(DEFINITIONS) {
        let tally =
            prove(&sampler, definition, samples(), seed).unwrap_or_else(|error| panic!("{error}"));
        assert!(tally.values > 0, "{definition:?} was never tried");
        values += tally.values;
        mutations += tally.mutations;
    }
    println!(
        "{} types, {values} values, {mutations} broken ones",
        DEFINITIONS.len()
    );
}

#[test]
fn every_definition_body_message_and_parameter_is_tried() {
    let catalog = catalog();
    let all = catalog.documents().flat_map(|document| {
        let paths = paths(document).into_iter();
        paths.map(|path| (document.id.to_string(), path))
    });
    let tried = DEFINITIONS
        .iter()
        .map(|d| (d.nsid.to_owned(), d.path.to_owned()));
    assert_eq!(tried.collect::<BTreeSet<_>>(), all.collect::<BTreeSet<_>>());
}

#[test]
fn every_record_is_found_by_its_collection() {
    let catalog = catalog();
    let mut records = 0;
    for document in catalog.documents() {
        let main = document.definition("main");
        let is_record = main.is_some_and(|main| matches!(main.kind, DefKind::Record(_)));
        records += usize::from(is_record);
        // An empty map lacks at least its `$type`.
        let checked = check_record(document.id.as_str(), b"\xa0");
        assert_eq!(
            checked.is_some_and(|result| result.is_err()),
            is_record,
            "{}",
            document.id
        );
    }
    assert!(records > 4);
    assert_eq!(check_record("com.example.unknown", b"\xa0"), None);
}
