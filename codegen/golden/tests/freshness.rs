//! The checked-in output is what the generator makes of the lexicons today.

#[path = "../cases.rs"]
mod cases;

use huddle_codegen::output::Comparison;

#[test]
fn every_case_is_fresh() {
    let mut wrong = Vec::new();
    for name in cases::names() {
        let compared = cases::project(&name)
            .compare()
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        for Comparison {
            stale,
            missing,
            orphans,
            ..
        } in compared
        {
            wrong.extend(
                stale
                    .iter()
                    .map(|path| format!("stale: {}", path.display())),
            );
            wrong.extend(
                missing
                    .iter()
                    .map(|path| format!("missing: {}", path.display())),
            );
            wrong.extend(
                orphans
                    .iter()
                    .map(|path| format!("orphan: {}", path.display())),
            );
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\nrun `cargo run -p huddle-codegen --example golden`, and read the difference",
        wrong.join("\n")
    );
}

#[test]
fn every_case_is_compiled() {
    let lib = include_str!("../src/lib.rs");
    for name in cases::names() {
        assert!(
            lib.contains(&format!("\npub mod {name};\n")),
            "src/lib.rs does not name {name}"
        );
    }
    let handlers = include_str!("../src/handlers.rs");
    for name in cases::WITH_HANDLERS {
        assert!(
            handlers.contains(&format!("\npub mod {name};\n")),
            "src/handlers.rs lacks {name}"
        );
    }
}
