//! The command-line tool: what it says, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder of its own, gone when dropped.
struct Workspace(tempfile::TempDir);

/// How a run ended: status, stdout, stderr.
type Run = (i32, String, String);

impl Workspace {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, path: &str, text: &str) -> &Self {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_huddle-codegen"))
            .args(arguments)
            .current_dir(self.root())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    fn files(&self, folder: &str) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.root().join(folder), &mut found);
        found.sort();
        found
    }
}

const MANIFEST: &str = r#"
[workspace.metadata.huddle-codegen]
lexicons = "lexicons"
types = { out = "src/generated" }
"#;

fn thing(properties: &str) -> String {
    format!(
        r#"{{"lexicon": 1, "id": "com.example.thing", "defs": {{"main": {{"type": "record", "key": "tid",
           "description": "A thing.", "record": {{"type": "object", "properties": {properties}}}}}}}}}"#
    )
}

#[test]
fn generate_writes_what_check_then_finds_fresh() {
    let space = Workspace::new();
    space
        .put("Cargo.toml", MANIFEST)
        .put("lexicons/com/example/thing.json", &thing("{}"));

    let (status, stdout, stderr) = space.run(&["check"]);
    assert_eq!(status, 1, "{stderr}");
    assert!(
        stdout
            .lines()
            .all(|line| line.starts_with("missing: src/generated/")),
        "{stdout}"
    );
    assert!(stderr.contains("huddle-codegen generate"), "{stderr}");

    let (status, stdout, stderr) = space.run(&["generate"]);
    assert_eq!(status, 0, "{stderr}");
    assert!(
        stdout
            .lines()
            .all(|line| line.starts_with("wrote src/generated/")),
        "{stdout}"
    );
    let count = space.files("src/generated").len();
    assert_eq!(
        stderr,
        format!("src/generated: {count} written, 0 removed, 0 unchanged\n")
    );

    let (status, stdout, stderr) = space.run(&["check"]);
    assert_eq!((status, stdout.as_str()), (0, ""), "{stderr}");
    let (_, stdout, stderr) = space.run(&["generate"]);
    assert_eq!(stdout, "");
    assert_eq!(
        stderr,
        format!("src/generated: 0 written, 0 removed, {count} unchanged\n")
    );
}

