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
    /// that does not exist or has no TXT records gives an empty list, and one that is an alias (`CNAME`) the records of
    /// what it stands for. What is a name, [`dns_labels`] says. After `timeout` the adapter
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
    /// [`DnsTxt::txt`] says of names, time and size is so here. A record whose target is no name of a host is left out.
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

/// The labels of the absolute `name`, whose dot at the end may be left out: what is asked about, by whatever adapter.
///
/// Hosts and services are called by letters, digits, `-` and `_` (RFC 952, RFC 2782), by labels of up to 63 octets and
/// 255 in all, with the length of each (RFC 1035 §2.3.4). Anything else is [`DnsError::BadName`]: the root, too, and
/// escapes, for which each library has a grammar of its own.
///
/// ```
/// use huddle_ports::{DnsError, dns_labels};
///
/// assert_eq!(dns_labels("_atproto.ana.test."), Ok(vec!["_atproto", "ana", "test"]));
/// assert_eq!(dns_labels("ana..test"), Err(DnsError::BadName));
/// ```
pub fn dns_labels(name: &str) -> Result<Vec<&str>, DnsError> {
    const MAX_LABEL: usize = 63;
    /// Without the length of the first label and that of the root.
    const MAX_NAME: usize = 253;

    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &&str| {
        let mut bytes = label.bytes();
        (1..=MAX_LABEL).contains(&label.len())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let labels: Vec<&str> = name.split('.').collect();
    if name.len() <= MAX_NAME && labels.iter().all(is_label) {
        Ok(labels)
    } else {
        Err(DnsError::BadName)
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
    /// The name is not a DNS name, as [`dns_labels`] says: nobody was asked.
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
