use super::{Project, ProjectError};
use crate::emit::Output;
use std::fs;
use std::path::Path;

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Checks what is said of a `Cargo.toml` that makes no sense.
#[track_caller]
fn check_error(manifest: &str, expect: &str) {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "Cargo.toml", manifest);
    let error = Project::find(folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("Cargo.toml: ") && error.contains(expect),
        "{error}"
    );
}

#[test]
fn a_manifest_says_what_to_generate_where() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(
        root,
        "Cargo.toml",
        r#"
        [workspace.metadata.huddle-codegen]
        lexicons = "lexicons"
        types = { out = "types/src" }
        handlers = { out = "api/src", nsids = ["com.example.*"], types = "example_types" }
        externals = { "com.atproto.*" = "atproto" }
        "#,
    );
    let project = Project::find(root).unwrap().unwrap();
    assert_eq!(project.lexicons, root.join("lexicons"));
    assert_eq!(
        project
            .externals
            .rust_path(&"com.atproto.x".parse().unwrap()),
        Some("atproto")
    );
    let targets: Vec<_> = project
        .targets
        .iter()
        .map(|target| {
            let selection: Vec<_> = target
                .options
                .selection
                .iter()
                .map(ToString::to_string)
                .collect();
            (
                target.folder.clone(),
                target.options.output.clone(),
                selection,
            )
        })
        .collect();
    assert_eq!(
        targets,
        [
            (root.join("types/src"), Output::Module, vec![]),
            (
                root.join("api/src"),
                Output::Handlers {
                    types: "example_types".to_owned()
                },
                vec!["com.example.*".to_owned()]
            ),
        ]
    );
}

#[test]
fn the_nearest_manifest_that_has_settings_counts() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(
        root,
        "Cargo.toml",
        "[workspace.metadata.huddle-codegen]\nlexicons = \"outer\"\ntypes = { out = \"a\", crate-name = \"a-types\", nsids = [\"com.example.a\"] }",
    );
    put(root, "plain/Cargo.toml", "[package]\nname = \"plain\"");
    put(
        root,
        "inner/Cargo.toml",
        "[package]\nname = \"inner\"\n[package.metadata.huddle-codegen]\nlexicons = \"inner\"",
    );
    fs::create_dir_all(root.join("inner/src")).unwrap();

    let found = |start: &str| Project::find(&root.join(start)).unwrap().unwrap();
    assert_eq!(found("").lexicons, root.join("outer"));
    assert_eq!(found("plain").lexicons, root.join("outer"));
    assert_eq!(found("inner/src").lexicons, root.join("inner/inner"));
    let output = &found("").targets[0].options.output;
    assert_eq!(
        *output,
        Output::Crate {
            name: "a-types".to_owned()
        }
    );
}

#[test]
fn without_settings_there_is_no_project() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "Cargo.toml", "[package]\nname = \"plain\"");
    assert!(
        Project::of_manifest(&folder.path().join("Cargo.toml"))
            .unwrap()
            .is_none()
    );
}

#[test]
fn settings_that_make_no_sense_are_named() {
    check_error("[workspace", "TOML parse error");
    check_error(
        "[workspace.metadata.huddle-codegen]\n",
        "missing field `lexicons`",
    );
    check_error(
        "[workspace.metadata.huddle-codegen]\nlexicons = \"l\"\ntyps = 1",
        "unknown field `typs`",
    );
    check_error(
        "[workspace.metadata.huddle-codegen]\nlexicons = \"l\"\ntypes = { out = \"a\", nsids = [\"com\"] }",
        "\"com\" selects no lexicon",
    );
    check_error(
        "[workspace.metadata.huddle-codegen]\nlexicons = \"l\"\nexternals = { \"com\" = \"a\" }",
        "\"com\" selects no lexicon",
    );
}

/// A project of these settings, beside some lexicons.
fn project(root: &Path, settings: &str, lexicons: &[(&str, &str)]) -> Project {
    let settings = format!("[workspace.metadata.huddle-codegen]\nlexicons = \"l\"\n{settings}");
    put(root, "Cargo.toml", &settings);
    for (name, main) in lexicons {
        let text = format!(r#"{{"lexicon": 1, "id": "{name}", "defs": {{"main": {main}}}}}"#);
        put(root, &format!("l/{name}.json"), &text);
    }
    Project::find(root).unwrap().unwrap()
}

const OBJECT: &str = r#"{"type": "object", "properties": {}}"#;
const QUERY: &str = r#"{"type": "query"}"#;
const BROKEN: &str = r##"{"type": "object", "properties": {"a": {"type": "ref", "ref": "#no"}}}"##;

#[test]
fn targets_have_folders_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir(root.join("there")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(root.join("there"), root.join("link")).unwrap();
    let absolute = root.join("a").display().to_string();
    for (types, handlers) in [
        ("a", "a"),
        ("a", "a/b"),
        ("a/b", "a"),
        ("a", "./a"),
        ("a", "b/../a/c"),
        ("a", &*absolute),
        #[cfg(unix)]
        ("there", "link"),
        #[cfg(unix)]
        ("there/a", "link/a/b"),
    ] {
        let settings = format!(
            "types = {{ out = {types:?} }}\nhandlers = {{ out = {handlers:?}, types = \"t\" }}"
        );
        let project = project(root, &settings, &[("com.example.a", OBJECT)]);
        let error = project.write().unwrap_err();
        assert!(
            matches!(error, ProjectError::Overlap(..)),
            "{types} {handlers}: {error}"
        );
    }
}

#[test]
fn handlers_are_of_the_lexicons_that_have_types() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let settings = |types: &str, handlers: &str| {
        format!(
            "types = {{ out = \"types\", nsids = [{types:?}] }}\n\
             handlers = {{ out = \"api\", types = \"t\", nsids = [{handlers:?}] }}"
        )
    };
    // Which of the first two is called `do_it` depends on whether the other has types.
    let lexicons = [
        ("com.example.doIT", QUERY),
        ("com.example.doIt", QUERY),
        ("org.example.broken", BROKEN),
    ];
    let named = project(
        root,
        &settings("com.example.doIt", "com.example.*"),
        &lexicons,
    );
    named.write().unwrap();
    for out in ["types", "api"] {
        let text = fs::read_to_string(root.join(out).join("com/example/do_it.rs")).unwrap();
        assert!(text.contains("com.example.doIt.json"), "{text}");
    }
    assert!(!root.join("api/com/example/do_it_2.rs").exists());

    fs::remove_file(root.join("l/org.example.broken.json")).unwrap();
    let all_external = "types = { out = \"types\" }\nexternals = { \"*\" = \"t\" }";
    let error = project(root, all_external, &[]).write().unwrap_err();
    assert!(
        error.to_string().contains("* selects no lexicon")
            && error.to_string().contains("external"),
        "{error}"
    );

    let without_types = settings("com.example.doIt", "com.example.doIT");
    let error = project(root, &without_types, &lexicons)
        .write()
        .unwrap_err();
    assert!(
        matches!(error, ProjectError::NothingSelected { .. }),
        "{error}"
    );
}
