use crate::model::{DefKind, Document, KeyKind, Resource, SchemaKind};
use crate::parse::document;
use std::path::Path;

fn read(text: &str) -> Result<Document, Vec<String>> {
    let read = document(Path::new("a.json"), "lexicons/a.json", text.as_bytes());
    read.map_err(|problems| problems.0.iter().map(ToString::to_string).collect())
}

/// Checks all that is said of a text; of an expectation that ends with ` ~` only the beginning counts.
#[track_caller]
fn check(text: &str, expect: &[&str]) {
    let said = read(text).err().unwrap_or_default();
    let fits = |(said, expect): (&String, &&str)| match expect.strip_suffix(" ~") {
        Some(beginning) => said.starts_with(beginning),
        None => said == expect,
    };
    let all = said.len() == expect.len() && said.iter().zip(expect).all(fits);
    assert!(all, "said {said:#?}, expected {expect:#?}");
}

/// Checks all that is said of a lexicon with these definitions.
#[track_caller]
fn check_defs(defs: &str, expect: &[&str]) {
    check(
        &format!(r#"{{"lexicon": 1, "id": "com.example.a", "defs": {defs}}}"#),
        expect,
    );
}

/// Checks all that is said of a field with this schema, after its path.
#[track_caller]
fn check_field(schema: &str, expect: &[&str]) {
    let defs = format!(r#"{{"main": {{"type": "object", "properties": {{"z": {schema}}}}}}}"#);
    let expect: Vec<_> = expect
        .iter()
        .map(|e| format!("a.json: defs.main.properties.z{e}"))
        .collect();
    check_defs(
        &defs,
        &expect.iter().map(String::as_str).collect::<Vec<_>>(),
    );
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    check(
        "",
        &["a.json: line 1, column 0: [schema-json-parse] EOF while parsing a value"],
    );
    check(
        "{]",
        &["a.json: line 1, column 2: [schema-json-parse] key must be a string"],
    );
    check(
        "[1,\n nul]",
        &["a.json: line 2, column 5: [schema-json-parse] expected ident"],
    );
    check(
        "[]",
        &["a.json: [schema-json-parse] expected an object, found an array"],
    );
    check(
        "{} {}",
        &["a.json: line 1, column 4: [schema-json-parse] trailing characters"],
    );
    check(
        &"[".repeat(100_000),
        &["a.json: line 1, column 128: [schema-json-parse] recursion limit exceeded"],
    );
}

#[test]
fn keys_that_are_there_twice_are_refused_wherever_they_are() {
    check(
        r#"{"lexicon": 1, "lexicon": 1, "id": "com.example.a", "defs": {"a": {"type": "token", "x": [{"y": 1, "y": 1}]}}}"#,
        &[
            "a.json: lexicon: [schema-json-parse] the key is there twice",
            "a.json: defs.a.x[0].y: [schema-json-parse] the key is there twice",
        ],
    );
}

#[test]
fn a_document_has_a_version_an_id_and_definitions() {
    check(
        "{}",
        &["a.json: [lexicon-schema] the key `lexicon` is missing"],
    );
    check(
        r#"{"lexicon": 2}"#,
        &["a.json: lexicon: [lexicon-version] version 2 is unknown; this reads version 1"],
    );
    check(
        r#"{"lexicon": "one", "id": "com.example.a", "defs": {"a": {"type": "token"}}}"#,
        &["a.json: lexicon: [schema-json-parse] expected a 64-bit integer, found a string"],
    );
    check(
        r#"{"lexicon": 1.5, "id": "com.example.a"}"#,
        &[
            "a.json: lexicon: [schema-json-parse] expected a 64-bit integer, found a number that is no 64-bit integer",
        ],
    );
    check(
        r#"{"lexicon": 1}"#,
        &[
            "a.json: [lexicon-schema] the key `id` is missing",
            "a.json: [lexicon-schema] the key `defs` is missing",
        ],
    );
    check(
        r#"{"lexicon": 1, "id": "one-two", "defs": {}}"#,
        &[
            "a.json: id: [invalid-nsid] \"one-two\": invalid NSID: ~",
            "a.json: defs: [lexicon-schema] a lexicon has at least one definition",
        ],
    );
    check(
        r#"{"$type": "com.example.other", "lexicon": 1, "id": "com.example.a", "defs": {"a": {"type": "token"}}}"#,
        &["a.json: $type: [lexicon-schema] \"com.example.other\" is no lexicon"],
    );
}

#[test]
fn a_document_remembers_what_the_language_does_not_name() {
    let document = read(
        r#"{"lexicon": 1, "$type": "com.atproto.lexicon.schema", "revision": 3, "id": "com.example.a", "defs": {
            "a": {"type": "token", "deprecated": true, "odd key": 1},
            "b": {"type": "array", "items": {"type": "string", "pattern": "x"}}
        }}"#,
    );
    let unexpected = document.unwrap().unexpected;
    assert_eq!(
        unexpected,
        [
            "defs.a.deprecated",
            "defs.a.\"odd key\"",
            "defs.b.items.pattern",
            "revision"
        ]
    );
}

