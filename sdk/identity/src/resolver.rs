//! Finding out who somebody is: DID documents and handles, over the network, kept for a while.
//!
//! **What is kept, and for how long.** Answers are kept in the [`Cache`] for ten minutes, refusals
//! ("there is no such DID") for thirty seconds, failures ("the directory did not answer") for five.
//! Nothing is used for longer because asking again fails: a key that was revoked stops working in
//! ten minutes, also when somebody keeps us from hearing of it. An entry carries its own age, so a
//! cache that keeps it longer changes nothing.
//!
//! **Asking again.** [`Freshness::Fresh`] asks again, but not within thirty seconds of having
//! asked: a stranger who sends nonsense in somebody's name must not make us ask at that rate. When
//! asking again fails, what was known stays.
//!
//! **Asking once.** Those who ask for the same at the same time share one request. On a platform
//! where a request may not wait for what another one began (Workers), make a resolver per request;
//! they share the cache.

mod flights;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use huddle_ports::{
    Cache, Clock, DnsTxt, Fetch, FetchError, FetchLimits, FetchPolicy, HeaderValue, Request,
    StatusCode, Timestamp, Url, header,
};
use huddle_syntax::{AtIdentifier, Did, Handle};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::crypto::PublicKey;
use crate::did_document::{DidDocument, DocumentError};
use crate::did_web;
use crate::handle_domain::{self, Claim};
use crate::service_auth::SigningKeys;
use flights::Flights;

/// How an [`IdentityResolver`] asks, and how long it believes.
#[derive(Clone, Debug)]
pub struct IdentityConfig {
    /// The `did:plc` directory. It is asked as configured: the policy does not apply to its URL
    /// here, but does in a `GuardedFetch`.
    pub plc_directory: Url,
    /// Whom a document or a handle may point to. In development `did:web:localhost` and `.test`
    /// handles resolve too.
    pub policy: FetchPolicy,
    /// How long an answer about a DID is used.
    pub document_ttl: Duration,
    /// How long an answer about a handle is used.
    pub handle_ttl: Duration,
    /// How long a definite refusal is used.
    pub error_ttl: Duration,
    /// How long a failure is used, that is how often a host that does not answer is asked.
    pub unavailable_ttl: Duration,
    /// How long after asking no wish for a fresh answer makes us ask again.
    pub refresh_interval: Duration,
    /// How long one request may take. A handle can take two after a DNS look-up.
    pub timeout: Duration,
}

impl Default for IdentityConfig {
    /// The public directory and policy; 10 min, 10 min, 30 s, 5 s, 30 s; 3 s for a request.
    fn default() -> Self {
        Self {
            plc_directory: Url::parse("https://plc.directory").expect("a URL"),
            policy: FetchPolicy::public(),
            document_ttl: Duration::from_mins(10),
            handle_ttl: Duration::from_mins(10),
            error_ttl: Duration::from_secs(30),
            unavailable_ttl: Duration::from_secs(5),
            refresh_interval: Duration::from_secs(30),
            timeout: Duration::from_secs(3),
        }
    }
}

/// Whether an answer that is known already will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Whatever the cache has.
    Cached,
    /// What is true now, or was some seconds ago.
    Fresh,
}

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The DID.
    pub did: Did,
    /// The handle, in lower case, if it points to the DID and the DID's document to it.
    pub handle: Option<Handle>,
    /// Where their Personal Data Server is, if the document names one that may be asked.
    pub pds: Option<Url>,
    /// The key that signs for them, if the document has one that can be read.
    pub signing_key: Option<PublicKey>,
    /// The whole document.
    pub document: DidDocument,
}

impl Identity {
    /// The handle as it is shown: `handle.invalid` if it is not verified in both directions.
    pub fn shown_handle(&self) -> &str {
        self.handle
            .as_ref()
            .map_or("handle.invalid", Handle::as_str)
    }
}

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
}

