//! The cases, as what the generator is asked to do.

use huddle_codegen::emit::{Options, Output};
use huddle_codegen::project::{Project, Target};
use huddle_codegen::resolve::{External, Externals};
use huddle_testdata::workspace_root;
use std::fs;
use std::path::PathBuf;

/// The names of all cases, in their order.
pub(crate) fn names() -> Vec<String> {
    let entries = fs::read_dir(folder("lexicons")).expect("the cases are there");
    let names = entries.map(|entry| {
        let name = entry.expect("the cases can be listed").file_name();
        name.into_string().expect("cases have plain names")
    });
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// The cases whose methods get handlers too, in their order.
pub(crate) const WITH_HANDLERS: [&str; 7] = [
    "bodies",
    "keywords",
    "letters",
    "procedure",
    "query",
    "role_names",
    "std_names",
];

/// What is generated for a case.
pub(crate) fn project(name: &str) -> Project {
    let externals = Externals::new((name == "externals").then(|| External {
        lexicons: "com.shared.*".parse().expect("a prefix of NSIDs"),
        rust_path: "crate::external_types".to_owned(),
    }));
    let target = |folder: PathBuf, output| {
        let options = Options {
            output,
            selection: Vec::new(),
            externals: externals.clone(),
            runtime: None,
        };
        Target { folder, options }
    };
    let mut targets = vec![target(folder("src").join(name), Output::Module)];
    if WITH_HANDLERS.contains(&name) {
        let types = format!("crate::{name}");
        targets.push(target(
            folder("src/handlers").join(name),
            Output::Handlers { types },
        ));
    }
    Project {
        lexicons: folder("lexicons").join(name),
        externals,
        targets,
    }
}

fn folder(name: &str) -> PathBuf {
    workspace_root().join("codegen/golden").join(name)
}
