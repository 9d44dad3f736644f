//! What an AppView has kept of a person, as `com.huddle.exportData` gives it to them.

use std::fmt;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use data_encoding::HEXLOWER;
use huddle_core::idempotency::Key;
use huddle_core::preferences::{self, Unsupported};
use huddle_core::transport::ask;
use huddle_core::user_connector::{GetPreferences, PutPreferences, PutRefused};
use huddle_core::{ActorName, Limits};
use huddle_lexicon::com::huddle::defs::{ConnectorView, Preferences};
use huddle_lexicon::com::huddle::export_data::{Account, Booking, End, Header};
use huddle_lexicon::schema::{Data, Object};
use huddle_native::OsRandom;
use huddle_ports::Random as _;
use huddle_syntax::Did;
use huddle_syntax::data::{self, Map, Value};
use serde::Serialize;

use crate::config::DataFolder;
use crate::installation::Installation;

/// An archive that is whole.
pub(super) struct Archive {
    person: Did,
    preferences: Preferences,
    left_out: LeftOut,
}

/// What cannot be taken over.
#[derive(Default, Serialize)]
struct LeftOut {
    address: bool,
    calendars: u64,
    bookings: u64,
    /// Names of preferences that ask for what is not done here.
    preferences: Vec<&'static str>,
}

/// What was taken over, or would be.
#[derive(Serialize)]
pub(super) struct Imported {
    dry_run: bool,
    person: Did,
    preferences: serde_json::Value,
    /// Whether the person had others here before.
    replaced: bool,
    left_out: LeftOut,
}

impl Archive {
    /// Reads an archive; `None` of what does not begin as one.
    pub(super) fn read(text: &str) -> Result<Option<Self>> {
        let mut lines = text.lines().enumerate();
        let first = lines.next().map_or("", |(_, line)| line);
        if !kind(first).is_ok_and(|kind| kind == Header::TYPE) {
            return Ok(None);
        }
        let header: Header = Data::from_json(first.as_bytes()).context("line 1")?;
        let (mut account, mut left_out, mut end) = (None, LeftOut::default(), None);
        for (index, line) in lines {
            ensure!(end.is_none(), "it goes on after its end");
            let read = || format!("line {}", index + 1);
            let kind = kind(line).with_context(read)?;
            if kind == Account::TYPE {
                let read: Account = Data::from_json(line.as_bytes()).with_context(read)?;
                left_out.address = read.email.is_some();
                ensure!(
                    account.replace(read).is_none(),
                    "there are two accounts in it"
                );
            } else if kind == ConnectorView::TYPE {
                left_out.calendars += 1;
            } else if kind == Booking::TYPE {
                left_out.bookings += 1;
            } else if kind == End::TYPE {
                let read: End = Data::from_json(line.as_bytes()).with_context(read)?;
                end = Some((read.lines, index));
            }
        }
        let is_whole = end.is_some_and(|(said, found)| i64::try_from(found) == Ok(said));
        ensure!(is_whole, "it was cut off: download it again");
        let account = account.context("there is no account in it")?;
        let mut preferences = account.preferences;
        let wishes = Unsupported::take_from(&mut preferences).into_iter();
        left_out.preferences = wishes.map(Unsupported::field).collect();
        Ok(Some(Self {
            person: header.did,
            preferences,
            left_out,
        }))
    }

    /// Says what would be taken over, and takes nothing.
    pub(super) async fn would_import(self, data: &DataFolder, replace: bool) -> Result<Imported> {
        let actors = Installation::find(data)?.actors(Limits::default())?;
        let document = self.document()?;
        preferences::Preferences::read(&document).context(UNUSABLE)?;
        let known = ask(&actors, &self.actor(), GetPreferences {}).await?;
        if known.revision > 0 && !replace {
            return Err(self.has_others());
        }
        self.imported(true, known.revision > 0)
    }

    /// Takes all of it over, or says what is missing.
    pub(super) async fn import(self, data: &DataFolder, replace: bool) -> Result<Imported> {
        let installation = Installation::find(data)?;
        let actors = installation.actors(Limits::default())?;
        let put = PutPreferences {
            key: fresh_key(&self.person),
            document: self.document()?,
            swap_revision: (!replace).then_some(0),
        };
        let known = match ask(&actors, &self.actor(), put).await? {
            Ok(known) => known,
            Err(PutRefused::Changed) => return Err(self.has_others()),
            Err(PutRefused::Invalid(problem)) => return Err(problem).context(UNUSABLE),
            Err(PutRefused::Mismatch) => bail!("a key that is fresh was used before"),
        };
        self.imported(false, known.revision > 1)
    }

    fn actor(&self) -> ActorName {
        ActorName::user_connector(&self.person)
    }

    fn document(&self) -> Result<String> {
        Ok(String::from_utf8(self.preferences.to_json()?)?)
    }

    fn has_others(&self) -> anyhow::Error {
        anyhow!(
            "{} has preferences here already: --replace puts those of the archive in their place",
            self.person
        )
    }

    fn imported(self, dry_run: bool, replaced: bool) -> Result<Imported> {
        let preferences = serde_json::from_slice(&self.preferences.to_json()?)?;
        Ok(Imported {
            dry_run,
            person: self.person,
            preferences,
            replaced,
            left_out: self.left_out,
        })
    }
}

const UNUSABLE: &str = "nobody could be booked by these preferences";

/// What a line says that it is.
fn kind(line: &str) -> Result<String> {
    let line: Map = data::from_json(line.as_bytes())?;
    match line.get("$type") {
        Some(Value::String(kind)) => Ok(kind.clone()),
        _ => bail!("it has no $type"),
    }
}

/// A request that was never sent before.
fn fresh_key(person: &Did) -> Key {
    let mut bytes = [0; 16];
    OsRandom.fill(&mut bytes);
    Key {
        caller: person.clone(),
        method: "com.huddle.putPreferences".to_owned(),
        key: HEXLOWER.encode(&bytes),
        body_hash: String::new(),
    }
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = match (self.dry_run, self.replaced) {
            (false, false) => "were taken over",
            (false, true) => "were taken over in the place of others",
            (true, false) => "would be taken over",
            (true, true) => "would be taken over in the place of others",
        };
        let Self {
            person,
            preferences,
            ..
        } = self;
        write!(f, "preferences of {person} {done}: {preferences:#}")?;
        let LeftOut {
            address,
            calendars,
            bookings,
            preferences,
        } = &self.left_out;
        if *address {
            write!(f, "\nleft out: an address, which has to be confirmed again")?;
        }
        if *calendars > 0 {
            write!(
                f,
                "\nleft out: {calendars} calendars, which have to be connected again"
            )?;
        }
        if *bookings > 0 {
            write!(
                f,
                "\nleft out: {bookings} bookings, which stay where they were made"
            )?;
        }
        if !preferences.is_empty() {
            let preferences = preferences.join(", ");
            write!(
                f,
                "\nleft out: {preferences}, for which nothing is done here"
            )?;
        }
        Ok(())
    }
}
