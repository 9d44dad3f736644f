//! `UserConnector`: what is a person's own affair. It keeps how they want to be booked, the calendars that they have
//! connected, and where their news goes.

mod accounts;
pub mod addresses;
pub mod connector;
mod erase;
mod reach;
pub mod rotation;
pub mod sealing;
pub mod ticket;
pub mod webhook;

use huddle_ports::Timestamp;
use huddle_syntax::{Did, SyntaxError};
use serde::{Deserialize, Serialize};

use crate::actor::{ActorName, commands};
use crate::effects::Channel;
use crate::idempotency::{self, Key, Seen};
use crate::index::audit::Deed;
use crate::outbox::Task;
use crate::preferences::{InvalidPreferences, Preferences};
use crate::sql::SqlError;
use crate::turn::Turn;

pub use accounts::sealed_otherwise;
use addresses::{
    ConfirmAddress, ConfirmAddressRefused, ReadAddress, ResealAddress, SetAddress,
    SetAddressRefused, StoredAddress,
};
use connector::{
    BeginReading, BeingRead, Calendars, Connect, ConnectRefused, Disconnect, DisconnectRefused,
    EndReading, ForgetEvent, GetCalendars, NoteEvent, Reseal,
};
pub use erase::Erase;
pub use reach::GetReach;
use sealing::Sealed;
use webhook::{
    NotePost, ReadWebhook, RemoveWebhook, ResealWebhook, SetWebhook, SetWebhookRefused,
    StoredWebhook, WebhookMismatch,
};

/// What revisions are counted to, as the lexicon has it.
const LAST_REVISION: u32 = i32::MAX as u32;

/// Read the person's preferences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetPreferences {}

/// Replace the person's preferences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutPreferences {
    /// The request; its hash covers the document and the revision.
    pub key: Key,
    /// The new preferences, a `com.huddle.defs#preferences` as JSON. It is kept as it is, unknown fields too.
    pub document: String,
    /// The revision that is to be replaced; `None` is any.
    pub swap_revision: Option<u32>,
}

/// A person's preferences as they stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreferencesDocument {
    /// A `com.huddle.defs#preferences` as JSON.
    pub document: String,
    /// How often they have been changed.
    pub revision: u32,
}

impl PreferencesDocument {
    /// Those of somebody who never set any.
    fn unset() -> Self {
        Self {
            document: "{}".into(),
            revision: 0,
        }
    }

    /// What they say. Only a later version of Huddle can have written what this one cannot read.
    pub fn read(&self) -> Result<Preferences, InvalidPreferences> {
        Preferences::read(&self.document)
    }
}

/// Why preferences are not replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PutRefused {
    /// The key came with another body before.
    Mismatch,
    /// They have changed since the revision that is to be replaced.
    Changed,
    /// Nobody can be booked by them.
    Invalid(InvalidPreferences),
}

commands! {
    UserConnector {
        /// [`GetPreferences`]
        GetPreferences => PreferencesDocument,
        /// [`PutPreferences`]
        PutPreferences => Result<PreferencesDocument, PutRefused>,
        /// [`GetReach`]
        GetReach => Vec<Channel>,
        /// [`GetCalendars`]
        GetCalendars => Calendars,
        /// [`Connect`]
        Connect => Result<(), ConnectRefused>,
        /// [`Disconnect`]
        Disconnect => Result<(), DisconnectRefused>,
        /// [`BeginReading`]
        BeginReading => Result<Calendars, BeingRead>,
        /// [`EndReading`]
        EndReading => (),
        /// [`Reseal`]
        Reseal => bool,
        /// [`NoteEvent`]
        NoteEvent => (),
        /// [`ForgetEvent`]
        ForgetEvent => (),
        /// [`SetAddress`]
        SetAddress => Result<Timestamp, SetAddressRefused>,
        /// [`ConfirmAddress`]
        ConfirmAddress => Result<(), ConfirmAddressRefused>,
        /// [`ReadAddress`]
        ReadAddress => Option<StoredAddress>,
        /// [`ResealAddress`]
        ResealAddress => bool,
        /// [`SetWebhook`]
        SetWebhook => Result<Sealed, SetWebhookRefused>,
        /// [`RemoveWebhook`]
        RemoveWebhook => Result<(), WebhookMismatch>,
        /// [`ReadWebhook`]
        ReadWebhook => Option<StoredWebhook>,
        /// [`NotePost`]
        NotePost => (),
        /// [`ResealWebhook`]
        ResealWebhook => bool,
        /// [`Erase`]
        Erase => (),
    }
}

