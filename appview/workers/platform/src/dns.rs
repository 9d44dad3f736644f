//! DNS over HTTPS (RFC 8484), which is how a Worker asks it. Each question is a request: the addresses of a name are
//! remembered for as long as its records say.

mod message;

use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use data_encoding::BASE64URL_NOPAD;
use futures_util::future::{Either, join, select};
use huddle_ports::{
    Bytes, Cache as _, DnsError, DnsSrv, DnsTxt, FetchError, HeaderMap, HeaderValue, Method, Srv,
    Url, header,
};
use worker::Delay;
use worker::send::SendFuture;

use crate::cache::IsolateCache;
use crate::fetch;
use message::{Kind, Records};

/// How long looking addresses up may take.
const ADDRESSES_TIMEOUT: Duration = Duration::from_millis(2500);

/// For how long addresses are remembered at most: whoever moves a host is not to be kept waiting by a mistake.
const LONGEST_KEPT: Duration = Duration::from_mins(5);

/// The longest DNS message.
const MAX_MESSAGE_BYTES: usize = 65_535;

/// A resolver at a URL. It is asked as configured, whatever the policy for other requests is.
#[derive(Clone, Debug)]
pub struct DnsOverHttps(Url);

impl DnsOverHttps {
    pub(crate) fn new(resolver: Url) -> Self {
        Self(resolver)
    }

    /// Every address of the absolute name `host`.
    pub(crate) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, FetchError> {
        let key = format!("dns/{host}");
        if let Some(kept) = IsolateCache.get(&key).await
            && let Ok(addresses) = serde_json::from_slice(&kept)
        {
            return Ok(addresses);
        }
        let (addresses, ttl) = self.look_up(host).await?;
        if let Ok(kept) = serde_json::to_vec(&addresses) {
            let ttl = ttl.min(LONGEST_KEPT);
            IsolateCache.put(&key, kept.into(), ttl).await;
        }
        Ok(addresses)
    }

    /// The addresses, and for how long they hold.
    async fn look_up(&self, host: &str) -> Result<(Vec<IpAddr>, Duration), FetchError> {
        let of_kind = |kind| self.records(host, kind, ADDRESSES_TIMEOUT);
        let (v4, v6) = match join(of_kind(Kind::A), of_kind(Kind::Aaaa)).await {
            (Ok(v4), Ok(v6)) => (v4, v6),
            (Err(DnsError::BadName), _) => return Err(FetchError::UnknownHost),
            // The platform looks the name up by itself, and may go to an address of the family that was not heard of.
            _ => return Err(FetchError::Resolve),
        };
        let addresses = [v4.addresses, v6.addresses].concat();
        if addresses.is_empty() {
            return Err(FetchError::UnknownHost);
        }
        let ttls = [v4.ttl, v6.ttl].into_iter().flatten();
        Ok((addresses, ttls.min().unwrap_or_default()))
    }

    async fn records(
        &self,
        name: &str,
        kind: Kind,
        timeout: Duration,
    ) -> Result<Records, DnsError> {
        let question = message::question(name, kind)?;
        let deadline = SendFuture::new(Delay::from(timeout));
        match select(pin!(self.exchange(&question)), pin!(deadline)).await {
            Either::Left((answer, _)) => message::read(&answer?, kind).ok_or(DnsError::Failed),
            Either::Right(_) => Err(DnsError::Timeout),
        }
    }

    async fn exchange(&self, question: &[u8]) -> Result<Vec<u8>, DnsError> {
        let mut url = self.0.clone();
        url.query_pairs_mut()
            .append_pair("dns", &BASE64URL_NOPAD.encode(question));
        let mut headers = HeaderMap::new();
        let media_type = HeaderValue::from_static("application/dns-message");
        headers.insert(header::ACCEPT, media_type);
        let mut response = fetch::send(&Method::GET, &url, &headers, &Bytes::new())
            .await
            .map_err(|_| DnsError::Failed)?;
        if !response.status.is_success() {
            return Err(DnsError::Failed);
        }
        let mut message = Vec::new();
        while let Some(chunk) = response.body.chunk().await.map_err(|_| DnsError::Failed)? {
            message.extend_from_slice(&chunk);
            if message.len() > MAX_MESSAGE_BYTES {
                return Err(DnsError::Failed);
            }
        }
        Ok(message)
    }
}

#[async_trait]
impl DnsTxt for DnsOverHttps {
    async fn txt(&self, name: &str, timeout: Duration) -> Result<Vec<String>, DnsError> {
        let records = self.records(name, Kind::Txt, timeout).await?;
        Ok(records.texts)
    }
}

#[async_trait]
impl DnsSrv for DnsOverHttps {
    async fn srv(&self, name: &str, timeout: Duration) -> Result<Vec<Srv>, DnsError> {
        let records = self.records(name, Kind::Srv, timeout).await?;
        Ok(records.services)
    }
}
