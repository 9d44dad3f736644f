//! Asking the network who somebody is: one look-up of a DID or a handle.

use std::sync::Arc;
use std::time::Duration;

use huddle_ports::{
    Clock, DnsError, DnsTxt, Fetch, FetchError, FetchLimits, HeaderValue, Request, StatusCode, Url,
    header,
};
use huddle_syntax::{Did, Handle};

use super::{IdentityConfig, IdentityError, RESOLUTION_TIMEOUT};
use crate::did_document::{DidDocument, DocumentError};
use crate::did_web;
use crate::handle_domain::{self, Claim};

/// The longest DID and some white space.
const MAX_WELL_KNOWN_BYTES: usize = 4096;

/// Asks, and keeps nothing.
pub(super) struct Lookup {
    pub(super) fetch: Arc<dyn Fetch>,
    pub(super) dns: Arc<dyn DnsTxt>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) config: Arc<IdentityConfig>,
}

impl Lookup {
    /// How long one look-up may take.
    pub(super) fn timeout(&self) -> Duration {
        self.config.lookup_timeout.min(RESOLUTION_TIMEOUT)
    }

    /// Where the document of `did` is.
    pub(super) fn document_url(&self, did: &Did) -> Result<Url, IdentityError> {
        match did.method() {
            "plc" if is_plc_id(did.method_specific_id()) => {
                let mut url = self.config.plc_directory.clone();
                url.path_segments_mut()
                    .map_err(|()| IdentityError::Unsupported)?
                    .pop_if_empty()
                    .push(did.as_str());
                Ok(url)
            }
            "web" => {
                did_web::document_url(did, &self.config.policy).ok_or(IdentityError::Unsupported)
            }
            _ => Err(IdentityError::Unsupported),
        }
    }

    /// The document of `did`, which is at `url`.
    pub(super) async fn document(&self, did: &Did, url: Url) -> Result<DidDocument, IdentityError> {
        const ACCEPT: HeaderValue =
            HeaderValue::from_static("application/did+ld+json, application/json");
        let request = Request::get(url)
            .header(header::ACCEPT, ACCEPT)
            .limits(FetchLimits {
                timeout: self.timeout(),
                max_response_bytes: DidDocument::MAX_BYTES,
                max_redirects: 0,
            });
        let is_listed = is_listed(did);
        let response = match self.fetch.fetch(request).await {
            Ok(response) => response,
            // A directory that does not answer as it should says nothing about the DIDs in it; the
            // host of a did:web is the DID.
            Err(_) if is_listed => return Err(IdentityError::Unavailable),
            Err(error) => return Err(error.into()),
        };
        match response.status {
            StatusCode::OK => match DidDocument::from_json(did, &response.body) {
                Err(DocumentError::NotADocument | DocumentError::TooLong) if is_listed => {
                    Err(IdentityError::Unavailable)
                }
                document => Ok(document?),
            },
            // The directory answers 410 for a DID that was tombstoned.
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::BAD_REQUEST => {
                Err(IdentityError::NotFound)
            }
            _ => Err(IdentityError::Unavailable),
        }
    }

    /// The DID that the domain of `handle` names; `well_known` is the page of its own host.
    ///
    /// Asks DNS first: what it says counts. The host is asked only if DNS says nothing.
    pub(super) async fn handle(
        &self,
        handle: &Handle,
        well_known: Url,
    ) -> Result<Did, IdentityError> {
        let started = self.clock.now();
        let claim = self.text_record(handle).await;
        let elapsed = self.clock.now().since(started);
        let rest = self.timeout().saturating_sub(elapsed);
        match claim {
            Ok(Claim::Of(did)) => Ok(did),
            Ok(Claim::Unclear) => Err(IdentityError::UnclearHandle),
            Ok(Claim::Nothing) => self.well_known(well_known, rest).await,
            // A refusal of the host's is not the last word: DNS might have named a DID.
            Err(_) => self
                .well_known(well_known, rest)
                .await
                .map_err(|_| IdentityError::Unavailable),
        }
    }

    /// What DNS says of `handle`, or that it says nothing now.
    async fn text_record(&self, handle: &Handle) -> Result<Claim, DnsError> {
        let Some(name) = handle_domain::text_record_name(handle) else {
            return Ok(Claim::Nothing);
        };
        match self.dns.txt(&name, self.timeout() / 2).await {
            Ok(records) => Ok(handle_domain::read_txt(&records)),
            Err(error) if error.is_retryable() => Err(error),
            // Where there can be no record there is none.
            Err(_) => Ok(Claim::Nothing),
        }
    }

    async fn well_known(&self, url: Url, timeout: Duration) -> Result<Did, IdentityError> {
        // "HTTP redirects are allowed, up to a reasonable number of redirect hops"
        // (https://atproto.com/specs/handle#https-well-known-method), to other hosts too: that of
        // `example.com` often stands at `www.example.com`.
        let request = Request::get(url).limits(FetchLimits {
            timeout,
            max_response_bytes: MAX_WELL_KNOWN_BYTES,
            max_redirects: 5,
        });
        let response = match self.fetch.fetch(request).await {
            Ok(response) => response,
            // Long pages and redirects in circles are pages about something else.
            Err(FetchError::TooLarge { .. } | FetchError::Redirect(_)) => {
                return Err(IdentityError::NotFound);
            }
            Err(error) => return Err(error.into()),
        };
        let status = response.status;
        if status.is_success() {
            handle_domain::read_well_known(&response.body).ok_or(IdentityError::NotFound)
        } else if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            Err(IdentityError::Unavailable)
        } else {
            Err(IdentityError::NotFound)
        }
    }
}

/// Whether the document of `did` is in the directory, and not at a host that its owner chose.
pub(super) fn is_listed(did: &Did) -> bool {
    did.method() == "plc"
}

/// The identifiers of `did:plc`: 24 characters of base32
/// (<https://web.plc.directory/spec/v0.1/did-plc>).
fn is_plc_id(id: &str) -> bool {
    id.len() == 24 && id.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
}
