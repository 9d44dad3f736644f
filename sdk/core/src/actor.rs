//! Actors: serial authorities, each known by a name.
//!
//! An actor is its rows in a store and nothing else. A runtime gives it one command at a time inside
//! a transaction, and [`handle`] is an ordinary function that reads, decides and writes. Commands may
//! come twice, late, in another order or never; what an actor answers follows from its rows.

use std::fmt;
use std::str::FromStr;

use huddle_ports::Timestamp;
use huddle_syntax::Did;
use serde::{Deserialize, Serialize};

use crate::booking::BookingId;
use crate::limits::Limits;
use crate::sql::{Sql, SqlError};
use crate::turn::Turn;
use crate::{booking, host_match, rate_limiter, user_connector};

/// The kinds of actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorKind {
    /// A person's time.
    HostMatch,
    /// A booking.
    Booking,
    /// What is a person's own affair.
    UserConnector,
    /// A caller's allowance.
    RateLimiter,
}

impl ActorKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::HostMatch,
        Self::Booking,
        Self::UserConnector,
        Self::RateLimiter,
    ];

    /// The kind as it stands in a name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HostMatch => "host-match",
            Self::Booking => "booking",
            Self::UserConnector => "user-connector",
            Self::RateLimiter => "rate-limiter",
        }
    }
}

/// The name of an actor, such as `booking/7q3h…`. Names are kept for ever: they are what a store's
/// rows and the objects of Workers are found by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ActorName {
    kind: ActorKind,
    text: String,
}

impl ActorName {
    fn new(kind: ActorKind, key: &str) -> Self {
        let text = format!("{}/{key}", kind.as_str());
        Self { kind, text }
    }

    /// The keeper of a person's time.
    pub fn host_match(person: &Did) -> Self {
        Self::new(ActorKind::HostMatch, person.as_str())
    }

    /// The keeper of a UTC day, such as `2026-06-01`, of a person whose time is kept by days.
    pub(crate) fn host_match_day(person: &Did, day: &str) -> Self {
        Self::new(ActorKind::HostMatch, &format!("{person}/{day}"))
    }

    /// The keeper of a booking.
    pub fn booking(id: &BookingId) -> Self {
        Self::new(ActorKind::Booking, id.as_str())
    }

    /// The keeper of what is a person's own affair.
    pub fn user_connector(person: &Did) -> Self {
        Self::new(ActorKind::UserConnector, person.as_str())
    }

    /// The keeper of an allowance, such as `did/did:plc:…` or `ip/192.0.2.7`.
    pub fn rate_limiter(key: &str) -> Self {
        Self::new(ActorKind::RateLimiter, key)
    }

    /// The kind of the actor.
    pub fn kind(&self) -> ActorKind {
        self.kind
    }

    /// What tells the actor from others of its kind.
    pub fn key(&self) -> &str {
        &self.text[self.kind.as_str().len() + 1..]
    }

    /// Whether it is the keeper of a day.
    pub fn is_day(&self) -> bool {
        self.kind == ActorKind::HostMatch && self.key().contains('/')
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What may stand in a log: of bookings the name, and of people, and of where somebody asks from, the kind only.
    pub fn in_logs(&self) -> &str {
        match self.kind {
            ActorKind::Booking => &self.text,
            ActorKind::HostMatch | ActorKind::UserConnector | ActorKind::RateLimiter => {
                self.kind.as_str()
            }
        }
    }
}

impl fmt::Display for ActorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for ActorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ActorName").field(&self.text).finish()
    }
}

/// A text that names no actor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no actor: expected a kind, a slash and a key")]
pub struct UnknownActor(String);

impl FromStr for ActorName {
    type Err = UnknownActor;

    fn from_str(text: &str) -> Result<Self, UnknownActor> {
        let kind_and_key = text.split_once('/').and_then(|(kind, key)| {
            let kind = ActorKind::ALL.into_iter().find(|it| it.as_str() == kind)?;
            (!key.is_empty()).then_some((kind, key))
        });
        match kind_and_key {
            Some((kind, key)) => Ok(Self::new(kind, key)),
            None => Err(UnknownActor(text.to_owned())),
        }
    }
}

impl TryFrom<String> for ActorName {
    type Error = UnknownActor;

    fn try_from(text: String) -> Result<Self, UnknownActor> {
        text.parse()
    }
}

impl From<ActorName> for String {
    fn from(name: ActorName) -> Self {
        name.text
    }
}

/// What can be asked of an actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Asked of a person's time.
    HostMatch(host_match::Command),
    /// Asked of a booking.
    Booking(booking::Command),
    /// Asked of what is a person's own affair.
    UserConnector(user_connector::Command),
    /// Asked of an allowance.
    RateLimiter(rate_limiter::Command),
}

/// What an actor answers. A refusal is an answer too: what was written with it stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Answered by a person's time.
    HostMatch(host_match::Reply),
    /// Answered by a booking.
    Booking(booking::Reply),
    /// Answered by what is a person's own affair.
    UserConnector(user_connector::Reply),
    /// Answered by an allowance.
    RateLimiter(rate_limiter::Reply),
}

/// A command that knows the type of its answer.
pub trait Ask: Into<Command> {
    /// What it is answered with.
    type Answer;

    /// The answer in a reply; `None` if the reply is to another command.
    fn answer(reply: Reply) -> Option<Self::Answer>;
}

