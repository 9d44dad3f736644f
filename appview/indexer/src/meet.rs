//! Meeting whoever somebody names before any event did.

mod meetings;

use std::time::Duration;

use async_trait::async_trait;
use huddle_core::directory::{Directory, DirectoryError};
use huddle_core::index::{IndexError, hosts, repos};
use huddle_firehose::ingest::Change;
use huddle_identity::{Freshness, IdentityError};
use huddle_ports::{Bytes, FetchLimits};
use huddle_syntax::{AtIdentifier, Did};

use crate::host::HostError;
use crate::records::OFFERS;
use crate::{Indexer, LeftOut};

pub(crate) use meetings::Meetings;

/// What one question may cost: whoever names an account chooses who is asked.
const LIMITS: FetchLimits = FetchLimits {
    timeout: Duration::from_secs(3),
    max_response_bytes: 512 << 10,
    max_redirects: 0,
};
/// What is remembered of an account that was met in vain, under which name, and for how long it is not asked again.
const IN_VAIN: [(Met, &str, Duration); 3] = [
    (Met::Nothing, "nothing", Duration::from_mins(10)),
    (
        Met::Untold(HostError::NoAccount),
        "noAccount",
        Duration::from_mins(1),
    ),
    (
        Met::Untold(HostError::Unavailable),
        "unavailable",
        Duration::from_mins(1),
    ),
];

/// What is known of an account that was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Met {
    /// It was known already.
    Known,
    /// It is a host, and what it has published is in the index now but for the records that are wrong.
    Indexed(Vec<LeftOut>),
    /// It is no host: it has named nobody to serve it.
    Nothing,
    /// Its host has told nothing, and why.
    Untold(HostError),
}

impl Indexer {
    /// Puts into the index what a host offers of whom nothing is known, as its own host tells it, until its repository
    /// is fetched: from now on it is followed. Of an account that has named nobody to serve it nothing is kept, or
    /// whoever can name accounts could have us fetch all of the network.
    pub async fn meet(&self, did: &Did) -> Result<Met, IndexError> {
        if repos::of(self.index(), did.as_str()).await?.is_some() {
            return Ok(Met::Known);
        }
        if let Some(met) = self.met_in_vain(did).await {
            return Ok(met);
        }
        let met = self
            .meetings
            .join(did, || self.clone().introduce(did.clone()));
        match met {
            Some(met) => met.await,
            None => Ok(Met::Untold(HostError::Unavailable)),
        }
    }

    /// What came of meeting an account not long ago, if that was nothing.
    async fn met_in_vain(&self, did: &Did) -> Option<Met> {
        let mark = self.ports.cache.get(&in_vain(did)).await?;
        IN_VAIN
            .into_iter()
            .find(|(_, name, _)| mark == name.as_bytes())
            .map(|(met, ..)| met)
    }

    /// Asks the host of an account that nothing is known of.
    async fn introduce(self, did: Did) -> Result<Met, IndexError> {
        let met = match self.offered(&did).await {
            Err(why) => Met::Untold(why),
            Ok(offered) if offered.is_empty() => Met::Nothing,
            Ok(offered) => return self.begin(&did, &offered).await.map(Met::Indexed),
        };
        let mark = IN_VAIN.into_iter().find(|(it, ..)| *it == met);
        if let Some((_, name, keep)) = mark {
            let name = Bytes::from_static(name.as_bytes());
            self.ports.cache.put(&in_vain(&did), name, keep).await;
        }
        Ok(met)
    }

    /// Who serves an account and the first of what it offers; nothing, if nobody serves it.
    async fn offered(&self, did: &Did) -> Result<Vec<Change>, HostError> {
        let pds = self.pds_of(did, LIMITS).await?;
        let Some(service) = pds.service().await? else {
            return Ok(Vec::new());
        };
        let mut offered = pds.list(&OFFERS, 1).await?.records;
        offered.push(service);
        Ok(offered)
    }

    async fn begin(&self, did: &Did, published: &[Change]) -> Result<Vec<LeftOut>, IndexError> {
        let mut change = self.takeover();
        // Whatever has been signed is newer.
        change.changes(did, "", published)?;
        change.statements.push(repos::follow(did.as_str()));
        change.statements.extend(hosts::refresh(did.as_str()));
        self.index().batch(change.statements).await?;
        Ok(change.taken.left_out)
    }
}

#[async_trait]
impl Directory for Indexer {
    async fn find(&self, who: &AtIdentifier) -> Result<Option<Did>, DirectoryError> {
        let did = match who {
            AtIdentifier::Did(did) => did.clone(),
            AtIdentifier::Handle(_) => match self.resolve(who).await? {
                Some(did) => did,
                None => return Ok(None),
            },
        };
        match self.meet(&did).await {
            Ok(Met::Known | Met::Indexed(_) | Met::Nothing) => Ok(Some(did)),
            // There may be such an account and its host be away: then it offers nothing now.
            Ok(Met::Untold(_)) => self.resolve(&did.into()).await,
            Err(error) => Err(DirectoryError(error.to_string())),
        }
    }

    async fn name(&self, who: &Did) -> Result<(), DirectoryError> {
        let named = self.find_out_name(who, self.ports.clock.now()).await;
        named.map_err(|error| DirectoryError(error.to_string()))
    }
}

impl Indexer {
    async fn resolve(&self, who: &AtIdentifier) -> Result<Option<Did>, DirectoryError> {
        let identity = &self.ports.identity;
        match identity.resolve_identity(who, Freshness::Cached).await {
            Ok(identity) => Ok(Some(identity.did)),
            Err(error) if error.is_retryable() => Err(unclear(error)),
            Err(_) => Ok(None),
        }
    }
}

fn in_vain(did: &Did) -> String {
    format!("indexer/met-in-vain/{did}")
}

fn unclear(error: IdentityError) -> DirectoryError {
    DirectoryError(error.to_string())
}
