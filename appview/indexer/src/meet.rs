//! Meeting whoever somebody names before any event did.

use std::time::Duration;

use async_trait::async_trait;
use huddle_core::directory::{Directory, DirectoryError};
use huddle_core::index::{IndexError, hosts, repos};
use huddle_firehose::ingest::Change;
use huddle_identity::{Freshness, IdentityError};
use huddle_ports::Bytes;
use huddle_syntax::{AtIdentifier, Did};

use crate::host::HostError;
use crate::take_over::Takeover;
use crate::{Indexer, LeftOut};

/// For how long an account that has published nothing of ours is not asked again.
const NOBODY_FOR: Duration = Duration::from_mins(10);

/// What is known of an account that was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Met {
    /// It was known already.
    Known,
    /// It has published something, which is in the index now but for the records that are wrong.
    Indexed(Vec<LeftOut>),
    /// It has published nothing that is of interest.
    Nothing,
    /// Its host has told nothing, and why.
    Untold(HostError),
}

impl Indexer {
    /// Puts into the index what an account offers that nothing is known of, as its host tells it, until its repository is
    /// fetched: from now on it is followed. Of an account that has published nothing of ours nothing is kept, or
    /// whoever can name accounts could have us fetch all of the network.
    pub async fn meet(&self, did: &Did) -> Result<Met, IndexError> {
        if repos::of(self.index(), did.as_str()).await?.is_some() {
            return Ok(Met::Known);
        }
        let nobody = format!("indexer/nobody/{did}");
        if self.ports.cache.get(&nobody).await.is_some() {
            return Ok(Met::Nothing);
        }
        match self.published(did).await {
            Err(why) => Ok(Met::Untold(why)),
            Ok(published) if published.is_empty() => {
                let cache = &self.ports.cache;
                cache.put(&nobody, Bytes::new(), NOBODY_FOR).await;
                Ok(Met::Nothing)
            }
            Ok(published) => self.begin(did, &published).await.map(Met::Indexed),
        }
    }

    async fn begin(&self, did: &Did, published: &[Change]) -> Result<Vec<LeftOut>, IndexError> {
        let mut change = Takeover::at(self.ports.clock.now());
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

fn unclear(error: IdentityError) -> DirectoryError {
    DirectoryError(error.to_string())
}
