//! What a `Cargo.toml` says of the generator.

use super::{Project, ProjectError, Target};
use crate::emit::{Options, Output};
use crate::model::{NsidPattern, PatternError};
use crate::resolve::{External, Externals};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The project that a `Cargo.toml` describes, if it describes one.
pub(super) fn read(path: &Path) -> Result<Option<Project>, ProjectError> {
    let text = fs::read_to_string(path).map_err(|source| ProjectError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let senseless = |message: String| ProjectError::Manifest {
        path: path.to_owned(),
        message,
    };
    let manifest: Manifest = toml::from_str(&text).map_err(|error| senseless(error.to_string()))?;
    let Some(settings) = manifest.settings() else {
        return Ok(None);
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    settings
        .project(folder)
        .map(Some)
        .map_err(|error| senseless(error.to_string()))
}

/// The part of a `Cargo.toml` that concerns the generator.
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    workspace: Section,
    #[serde(default)]
    package: Section,
}

#[derive(Default, Deserialize)]
struct Section {
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(rename = "huddle-codegen")]
    settings: Option<Settings>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    lexicons: PathBuf,
    types: Option<TypesSettings>,
    handlers: Option<HandlersSettings>,
    #[serde(default)]
    externals: BTreeMap<String, String>,
    runtime: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TypesSettings {
    out: PathBuf,
    #[serde(default)]
    nsids: Vec<String>,
    crate_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HandlersSettings {
    out: PathBuf,
    #[serde(default)]
    nsids: Vec<String>,
    types: String,
}

impl Manifest {
    fn settings(self) -> Option<Settings> {
        self.package
            .metadata
            .settings
            .or(self.workspace.metadata.settings)
    }
}

impl Settings {
    fn project(self, folder: &Path) -> Result<Project, PatternError> {
        let externals = self.externals.into_iter().map(|(lexicons, rust_path)| {
            Ok(External {
                lexicons: lexicons.parse()?,
                rust_path,
            })
        });
        let externals = Externals::new(externals.collect::<Result<Vec<_>, PatternError>>()?);
        let target = |out: &Path, output, nsids: &[String]| {
            let options = Options {
                output,
                selection: patterns(nsids)?,
                externals: externals.clone(),
                runtime: self.runtime.clone(),
            };
            let folder = folder.join(out);
            Ok(Target { folder, options })
        };
        let types = self.types.map(|types| {
            let output = types
                .crate_name
                .map_or(Output::Module, |name| Output::Crate { name });
            target(&types.out, output, &types.nsids)
        });
        let handlers = self.handlers.map(|handlers| {
            let output = Output::Handlers {
                types: handlers.types,
            };
            target(&handlers.out, output, &handlers.nsids)
        });
        let targets = types.into_iter().chain(handlers);
        Ok(Project {
            lexicons: folder.join(self.lexicons),
            targets: targets.collect::<Result<_, PatternError>>()?,
            externals,
        })
    }
}

fn patterns(texts: &[String]) -> Result<Vec<NsidPattern>, PatternError> {
    texts.iter().map(|text| text.parse()).collect()
}
