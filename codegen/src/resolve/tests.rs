use super::{External, Externals, resolve};
use crate::diagnostic::Rule;
use crate::fixture::{catalog, object};
use crate::model::{Catalog, DefId, NsidPattern, SchemaKind, visit};
use serde_json::{Value as Json, json};

fn reference(to: &str) -> Json {
    json!({ "type": "ref", "ref": to })
}

fn list(items: &Json) -> Json {
    json!({ "type": "array", "items": items })
}

/// Checks all that is said of a catalog.
#[track_caller]
fn check(catalog: &Catalog, expect: &[&str]) {
    let said = match resolve(catalog, &[], &Externals::default()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.0.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(said, expect);
}

#[test]
fn a_reference_leads_to_a_type_of_data() {
    let targets = json!({
        "main": { "type": "record", "key": "any", "record": object(json!({})) },
        "text": { "type": "string" },
        "list": { "type": "array", "items": { "type": "string" } },
        "word": { "type": "token" },
    });
    check(
        &catalog([
            ("com.example.a", targets),
            ("com.example.b", json!({ "main": { "type": "query" } })),
            (
                "com.example.c",
                json!({ "view": object(json!({
                    "record": reference("com.example.a"),
                    "text": reference("com.example.a#text"),
                    "list": reference("com.example.a#list"),
                    "word": reference("com.example.a#word"),
                    "query": reference("com.example.b"),
                    "nothing": reference("com.example.a#nothing"),
                    "nowhere": reference("com.example.nowhere"),
                    "items": list(&reference("#gone")),
                })) }),
            ),
        ]),
        &[
            "lexicons/com/example/c.json: defs.view.properties.items.items.ref: [unresolved-ref] lexicons/com/example/c.json has no definition `gone`, only view",
            "lexicons/com/example/c.json: defs.view.properties.nothing.ref: [unresolved-ref] lexicons/com/example/a.json has no definition `nothing`, only list, main, text, word",
            "lexicons/com/example/c.json: defs.view.properties.nowhere.ref: [unresolved-ref] com.example.nowhere is in no lexicon here; add its file, and if another crate has its type, say which (--external 'com.example.nowhere=that_crate')",
            "lexicons/com/example/c.json: defs.view.properties.query.ref: [ref-target] com.example.b is a query, which is no type of data",
            "lexicons/com/example/c.json: defs.view.properties.word.ref: [ref-target] com.example.a#word is a token, which is no type of data",
        ],
    );
}

#[test]
fn a_union_is_of_distinct_objects_and_records() {
    let targets = json!({
        "main": { "type": "record", "key": "any", "record": object(json!({})) },
        "view": object(json!({})),
        "text": { "type": "string" },
        "word": { "type": "token" },
    });
    let refs = [
        "com.example.a",
        "com.example.a#view",
        "com.example.a#text",
        "com.example.a#word",
        "com.example.a#main",
    ];
    check(
        &catalog([
            ("com.example.a", targets),
            (
                "com.example.b",
                json!({ "main": { "type": "subscription", "message": { "schema": { "type": "union", "refs": refs } } } }),
            ),
        ]),
        &[
            "lexicons/com/example/b.json: defs.main.message.schema.refs[2]: [union-member] com.example.a#text is a string; a union is of objects and records",
            "lexicons/com/example/b.json: defs.main.message.schema.refs[3]: [union-member] com.example.a#word is a token; a union is of objects and records",
            "lexicons/com/example/b.json: defs.main.message.schema.refs[4]: [union-member] com.example.a is a variant of this union twice",
        ],
    );
}

#[test]
fn a_list_of_nothing_but_lists_is_no_type() {
    let circle = json!({ "a": list(&reference("#b")), "b": list(&list(&reference("#a"))) });
    let message = "this list holds nothing but itself; an object in between would make it a type";
    check(
        &catalog([("com.example.a", circle)]),
        &[
            &format!("lexicons/com/example/a.json: defs.a.items: [endless-type] {message}"),
            &format!("lexicons/com/example/a.json: defs.b.items.items: [endless-type] {message}"),
        ],
    );
}

#[test]
fn a_type_that_requires_itself_has_no_value() {
    let required =
        |to: &Json| json!({ "type": "object", "required": ["x"], "properties": { "x": to } });
    let nullable = |to: &Json| json!({ "type": "object", "required": ["x"], "nullable": ["x"], "properties": { "x": to } });
    let message =
        "this requires itself, so that no value is ever complete; something has to be optional";
    let wrong =
        |path: &str| format!("lexicons/com/example/a.json: {path}: [endless-type] {message}");

    check(
        &catalog([(
            "com.example.a",
            json!({ "a": object(json!({ "x": reference("#a") })) }),
        )]),
        &[],
    );
    check(
        &catalog([("com.example.a", json!({ "a": nullable(&reference("#a")) }))]),
        &[],
    );
    check(
        &catalog([(
            "com.example.a",
            json!({ "a": required(&list(&reference("#a"))) }),
        )]),
        &[],
    );
    check(
        &catalog([("com.example.a", json!({ "a": required(&reference("#a")) }))]),
        &[&wrong("defs.a.properties.x")],
    );
    // `c` has no value either, but it is not to blame.
    check(
        &catalog([(
            "com.example.a",
            json!({
                "a": required(&required(&reference("#b"))),
                "b": required(&json!({ "type": "array", "minLength": 1, "items": reference("#a") })),
                "c": required(&reference("#a")),
            }),
        )]),
        &[
            &wrong("defs.a.properties.x.properties.x"),
            &wrong("defs.b.properties.x.items"),
        ],
    );
    let closed = |refs: &[&str]| json!({ "type": "union", "closed": true, "refs": refs });
    check(
        &catalog([(
            "com.example.a",
            json!({ "a": required(&closed(&["#a", "#b"])), "b": object(json!({})) }),
        )]),
        &[],
    );
    check(
        &catalog([("com.example.a", json!({ "a": required(&closed(&["#a"])) }))]),
        &[&wrong("defs.a.properties.x.refs[0]")],
    );
}

/// Checks which refs need a box: their paths in the one lexicon of a catalog.
#[track_caller]
fn check_boxed(defs: Json, expect: &[&str]) {
    let catalog = catalog([("com.example.a", defs)]);
    let externals = Externals::default();
    let resolution = resolve(&catalog, &[], &externals).unwrap();
    let mut boxed = Vec::new();
    for document in resolution.documents() {
        visit::schemas(document, &mut |schema| {
            if matches!(schema.kind, SchemaKind::Ref(_)) && resolution.needs_box(document, schema) {
                boxed.push(schema.path.clone());
            }
        });
    }
    assert_eq!(boxed, expect);
}

#[test]
fn a_field_that_leads_back_to_its_own_type_needs_a_box() {
    check_boxed(
        json!({ "a": object(json!({ "parent": reference("#a"), "other": reference("#b") })), "b": object(json!({})) }),
        &["defs.a.properties.parent"],
    );
    // The way round may be long, and pass through objects without a name.
    check_boxed(
        json!({
            "a": object(json!({ "x": object(json!({ "y": reference("#b") })) })),
            "b": object(json!({ "z": reference("#c"), "leaf": reference("#d") })),
            "c": object(json!({ "w": reference("#a") })),
            "d": object(json!({})),
        }),
        &[
            "defs.a.properties.x.properties.y",
            "defs.b.properties.z",
            "defs.c.properties.w",
        ],
    );
    // Lists and unions are on the heap.
    check_boxed(
        json!({
            "a": object(json!({
                "list": list(&reference("#a")),
                "lists": reference("#lists"),
                "union": { "type": "union", "refs": ["#a"] },
            })),
            "lists": list(&reference("#a")),
        }),
        &[],
    );
}

#[test]
fn a_long_chain_of_references_does_not_exhaust_the_stack() {
    let link = |n: usize| {
        (
            format!("d{n}"),
            object(json!({ "next": reference(&format!("#d{}", n + 1)) })),
        )
    };
    let mut defs: serde_json::Map<_, _> = (0..20_000).map(link).collect();
    defs.insert(
        "d20000".to_owned(),
        object(json!({ "first": reference("#d0") })),
    );
    let catalog = catalog([("com.example.a", Json::Object(defs))]);
    let externals = Externals::default();
    let resolution = resolve(&catalog, &[], &externals).unwrap();
    assert_eq!(resolution.boxed.len(), 20_001);
}

fn ids<'a>(resolution: &super::Resolution<'a>) -> Vec<&'a str> {
    resolution
        .documents()
        .map(|document| document.id.as_str())
        .collect()
}

