//! Why it is not known who somebody is.

use huddle_ports::FetchError;
use serde::{Deserialize, Serialize};

use crate::did_document::DocumentError;

/// Why it is not known who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum IdentityError {
    /// There is no such DID or handle (any more).
    #[error("there is no such DID or handle")]
    NotFound,
    /// A DID of a method or a form, or a handle under a domain, that the protocol does not resolve.
    #[error("a DID or handle of this kind is not resolved")]
    Unsupported,
    /// It leads to a host that must not be asked.
    #[error("the DID or handle leads to a host that is not allowed")]
    NotAllowed,
    /// It leads to a host whose certificate is not that host's.
    #[error("the DID or handle leads to a host without a valid certificate")]
    Certificate,
    /// A handle for which more than one DID, or something that is not a DID, is named.
    #[error("the handle does not name exactly one DID")]
    UnclearHandle,
    /// A handle that names a DID whose document does not claim the handle.
    #[error("the DID does not claim the handle")]
    HandleNotClaimed,
    /// What was answered is not the DID's document, or has not what is needed.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// No answer now: it says nothing about the DID or handle.
    #[error("the DID or handle cannot be looked up now")]
    Unavailable,
    /// Nobody was asked, because too many others are being looked up at this moment.
    #[error("too many DIDs and handles are being looked up, ask again in a few seconds")]
    Busy,
    /// Nobody was asked, because nobody was to be: see [`Freshness::Known`](crate::Freshness::Known).
    #[error("the DID or handle is not known here, and nobody was asked")]
    NotKnown,
}

impl IdentityError {
    /// Whether the same question may well be answered later.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Unavailable | Self::Busy | Self::NotKnown)
    }
}

impl From<FetchError> for IdentityError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Blocked(_) => Self::NotAllowed,
            FetchError::UnknownHost => Self::NotFound,
            FetchError::Certificate(_) => Self::Certificate,
            FetchError::TooLarge { .. } => Self::Document(DocumentError::TooLong),
            FetchError::Redirect(_) => Self::Document(DocumentError::NotADocument),
            FetchError::Resolve
            | FetchError::Connect(_)
            | FetchError::Timeout
            | FetchError::Broken(_) => Self::Unavailable,
        }
    }
}
