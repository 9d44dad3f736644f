//! The lexicon cases of the official interop suite.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use huddle_codegen::load;
use huddle_codegen::model::{Catalog, DefId, DefKind};
use huddle_codegen::parse;
use huddle_codegen::validate::{Against, violations};
use huddle_syntax::{Value, data};
use huddle_testdata::{shared, shared_text};
use serde_json::Value as Json;
use std::path::Path;

#[derive(serde::Deserialize)]
struct SchemaCase {
    name: String,
    lexicon: Json,
}

#[derive(serde::Deserialize)]
struct RecordCase {
    name: String,
    rkey: String,
    data: Json,
}

fn schema_cases(file: &str) -> Vec<SchemaCase> {
    shared_text(&format!("conformance/interop/lexicon/{file}"))
        .map(|text| serde_json::from_str(&text).unwrap())
        .unwrap_or_default()
}

#[test]
fn valid_schemas_are_taken() {
    for case in schema_cases("lexicon-valid.json") {
        let read = parse::document(
            Path::new(&case.name),
            "",
            case.lexicon.to_string().as_bytes(),
        );
        read.unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn invalid_schemas_are_refused() {
    for case in schema_cases("lexicon-invalid.json") {
        let read = parse::document(
            Path::new(&case.name),
            "",
            case.lexicon.to_string().as_bytes(),
        );
        assert!(read.is_err(), "{} is taken", case.name);
    }
}

/// What is wrong with a record, beginning with what the data model itself refuses.
fn check(catalog: &Catalog, case: &RecordCase) -> Vec<String> {
    let value: Value = match data::from_json(case.data.to_string().as_bytes()) {
        Ok(value) => value,
        Err(error) => return vec![error.to_string()],
    };
    let Some(Json::String(tag)) = case.data.get("$type") else {
        return vec!["no $type".to_owned()];
    };
    let id: DefId = tag.parse().unwrap();
    let DefKind::Record(record) = &catalog.definition(&id).unwrap().kind else {
        panic!("{id} is no record");
    };
    assert_eq!(record.key.to_string(), format!("literal:{}", case.rkey));
    let found = violations(catalog, Against::Definition(&id), &value);
    found.iter().map(ToString::to_string).collect()
}

fn record_cases(file: &str) -> Option<(Catalog, Vec<RecordCase>)> {
    let catalog = shared("conformance/interop/lexicon/catalog")?;
    let catalog = load::load(&catalog).unwrap_or_else(|error| panic!("{error}"));
    let cases = shared_text(&format!("conformance/interop/lexicon/{file}"))?;
    Some((catalog, serde_json::from_str(&cases).unwrap()))
}

#[test]
fn valid_records_are_taken() {
    let Some((catalog, cases)) = record_cases("record-data-valid.json") else {
        return;
    };
    for case in cases {
        assert_eq!(check(&catalog, &case), [""; 0], "{}", case.name);
    }
}

#[test]
fn invalid_records_are_refused() {
    let Some((catalog, cases)) = record_cases("record-data-invalid.json") else {
        return;
    };
    for case in cases {
        assert_ne!(check(&catalog, &case), [""; 0], "{}", case.name);
    }
}