impl IdentityError {
    /// Whether the same question may well be answered later.
    pub fn is_retryable(self) -> bool {
        self == Self::Unavailable
    }
}

impl From<FetchError> for IdentityError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Blocked(_) => Self::NotAllowed,
            FetchError::UnknownHost => Self::NotFound,
            FetchError::TooLarge { .. } => Self::Document(DocumentError::TooLong),
            FetchError::Redirect(_) => Self::Document(DocumentError::NotADocument),
            FetchError::Resolve
            | FetchError::Connect(_)
            | FetchError::Timeout
            | FetchError::Broken(_) => Self::Unavailable,
        }
    }
}

/// Finds out who somebody is. Cheap to clone; the clones share what they know.
#[derive(Clone)]
pub struct IdentityResolver {
    world: Arc<World>,
    documents: Arc<Flights<Result<DidDocument, IdentityError>>>,
    handles: Arc<Flights<Result<Did, IdentityError>>>,
}

/// The ports, and how they are used.
struct World {
    fetch: Arc<dyn Fetch>,
    dns: Arc<dyn DnsTxt>,
    cache: Arc<dyn Cache>,
    clock: Arc<dyn Clock>,
    config: IdentityConfig,
}

impl IdentityResolver {
    /// A resolver over these ports.
    pub fn new(
        fetch: Arc<dyn Fetch>,
        dns: Arc<dyn DnsTxt>,
        cache: Arc<dyn Cache>,
        clock: Arc<dyn Clock>,
        config: IdentityConfig,
    ) -> Self {
        Self {
            world: Arc::new(World {
                fetch,
                dns,
                cache,
                clock,
                config,
            }),
            documents: Arc::new(Flights::new()),
            handles: Arc::new(Flights::new()),
        }
    }

    /// How this resolver asks.
    pub fn config(&self) -> &IdentityConfig {
        &self.world.config
    }

    /// The document of `did`.
    pub async fn resolve_did(
        &self,
        did: &Did,
        freshness: Freshness,
    ) -> Result<DidDocument, IdentityError> {
        let url = self.world.document_url(did)?;
        let key = format!("identity/did/{did}");
        let ttl = self.world.config.document_ttl;
        let known = self.world.known(&key, ttl).await;
        if let Some(outcome) = self.world.usable(known.as_ref(), freshness) {
            return outcome;
        }
        self.documents
            .join(&key, || {
                let (world, did, key) = (Arc::clone(&self.world), did.clone(), key.clone());
                Box::pin(async move {
                    let asked = world.fetch_document(&did, url);
                    world.ask(&key, ttl, known, asked).await
                })
            })
            .await
    }

    /// The DID that `handle` points to. Whether the DID agrees is for
    /// [`resolve_identity`](Self::resolve_identity) to say.
    pub async fn resolve_handle(
        &self,
        handle: &Handle,
        freshness: Freshness,
    ) -> Result<Did, IdentityError> {
        if handle_domain::is_reserved(handle, self.world.config.policy.is_development()) {
            return Err(IdentityError::Unsupported);
        }
        let handle = handle.normalized();
        let key = format!("identity/handle/{handle}");
        let ttl = self.world.config.handle_ttl;
        let known = self.world.known(&key, ttl).await;
        if let Some(outcome) = self.world.usable(known.as_ref(), freshness) {
            return outcome;
        }
        self.handles
            .join(&key, || {
                let (world, key) = (Arc::clone(&self.world), key.clone());
                Box::pin(async move {
                    let asked = world.ask_domain(&handle);
                    world.ask(&key, ttl, known, asked).await
                })
            })
            .await
    }

