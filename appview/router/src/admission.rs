//! Who may call, and how often: what stands before every method.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::Method;
use axum::http::request::Parts;
use data_encoding::BASE64URL_NOPAD;
use huddle_core::Limits;
use huddle_core::rate_limiter::{Nonce, Rate, Spend, Verdict};
use huddle_identity::{
    Caller, ReplayStore, ReplayStoreError, ServiceAuthConfig, ServiceAuthError,
    ServiceAuthVerifier, SigningKeys,
};
use huddle_ports::metrics::RATE_LIMITED;
use huddle_ports::{Clock, Metrics, Timestamp};
use huddle_syntax::{Did, Nsid};
use huddle_xrpc::RateLimit;
use huddle_xrpc::server::{Admitted, AuthError, Authenticate, bearer_token};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::allowances::{Allowances, SpendError};
use crate::client_address::ClientAddress;

/// Verifies tokens, and asks the allowances: with a valid token that of its issuer, of which that takes the token too;
/// otherwise that of the address that it comes from. Whoever sends a token of somebody who is not known here, or one
/// that the known key did not sign, pays from the address **before** anybody is looked up: so look-ups have a price,
/// forged tokens and wildcard hosts of `did:web` included, and who is known pays nothing but their own.
///
/// All accounts of a data server come from its address the first time. What an address has for look-ups is in shares,
/// and the issuer says which one pays: an account that cannot be verified, however often it asks, shuts out few others.
/// A share is an allowance like any other, so that there are no more of them for an address than there are shares, and
/// whoever makes issuers up has no more look-ups than all of them together. An allowance for each issuer would be one
/// for whatever a forger can think of.
pub(crate) struct Admission {
    pub(crate) keys: Arc<dyn SigningKeys>,
    pub(crate) allowances: Arc<dyn Allowances>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) tokens: ServiceAuthConfig,
    pub(crate) metrics: Arc<dyn Metrics>,
}

#[async_trait]
impl Authenticate for Admission {
    async fn authenticate(&self, nsid: &Nsid, request: &Parts) -> Result<Admitted, AuthError> {
        let noted = Arc::new(NotedNonce::default());
        let verifier = self.verifier(noted.clone());
        let token = bearer_token(&request.headers);
        if let Ok(Some(token)) = token
            && let Ok(Some(caller)) = verifier.verify_known(token, nsid).await
        {
            return self.admit(caller, &noted, &request.method).await;
        }
        let payer = match token {
            Ok(Some(token)) => share(request, token, self.limits.issuer_shares),
            Ok(None) | Err(_) => place(request),
        };
        let rate_limit = self.spend(ADDRESS, &payer, anyone(&self.limits)).await?;
        match token? {
            Some(token) => {
                let caller = verifier.verify(token, nsid).await?;
                self.admit(caller, &noted, &request.method).await
            }
            None => Ok(Admitted {
                caller: None,
                rate_limit: Some(rate_limit),
            }),
        }
    }
}

/// Who pays, as metrics have it.
const ACCOUNT: &str = "account";
const ADDRESS: &str = "address";

/// Whose allowance the requests of a place share.
fn place(request: &Parts) -> String {
    let address: Option<ClientAddress> = request.extensions.get().copied();
    let network = address.map_or("unknown".to_owned(), ClientAddress::network);
    format!("ip/{network}")
}

/// Which share of a place pays for looking up who has issued a token; the place itself, if it does not say.
fn share(request: &Parts, token: &str, shares: u32) -> String {
    let place = place(request);
    let Some(issuer) = claimed_issuer(token) else {
        return place;
    };
    let hash: [u8; 32] = Sha256::digest(issuer).into();
    let (first, _) = hash.split_first_chunk().expect("a hash has 32 bytes");
    format!("{place}/{}", u32::from_be_bytes(*first) % shares.max(1))
}

/// Who a token says has issued it, which nobody has checked.
fn claimed_issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        iss: String,
    }

    /// Longer tokens are refused, whoever has issued them.
    const LONGEST: usize = 8 << 10;
    if token.len() > LONGEST {
        return None;
    }
    let claims = token.split('.').nth(1)?;
    let claims = BASE64URL_NOPAD.decode(claims.as_bytes()).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    Some(claims.iss)
}

impl Admission {
    fn verifier(&self, noted: Arc<NotedNonce>) -> ServiceAuthVerifier {
        let (keys, clock) = (self.keys.clone(), self.clock.clone());
        ServiceAuthVerifier::new(keys, noted, clock, self.tokens.clone())
    }

    /// Has a caller pay, and takes the token.
    async fn admit(
        &self,
        caller: Caller,
        noted: &NotedNonce,
        method: &Method,
    ) -> Result<Admitted, AuthError> {
        let nonce = noted.take().ok_or(AuthError::Unavailable)?;
        let spend = account(&self.limits, method, nonce);
        let payer = format!("did/{}", caller.did);
        let rate_limit = self.spend(ACCOUNT, &payer, spend).await?;
        Ok(Admitted {
            caller: Some(caller),
            rate_limit: Some(rate_limit),
        })
    }

    /// What is left of the allowance of `payer`, who is of this kind.
    async fn spend(
        &self,
        kind: &'static str,
        payer: &str,
        spend: Spend,
    ) -> Result<RateLimit, AuthError> {
        let rate = spend.rate;
        match self.allowances.spend(payer, spend).await {
            Ok(Verdict::Allowed { remaining }) => {
                let missing = rate.burst.saturating_sub(remaining);
                let full_at = self.clock.now() + rate.time_to_gain(missing);
                Ok(rate_limit(rate, remaining, full_at))
            }
            Ok(Verdict::Limited {
                remaining,
                retry_at,
            }) => {
                self.metrics.count(&RATE_LIMITED, &[kind]);
                Err(AuthError::Limited {
                    retry_after_secs: seconds(self.clock.now(), retry_at),
                    rate_limit: Some(rate_limit(rate, remaining, retry_at)),
                })
            }
            Ok(Verdict::Replayed) => Err(ServiceAuthError::Replayed.into()),
            Err(SpendError::Full) => Err(AuthError::Unavailable),
            Err(SpendError::Unreachable(error)) => Err(AuthError::Fault(error.into())),
        }
    }
}

/// An allowance as a window: the bucket, and as long as it takes to be filled.
fn rate_limit(rate: Rate, remaining: u32, reset: Timestamp) -> RateLimit {
    let whole_secs =
        |time: Duration| u64::try_from(time.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
    RateLimit {
        limit: rate.burst.into(),
        remaining: remaining.into(),
        reset_secs: whole_secs(reset.since(Timestamp::from_millis(0))),
        window_secs: Some(whole_secs(rate.time_to_gain(rate.burst))),
    }
}

/// Whole seconds until a moment, at least one.
fn seconds(now: Timestamp, until: Timestamp) -> u64 {
    let millis = until.since(now).as_millis();
    u64::try_from(millis.div_ceil(1000))
        .unwrap_or(u64::MAX)
        .max(1)
}

/// What a request of an account costs. Changes are out of the same bucket and cost more.
fn account(limits: &Limits, method: &Method, nonce: Nonce) -> Spend {
    Spend {
        rate: Rate {
            per_minute: limits.account_per_minute,
            burst: limits.account_burst,
        },
        cost: if method == Method::POST {
            limits.change_cost()
        } else {
            1
        },
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
