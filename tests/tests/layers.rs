//! Arrows point down only: who may name whom in the workspace, and which crates from outside may appear where.
//!
//! The tables are the architecture. A new arrow is a new line here, on purpose.

use huddle_testdata::workspace_root;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each package of the workspace names in `[dependencies]`, from the lowest layer up.
const ARROWS: &[(&str, &[&str])] = &[
    ("huddle-syntax", &[]),
    ("huddle-ports", &[]),
    ("huddle-multibuffer", &[]),
    ("huddle-firehose", &["huddle-multibuffer"]),
    ("huddle-lexicon", &["huddle-syntax"]),
    ("huddle-schedule", &["huddle-ports"]),
    (
        "huddle-core",
        &[
            "huddle-lexicon",
            "huddle-ports",
            "huddle-schedule",
            "huddle-syntax",
        ],
    ),
    (
        "huddle-calendars",
        &[
            "huddle-core",
            "huddle-ports",
            "huddle-schedule",
            "huddle-syntax",
        ],
    ),
    (
        "huddle-mail",
        &["huddle-core", "huddle-ports", "huddle-schedule"],
    ),
    ("huddle-identity", &["huddle-ports", "huddle-syntax"]),
    (
        "huddle-xrpc",
        &["huddle-identity", "huddle-ports", "huddle-syntax"],
    ),
    (
        "huddle-graph",
        &[
            "huddle-core",
            "huddle-lexicon",
            "huddle-ports",
            "huddle-schedule",
            "huddle-syntax",
            "huddle-xrpc",
        ],
    ),
    (
        "huddle-api",
        &[
            "huddle-core",
            "huddle-lexicon",
            "huddle-ports",
            "huddle-schedule",
            "huddle-syntax",
            "huddle-xrpc",
        ],
    ),
    (
        "huddle-native",
        &[
            "huddle-core",
            "huddle-firehose",
            "huddle-mail",
            "huddle-ports",
        ],
    ),
    (
        "huddle-testkit",
        &[
            "huddle-core",
            "huddle-firehose",
            "huddle-identity",
            "huddle-lexicon",
            "huddle-ports",
            "huddle-schedule",
            "huddle-syntax",
        ],
    ),
    (
        "huddle-appview-web",
        &[
            "huddle-calendars",
            "huddle-core",
            "huddle-ports",
            "huddle-syntax",
        ],
    ),
    (
        "huddle-appview-router",
        &[
            "huddle-api",
            "huddle-appview-web",
            "huddle-core",
            "huddle-identity",
            "huddle-lexicon",
            "huddle-ports",
            "huddle-schedule",
            "huddle-syntax",
            "huddle-xrpc",
        ],
    ),
    (
        "huddle-appview-indexer",
        &[
            "huddle-core",
            "huddle-firehose",
            "huddle-identity",
            "huddle-lexicon",
            "huddle-ports",
            "huddle-syntax",
            "huddle-xrpc",
        ],
    ),
    (
        "huddle-workers-platform",
        &["huddle-core", "huddle-identity", "huddle-ports"],
    ),
    (
        "huddle-appview-workers",
        &[
            "huddle-appview-indexer",
            "huddle-appview-router",
            "huddle-appview-web",
            "huddle-calendars",
            "huddle-core",
            "huddle-graph",
            "huddle-identity",
            "huddle-mail",
            "huddle-ports",
            "huddle-schedule",
            "huddle-workers-platform",
            "huddle-xrpc",
        ],
    ),
    (
        "huddle-workers-contract",
        &[
            "huddle-appview-workers",
            "huddle-core",
            "huddle-ports",
            "huddle-testkit",
            "huddle-workers-platform",
        ],
    ),
    (
        "huddle-workers-firehose",
        &[
            "huddle-appview-indexer",
            "huddle-appview-router",
            "huddle-core",
            "huddle-firehose",
            "huddle-ports",
            "huddle-workers-platform",
        ],
    ),
    (
        "huddle-workers-firehose-contract",
        &[
            "huddle-ports",
            "huddle-workers-firehose",
            "huddle-workers-platform",
        ],
    ),
    ("huddle-workers-packer", &[]),
    (
        "huddle-appview",
        &[
            "huddle-appview-indexer",
            "huddle-appview-router",
            "huddle-appview-web",
            "huddle-calendars",
            "huddle-core",
            "huddle-firehose",
            "huddle-graph",
            "huddle-identity",
            "huddle-lexicon",
            "huddle-mail",
            "huddle-native",
            "huddle-ports",
            "huddle-schedule",
            "huddle-syntax",
            "huddle-testkit",
            "huddle-xrpc",
        ],
    ),
    ("huddle-example-embed", &["huddle-appview"]),
    ("huddle-codegen", &["huddle-syntax"]),
    ("huddle-codegen-golden", &["huddle-syntax", "huddle-xrpc"]),
    ("huddle-testdata", &[]),
];

