//! DNS text records: the one kind of record that the protocol itself reads.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

/// Looks up TXT records.
#[async_trait]
pub trait DnsTxt: Send + Sync {
    /// The TXT records of the absolute `name`, in no particular order.
    ///
    /// One string per record: the character-strings of a record are joined without a separator (RFC
    /// 7208 §3.3 describes the same for SPF), and a record that is not UTF-8 is left out. A name
    /// that does not exist or has no TXT records gives an empty list. After `timeout` the adapter
    /// gives up. It bounds the size of an answer, and does not apply a search list.
    async fn txt(&self, name: &str, timeout: Duration) -> Result<Vec<String>, DnsError>;
}

#[async_trait]
impl<D: DnsTxt + ?Sized> DnsTxt for Arc<D> {
    async fn txt(&self, name: &str, timeout: Duration) -> Result<Vec<String>, DnsError> {
        (**self).txt(name, timeout).await
    }
}

/// Why DNS gave no answer, as opposed to the answer that there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// No server answered in time.
    #[error("the DNS lookup took too long")]
    Timeout,
    /// The servers answered that they could not say, or not in a form that can be read.
    #[error("the DNS lookup failed")]
    Failed,
    /// The name is not a DNS name.
    #[error("not a DNS name")]
    BadName,
}

impl DnsError {
    /// Whether the same question may well be answered later.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::Timeout | Self::Failed => true,
            Self::BadName => false,
        }
    }
}
