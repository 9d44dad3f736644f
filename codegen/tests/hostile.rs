//! Lexicons that nobody would write: the generator refuses them or makes Rust of them, and never panics.

use huddle_codegen::emit::{self, Options, Output, generate};
use huddle_codegen::load;
use huddle_codegen::model::Catalog;
use huddle_codegen::parse;
use huddle_codegen::resolve::{External, Externals};
use huddle_testdata::workspace_root;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The golden lexicons, which have every construct: by case, as JSON.
static CASES: LazyLock<Vec<Vec<Value>>> = LazyLock::new(|| {
    let folder = workspace_root().join("codegen/golden/lexicons");
    let mut cases: Vec<_> = entries(&folder).collect();
    cases.sort();
    cases.iter().map(|case| documents(case)).collect()
});

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("a folder can be listed").path())
}

fn documents(folder: &Path) -> Vec<Value> {
    let mut documents = Vec::new();
    for path in entries(folder) {
        if path.is_dir() {
            documents.extend(self::documents(&path));
        } else {
            let text = fs::read(&path).expect("a lexicon can be read");
            documents.push(serde_json::from_slice(&text).expect("a lexicon is JSON"));
        }
    }
    documents
}

/// What is put where it does not belong.
fn strange_values() -> Vec<Value> {
    let mut values = vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1.5),
        json!([]),
        json!({}),
        json!([[]]),
        json!({"type": "object", "properties": {}}),
        json!({"type": "ref", "ref": "#main"}),
        json!({"type": "union", "refs": []}),
        json!({"type": "union", "refs": [], "closed": true}),
        json!({"type": "array", "items": {"type": "ref", "ref": "#main"}}),
        json!({"type": "string", "enum": []}),
        json!({"type": "string", "knownValues": ["", "#", "a#", "Self", "_", "r#type", "\u{202e}"]}),
    ];
    let texts = [
        "",
        " ",
        "#",
        "main",
        "#main",
        "com.golden.record",
        "com.golden.record#main",
        "a.b",
        "*",
        "_",
        "Self",
        "self",
        "r#fn",
        "\"",
        "\\",
        "\n",
        "\u{0}",
        "\u{202e}",
        "é",
        "→",
        "//! x",
        "*/",
        "```",
        "{}",
        "record",
        "object",
        "ref",
        "union",
        "token",
        "query",
        "string",
        "array",
        "unknown",
        "permission-set",
        "subscription",
        "params",
        "application/json",
        "*/*",
        "datetime",
        "did",
        "extra",
        "$type",
    ];
    values.extend(texts.map(Value::from));
    values.push(json!("x".repeat(10_000)));
    values
}

/// A place in a document.
fn places(value: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    found.push(path.clone());
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| (index.to_string(), item))
            .collect(),
        _ => Vec::new(),
    };
    for (step, child) in children {
        path.push(step);
        places(child, path, found);
        path.pop();
    }
}

