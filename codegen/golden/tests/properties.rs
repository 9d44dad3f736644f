//! Every type of every case: valid values survive a rewrite, broken ones are refused for what is broken.

#[path = "../cases.rs"]
mod cases;

use huddle_codegen::load::load;
use huddle_codegen::proof::prove;
use huddle_codegen_golden as golden;
use huddle_syntax::schema::Definition;

/// SplitMix64: evenly spread, and the same from the same seed.
fn numbers(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

macro_rules! definitions {
    ($($case:ident)+) => {
        [$((stringify!($case), golden::$case::registry::DEFINITIONS)),+]
    };
}

const DEFINITIONS: &[(&str, &[Definition])] = &definitions!(
    aliases arrays blobs bodies bytes case_collisions closed_enum constants defaults deprecated
    descriptions empty external_types externals formats import_names inline_objects integers keywords
    known_values main_types many_fields modules nested_arrays nullable odd_names own_names
    permission_set prefixes procedure query record record_keys recursion role_names std_names strings
    subscription union_members unions unknown_fields
);

#[test]
fn every_type_agrees_with_its_lexicon() {
    let names: Vec<_> = DEFINITIONS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, cases::names());
    for (name, definitions) in DEFINITIONS {
        let catalog = load(&cases::project(name).lexicons).expect("the case has lexicons");
        let mut mutations = 0;
        for definition in *definitions {
            let tally = prove(&catalog, definition, 40, numbers(7))
                .unwrap_or_else(|disagreement| panic!("{name}: {disagreement}"));
            mutations += tally.mutations;
        }
        println!("{name}: {} types, {mutations} mutations", definitions.len());
    }
}
