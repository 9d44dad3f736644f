//! What the documents say is there.

use std::fs;

use huddle_testdata::workspace_root;

/// The pairs of a file and the tests in it: `` `file`: `test`, `test` ``.
fn named(page: &str) -> Vec<(&str, Vec<&str>)> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let cells = rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next());
    let groups = cells.flat_map(|cell| cell.split(';'));
    let pairs = groups.filter_map(|group| group.trim().split_once(": "));
    let bare = |text: &str| text.trim().len() - 1;
    pairs
        .map(|(file, tests)| {
            let tests = tests
                .split("`, `")
                .map(|test| test.trim().trim_matches('`'));
            (&file.trim()[1..bare(file)], tests.collect())
        })
        .collect()
}

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let root = workspace_root();
    let page = fs::read_to_string(root.join("docs/threat-model.md")).unwrap();
    let named = named(&page);
    assert!(named.len() > 40, "{named:?}");
    let mut missing = Vec::new();
    for (file, tests) in named {
        let text = fs::read_to_string(root.join(file)).unwrap_or_default();
        for test in tests {
            let is_there =
                text.contains(&format!("fn {test}(")) || text.contains(&format!("test('{test}'"));
            if !is_there {
                missing.push(format!("{file}: {test}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
