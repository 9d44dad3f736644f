//! Remembering which tokens have been used, for as long as they could be used again.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use huddle_ports::Timestamp;
use huddle_syntax::Did;
use sha2::{Digest, Sha256};

/// Remembers used tokens.
#[async_trait]
pub trait ReplayStore: Send + Sync {
    /// Whether the token `nonce` of `issuer` is used for the first time now; if so, it is
    /// remembered until `forget`.
    ///
    /// Only called for tokens whose signature is valid. Two calls at the same time never both hear
    /// `true`. A token whose time to be forgotten has come, by the latest `now` of any call, is never
    /// used for the first time: clocks are set back, and calls overtake each other.
    async fn first_use(
        &self,
        issuer: &Did,
        nonce: &str,
        forget: Timestamp,
        now: Timestamp,
    ) -> Result<bool, ReplayStoreError>;
}

/// It cannot be said whether the token was used: the store is full or out of reach. The token is
/// not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("used tokens cannot be remembered now")]
pub struct ReplayStoreError;

/// How much a [`MemoryReplayStore`] remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayLimits {
    /// Tokens of one issuer that could still be replayed. The issuer's next ones are refused until
    /// some expire.
    pub max_per_issuer: usize,
    /// Tokens of all issuers. About 150 bytes each.
    pub max_tokens: usize,
}

impl Default for ReplayLimits {
    /// 800 of one issuer: two a second and a burst of sixty, as long as tokens are remembered, which
    /// is five minutes and twice the thirty seconds that clocks may differ by. 262,144 of all.
    fn default() -> Self {
        Self {
            max_per_issuer: 800,
            max_tokens: 262_144,
        }
    }
}

/// The used tokens of a single process. Where several take tokens for one audience, or none lives
/// long (Workers), a token would be good once in each of them: they need a store that they share.
///
/// It never forgets a token that could be replayed: when it is full it refuses new ones. The share
/// of one issuer is bounded, so that one who floods it shuts out nobody else; to fill it takes
/// more than 300 issuers by default, each with as many valid tokens as a rate limit of 120 a minute
/// lets through.
#[derive(Default)]
pub struct MemoryReplayStore {
    limits: ReplayLimits,
    used: Mutex<Used>,
}

/// The first half of a SHA-256: nobody finds two tokens with the same.
type Key = [u8; 16];

#[derive(Default)]
struct Used {
    tokens: HashSet<Key>,
    per_issuer: HashMap<Key, usize>,
    /// Forgetting time, token, issuer: the first is the next to forget.
    by_time: BTreeSet<(Timestamp, Key, Key)>,
    /// The latest time that was heard of.
    latest: Option<Timestamp>,
}

impl MemoryReplayStore {
    /// A store within these limits.
    pub fn new(limits: ReplayLimits) -> Self {
        Self {
            limits,
            used: Mutex::default(),
        }
    }
}

impl Used {
    fn forget_before(&mut self, now: Timestamp) {
        while let Some(&(forget, token, issuer)) = self.by_time.first()
            && forget <= now
        {
            self.by_time.pop_first();
            self.tokens.remove(&token);
            if let Some(count) = self.per_issuer.get_mut(&issuer) {
                *count -= 1;
                if *count == 0 {
                    self.per_issuer.remove(&issuer);
                }
            }
        }
    }
}

#[async_trait]
impl ReplayStore for MemoryReplayStore {
    async fn first_use(
        &self,
        issuer: &Did,
        nonce: &str,
        forget: Timestamp,
        now: Timestamp,
    ) -> Result<bool, ReplayStoreError> {
        let issuer = issuer.as_str();
        // A DID has no space, so the two texts cannot be divided in another way.
        let token = digest(&[issuer.as_bytes(), b" ", nonce.as_bytes()]);
        let issuer = digest(&[issuer.as_bytes()]);

        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let now = used.latest.map_or(now, |latest| latest.max(now));
        used.latest = Some(now);
        used.forget_before(now);
        if forget <= now || used.tokens.contains(&token) {
            return Ok(false);
        }
        let of_issuer = used.per_issuer.get(&issuer).copied().unwrap_or_default();
        if of_issuer >= self.limits.max_per_issuer || used.tokens.len() >= self.limits.max_tokens {
            return Err(ReplayStoreError);
        }
        used.per_issuer.insert(issuer, of_issuer + 1);
        used.tokens.insert(token);
        used.by_time.insert((forget, token, issuer));
        Ok(true)
    }
}

fn digest(parts: &[&[u8]]) -> Key {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let hash: [u8; 32] = hash.finalize().into();
    hash[..16].try_into().expect("half of 32 bytes")
}

impl fmt::Debug for MemoryReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplayStore")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
