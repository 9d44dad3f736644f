//! The published lexicons (`com.atproto`, `app.bsky`, `chat.bsky`, `tools.ozone` …) become crates that
//! compile without a warning, and that do what the interop suite says.
//!
//! The crates are built below the target folder with this workspace's lock file, so that what is built
//! already is used again, and nothing is fetched.

use huddle_codegen::emit::{Options, Output, generate};
use huddle_codegen::load::load;
use huddle_codegen::model::{Catalog, NsidPattern};
use huddle_codegen::output;
use huddle_codegen::resolve::Externals;
use huddle_testdata::{shared, workspace_root};
use proptest::test_runner::Config as ProptestConfig;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A generated crate.
struct Package {
    folder: PathBuf,
}

impl Package {
    /// Generates the selected lexicons of a catalog into a crate with one test, which depends on another
    /// crate.
    fn generate(
        name: &str,
        catalog: &Catalog,
        selection: &[NsidPattern],
        test: (&str, &str),
        dev_dependency: &str,
    ) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let options = Options {
            output: Output::Crate {
                name: name.to_owned(),
            },
            selection: selection.to_vec(),
            externals: Externals::default(),
            runtime: None,
        };
        let mut files = generate(catalog, &options).unwrap_or_else(|error| panic!("{error}"));
        files.retain(|file| file.path != Path::new("Cargo.toml"));
        output::write(&folder, &files).unwrap_or_else(|error| panic!("{error}"));
        let root = workspace_root();
        let manifest = format!(
            "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\nhuddle-syntax = {{ path = '{}' }}\n\n\
             [dev-dependencies]\n{dev_dependency}\n\n\
             [lints.rust]\nwarnings = \"deny\"\nmissing_docs = \"deny\"\nmissing_debug_implementations = \"deny\"\n\
             unreachable_pub = \"deny\"\nunused_qualifications = \"deny\"\n",
            root.join("sdk/syntax").display(),
        );
        write(&folder.join("Cargo.toml"), &manifest);
        write(&folder.join("tests").join(test.0), test.1);
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))
            .expect("the lock file is there");
        Self { folder }
    }

    /// Runs cargo in the crate.
    #[track_caller]
    fn cargo(&self, arguments: &[&str], variables: &[(&str, &Path)]) {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .parent()
            .expect("it lies in the target folder");
        let output = Command::new(env!("CARGO"))
            .args(arguments)
            .args(["--offline", "--quiet", "--target-dir"])
            .arg(target)
            .current_dir(&self.folder)
            .envs(variables.iter().copied())
            .output()
            .expect("cargo can be started");
        let said = String::from_utf8_lossy(&output.stderr);
        let more = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "cargo {arguments:?}:\n{said}\n{more}"
        );
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("it is below the crate"))
        .expect("a folder can be made");
    fs::write(path, text).expect("a file can be written");
}

/// The published lexicons, and the catalog of the interop suite, which refers to them.
fn catalog(lexicons: &Path, suite: &Path) -> Catalog {
    let mut catalog = load(lexicons).unwrap_or_else(|error| panic!("{error}"));
    let examples = load(&suite.join("catalog")).unwrap_or_else(|error| panic!("{error}"));
    for document in examples.documents() {
        catalog
            .insert(document.clone())
            .expect("the suite's names are its own");
    }
    catalog
}

#[test]
fn the_published_lexicons_compile_without_a_warning() {
    let Some(lexicons) = shared("conformance/lexicons") else {
        return;
    };
    let catalog = load(&lexicons).unwrap_or_else(|error| panic!("{error}"));
    let proof = ("proof.rs", include_str!("official/proof.rs"));
    let codegen = format!(
        "huddle-codegen = {{ path = {:?} }}",
        workspace_root().join("codegen")
    );
    let package = Package::generate("official-lexicons", &catalog, &[], proof, &codegen);
    package.cargo(&["check"], &[]);
    // To try every type takes minutes: it is for those who ask for more cases than usual.
    if ProptestConfig::default().cases > 256 {
        package.cargo(&["test", "--test", "proof"], &[("LEXICONS", &lexicons)]);
    }
}

#[test]
fn the_interop_suite_holds_for_generated_code() {
    let Some(lexicons) = shared("conformance/lexicons") else {
        return;
    };
    let Some(suite) = shared("conformance/interop/lexicon") else {
        return;
    };
    let selection = ["example.lexicon.*".parse().expect("a prefix of NSIDs")];
    let vectors = ("vectors.rs", include_str!("official/vectors.rs"));
    let catalog = catalog(&lexicons, &suite);
    let package = Package::generate(
        "interop-lexicons",
        &catalog,
        &selection,
        vectors,
        "serde_json = \"1\"",
    );
    package.cargo(&["test", "--test", "vectors"], &[("VECTORS", &suite)]);
}
