//! The checked-in generated code is what the generator makes of the lexicons today.

use huddle_codegen::emit::{Options, Output};
use huddle_codegen::output::Comparison;
use huddle_codegen::project::{Project, Target};
use huddle_codegen::resolve::Externals;
use huddle_testdata::workspace_root;
use std::fs;
use std::path::Path;

/// A line for each file that is not as it should be, paths being relative to `root`.
fn differences(comparisons: &[Comparison], root: &Path) -> Vec<String> {
    let lines = |state: &str, paths: &[std::path::PathBuf]| -> Vec<String> {
        let relative = |path: &Path| {
            path.strip_prefix(root)
                .unwrap_or(path)
                .display()
                .to_string()
        };
        paths
            .iter()
            .map(|path| format!("{state}: {}", relative(path)))
            .collect()
    };
    let of = |comparison: &Comparison| {
        let Comparison {
            stale,
            missing,
            orphans,
            ..
        } = comparison;
        [
            lines("stale", stale),
            lines("missing", missing),
            lines("orphan", orphans),
        ]
        .concat()
    };
    comparisons.iter().flat_map(of).collect()
}

#[test]
fn generated_code_is_fresh() {
    let root = workspace_root();
    let project = Project::of_manifest(&root.join("Cargo.toml"))
        .expect("the manifest can be read")
        .expect("the manifest says what to generate");
    let comparisons = project.compare().unwrap_or_else(|error| panic!("{error}"));
    assert!(
        comparisons.iter().all(|c| c.fresh > 0),
        "a target without a single fresh file"
    );
    let differences = differences(&comparisons, root);
    assert!(
        differences.is_empty(),
        "run `cargo run -p huddle-codegen -- generate`:\n{}",
        differences.join("\n")
    );
}

#[test]
fn stale_missing_and_orphan_files_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (root, out) = (folder.path(), folder.path().join("out"));
    let lexicon = |name: &str| {
        format!(
            r#"{{"lexicon": 1, "id": "com.example.{name}", "defs":
                {{"main": {{"type": "object", "properties": {{"a": {{"type": "integer"}}}}}}}}}}"#
        )
    };
    for name in ["changed", "forgotten"] {
        fs::write(root.join(format!("{name}.json")), lexicon(name)).expect("a lexicon is written");
    }
    let options = Options {
        output: Output::Module,
        selection: Vec::new(),
        externals: Externals::default(),
        runtime: None,
    };
    let targets = vec![Target {
        folder: out.clone(),
        options,
    }];
    let project = Project {
        lexicons: root.to_owned(),
        externals: Externals::default(),
        targets,
    };
    project.write().expect("the lexicons are generated");
    let compare = || differences(&project.compare().expect("the lexicons are compared"), root);
    assert_eq!(compare(), [""; 0]);

    let example = out.join("com/example");
    let mut changed = fs::read_to_string(example.join("changed.rs")).expect("it was generated");
    changed.push_str("// By hand.\n");
    fs::write(example.join("changed.rs"), &changed).expect("it is changed");
    fs::remove_file(example.join("forgotten.rs")).expect("it is removed");
    fs::write(example.join("left_over.rs"), &changed).expect("it is copied");
    assert_eq!(
        compare(),
        [
            "stale: out/com/example/changed.rs",
            "missing: out/com/example/forgotten.rs",
            "orphan: out/com/example/left_over.rs",
        ]
    );
}