fn at<'v>(value: &'v mut Value, path: &[String]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match value {
        Value::Object(map) => map.get_mut(step),
        Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// One change to a document: where, what, and what with, all taken modulo what there is.
#[derive(Clone, Debug)]
struct Change {
    place: prop::sample::Index,
    kind: u8,
    value: prop::sample::Index,
    donor: prop::sample::Index,
}

fn change() -> impl Strategy<Value = Change> {
    (
        any::<prop::sample::Index>(),
        0_u8..6,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(place, kind, value, donor)| Change {
            place,
            kind,
            value,
            donor,
        })
}

impl Change {
    fn apply(&self, document: &mut Value) {
        let mut found = Vec::new();
        places(document, &mut Vec::new(), &mut found);
        let path = found[self.place.index(found.len())].clone();
        let donor = &found[self.donor.index(found.len())];
        let donor = at(document, donor).cloned().unwrap_or_default();
        let strange = self.value.get(&strange_values()).clone();
        let Some(target) = at(document, &path) else {
            return;
        };
        match (self.kind, target) {
            (0, target) => *target = strange,
            // Another part of the same document, perhaps one that holds this one.
            (1, target) => *target = donor,
            (2, Value::Object(map)) if !map.is_empty() => {
                let keys: Vec<_> = map.keys().cloned().collect();
                map.remove(&keys[self.value.index(keys.len())]);
            }
            (3, Value::Object(map)) => {
                let key = strange.as_str().unwrap_or("extra").to_owned();
                map.insert(key, donor);
            }
            (4, Value::Object(map)) => {
                // Another name for what is there.
                let renamed: Map<_, _> = map
                    .iter()
                    .map(|(key, value)| (strange.as_str().unwrap_or(key).to_owned(), value.clone()))
                    .collect();
                *map = renamed;
            }
            (_, Value::Array(items)) => items.push(donor),
            (_, target) => *target = strange,
        }
    }
}

fn options(output: Output) -> Options {
    let external = External {
        lexicons: "com.shared.*".parse().expect("a prefix of NSIDs"),
        rust_path: "shared_types".to_owned(),
    };
    Options {
        output,
        selection: Vec::new(),
        externals: Externals::new([external]),
        runtime: None,
    }
}

/// Generates what a catalog holds, types and handlers; what comes out must be Rust.
fn generated_is_rust(catalog: &Catalog) {
    let outputs = [
        Output::Module,
        Output::Crate {
            name: "hostile".to_owned(),
        },
        Output::Handlers {
            types: "crate::lexicon".to_owned(),
        },
    ];
    for output in outputs {
        let Ok(files) = generate(catalog, &options(output)) else {
            continue;
        };
        let mut paths = BTreeSet::new();
        for file in &files {
            let path = file.path.display().to_string();
            assert!(paths.insert(path.to_lowercase()), "{path} is written twice");
            if file.path == Path::new("Cargo.toml") {
                continue;
            }
            let parsed =
                syn::parse_file(&file.text).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(
                file.text.lines().all(|line| line.trim_end() == line),
                "{path} has trailing spaces"
            );
            names_are_unique(&path, &parsed);
        }
    }
}

fn names_are_unique(path: &str, file: &syn::File) {
    let mut names = BTreeSet::new();
    for item in &file.items {
        let name = match item {
            syn::Item::Struct(item) => &item.ident,
            syn::Item::Enum(item) => &item.ident,
            syn::Item::Type(item) => &item.ident,
            syn::Item::Trait(item) => &item.ident,
            syn::Item::Const(item) => &item.ident,
            syn::Item::Mod(item) => &item.ident,
            _ => continue,
        };
        assert!(names.insert(name.to_string()), "{path} has two {name}");
        let mut parts = BTreeSet::new();
        if let syn::Item::Struct(item) = item {
            let fields = item.fields.iter().filter_map(|field| field.ident.as_ref());
            fields.for_each(|field| {
                assert!(
                    parts.insert(field.to_string()),
                    "{path}: two {name}.{field}"
                );
            });
        }
        if let syn::Item::Enum(item) = item {
            let variants = item.variants.iter().map(|variant| &variant.ident);
            variants.for_each(|v| assert!(parts.insert(v.to_string()), "{path}: two {name}::{v}"));
        }
    }
}

fn catalog(documents: &[Value]) -> Catalog {
    let mut catalog = Catalog::default();
    for (index, document) in documents.iter().enumerate() {
        let name = format!("{index}.json");
        if let Ok(document) =
            parse::document(Path::new(&name), &name, document.to_string().as_bytes())
        {
            let _ = catalog.insert(document);
        }
    }
    catalog
}

proptest! {
    #[test]
    fn changed_lexicons_are_refused_or_become_rust(
        case in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), change()), 1..5),
    ) {
        // The case of all keywords is sixty lexicons, of which few are reached.
        let mut documents: Vec<_> = case.get(&CASES).iter().take(12).cloned().collect();
        for (document, change) in changes {
            let index = document.index(documents.len());
            change.apply(&mut documents[index]);
        }
        generated_is_rust(&catalog(&documents));
    }

    #[test]
    fn any_text_may_describe_and_name(text in any::<String>(), other in any::<String>()) {
        let field = json!({"type": "string", "description": text, "knownValues": [text, other], "default": text});
        let document = json!({
            "lexicon": 1, "id": "com.example.texts", "description": text,
            "defs": {
                "main": {
                    "type": "procedure", "description": text,
                    "parameters": {"type": "params", "properties": {&other: field, "a": field}},
                    "input": {
                        "encoding": "application/json",
                        "schema": {"type": "object", "properties": {&text: field, &other: field}}
                    },
                    "errors": [{"name": other, "description": text}]
                },
                &other: {"type": "object", "description": text, "properties": {&other: field}},
                &text: {"type": "token", "description": other}
            }
        });
        generated_is_rust(&catalog(&[document]));
        let described = json!({
            "lexicon": 1, "id": "com.example.texts", "description": text,
            "defs": {"main": {"type": "object", "description": text, "properties": {"a": field}}}
        });
        let catalog = catalog(&[described]);
        prop_assert_eq!(catalog.len(), 1);
        generated_is_rust(&catalog);
    }
}

#[test]
fn a_rust_path_that_is_none_is_an_error() {
    let catalog = catalog(&CASES[0]);
    for path in ["", "a b", "1x", "a::<b>", "a;b", "fn", "\u{202e}"] {
        let mut types = options(Output::Module);
        types.runtime = Some(path.to_owned());
        assert!(
            matches!(generate(&catalog, &types), Err(emit::Error::Unsupported(_))),
            "{path:?}"
        );
        let handlers = options(Output::Handlers {
            types: path.to_owned(),
        });
        assert!(
            matches!(
                generate(&catalog, &handlers),
                Err(emit::Error::Unsupported(_))
            ),
            "{path:?}"
        );
    }
}