/// Stands on top: it may name everything, and nothing names it.
const TOP: &str = "huddle-tests";

/// The packages that know a runtime, or a processor.
const LEAVES: &[&str] = &[
    "huddle-native",
    "huddle-appview",
    "huddle-appview-workers",
    "huddle-example-embed",
    "huddle-multibuffer",
    "huddle-workers-contract",
    "huddle-workers-firehose",
    "huddle-workers-firehose-contract",
    "huddle-workers-platform",
];

/// Programs and checks, which nothing that runs is made of.
const TOOLS: &[&str] = &[
    "huddle-codegen",
    "huddle-codegen-golden",
    "huddle-testdata",
    "huddle-workers-packer",
    TOP,
];

/// Crates that only some packages may name in `[dependencies]`. `*` stands for any end of a name.
const CONFINED: &[(&[&str], &[&str])] = &[
    (
        &[
            "tokio", "tokio-*", "hyper", "hyper-*", "lettre", "reqwest", "rusqlite",
        ],
        &[
            "huddle-native",
            "huddle-appview",
            "huddle-example-embed",
            TOP,
        ],
    ),
    (
        &["worker", "js-sys", "web-sys", "wasm-bindgen*"],
        &[
            "huddle-appview-workers",
            "huddle-workers-contract",
            "huddle-workers-firehose",
            "huddle-workers-firehose-contract",
            "huddle-workers-packer",
            "huddle-workers-platform",
        ],
    ),
    (&["jacquard*", "atrium*"], &["huddle-sdk"]),
];

/// Crates that stand nowhere below a library: each is a runtime, or does not build for wasm32 by itself.
const RUNTIMES: &[&str] = &[
    "aws-lc-sys",
    "getrandom",
    "hyper",
    "mio",
    "openssl-sys",
    "reqwest",
    "ring",
    "rusqlite",
    "tokio",
];

/// What an app embeds for the types alone, and what decides everything, and the most crates that each may bring for any target,
/// our own included. A third of the second is what URLs and internationalised names take.
const LEAN: [(&[&str], usize); 2] = [
    (&["huddle-syntax", "huddle-lexicon"], 60),
    (&["huddle-core", "huddle-schedule"], 125),
];

/// What asks about the target; a runtime is picked by picking a crate.
const TARGET_QUESTIONS: &[&str] = &["target_arch", "target_family", "target_os"];

/// A package of this workspace.
#[derive(Clone, Debug)]
struct Package {
    name: String,
    folder: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Clone, Debug)]
struct Dependency {
    name: String,
    /// In `[dev-dependencies]`.
    for_tests: bool,
    /// In this workspace.
    ours: bool,
    /// The condition of its `[target.….dependencies]`.
    target: Option<String>,
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(workspace_root())
        .output()
        .expect("cargo runs, since it built this");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "cargo {}: {errors}",
        arguments.join(" ")
    );
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

