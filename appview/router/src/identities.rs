//! Who accounts are, by their own documents.

use async_trait::async_trait;
use huddle_core::directory::{Directory, DirectoryError};
use huddle_identity::{Freshness, IdentityResolver};
use huddle_syntax::{AtIdentifier, Did};

/// Finds accounts by their handles and documents. Of their offers it knows nothing: those are in the index once the
/// firehose has told of them.
#[derive(Debug)]
pub struct Identities(pub IdentityResolver);

#[async_trait]
impl Directory for Identities {
    async fn find(&self, who: &AtIdentifier) -> Result<Option<Did>, DirectoryError> {
        match self.0.resolve_identity(who, Freshness::Cached).await {
            Ok(identity) => Ok(Some(identity.did)),
            Err(error) if error.is_retryable() => Err(DirectoryError(error.to_string())),
            Err(_) => Ok(None),
        }
    }
}