#[test]
fn wrong_references_are_named_with_file_and_place() {
    #[track_caller]
    fn check(defs: &Value, expect: &str) {
        let document = json!({"lexicon": 1, "id": "com.example.wrong", "defs": defs});
        let error =
            generate(&catalog(&[document]), &options(Output::Module)).expect_err("it is wrong");
        assert!(error.to_string().starts_with(expect), "{error}");
    }
    let object = |field: Value| json!({"main": {"type": "object", "properties": {"a": field}}});
    check(
        &object(json!({"type": "ref", "ref": "#gone"})),
        "0.json: defs.main.properties.a.ref: [unresolved-ref]",
    );
    check(
        &object(json!({"type": "union", "refs": ["com.example.gone"]})),
        "0.json: defs.main.properties.a.refs[0]: [unresolved-ref]",
    );
    check(
        &json!({"main": {"type": "array", "items": {"type": "ref", "ref": "#main"}}}),
        "0.json: defs.main.items: [endless-type]",
    );
    check(
        &json!({
            "main": {"type": "query", "output": {
                "encoding": "application/json", "schema": {"type": "ref", "ref": "#list"}
            }},
            "list": {"type": "array", "items": {"type": "string"}, "maxLength": 3}
        }),
        "0.json: defs.main.output.schema.ref: [ref-target]",
    );
}

#[test]
fn the_same_lexicons_give_the_same_files() {
    let folder = workspace_root().join("lexicons");
    let catalog = || load::load(&folder).unwrap_or_else(|error| panic!("{error}"));
    let once =
        generate(&catalog(), &options(Output::Module)).unwrap_or_else(|error| panic!("{error}"));
    let twice =
        generate(&catalog(), &options(Output::Module)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(once, twice);
}

/// A lexicon of numbered definitions.
fn numbered(count: usize, definition: impl Fn(usize) -> Value) -> Value {
    let defs: Map<_, _> = (0..count)
        .map(|n| (format!("d{n}"), definition(n)))
        .collect();
    json!({"lexicon": 1, "id": "com.example.many", "defs": defs})
}

#[test]
fn a_long_chain_of_objects_takes_no_more_stack_and_time_than_as_many_objects() {
    const COUNT: usize = 20_000;
    // The last one has a constraint, which all before it have to enforce.
    let link = |n: usize| match n {
        _ if n + 1 == COUNT => {
            json!({"type": "object", "properties": {"a": {"type": "string", "maxLength": 1}}})
        }
        _ => json!({"type": "object", "properties": {
            "a": {"type": "ref", "ref": format!("#d{}", n + 1)}
        }}),
    };
    let catalog = catalog(&[numbered(COUNT, link)]);
    let files = generate(&catalog, &options(Output::Module));
    let files = files.unwrap_or_else(|error| panic!("{error}"));
    let text: String = files.into_iter().map(|file| file.text).collect();
    assert_eq!(text.matches("fn check_fields").count(), COUNT);
}

#[test]
fn many_names_that_are_one_in_rust_are_numbered() {
    const COUNT: u32 = 20_000;
    // Of these only the letter is left in Rust.
    let names: Vec<_> = (0..COUNT)
        .map(|n| format!("a{}", char::from_u32(0x4E00 + n).expect("a Han character")))
        .collect();
    let errors: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
    let document = json!({"lexicon": 1, "id": "com.example.many", "defs": {
        "main": {"type": "query", "errors": errors},
        "text": {"type": "string", "enum": names}
    }});
    let files = generate(&catalog(&[document]), &options(Output::Module));
    let files = files.unwrap_or_else(|error| panic!("{error}"));
    let text: String = files.into_iter().map(|file| file.text).collect();
    assert_eq!(text.matches("\n    A20000,").count(), 2);
}

#[test]
fn lists_that_nest_deeper_than_data_are_refused() {
    let nested = |count: usize| {
        numbered(count, |n| match n {
            0 => json!({"type": "object", "properties": {"a": {"type": "ref", "ref": "#d1"}}}),
            _ if n + 1 == count => json!({"type": "string", "maxLength": 1}),
            _ => json!({"type": "array", "maxLength": 9, "items": {
                "type": "ref", "ref": format!("#d{}", n + 1)
            }}),
        })
    };
    generated_is_rust(&catalog(&[nested(60)]));
    let error = generate(&catalog(&[nested(20_000)]), &options(Output::Module));
    let error = error.expect_err("data does not nest so deep");
    assert!(
        error.to_string().contains("[lexicon-schema] lists nest"),
        "{error}"
    );
}
