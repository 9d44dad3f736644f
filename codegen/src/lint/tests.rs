#![expect(
    clippy::needless_pass_by_value,
    reason = "cases are read more easily without `&`"
)]

use super::{document, lint};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::fixture;
use crate::load::Loaded;
use crate::resolve::Externals;
use serde_json::{Value as Json, json};

/// Checks the rules that a lexicon breaks, and where, in the order in which they are told.
#[track_caller]
fn check_lexicon(id: &str, defs: Json, expect: &[(&str, &str)]) {
    let found = document(&fixture::document(id, defs));
    let found: Vec<_> = found
        .iter()
        .map(|d| (d.rule.name(), d.path.as_str()))
        .collect();
    assert_eq!(found, expect);
}

#[track_caller]
fn check(defs: Json, expect: &[(&str, &str)]) {
    check_lexicon("com.example.thing", defs, expect);
}

/// Checks a field's schema; paths are those below it.
#[track_caller]
fn check_field(schema: Json, expect: &[(&str, &str)]) {
    let defs =
        json!({ "view": { "type": "object", "required": ["z"], "properties": { "z": schema } } });
    let found = document(&fixture::document("com.example.thing", defs));
    let below = |d: &Diagnostic| d.path.replace("defs.view.properties.z", "");
    let found: Vec<_> = found.iter().map(|d| (d.rule.name(), below(d))).collect();
    let expect: Vec<_> = expect
        .iter()
        .map(|(rule, path)| (*rule, (*path).to_owned()))
        .collect();
    assert_eq!(found, expect);
}

fn record(properties: Json) -> Json {
    json!({ "main": {
        "type": "record", "key": "any", "description": "A record.",
        "record": { "type": "object", "properties": properties },
    } })
}

#[test]
fn a_lexicon_as_it_should_be_breaks_no_rule() {
    check(record(json!({})), &[]);
    check(
        json!({ "main": {
            "type": "procedure", "description": "Does it.",
            "parameters": { "type": "params", "properties": { "limit": { "type": "integer" } } },
            "input": { "encoding": "application/json", "schema": { "type": "object", "properties": {
                "text": { "type": "string", "maxLength": 20 },
                "name": { "type": "string", "maxGraphemes": 20 },
                "at": { "type": "string", "format": "datetime" },
                "sig": { "type": "bytes", "maxLength": 64 },
                "any": { "type": "unknown" },
                "file": { "type": "blob" },
                "link": { "type": "cid-link" },
            } } },
            "output": { "encoding": "*/*" },
        } }),
        &[],
    );
}

#[test]
fn primary_types_have_a_description_except_for_permission_sets() {
    let body = json!({ "encoding": "*/*" });
    let missing = &[("missing-primary-description", "defs.main")];
    check(
        json!({ "main": { "type": "query", "output": body } }),
        missing,
    );
    check(
        json!({ "main": { "type": "query", "output": body, "description": "" } }),
        missing,
    );
    check(
        json!({ "main": { "type": "procedure", "output": body } }),
        missing,
    );
    check(
        json!({ "main": { "type": "record", "key": "any", "record": { "type": "object" } } }),
        missing,
    );
    check(
        json!({ "main": { "type": "subscription", "message": { "schema": { "type": "union", "refs": [] } } } }),
        &[missing[0], ("subscription-no-messages", "defs.main")],
    );
}

#[test]
fn advice_is_one_line_whatever_is_in_the_lexicon() {
    let object = json!({ "type": "object", "nullable": ["a\nb"], "properties": { "a\nb": { "type": "boolean" } } });
    let found = document(&fixture::document(
        "com.example.thing",
        json!({ "view": object }),
    ));
    let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            r#"lexicons/com/example/thing.json: defs.view.properties."a\nb": [field-name-syntax] a field's name is letters and digits, a letter first"#,
            r"lexicons/com/example/thing.json: defs.view: [nullable-and-optional] `a\nb` can be absent and can be null; readers will not tell these apart",
        ]
    );
}

#[test]
fn names_are_letters_and_digits() {
    let token = json!({ "type": "token", "description": "A word." });
    check(json!({ "a1": token, "Aa": token }), &[]);
    check(
        json!({ "1a": token, "a-b": token, "ä": token, "a".repeat(256): token }),
        &[
            ("def-name-syntax", "defs.1a"),
            ("def-name-syntax", "defs.a-b"),
            (
                "def-name-syntax",
                format!("defs.{}", "a".repeat(256)).as_str(),
            ),
            ("def-name-syntax", "defs.ä"),
        ],
    );
    check(
        record(json!({ "one.two": { "type": "string", "maxLength": 20 } })),
        &[(
            "field-name-syntax",
            "defs.main.record.properties.\"one.two\"",
        )],
    );
    check(
        json!({ "main": { "type": "query", "description": "Asks.", "output": { "encoding": "*/*" },
            "parameters": { "type": "params", "properties": { "a_b": { "type": "boolean" } } } } }),
        &[("field-name-syntax", "defs.main.parameters.properties.a_b")],
    );
}

