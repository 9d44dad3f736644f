//! AT Protocol identity over ports: DID documents, handles, keys, service-auth tokens.
//!
//! [`IdentityResolver`] finds out who somebody is, [`ServiceAuthVerifier`] who is calling, and
//! [`ServiceAuthMinter`] says to another service who we are. All of it runs on any runtime: the
//! network, the time, randomness and the cache are ports of `huddle_ports`.

pub mod crypto;
mod did_document;
mod did_web;
mod handle_domain;
mod resolver;
mod service_auth;

pub use did_document::{DidDocument, DocumentError, Service, VerificationMethod};
pub use huddle_syntax::ServiceRef;
pub use resolver::{
    Freshness, HandleState, Identity, IdentityConfig, IdentityError, IdentityResolver,
    RESOLUTION_TIMEOUT,
};
pub use service_auth::{
    Caller, MemoryReplayStore, ReplayLimits, ReplayStore, ReplayStoreError, ServiceAuthConfig,
    ServiceAuthError, ServiceAuthMinter, ServiceAuthVerifier, ServiceToken, SigningKeys,
    TokenLifetimeError,
};
