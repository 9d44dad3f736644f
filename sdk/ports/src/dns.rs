//! DNS records that say more than an address: texts, which the protocol itself reads, and where a service is.

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

/// Looks up SRV records.
#[async_trait]
pub trait DnsSrv: Send + Sync {
    /// The SRV records of the absolute `name`, such as `_caldavs._tcp.example.com`, in no particular order: all that
    /// [`DnsTxt::txt`] says of names, time and size is so here.
    async fn srv(&self, name: &str, timeout: Duration) -> Result<Vec<Srv>, DnsError>;
}

#[async_trait]
impl<D: DnsSrv + ?Sized> DnsSrv for Arc<D> {
    async fn srv(&self, name: &str, timeout: Duration) -> Result<Vec<Srv>, DnsError> {
        (**self).srv(name, timeout).await
    }
}

/// Where a service of a domain is (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    /// Of several, the lowest is asked first.
    pub priority: u16,
    /// How much of what goes to those of one priority.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host, without the dot at its end: empty where the service is decidedly not to be had.
    pub target: String,
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
