//! Every type of every case: valid values survive a rewrite, broken ones are refused for what is broken.

#[path = "../cases.rs"]
mod cases;

use huddle_codegen::load::load;
use huddle_codegen::proof::{paths, prove};
use huddle_codegen::sample::Sampler;
use huddle_syntax::schema::Definition;
use proptest::test_runner::Config as ProptestConfig;
use std::collections::BTreeSet;

/// How many values to try of each type: `PROPTEST_CASES` says whether it is to be many.
fn samples() -> usize {
    let cases = ProptestConfig::default().cases;
    usize::try_from(cases / 20).expect("a few").max(1)
}

#[track_caller]
fn check(name: &str, definitions: &[Definition]) {
    let project = cases::project(name);
    let catalog = load(&project.lexicons).expect("the case has lexicons");
    let generated = catalog
        .documents()
        .filter(|document| project.externals.rust_path(&document.id).is_none());
    let all: Vec<_> = generated
        .flat_map(|document| {
            let paths = paths(document).into_iter();
            paths.map(|path| (document.id.to_string(), path))
        })
        .collect();
    let tried = definitions
        .iter()
        .map(|d| (d.nsid.to_owned(), d.path.to_owned()));
    assert_eq!(tried.collect::<BTreeSet<_>>(), all.into_iter().collect());
    let sampler = Sampler::new(&catalog);
    for definition in definitions {
        prove(&sampler, definition, samples(), 7).unwrap_or_else(|d| panic!("{name}: {d}"));
    }
}

macro_rules! cases {
    ($($case:ident)+) => {
        mod every_type_agrees_with_its_lexicon_in {
            $(
                #[test]
                fn $case() {
                    super::check(stringify!($case), huddle_codegen_golden::$case::registry::DEFINITIONS);
                }
            )+
        }

        const CASES: &[&str] = &[$(stringify!($case)),+];
    };
}

cases!(
    aliases arrays blobs bodies bytes case_collisions closed_enum constants defaults deprecated
    descriptions empty external_types externals formats import_names inline_objects integers keywords
    known_values letters main_types many_fields modules nested_arrays nullable odd_names own_names
    permission_set prefixes procedure query record record_keys recursion role_names std_names strings
    subscription union_members unions unknown_fields
);

#[test]
fn no_case_is_left_out() {
    assert_eq!(CASES, cases::names());
}