/// Declares the commands of a kind of actor: the enums that cross between actors, and the type of
/// each answer.
macro_rules! commands {
    ($kind:ident { $( $(#[$doc:meta])* $name:ident => $answer:ty, )+ }) => {
        /// What can be asked.
        #[derive(Clone, Debug, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
        pub enum Command {
            $( $(#[$doc])* $name($name), )+
        }

        /// What is answered, by the name of the command.
        #[derive(Clone, Debug, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
        pub enum Reply {
            $( $(#[$doc])* $name($answer), )+
        }

        $(
            impl From<$name> for $crate::actor::Command {
                fn from(command: $name) -> Self {
                    Self::$kind(Command::$name(command))
                }
            }

            impl $crate::actor::Ask for $name {
                type Answer = $answer;

                fn answer(reply: $crate::actor::Reply) -> Option<$answer> {
                    match reply {
                        $crate::actor::Reply::$kind(Reply::$name(answer)) => Some(answer),
                        _ => None,
                    }
                }
            }
        )+
    };
}

pub(crate) use commands;

/// Does what a command asks of the actor `name`, inside the transaction that the runtime has opened.
///
/// `clock` is the runtime's time; the actor's own never runs back before the last moment that it has
/// stored. On an error, the runtime rolls the transaction back.
pub fn handle(
    sql: &mut dyn Sql,
    name: &ActorName,
    clock: Timestamp,
    limits: &Limits,
    command: Command,
) -> Result<Reply, SqlError> {
    let mut turn = Turn::begin(sql, name, clock, limits)?;
    let reply = match (name.kind, command) {
        (ActorKind::HostMatch, Command::HostMatch(command)) => {
            host_match::handle(&mut turn, command).map(Reply::HostMatch)
        }
        (ActorKind::Booking, Command::Booking(command)) => {
            booking::handle(&mut turn, command).map(Reply::Booking)
        }
        (ActorKind::UserConnector, Command::UserConnector(command)) => {
            user_connector::handle(&mut turn, command).map(Reply::UserConnector)
        }
        (ActorKind::RateLimiter, Command::RateLimiter(command)) => {
            rate_limiter::handle(&mut turn, command).map(Reply::RateLimiter)
        }
        _ => Err(SqlError::WrongActor),
    }?;
    turn.end()?;
    Ok(reply)
}

/// Lets the actor `name` do what it wanted to be woken for, as far as that is due.
pub fn wake(
    sql: &mut dyn Sql,
    name: &ActorName,
    clock: Timestamp,
    limits: &Limits,
) -> Result<(), SqlError> {
    let mut turn = Turn::begin(sql, name, clock, limits)?;
    if turn.take_due_timers()? {
        match name.kind {
            ActorKind::HostMatch => host_match::wake(&mut turn),
            ActorKind::Booking => booking::wake(&mut turn),
            ActorKind::UserConnector => user_connector::wake(&mut turn),
            ActorKind::RateLimiter => rate_limiter::wake(&mut turn),
        }?;
    }
    turn.end()
}

/// Whether the actor `name` keeps anything that a later command could depend on, or that an operator is to
/// find. One that does not is as one that nobody ever asked: once nothing is due in its outbox and no timer
/// of it is set, a store need not keep anything of it.
pub fn remembers(sql: &mut dyn Sql, name: &ActorName) -> Result<bool, SqlError> {
    let statement = match name.kind {
        ActorKind::HostMatch => {
            "SELECT EXISTS (SELECT 1 FROM fence WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM claim WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM lapse WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM disclosure WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM petition WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM cancellation WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM told WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM sharded WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM outbox WHERE due IS NULL AND actor = ?1)"
        }
        ActorKind::Booking => {
            "SELECT EXISTS (SELECT 1 FROM booking WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM reply WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM outbox WHERE due IS NULL AND actor = ?1)"
        }
        ActorKind::UserConnector => {
            "SELECT EXISTS (SELECT 1 FROM preferences WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM connector WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM used_ticket WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM calendar_event WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM address WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM webhook WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM reply WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM outbox WHERE due IS NULL AND actor = ?1)"
        }
        ActorKind::RateLimiter => {
            "SELECT EXISTS (SELECT 1 FROM bucket WHERE actor = ?1) \
             OR EXISTS (SELECT 1 FROM nonce WHERE actor = ?1)"
        }
    };
    let rows = sql.query(statement, &[name.as_str().into()])?;
    rows.first().map_or(Ok(false), |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &ActorName, text: &str) {
        assert_eq!(name.as_str(), text);
        assert_eq!(text.parse::<ActorName>().as_ref(), Ok(name));
        assert_eq!(serde_json::to_string(name).unwrap(), format!("{text:?}"));
    }

    #[test]
    fn names_are_what_stored_rows_and_objects_are_found_by() {
        let person: Did = "did:web:ada.example.com".parse().unwrap();
        check(
            &ActorName::host_match(&person),
            "host-match/did:web:ada.example.com",
        );
        let day = ActorName::host_match_day(&person, "2026-06-01");
        check(&day, "host-match/did:web:ada.example.com/2026-06-01");
        assert!(day.is_day() && !ActorName::host_match(&person).is_day());
        check(
            &ActorName::user_connector(&person),
            "user-connector/did:web:ada.example.com",
        );
        let id: BookingId = "3hq7n2k5x4d6m7p2r5t7".parse().unwrap();
        check(&ActorName::booking(&id), "booking/3hq7n2k5x4d6m7p2r5t7");
        check(
            &ActorName::rate_limiter("ip/192.0.2.7"),
            "rate-limiter/ip/192.0.2.7",
        );
        assert_eq!(
            ActorName::rate_limiter("ip/192.0.2.7").key(),
            "ip/192.0.2.7"
        );
    }

    #[test]
    fn a_text_without_kind_or_key_names_no_actor() {
        for text in ["", "booking", "booking/", "/x", "session/x", "Booking/x"] {
            assert!(text.parse::<ActorName>().is_err(), "{text:?}");
        }
    }
}
