//! How much callers may ask, and which of their tokens were used: one question a request.

mod memory;

use std::sync::Arc;

use async_trait::async_trait;
use huddle_core::rate_limiter::{Spend, Verdict};
use huddle_core::transport::ask;
use huddle_core::{ActorName, ActorTransport, Unreachable};

pub use memory::MemoryAllowances;

/// Keeps the allowances of callers.
#[async_trait]
pub trait Allowances: Send + Sync {
    /// Spends from the allowance of `caller`, such as `did/did:plc:…` or `ip/192.0.2.7`, and takes the nonce.
    async fn spend(&self, caller: &str, spend: Spend) -> Result<Verdict, SpendError>;
}

/// It cannot be said whether the request may go on, so it may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpendError {
    /// No more used tokens can be remembered.
    #[error("no more used tokens can be remembered")]
    Full,
    /// Whoever keeps the allowance does not answer.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
}

/// Allowances that are actors: for runtimes that are many processes, and none of them for long.
#[derive(Clone)]
pub struct ActorAllowances(Arc<dyn ActorTransport>);

impl ActorAllowances {
    /// Allowances that are reached by `actors`.
    pub fn new(actors: Arc<dyn ActorTransport>) -> Self {
        Self(actors)
    }
}

#[async_trait]
impl Allowances for ActorAllowances {
    async fn spend(&self, caller: &str, spend: Spend) -> Result<Verdict, SpendError> {
        let actor = ActorName::rate_limiter(caller);
        Ok(ask(&*self.0, &actor, spend).await?)
    }
}

impl std::fmt::Debug for ActorAllowances {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ActorAllowances").finish_non_exhaustive()
    }
}