    /// Who `who` is, the handle verified in both directions.
    ///
    /// Of a DID whose claimed handle does not point back, or cannot be looked up now, the handle is
    /// left out. A handle whose DID does not claim it is an error: nobody is who goes by that name.
    pub async fn resolve_identity(
        &self,
        who: &AtIdentifier,
        freshness: Freshness,
    ) -> Result<Identity, IdentityError> {
        let (document, handle) = match who {
            AtIdentifier::Did(did) => {
                let document = self.resolve_did(did, freshness).await?;
                let handle = self.verified_handle(&document, freshness).await;
                (document, handle)
            }
            AtIdentifier::Handle(handle) => {
                let handle = handle.normalized();
                let did = self.resolve_handle(&handle, freshness).await?;
                let mut document = self.resolve_did(&did, freshness).await?;
                if !claims(&document, &handle) {
                    // A handle that was changed lately is not in the document that we know.
                    document = self.resolve_did(&did, Freshness::Fresh).await?;
                }
                if !claims(&document, &handle) {
                    return Err(IdentityError::HandleNotClaimed);
                }
                (document, Some(handle))
            }
        };
        let policy = &self.world.config.policy;
        Ok(Identity {
            did: document.id().clone(),
            handle,
            pds: document
                .pds()
                .ok()
                .filter(|url| policy.check_url(url).is_ok()),
            signing_key: document.signing_key().ok(),
            document,
        })
    }

    async fn verified_handle(
        &self,
        document: &DidDocument,
        freshness: Freshness,
    ) -> Option<Handle> {
        let handle = document.handle()?.normalized();
        let did = self.resolve_handle(&handle, freshness).await.ok()?;
        (did == *document.id()).then_some(handle)
    }
}

impl std::fmt::Debug for IdentityResolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdentityResolver")
            .field("config", &self.world.config)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SigningKeys for IdentityResolver {
    async fn signing_key(
        &self,
        did: &Did,
        name: &str,
        freshness: Freshness,
    ) -> Result<PublicKey, IdentityError> {
        let document = self.resolve_did(did, freshness).await?;
        Ok(document.key(name)?)
    }
}

/// What the cache holds: an answer, and when it was asked for.
#[derive(Clone, Serialize, Deserialize)]
struct Known<T> {
    outcome: Result<T, IdentityError>,
    /// When this answer was given.
    answered: Timestamp,
    /// When we last asked, successfully or not.
    asked: Timestamp,
    /// How long the answer may be used.
    #[serde(skip)]
    ttl: Duration,
}

impl World {
    /// What the cache holds under `key`, unless it is too old to be used at all.
    async fn known<T: DeserializeOwned>(&self, key: &str, ttl: Duration) -> Option<Known<T>> {
        let bytes = self.cache.get(key).await?;
        let mut known: Known<T> = serde_json::from_slice(&bytes).ok()?;
        known.ttl = self.lifetime(&known.outcome, ttl);
        self.is_within(known.answered, known.ttl).then_some(known)
    }

    /// The known answer, if it will do.
    fn usable<T: Clone>(
        &self,
        known: Option<&Known<T>>,
        freshness: Freshness,
    ) -> Option<Result<T, IdentityError>> {
        let known = known?;
        let will_do = match freshness {
            Freshness::Cached => true,
            Freshness::Fresh => self.is_within(known.asked, self.config.refresh_interval),
        };
        will_do.then(|| known.outcome.clone())
    }

    /// Asks, and keeps the answer. A failure does not displace an answer that may still be used.
    async fn ask<T: Clone + Serialize>(
        &self,
        key: &str,
        ttl: Duration,
        known: Option<Known<T>>,
        asked: impl Future<Output = Result<T, IdentityError>>,
    ) -> Result<T, IdentityError> {
        let outcome = asked.await;
        let now = self.clock.now();
        let keep = match (&outcome, known) {
            (Err(IdentityError::Unavailable), Some(known)) => Known {
                asked: now,
                ..known
            },
            _ => Known {
                ttl: self.lifetime(&outcome, ttl),
                outcome: outcome.clone(),
                answered: now,
                asked: now,
            },
        };
        let rest = (keep.answered + keep.ttl).since(now);
        if let Ok(bytes) = serde_json::to_vec(&keep) {
            self.cache.put(key, bytes.into(), rest).await;
        }
        outcome
    }

