//! Tickets: what lets somebody connect a calendar on the AppView's own page, once and for a short while.

use std::time::Duration;

use data_encoding::HEXLOWER;
use huddle_ports::{Random, Timestamp};
use huddle_syntax::Did;
use serde::{Deserialize, Serialize};

use super::connector::{Access, ConnectorId, Provider};
use super::sealing::{KeyRing, Sealed};

/// How long a ticket is good for.
pub const TICKET_LIFETIME: Duration = Duration::from_mins(15);

const ABOUT: &str = "connect ticket";

/// What somebody may connect. It is sealed where they carry it, so that nobody else can make or change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
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

/// A ticket that is good for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTicket {
    /// It was not made here, or with a key that is no more.
    #[error("this is no address for connecting a calendar")]
    Forged,
    /// Its time is over.
    #[error("this address for connecting a calendar was good for a short while only")]
    Expired,
}

impl Ticket {
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
        keys.seal(random, ABOUT, &self.write()).as_str().to_owned()
    }

    fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("it has no map, whose keys may not be texts")
    }

    /// The ticket that was sealed to `text`, if it is still good.
    pub fn open(keys: &KeyRing, text: &str, now: Timestamp) -> Result<Self, BadTicket> {
        let plain = keys
            .open(ABOUT, &Sealed::from(text.to_owned()))
            .map_err(|_| BadTicket::Forged)?;
        let ticket: Self = serde_json::from_slice(&plain).map_err(|_| BadTicket::Forged)?;
        if ticket.expires_at <= now {
            return Err(BadTicket::Expired);
        }
        Ok(ticket)
    }
}

#[cfg(test)]
mod tests {
    use huddle_testkit::CountingRandom;

    use super::*;

    #[test]
    fn a_ticket_is_good_for_a_quarter_of_an_hour_and_made_here() {
        let random = CountingRandom::default();
        let keys = KeyRing::parse(&KeyRing::new_key("k", &random)).unwrap();
        let others = KeyRing::parse(&KeyRing::new_key("k", &random)).unwrap();
        let person = "did:web:ada.example.com".parse().unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let ticket = Ticket::new(person, Provider::Ics, Access::FreeBusy, &random, now);
        let text = ticket.seal(&keys, &random);
        assert!(!text.contains("ada"), "{text}");
        let end = now + TICKET_LIFETIME;
        let last = end - Duration::from_millis(1);
        assert_eq!(Ticket::open(&keys, &text, last), Ok(ticket));
        assert_eq!(Ticket::open(&keys, &text, end), Err(BadTicket::Expired));
        assert_eq!(Ticket::open(&others, &text, now), Err(BadTicket::Forged));
        assert_eq!(Ticket::open(&keys, "k.AAAA", now), Err(BadTicket::Forged));
    }
}
