//! What the AppView learns from the network, once for every runtime.
//!
//! A runtime follows the firehose with [`huddle_firehose::ingest`], and a [`Keeper`] answers what that asks. Each event
//! goes to [`Indexer::take_over`]: what it changes, and the account's new state, become one batch of statements, so
//! that a process that dies has taken over all of it or nothing. What is late or comes twice changes nothing.
//!
//! Beside the stream, an [`Indexer`] asks: for whoever somebody names before any event did ([`Indexer::meet`]), for
//! what people are called, and whether what is held is still what accounts have published. What it finds wrong it
//! does not mend by itself, because nobody has signed what a host answers: it has the repository fetched, which the
//! driver of the stream does ([`Indexer::stale`]).
//!
//! [`Requests`] makes bookings of the `com.huddle.bookingRequest` records among all that.

mod account;
mod drift;
mod host;
mod keeper;
mod measured;
mod meet;
mod names;
mod records;
mod requests;
mod take_over;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use huddle_core::index::{self, Index, IndexError, audit, cursors, people, repos, unsigned};
use huddle_firehose::{Account, Filter};
use huddle_identity::IdentityResolver;
use huddle_ports::{Cache, Clock, Fetch};
use huddle_syntax::Did;

use meet::Meetings;

pub use drift::Drift;
pub use host::HostError;
pub use keeper::Keeper;
pub use measured::Measured;
pub use meet::Met;
pub use records::availability::office_hours;
pub use records::{COLLECTIONS, LeftOut};
pub use requests::{Requests, Swept};
pub use take_over::TakenOver;

/// What an [`Indexer`] works with.
#[derive(Clone)]
pub struct Ports {
    /// What it keeps up.
    pub index: Arc<dyn Index>,
    /// Who accounts are, and where their hosts.
    pub identity: IdentityResolver,
    /// Asks those hosts.
    pub fetch: Arc<dyn Fetch>,
    /// Whom it would be in vain to ask.
    pub cache: Arc<dyn Cache>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The most bytes of a record that is kept; a longer one is left out.
    pub record_bytes: u32,
}

/// Keeps the index up to what accounts publish.
#[derive(Clone)]
pub struct Indexer {
    ports: Ports,
    meetings: Meetings,
}

/// How many accounts are read at once.
const PAGE: u32 = 1000;

/// How long a request is kept that is over: longer than a stream can tell of it once more.
const REQUESTS_KEPT: Duration = Duration::from_hours(7 * 24);

/// How long it is believed what a host was said to offer and nobody has signed: longer than it takes to fetch their
/// repository, if that can be had at all.
const UNSIGNED_KEPT: Duration = Duration::from_hours(7 * 24);

/// How long after a meeting its parties are still named for it: they look at it, and tell of it.
const PARTIES_NAMED: Duration = Duration::from_hours(24);

/// How long a line of the audit is kept: longer than a meeting can be ahead.
const AUDIT_KEPT: Duration = Duration::from_hours(400 * 24);

impl Indexer {
    /// An indexer over these.
    pub fn new(ports: Ports) -> Self {
        Self {
            ports,
            meetings: Meetings::default(),
        }
    }

    /// What of a stream is of interest: our collections, and all of the accounts that are followed.
    pub async fn filter(&self) -> Result<Filter, IndexError> {
        let collections = COLLECTIONS.map(|collection| format!("{collection}/"));
        let mut filter = Filter::new(collections.iter().map(String::as_str));
        let mut after = String::new();
        loop {
            let accounts = repos::followed(self.index(), &after, PAGE).await?;
            let Some(last) = accounts.last() else {
                return Ok(filter);
            };
            after = last.to_string();
            for did in &accounts {
                filter.add_account(did.as_str());
            }
        }
    }

    /// Where the streams of hosts go on.
    pub async fn cursors(&self) -> Result<BTreeMap<String, i64>, IndexError> {
        cursors::all(self.index()).await
    }

    /// Keeps the cursor of a host, or forgets it.
    pub async fn keep_cursor(&self, host: &str, cursor: Option<i64>) -> Result<(), IndexError> {
        self.index().batch(vec![cursors::keep(host, cursor)]).await
    }

    /// The state of an account that was kept last.
    pub async fn account(&self, did: &str) -> Result<Option<Account>, IndexError> {
        let repo = repos::of(self.index(), did).await?;
        repo.map(|repo| account::read(&repo)).transpose()
    }

    /// At most `limit` accounts that a driver is to [resync](huddle_firehose::ingest::Ingest::resync) when it begins, in
    /// the order of their names, from after one on.
    pub async fn lost(&self, after: &str, limit: u32) -> Result<Vec<Did>, IndexError> {
        repos::lost(self.index(), after, limit).await
    }

    /// At most `limit` accounts that a driver is to [resync](huddle_firehose::ingest::Ingest::resync) for another reason
    /// than its own: to be asked for every now and then. They are in the order of their names, from after one on.
    pub async fn stale(&self, after: &str, limit: u32) -> Result<Vec<Did>, IndexError> {
        repos::stale(self.index(), after, limit).await
    }

    /// Forgets what was kept for long enough: requests that are over, what was told of hosts and never signed, who was to
    /// meet somebody, and lines of the audit.
    pub async fn forget(&self) -> Result<(), IndexError> {
        let now = self.ports.clock.now();
        let mut forget = vec![
            index::requests::forget(now - REQUESTS_KEPT),
            audit::forget(now - AUDIT_KEPT),
            people::part(now - PARTIES_NAMED),
        ];
        forget.extend(unsigned::forget(now - UNSIGNED_KEPT));
        self.index().batch(forget).await
    }

    fn index(&self) -> &dyn Index {
        &*self.ports.index
    }
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

impl fmt::Debug for Indexer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Indexer").finish_non_exhaustive()
    }
}