#[test]
fn check_names_stale_and_orphan_files() {
    let space = Workspace::new();
    space
        .put("Cargo.toml", MANIFEST)
        .put("lexicons/com/example/thing.json", &thing("{}"))
        .put(
            "lexicons/com/example/other.json",
            &thing("{}").replace(".thing", ".other"),
        );
    assert_eq!(space.run(&["generate"]).0, 0);
    space.put(
        "lexicons/com/example/thing.json",
        &thing(r#"{"a": {"type": "boolean"}}"#),
    );
    fs::remove_file(space.root().join("lexicons/com/example/other.json")).unwrap();

    let (status, stdout, _) = space.run(&["check"]);
    assert_eq!(status, 1);
    assert!(
        stdout.contains("stale: src/generated/com/example/thing.rs\n"),
        "{stdout}"
    );
    assert!(
        stdout.contains("orphan: src/generated/com/example/other.rs\n"),
        "{stdout}"
    );
    let (status, json, _) = space.run(&["check", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(status, 1);
    assert_eq!(
        json["orphans"],
        serde_json::json!(["src/generated/com/example/other.rs"])
    );

    let (status, stdout, _) = space.run(&["generate"]);
    assert_eq!(status, 0);
    assert!(
        stdout.contains("removed src/generated/com/example/other.rs\n"),
        "{stdout}"
    );
    assert_eq!(space.run(&["check"]).0, 0);
}

#[test]
fn generate_works_on_any_folder_without_a_project() {
    let space = Workspace::new();
    space.put("mine/com/example/thing.json", &thing("{}"));
    let flags = ["--lexicons", "mine", "--out", "out"];
    let (status, _, stderr) = space.run(&[&["generate"], &flags[..]].concat());
    assert_eq!(status, 0, "{stderr}");
    assert!(space.root().join("out/mod.rs").exists());
    assert_eq!(space.run(&[&["check"], &flags[..]].concat()).0, 0);
}

#[test]
fn an_output_folder_without_lexicons_takes_what_the_project_says() {
    let space = Workspace::new();
    let settings =
        "externals = { \"org.example.*\" = \"other_types\" }\nruntime = \"my_runtime\"\n";
    let refers = thing(r#"{"a": {"type": "ref", "ref": "org.example.thing"}}"#);
    space
        .put("Cargo.toml", &format!("{MANIFEST}{settings}"))
        .put("lexicons/com/example/thing.json", &refers)
        .put(
            "lexicons/org/example/thing.json",
            &thing("{}").replace("com.", "org."),
        );
    let text = |out: &str, more: &[&str]| {
        let (status, _, stderr) = space.run(&[&["generate", "--out", out], more].concat());
        assert_eq!(status, 0, "{stderr}");
        fs::read_to_string(space.root().join(out).join("com/example/thing.rs")).unwrap()
    };
    let of_project = text("a", &[]);
    assert!(of_project.contains("my_runtime::") && of_project.contains("other_types::"));
    let of_flags = text(
        "b",
        &[
            "--runtime",
            "mine",
            "--external",
            "org.example.*=crate::other",
        ],
    );
    assert!(of_flags.contains("mine::") && of_flags.contains("crate::other::"));
    // Lexicons that are named have nothing to do with the project.
    let of_folder = text("c", &["--lexicons", "lexicons"]);
    assert!(of_folder.contains("huddle_syntax::") && !of_folder.contains("other_types::"));
}

#[test]
fn nothing_to_generate_from_is_an_error_that_removes_nothing() {
    let space = Workspace::new();
    space
        .put("Cargo.toml", MANIFEST)
        .put("lexicons/com/example/thing.json", &thing("{}"))
        .put(
            "lexicons/org/example/thing.json",
            &thing("{}").replace("com.", "org."),
        );
    fs::create_dir(space.root().join("empty")).unwrap();
    assert_eq!(space.run(&["generate"]).0, 0);
    let out = ["--lexicons", "lexicons", "--out", "src/generated"];
    let before = space.files("src");
    let check = |arguments: &[&str], expect: &str| {
        let (status, stdout, stderr) = space.run(arguments);
        assert_eq!(
            (status, stdout.as_str()),
            (2, ""),
            "{arguments:?}: {stderr}"
        );
        assert!(stderr.contains(expect), "{arguments:?}: {stderr}");
        assert_eq!(space.files("src"), before);
    };
    let no_lexicon = "there is no lexicon (*.json) in empty";
    for command in ["generate", "check"] {
        check(&[command, "--lexicons", "empty"], no_lexicon);
        check(
            &[&[command], &out[..], &["--nsid", "com.exmaple.*"]].concat(),
            "com.exmaple.* selects no lexicon in lexicons\n",
        );
        let nsids = ["--nsid", "com.example.thing", "--nsid", "net.example.thing"];
        check(
            &[&[command], &out[..], &nsids].concat(),
            "net.example.thing selects no lexicon in lexicons\n",
        );
        let external = [
            "--nsid",
            "org.example.*",
            "--external",
            "org.example.*=other_types",
        ];
        check(
            &[&[command], &out[..], &external].concat(),
            "org.example.* selects no lexicon in lexicons that is not external",
        );
    }
    check(&["lint", "empty"], no_lexicon);
    check(&["diff", "empty", "lexicons"], no_lexicon);
    check(&["diff", "lexicons", "empty"], no_lexicon);

    space.put(
        "Cargo.toml",
        "[workspace.metadata.huddle-codegen]\nlexicons = \"lexicons\"",
    );
    check(&["generate"], "add `types` or `handlers`");
}

#[test]
fn an_output_never_removes_another_ones_files() {
    let space = Workspace::new();
    space.put("lexicons/com/example/thing.json", &thing("{}"));
    let generate = |out: &str| space.run(&["generate", "--lexicons", "lexicons", "--out", out]);
    assert_eq!(generate("src/generated").0, 0);
    let before = space.files("src");
    for out in [
        "src",
        "src/../src",
        "src/generated/more",
        "src/generated/../generated/com",
    ] {
        let (status, _, stderr) = generate(out);
        assert_eq!(status, 2, "{out}: {stderr}");
        assert!(stderr.contains("generated into as well"), "{out}: {stderr}");
        assert_eq!(space.files("src"), before);
    }
    assert_eq!(generate("src/other").0, 0);
}

#[test]
fn check_and_diff_print_one_kind_of_json_whatever_they_find() {
    let members = |arguments: &[&str], space: &Workspace| -> (i32, Vec<String>) {
        let (status, json, _) = space.run(&[arguments, &["--format", "json"]].concat());
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        (status, json.as_object().unwrap().keys().cloned().collect())
    };
    let space = Workspace::new();
    space.put("Cargo.toml", MANIFEST);
    for (lexicon, status) in [("{}", 1), (&*thing("{}"), 0)] {
        space.put("lexicons/com/example/thing.json", lexicon);
        if status == 0 {
            assert_eq!(space.run(&["generate"]).0, 0);
        }
        let check = ["fresh", "missing", "orphans", "problems", "stale"];
        for (arguments, expect) in [
            (&["check"][..], &check[..]),
            (&["diff", "lexicons", "lexicons"], &["findings", "problems"]),
            (&["lint"], &["problems"]),
        ] {
            let (ended, found) = members(arguments, &space);
            assert_eq!(ended, status, "{arguments:?}");
            assert_eq!(found, expect, "{arguments:?}");
        }
    }
}

#[test]
fn wrong_lexicons_end_with_1_and_write_nothing() {
    let space = Workspace::new();
    space.put("Cargo.toml", MANIFEST).put(
        "lexicons/com/example/thing.json",
        &thing(r#"{"z": {"type": "strng"}}"#),
    );
    let told = "lexicons/com/example/thing.json: defs.main.record.properties.z: \
                [schema-json-parse] unknown type \"strng\"\n";
    for command in ["generate", "check"] {
        let (status, stdout, _) = space.run(&[command]);
        assert_eq!((status, stdout.as_str()), (1, told), "{command}");
    }
    assert!(!space.root().join("src").exists());
}

#[test]
fn what_cannot_be_done_ends_with_2_and_says_what_to_do() {
    let space = Workspace::new();
    let check = |arguments: &[&str], expect: &str| {
        let (status, stdout, stderr) = space.run(arguments);
        assert_eq!(
            (status, stdout.as_str()),
            (2, ""),
            "{arguments:?}: {stderr}"
        );
        assert!(stderr.contains(expect), "{arguments:?}: {stderr}");
    };
    check(&["generate"], "pass --lexicons and --out");
    check(&["lint"], "pass a folder of lexicons");
    check(&["generate", "--out", "out"], "pass --lexicons");
    check(
        &["generate", "--lexicons", "nowhere", "--out", "out"],
        "cannot read nowhere",
    );
    check(&["lint", "nowhere"], "cannot read nowhere");
    check(&["diff", "nowhere", "."], "cannot read nowhere");
    check(
        &["lint", ".", "--ignore", "no-such-rule"],
        "there are schema-json-parse, ",
    );
    check(
        &[
            "generate",
            "--lexicons",
            ".",
            "--out",
            "out",
            "--external",
            "com.atproto.*",
        ],
        "NSID=PATH",
    );
    check(
        &[
            "generate",
            "--lexicons",
            ".",
            "--out",
            "out",
            "--handlers",
            "api",
        ],
        "pass --types",
    );
    check(&["generate", "--nsid", "com.example.*"], "--out");

    space
        .put("Cargo.toml", MANIFEST)
        .put("lexicons/com/example/thing.json", &thing("{}"));
    space.put("src/generated/com/example/thing.rs", "// Mine.\n");
    check(
        &["generate"],
        "src/generated/com/example/thing.rs was not generated",
    );
    check(
        &["check"],
        "src/generated/com/example/thing.rs was not generated",
    );
}

#[test]
fn lint_fails_for_errors_and_for_warnings_if_asked() {
    let space = Workspace::new();
    space.put(
        "lexicons/com/example/thing.json",
        &thing(r#"{"a": {"type": "string"}}"#),
    );
    let warning =
        "lexicons/com/example/thing.json: defs.main.record.properties.a: [unlimited-string] ";
    let (status, stdout, stderr) = space.run(&["lint", "lexicons"]);
    assert!(status == 0 && stdout.starts_with(warning), "{stdout}");
    assert_eq!(stderr, "1 lexicon: 0 errors, 1 warning\n");
    assert_eq!(space.run(&["lint", "lexicons", "--deny-warnings"]).0, 1);
    let ignored = space.run(&[
        "lint",
        "lexicons",
        "--deny-warnings",
        "-I",
        "unlimited-string",
    ]);
    assert_eq!((ignored.0, ignored.1.as_str()), (0, ""));

    space.put(
        "lexicons/com/example/thing.json",
        &thing(r#"{"a": {"type": "ref", "ref": "org.example.x"}}"#),
    );
    let (status, json, _) = space.run(&["lint", "lexicons", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (
            status,
            &json["problems"][0]["rule"],
            &json["problems"][0]["severity"]
        ),
        (1, &"unresolved-ref".into(), &"error".into())
    );
    assert_eq!(
        space
            .run(&["lint", "lexicons", "--external", "org.*=other"])
            .0,
        0
    );
    // What a single file refers to is not at hand.
    assert_eq!(space.run(&["lint", "lexicons/com/example/thing.json"]).0, 0);
}

#[test]
fn diff_fails_for_what_breaks_somebody() {
    let space = Workspace::new();
    space
        .put(
            "old/com/example/thing.json",
            &thing(r#"{"a": {"type": "integer"}}"#),
        )
        .put(
            "new/com/example/thing.json",
            &thing(r#"{"a": {"type": "integer", "maximum": 5}}"#),
        );
    let (status, stdout, stderr) = space.run(&["diff", "old", "new"]);
    assert_eq!(status, 1);
    assert_eq!(
        stdout,
        "new/com/example/thing.json: defs.main.record.properties.a: [integer-range] breaks readers of \
         existing data: no bound → at most 5\n"
    );
    assert_eq!(
        stderr,
        "1 lexicon before, 1 now: 1 breaking change, 0 notes\n"
    );
    let (_, json, _) = space.run(&["diff", "old", "new", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let finding = &json["findings"][0];
    assert_eq!(finding["rule"], "integer-range");
    assert_eq!(finding["direction"], "backward");
    assert_eq!(finding["impact"], "breaking");

    let same = space.run(&["diff", "old/com/example/thing.json", "old"]);
    assert_eq!((same.0, same.1.as_str()), (0, ""));
    space.put("new/com/example/thing.json", "{}");
    assert_eq!(space.run(&["diff", "old", "new"]).0, 1);
}

#[test]
fn help_names_every_command_and_the_settings() {
    let (status, stdout, _) = Workspace::new().run(&["--help"]);
    assert_eq!(status, 0);
    for expect in [
        "generate",
        "check",
        "lint",
        "diff",
        "[workspace.metadata.huddle-codegen]",
        "Exit status",
    ] {
        assert!(stdout.contains(expect), "{stdout}");
    }
    for command in ["generate", "check", "lint", "diff"] {
        let (status, stdout, _) = Workspace::new().run(&[command, "--help"]);
        assert!(status == 0 && stdout.contains("Exit status:"), "{stdout}");
    }
}
