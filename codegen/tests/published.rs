//! The published lexicons, and the cases of the interop suite, go through.

use huddle_codegen::load;
use huddle_codegen::resolve::{Externals, resolve};
use huddle_testdata::shared;

#[test]
fn the_published_lexicons_load_and_resolve() {
    let Some(folder) = shared("conformance/lexicons") else {
        return;
    };
    let catalog = load::load(&folder).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(catalog.len(), 402);
    let externals = Externals::default();
    let resolution = resolve(&catalog, &[], &externals).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(resolution.documents().count(), 402);
}
