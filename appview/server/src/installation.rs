//! An installation that is there: for commands beside `serve`, which makes one.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use huddle_core::Limits;
use huddle_native::{ActorStore, Database, SystemClock};

use crate::config::DataFolder;

/// The file that whoever serves an installation holds a lock on. There is nothing in it, and it stays.
pub(crate) const LOCK: &str = "serve.lock";

/// The right to serve the installation in this folder, as long as the file is open. One has it at a time, and however they
/// end, the system takes it back.
pub(crate) fn claim(folder: &Path) -> Result<File> {
    let path = folder.join(LOCK);
    let mut options = OpenOptions::new();
    let file = options
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| {
            format!(
                "{} cannot be opened: its disk must not be read-only, and this user must be allowed to write there",
                path.display()
            )
        })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "another `huddle serve` is at work on {}: end that first, or name another folder with --data",
            folder.display()
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("{} cannot be locked", path.display()))
        }
    }
}

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
