//! `huddle backup`

use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use huddle_native::{Condition, Database};
use serde::Serialize;

use crate::calendars;
use crate::config::DataFolder;
use crate::installation::{self, Installation};
use crate::output::Output;

/// Copy the installation while it is at work.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Folder to make, which must not be there yet.
    to: PathBuf,

    #[command(flatten)]
    data: DataFolder,

    #[command(flatten)]
    output: Output,
}

pub(crate) const HELP: &str = "\
It copies the databases, each as of one moment, and the secrets beside them: keep the copy as you keep the original.
The copy is read whole before it gets its name, so that a folder of that name is a copy that is intact.
Never serve a copy while the original is there: it has the original's keys and tasks, so it would send letters twice, and
take out of people's calendars what it does not know to stand.

Examples:
  huddle backup /backups/$(date +%F)
      copies what `huddle serve` is at work on
  huddle doctor --data /backups/2026-06-01
      looks whether all is well in a copy";

/// What was copied.
#[derive(Serialize)]
struct Copied {
    to: PathBuf,
    databases: Vec<Counted>,
    files: Vec<String>,
    lost_keys: Vec<String>,
}

#[derive(Serialize)]
struct Counted {
    database: &'static str,
    bytes: u64,
    rows: serde_json::Map<String, serde_json::Value>,
}

impl Options {
    pub(crate) fn run(self) -> Result<()> {
        let installation = Installation::find(&self.data)?;
        let to = &self.to;
        ensure!(
            !to.try_exists()?,
            "{} is there already, and nothing is written over: name another folder",
            to.display()
        );
        let beside = beside(to)?;
        let copied = copy(installation.folder(), &beside).and_then(|copied| {
            fs::rename(&beside, to).with_context(|| format!("cannot make {}", to.display()))?;
            sync_folder(to.parent())?;
            Ok(copied)
        });
        if copied.is_err() {
            // What is left of it is of no use, and what went wrong is told already.
            let _ = fs::remove_dir_all(&beside);
        }
        self.output.print(&Copied {
            to: to.clone(),
            ..copied?
        })
    }
}

/// Where the copy is made until it is whole.
fn beside(to: &Path) -> Result<PathBuf> {
    let name = to.file_name().context("the folder to make has no name")?;
    let mut name = name.to_owned();
    name.push(format!(".{}.part", std::process::id()));
    Ok(to.with_file_name(name))
}

fn copy(from: &Path, to: &Path) -> Result<Copied> {
    DirBuilder::new()
        .mode(0o700)
        .create(to)
        .with_context(|| format!("cannot make {}", to.display()))?;
    let databases = Database::back_up(from, to)?;
    // Secrets last: each is there before the first row that needs it, and keys are put in front of those that were there.
    let files = copy_files(from, to).context("cannot copy what is beside the databases")?;
    let lost_keys = lost_keys(from, to)?;
    sync_folder(Some(to))?;
    Ok(Copied {
        to: to.to_owned(),
        databases: databases.into_iter().map(Counted::from).collect(),
        files,
        lost_keys,
    })
}

/// The keys that are missing in a copy, where the original has not got them either.
fn lost_keys(from: &Path, to: &Path) -> Result<Vec<String>> {
    let lost = calendars::lost_keys(to)?;
    let lost_before = calendars::lost_keys(from)?;
    ensure!(
        lost.iter().all(|key| lost_before.contains(key)),
        "keys were taken out of {} meanwhile that seal what was copied: run it once more",
        calendars::KEYS
    );
    Ok(lost)
}

/// Copies every file that is no part of a database and no lock, with its permissions.
fn copy_files(from: &Path, to: &Path) -> io::Result<Vec<String>> {
    let mut copied = Vec::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let is_database = Database::ALL
            .iter()
            .any(|database| name.starts_with(database.file_name()));
        // A secret that is being made has this name until it is whole.
        let is_being_made = Path::new(&name).extension().is_some_and(|it| it == "new");
        let is_lock = name == installation::LOCK;
        if is_database || is_being_made || is_lock || !entry.file_type()?.is_file() {
            continue;
        }
        fs::copy(entry.path(), to.join(&name))?;
        File::open(to.join(&name))?.sync_all()?;
        copied.push(name);
    }
    copied.sort();
    Ok(copied)
}

fn sync_folder(folder: Option<&Path>) -> io::Result<()> {
    let folder = folder.filter(|it| !it.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

impl From<(Database, Condition)> for Counted {
    fn from((database, condition): (Database, Condition)) -> Self {
        let rows = condition.counts.into_iter();
        Self {
            database: database.file_name(),
            bytes: condition.bytes,
            rows: rows
                .map(|(name, count)| (name.to_owned(), count.into()))
                .collect(),
        }
    }
}

impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "copied to {}, and read back whole", self.to.display())?;
        for Counted {
            database,
            bytes,
            rows,
        } in &self.databases
        {
            let rows: Vec<_> = rows.iter().map(|(name, n)| format!("{n} {name}")).collect();
            writeln!(f, "{database}: {bytes} bytes, {}", rows.join(", "))?;
        }
        write!(f, "beside them: {}", self.files.join(", "))?;
        if !self.lost_keys.is_empty() {
            let lost = self.lost_keys.join(", ");
            write!(
                f,
                "\nnothing opens what is sealed with {lost}, there as here: `huddle doctor` says what to do"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use huddle_core::Limits;
    use huddle_native::{ActorStore, SystemClock};
    use rusqlite::Connection;
    use tempfile::TempDir;

    use super::*;

    /// A folder in which an address is sealed with one key and another is at hand, as their ids.
    fn folder([sealed_with, at_hand]: [&str; 2]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = Database::Actors.path(folder.path());
        ActorStore::open(&path, Arc::new(SystemClock), Limits::default()).unwrap();
        let address = "INSERT INTO address (actor, sealed, confirmed, expires) VALUES ('a', ?1 || '.AAAA', 1, 0)";
        let actors = Connection::open(&path).unwrap();
        actors.execute(address, [sealed_with]).unwrap();
        fs::write(
            folder.path().join(calendars::KEYS),
            format!("{at_hand}:00\n"),
        )
        .unwrap();
        folder
    }

    #[track_caller]
    fn check(original: [&str; 2], copy: [&str; 2], expect: Option<&[&str]>) {
        let (from, to) = (folder(original), folder(copy));
        let lost = lost_keys(from.path(), to.path()).ok();
        let owned = |keys: &[&str]| keys.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let expect = expect.map(owned);
        assert_eq!(lost, expect, "{original:?} {copy:?}");
    }

    #[test]
    fn a_copy_has_every_key_that_it_needs_but_those_that_were_lost_before() {
        check(["1", "1"], ["1", "1"], Some(&[]));
        check(["1", "2"], ["1", "2"], Some(&["1"]));
        // What was sealed with it was sealed anew, and it was taken away, in between.
        check(["2", "2"], ["1", "2"], None);
    }
}
