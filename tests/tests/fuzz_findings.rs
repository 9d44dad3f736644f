//! Inputs that a fuzz target once failed on pass now, on the compiler that everybody has.

use huddle_testdata::workspace_root;

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
        let target = huddle_fuzz::TARGETS
            .iter()
            .find(|(target, _)| *target == name);
        let (_, run) = target.unwrap_or_else(|| panic!("{} is of no target", folder.display()));
        for input in folder
            .read_dir()
            .expect("findings lie in a folder for their target")
        {
            let path = input
                .expect("a folder of the repository can be read")
                .path();
            let input = std::fs::read(&path).expect("a finding can be read");
            eprintln!("{}", path.display());
            run(&input);
        }
    }
}

/// Cargo knows targets by its manifest, the test above by a list.
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
    let listed: Vec<&str> = huddle_fuzz::TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, in_manifest);
}
