//! Whether what is held is still what accounts have published: events can get lost in ways that nobody notices.

use std::collections::BTreeSet;
use std::time::Duration;

use huddle_core::index::{IndexError, offers, repos, requests};
use huddle_firehose::ingest::Change;
use huddle_lexicon::com::huddle::booking_request::BookingRequest;
use huddle_ports::FetchLimits;
use huddle_syntax::Did;
use huddle_syntax::schema::{Data as _, Record as _};

use crate::Indexer;
use crate::host::HostError;
use crate::records::{Entries, OFFERS};
use crate::requests::untimely;

/// For how long an account is left alone that was looked at.
const REST: Duration = Duration::from_hours(24);
/// So many pages of each collection are asked for: what somebody has published who has more is not compared.
const MOST_PAGES: u32 = 5;

/// What looking at some accounts has shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// Of so many, what is held is what they have published.
    pub same: u32,
    /// Of so many it is not: their repositories are to be fetched.
    pub different: u32,
    /// Of so many the host has told nothing, or they have published too much to be compared.
    pub untold: u32,
}

impl Indexer {
    /// Compares what is held of at most `limit` accounts, those that were not looked at for longest, with what their hosts
    /// say. Where it is something else, the repository is to be fetched.
    pub async fn check_drift(&self, limit: u32) -> Result<Drift, IndexError> {
        let now = self.ports.clock.now();
        let mut drift = Drift::default();
        for did in repos::unchecked(self.index(), now - REST, limit).await? {
            let seen = self.compare(&did).await?;
            match seen {
                Ok(true) => drift.same += 1,
                Ok(false) => drift.different += 1,
                Err(_) => drift.untold += 1,
            }
            let mut statements = vec![repos::compared(did.as_str(), now)];
            // One that is not there any more has not said so, or it was not heard: fetching it tells.
            let is_doubtful = matches!(seen, Ok(false) | Err(HostError::NoAccount));
            statements.extend(is_doubtful.then(|| repos::distrust(did.as_str())));
            self.index().batch(statements).await?;
        }
        Ok(drift)
    }

    /// Whether what is held of an account is what its host says.
    async fn compare(&self, did: &Did) -> Result<Result<bool, HostError>, IndexError> {
        let (published, are_requests_all) = match self.published(did).await {
            Ok((published, are_requests_all)) => {
                let published = Entries::read(did, &published, self.ports.record_bytes);
                (published, are_requests_all)
            }
            Err(why) => return Ok(Err(why)),
        };
        if published.offers.len() > usize::try_from(offers::MOST_OF_A_HOST).unwrap_or(usize::MAX) {
            // Of so many not all are held.
            return Ok(Err(HostError::Unavailable));
        }
        let held: BTreeSet<_> = repos::held(self.index(), did).await?.into_iter().collect();
        let held_requests = repos::held_requests(self.index(), did).await?;
        let held_requests: BTreeSet<_> = held_requests.into_iter().collect();
        let offered = published.offers.into_iter();
        let offered = offered.filter_map(|entry| Some((entry.uri, entry.content?.cid)));
        let services = published.services.into_iter().flatten();
        let services = services.map(|it| (format!("at://{did}/com.huddle.service/self"), it.cid));
        let requested = self.requested(published.requests, &held_requests);
        let is_same = held == offered.chain(services).collect();
        Ok(Ok(
            is_same && (!are_requests_all || held_requests == requested)
        ))
    }

    /// The versions of requests by address. Of those that would be ignored now because of when they were made none is
    /// missed.
    fn requested(
        &self,
        published: Vec<requests::Entry>,
        held: &BTreeSet<(String, String)>,
    ) -> BTreeSet<(String, String)> {
        let now = self.ports.clock.now();
        let version = |entry: requests::Entry| {
            let content = entry.content?;
            let is_timely = || {
                let record = BookingRequest::from_json(content.record.as_bytes());
                record.is_ok_and(|record| untimely(&record, now).is_none())
            };
            let request = (entry.uri, content.version);
            (held.contains(&request) || is_timely()).then_some(request)
        };
        published.into_iter().filter_map(version).collect()
    }

    /// All of an account that is of interest, as its own host tells it, and whether all its requests are among that: of
    /// these, old ones stay published for ever.
    async fn published(&self, did: &Did) -> Result<(Vec<Change>, bool), HostError> {
        let pds = self.pds_of(did, FetchLimits::default()).await?;
        let service = pds.service().await?;
        let offered = pds.list(&OFFERS, MOST_PAGES).await?;
        if !offered.are_all {
            // A part of it would always differ from what is held.
            return Err(HostError::Unavailable);
        }
        let requested = pds.list(&[BookingRequest::NSID], MOST_PAGES).await?;
        let mut published = offered.records;
        published.extend(requested.records);
        published.extend(service);
        Ok((published, requested.are_all))
    }
}
