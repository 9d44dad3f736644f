//! Tickets: what lets somebody do one thing on the AppView's own pages, for a short while.
//!
//! A ticket stands in the address of a page, sealed for what it is good for: nobody else can make or change one, and none
//! opens another page.

use std::time::Duration;

use data_encoding::HEXLOWER;
use huddle_ports::{Random, Timestamp};
use huddle_syntax::Did;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::connector::{Access, ConnectorId, Provider};
use super::sealing::{KeyRing, Sealed};

/// How long a ticket is good for.
pub const TICKET_LIFETIME: Duration = Duration::from_mins(15);

/// What tickets are sealed for.
const CONNECT: &str = "connect ticket";
const SETTINGS: &str = "settings ticket";

/// What somebody may connect, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectTicket {
    /// For whom.
    pub person: Did,
    /// Where the calendar is.
    pub provider: Provider,
    /// What is to be done with it.
    pub access: Access,
    /// The connector that is connected anew; `None` is one more.
    pub connector: Option<ConnectorId>,
    /// Where to go afterwards.
    pub return_uri: Option<String>,
    /// Names the ticket, which is used once.
    pub nonce: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Whose settings may be seen and changed, as often as one likes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsTicket {
    /// Whose.
    pub person: Did,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A ticket that is good for nothing, or not for this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTicket {
    /// It was not made here, or for something else, or with a key that is no more.
    #[error("this is no address of the page")]
    Forged,
    /// Its time is over.
    #[error("this address was good for a short while only")]
    Expired,
}

impl ConnectTicket {
    /// A new ticket.
    pub fn new(
        person: Did,
        provider: Provider,
        access: Access,
        random: &dyn Random,
        now: Timestamp,
    ) -> Self {
        let mut nonce = [0; 16];
        random.fill(&mut nonce);
        Self {
            person,
            provider,
            access,
            connector: None,
            return_uri: None,
            nonce: HEXLOWER.encode(&nonce),
            expires_at: now + TICKET_LIFETIME,
        }
    }

    /// The ticket as it stands in an address.
    pub fn seal(&self, keys: &KeyRing, random: &dyn Random) -> String {
        seal(self, CONNECT, keys, random)
    }

    /// The ticket that was sealed to `text`, if it is still good.
    pub fn open(keys: &KeyRing, text: &str, now: Timestamp) -> Result<Self, BadTicket> {
        let ticket: Self = open(text, CONNECT, keys)?;
        still_good(ticket.expires_at, now)?;
        Ok(ticket)
    }
}

impl SettingsTicket {
    /// A new ticket.
    pub fn new(person: Did, now: Timestamp) -> Self {
        Self {
            person,
            expires_at: now + TICKET_LIFETIME,
        }
    }

    /// The ticket as it stands in an address.
    pub fn seal(&self, keys: &KeyRing, random: &dyn Random) -> String {
        seal(self, SETTINGS, keys, random)
    }

    /// The ticket that was sealed to `text`, if it is still good.
    pub fn open(keys: &KeyRing, text: &str, now: Timestamp) -> Result<Self, BadTicket> {
        let ticket: Self = open(text, SETTINGS, keys)?;
        still_good(ticket.expires_at, now)?;
        Ok(ticket)
    }
}

fn seal(ticket: &impl Serialize, about: &str, keys: &KeyRing, random: &dyn Random) -> String {
    let plain = serde_json::to_vec(ticket).expect("it has no map, whose keys may not be texts");
    keys.seal(random, about, &plain).as_str().to_owned()
}

fn open<T: DeserializeOwned>(text: &str, about: &str, keys: &KeyRing) -> Result<T, BadTicket> {
    let sealed = Sealed::from(text.to_owned());
    let plain = keys.open(about, &sealed).map_err(|_| BadTicket::Forged)?;
    serde_json::from_slice(&plain).map_err(|_| BadTicket::Forged)
}

fn still_good(expires_at: Timestamp, now: Timestamp) -> Result<(), BadTicket> {
    if now < expires_at {
        Ok(())
    } else {
        Err(BadTicket::Expired)
    }
}

#[cfg(test)]
mod tests {
    use huddle_testkit::CountingRandom;

    use super::*;

    /// What is the same of every kind of ticket: `open` is tried on what was sealed for it, and on that of `other`.
    #[track_caller]
    fn check<T: Clone + PartialEq + std::fmt::Debug>(
        ticket: &T,
        text: &str,
        other: &str,
        open: impl Fn(&str, Timestamp) -> Result<T, BadTicket>,
    ) {
        let now = Timestamp::UNIX_EPOCH;
        assert!(!text.contains("ada"), "{text}");
        let end = now + TICKET_LIFETIME;
        let last = end - Duration::from_millis(1);
        assert_eq!(open(text, last), Ok(ticket.clone()));
        assert_eq!(open(text, end), Err(BadTicket::Expired));
        assert_eq!(open(other, now), Err(BadTicket::Forged));
        assert_eq!(open("k.AAAA", now), Err(BadTicket::Forged));
    }

    #[test]
    fn a_ticket_is_good_for_one_page_and_a_quarter_of_an_hour_and_made_here() {
        let random = CountingRandom::default();
        let ring = || KeyRing::parse(&KeyRing::new_key("k", &random)).unwrap();
        let (keys, others) = (ring(), ring());
        let ada: Did = "did:web:ada.example.com".parse().unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let (provider, access) = (Provider::Ics, Access::FreeBusy);
        let connect = ConnectTicket::new(ada.clone(), provider, access, &random, now);
        let settings = SettingsTicket::new(ada, now);
        let (to_connect, to_settings) =
            (connect.seal(&keys, &random), settings.seal(&keys, &random));
        check(&connect, &to_connect, &to_settings, |text, now| {
            ConnectTicket::open(&keys, text, now)
        });
        check(&settings, &to_settings, &to_connect, |text, now| {
            SettingsTicket::open(&keys, text, now)
        });
        let forged = ConnectTicket::open(&others, &to_connect, now);
        assert_eq!(forged, Err(BadTicket::Forged));
        let forged = SettingsTicket::open(&others, &to_settings, now);
        assert_eq!(forged, Err(BadTicket::Forged));
    }
}
