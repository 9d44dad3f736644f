//! An installation that is there: for commands beside `serve`, which makes one.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use huddle_core::Limits;
use huddle_native::{ActorStore, Database, SystemClock};

use crate::config::DataFolder;

/// A folder with the databases of an installation.
#[derive(Debug)]
pub(crate) struct Installation<'a>(&'a Path);

impl<'a> Installation<'a> {
    /// The installation of that folder; none is made.
    pub(crate) fn find(data: &'a DataFolder) -> Result<Self> {
        let folder = data.path();
        for database in Database::ALL {
            ensure!(
                database.path(folder).is_file(),
                "there is no {} in {}: name the folder of the installation with --data",
                database.file_name(),
                folder.display()
            );
        }
        Ok(Self(folder))
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0
    }

    /// Its actors. `limits` matter only where a command changes something that they bound.
    pub(crate) fn actors(&self, limits: Limits) -> Result<ActorStore> {
        let path = Database::Actors.path(self.0);
        Ok(ActorStore::open_existing(
            &path,
            Arc::new(SystemClock),
            limits,
        )?)
    }
}
