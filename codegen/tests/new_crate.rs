//! A crate of types as the tool makes it: it builds, and its `Cargo.toml` is its owner's.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use huddle_testdata::workspace_root;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a new crate depends on, if nothing else is said.
const RUNTIME: &str = concat!("huddle-syntax = \"", env!("CARGO_PKG_VERSION"), "\"\n");

/// A folder of this name, empty but for one lexicon.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    let lexicons = folder.join("lexicons/com/example");
    fs::create_dir_all(&lexicons).unwrap();
    let lexicon = r##"{"lexicon": 1, "id": "com.example.thing", "defs": {"main": {"type": "record", "key": "tid",
        "record": {"type": "object", "required": ["text"], "properties": {
            "text": {"type": "string", "maxGraphemes": 10}, "parts": {"type": "array", "items":
            {"type": "ref", "ref": "#part"}}}}}, "part": {"type": "object", "properties": {}}}}"##;
    fs::write(lexicons.join("thing.json"), lexicon).unwrap();
    folder
}

fn tool(folder: &Path, command: &str, flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_huddle-codegen"))
        .args([
            command,
            "--lexicons",
            "lexicons",
            "--out",
            "example-lexicon",
        ])
        .args(flags)
        .current_dir(folder)
        .output()
        .unwrap()
}

#[track_caller]
fn succeed(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Checks how a run ends that cannot be done, and that it leaves nothing behind.
#[track_caller]
fn refused(folder: &Path, flags: &[&str], expect: &str) {
    let output = tool(folder, "generate", flags);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{flags:?}: {said}");
    assert!(said.contains(expect), "{flags:?}: {said}");
    assert!(!folder.join("example-lexicon").exists(), "{flags:?}");
}

#[test]
fn a_new_crate_builds_as_it_comes() {
    let folder = folder("new-crate");
    let runtime = workspace_root().join("sdk/syntax");
    let dependency = format!("huddle-syntax={{ path = {runtime:?} }}");
    let stdout = succeed(&tool(
        &folder,
        "generate",
        &[
            "--crate-name",
            "example-lexicon",
            "--dependency",
            &dependency,
        ],
    ));
    assert!(
        stdout.contains("wrote example-lexicon/Cargo.toml\n"),
        "{stdout}"
    );

    // A workspace of its own, with the versions of this one: nothing is fetched.
    let workspace = "[workspace]\nmembers = [\"example-lexicon\"]\nresolver = \"3\"\n";
    fs::write(folder.join("Cargo.toml"), workspace).unwrap();
    let lock = workspace_root().join("Cargo.lock");
    fs::copy(lock, folder.join("Cargo.lock")).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let cargo = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--quiet", "--target-dir"])
        .arg(target)
        .current_dir(&folder)
        .output()
        .unwrap();
    succeed(&cargo);
    // Nor does the compiler have anything to remark.
    assert_eq!(String::from_utf8_lossy(&cargo.stderr), "");
}

#[test]
fn a_cargo_toml_is_written_once_and_then_its_owners() {
    let folder = folder("own-manifest");
    let path = folder.join("example-lexicon/Cargo.toml");
    let flags = ["--crate-name", "example-lexicon"];
    let external = [&flags[..], &["--external", "org.example.*=other_types"]].concat();

    succeed(&tool(&folder, "generate", &flags));
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("name = \"example-lexicon\""), "{text}");
    assert!(text.contains(RUNTIME), "{text}");

    let mine = "[package]\nname = \"mine\"\n";
    fs::write(&path, mine).unwrap();
    // What a new one would need is no question any more.
    let stdout = succeed(&tool(&folder, "generate", &external));
    assert_eq!(stdout, "");
    succeed(&tool(&folder, "check", &external));
    assert_eq!(fs::read_to_string(&path).unwrap(), mine);
}

#[test]
fn types_of_the_same_crate_are_no_dependency() {
    let folder = folder("in-crate");
    let flags = [
        "--crate-name",
        "example-lexicon",
        "--external",
        "org.example.*=crate::foreign",
        "--external",
        "net.example.*=::other_types::lexicon",
        "--dependency",
        "other-types=1.2",
    ];
    succeed(&tool(&folder, "generate", &flags));
    let text = fs::read_to_string(folder.join("example-lexicon/Cargo.toml")).unwrap();
    let (_, dependencies) = text.split_once("[dependencies]\n").unwrap();
    assert_eq!(dependencies, format!("{RUNTIME}other-types = \"1.2\"\n"));
}

#[test]
fn what_makes_no_crate_is_refused() {
    let folder = folder("no-crate");
    for name in [
        "",
        "1st",
        "a b",
        "a/b",
        "-a",
        "_",
        "é",
        "fn",
        "std",
        "proc-macro",
        "a\"",
        "huddle-syntax",
        "huddle_syntax",
    ] {
        refused(&folder, &[&format!("--crate-name={name}")], "name");
    }
    let flags = [
        "--crate-name",
        "a",
        "--external",
        "org.example.*=other_types",
    ];
    refused(&folder, &flags, "--dependency other_types=");
    refused(&folder, &["--dependency", "a=1"], "--crate-name");
    let flags = ["--crate-name", "a", "--dependency", "a"];
    refused(&folder, &flags, "NAME=VERSION");
}
