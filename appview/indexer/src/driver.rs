//! What a driver of the stream asks for beside the index, for runtimes that leave it to an [`Indexer`]: who accounts
//! are, what is in their repositories, and whose are to be fetched.

use std::sync::Arc;

use huddle_core::index::IndexError;
use huddle_firehose::VerifyingKey;
use huddle_firehose::ingest::{Identity, Unavailable};
use huddle_identity::{DidDocument, Freshness};
use huddle_lexicon::com::atproto::sync::get_repo::{Error, GetRepo, Params};
use huddle_ports::FetchLimits;
use huddle_syntax::Did;
use huddle_xrpc::client::{Client, ClientError};

use crate::Indexer;

/// So many accounts are handed to a driver at a time, to be fetched.
const WANTED: u32 = 500;

impl Indexer {
    /// The key of an account and where it is hosted, whatever is remembered of it.
    pub async fn identity(&self, did: &str) -> Result<Identity, Unavailable> {
        let (_, document) = self.document(did, Freshness::Fresh).await?;
        let key = document.signing_key().map_err(|_| Unavailable::AtAll)?;
        let key = VerifyingKey::from_multikey(&key.to_multikey());
        let pds = document.pds().ok();
        Ok(Identity {
            key: key.map_err(|_| Unavailable::AtAll)?,
            host: pds.and_then(|pds| pds.host_str().map(Arc::from)),
        })
    }

    /// The repository of an account as CAR, within limits.
    pub async fn repository(&self, did: &str, limits: FetchLimits) -> Result<Vec<u8>, Unavailable> {
        // The identity was looked up not long ago, and the document with it.
        let (did, document) = self.document(did, Freshness::Cached).await?;
        let pds = document.pds().map_err(|_| Unavailable::AtAll)?;
        let client = Client::new(self.ports.fetch.clone(), pds).with_limits(limits);
        match client.query::<GetRepo>(&Params::new(did)).await {
            Ok(response) => Ok(response.output.bytes),
            Err(ClientError::Declared(refused)) => Err(match refused.error {
                Error::RepoDeactivated | Error::RepoSuspended | Error::RepoTakendown => {
                    Unavailable::Inactive
                }
                Error::RepoNotFound => Unavailable::AtAll,
            }),
            Err(error) => Err(unavailable(error.is_retryable())),
        }
    }

    async fn document(
        &self,
        did: &str,
        freshness: Freshness,
    ) -> Result<(Did, DidDocument), Unavailable> {
        let did: Did = did.parse().map_err(|_| Unavailable::AtAll)?;
        match self.ports.identity.resolve_did(&did, freshness).await {
            Ok(document) => Ok((did, document)),
            Err(error) => Err(unavailable(error.is_retryable())),
        }
    }
}

/// Whose repositories a driver is to fetch, told some at a time: first those that had lost track before it began, and
/// then whoever turns out to be held wrongly.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The last account that was told of those that had lost track; `None` once they are through.
    lost_after: Option<String>,
}

impl Default for Wanted {
    /// For a driver that begins.
    fn default() -> Self {
        Self {
            lost_after: Some(String::new()),
        }
    }
}

impl Wanted {
    /// The next of them. Where the index cannot tell, they are told the next time.
    pub async fn next(&mut self, indexer: &Indexer) -> Result<Vec<Did>, IndexError> {
        let Some(after) = &self.lost_after else {
            return indexer.stale("", WANTED).await;
        };
        let lost = indexer.lost(after, WANTED).await?;
        self.lost_after = lost.last().map(Did::to_string);
        Ok(lost)
    }
}

fn unavailable(is_retryable: bool) -> Unavailable {
    if is_retryable {
        Unavailable::ForNow
    } else {
        Unavailable::AtAll
    }
}
