//! What was found out lately, and when it was asked for.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use huddle_ports::{Cache, Clock, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Freshness, IdentityConfig, IdentityError};

/// Answers in a cache, each with its own age.
pub(super) struct Memory {
    pub(super) cache: Arc<dyn Cache>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) config: Arc<IdentityConfig>,
}

/// Where the answer to a question is kept, and how long it is used.
pub(super) struct Slot {
    pub(super) key: String,
    pub(super) ttl: Duration,
}

/// What the cache holds: an answer, and when it was asked for.
#[derive(Serialize, Deserialize)]
struct Known<T> {
    outcome: Result<T, IdentityError>,
    /// When this answer was given.
    answered: Timestamp,
    /// When we last asked, whatever came of it.
    asked: Timestamp,
}

impl Memory {
    /// The known answer, if it will do.
    pub(super) async fn recall<T: DeserializeOwned>(
        &self,
        slot: &Slot,
        freshness: Freshness,
    ) -> Option<Result<T, IdentityError>> {
        let known = self.known(slot).await?;
        self.will_do(&known, freshness).then_some(known.outcome)
    }

    /// The known answer if it will do, and what `question` comes to otherwise, which is kept.
    ///
    /// A failure does not displace an answer that may still be used.
    pub(super) async fn ask<T: Clone + Serialize + DeserializeOwned>(
        &self,
        slot: &Slot,
        freshness: Freshness,
        question: impl Future<Output = Result<T, IdentityError>>,
    ) -> Result<T, IdentityError> {
        let known = match self.known(slot).await {
            Some(known) if self.will_do(&known, freshness) => return known.outcome,
            Some(known) => {
                // Before asking: those who wait may all go away in the middle, and have asked all
                // the same.
                let asked = self.clock.now();
                let known = Known { asked, ..known };
                self.keep(slot, &known).await;
                Some(known)
            }
            None => None,
        };
        let outcome = question.await;
        let failed = matches!(&outcome, Err(error) if error.is_retryable());
        if known.is_none() || !failed {
            let now = self.clock.now();
            let known = Known {
                outcome: outcome.clone(),
                answered: now,
                asked: now,
            };
            self.keep(slot, &known).await;
        }
        outcome
    }

    /// Whether `moment` is less than `duration` ago. One to come is not: the clock was set back,
    /// and nobody knows how far.
    pub(super) fn is_within(&self, moment: Timestamp, duration: Duration) -> bool {
        let now = self.clock.now();
        moment <= now && now.since(moment) < duration
    }

    /// What the cache holds, unless it is too old to be used at all.
    async fn known<T: DeserializeOwned>(&self, slot: &Slot) -> Option<Known<T>> {
        let bytes = self.cache.get(&slot.key).await?;
        let known: Known<T> = serde_json::from_slice(&bytes).ok()?;
        let lifetime = self.lifetime(&known.outcome, slot);
        self.is_within(known.answered, lifetime).then_some(known)
    }

    fn will_do<T>(&self, known: &Known<T>, freshness: Freshness) -> bool {
        match freshness {
            Freshness::Known | Freshness::Cached => true,
            Freshness::Fresh => self.is_within(known.asked, self.config.refresh_interval),
        }
    }

    /// Keeps an answer for as long as it may be used.
    async fn keep<T: Serialize>(&self, slot: &Slot, known: &Known<T>) {
        let end = known.answered + self.lifetime(&known.outcome, slot);
        if let Ok(bytes) = serde_json::to_vec(known) {
            let rest = end.since(self.clock.now());
            self.cache.put(&slot.key, bytes.into(), rest).await;
        }
    }

    fn lifetime<T>(&self, outcome: &Result<T, IdentityError>, slot: &Slot) -> Duration {
        match outcome {
            Ok(_) => slot.ttl,
            Err(error) if error.is_retryable() => self.config.unavailable_ttl,
            Err(_) => self.config.error_ttl,
        }
    }
}
