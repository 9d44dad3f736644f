//! The cases, as what the generator is asked to do.

use huddle_codegen::emit::{Options, Output};
use huddle_codegen::project::{Project, Target};
use huddle_codegen::resolve::{External, Externals};
use std::fs;
use std::path::{Path, PathBuf};

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

/// What is generated for a case.
pub(crate) fn project(name: &str) -> Project {
    let externals = Externals::new((name == "externals").then(|| External {
        lexicons: "com.shared.*".parse().expect("a prefix of NSIDs"),
        rust_path: "crate::external_types".to_owned(),
    }));
    let options = Options {
        output: Output::Module,
        selection: Vec::new(),
        externals: externals.clone(),
        runtime: None,
    };
    let target = Target {
        folder: folder("src").join(name),
        options,
    };
    Project {
        lexicons: folder("lexicons").join(name),
        externals,
        targets: vec![target],
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
