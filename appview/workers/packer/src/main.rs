//! Makes what wrangler deploys out of the compiled Worker: the WebAssembly and its JavaScript bindings,
//! and an entry that exports a class for each Durable Object of `wrangler.toml`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Parser;
use toml::{Table, Value};
use wasm_bindgen_cli_support::Bindgen;

/// What every entry has; the classes follow it.
const SHIM: &str = include_str!("shim.js");

/// Packs a compiled Worker for wrangler.
#[derive(Parser)]
struct Arguments {
    /// What the compiler made: a .wasm file.
    wasm: PathBuf,
    /// Which Durable Objects there are.
    #[arg(long, default_value = "wrangler.toml")]
    config: PathBuf,
    /// The folder to write to.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let config = read(&arguments.config)?;
    let classes = classes(&config.parse().context("the configuration is no TOML")?)?;
    fs::create_dir_all(&arguments.out)?;
    bind(&arguments.wasm, &arguments.out)?;
    fs::write(arguments.out.join("shim.js"), entry(&classes))?;
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// Writes `index_bg.wasm` and `index.js`, which can be started anew after a panic.
fn bind(wasm: &Path, out: &Path) -> anyhow::Result<()> {
    Bindgen::new()
        .input_path(wasm)
        .module(true)?
        .typescript(false)
        .out_name("index")
        .reset_state_function(true)
        .generate(out)?;
    let path = out.join("index.js");
    // wrangler bundles no source phase imports, and takes any import of a .wasm file for one.
    let script = read(&path)?.replace("import source ", "import ");
    fs::write(path, script)?;
    Ok(())
}

/// The classes of its own that a configuration binds, which must be the same in all of its environments.
fn classes(config: &Table) -> anyhow::Result<BTreeSet<String>> {
    let of_all = bound(config)?;
    ensure!(!of_all.is_empty(), "no [[durable_objects.bindings]]");
    let environments = config.get("env").and_then(Value::as_table);
    for (name, environment) in environments.into_iter().flatten() {
        let environment = environment.as_table().context("`env` holds tables")?;
        ensure!(
            bound(environment)? == of_all,
            "[[env.{name}.durable_objects.bindings]] and [[durable_objects.bindings]] differ"
        );
    }
    Ok(of_all)
}

fn bound(section: &Table) -> anyhow::Result<BTreeSet<String>> {
    let bindings = section
        .get("durable_objects")
        .and_then(|objects| objects.get("bindings"))
        .and_then(Value::as_array);
    bindings
        .into_iter()
        .flatten()
        // Those of another script are there.
        .filter(|binding| binding.get("script_name").is_none())
        .map(|binding| {
            let class = binding.get("class_name").and_then(Value::as_str);
            let class = class.context("a binding of a Durable Object has no `class_name`")?;
            Ok(class.to_owned())
        })
        .collect()
}

fn entry(classes: &BTreeSet<String>) -> String {
    let mut entry = SHIM.to_owned();
    for class in classes {
        let _ = write!(entry, "\nexport const {class} = object(\"{class}\");\n");
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(config: &str, expect: Result<&[&str], &str>) {
        let found = classes(&config.parse().unwrap());
        match (found, expect) {
            (Ok(found), Ok(expect)) => assert!(found.iter().eq(expect), "{found:?}"),
            (Err(found), Err(expect)) => assert_eq!(found.to_string(), expect),
            (found, _) => panic!("{found:?}"),
        }
    }

    const TWO: &str = r#"
        [[durable_objects.bindings]]
        name = "B"
        class_name = "Beta"
        [[durable_objects.bindings]]
        name = "A"
        class_name = "Alpha"
    "#;

    #[test]
    fn the_classes_are_those_that_are_bound() {
        check(TWO, Ok(&["Alpha", "Beta"]));
        check("", Err("no [[durable_objects.bindings]]"));
        check(
            "durable_objects.bindings = [{ name = 'A' }]",
            Err("a binding of a Durable Object has no `class_name`"),
        );
    }

    #[test]
    fn a_class_of_another_script_is_none_of_this_one() {
        let other = "[[durable_objects.bindings]]\nclass_name = 'Other'\nscript_name = 'other'\n";
        check(&format!("{TWO}{other}"), Ok(&["Alpha", "Beta"]));
    }

    #[test]
    fn an_environment_that_binds_other_classes_is_refused() {
        let one = "[[env.staging.durable_objects.bindings]]\nclass_name = 'Alpha'\n";
        let other = "[[env.staging.durable_objects.bindings]]\nclass_name = 'Beta'\n";
        check(&format!("{TWO}{one}{other}"), Ok(&["Alpha", "Beta"]));
        check(
            &format!("{TWO}{one}"),
            Err("[[env.staging.durable_objects.bindings]] and [[durable_objects.bindings]] differ"),
        );
    }

    #[test]
    fn the_entry_exports_each_class_and_nothing_else_of_the_code() {
        let entry = entry(&BTreeSet::from(["Alpha".to_owned()]));
        assert!(entry.ends_with("\nexport const Alpha = object(\"Alpha\");\n"));
        assert_eq!(
            entry.matches("export ").count(),
            2,
            "the handlers and Alpha"
        );
    }
}