fn packages() -> Vec<Package> {
    let metadata = cargo(&["metadata", "--format-version=1", "--no-deps"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo metadata is JSON");
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    list(&metadata["packages"])
        .iter()
        .map(|package| Package {
            name: text(&package["name"]),
            folder: Path::new(&text(&package["manifest_path"]))
                .parent()
                .expect("a manifest lies in a folder")
                .to_owned(),
            dependencies: list(&package["dependencies"])
                .iter()
                .map(|dependency| Dependency {
                    name: text(&dependency["name"]),
                    for_tests: dependency["kind"] == "dev",
                    ours: dependency["path"].is_string(),
                    target: dependency["target"].as_str().map(str::to_owned),
                })
                .collect(),
        })
        .collect()
}

/// Compares the arrows that are with the table of those that may be.
fn wrong_arrows(packages: &[Package], table: &[(&str, &[&str])]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (line, (package, allowed)) in table.iter().enumerate() {
        let Some(package) = packages.iter().find(|p| p.name == *package) else {
            wrong.push(format!(
                "{package} is in the table and not in the workspace"
            ));
            continue;
        };
        let named: BTreeSet<&str> = package
            .dependencies
            .iter()
            .filter(|d| d.ours && !d.for_tests)
            .map(|d| d.name.as_str())
            .collect();
        let name = &package.name;
        for other in &named {
            if !allowed.contains(other) {
                wrong.push(format!(
                    "{name} names {other}, which is no arrow of the table"
                ));
            }
        }
        for other in *allowed {
            if !named.contains(other) {
                wrong.push(format!(
                    "{name} does not name {other}: the table has an arrow too many"
                ));
            }
            if !table[..line].iter().any(|(lower, _)| lower == other) {
                wrong.push(format!(
                    "{name} points up: {other} does not stand above it in the table"
                ));
            }
        }
    }
    for package in packages {
        if package.name != TOP && !table.iter().any(|(name, _)| *name == package.name) {
            wrong.push(format!(
                "{} is in the workspace and not in the table",
                package.name
            ));
        }
        if package.dependencies.iter().any(|d| d.name == TOP) {
            wrong.push(format!("{} names {TOP}, which stands on top", package.name));
        }
    }
    wrong
}

/// Finds crates in `[dependencies]` of packages that are not allowed to know them.
fn escaped(packages: &[Package], confined: &[(&[&str], &[&str])]) -> Vec<String> {
    let mut wrong = Vec::new();
    for package in packages {
        for dependency in package.dependencies.iter().filter(|d| !d.for_tests) {
            for (crates, allowed) in confined {
                let concerned = crates
                    .iter()
                    .any(|pattern| matches(pattern, &dependency.name));
                if concerned && !allowed.contains(&package.name.as_str()) {
                    wrong.push(format!(
                        "{} names {}; only {} may",
                        package.name,
                        dependency.name,
                        allowed.join(", ")
                    ));
                }
            }
        }
    }
    wrong
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == name, |start| name.starts_with(start))
}

/// Finds lines of source or of a manifest that ask about the target: wherever it is named, and not in a comment.
fn target_questions(text: &str) -> Vec<(usize, &str)> {
    let asks = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        let is_comment = code.trim_start().starts_with("# ");
        !is_comment && TARGET_QUESTIONS.iter().any(|it| code.contains(it))
    };
    text.lines()
        .enumerate()
        .filter(|(_, line)| asks(line))
        .map(|(i, line)| (i + 1, line))
        .collect()
}

/// The names of all crates below some packages, themselves included, on a platform.
fn closure(packages: &[&str], edges: &str, platform: &str) -> BTreeSet<String> {
    let mut arguments = vec![
        "tree",
        "--prefix=none",
        "--no-dedupe",
        "--format={p}",
        "--edges",
        edges,
    ];
    arguments.extend(["--target", platform]);
    for package in packages {
        arguments.extend(["--package", package]);
    }
    // A line is "name v1.2.3", and more where the source is not the registry.
    let line = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    cargo(&arguments)
        .lines()
        .filter(|l| !l.is_empty())
        .map(line)
        .collect()
}

/// The names of all crates below what the arguments of `cargo tree` pick, that included.
fn names_below(arguments: &[&str]) -> BTreeSet<String> {
    let tree = ["tree", "--prefix=none", "--format={p}", "--edges=normal"];
    let tree = cargo(&[&tree, arguments].concat());
    let name = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    tree.lines().map(name).collect()
}

