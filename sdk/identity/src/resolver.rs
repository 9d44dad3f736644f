//! Finding out who somebody is: DID documents and handles, over the network, kept for a while.
//!
//! **What is kept, and for how long.** Unless the [`IdentityConfig`] says otherwise, answers are kept
//! in the [`Cache`] for ten minutes, refusals ("there is no such DID") for thirty seconds, failures
//! ("the directory did not answer") for five. Nothing is used for longer because asking again fails:
//! a key that was revoked stops working in ten minutes, also when somebody keeps us from hearing of
//! it. An entry carries its own age, so a cache that keeps it longer changes nothing.
//!
//! **Asking again.** [`Freshness::Fresh`] asks again, but not within thirty seconds of having begun
//! to: a stranger who sends nonsense in somebody's name must not make us ask at that rate. When
//! asking again fails, what was known stays. An entry that the cache forgets takes this limit with
//! it, so documents are bounded: to push an entry out takes thousands of look-ups.
//!
//! **Asking nobody.** A look-up costs whoever is asked, so somebody may have to pay for it first:
//! [`Freshness::Known`] answers of what is known, and says [`IdentityError::NotKnown`] otherwise.
//!
//! **Asking once.** Those who ask for the same at the same time share one look-up. On a platform
//! where a request may not wait for what another one began (Workers), make a resolver per request;
//! they share the cache.
//!
//! **How long it takes.** A look-up of one DID or one handle ends after
//! [`IdentityConfig::lookup_timeout`], and none is begun that could end later than
//! [`RESOLUTION_TIMEOUT`] after the call.

mod config;
mod error;
mod flights;
mod lookup;
mod memory;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use huddle_ports::{Cache, Clock, DnsTxt, Fetch, Timestamp, Url};
use huddle_syntax::{AtIdentifier, Did, Handle};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::crypto::PublicKey;
use crate::did_document::DidDocument;
use crate::handle_domain;
use crate::service_auth::SigningKeys;
pub use config::IdentityConfig;
pub use error::IdentityError;
use flights::Flights;
use lookup::Lookup;
use memory::{Memory, Slot};

/// How long finding out who somebody is takes at most, all look-ups together. A personal data
/// server that passes a call on gives up after ten seconds, and the call itself takes time too.
pub const RESOLUTION_TIMEOUT: Duration = Duration::from_millis(7500);

/// Whether an answer that is known already will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Whatever the cache has; what it has not is [`IdentityError::NotKnown`], and nobody is asked.
    Known,
    /// Whatever the cache has; what it has not is asked for.
    Cached,
    /// What is true now, or was some seconds ago.
    Fresh,
}

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The DID.
    pub did: Did,
    /// What is known of the handle.
    pub handle: HandleState,
    /// Where their Personal Data Server is, if the document names one that may be asked.
    pub pds: Option<Url>,
    /// The key that signs for them, if the document has one that can be read.
    pub signing_key: Option<PublicKey>,
    /// The whole document.
    pub document: DidDocument,
}

/// What is known of the handle of a DID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandleState {
    /// This handle, in lower case: it points to the DID, and the DID's document to it.
    Verified(Handle),
    /// The document claims no handle, or one that does not point to the DID.
    Invalid,
    /// The document claims this handle, in lower case, but it could not be looked up now whose that
    /// is. A handle that was verified before is not invalid for that.
    Unchecked(Handle),
}

impl Identity {
    /// The handle as it is shown: `handle.invalid` if it is not verified in both directions.
    pub fn shown_handle(&self) -> &str {
        match &self.handle {
            HandleState::Verified(handle) => handle.as_str(),
            HandleState::Invalid | HandleState::Unchecked(_) => "handle.invalid",
        }
    }
}

/// When somebody asked, and for what.
#[derive(Clone, Copy)]
struct Wish {
    freshness: Freshness,
    since: Timestamp,
}

