//! DNS, asked directly of the configured servers: no search list, and a bounded time.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::rdata::TXT;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use huddle_ports::{DnsError, DnsSrv, DnsTxt, FetchError, Srv, dns_labels};

/// Finds the addresses of hosts, for a transport.
#[async_trait]
pub trait AddressLookup: Send + Sync {
    /// Every address of the absolute name `host`, whatever it is: the caller vets them.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, FetchError>;
}

/// DNS by the servers that the system, or somebody else, names.
///
/// Answers are remembered for a minute at most, that there is nothing for half of that, so that a
/// new handle or a moved host is found soon. `localhost` and `/etc/hosts` are answered without
/// asking.
#[derive(Clone)]
pub struct SystemDns {
    resolver: TokioResolver,
}

/// DNS cannot be set up: the system's configuration cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("DNS cannot be set up: {0}")]
pub struct DnsSetupError(String);

/// How long looking addresses up may take, over all servers and attempts. A server that never
/// answers for one family, as some do, leaves time to connect to the other.
const ADDRESSES_TIMEOUT: Duration = Duration::from_millis(2500);

impl SystemDns {
    /// The servers that the system is configured with, for example in `/etc/resolv.conf`.
    pub fn new() -> Result<Self, DnsSetupError> {
        let mut builder = TokioResolver::builder_tokio().map_err(|error| setup_error(&error))?;
        set_options(builder.options_mut());
        let resolver = builder.build().map_err(|error| setup_error(&error))?;
        Ok(Self { resolver })
    }

    /// These servers, asked over UDP, or over TCP where an answer is too long for it.
    pub fn with_servers(servers: &[SocketAddr]) -> Result<Self, DnsSetupError> {
        let servers = servers.iter().map(|server| {
            let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
            for connection in &mut connections {
                connection.port = server.port();
            }
            NameServerConfig::new(server.ip(), true, connections)
        });
        let config = ResolverConfig::from_name_servers(servers.collect());
        let provider = TokioRuntimeProvider::default();
        let mut builder = TokioResolver::builder_with_config(config, provider);
        set_options(builder.options_mut());
        let resolver = builder.build().map_err(|error| setup_error(&error))?;
        Ok(Self { resolver })
    }
}

fn setup_error(error: &NetError) -> DnsSetupError {
    DnsSetupError(error.to_string())
}

fn set_options(options: &mut ResolverOpts) {
    // So that a lost packet leaves time for another in the shortest look-ups.
    options.timeout = Duration::from_millis(800);
    options.attempts = 2;
    // In answers, each of up to 64 KiB that somebody else wrote.
    options.cache_size = 256;
    options.positive_max_ttl = Some(Duration::from_mins(1));
    options.negative_max_ttl = Some(Duration::from_secs(30));
}

/// `text` as an absolute name, to which no search list applies.
fn absolute_name(text: &str) -> Result<Name, DnsError> {
    let labels = dns_labels(text)?.into_iter().map(str::as_bytes);
    Name::from_labels(labels).map_err(|_| DnsError::BadName)
}

/// The name of a host, without the dot at its end: empty for the root, and none if no host can be called so.
fn host(name: &Name) -> Option<String> {
    if name.is_root() {
        return Some(String::new());
    }
    // Whatever no host has in its name is escaped here.
    let text = name.to_ascii();
    let labels = dns_labels(&text).ok()?;
    Some(labels.join("."))
}

impl SystemDns {
    /// The records of `name` of one type; none if the servers say that there are none.
    async fn records(
        &self,
        name: Name,
        record_type: RecordType,
        timeout: Duration,
    ) -> Result<Vec<RData>, DnsError> {
        let lookup = self.resolver.lookup(name, record_type);
        match tokio::time::timeout(timeout, lookup).await {
            Ok(Ok(lookup)) => {
                let records = lookup.answers().iter();
                Ok(records.map(|record| record.data.clone()).collect())
            }
            Ok(Err(error)) if error.is_no_records_found() => Ok(Vec::new()),
            Ok(Err(NetError::Timeout)) | Err(_) => Err(DnsError::Timeout),
            Ok(Err(_)) => Err(DnsError::Failed),
        }
    }
}

#[async_trait]
impl AddressLookup for SystemDns {
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, FetchError> {
        let name = absolute_name(host).map_err(|_| FetchError::UnknownHost)?;
        let of_type = |record_type| self.records(name.clone(), record_type, ADDRESSES_TIMEOUT);
        let (v4, v6) = tokio::join!(of_type(RecordType::A), of_type(RecordType::AAAA));
        let is_partial = v4.is_err() || v6.is_err();
        let records = [v4, v6].into_iter().flatten().flatten();
        let addresses: Vec<IpAddr> = records.filter_map(|record| record.ip_addr()).collect();
        if !addresses.is_empty() {
            Ok(addresses)
        } else if is_partial {
            // The family that was not heard of may be the one that the host has.
            Err(FetchError::Resolve)
        } else {
            Err(FetchError::UnknownHost)
        }
    }
}

#[async_trait]
impl DnsTxt for SystemDns {
    async fn txt(&self, name: &str, timeout: Duration) -> Result<Vec<String>, DnsError> {
        let name = absolute_name(name)?;
        let records = self.records(name, RecordType::TXT, timeout).await?;
        let texts = records.iter().filter_map(|record| match record {
            RData::TXT(txt) => joined(txt),
            _ => None,
        });
        Ok(texts.collect())
    }
}

#[async_trait]
impl DnsSrv for SystemDns {
    async fn srv(&self, name: &str, timeout: Duration) -> Result<Vec<Srv>, DnsError> {
        let name = absolute_name(name)?;
        let records = self.records(name, RecordType::SRV, timeout).await?;
        let services = records.iter().filter_map(|record| match record {
            RData::SRV(service) => Some(Srv {
                priority: service.priority,
                weight: service.weight,
                port: service.port,
                target: host(&service.target)?,
            }),
            _ => None,
        });
        Ok(services.collect())
    }
}

/// The text of a record: its character-strings one after the other.
fn joined(txt: &TXT) -> Option<String> {
    String::from_utf8(txt.txt_data.concat()).ok()
}

impl std::fmt::Debug for SystemDns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SystemDns").finish_non_exhaustive()
    }
}