/// Finds those of a package, without the packages inside its folder.
fn rust_and_manifests(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in folder
        .read_dir()
        .expect("a folder of the workspace can be read")
    {
        let path = entry.expect("an entry can be read").path();
        let name = path.file_name().expect("an entry has a name");
        let is_apart =
            name == "target" || name == "node_modules" || path.join("Cargo.toml").exists();
        if path.is_dir() && !is_apart {
            rust_and_manifests(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") || name == "Cargo.toml" {
            files.push(path);
        }
    }
}

#[track_caller]
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn arrows_are_those_of_the_table() {
    assert_none(&wrong_arrows(&packages(), ARROWS));
}

#[test]
fn crates_that_know_a_runtime_stay_where_they_belong() {
    assert_none(&escaped(&packages(), CONFINED));
}

#[test]
fn no_library_stands_on_a_runtime() {
    let packages = packages();
    let names = packages.iter().map(|package| package.name.as_str());
    let libraries: Vec<_> = names
        .filter(|name| !LEAVES.contains(name) && !TOOLS.contains(name))
        .collect();
    for platform in ["x86_64-unknown-linux-gnu", "wasm32-unknown-unknown"] {
        for found in closure(&libraries, "normal", platform) {
            let found = found.split(' ').next().unwrap_or_default();
            assert!(
                !RUNTIMES.contains(&found),
                "a library stands on {found}; \
                 `cargo tree --edges normal --target {platform} --invert {found}` says which"
            );
        }
    }
}

#[test]
fn the_types_and_the_core_bring_few_crates() {
    for (packages, most) in LEAN {
        let crates = closure(packages, "normal,build", "all");
        let count = crates.len();
        assert!(
            count <= most,
            "{packages:?}: {count} crates, not {most}: {crates:#?}"
        );
    }
}

#[test]
fn who_only_calls_methods_goes_without_the_server() {
    let client = names_below(&["--package=huddle-xrpc", "--no-default-features"]);
    let server = names_below(&["--package=huddle-xrpc"]);
    for name in ["axum", "huddle-identity"] {
        assert!(!client.contains(name), "the client stands on {name}");
        assert!(server.contains(name), "the server does without {name}");
    }
}

#[test]
fn only_leaves_ask_about_the_target() {
    let mut wrong = Vec::new();
    for package in packages() {
        if LEAVES.contains(&package.name.as_str()) || package.name == TOP {
            continue;
        }
        for dependency in &package.dependencies {
            if let Some(target) = &dependency.target {
                wrong.push(format!(
                    "{} names {} for {target}",
                    package.name, dependency.name
                ));
            }
        }
        let mut files = Vec::new();
        rust_and_manifests(&package.folder, &mut files);
        for file in files {
            let text = std::fs::read_to_string(&file).expect("source can be read");
            for (number, line) in target_questions(&text) {
                wrong.push(format!("{}:{number}: {}", file.display(), line.trim()));
            }
        }
    }
    assert_none(&wrong);
}

mod rules {
    //! Each rule finds what it is for, in a small workspace that breaks it.

    use super::*;

    fn package(name: &str, dependencies: &[&str]) -> Package {
        let dependency = |name: &&str| Dependency {
            name: name.trim_start_matches("dev:").to_owned(),
            for_tests: name.starts_with("dev:"),
            ours: name.contains("huddle-"),
            target: None,
        };
        Package {
            name: name.to_owned(),
            folder: PathBuf::new(),
            dependencies: dependencies.iter().map(dependency).collect(),
        }
    }

    #[track_caller]
    fn check_arrows(packages: &[Package], table: &[(&str, &[&str])], expect: &[&str]) {
        assert_eq!(wrong_arrows(packages, table), expect);
    }

    const LOW: (&str, &[&str]) = ("huddle-low", &[]);
    const HIGH: (&str, &[&str]) = ("huddle-high", &["huddle-low"]);

    #[test]
    fn an_arrow_that_the_table_has_is_allowed_and_so_is_any_for_tests() {
        let low = package("huddle-low", &["serde", "dev:huddle-high"]);
        let high = package("huddle-high", &["huddle-low"]);
        check_arrows(
            &[low, high, package(TOP, &["huddle-high"])],
            &[LOW, HIGH],
            &[],
        );
    }

    #[test]
    fn an_arrow_that_the_table_lacks_is_found() {
        let low = package("huddle-low", &["huddle-high"]);
        let high = package("huddle-high", &["huddle-low"]);
        let expect = "huddle-low names huddle-high, which is no arrow of the table";
        check_arrows(&[low, high], &[LOW, HIGH], &[expect]);
    }

    #[test]
    fn an_arrow_that_only_the_table_has_is_found() {
        let packages = [package("huddle-low", &[]), package("huddle-high", &[])];
        let expect = "huddle-high does not name huddle-low: the table has an arrow too many";
        check_arrows(&packages, &[LOW, HIGH], &[expect]);
    }

    #[test]
    fn an_arrow_up_is_found_even_in_the_table() {
        let packages = [
            package("huddle-high", &["huddle-low"]),
            package("huddle-low", &[]),
        ];
        let expect = "huddle-high points up: huddle-low does not stand above it in the table";
        check_arrows(&packages, &[HIGH, LOW], &[expect]);
    }

    #[test]
    fn a_package_is_in_the_workspace_and_in_the_table_or_in_neither() {
        let expect = [
            "huddle-low is in the table and not in the workspace",
            "huddle-new is in the workspace and not in the table",
        ];
        check_arrows(&[package("huddle-new", &[])], &[LOW], &expect);
    }

    #[test]
    fn nothing_names_what_stands_on_top_not_even_for_tests() {
        let dev = format!("dev:{TOP}");
        let expect = format!("huddle-low names {TOP}, which stands on top");
        check_arrows(&[package("huddle-low", &[&dev])], &[LOW], &[&expect]);
    }

    #[test]
    fn a_runtime_is_found_outside_of_its_place_but_not_in_tests() {
        let found = |name: &str, dependency: &str| {
            escaped(&[package(name, &[dependency])], CONFINED)
                .into_iter()
                .next()
        };
        assert_eq!(found("huddle-native", "tokio"), None);
        assert_eq!(found("huddle-xrpc", "dev:tokio"), None);
        assert_eq!(
            found("huddle-xrpc", "tokio-util").as_deref(),
            Some(
                "huddle-xrpc names tokio-util; \
                 only huddle-native, huddle-appview, huddle-example-embed, huddle-tests may"
            )
        );
        assert_eq!(
            found("huddle-native", "wasm-bindgen-futures").as_deref(),
            Some(
                "huddle-native names wasm-bindgen-futures; \
                 only huddle-appview-workers, huddle-workers-contract, huddle-workers-firehose, \
                 huddle-workers-firehose-contract, huddle-workers-packer, huddle-workers-platform may"
            )
        );
    }

    #[test]
    fn the_crates_below_a_package_are_counted_with_their_versions_once() {
        let crates = closure(&["huddle-syntax"], "normal", "wasm32-unknown-unknown");
        assert!(
            crates.iter().any(|c| c.starts_with("huddle-syntax v")),
            "{crates:#?}"
        );
        assert!(
            crates.iter().any(|c| c.starts_with("serde_core v1.")),
            "{crates:#?}"
        );
        let native = closure(&["huddle-native"], "normal", "x86_64-unknown-linux-gnu");
        assert!(
            native.iter().any(|c| c.starts_with("tokio v1.")),
            "{native:#?}"
        );
    }

    #[test]
    fn questions_about_the_target_are_found_by_line() {
        let source = "// target_arch\n#[cfg(not(target_arch = \"wasm32\"))]\nfn native() {}\n";
        assert_eq!(
            target_questions(source),
            [(2, "#[cfg(not(target_arch = \"wasm32\"))]")]
        );
        let split = "#[cfg(any(\n    target_arch = \"wasm32\", // target_os\n    test,\n))]\n";
        assert_eq!(target_questions(split).len(), 1);
        let manifest = "# target_os\n[target.'cfg(target_os = \"linux\")'.dependencies]\n";
        assert_eq!(target_questions(manifest).len(), 1);
        assert_eq!(
            target_questions("if cfg!(target_os = \"linux\") {}").len(),
            1
        );
        assert_eq!(target_questions("#[cfg(test)]\nmod tests {}"), []);
    }
}
