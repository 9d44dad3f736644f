//! Who may call, and how often: what stands before every method.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use axum::http::Method;
use axum::http::request::Parts;
use huddle_core::Limits;
use huddle_core::rate_limiter::{Nonce, Rate, Spend, Verdict};
use huddle_identity::{
    Caller, ReplayStore, ReplayStoreError, ServiceAuthConfig, ServiceAuthError,
    ServiceAuthVerifier, SigningKeys,
};
use huddle_ports::{Clock, Timestamp};
use huddle_syntax::{Did, Nsid};
use huddle_xrpc::server::{AuthError, Authenticate, bearer_token};

use crate::allowances::{Allowances, SpendError};
use crate::client_address::ClientAddress;

/// Verifies tokens, and asks the allowances once a request: with a valid token for its issuer, of which that takes
/// the token too; otherwise for the address that it comes from. So whoever sends tokens that are not valid, or has us
/// look for issuers whom nobody finds, spends what is their own.
pub(crate) struct Admission {
    pub(crate) keys: Arc<dyn SigningKeys>,
    pub(crate) allowances: Arc<dyn Allowances>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) tokens: ServiceAuthConfig,
}

#[async_trait]
impl Authenticate for Admission {
    async fn authenticate(
        &self,
        nsid: &Nsid,
        request: &Parts,
    ) -> Result<Option<Caller>, AuthError> {
        match self.verified(nsid, request).await {
            Ok(Some((caller, nonce))) => {
                let spend = account(&self.limits, &request.method, nonce);
                self.spend(&format!("did/{}", caller.did), spend).await?;
                Ok(Some(caller))
            }
            anonymous => {
                let place = request.extensions.get().copied();
                let place = place.map_or("unknown".to_owned(), ClientAddress::network);
                self.spend(&format!("ip/{place}"), anyone(&self.limits))
                    .await?;
                anonymous.map(|_| None)
            }
        }
    }
}

impl Admission {
    /// Who has signed the token of a request, if it has one, and what names that.
    async fn verified(
        &self,
        nsid: &Nsid,
        request: &Parts,
    ) -> Result<Option<(Caller, Nonce)>, AuthError> {
        let Some(token) = bearer_token(&request.headers)? else {
            return Ok(None);
        };
        let noted = Arc::new(NotedNonce::default());
        let verifier = ServiceAuthVerifier::new(
            self.keys.clone(),
            noted.clone(),
            self.clock.clone(),
            self.tokens.clone(),
        );
        let caller = verifier.verify(token, nsid).await?;
        let nonce = noted.take().ok_or(AuthError::Unavailable)?;
        Ok(Some((caller, nonce)))
    }

    async fn spend(&self, caller: &str, spend: Spend) -> Result<(), AuthError> {
        match self.allowances.spend(caller, spend).await {
            Ok(Verdict::Allowed { .. }) => Ok(()),
            Ok(Verdict::Limited { retry_at }) => Err(AuthError::Limited {
                retry_after_secs: seconds(self.clock.now(), retry_at),
            }),
            Ok(Verdict::Replayed) => Err(ServiceAuthError::Replayed.into()),
            Err(SpendError::Full) => Err(AuthError::Unavailable),
            Err(SpendError::Unreachable(error)) => Err(AuthError::Fault(error.into())),
        }
    }
}

/// Whole seconds until a moment, at least one.
fn seconds(now: Timestamp, until: Timestamp) -> u64 {
    let millis = until.since(now).as_millis();
    u64::try_from(millis.div_ceil(1000))
        .unwrap_or(u64::MAX)
        .max(1)
}

/// What a request of an account costs. Changes are out of the same bucket and cost more, so that an account that
/// makes nothing else makes no more of them than it may.
fn account(limits: &Limits, method: &Method, nonce: Nonce) -> Spend {
    let change = limits
        .account_per_minute
        .div_ceil(limits.changes_per_minute.max(1));
    Spend {
        rate: Rate {
            per_minute: limits.account_per_minute,
            burst: limits.account_burst,
        },
        cost: if method == Method::POST { change } else { 1 },
        nonce: Some(nonce),
    }
}

fn anyone(limits: &Limits) -> Spend {
    Spend {
        rate: Rate {
            per_minute: limits.anonymous_per_minute,
            burst: limits.anonymous_burst,
        },
        cost: 1,
        nonce: None,
    }
}

/// Notes what names the token of one request, for the allowances to say whether it is used for the first time.
#[derive(Default)]
struct NotedNonce(Mutex<Option<Nonce>>);

impl NotedNonce {
    fn take(&self) -> Option<Nonce> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.take()
    }
}

#[async_trait]
impl ReplayStore for NotedNonce {
    async fn first_use(
        &self,
        issuer: &Did,
        nonce: &str,
        forget: Timestamp,
        _: Timestamp,
    ) -> Result<bool, ReplayStoreError> {
        // A DID has no space, so the two cannot be divided in another way.
        let text = format!("{issuer} {nonce}");
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *noted = Some(Nonce { text, forget });
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(limits: &Limits, method: &Method) -> u32 {
        let nonce = Nonce {
            text: String::new(),
            forget: Timestamp::MAX,
        };
        account(limits, method, nonce).cost
    }

    #[test]
    fn changes_cost_as_much_more_as_there_may_be_fewer_of_them() {
        let limits = Limits::default();
        assert_eq!(cost(&limits, &Method::GET), 1);
        assert_eq!(cost(&limits, &Method::POST), 4);
        let limits = Limits {
            account_per_minute: 100,
            changes_per_minute: 30,
            ..limits
        };
        assert_eq!(cost(&limits, &Method::POST), 4, "rounded up");
        let limits = Limits {
            changes_per_minute: 1000,
            ..limits
        };
        assert_eq!(cost(&limits, &Method::POST), 1);
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_and_never_as_none() {
        let now = Timestamp::from_millis(0);
        for (until, secs) in [(-5000, 1), (0, 1), (1, 1), (1000, 1), (1001, 2)] {
            assert_eq!(seconds(now, Timestamp::from_millis(until)), secs);
        }
    }
}
