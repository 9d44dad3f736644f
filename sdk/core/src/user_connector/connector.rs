//! Connected calendar accounts, as they are stored: what is secret or private of them is sealed.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use huddle_ports::{Random, Timestamp};
use serde::{Deserialize, Serialize};

use super::PreferencesDocument;
use super::sealing::Sealed;
use crate::booking::BookingId;
use crate::idempotency::Key;
use crate::sql::{FromValue, Value, word};

/// The most accounts that a person can connect.
pub const MAX_CONNECTORS: u32 = 10;

/// The id of a connected account: opaque, and what its credentials are sealed for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectorId(String);

impl ConnectorId {
    /// A new one.
    pub fn new(random: &dyn Random) -> Self {
        let mut bytes = [0; 10];
        random.fill(&mut bytes);
        Self(BASE32_NOPAD.encode(&bytes).to_ascii_lowercase())
    }

    /// The id as it stands in requests.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What its credentials are sealed about.
    pub fn credentials(&self) -> String {
        format!("connector {self}")
    }

    /// What that is sealed about which was read.
    pub fn snapshot(&self) -> String {
        format!("snapshot {self}")
    }
}

impl From<String> for ConnectorId {
    /// The id that a caller names; whether there is such a connector is for the actor to say.
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for ConnectorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromValue for ConnectorId {
    fn from_value(value: &Value) -> Option<Self> {
        String::from_value(value).map(Self)
    }
}

impl FromValue for Sealed {
    fn from_value(value: &Value) -> Option<Self> {
        String::from_value(value).map(Self::from)
    }
}

/// Where a calendar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Provider {
    /// A published file.
    Ics,
    /// A CalDAV server.
    CalDav,
}

impl Provider {
    const ALL: [Self; 2] = [Self::Ics, Self::CalDav];

    /// The word for it, as the lexicon has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ics => "ics",
            Self::CalDav => "caldav",
        }
    }

    /// What a word stands for, if Huddle connects to it.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

impl FromValue for Provider {
    fn from_value(value: &Value) -> Option<Self> {
        word(value, &Self::ALL, Self::as_str)
    }
}

/// What is done with a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    /// It is read when the person is busy.
    FreeBusy,
    /// Events of bookings are written to it, too.
    Events,
}

impl Access {
    const ALL: [Self; 2] = [Self::FreeBusy, Self::Events];

    /// The word for it, as the lexicon has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FreeBusy => "freeBusy",
            Self::Events => "events",
        }
    }

    /// What a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

impl FromValue for Access {
    fn from_value(value: &Value) -> Option<Self> {
        word(value, &Self::ALL, Self::as_str)
    }
}

/// Why a calendar cannot be read, in one word that gives nothing of it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Problem {
    /// Its server asks to wait.
    Throttled,
    /// Its server did not answer in time.
    TimedOut,
    /// Its server cannot be reached, or does not work as it should.
    Failed,
    /// There is nothing at its address that can be read, or not by this account.
    Unusable,
    /// The credentials are not accepted, or cannot be opened any more.
    Unauthorized,
}

impl Problem {
    const ALL: [Self; 5] = [
        Self::Throttled,
        Self::TimedOut,
        Self::Failed,
        Self::Unusable,
        Self::Unauthorized,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::TimedOut => "timed-out",
            Self::Failed => "failed",
            Self::Unusable => "unusable",
            Self::Unauthorized => "unauthorized",
        }
    }
}

impl FromValue for Problem {
    fn from_value(value: &Value) -> Option<Self> {
        word(value, &Self::ALL, Self::as_str)
    }
}

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Health {
    /// The calendar was read when it was last asked.
    Connected,
    /// It could not be read, and is asked again.
    Failing {
        /// Why.
        problem: Problem,
        /// Not before then.
        retry_at: Timestamp,
    },
    /// It is not asked again until its person connects it anew.
    Disconnected {
        /// Why.
        problem: Problem,
    },
}

/// A connected account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connector {
    /// Its id.
    pub id: ConnectorId,
    /// Where the calendar is.
    pub provider: Provider,
    /// What is done with it.
    pub access: Access,
    /// What its person calls it.
    pub label: Option<String>,
    /// When it was connected first.
    pub created_at: Timestamp,
    /// How often it was connected.
    pub revision: u32,
    /// How to reach it.
    pub credentials: Sealed,
    /// How the connection stands.
    pub health: Health,
    /// When it was last read.
    pub read_at: Option<Timestamp>,
    /// What was read then.
    pub snapshot: Option<Sealed>,
}

/// Read what there is to know of a person's calendars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetCalendars {
    /// A booking whose event is asked for, too.
    pub event_of: Option<BookingId>,
}

/// A person's calendars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendars {
    /// The connected accounts, the oldest first.
    pub connectors: Vec<Connector>,
    /// The person's preferences, which say what dates and local times mean.
    pub preferences: PreferencesDocument,
    /// The account in which the booking that was asked for may have an event.
    pub event_in: Option<ConnectorId>,
}

/// Connect an account, once with each ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connect {
    /// The nonce of the ticket.
    pub nonce: String,
    /// When the ticket ends.
    pub ticket_expires_at: Timestamp,
    /// The id of the account.
    pub id: ConnectorId,
    /// Whether there is to be one of that id, which is connected anew.
    pub anew: bool,
    /// Where the calendar is.
    pub provider: Provider,
    /// What is done with it.
    pub access: Access,
    /// What its person calls it.
    pub label: Option<String>,
    /// How to reach it.
    pub credentials: Sealed,
}

/// Why an account is not connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConnectRefused {
    /// The ticket was used before, or has ended.
    TicketUsed,
    /// The person has as many accounts as they can have.
    TooMany,
    /// There is none to connect anew.
    NotFound,
}

/// Forget an account, and everything that was read from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disconnect {
    /// The request.
    pub key: Key,
    /// The account.
    pub id: ConnectorId,
}

/// Why an account is not forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DisconnectRefused {
    /// The key came with another body before.
    Mismatch,
    /// There is no such account.
    NotFound,
}

/// Begin to read a person's calendars, which one reader does at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeginReading {
    /// Who reads. What the same reader has begun before is taken over.
    pub reader: String,
}

/// Somebody else reads the person's calendars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeingRead;

/// Store what came of reading a person's calendars, and let others read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndReading {
    /// Who has begun it; `None` of a reading that nobody had to wait for.
    pub reader: Option<String>,
    /// What came of it, by account.
    pub outcomes: Vec<Read>,
}

/// What came of reading an account's calendars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// The account.
    pub id: ConnectorId,
    /// Its revision when it was read: if it was connected anew since, this is out of date.
    pub revision: u32,
    /// What was read.
    pub outcome: Result<Sealed, Unread>,
}

/// An account's calendars could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Why.
    pub problem: Problem,
    /// For how long its server asks to wait.
    pub retry_after_secs: Option<u32>,
}

/// Put the credentials of an account under another key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reseal {
    /// The account.
    pub id: ConnectorId,
    /// What is stored now. If that is something else by then, nothing is changed.
    pub before: Sealed,
    /// The same, under another key.
    pub after: Sealed,
}

/// Note that a booking is about to have an event in an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteEvent {
    /// The booking.
    pub booking: BookingId,
    /// The account.
    pub id: ConnectorId,
    /// When the meeting is over.
    pub ends: Timestamp,
}

/// A booking has no event in a calendar any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgetEvent {
    /// The booking.
    pub booking: BookingId,
}