    fn lifetime<T>(&self, outcome: &Result<T, IdentityError>, ttl: Duration) -> Duration {
        match outcome {
            Ok(_) => ttl,
            Err(IdentityError::Unavailable) => self.config.unavailable_ttl,
            Err(_) => self.config.error_ttl,
        }
    }

    /// Whether `moment` is less than `duration` ago. One to come is not: the clock was set back,
    /// and nobody knows how far.
    fn is_within(&self, moment: Timestamp, duration: Duration) -> bool {
        let now = self.clock.now();
        moment <= now && now.since(moment) < duration
    }

    /// Where the document of `did` is.
    fn document_url(&self, did: &Did) -> Result<Url, IdentityError> {
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

    async fn fetch_document(&self, did: &Did, url: Url) -> Result<DidDocument, IdentityError> {
        const ACCEPT: HeaderValue =
            HeaderValue::from_static("application/did+ld+json, application/json");
        let request = Request::get(url)
            .header(header::ACCEPT, ACCEPT)
            .limits(FetchLimits {
                timeout: self.config.timeout,
                max_response_bytes: DidDocument::MAX_BYTES,
                max_redirects: 0,
            });
        let is_listed = did.method() == "plc";
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

    /// Asks DNS first: what it says counts. The handle's own host is asked only if DNS says
    /// nothing.
    async fn ask_domain(&self, handle: &Handle) -> Result<Did, IdentityError> {
        let records = self.dns.txt(&format!("_atproto.{handle}")).await;
        match records.as_deref().map(handle_domain::read_txt) {
            Ok(Claim::Of(did)) => return Ok(did),
            Ok(Claim::Unclear) => return Err(IdentityError::UnclearHandle),
            Ok(Claim::Nothing) | Err(_) => {}
        }
        match self.fetch_well_known(handle).await {
            // DNS might have named one.
            Err(IdentityError::NotFound) if records.is_err() => Err(IdentityError::Unavailable),
            outcome => outcome,
        }
    }

    async fn fetch_well_known(&self, handle: &Handle) -> Result<Did, IdentityError> {
        let url = Url::parse(&format!("https://{handle}/.well-known/atproto-did"))
            .map_err(|_| IdentityError::Unsupported)?;
        let host = url.host_str().map(str::to_owned);
        let request = Request::get(url).limits(FetchLimits {
            timeout: self.config.timeout,
            max_response_bytes: MAX_WELL_KNOWN_BYTES,
            max_redirects: 2,
        });
        let response = match self.fetch.fetch(request).await {
            Ok(response) => response,
            // Long pages and redirects in circles are pages about something else.
            Err(FetchError::TooLarge { .. } | FetchError::Redirect(_)) => {
                return Err(IdentityError::NotFound);
            }
            Err(error) => return Err(error.into()),
        };
        // Only the handle's own host speaks for the handle: an open redirect there must not.
        if response.final_url.host_str() != host.as_deref() {
            return Err(IdentityError::NotFound);
        }
        let status = response.status;
        if status == StatusCode::OK {
            match handle_domain::read_well_known(&response.body) {
                Claim::Of(did) => Ok(did),
                Claim::Nothing | Claim::Unclear => Err(IdentityError::NotFound),
            }
        } else if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            Err(IdentityError::Unavailable)
        } else {
            Err(IdentityError::NotFound)
        }
    }
}

/// Whether the handle that `document` claims is this one, which is in lower case.
fn claims(document: &DidDocument, handle: &Handle) -> bool {
    document
        .handle()
        .map(|claimed| claimed.normalized())
        .as_ref()
        == Some(handle)
}

/// The longest DID and some white space.
const MAX_WELL_KNOWN_BYTES: usize = 4096;

/// The identifiers of `did:plc`: 24 characters of base32
/// (<https://web.plc.directory/spec/v0.1/did-plc>).
fn is_plc_id(id: &str) -> bool {
    id.len() == 24 && id.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
}
