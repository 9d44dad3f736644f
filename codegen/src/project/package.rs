//! The `Cargo.toml` of a crate of generated types: written where there is none, and from then on its
//! owner's.

use super::{Project, ProjectError};
use crate::emit::{Output, crate_of, is_package_name};
use crate::output;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::str::FromStr;
use toml::{Table, Value};

/// The crate of the runtime, which has the version of its generator.
const RUNTIME: (&str, &str) = ("huddle-syntax", env!("CARGO_PKG_VERSION"));

/// The keys of a dependency that say where it comes from.
const SOURCES: [&str; 4] = ["version", "path", "git", "workspace"];

/// A dependency as a `Cargo.toml` has it: a name, and a version or a table.
///
/// It is read from `NAME=VERSION` or `NAME={TABLE}`, e.g. `huddle-syntax={ path = "../syntax" }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependency {
    name: String,
    spec: Value,
}

/// A text that is no dependency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}; write it as NAME=VERSION or NAME={{TABLE}}, e.g. huddle-syntax={{path=\"../syntax\"}}"
)]
pub struct DependencyError(String);

impl FromStr for Dependency {
    type Err = DependencyError;

    fn from_str(text: &str) -> Result<Self, DependencyError> {
        let wrong = |what: &str| DependencyError(what.to_owned());
        let (name, spec) = text
            .split_once('=')
            .ok_or_else(|| wrong("there is no `=`"))?;
        let (name, spec) = (name.trim(), spec.trim());
        if !is_package_name(name) {
            return Err(DependencyError(format!("{name:?} is no name of a package")));
        }
        let spec = if spec.starts_with(['{', '"', '\'']) {
            let value = spec.parse::<Value>();
            value.map_err(|error| DependencyError(error.message().to_owned()))?
        } else {
            Value::String(spec.to_owned())
        };
        let complete = match &spec {
            Value::String(version) => is_version(version),
            Value::Table(table) => SOURCES.iter().any(|key| table.contains_key(*key)),
            _ => false,
        };
        if !complete {
            return Err(wrong("it does not say where the package comes from"));
        }
        Ok(Self {
            name: name.to_owned(),
            spec,
        })
    }
}

/// Whether this can be a requirement of versions; Cargo knows better which are some.
fn is_version(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit() || c == '*')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b" .*+-<>=^~,".contains(&b))
}

/// A `Cargo.toml` that is not there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewManifest {
    /// Where it goes.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

impl NewManifest {
    /// Writes it, unless somebody has done so in the meantime.
    pub fn write(&self) -> Result<(), ProjectError> {
        Ok(output::create(&self.path, &self.text)?)
    }
}

impl Project {
    /// A `Cargo.toml` for each crate that has none, with these dependencies and the runtime's version.
    pub fn new_manifests(
        &self,
        dependencies: &[Dependency],
    ) -> Result<Vec<NewManifest>, ProjectError> {
        let mut manifests = Vec::new();
        for target in &self.targets {
            let Output::Crate { name } = &target.options.output else {
                continue;
            };
            let path = target.folder.join("Cargo.toml");
            // A link that leads nowhere is in the way as well.
            if path.symlink_metadata().is_err() {
                let crates = target.options.rust_paths().filter_map(crate_of);
                let text = manifest(name, crates, dependencies)?;
                manifests.push(NewManifest { path, text });
            }
        }
        Ok(manifests)
    }
}

/// The `Cargo.toml` of a crate whose code names these crates.
fn manifest<'a>(
    name: &str,
    crates: impl Iterator<Item = &'a str>,
    given: &[Dependency],
) -> Result<String, ProjectError> {
    let mut dependencies = Table::new();
    for Dependency { name, spec } in given {
        dependencies.insert(name.clone(), spec.clone());
    }
    for needed in crates {
        let found = dependencies
            .keys()
            .any(|name| name.replace('-', "_") == needed);
        if !found && needed == RUNTIME.0.replace('-', "_") {
            dependencies.insert(RUNTIME.0.to_owned(), RUNTIME.1.into());
        } else if !found {
            return Err(ProjectError::NoDependency(needed.to_owned()));
        }
    }
    let mut text = format!(
        "# huddle-codegen wrote this to start from, and leaves it alone from now on.\n\
         [package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n"
    );
    for (name, spec) in &dependencies {
        // A value is written on one line, as a table of its own would not be.
        let _ = writeln!(text, "{name} = {spec}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNTIME_LINE: &str = concat!("huddle-syntax = \"", env!("CARGO_PKG_VERSION"), "\"\n");

    #[track_caller]
    fn check(given: &[&str], expect: &str) {
        let given: Vec<Dependency> = given
            .iter()
            .map(|text| text.parse().unwrap_or_else(|error| panic!("{error}")))
            .collect();
        let text = manifest("a", ["huddle_syntax", "other_types"].into_iter(), &given);
        let text = text.unwrap_or_else(|error| panic!("{error}"));
        let (_, found) = text.split_once("[dependencies]\n").unwrap();
        assert_eq!(found, expect);
        toml::from_str::<Table>(&text).unwrap();
    }

    #[test]
    fn dependencies_are_those_given_and_the_runtime_of_the_generators_version() {
        check(
            &["other-types=1.2"],
            &format!("{RUNTIME_LINE}other-types = \"1.2\"\n"),
        );
        check(
            &[
                "huddle-syntax = { path = '../s', version = \"1\" }",
                "other_types={workspace=true}",
            ],
            "huddle-syntax = { path = \"../s\", version = \"1\" }\nother_types = { workspace = true }\n",
        );
        check(
            &[
                "more=\">=1, <3\"",
                "other-types={git=\"https://a.example/b\"}",
            ],
            &format!(
                "{RUNTIME_LINE}more = \">=1, <3\"\n\
                 other-types = {{ git = \"https://a.example/b\" }}\n"
            ),
        );
    }

    #[test]
    fn a_crate_that_nobody_says_where_to_get_is_an_error() {
        let error = manifest("a", ["other_types"].into_iter(), &[]).unwrap_err();
        assert!(
            error.to_string().contains("--dependency other_types="),
            "{error}"
        );
    }

    #[test]
    fn a_dependency_says_where_it_comes_from() {
        for text in [
            "",
            "a",
            "=1",
            "1a=1",
            "a b=1",
            "a=",
            "a=x",
            "a={}",
            "a={features=[]}",
            "a={path=1",
            "a=\"1\nb=2\"",
            "a=1\nb=2",
            "a=\"\"",
        ] {
            let error = text.parse::<Dependency>().unwrap_err().to_string();
            assert!(
                error.contains("write it as NAME=VERSION"),
                "{text:?}: {error}"
            );
        }
    }
}
