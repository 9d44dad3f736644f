//! Who accounts are, for whoever names one that nobody may have met yet.

use async_trait::async_trait;
use huddle_syntax::{AtIdentifier, Did};

/// Finds accounts.
#[async_trait]
pub trait Directory: Send + Sync {
    /// The account with this handle or DID, what it offers being in the index as far as that could be had now; `None`
    /// if there is no such account.
    async fn find(&self, who: &AtIdentifier) -> Result<Option<Did>, DirectoryError>;

    /// Finds out what somebody is called, for the index to know. By default nothing is found out.
    async fn name(&self, _who: &Did) -> Result<(), DirectoryError> {
        Ok(())
    }
}

/// Nobody can say now whether there is such an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the account could not be looked up: {0}")]
pub struct DirectoryError(pub String);
