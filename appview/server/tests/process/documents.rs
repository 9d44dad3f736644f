//! What the documents say is there.

use std::fs;

use huddle_testdata::workspace_root;
use serde_json::{Value, json};

use crate::program::{Done, run};

fn page(name: &str) -> String {
    fs::read_to_string(workspace_root().join(name)).unwrap()
}

/// The rows of the tables of attacks.
fn attacks(page: &str) -> Vec<&str> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    rows.filter(|row| !row.starts_with("| attack |") && !row.starts_with("| --- |"))
        .collect()
}

/// The pairs of a file and the tests in it that a row ends with: `` `file`: `test`, `test` ``.
fn shown_by(row: &str) -> Vec<(&str, Vec<&str>)> {
    let cell = row.trim_end_matches([' ', '|']).rsplit(" | ").next();
    let groups = cell.unwrap_or_default().split(';');
    let pairs = groups.filter_map(|group| group.trim().split_once("`: `"));
    pairs
        .map(|(file, tests)| {
            let tests = tests.trim_end_matches('`').split("`, `");
            (file.trim_start_matches('`'), tests.collect())
        })
        .collect()
}

/// The blocks of code in this language, each as its lines.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<Vec<&'p str>> {
    let fence = format!("```{language}");
    let mut lines = page.lines();
    let mut blocks = Vec::new();
    while lines.by_ref().any(|line| line == fence) {
        let block = lines.by_ref().take_while(|line| *line != "```");
        blocks.push(block.collect());
    }
    blocks
}

/// What stands between backticks outside of blocks.
fn spans(page: &str) -> Vec<&str> {
    let mut is_block = false;
    let prose = page.lines().filter(|line| {
        let is_fence = line.starts_with("```");
        is_block ^= is_fence;
        !is_block && !is_fence
    });
    prose
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .collect()
}

/// What a page has people type after `huddle`, with something for each of its placeholders.
fn commands(page: &str) -> Vec<Vec<String>> {
    let lines = blocks(page, "sh").into_iter().flatten();
    let typed = lines.chain(spans(page)).filter_map(|text| {
        let words = text.strip_prefix("huddle ");
        words.or_else(|| text.strip_prefix("cargo run --release -- "))
    });
    let words = typed.map(|text| text.split(" #").next().unwrap_or_default());
    let word = |word: &str| match word {
        "DID" => "did:web:ada.example.com".to_owned(),
        "ID" => "3hq7n2k5x4d6m7p2r5t7".to_owned(),
        word => word.to_owned(),
    };
    words
        .map(|text| text.replace("$(date +%F)", "2026-12-01"))
        .map(|text| text.split_whitespace().map(word).collect())
        .collect()
}

#[test]
fn of_every_attack_the_threat_model_names_a_test_that_is_there() {
    let root = workspace_root();
    let page = page("docs/threat-model.md");
    let attacks = attacks(&page);
    assert!(attacks.len() > 60, "{attacks:?}");
    let mut missing = Vec::new();
    for row in attacks {
        let shown_by = shown_by(row);
        if shown_by.is_empty() {
            missing.push(format!("no test: {row}"));
        }
        for (file, tests) in shown_by {
            let text = fs::read_to_string(root.join(file)).unwrap_or_default();
            for test in tests {
                let is_there = text.contains(&format!("fn {test}("))
                    || text.contains(&format!("test('{test}'"));
                if !is_there {
                    missing.push(format!("{file}: {test}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_command_that_the_documents_show_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    for name in ["README.md", "docs/operate.md"] {
        let page = page(name);
        for mut words in commands(&page).into_iter().filter(|it| *it != ["help"]) {
            // It is read as far as that, and its help is printed.
            words.push("--help".to_owned());
            let done = run(folder.path(), &words);
            assert_eq!(done.code, Some(0), "{name}: {words:?}: {done:?}");
            count += 1;
        }
    }
    assert!(count > 15, "{count}");
}

#[test]
fn every_flag_and_variable_that_the_guide_names_is_a_setting() {
    let folder = tempfile::tempdir().unwrap();
    let settings = run(folder.path(), ["serve", "--help"]).text();
    let page = page("docs/operate.md");
    let is_command = |span: &&str| span.starts_with("huddle ") || span.starts_with("cargo ");
    let words = spans(&page).into_iter().filter(|it| !is_command(it));
    let words = words.flat_map(|span| span.split([' ', '=']));
    let is_setting = |word: &&str| word.starts_with("--") || word.starts_with("HUDDLE_");
    let named: Vec<_> = words.filter(is_setting).collect();
    assert!(named.len() > 4, "{named:?}");
    for word in named {
        assert!(settings.contains(word), "{word}");
    }
}

#[test]
fn the_settings_that_the_documents_show_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let guide = page("docs/operate.md");
    let [shown] = blocks(&guide, "toml").try_into().unwrap();
    let doctor = |settings: &str| -> Done {
        fs::write(folder.path().join("huddle.toml"), settings).unwrap();
        let arguments = ["doctor", "--json", "--development"];
        // Nothing is looked at that this machine may have where the guide says.
        let here = [
            "--data",
            "huddle-data",
            "--operator-token-file",
            "operator-token",
        ];
        // Nobody is reached over the network here.
        let nobody = "http://127.0.0.1:1";
        let nobody = [
            "--plc",
            nobody,
            "--graph",
            nobody,
            "--firehose",
            "ws://127.0.0.1:1",
        ];
        run(folder.path(), [&arguments[..], &here, &nobody].concat())
    };
    let done = doctor(&shown.join("\n"));
    let report: Value = serde_json::from_str(&done.printed).expect("it reads the settings");
    let limits = report["limits"].as_array().unwrap();
    let hold = limits.iter().find(|limit| limit["name"] == "hold_secs");
    assert_eq!(hold.unwrap()["value"], json!(600));
    let wrong = shown.join("\n").replace("public_url", "public_ur");
    doctor(&wrong).fails(2, "public_ur is no setting");
}

#[test]
fn what_is_typed_finds_what_the_unit_serves() {
    let unit = page("packaging/huddle.service");
    let line = |key: &str| {
        unit.lines()
            .find_map(|line| line.strip_prefix(key))
            .unwrap()
    };
    let guide = page("docs/operate.md");
    let [shown] = blocks(&guide, "toml").try_into().unwrap();
    let settings: toml::Table = shown.join("\n").parse().unwrap();
    // systemd.unit(5): what `%S` is, for a service of the system.
    let folder = format!("/var/lib/{}", line("StateDirectory="));
    assert_eq!(
        line("Environment=HUDDLE_DATA=").replace("%S", "/var/lib"),
        folder
    );
    assert_eq!(settings["data"].as_str(), Some(&*folder));
    let token = line("LoadCredential=operator-token:");
    assert_eq!(settings["operator_token_file"].as_str(), Some(token));
    let file = line("Environment=HUDDLE_CONFIG=");
    for path in [file, token] {
        assert!(
            blocks(&guide, "sh").concat().join("\n").contains(path),
            "{path}"
        );
    }
}
