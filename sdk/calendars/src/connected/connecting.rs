//! Connecting an account: it is found, read once, sealed and only then stored.

use std::time::Duration;

use futures_util::future::try_join_all;
use huddle_core::rate_limiter::{Rate, Spend, Verdict};
use huddle_core::transport::{Unreachable, ask};
use huddle_core::user_connector::connector::{
    Access as Wanted, Connect, ConnectRefused, ConnectorId, Provider,
};
use huddle_core::user_connector::ticket::{BadTicket, ConnectTicket};
use huddle_core::{ActorName, Interval};
use huddle_ports::{Fetch, Timestamp, Url};
use huddle_schedule::Zone;
use huddle_schedule::icalendar::Limits;
use zeroize::Zeroizing;

use super::account::{Account, Collection};
use super::hurry::Hurry;
use super::{CalendarPorts, ConnectedCalendars};
use crate::caldav::{Access, ServiceDns, discover, locate};
use crate::calendar::BusyQuery;
use crate::credentials::{Credentials, InvalidCredentials};
use crate::error::CalendarError;
use crate::feed::{Feed, InvalidFeedUrl};

/// How long finding and reading an account may take in all.
const PATIENCE: Duration = Duration::from_secs(25);

/// How often a person may try to connect something.
const ATTEMPTS: Rate = Rate {
    per_minute: 6,
    burst: 10,
};

/// The most calendars of an account that are read: each of them is a request whenever somebody wants to book.
const MAX_READ: usize = 20;

/// What a person gives so that an account can be connected.
#[derive(Clone, Copy)]
pub enum Given<'a> {
    /// The address of a published file.
    Feed {
        /// The address.
        address: &'a str,
    },
    /// An account on a CalDAV server.
    CalDav {
        /// An e-mail address, the name of a host, or a URL.
        start: &'a str,
        /// The user's name.
        user: &'a str,
        /// The password.
        password: &'a str,
    },
}

