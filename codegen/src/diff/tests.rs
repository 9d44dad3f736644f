#![expect(
    clippy::needless_pass_by_value,
    reason = "cases are read more easily without `&`"
)]

use super::{Change, diff};
use crate::fixture::{catalog, object};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

const LEXICON: &str = "com.example.a";

/// Checks all findings: rule, path, and who breaks (`!`) or may care.
#[track_caller]
fn check(old: Json, new: Json, expect: &[&str]) {
    let findings = diff(&catalog([(LEXICON, old)]), &catalog([(LEXICON, new)]));
    let told: Vec<_> = findings
        .iter()
        .map(|finding| {
            let text = finding.to_string();
            let text = text
                .strip_prefix("lexicons/com/example/a.json: ")
                .unwrap_or(&text);
            text.to_owned()
        })
        .collect();
    assert_eq!(told, expect);
}

/// Checks a field of a shared definition whose one schema allows less than the other: one way round
/// it breaks readers of what exists, the other way round those who know the old version.
#[track_caller]
fn check_field(rule: &str, narrow: Json, said_narrow: &str, wide: Json, said_wide: &str) {
    let defs = |schema: &Json| json!({ "view": object(json!({ "z": schema })) });
    let path = "defs.view.properties.z";
    let said = |who: &str, a: &str, b: &str| format!("{path}: [{rule}] breaks {who}: {a} → {b}");
    check(
        defs(&wide),
        defs(&narrow),
        &[&said("readers of existing data", said_wide, said_narrow)],
    );
    check(
        defs(&narrow),
        defs(&wide),
        &[&said(
            "readers that know the old version",
            said_narrow,
            said_wide,
        )],
    );
    check(defs(&narrow), defs(&narrow), &[]);
}

/// Checks a field of a shared definition whose schemas each allow what the other does not.
#[track_caller]
fn check_other_field(rule: &str, old: Json, new: Json, said: &str) {
    let defs = |schema: &Json| json!({ "view": object(json!({ "z": schema })) });
    let path = "defs.view.properties.z";
    check(
        defs(&old),
        defs(&new),
        &[
            &format!("{path}: [{rule}] breaks readers of existing data: {said}"),
            &format!("{path}: [{rule}] breaks readers that know the old version: {said}"),
        ],
    );
}

