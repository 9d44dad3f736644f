//! Lexicons that are in use go through, and ours as they should be.

use huddle_codegen::diagnostic::Severity;
use huddle_codegen::lint::lint;
use huddle_codegen::load;
use huddle_codegen::resolve::{Externals, resolve};
use huddle_testdata::{shared, workspace_root};

#[test]
fn the_published_lexicons_load_and_resolve() {
    let Some(folder) = shared("conformance/lexicons") else {
        return;
    };
    let catalog = load::load(&folder).unwrap_or_else(|error| panic!("{error}"));
    let externals = Externals::default();
    let resolution = resolve(&catalog, &[], &externals).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(resolution.documents().count(), catalog.len());
    assert!(catalog.len() > 300, "only {} lexicons", catalog.len());
}

#[test]
fn our_lexicons_break_no_rule_and_those_of_others_none_that_matters() {
    let folder = workspace_root().join("lexicons");
    let loaded = load::read(&folder).unwrap_or_else(|error| panic!("{error}"));
    let mut found = lint(&loaded, &Externals::default());
    found.retain(|diagnostic| {
        let ours = diagnostic.file.starts_with(folder.join("com/huddle"));
        ours || diagnostic.rule.severity() == Severity::Error
    });
    assert_eq!(found, []);
}
