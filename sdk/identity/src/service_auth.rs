//! Service auth: tokens by which a service proves on whose behalf it calls another
//! (<https://atproto.com/specs/xrpc#inter-service-authentication-jwt>).
//!
//! A person's server signs a short-lived JWT with the person's key; the called service finds that
//! key in the person's DID document. The rules here are stricter than the reference
//! implementation's where the specification allows: a token names the method it is for, lives five
//! minutes at most, and is good once.

mod claims;
mod minter;
mod replay;
mod verifier;

use std::time::Duration;

pub use minter::{ServiceAuthMinter, ServiceToken, TokenLifetimeError};
pub use replay::{MemoryReplayStore, ReplayLimits, ReplayStore, ReplayStoreError};
pub use verifier::{Caller, ServiceAuthConfig, ServiceAuthError, ServiceAuthVerifier, SigningKeys};

/// How long a token lives at most, ours and, unless configured otherwise, those of others.
const MAX_LIFETIME: Duration = Duration::from_mins(5);