fn string(more: &str) -> Json {
    serde_json::from_str(&format!(r#"{{"type": "string"{more}}}"#)).unwrap()
}

#[test]
fn type_change() {
    check_other_field(
        "type-change",
        string(""),
        json!({ "type": "object", "properties": {} }),
        "string → object",
    );
    check(
        json!({ "main": { "type": "query" } }),
        json!({ "main": { "type": "procedure" } }),
        &[
            "defs.main: [type-change] breaks callers that know the old version: query → procedure",
            "defs.main: [type-change] note for callers of servers that know the old version: query → procedure",
        ],
    );
}

#[test]
fn const_value() {
    check_field(
        "const-value",
        string(r#", "const": "a""#),
        "a",
        string(""),
        "any value",
    );
    check_other_field(
        "const-value",
        string(r#", "const": "a""#),
        string(r#", "const": "b""#),
        "a → b",
    );
    let boolean = |constant: bool| json!({ "type": "boolean", "const": constant });
    check_other_field("const-value", boolean(true), boolean(false), "true → false");
    let integer = |constant: i64| json!({ "type": "integer", "const": constant });
    check_other_field("const-value", integer(1), integer(2), "1 → 2");
}

#[test]
fn enum_values() {
    check_field(
        "enum-values",
        string(r#", "enum": ["a"]"#),
        "a",
        string(r#", "enum": ["b", "a"]"#),
        "b, a",
    );
    check_field(
        "enum-values",
        string(r#", "enum": ["a"]"#),
        "a",
        string(""),
        "any value",
    );
    let integer = |values: &[i64]| json!({ "type": "integer", "enum": values });
    check_other_field(
        "enum-values",
        integer(&[1, 2]),
        integer(&[2, 3]),
        "1, 2 → 2, 3",
    );
    check(
        json!({ "a": string(r#", "enum": ["a", "b"]"#) }),
        json!({ "a": string(r#", "enum": ["b", "a"]"#) }),
        &[],
    );
}

#[test]
fn known_values_and_defaults_may_change() {
    check(
        json!({ "a": string(r#", "knownValues": ["a"], "default": "a", "description": "Old.""#) }),
        json!({ "a": string(r#", "knownValues": ["b"], "default": "b""#) }),
        &[],
    );
}

#[test]
fn integer_range() {
    let integer =
        |more: &str| serde_json::from_str(&format!(r#"{{"type": "integer"{more}}}"#)).unwrap();
    check_field(
        "integer-range",
        integer(r#", "minimum": 1"#),
        "at least 1",
        integer(""),
        "no bound",
    );
    check_field(
        "integer-range",
        integer(r#", "minimum": 1, "maximum": 5"#),
        "1 to 5",
        integer(r#", "minimum": -1, "maximum": 5"#),
        "-1 to 5",
    );
    check_other_field(
        "integer-range",
        integer(r#", "minimum": 1, "maximum": 5"#),
        integer(r#", "minimum": 2, "maximum": 6"#),
        "1 to 5 → 2 to 6",
    );
}

#[test]
fn string_length() {
    check_field(
        "string-length",
        string(r#", "maxLength": 5"#),
        "at most 5 bytes",
        string(""),
        "no bound",
    );
    check_field(
        "string-length",
        string(r#", "maxGraphemes": 5"#),
        "at most 5 graphemes",
        string(r#", "maxGraphemes": 6"#),
        "at most 6 graphemes",
    );
    check_field(
        "string-length",
        string(r#", "minLength": 2"#),
        "at least 2 bytes",
        string(r#", "minLength": 1"#),
        "at least 1 bytes",
    );
    // No text is shorter than nothing.
    check(
        json!({ "a": string(r#", "minLength": 0"#) }),
        json!({ "a": string("") }),
        &[],
    );
}

#[test]
fn string_format() {
    check_field(
        "string-format",
        string(r#", "format": "did""#),
        "did",
        string(""),
        "no format",
    );
    check_field(
        "string-format",
        string(r#", "format": "did""#),
        "did",
        string(r#", "format": "at-identifier""#),
        "at-identifier",
    );
    check_field(
        "string-format",
        string(r#", "format": "tid""#),
        "tid",
        string(r#", "format": "record-key""#),
        "record-key",
    );
    check_other_field(
        "string-format",
        string(r#", "format": "did""#),
        string(r#", "format": "cid""#),
        "did → cid",
    );
}

#[test]
fn bytes_length() {
    let bytes = |most: usize| json!({ "type": "bytes", "maxLength": most });
    check_field(
        "bytes-length",
        bytes(5),
        "at most 5 bytes",
        bytes(6),
        "at most 6 bytes",
    );
}

#[test]
fn array_length() {
    let array =
        |most: usize| json!({ "type": "array", "maxLength": most, "items": { "type": "boolean" } });
    check_field(
        "array-length",
        array(5),
        "at most 5 items",
        array(6),
        "at most 6 items",
    );
    check(
        json!({ "a": { "type": "array", "items": { "type": "boolean" } } }),
        json!({ "a": { "type": "array", "items": { "type": "integer" } } }),
        &[
            "defs.a.items: [type-change] breaks readers of existing data: boolean → integer",
            "defs.a.items: [type-change] breaks readers that know the old version: boolean → integer",
        ],
    );
}

#[test]
fn blob_accept() {
    let blob = |accept: &[&str]| json!({ "type": "blob", "accept": accept });
    check_field(
        "blob-accept",
        blob(&["image/png"]),
        "image/png",
        blob(&["image/*"]),
        "image/*",
    );
    check_field(
        "blob-accept",
        blob(&["image/*"]),
        "image/*",
        blob(&[]),
        "*/*",
    );
    check_other_field(
        "blob-accept",
        blob(&["image/*"]),
        blob(&["video/*"]),
        "image/* → video/*",
    );
    check(
        json!({ "a": blob(&["image/png", "image/*"]) }),
        json!({ "a": blob(&["image/*", "image/gif"]) }),
        &[],
    );
}

#[test]
fn blob_size() {
    let blob = |most: i64| json!({ "type": "blob", "maxSize": most });
    check_field(
        "blob-size",
        blob(5),
        "at most 5 bytes",
        blob(6),
        "at most 6 bytes",
    );
    check_field(
        "blob-size",
        blob(5),
        "at most 5 bytes",
        json!({ "type": "blob" }),
        "no bound",
    );
}

#[test]
fn object_required() {
    let defs = |required: &[&str], names: &[&str]| {
        let fields: serde_json::Map<_, _> = names
            .iter()
            .map(|name| ((*name).to_owned(), json!({ "type": "boolean" })))
            .collect();
        json!({ "view": { "type": "object", "required": required, "properties": fields } })
    };
    check(
        defs(&["a"], &["a", "b"]),
        defs(&["a", "b"], &["a", "b"]),
        &["defs.view: [object-required] breaks readers of existing data: a → a, b"],
    );
    check(
        defs(&[], &["a"]),
        defs(&["b"], &["a", "b"]),
        &["defs.view: [object-required] breaks readers of existing data: none → b"],
    );
    check(
        defs(&["a"], &["a"]),
        defs(&[], &["a"]),
        &["defs.view: [object-required] breaks readers that know the old version: a → none"],
    );
    check(
        defs(&["a"], &["a", "b"]),
        defs(&[], &["b"]),
        &["defs.view: [object-required] breaks readers that know the old version: a → none"],
    );
    // Optional fields come and go.
    check(
        defs(&["b", "a"], &["a", "b"]),
        defs(&["a", "b"], &["a", "b", "c"]),
        &[],
    );
    check(defs(&["a"], &["a", "b"]), defs(&["a"], &["a"]), &[]);
}

#[test]
fn object_nullable() {
    let defs = |nullable: &[&str], names: &[&str]| {
        let fields: serde_json::Map<_, _> = names
            .iter()
            .map(|name| ((*name).to_owned(), json!({ "type": "boolean" })))
            .collect();
        json!({ "view": { "type": "object", "nullable": nullable, "properties": fields } })
    };
    check(
        defs(&["a"], &["a"]),
        defs(&[], &["a"]),
        &["defs.view: [object-nullable] breaks readers of existing data: a → none"],
    );
    check(
        defs(&[], &["a"]),
        defs(&["a"], &["a"]),
        &["defs.view: [object-nullable] breaks readers that know the old version: none → a"],
    );
    check(defs(&[], &["a"]), defs(&["b"], &["a", "b"]), &[]);
}

#[test]
fn record_key_type() {
    let defs = |key: &str| json!({ "main": { "type": "record", "key": key, "record": object(json!({})) } });
    check(
        defs("any"),
        defs("tid"),
        &["defs.main.key: [record-key-type] breaks readers of existing data: any → tid"],
    );
    check(
        defs("tid"),
        defs("any"),
        &["defs.main.key: [record-key-type] breaks readers that know the old version: tid → any"],
    );
    check(
        defs("literal:a"),
        defs("literal:b"),
        &[
            "defs.main.key: [record-key-type] breaks readers of existing data: literal:a → literal:b",
            "defs.main.key: [record-key-type] breaks readers that know the old version: literal:a → literal:b",
        ],
    );
}

#[test]
fn what_is_in_a_record_is_shared() {
    let defs = |most: u32| json!({ "main": { "type": "record", "key": "any", "record": object(json!({ "n": { "type": "integer", "maximum": most } })) } });
    check(
        defs(5),
        defs(6),
        &[
            "defs.main.record.properties.n: [integer-range] breaks readers that know the old version: at most 5 → at most 6",
        ],
    );
}

#[test]
fn ref_change() {
    let defs = |to: &str| {
        json!({
            "view": object(json!({ "z": { "type": "ref", "ref": to } })),
            "a": object(json!({ "n": { "type": "integer" }, "next": { "type": "ref", "ref": "#a" } })),
            "sameAsA": object(json!({ "next": { "type": "ref", "ref": "#sameAsA" }, "n": { "type": "integer" } })),
            "b": object(json!({ "n": { "type": "string" } })),
        })
    };
    check(
        defs("#a"),
        defs("#b"),
        &[
            "defs.view.properties.z: [ref-change] breaks readers of existing data: ref com.example.a#a → ref com.example.a#b",
            "defs.view.properties.z: [ref-change] breaks readers that know the old version: ref com.example.a#a → ref com.example.a#b",
        ],
    );
    // The same data under another name.
    check(
        defs("#a"),
        defs("#sameAsA"),
        &[
            "defs.view.properties.z: [ref-change] note for readers of existing data: ref com.example.a#a → ref com.example.a#sameAsA",
            "defs.view.properties.z: [ref-change] note for readers that know the old version: ref com.example.a#a → ref com.example.a#sameAsA",
        ],
    );
    // Whether it is the same cannot be seen.
    check_other_field(
        "ref-change",
        json!({ "type": "ref", "ref": "org.example.a" }),
        json!({ "type": "ref", "ref": "org.example.b" }),
        "ref org.example.a → ref org.example.b",
    );
}

#[test]
fn a_schema_may_move_into_a_definition_of_its_own() {
    let defs = |schema: Json| json!({ "view": object(json!({ "z": schema })), "text": string(r#", "maxLength": 5"#) });
    check(
        defs(string(r#", "maxLength": 5"#)),
        defs(json!({ "type": "ref", "ref": "#text" })),
        &[
            "defs.view.properties.z: [ref-change] note for readers of existing data: string → ref com.example.a#text",
            "defs.view.properties.z: [ref-change] note for readers that know the old version: string → ref com.example.a#text",
        ],
    );
    check(
        defs(string(r#", "maxLength": 6"#)),
        defs(json!({ "type": "ref", "ref": "#text" })),
        &[
            "defs.view.properties.z: [type-change] breaks readers of existing data: string → ref com.example.a#text",
            "defs.view.properties.z: [type-change] breaks readers that know the old version: string → ref com.example.a#text",
        ],
    );
}

fn union(closed: bool, refs: &[&str]) -> Json {
    json!({ "type": "union", "closed": closed, "refs": refs })
}

#[test]
fn union_open_closed() {
    check_field(
        "union-open-closed",
        union(true, &["#a"]),
        "closed",
        union(false, &["#a"]),
        "open",
    );
}

#[test]
fn union_closed_refs() {
    check_field(
        "union-closed-refs",
        union(true, &["#a"]),
        "com.example.a#a",
        union(true, &["#b", "#a"]),
        "com.example.a#b, com.example.a#a",
    );
    check_other_field(
        "union-closed-refs",
        union(true, &["#a"]),
        union(true, &["#b"]),
        "com.example.a#a → com.example.a#b",
    );
}

#[test]
fn union_open_refs() {
    let defs = |refs: &[&str]| json!({ "view": object(json!({ "z": union(false, refs) })) });
    check(
        defs(&["#a", "#b"]),
        defs(&["#c", "#b"]),
        &[
            "defs.view.properties.z: [union-open-refs] breaks readers of existing data: com.example.a#a, com.example.a#b → com.example.a#c, com.example.a#b",
        ],
    );
    check(defs(&["#a"]), defs(&["#b", "#a"]), &[]);
}

#[test]
fn message_refs() {
    let defs = |closed: bool, refs: &[&str]| json!({ "main": { "type": "subscription", "message": { "schema": union(closed, refs) } } });
    check(
        defs(false, &["#a", "#b"]),
        defs(false, &["#a"]),
        &[
            "defs.main.message.schema: [message-refs] breaks clients of servers that know the old version: com.example.a#a, com.example.a#b → com.example.a#a",
        ],
    );
    check(defs(false, &["#a"]), defs(false, &["#a", "#b"]), &[]);
    check(
        defs(true, &["#a"]),
        defs(true, &["#a", "#b"]),
        &[
            "defs.main.message.schema: [union-closed-refs] breaks clients that know the old version: com.example.a#a → com.example.a#a, com.example.a#b",
        ],
    );
}

fn params(required: &[&str], properties: Json) -> Json {
    json!({ "type": "params", "required": required, "properties": properties })
}

#[test]
fn params_required() {
    let boolean = json!({ "a": { "type": "boolean" } });
    for kind in ["query", "procedure"] {
        let defs = |parameters: Json| json!({ "main": { "type": kind, "parameters": parameters } });
        check(
            defs(params(&[], boolean.clone())),
            defs(params(&["a"], boolean.clone())),
            &[
                "defs.main.parameters: [params-required] breaks callers that know the old version: none → a",
            ],
        );
        check(
            defs(params(&["a"], boolean.clone())),
            defs(params(&[], boolean.clone())),
            &[
                "defs.main.parameters: [params-required] note for callers of servers that know the old version: a → none",
            ],
        );
    }
    check(
        json!({ "main": { "type": "query" } }),
        json!({ "main": { "type": "query", "parameters": params(&["a"], boolean.clone()) } }),
        &[
            "defs.main.parameters: [params-required] breaks callers that know the old version: none → a",
        ],
    );
    let subscription = |parameters: Json| json!({ "main": { "type": "subscription", "parameters": parameters, "message": { "schema": union(false, &[]) } } });
    check(
        subscription(params(&[], boolean.clone())),
        subscription(params(&["a"], boolean)),
        &[
            "defs.main.parameters: [params-required] breaks callers that know the old version: none → a",
        ],
    );
}

#[test]
fn params_removed() {
    let defs = |properties: Json| json!({ "main": { "type": "query", "parameters": params(&[], properties) } });
    check(
        defs(json!({ "a": { "type": "boolean" } })),
        defs(json!({})),
        &[
            "defs.main.parameters.properties.a: [params-removed] note for callers that know the old version: a → nothing",
        ],
    );
    check(
        defs(json!({})),
        defs(json!({ "a": { "type": "boolean" } })),
        &[],
    );
}

#[test]
fn what_a_method_takes_may_be_loosened_and_what_it_answers_tightened() {
    let integer = |most: u32| json!({ "n": { "type": "integer", "maximum": most } });
    let query = |most: u32| json!({ "main": { "type": "query", "parameters": params(&[], integer(most)) } });
    let path = "defs.main.parameters.properties.n: [integer-range]";
    check(
        query(6),
        query(5),
        &[&format!(
            "{path} breaks callers that know the old version: at most 6 → at most 5"
        )],
    );
    check(
        query(5),
        query(6),
        &[&format!(
            "{path} note for callers of servers that know the old version: at most 5 → at most 6"
        )],
    );
    let procedure = |key: &str, most: u32| {
        let body = json!({ "encoding": "application/json", "schema": object(integer(most)) });
        json!({ "main": { "type": "procedure", key: body } })
    };
    let path = |key: &str| format!("defs.main.{key}.schema.properties.n: [integer-range]");
    let (input, output) = (path("input"), path("output"));
    check(
        procedure("input", 6),
        procedure("input", 5),
        &[&format!(
            "{input} breaks callers that know the old version: at most 6 → at most 5"
        )],
    );
    check(
        procedure("input", 5),
        procedure("input", 6),
        &[&format!(
            "{input} note for callers of servers that know the old version: at most 5 → at most 6"
        )],
    );
    check(
        procedure("output", 6),
        procedure("output", 5),
        &[&format!(
            "{output} note for clients of servers that know the old version: at most 6 → at most 5"
        )],
    );
    check(
        procedure("output", 5),
        procedure("output", 6),
        &[&format!(
            "{output} breaks clients that know the old version: at most 5 → at most 6"
        )],
    );
}

#[test]
fn body_encoding() {
    let defs = |key: &str, encoding: &str| json!({ "main": { "type": "procedure", key: { "encoding": encoding } } });
    check(
        defs("output", "text/plain"),
        defs("output", "application/json"),
        &[
            "defs.main.output.encoding: [body-encoding] note for clients of servers that know the old version: text/plain → application/json",
            "defs.main.output.encoding: [body-encoding] breaks clients that know the old version: text/plain → application/json",
        ],
    );
    check(
        defs("input", "*/*"),
        defs("input", "image/*"),
        &[
            "defs.main.input.encoding: [body-encoding] breaks callers that know the old version: */* → image/*",
        ],
    );
    check(
        defs("input", "image/png"),
        defs("input", "image/*"),
        &[
            "defs.main.input.encoding: [body-encoding] note for callers of servers that know the old version: image/png → image/*",
        ],
    );
    check(
        defs("input", "image/png, text/plain"),
        defs("input", "text/plain,image/jpeg,image/png"),
        &[
            "defs.main.input.encoding: [body-encoding] note for callers of servers that know the old version: image/png, text/plain → text/plain,image/jpeg,image/png",
        ],
    );
    check(
        defs("input", ""),
        defs("input", "text/plain"),
        &[
            "defs.main.input.encoding: [body-encoding] breaks callers that know the old version: no encoding → text/plain",
            "defs.main.input.encoding: [body-encoding] note for callers of servers that know the old version: no encoding → text/plain",
        ],
    );
}

#[test]
fn body_presence() {
    let with =
        |key: &str| json!({ "main": { "type": "procedure", key: { "encoding": "text/plain" } } });
    let without = json!({ "main": { "type": "procedure" } });
    check(
        without.clone(),
        with("input"),
        &[
            "defs.main.input: [body-presence] breaks callers that know the old version: no body → text/plain",
        ],
    );
    check(
        with("input"),
        without.clone(),
        &[
            "defs.main.input: [body-presence] note for callers of servers that know the old version: text/plain → no body",
        ],
    );
    check(
        without.clone(),
        with("output"),
        &[
            "defs.main.output: [body-presence] note for clients of servers that know the old version: no body → text/plain",
        ],
    );
    check(
        with("output"),
        without,
        &[
            "defs.main.output: [body-presence] breaks clients that know the old version: text/plain → no body",
        ],
    );
}

#[test]
fn body_schema() {
    let with = json!({ "main": { "type": "query", "output": { "encoding": "application/json", "schema": object(json!({})) } } });
    let without =
        json!({ "main": { "type": "query", "output": { "encoding": "application/json" } } });
    check(
        without.clone(),
        with.clone(),
        &[
            "defs.main.output.schema: [body-schema] note for clients of servers that know the old version: no schema → a schema",
        ],
    );
    check(
        with,
        without,
        &[
            "defs.main.output.schema: [body-schema] breaks clients that know the old version: a schema → no schema",
        ],
    );
}

#[test]
fn error_names() {
    let defs = |names: &[&str]| {
        let errors: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
        json!({ "main": { "type": "query", "errors": errors } })
    };
    check(
        defs(&["A"]),
        defs(&["A", "B"]),
        &["defs.main.errors: [error-names] note for clients that know the old version: A → A, B"],
    );
    check(
        defs(&["A", "B"]),
        defs(&["A"]),
        &[
            "defs.main.errors: [error-names] note for clients of servers that know the old version: A, B → A",
        ],
    );
}

#[test]
fn permissions() {
    let set = |permissions: Json| json!({ "main": { "type": "permission-set", "permissions": permissions } });
    let repo = |collections: &[&str], actions: &[&str]| json!({ "type": "permission", "resource": "repo", "collection": collections, "action": actions });
    let all = set(json!([repo(&["com.example.r"], &[])]));
    let some = set(json!([repo(&["com.example.r"], &["create", "update"])]));
    check(
        all.clone(),
        some.clone(),
        &[
            "defs.main.permissions: [permissions] breaks apps that ask for it: delete com.example.r → no permission",
        ],
    );
    check(
        some,
        all.clone(),
        &[
            "defs.main.permissions: [permissions] note for people who agreed to it: no permission → delete com.example.r",
        ],
    );
    let apart = set(json!([
        repo(&["com.example.r"], &["delete"]),
        repo(&["com.example.r"], &["update", "create"])
    ]));
    check(all, apart, &[]);
    let rpc = |more: &str| {
        let text = format!(
            r#"[{{"type": "permission", "resource": "rpc", "lxm": ["com.example.q"], {more}}}]"#
        );
        set(serde_json::from_str(&text).unwrap())
    };
    check(
        rpc(r#""aud": "*""#),
        rpc(r#""inheritAud": true"#),
        &[
            "defs.main.permissions: [permissions] breaks apps that ask for it: com.example.q of * → no permission",
            "defs.main.permissions: [permissions] note for people who agreed to it: no permission → com.example.q of the service asked for",
        ],
    );
    // Servers ignore what names two audiences, and what names none.
    for ignored in [
        r#""aud": "*", "inheritAud": true"#,
        r#""inheritAud": false"#,
    ] {
        check(
            rpc(ignored),
            rpc(r#""aud": "*""#),
            &[
                "defs.main.permissions: [permissions] note for people who agreed to it: no permission → com.example.q of *",
            ],
        );
    }
}

#[test]
fn a_finding_is_one_line_whatever_is_in_the_lexicons() {
    let set = |method: &str| {
        json!({ "main": { "type": "permission-set", "permissions": [
            { "type": "permission", "resource": "rpc", "lxm": [method], "aud": "*" },
        ] } })
    };
    check(
        set("com.example.q"),
        set("a\nb\u{202e}"),
        &[
            "defs.main.permissions: [permissions] breaks apps that ask for it: com.example.q of * → no permission",
            "defs.main.permissions: [permissions] note for people who agreed to it: no permission → a\\nb\\u{202e} of *",
        ],
    );
    check_other_field(
        "const-value",
        string(r#", "const": "a\r\nb""#),
        string(r#", "const": "\u0000""#),
        "a\\r\\nb → \\u{0}",
    );
}

#[test]
fn definition_removed() {
    check(
        json!({ "a": { "type": "token" }, "b": { "type": "token" } }),
        json!({ "b": { "type": "token" }, "c": { "type": "token" } }),
        &[
            "defs.a: [definition-removed] breaks readers of existing data: com.example.a#a → nothing",
        ],
    );
}

#[test]
fn lexicon_removed() {
    let both = catalog([
        ("com.example.a", json!({ "a": { "type": "token" } })),
        ("com.example.b", json!({ "a": { "type": "token" } })),
    ]);
    let one = catalog([("com.example.b", json!({ "a": { "type": "token" } }))]);
    let told: Vec<_> = diff(&both, &one).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "lexicons/com/example/a.json: [lexicon-removed] breaks readers of existing data: com.example.a → nothing"
        ]
    );
    assert_eq!(diff(&one, &both), []);
}

#[test]
fn every_rule_has_a_name_of_its_own() {
    let names: BTreeSet<_> = Change::ALL.iter().map(|change| change.name()).collect();
    assert_eq!(names.len(), Change::ALL.len());
}