/// Why an account is not connected. None of it names an address but that of another host, to whoever has given one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotConnected {
    /// What was given is no address of a feed.
    #[error(transparent)]
    Address(#[from] InvalidFeedUrl),
    /// What was given are no credentials.
    #[error(transparent)]
    Credentials(#[from] InvalidCredentials),
    /// The calendar could not be found or read.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// The person has tried too often of late.
    #[error("too many attempts: wait a minute")]
    TooOften,
    /// More calendars than can be read each time.
    #[error("the account has more than {MAX_READ} calendars: give the address of one of them")]
    TooManyCalendars,
    /// The ticket is good for nothing.
    #[error(transparent)]
    Ticket(#[from] BadTicket),
    /// The person's actor refuses.
    #[error("the account cannot be connected: {0:?}")]
    Refused(ConnectRefused),
    /// The person's actor did not answer.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
}

impl ConnectedCalendars {
    /// The ticket that stands in an address, if it is still good.
    pub fn ticket(&self, text: &str) -> Result<ConnectTicket, BadTicket> {
        ConnectTicket::open(&self.0.keys, text, self.0.ports.clock.now())
    }

    /// Connects an account for whom a ticket was made out, if it can be read. A ticket is used up by that, and by
    /// nothing else.
    pub async fn connect(
        &self,
        ticket: &ConnectTicket,
        label: Option<String>,
        given: Given<'_>,
    ) -> Result<ConnectorId, NotConnected> {
        if given.provider() != ticket.provider {
            return Err(BadTicket::Forged.into());
        }
        self.spend(ticket).await?;
        let CalendarPorts {
            fetch,
            clock,
            random,
            ..
        } = &self.0.ports;
        let hurry = Hurry::new(&**fetch, &**clock, clock.now() + PATIENCE);
        let provider = self.to_provider(ticket.provider, &hurry);
        let dns = self.0.dns.as_deref();
        let account = find(&provider, dns, hurry.now(), given, ticket.access).await?;
        look(&provider, hurry.now(), &account, self.0.reading).await?;
        let new = || ConnectorId::new(&**random);
        let id = ticket.connector.clone().unwrap_or_else(new);
        let about = id.credentials();
        let connect = Connect {
            nonce: ticket.nonce.clone(),
            ticket_expires_at: ticket.expires_at,
            id: id.clone(),
            anew: ticket.connector.is_some(),
            provider: ticket.provider,
            access: ticket.access,
            label,
            credentials: self.0.keys.seal(&**random, &about, &account.write()),
        };
        let connected = self.ask(&ticket.person, connect).await?;
        connected.map_err(NotConnected::Refused)?;
        Ok(id)
    }

    /// Takes one attempt of the few that a person has: each asks a server of their choice, with a password of theirs.
    async fn spend(&self, ticket: &ConnectTicket) -> Result<(), NotConnected> {
        let limiter = ActorName::rate_limiter(&format!("connect/{}", ticket.person));
        let spend = Spend {
            rate: ATTEMPTS,
            cost: 1,
            nonce: None,
        };
        match ask(&*self.0.ports.actors, &limiter, spend).await? {
            Verdict::Allowed { .. } => Ok(()),
            Verdict::Limited { .. } | Verdict::Replayed => Err(NotConnected::TooOften),
        }
    }
}

impl Given<'_> {
    fn provider(self) -> Provider {
        match self {
            Self::Feed { .. } => Provider::Ics,
            Self::CalDav { .. } => Provider::CalDav,
        }
    }
}

/// Finds what there is to read, and to write if that is wanted.
async fn find(
    fetch: &dyn Fetch,
    dns: Option<&dyn ServiceDns>,
    now: Timestamp,
    given: Given<'_>,
    wanted: Wanted,
) -> Result<Account, NotConnected> {
    let (start, credentials) = match given {
        Given::Feed { address } => {
            Feed::new(address)?;
            let address = Zeroizing::new(address.to_owned());
            return match wanted {
                Wanted::FreeBusy => Ok(Account::Ics { address }),
                Wanted::Events => Err(CalendarError::ReadOnly.into()),
            };
        }
        Given::CalDav {
            start,
            user,
            password,
        } => (start, Credentials::new(user, password)?),
    };
    let located = match dns {
        Some(dns) => locate(dns, start).await?,
        None => None,
    };
    let start = located.as_ref().map_or(start, Url::as_str);
    let found = discover(fetch, now, start, &credentials).await?;
    let calendars: Vec<_> = found
        .into_iter()
        .filter(|calendar| calendar.counts_as_busy)
        .map(|calendar| Collection {
            url: Zeroizing::new(calendar.collection.into()),
            access: calendar.access,
            zone: calendar.zone,
        })
        .collect();
    if calendars.is_empty() {
        return Err(CalendarError::NotACalendar.into());
    }
    if calendars.len() > MAX_READ {
        return Err(NotConnected::TooManyCalendars);
    }
    let mut each = calendars.iter();
    if wanted == Wanted::Events && !each.any(|calendar| calendar.access == Access::Write) {
        return Err(CalendarError::ReadOnly.into());
    }
    Ok(Account::CalDav {
        credentials,
        calendars,
    })
}

/// Reads all that was found, so that nothing is connected that cannot be read.
async fn look(
    fetch: &dyn Fetch,
    now: Timestamp,
    account: &Account,
    limits: Limits,
) -> Result<(), CalendarError> {
    let sources = account.sources().ok_or(CalendarError::NotACalendar)?;
    let query = BusyQuery {
        limits,
        ..BusyQuery::new(one_day(now), Zone::UTC)
    };
    let looks = sources.iter().map(async |source| {
        let calendar = &source.calendar;
        calendar.busy(fetch, now, &query, None).await
    });
    try_join_all(looks).await?;
    Ok(())
}

fn one_day(from: Timestamp) -> Interval {
    Interval::lasting(from, Duration::from_hours(24)).unwrap_or(Interval::ALWAYS)
}

impl std::fmt::Debug for Given<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Given")
            .field("provider", &self.provider())
            .finish_non_exhaustive()
    }
}
