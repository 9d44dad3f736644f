//! `huddle import`: what another application has published, or what an AppView has kept of a person.

mod archive;
mod availability;

use std::fs::File;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::config::DataFolder;
use crate::output::{Output, line};
use archive::Archive;

/// Take over what another application has published, or the archive of a person.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// File with a `social.schedule.availability` record, in JSON, or what `com.huddle.exportData` answered; `-` is the
    /// standard input.
    file: PathBuf,

    #[command(flatten)]
    data: DataFolder,

    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,

    /// Of an archive: put it in the place of the preferences that the person has here already.
    #[arg(long)]
    replace: bool,

    #[command(flatten)]
    output: Output,
}

pub(crate) const HELP: &str = "\
An archive is what com.huddle.exportData gives a person, of this AppView or another. Their preferences are taken over into
the installation; an address has to be confirmed again, calendars have to be connected again, and bookings stay where
they were made. Nothing is taken over unless the archive is whole.

A record of the collection social.schedule.availability, as com.atproto.repo.getRecord answers it, is another application's.
As records are their owner's to write, what says the same here is printed: a com.huddle.officeHours record, to be written
to the same repository, and preferences for com.huddle.putPreferences. `left_out` counts the time slots of which nothing
could be made.

Examples:
  huddle import --dry-run ada.jsonl
      says what would be taken over
  huddle import availability.json
      prints `officeHours`, which is the record, `preferences` and `left_out`";

/// The most bytes of a file: an archive has some kilobytes for each booking.
const MAX_BYTES: u64 = 64 << 20;

impl Options {
    pub(crate) async fn run(self) -> Result<()> {
        let text = read(&self.file)?;
        let Some(archive) = Archive::read(&text).transpose() else {
            let imported = availability::import(&text);
            let imported =
                imported.with_context(|| format!("{} cannot be imported", self.file.display()))?;
            return line(serde_json::to_string_pretty(&imported)?);
        };
        let archive =
            archive.with_context(|| format!("{} cannot be imported", self.file.display()))?;
        let imported = if self.dry_run {
            archive.would_import(&self.data, self.replace).await?
        } else {
            archive.import(&self.data, self.replace).await?
        };
        self.output.print(&imported)
    }
}

fn read(path: &Path) -> Result<String> {
    let open = || -> Result<Box<dyn Read>> {
        if path.as_os_str() == "-" {
            return Ok(Box::new(stdin()));
        }
        Ok(Box::new(File::open(path)?))
    };
    let read = || -> Result<String> {
        let mut text = String::new();
        open()?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
        ensure!(
            text.len() as u64 <= MAX_BYTES,
            "it has more than {MAX_BYTES} bytes"
        );
        Ok(text)
    };
    read().with_context(|| format!("cannot read {}", path.display()))
}
