#![expect(
    clippy::needless_pass_by_value,
    reason = "cases are read more easily without `&`"
)]

use super::{Against, Constraint, violations};
use crate::fixture::{catalog, object};
use crate::model::{Catalog, DefId, DefKind};
use huddle_syntax::{Value, data};
use serde_json::{Value as Json, json};

const LINK: &str = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a";

fn value(json: &Json) -> Value {
    data::from_json(json.to_string().as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn broken(catalog: &Catalog, id: &str, json: &Json) -> Vec<(String, Constraint)> {
    let id: DefId = id.parse().unwrap();
    let found = violations(catalog, Against::Definition(&id), &value(json));
    found
        .into_iter()
        .map(|violation| (violation.path, violation.constraint))
        .collect()
}

/// Checks what a value of a field breaks; all at the field itself.
#[track_caller]
fn check(schema: Json, json: Json, expect: &[Constraint]) {
    let catalog = catalog([(
        "com.example.a",
        json!({ "view": object(json!({ "z": schema })) }),
    )]);
    let found = broken(&catalog, "com.example.a#view", &json!({ "z": json }));
    let expect: Vec<_> = expect
        .iter()
        .map(|constraint| ("z".to_owned(), *constraint))
        .collect();
    assert_eq!(found, expect);
}

fn blob(mime_type: &str, size: u64) -> Json {
    json!({ "$type": "blob", "ref": { "$link": LINK }, "mimeType": mime_type, "size": size })
}

#[test]
fn a_value_has_the_type_of_its_schema() {
    use Constraint::Type;
    let values = [
        ("boolean", json!(true)),
        ("integer", json!(1)),
        ("string", json!("a")),
        ("bytes", json!({ "$bytes": "AQI" })),
        ("cid-link", json!({ "$link": LINK })),
        ("blob", blob("image/png", 1)),
        ("unknown", json!({ "a": 1 })),
        ("null", Json::Null),
        ("list", json!([])),
    ];
    for (name, _) in &values[..7] {
        for (other, value) in &values {
            let expect: &[Constraint] = if name == other { &[] } else { &[Type] };
            check(json!({ "type": name }), value.clone(), expect);
        }
    }
    check(
        json!({ "type": "array", "items": { "type": "boolean" } }),
        json!([true, false]),
        &[],
    );
    check(
        json!({ "type": "array", "items": { "type": "boolean" } }),
        json!(true),
        &[Type],
    );
    check(object(json!({})), json!({}), &[]);
    check(object(json!({})), json!([]), &[Type]);
}

#[test]
fn bounds_are_inclusive() {
    use Constraint::{MaxLength, Maximum, MinLength, Minimum};
    let integer = json!({ "type": "integer", "minimum": -1, "maximum": 2 });
    check(integer.clone(), json!(-2), &[Minimum]);
    check(integer.clone(), json!(-1), &[]);
    check(integer.clone(), json!(2), &[]);
    check(integer, json!(3), &[Maximum]);
    let bytes = json!({ "type": "bytes", "minLength": 1, "maxLength": 2 });
    check(bytes.clone(), json!({ "$bytes": "" }), &[MinLength]);
    check(bytes.clone(), json!({ "$bytes": "AQI" }), &[]);
    check(bytes, json!({ "$bytes": "AQID" }), &[MaxLength]);
    let array =
        json!({ "type": "array", "items": { "type": "integer" }, "minLength": 1, "maxLength": 2 });
    check(array.clone(), json!([]), &[MinLength]);
    check(array.clone(), json!([1, 2]), &[]);
    check(array, json!([1, 2, 3]), &[MaxLength]);
}

#[test]
fn strings_are_measured_in_bytes_and_in_graphemes() {
    use Constraint::{MaxGraphemes, MaxLength, MinGraphemes, MinLength};
    let bytes = json!({ "type": "string", "minLength": 2, "maxLength": 3 });
    check(bytes.clone(), json!("a"), &[MinLength]);
    check(bytes.clone(), json!("é"), &[]);
    check(bytes, json!("😀"), &[MaxLength]);
    let graphemes = json!({ "type": "string", "minGraphemes": 2, "maxGraphemes": 2 });
    check(graphemes.clone(), json!("👩‍👩‍👦‍👦"), &[MinGraphemes]);
    check(graphemes.clone(), json!("👩‍👩‍👦‍👦🇩🇪"), &[]);
    check(graphemes, json!("abc"), &[MaxGraphemes]);
}

#[test]
fn sets_of_values_are_closed_if_they_are_enums() {
    use Constraint::{Const, Enum};
    check(
        json!({ "type": "string", "enum": ["a", "b"] }),
        json!("b"),
        &[],
    );
    check(
        json!({ "type": "string", "enum": ["a", "b"] }),
        json!("c"),
        &[Enum],
    );
    check(
        json!({ "type": "string", "knownValues": ["a", "b"] }),
        json!("c"),
        &[],
    );
    check(
        json!({ "type": "integer", "enum": [1, 2] }),
        json!(3),
        &[Enum],
    );
    check(
        json!({ "type": "string", "const": "a" }),
        json!("b"),
        &[Const],
    );
    check(json!({ "type": "integer", "const": 1 }), json!(2), &[Const]);
    check(
        json!({ "type": "boolean", "const": true }),
        json!(true),
        &[],
    );
    check(
        json!({ "type": "boolean", "const": true }),
        json!(false),
        &[Const],
    );
}

#[test]
fn all_that_a_value_breaks_is_found() {
    use Constraint::{Format, MinLength};
    check(
        json!({ "type": "string", "format": "did", "minLength": 9 }),
        json!("x"),
        &[MinLength, Format],
    );
}

#[test]
fn blobs_are_of_accepted_types_and_sizes() {
    use Constraint::{Accept, MaxSize};
    let schema = json!({ "type": "blob", "accept": ["image/*", "text/plain"], "maxSize": 10 });
    check(schema.clone(), blob("image/png", 10), &[]);
    check(schema.clone(), blob("text/plain", 1), &[]);
    check(schema.clone(), blob("text/html", 1), &[Accept]);
    check(schema.clone(), blob("imagery/png", 1), &[Accept]);
    check(schema, blob("image/png", 11), &[MaxSize]);
    check(
        json!({ "type": "blob", "accept": ["*/*"] }),
        blob("x/y", 1),
        &[],
    );
}

#[test]
fn fields_are_required_or_may_be_null_as_the_schema_says() {
    let view = json!({ "type": "object", "required": ["a"], "nullable": ["b"], "properties": {
        "a": { "type": "integer" }, "b": { "type": "integer" },
    } });
    let catalog = catalog([("com.example.a", json!({ "view": view }))]);
    let check = |json: Json, expect: &[(&str, Constraint)]| {
        let found = broken(&catalog, "com.example.a#view", &json);
        let expect: Vec<_> = expect
            .iter()
            .map(|(path, c)| ((*path).to_owned(), *c))
            .collect();
        assert_eq!(found, expect);
    };
    check(json!({ "a": 1, "b": null, "unknown": 1.0 }), &[]);
    check(json!({}), &[("a", Constraint::Required)]);
    check(
        json!({ "a": null, "b": true }),
        &[("a", Constraint::Type), ("b", Constraint::Type)],
    );
}

#[test]
fn paths_lead_through_references_lists_and_unions() {
    let catalog = catalog([(
        "com.example.a",
        json!({
            "tree": object(json!({
                "leaf": { "type": "integer" },
                "list": { "type": "array", "items": { "type": "ref", "ref": "#tree" } },
                "any": { "type": "union", "refs": ["#tree"] },
            })),
        }),
    )]);
    let found = broken(
        &catalog,
        "com.example.a#tree",
        &json!({ "list": [{}, { "any": { "$type": "com.example.a#tree", "leaf": "x" } }] }),
    );
    assert_eq!(found, [("list/1/any/leaf".to_owned(), Constraint::Type)]);
}

#[test]
fn a_type_tag_says_what_the_schema_says() {
    use Constraint::Tag;
    let catalog = catalog([
        (
            "com.example.r",
            json!({ "main": { "type": "record", "key": "any", "record": object(json!({})) } }),
        ),
        (
            "com.example.v",
            json!({
                "main": object(json!({})),
                "other": object(json!({})),
                "open": object(json!({ "u": { "type": "union", "refs": ["#main", "#other"] } })),
                "closed": object(json!({ "u": { "type": "union", "closed": true, "refs": ["#main", "com.example.r"] } })),
            }),
        ),
    ]);
    let check = |id: &str, json: Json, expect: &[(&str, Constraint)]| {
        let expect: Vec<_> = expect
            .iter()
            .map(|(path, c)| ((*path).to_owned(), *c))
            .collect();
        assert_eq!(broken(&catalog, id, &json), expect, "{json}");
    };
    check("com.example.r", json!({ "$type": "com.example.r" }), &[]);
    check("com.example.r", json!({}), &[("$type", Tag)]);
    check(
        "com.example.r",
        json!({ "$type": "com.example.s" }),
        &[("$type", Tag)],
    );
    check(
        "com.example.r",
        json!({ "$type": "com.example.r#main" }),
        &[("$type", Tag)],
    );

    check("com.example.v", json!({}), &[]);
    check("com.example.v", json!({ "$type": "com.example.v" }), &[]);
    check(
        "com.example.v",
        json!({ "$type": "com.example.v#main" }),
        &[],
    );
    check(
        "com.example.v",
        json!({ "$type": "com.example.v#other" }),
        &[("$type", Tag)],
    );

    let in_union = |union: &str, member: Json, expect: &[(&str, Constraint)]| {
        check(
            &format!("com.example.v#{union}"),
            json!({ "u": member }),
            expect,
        );
    };
    in_union("open", json!({ "$type": "com.example.v#other" }), &[]);
    in_union(
        "open",
        json!({ "$type": "com.example.unknown", "x": 1 }),
        &[],
    );
    in_union("open", json!({ "x": 1 }), &[("u/$type", Tag)]);
    in_union("open", json!(1), &[("u", Constraint::Type)]);
    in_union("closed", json!({ "$type": "com.example.v" }), &[]);
    in_union("closed", json!({ "$type": "com.example.r" }), &[]);
    in_union(
        "closed",
        json!({ "$type": "com.example.v#other" }),
        &[("u/$type", Tag)],
    );
}

#[test]
fn what_is_not_in_the_catalog_is_said_to_be_missing() {
    let catalog = catalog([
        ("com.example.q", json!({ "main": { "type": "query" } })),
        (
            "com.example.a",
            json!({ "view": object(json!({
                "gone": { "type": "ref", "ref": "com.example.gone" },
                "method": { "type": "ref", "ref": "com.example.q" },
            })) }),
        ),
    ]);
    let found = broken(
        &catalog,
        "com.example.a#view",
        &json!({ "gone": 1, "method": 1 }),
    );
    let unresolved = |path: &str| (path.to_owned(), Constraint::Unresolved);
    assert_eq!(found, [unresolved("gone"), unresolved("method")]);
}

#[test]
fn parameters_are_checked_like_the_fields_of_an_object() {
    let params = json!({ "type": "params", "required": ["q"], "properties": {
        "q": { "type": "string" }, "limit": { "type": "integer", "maximum": 100 },
    } });
    let catalog = catalog([(
        "com.example.q",
        json!({ "main": { "type": "query", "parameters": params } }),
    )]);
    let id: DefId = "com.example.q".parse().unwrap();
    let DefKind::Query(query) = &catalog.definition(&id).unwrap().kind else {
        panic!("no query")
    };
    let against = Against::Params(query.parameters.as_ref().unwrap());
    let found = violations(&catalog, against, &value(&json!({ "limit": 101 })));
    let told: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "limit: is 101, and may be at most 100",
            "q: required, but missing"
        ]
    );
}
