//! Inputs that a fuzz target once failed on pass now, on the compiler that everybody has; so do its seeds and
//! a few mutations of them, always the same ones.

use huddle_fuzz::mutate::Random;
use huddle_fuzz::{TARGETS, Target};
use huddle_testdata::workspace_root;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How many mutations of seeds are tried.
const MUTATIONS: usize = 400;

/// How often a mutation is mutated again.
const GENERATIONS: usize = 4;

fn target(name: &str) -> Target {
    let target = TARGETS.iter().find(|target| target.name == name);
    *target.unwrap_or_else(|| panic!("there is no target {name}"))
}

/// Runs a target; what it fails on is printed.
#[track_caller]
fn check(target: Target, input: &[u8]) {
    let result = catch_unwind(AssertUnwindSafe(|| (target.check)(input)));
    assert!(
        result.is_ok(),
        "{} fails on {}",
        target.name,
        input.escape_ascii()
    );
}

#[track_caller]
fn check_seeds(name: &str) {
    let target = target(name);
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{name} has no seeds");
    for seed in &seeds {
        check(target, seed);
    }
    let mut random = Random::new(0);
    let mut mutated = 0;
    while mutated < MUTATIONS {
        let mut input = random.pick(&seeds).expect("there are seeds").clone();
        for _ in 0..GENERATIONS {
            if let Some(mutation) = (target.mutate)(&input, &mut random) {
                check(target, &mutation);
                input = mutation;
            }
            mutated += 1;
        }
    }
}

#[test]
fn seeds_of_availability_pass() {
    check_seeds("availability");
}

#[test]
fn seeds_of_calendar_server_pass() {
    check_seeds("calendar_server");
}

#[test]
fn seeds_of_data_cbor_pass() {
    check_seeds("data_cbor");
}

#[test]
fn seeds_of_data_json_pass() {
    check_seeds("data_json");
}

#[test]
fn seeds_of_firehose_car_pass() {
    check_seeds("firehose_car");
}

#[test]
fn seeds_of_firehose_frame_pass() {
    check_seeds("firehose_frame");
}

#[test]
fn seeds_of_firehose_ingest_pass() {
    check_seeds("firehose_ingest");
}

#[test]
fn seeds_of_firehose_jetstream_pass() {
    check_seeds("firehose_jetstream");
}

#[test]
fn seeds_of_firehose_mst_pass() {
    check_seeds("firehose_mst");
}

#[test]
fn seeds_of_icalendar_pass() {
    check_seeds("icalendar");
}

#[test]
fn seeds_of_identifiers_pass() {
    check_seeds("identifiers");
}

#[test]
fn seeds_of_lexicon_pass() {
    check_seeds("lexicon");
}

#[test]
fn seeds_of_records_pass() {
    check_seeds("records");
}

#[test]
fn seeds_of_recurrence_pass() {
    check_seeds("recurrence");
}

#[test]
fn seeds_of_service_auth_pass() {
    check_seeds("service_auth");
}

#[test]
fn what_fuzzing_found_stays_fixed() {
    let regressions = workspace_root().join("fuzz/regressions");
    let Ok(folders) = regressions.read_dir() else {
        return;
    };
    for folder in folders {
        let folder = folder
            .expect("a folder of the repository can be read")
            .path();
        let name = folder
            .file_name()
            .expect("an entry has a name")
            .to_string_lossy();
        let target = target(&name);
        for input in folder
            .read_dir()
            .expect("findings lie in a folder for their target")
        {
            let path = input
                .expect("a folder of the repository can be read")
                .path();
            check(
                target,
                &std::fs::read(&path).expect("a finding can be read"),
            );
        }
    }
}

/// Cargo knows targets by its manifest, the tests above by a list.
#[test]
fn every_fuzz_target_is_listed() {
    let manifest = std::fs::read_to_string(workspace_root().join("fuzz/Cargo.toml"))
        .expect("the manifest can be read");
    let bin = |line: &str| {
        Some(
            line.strip_prefix("path = \"fuzz_targets/")?
                .strip_suffix(".rs\"")?
                .to_owned(),
        )
    };
    let in_manifest: Vec<String> = manifest.lines().filter_map(bin).collect();
    let listed: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(listed, in_manifest);
}