fn external(lexicons: &str, rust_path: &str) -> External {
    External {
        lexicons: lexicons.parse().unwrap(),
        rust_path: rust_path.to_owned(),
    }
}

#[test]
fn a_selection_brings_along_what_it_refers_to() {
    let catalog = catalog([
        (
            "com.example.a",
            json!({ "main": object(json!({ "b": list(&reference("com.example.b")) })) }),
        ),
        (
            "com.example.b",
            json!({ "main": object(json!({ "c": { "type": "union", "refs": ["org.example.c"] } })) }),
        ),
        (
            "com.example.d",
            json!({ "main": object(json!({ "gone": reference("com.example.gone") })) }),
        ),
        ("org.example.c", json!({ "main": object(json!({})) })),
    ]);
    let selection: [NsidPattern; 1] = ["com.example.a".parse().unwrap()];
    let none = Externals::default();
    let resolution = resolve(&catalog, &selection, &none).unwrap();
    assert_eq!(
        ids(&resolution),
        ["com.example.a", "com.example.b", "org.example.c"]
    );

    let externals = Externals::new([external("org.*", "elsewhere")]);
    let resolution = resolve(&catalog, &selection, &externals).unwrap();
    assert_eq!(ids(&resolution), ["com.example.a", "com.example.b"]);
    let target = resolution.target(&"org.example.c".parse::<DefId>().unwrap());
    assert_eq!(target.unwrap().home, Some("elsewhere"));
}