impl Wish {
    /// The same for a fresh answer, unless nobody is to be asked.
    fn fresh(self) -> Self {
        let freshness = match self.freshness {
            Freshness::Known => Freshness::Known,
            Freshness::Cached | Freshness::Fresh => Freshness::Fresh,
        };
        Self { freshness, ..self }
    }
}

/// Finds out who somebody is. Cheap to clone; the clones share what they know.
#[derive(Clone)]
pub struct IdentityResolver {
    config: Arc<IdentityConfig>,
    lookup: Arc<Lookup>,
    memory: Arc<Memory>,
    /// Of DIDs in the directory.
    listed_documents: Flights<Result<DidDocument, IdentityError>>,
    /// Of DIDs at hosts of their owners' choice.
    hosted_documents: Flights<Result<DidDocument, IdentityError>>,
    handles: Flights<Result<Did, IdentityError>>,
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
        let config = Arc::new(config);
        Self {
            lookup: Arc::new(Lookup {
                fetch,
                dns,
                clock: Arc::clone(&clock),
                config: Arc::clone(&config),
            }),
            memory: Arc::new(Memory {
                cache,
                clock,
                config: Arc::clone(&config),
            }),
            listed_documents: Flights::new(config.max_lookups),
            hosted_documents: Flights::new(config.max_lookups),
            handles: Flights::new(config.max_lookups),
            config,
        }
    }

    /// How this resolver asks.
    pub fn config(&self) -> &IdentityConfig {
        &self.config
    }

    /// The document of `did`.
    pub async fn resolve_did(
        &self,
        did: &Did,
        freshness: Freshness,
    ) -> Result<DidDocument, IdentityError> {
        self.document(did, self.wish(freshness)).await
    }

    /// The DID that `handle` points to. Whether the DID agrees is for
    /// [`resolve_identity`](Self::resolve_identity) to say.
    pub async fn resolve_handle(
        &self,
        handle: &Handle,
        freshness: Freshness,
    ) -> Result<Did, IdentityError> {
        self.holder(&handle.normalized(), self.wish(freshness))
            .await
    }

    /// Who `who` is, the handle verified in both directions.
    ///
    /// What is known may be out of date where handle and DID do not agree, so both are asked for
    /// again before they are said not to. A handle whose DID does not claim it is an error: nobody
    /// is who goes by that name. Of a DID the [`HandleState`] says it.
    pub async fn resolve_identity(
        &self,
        who: &AtIdentifier,
        freshness: Freshness,
    ) -> Result<Identity, IdentityError> {
        let wish = self.wish(freshness);
        let (document, handle) = match who {
            AtIdentifier::Did(did) => self.who_is(did, wish).await?,
            AtIdentifier::Handle(handle) => {
                let handle = handle.normalized();
                let document = self.who_goes_by(&handle, wish).await?;
                (document, HandleState::Verified(handle))
            }
        };
        let policy = &self.config.policy;
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

    /// The document of `did`, and what its handle is worth.
    async fn who_is(
        &self,
        did: &Did,
        wish: Wish,
    ) -> Result<(DidDocument, HandleState), IdentityError> {
        let document = self.document(did, wish).await?;
        let state = self.handle_state(&document, wish).await;
        if state != HandleState::Invalid || document.handle().is_none() {
            return Ok((document, state));
        }
        let document = match self.document(did, wish.fresh()).await {
            Err(error) if error.is_retryable() => document,
            fresh => fresh?,
        };
        let state = self.handle_state(&document, wish.fresh()).await;
        Ok((document, state))
    }

    async fn handle_state(&self, document: &DidDocument, wish: Wish) -> HandleState {
        let Some(handle) = claimed_handle(document) else {
            return HandleState::Invalid;
        };
        match self.holder(&handle, wish).await {
            Ok(did) if did == *document.id() => HandleState::Verified(handle),
            Err(error) if error.is_retryable() => HandleState::Unchecked(handle),
            Ok(_) | Err(_) => HandleState::Invalid,
        }
    }

    /// The document of the DID that `handle` points to and that claims it.
    async fn who_goes_by(&self, handle: &Handle, wish: Wish) -> Result<DidDocument, IdentityError> {
        match self.claimant(handle, wish).await {
            Err(error) if !error.is_retryable() => self.claimant(handle, wish.fresh()).await,
            outcome => outcome,
        }
    }

    async fn claimant(&self, handle: &Handle, wish: Wish) -> Result<DidDocument, IdentityError> {
        let did = self.holder(handle, wish).await?;
        let document = self.document(&did, wish).await?;
        if claimed_handle(&document).as_ref() == Some(handle) {
            Ok(document)
        } else {
            Err(IdentityError::HandleNotClaimed)
        }
    }

    /// The document of `did`, known or looked up.
    async fn document(&self, did: &Did, wish: Wish) -> Result<DidDocument, IdentityError> {
        let url = self.lookup.document_url(did)?;
        let slot = Slot {
            key: format!("identity/did/{did}"),
            ttl: self.config.document_ttl,
        };
        let flights = if lookup::is_listed(did) {
            &self.listed_documents
        } else {
            &self.hosted_documents
        };
        let (lookup, did) = (Arc::clone(&self.lookup), did.clone());
        let question = async move { lookup.document(&did, url).await };
        self.answer(flights, slot, wish, question).await
    }

    /// The DID that `handle`, which is in lower case, points to, known or looked up.
    async fn holder(&self, handle: &Handle, wish: Wish) -> Result<Did, IdentityError> {
        let url = handle_domain::well_known_url(handle, &self.config.policy)?;
        let slot = Slot {
            key: format!("identity/handle/{handle}"),
            ttl: self.config.handle_ttl,
        };
        let (lookup, handle) = (Arc::clone(&self.lookup), handle.clone());
        let question = async move { lookup.handle(&handle, url).await };
        self.answer(&self.handles, slot, wish, question).await
    }

    /// The answer to a question that is kept in `slot`.
    ///
    /// A wish for a fresh answer joins one that is being fetched before it looks at what is known:
    /// an entry says that it was asked for as soon as somebody begins to.
    async fn answer<T>(
        &self,
        flights: &Flights<Result<T, IdentityError>>,
        slot: Slot,
        wish: Wish,
        question: impl Future<Output = Result<T, IdentityError>> + Send + 'static,
    ) -> Result<T, IdentityError>
    where
        T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        if wish.freshness != Freshness::Fresh
            && let Some(outcome) = self.memory.recall(&slot, wish.freshness).await
        {
            return outcome;
        }
        if wish.freshness == Freshness::Known {
            return Err(IdentityError::NotKnown);
        }
        if self.is_too_late(wish) {
            return Err(IdentityError::Unavailable);
        }
        let (memory, key) = (Arc::clone(&self.memory), slot.key.clone());
        let flight = flights.join(&key, || {
            // It looks again at what is known: another flight may have landed just now.
            Box::pin(async move { memory.ask(&slot, wish.freshness, question).await })
        });
        flight.await.unwrap_or(Err(IdentityError::Busy))
    }

    fn wish(&self, freshness: Freshness) -> Wish {
        Wish {
            freshness,
            since: self.memory.clock.now(),
        }
    }

    /// Whether a look-up that is begun or joined now could end after [`RESOLUTION_TIMEOUT`].
    fn is_too_late(&self, wish: Wish) -> bool {
        let latest = RESOLUTION_TIMEOUT.saturating_sub(self.lookup.timeout());
        let now = self.memory.clock.now();
        // A clock that was set back does not say how late it is.
        now < wish.since || now.since(wish.since) > latest
    }
}

/// The handle that `document` claims, in lower case.
fn claimed_handle(document: &DidDocument) -> Option<Handle> {
    document.handle().map(|handle| handle.normalized())
}

impl std::fmt::Debug for IdentityResolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdentityResolver")
            .field("config", &self.config)
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