#[test]
fn a_lexicon_of_shared_definitions_has_no_main() {
    let object = json!({ "type": "object", "properties": {} });
    check_lexicon(
        "com.example.defs",
        json!({ "main": object }),
        &[("defs-main-definition", "defs.main")],
    );
    check_lexicon("com.example.defs", json!({ "view": object }), &[]);
}

#[test]
fn methods_define_their_output_and_bodies_their_encoding() {
    check(
        json!({ "main": { "type": "query", "description": "Asks." } }),
        &[("endpoint-output-undefined", "defs.main")],
    );
    check(
        json!({ "main": { "type": "procedure", "description": "Does.", "input": {}, "output": {} } }),
        &[
            ("unspecified-encoding", "defs.main.input"),
            ("unspecified-encoding", "defs.main.output"),
        ],
    );
}

#[test]
fn permission_sets_have_a_title_and_permissions_that_are_heeded() {
    check(
        json!({ "main": { "type": "permission-set", "permissions": [] } }),
        &[
            ("permissionset-no-title", "defs.main"),
            ("permissionset-no-permissions", "defs.main"),
        ],
    );
    let set = |permission: Json| json!({ "main": { "type": "permission-set", "title": "All", "permissions": [permission] } });
    let rpc = |more: &str| {
        let text = format!(r#"{{"type": "permission", "resource": "rpc", {more}}}"#);
        set(serde_json::from_str(&text).unwrap())
    };
    let repo = |more: &str| {
        let text = format!(r#"{{"type": "permission", "resource": "repo", {more}}}"#);
        set(serde_json::from_str(&text).unwrap())
    };
    let wrong: &[(&str, &str)] = &[("lexicon-schema", "defs.main.permissions[0]")];
    check(
        repo(r#""collection": ["com.example.a"], "action": ["create", "update", "delete"]"#),
        &[],
    );
    check(repo(r#""collection": []"#), wrong);
    check(repo(r#""collection": ["*"]"#), wrong);
    check(repo(r#""collection": ["nothing"]"#), wrong);
    check(
        repo(r#""collection": ["com.example.a"], "action": ["read"]"#),
        wrong,
    );
    check(rpc(r#""lxm": ["com.example.a"], "inheritAud": true"#), &[]);
    check(rpc(r#""lxm": ["*"], "inheritAud": true"#), wrong);
    check(
        rpc(r#""lxm": ["com.example.*"], "inheritAud": true"#),
        wrong,
    );
    check(rpc(r#""lxm": ["com.example.a"], "aud": "*""#), &[]);
    check(rpc(r#""lxm": ["*"], "aud": "*""#), wrong);
    check(rpc(r#""lxm": [], "aud": "*""#), wrong);
    check(rpc(r#""lxm": ["com.example.a"]"#), wrong);
    check(
        rpc(r#""lxm": ["com.example.a"], "aud": "*", "inheritAud": true"#),
        wrong,
    );
    check(
        rpc(r#""lxm": ["com.example.a"], "aud": "did:web:example.com#svc""#),
        wrong,
    );
    for resource in ["account", "blob", "identity", "include"] {
        check(
            set(json!({ "type": "permission", "resource": resource })),
            wrong,
        );
    }
    let unknown: &[(&str, &str)] = &[(
        "permissionset-unknown-permission",
        "defs.main.permissions[0]",
    )];
    check(
        set(json!({ "type": "permission", "resource": "later" })),
        unknown,
    );
    check(
        repo(r#""collection": ["com.example.a"], "only": "drafts""#),
        &[
            ("unexpected-field", "defs.main.permissions[0].only"),
            unknown[0],
        ],
    );
}

#[test]
fn a_permission_set_names_what_is_of_its_own_group_or_below() {
    let check = |set: &str, name: &str, fits: bool| {
        let defs = json!({ "main": { "type": "permission-set", "title": "All", "permissions": [
            { "type": "permission", "resource": "repo", "collection": [name] },
            { "type": "permission", "resource": "rpc", "lxm": [name], "aud": "*" },
        ] } });
        let outside = [
            ("permissionset-namespace", "defs.main.permissions[0]"),
            ("permissionset-namespace", "defs.main.permissions[1]"),
        ];
        check_lexicon(set, defs, if fits { &[] } else { &outside });
    };
    let post = "app.example.feed.authPost";
    check(post, "app.example.feed.post", true);
    check(post, "app.example.feed.thread.get", true);
    check("app.example.authFull", "app.example.actor.profile", true);
    check(post, "app.example.actor.profile", false);
    check(post, "app.example.feed", false);
    check(post, "app.example.feedback.post", false);
    check("app.example.authFull", "com.example.post", false);
}

#[test]
fn permissions_of_other_namespaces_and_unknown_ones_are_warnings() {
    assert_eq!(Rule::PermissionsetNamespace.severity(), Severity::Warn);
    let unknown = Rule::PermissionsetUnknownPermission;
    assert_eq!(unknown.severity(), Severity::Warn);
}

#[test]
fn strings_and_bytes_have_an_end_and_not_a_far_one() {
    check_field(json!({ "type": "string" }), &[("unlimited-string", "")]);
    check_field(
        json!({ "type": "string", "minLength": 1 }),
        &[("unlimited-string", "")],
    );
    check_field(json!({ "type": "string", "maxLength": 20480 }), &[]);
    check_field(
        json!({ "type": "string", "maxLength": 20481 }),
        &[("large-string", "")],
    );
    check_field(json!({ "type": "bytes" }), &[("unlimited-bytes", "")]);
    check_field(json!({ "type": "bytes", "maxLength": 20480 }), &[]);
    check_field(
        json!({ "type": "bytes", "maxLength": 20481 }),
        &[("large-bytes", "")],
    );
    check_field(
        json!({ "type": "array", "items": { "type": "object", "properties": { "a": { "type": "string" } } } }),
        &[("unlimited-string", ".items.properties.a")],
    );
}

#[test]
fn known_values_name_tokens_in_full() {
    check_field(
        json!({ "type": "string", "maxLength": 100, "knownValues": ["#green", "com.example.thing#green", "green"] }),
        &[("known-string-local-ref", "")],
    );
}

#[test]
fn a_field_is_nullable_or_optional() {
    check(
        json!({ "view": {
            "type": "object", "required": ["a"], "nullable": ["a", "b"],
            "properties": { "a": { "type": "boolean" }, "b": { "type": "boolean" } },
        } }),
        &[("nullable-and-optional", "defs.view")],
    );
}

#[test]
fn a_token_has_a_description() {
    check(
        json!({ "green": { "type": "token" } }),
        &[("undescribed-token", "defs.green")],
    );
}

#[test]
fn there_are_no_keys_but_those_of_the_language() {
    check(
        json!({ "green": { "type": "token", "description": "Go.", "hue": 120 } }),
        &[("unexpected-field", "defs.green.hue")],
    );
}

#[test]
fn a_file_lies_where_its_nsid_says() {
    #[track_caller]
    fn check(source: &str, expect: bool) {
        let defs = json!({ "a": { "type": "token", "description": "A word." } });
        let mut lexicon = fixture::document("com.example.thing", defs);
        source.clone_into(&mut lexicon.source);
        let found: Vec<_> = document(&lexicon).iter().map(|d| d.rule).collect();
        assert_eq!(found, if expect { vec![] } else { vec![Rule::FilePath] });
    }
    check("lexicons/com/example/thing.json", true);
    check("example/thing.json", true);
    check("lexicons/com/thing.json", false);
    check("lexicons/com/example/ing.json", false);
    check("lexicons/ing.json", false);
    check("lexicons/v1/com/example/thing.json", false);
}

#[test]
fn everything_about_a_folder_comes_in_the_order_of_its_files() {
    let reference =
        |to: &str| json!({ "a": fixture::object(json!({ "x": { "type": "ref", "ref": to } })) });
    let catalog = fixture::catalog([
        ("com.example.a", reference("com.example.gone")),
        ("com.example.c", json!({ "a": { "type": "token" } })),
    ]);
    let broken = Diagnostic {
        file: "lexicons/com/example/b.json".into(),
        path: String::new(),
        rule: Rule::SchemaJsonParse,
        message: "expected a value".to_owned(),
    };
    let told = |problems| {
        let found = lint(
            &Loaded {
                catalog: catalog.clone(),
                problems,
            },
            &Externals::default(),
        );
        found.iter().map(|d| d.rule.name()).collect::<Vec<_>>()
    };
    assert_eq!(told(vec![]), ["unresolved-ref", "undescribed-token"]);
    // What is gone may be in the file that could not be read.
    assert_eq!(
        told(vec![broken]),
        ["schema-json-parse", "undescribed-token"]
    );
}

#[test]
fn every_rule_has_a_name_of_its_own() {
    for rule in Rule::ALL {
        assert_eq!(Rule::from_name(rule.name()), Some(*rule));
    }
    assert_eq!(Rule::from_name("no-such-rule"), None);
    assert!(Severity::Warn < Severity::Error);
}
