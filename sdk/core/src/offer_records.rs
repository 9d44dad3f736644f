//! Offers as records in the repositories of those who have signed in.

use async_trait::async_trait;
use huddle_ports::Timestamp;
use huddle_syntax::data::Map;
use huddle_syntax::{AtUri, Cid, Nsid};

use crate::idempotency::Key;

/// Writes to the repositories of people who have let it.
///
/// The caller of a request is whose repository it is. A request that comes again with the same key writes nothing
/// twice, and what is written or taken away is so in the index, too, before the answer goes out.
#[async_trait]
pub trait OfferRecords: Send + Sync {
    /// Writes a new record, which has been checked.
    async fn create(
        &self,
        request: &Key,
        collection: &Nsid,
        record: &Map,
    ) -> Result<Result<(AtUri, Cid), WriteRefused>, WriteFailed>;

    /// Takes a record away, which is the caller's.
    async fn delete(
        &self,
        request: &Key,
        uri: &AtUri,
    ) -> Result<Result<(), WriteRefused>, WriteFailed>;
}

/// Why nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteRefused {
    /// They have not signed in here, or have not allowed this.
    #[error("there is no session that may write to the repository")]
    NoAccess,
    /// Their PDS did not answer, or refused.
    #[error("the repository cannot be written at present")]
    Unavailable,
    /// There is no such record.
    #[error("there is no such record")]
    NotFound,
    /// The key came with another body before.
    #[error("the key came with another request before")]
    Mismatch,
    /// The first request with this key is still running.
    #[error("the first request with this key still runs")]
    InFlight {
        /// When it can be sent again.
        retry_at: Timestamp,
    },
}

/// What is needed to write is out of order here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record could not be written: {0}")]
pub struct WriteFailed(pub String);

/// Where nobody can sign in, nothing is written for anybody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NobodySignsIn;

#[async_trait]
impl OfferRecords for NobodySignsIn {
    async fn create(
        &self,
        _: &Key,
        _: &Nsid,
        _: &Map,
    ) -> Result<Result<(AtUri, Cid), WriteRefused>, WriteFailed> {
        Ok(Err(WriteRefused::NoAccess))
    }

    async fn delete(&self, _: &Key, _: &AtUri) -> Result<Result<(), WriteRefused>, WriteFailed> {
        Ok(Err(WriteRefused::NoAccess))
    }
}