#[test]
fn a_definition_has_a_name_that_shows_where_it_ends() {
    #[track_caller]
    fn check_name(json: &str, path: &str) {
        let said = format!(
            "a.json: defs.{path}: [lexicon-schema] a definition's name is letters and digits; ~"
        );
        check_defs(&format!(r#"{{{json}: {{"type": "token"}}}}"#), &[&said]);
    }
    check_name(r#""""#, r#""""#);
    check_name(r#""a.b""#, r#""a.b""#);
    check_name(r#""a#b""#, r#""a#b""#);
    check_name(r#""a b""#, r#""a b""#);
    check_name(r#""m\nain""#, r#""m\nain""#);
    check_name(r#""\u0000""#, r#""\0""#);
    check_name(r#""a\u007f""#, r#""a\u{7f}""#);
    check_name(r#""a\u2028b""#, r#""a\u{2028}b""#);
    check_name(r#""a\u202eb""#, r#""a\u{202e}b""#);
    check_name(r#""\ufeffa""#, r#""\u{feff}a""#);
    // Not as the specification has it, and left to the linter: others read these.
    for name in ["a-b", "a_b", "1a", "über", "→"] {
        check_defs(&format!(r#"{{"{name}": {{"type": "token"}}}}"#), &[]);
    }
}

#[test]
fn a_definition_has_a_type_that_can_be_named() {
    check_defs(
        r#"{"a": {"type": "ref", "ref": "x"}, "b": {"type": "union"}, "c": {"type": "unknown"}, "d": {"type": "params"}, "e": {"type": "permission"}, "f": {"type": "strng"}, "g": {}, "h": 1}"#,
        &[
            "a.json: defs.a: [lexicon-schema] a ref cannot be a definition, only part of one",
            "a.json: defs.b: [lexicon-schema] a union cannot be a definition, only part of one",
            "a.json: defs.c: [lexicon-schema] an unknown cannot be a definition, only part of one",
            "a.json: defs.d: [lexicon-schema] a params cannot be a definition, only part of one",
            "a.json: defs.e: [lexicon-schema] a permission cannot be a definition, only part of one",
            "a.json: defs.f: [schema-json-parse] unknown type \"strng\"",
            "a.json: defs.g: [lexicon-schema] the key `type` is missing",
            "a.json: defs.h: [schema-json-parse] expected an object, found an integer",
        ],
    );
    check_defs(
        r#"{"notMain": {"type": "query"}}"#,
        &["a.json: defs.notMain: [non-main-primary] a query is the `main` of a lexicon of its own"],
    );
}

#[test]
fn a_field_has_a_type_of_data() {
    check_field(
        "1",
        &[": [schema-json-parse] expected an object, found an integer"],
    );
    check_field(
        r#"{"type": "strng"}"#,
        &[": [schema-json-parse] unknown type \"strng\""],
    );
    check_field(
        r#"{"type": "null"}"#,
        &[": [schema-json-parse] unknown type \"null\""],
    );
    check_field(
        r#"{"type": "token"}"#,
        &[": [lexicon-schema] a token cannot stand here"],
    );
    check_field(
        r#"{"type": "record"}"#,
        &[": [lexicon-schema] a record cannot stand here"],
    );
    check_field(
        r#"{"type": "string", "description": 1}"#,
        &[".description: [schema-json-parse] expected a string, found an integer"],
    );
    let long = "x".repeat(10_000);
    let said = format!(": [schema-json-parse] unknown type \"{}\"…", "x".repeat(80));
    check_field(&format!(r#"{{"type": "{long}"}}"#), &[&said]);
}

#[test]
fn bounds_leave_something_between_them() {
    check_field(r#"{"type": "integer", "minimum": 1, "maximum": 1}"#, &[]);
    check_field(
        r#"{"type": "integer", "minimum": 2, "maximum": 1}"#,
        &[": [lexicon-schema] `minimum` 2 is above `maximum` 1"],
    );
    check_field(
        r#"{"type": "string", "minLength": 2, "maxLength": 1, "minGraphemes": 4, "maxGraphemes": 3}"#,
        &[
            ": [lexicon-schema] `minLength` 2 is above `maxLength` 1",
            ": [lexicon-schema] `minGraphemes` 4 is above `maxGraphemes` 3",
        ],
    );
    check_field(
        r#"{"type": "array", "items": {"type": "integer"}, "maxLength": -1}"#,
        &[".maxLength: [lexicon-schema] -1 is no length"],
    );
    check_field(
        r#"{"type": "blob", "maxSize": 0, "accept": ["image/*", "*/*", "text/plain", "*", "text/ht*", "*/png", "png"]}"#,
        &[
            ".accept[3]: [lexicon-schema] \"*\" is no MIME type, `type/*` or `*/*`",
            ".accept[4]: [lexicon-schema] \"text/ht*\" is no MIME type, `type/*` or `*/*`",
            ".accept[5]: [lexicon-schema] \"*/png\" is no MIME type, `type/*` or `*/*`",
            ".accept[6]: [lexicon-schema] \"png\" is no MIME type, `type/*` or `*/*`",
            ".maxSize: [lexicon-schema] 0 is no size of a blob",
        ],
    );
}

#[test]
fn what_a_schema_lists_satisfies_the_rest_of_it() {
    check_field(
        r#"{"type": "boolean", "default": true, "const": true}"#,
        &[": [lexicon-schema] `default` and `const` exclude each other"],
    );
    check_field(
        r#"{"type": "integer", "maximum": 5, "default": 6}"#,
        &[".default: [lexicon-schema] is 6, and may be at most 5"],
    );
    check_field(
        r#"{"type": "string", "enum": ["a", "b"], "const": "c"}"#,
        &[".const: [lexicon-schema] must be one of a, b"],
    );
    check_field(
        r#"{"type": "string", "format": "did", "default": "x"}"#,
        &[".default: [lexicon-schema] invalid DID: ~"],
    );
    check_field(
        r#"{"type": "integer", "minimum": 2, "maximum": 5, "enum": [1, 2, 6], "const": 2}"#,
        &[
            ".enum[0]: [lexicon-schema] is 1, and must be at least 2",
            ".enum[2]: [lexicon-schema] is 6, and may be at most 5",
        ],
    );
    check_field(
        r#"{"type": "string", "format": "language", "maxLength": 3, "enum": ["en", "e!", "pt-BR"]}"#,
        &[
            ".enum[1]: [lexicon-schema] invalid language tag: ~",
            ".enum[2]: [lexicon-schema] has 5 bytes, and may have at most 3",
        ],
    );
    // An open set says what is known of, and a later version may allow what this one does not.
    check_field(
        r#"{"type": "string", "maxLength": 1, "knownValues": ["ab"]}"#,
        &[],
    );
}

#[test]
fn an_enum_has_values_and_none_twice() {
    check_field(
        r#"{"type": "string", "enum": []}"#,
        &[".enum: [lexicon-schema] no value is allowed"],
    );
    check_field(
        r#"{"type": "integer", "enum": [1, 2, 1]}"#,
        &[".enum: [lexicon-schema] a value is there twice"],
    );
    check_field(
        r#"{"type": "string", "enum": ["a", 1]}"#,
        &[".enum[1]: [schema-json-parse] expected a string, found an integer"],
    );
}

#[test]
fn a_string_format_is_one_of_the_known_ones() {
    check_field(
        r#"{"type": "string", "format": "date"}"#,
        &[
            ".format: [lexicon-schema] unknown format \"date\"; there are at-identifier, at-uri, cid, datetime, did, handle, language, nsid, record-key, tid, uri",
        ],
    );
}

#[test]
fn required_and_nullable_name_properties() {
    check_defs(
        r#"{"a": {"type": "object", "required": ["x", "y"], "nullable": ["z"], "properties": {"x": {"type": "boolean"}, "": {"type": "boolean"}, "$type": {"type": "boolean"}}}}"#,
        &[
            "a.json: defs.a.properties.\"\": [lexicon-schema] a field's name is not empty and does not start with `$`",
            "a.json: defs.a.properties.$type: [lexicon-schema] a field's name is not empty and does not start with `$`",
            "a.json: defs.a.required[1]: [lexicon-schema] there is no property \"y\"",
            "a.json: defs.a.nullable[0]: [lexicon-schema] there is no property \"z\"",
        ],
    );
}

#[test]
fn references_are_names_of_definitions() {
    check_field(
        r#"{"type": "ref"}"#,
        &[": [lexicon-schema] the key `ref` is missing"],
    );
    check_field(
        r#"{"type": "ref", "ref": "nothing"}"#,
        &[".ref: [lexicon-schema] \"nothing\": invalid NSID: ~"],
    );
    check_field(
        r##"{"type": "union", "refs": ["#", "com.example.a#", "#a#b", "#a.b", "#a\nb", "#fine", 1]}"##,
        &[
            ".refs[0]: [lexicon-schema] \"#\" names no definition",
            ".refs[1]: [lexicon-schema] \"com.example.a#\" names no definition",
            ".refs[2]: [lexicon-schema] \"#a#b\" names no definition",
            ".refs[3]: [lexicon-schema] \"#a.b\" names no definition",
            ".refs[4]: [lexicon-schema] \"#a\\nb\" names no definition",
            ".refs[6]: [schema-json-parse] expected a string, found an integer",
        ],
    );
    check_field(
        r#"{"type": "union", "refs": [], "closed": true}"#,
        &[": [lexicon-schema] a closed union has at least one variant"],
    );
}

#[test]
fn a_record_has_a_key_and_is_an_object() {
    check_defs(
        r#"{"main": {"type": "record"}}"#,
        &[
            "a.json: defs.main: [lexicon-schema] the key `key` is missing",
            "a.json: defs.main: [lexicon-schema] the key `record` is missing",
        ],
    );
    check_defs(
        r#"{"main": {"type": "record", "key": "literal:a/b", "record": {"type": "string"}}}"#,
        &[
            "a.json: defs.main.key: [lexicon-schema] \"literal:a/b\" is no kind of key: tid, nsid, any, literal:<key>",
            "a.json: defs.main.record: [lexicon-schema] a record is an object, not a string",
        ],
    );
    check_defs(
        r#"{"main": {"type": "record", "key": "any", "record": {"properties": {}}}}"#,
        &["a.json: defs.main.record: [lexicon-schema] the key `type` is missing"],
    );
}

#[test]
fn methods_have_plain_parameters_bodies_of_objects_and_messages_of_unions() {
    check_defs(
        r#"{"main": {"type": "query", "parameters": {"type": "object", "properties": {
            "a": {"type": "array", "items": {"type": "boolean"}},
            "b": {"type": "unknown"},
            "c": {"type": "array", "items": {"type": "bytes"}}
        }}, "output": {"encoding": "application/json", "schema": {"type": "array", "items": {"type": "string"}}},
        "errors": [{"name": "Two Words"}, {"name": ""}, {}]}}"#,
        &[
            "a.json: defs.main.parameters: [lexicon-schema] parameters are of type params, not \"object\"",
            "a.json: defs.main.parameters.properties.b: [lexicon-schema] a parameter is a boolean, an integer, a string, or an array of these, not an unknown",
            "a.json: defs.main.parameters.properties.c.items: [lexicon-schema] a parameter is a boolean, an integer, a string, or an array of these, not a bytes",
            "a.json: defs.main.output.schema: [lexicon-schema] a body is an object, a ref or a union, not an array",
            "a.json: defs.main.errors[0].name: [lexicon-schema] the name of an error is not empty and has no whitespace",
            "a.json: defs.main.errors[1].name: [lexicon-schema] the name of an error is not empty and has no whitespace",
            "a.json: defs.main.errors[2]: [lexicon-schema] the key `name` is missing",
        ],
    );
    check_defs(
        r#"{"main": {"type": "subscription"}}"#,
        &["a.json: defs.main: [lexicon-schema] the key `message` is missing"],
    );
    check_defs(
        r#"{"main": {"type": "subscription", "message": {"schema": {"type": "object", "properties": {}}}}}"#,
        &["a.json: defs.main.message.schema: [lexicon-schema] messages are a union, not an object"],
    );
}

#[test]
fn permission_sets_are_read_as_far_as_they_are_understood() {
    check_defs(
        r#"{"main": {"type": "permission-set", "title:lang": {"not a tag": "x"}, "permissions": [{"type": "x", "resource": "repo"}]}}"#,
        &[
            "a.json: defs.main.title:lang.\"not a tag\": [lexicon-schema] invalid language ~",
            "a.json: defs.main.permissions[0]: [lexicon-schema] a permission is of type permission, not \"x\"",
            "a.json: defs.main.permissions[0]: [lexicon-schema] the key `collection` is missing",
        ],
    );
    let document = read(
        r#"{"lexicon": 1, "id": "com.example.a", "defs": {"main": {"type": "permission-set", "permissions": [
            {"type": "permission", "resource": "rpc", "lxm": ["com.example.b"], "inheritAud": true},
            {"type": "permission", "resource": "rpc", "lxm": ["com.example.b"], "onlyOn": "mondays"},
            {"type": "permission", "resource": "account"}
        ]}}}"#,
    );
    let DefKind::PermissionSet(set) = &document.unwrap().defs[0].kind.clone() else {
        panic!("no permission set");
    };
    let resources: Vec<_> = set.permissions.iter().map(|p| p.resource.clone()).collect();
    assert_eq!(
        resources,
        [
            Resource::Rpc {
                methods: vec!["com.example.b".to_owned()],
                audience: None,
                inherit_audience: true
            },
            Resource::Unsupported {
                resource: "rpc".to_owned()
            },
            Resource::Unsupported {
                resource: "account".to_owned()
            },
        ]
    );
}

#[test]
fn order_names_and_paths_are_those_of_the_source() {
    let document = read(
        r##"{"lexicon": 1, "id": "com.example.a", "description": "", "defs": {
            "zebra": {"type": "object", "description": "Striped.", "required": ["b"], "nullable": ["a"], "properties": {
                "b": {"type": "ref", "ref": "#zebra"},
                "a": {"type": "ref", "ref": "com.example.b"}
            }},
            "main": {"type": "record", "key": "literal:self", "record": {"type": "object", "properties": {"odd key": {"type": "cid-link"}}}}
        }}"##,
    )
    .unwrap();
    assert_eq!(document.description, None);
    let names: Vec<_> = document.defs.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["zebra", "main"]);

    let zebra = &document.defs[0];
    assert_eq!(zebra.docs.description.as_deref(), Some("Striped."));
    let object = zebra.kind.object().unwrap();
    let fields: Vec<_> = object
        .properties
        .iter()
        .map(|p| {
            let SchemaKind::Ref(reference) = &p.schema.kind else {
                panic!("no ref")
            };
            (
                p.name.as_str(),
                p.required,
                p.nullable,
                reference.target.to_string(),
            )
        })
        .collect();
    assert_eq!(
        fields,
        [
            ("b", true, false, "com.example.a#zebra".to_owned()),
            ("a", false, true, "com.example.b".to_owned()),
        ]
    );

    let DefKind::Record(record) = &document.defs[1].kind else {
        panic!("no record")
    };
    assert_eq!(record.key, KeyKind::Literal("self".to_owned()));
    let path = &record.object.properties[0].schema.path;
    assert_eq!(path, "defs.main.record.properties.\"odd key\"");
}

#[test]
fn a_body_is_of_mime_types_that_can_be_sent() {
    #[track_caller]
    fn check(body: &str, expect: &[&str]) {
        let path = "a.json: defs.main.output.encoding: [lexicon-schema] ";
        let expect: Vec<_> = expect.iter().map(|e| format!("{path}{e}")).collect();
        let expect: Vec<_> = expect.iter().map(String::as_str).collect();
        check_defs(
            &format!(r#"{{"main": {{"type": "query", "output": {body}}}}}"#),
            &expect,
        );
    }
    let bare = |encoding: &str, expect: &[&str]| {
        check(
            &serde_json::json!({"encoding": encoding}).to_string(),
            expect,
        );
    };
    let sound = [
        "",
        "application/json",
        "application/vnd.ipld.car",
        "image/svg+xml",
        "image/*",
        "*/*",
        "image/png, video/*",
    ];
    for encoding in sound {
        bare(encoding, &[]);
    }
    let senseless = [
        "json", "é/x", "a/\u{e9}", "a/b/c", "/", "a/", "*", "*/png", "a b/c", "text/ht*", "a/b\n",
        " ", "a;b",
    ];
    for encoding in senseless {
        let said = format!(
            "{:?} is no MIME type, `type/*` or `*/*`",
            encoding.trim_matches(' ')
        );
        bare(encoding, &[&said]);
    }
    bare("a/b,", &["\"\" is no MIME type, `type/*` or `*/*`"]);
    bare(
        "text/plain ; charset=utf-8",
        &[
            "\"text/plain ; charset=utf-8\" has parameters, which a lexicon leaves open; write \"text/plain\"",
        ],
    );

    let typed = |encoding: &str, expect: &[&str]| {
        let schema = serde_json::json!({"type": "object"});
        let body = serde_json::json!({"encoding": encoding, "schema": schema});
        check(&body.to_string(), expect);
    };
    typed("application/json", &[]);
    typed("", &[]);
    typed("application/ld+json", &[]);
    for pattern in ["*/*", "application/*", "application/json, text/plain"] {
        let said = format!("a body with a schema is of one type, not {pattern:?}");
        typed(pattern, &[&said]);
    }
}

#[test]
fn names_of_immense_length_are_refused() {
    let field = |name: &str| {
        format!(
            r#"{{"main": {{"type": "object", "properties": {{"{name}": {{"type": "unknown"}}}}}}}}"#
        )
    };
    check_defs(&field(&"a".repeat(900)), &[]);
    check_defs(
        &field(&"a".repeat(1024)),
        &[&format!(
            "a.json: defs.main.properties: [lexicon-schema] with \"{}\"… the path has more than 1024 bytes; names must be shorter",
            "a".repeat(80)
        )],
    );
    // What is below such a name is not looked at, however much it is.
    let below: Vec<_> = (0..100_000).map(|n| format!("\"{n}\":1")).collect();
    check_defs(
        &format!(
            r#"{{"{}": {{{}}}}}"#,
            "a".repeat(1_000_000),
            below.join(",")
        ),
        &["a.json: defs: [lexicon-schema] with ~"],
    );
}