#[test]
fn what_is_external_is_not_generated_even_if_it_is_selected() {
    let catalog = catalog([("com.example.a", json!({ "main": object(json!({})) }))]);
    let externals = Externals::new([external("com.*", "elsewhere")]);
    let selection: [NsidPattern; 1] = ["com.example.a".parse().unwrap()];
    let resolution = resolve(&catalog, &selection, &externals).unwrap();
    assert_eq!(ids(&resolution), [""; 0]);
}

#[test]
fn what_another_crate_has_must_be_at_hand_with_all_that_its_constraints_hang_on() {
    let ours = |to: &str| {
        let union = json!({ "type": "union", "refs": [to] });
        (
            "com.example.a",
            json!({ "main": object(json!({ "x": reference(to), "y": union })) }),
        )
    };
    let theirs = json!({
        "words": list(&list(&reference("org.example.gone#word"))),
        "thing": object(json!({ "word": reference("org.example.gone#word") })),
    });
    let externals = Externals::new([external("org.*", "elsewhere")]);
    let check = |to: &str, expect: &[&str]| {
        let catalog = catalog([ours(to), ("org.example.b", theirs.clone())]);
        let said = resolve(&catalog, &[], &externals).err().unwrap_or_default();
        let said: Vec<_> = said.0.iter().map(ToString::to_string).collect();
        let expect: Vec<_> = expect
            .iter()
            .map(|e| format!("lexicons/com/example/a.json: defs.main.properties.{e}"))
            .collect();
        assert_eq!(said, expect);
        // Only to generate code: the reference itself is as it should be.
        let wrong = super::problems(&catalog, &externals);
        assert!(
            wrong
                .iter()
                .all(|problem| problem.rule != Rule::UnresolvedRef)
        );
    };
    let gone = |id: &str| {
        format!(
            "[unresolved-ref] {id} is in no lexicon here; elsewhere has its type, but its constraints are in its file: add that to the lexicons (--lexicons) too"
        )
    };
    let twice = |message: &str| [format!("x.ref: {message}"), format!("y.refs[0]: {message}")];
    let [x, y] = twice(&gone("org.example.gone"));
    check("org.example.gone", &[&x, &y]);
    let [x, y] = twice(&gone("org.example.gone#word"));
    check("org.example.b#words", &[&x, &y]);
    let [x, y] = twice(
        "[unresolved-ref] lexicons/org/example/b.json has no definition `other`, only thing, words",
    );
    check("org.example.b#other", &[&x, &y]);
    // An object checks itself, in its own crate.
    check("org.example.b#thing", &[]);
}

#[test]
fn of_several_mappings_the_narrowest_counts() {
    let externals = Externals::new([
        external("*", "all"),
        external("com.example.*", "some"),
        external("com.example.one", "one"),
        external("com.example.one", "later"),
    ]);
    let path = |nsid: &str| externals.rust_path(&nsid.parse().unwrap());
    assert_eq!(path("org.example.thing"), Some("all"));
    assert_eq!(path("com.example.thing"), Some("some"));
    assert_eq!(path("com.example.one"), Some("one"));
}

#[test]
fn lists_nest_no_deeper_than_data() {
    let nested = |levels| (0..levels).fold(json!({ "type": "boolean" }), |items, _| list(&items));
    let deep = nested(60);
    let field = |items: Json| json!({ "main": object(json!({ "x": items })), "deep": deep });
    let around = |levels| (0..levels).fold(reference("#deep"), |items, _| list(&items));
    let here = |path: &str| {
        format!(
            "lexicons/com/example/a.json: {path}: [lexicon-schema] lists nest deeper than the 64 levels of data"
        )
    };
    check(&catalog([("com.example.a", field(around(4)))]), &[]);
    check(
        &catalog([("com.example.a", field(around(6)))]),
        &[&here("defs.main.properties.x.items")],
    );

    // The lists of another crate are not generated, and yet have to be walked.
    let catalog = catalog([
        (
            "com.example.a",
            json!({ "main": object(json!({ "x": reference("org.example.b#a") })) }),
        ),
        ("org.example.b", json!({ "a": list(&reference("#a")) })),
    ]);
    let externals = Externals::new([external("org.*", "elsewhere")]);
    let error = resolve(&catalog, &[], &externals).unwrap_err();
    assert_eq!(error.to_string(), here("defs.main.properties.x"));
}