pub(crate) fn handle(turn: &mut Turn<'_>, command: Command) -> Result<Reply, SqlError> {
    Ok(match command {
        Command::GetPreferences(GetPreferences {}) => Reply::GetPreferences(preferences(turn)?),
        Command::PutPreferences(command) => Reply::PutPreferences(put(turn, command)?),
        Command::Erase(Erase {}) => Reply::Erase(erase::erase(turn)?),
        Command::GetReach(GetReach {}) => Reply::GetReach(reach::reach(turn)?),
        Command::GetCalendars(it) => Reply::GetCalendars(accounts::calendars(turn, &it)?),
        Command::Connect(it) => Reply::Connect(accounts::connect(turn, &it)?),
        Command::Disconnect(it) => Reply::Disconnect(accounts::disconnect(turn, &it)?),
        Command::BeginReading(it) => Reply::BeginReading(accounts::begin_reading(turn, &it)?),
        Command::EndReading(it) => Reply::EndReading(accounts::end_reading(turn, &it)?),
        Command::Reseal(it) => Reply::Reseal(accounts::reseal(turn, &it)?),
        Command::NoteEvent(it) => Reply::NoteEvent(accounts::note_event(turn, &it)?),
        Command::ForgetEvent(it) => Reply::ForgetEvent(accounts::forget_event(turn, &it)?),
        Command::SetAddress(it) => Reply::SetAddress(addresses::set(turn, it)?),
        Command::ConfirmAddress(it) => Reply::ConfirmAddress(addresses::confirm(turn, &it)?),
        Command::ReadAddress(ReadAddress {}) => Reply::ReadAddress(addresses::read(turn)?),
        Command::ResealAddress(it) => Reply::ResealAddress(addresses::reseal(turn, &it)?),
        Command::SetWebhook(it) => Reply::SetWebhook(webhook::set(turn, it)?),
        Command::RemoveWebhook(it) => Reply::RemoveWebhook(webhook::remove(turn, &it)?),
        Command::ReadWebhook(ReadWebhook {}) => Reply::ReadWebhook(webhook::read(turn)?),
        Command::NotePost(it) => Reply::NotePost(webhook::note(turn, &it)?),
        Command::ResealWebhook(it) => Reply::ResealWebhook(webhook::reseal(turn, &it)?),
    })
}

pub(crate) fn wake(turn: &mut Turn<'_>) -> Result<(), SqlError> {
    accounts::forget(turn)?;
    addresses::forget(turn)?;
    idempotency::forget(turn)
}

fn preferences(turn: &mut Turn<'_>) -> Result<PreferencesDocument, SqlError> {
    let actor = turn.name().as_str();
    let rows = turn.read(
        "SELECT document, revision FROM preferences WHERE actor = ?1",
        &[actor.into()],
    )?;
    let Some(row) = rows.first() else {
        return Ok(PreferencesDocument::unset());
    };
    Ok(PreferencesDocument {
        document: row.get(0)?,
        revision: row.get(1)?,
    })
}

fn put(
    turn: &mut Turn<'_>,
    command: PutPreferences,
) -> Result<Result<PreferencesDocument, PutRefused>, SqlError> {
    match idempotency::begin(turn, &command.key)? {
        Seen::Mismatch => return Ok(Err(PutRefused::Mismatch)),
        // What was put came with the request again: only its revision needs to be remembered.
        Seen::Answered(revision) => {
            return Ok(Ok(PreferencesDocument {
                document: command.document,
                revision: serde_json::from_str(&revision)?,
            }));
        }
        // It is answered in the turn in which it comes, so none is ever left running.
        Seen::Fresh | Seen::Again | Seen::InFlight(_) => {}
    }
    let before = preferences(turn)?.revision;
    let is_expected = command.swap_revision.is_none_or(|it| it == before);
    let read = Preferences::read(&command.document).map_err(PutRefused::Invalid);
    let preferences = match read.and_then(|it| is_expected.then_some(it).ok_or(PutRefused::Changed))
    {
        Ok(preferences) => preferences,
        Err(why) => {
            idempotency::withdraw(turn, &command.key)?;
            return Ok(Err(why));
        }
    };
    let after = PreferencesDocument {
        document: command.document,
        revision: (before + 1).min(LAST_REVISION),
    };
    store(turn, &after)?;
    let listing = Task::List {
        person: person(turn.name())?,
        listed: !preferences.unlisted,
        revision: after.revision,
        at: turn.now(),
    };
    turn.send(&listing)?;
    record(turn, Deed::PreferencesPut)?;
    idempotency::answer_running(turn, || Ok(serde_json::to_string(&after.revision)?))?;
    Ok(Ok(after))
}

/// Whose actor it is.
fn person(actor: &ActorName) -> Result<Did, SqlError> {
    let person = actor.key().parse();
    person.map_err(|error: SyntaxError| SqlError::Store(error.to_string()))
}

/// Has it written down that the person has done something.
fn record(turn: &mut Turn<'_>, deed: Deed) -> Result<(), SqlError> {
    turn.send(&Task::Record {
        person: person(turn.name())?,
        at: turn.now(),
        deed,
    })
}

fn store(turn: &mut Turn<'_>, preferences: &PreferencesDocument) -> Result<(), SqlError> {
    let actor = turn.name().as_str();
    turn.write(
        "INSERT INTO preferences (actor, document, revision) VALUES (?1, ?2, ?3) \
         ON CONFLICT (actor) DO UPDATE SET document = excluded.document, revision = excluded.revision",
        &[
            actor.into(),
            (&preferences.document).into(),
            preferences.revision.into(),
        ],
    )?;
    Ok(())
}
