//! A cache: a place that may forget anything at any time.

mod memory;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

pub use memory::{MemoryCache, MemoryCacheLimits};

/// Keeps bytes under a key for a while, if it can.
///
/// A cache never fails: an adapter whose store cannot be reached answers as if the entry were not
/// there. An adapter may keep an entry for longer than `ttl` (some stores have a minimum), so an
/// entry whose age matters says itself how old it is.
#[async_trait]
pub trait Cache: Send + Sync {
    /// What was last put under `key`, unless it has been forgotten.
    async fn get(&self, key: &str) -> Option<Bytes>;

    /// Keeps `value` under `key` in place of what was there, for about `ttl`.
    async fn put(&self, key: &str, value: Bytes, ttl: Duration);

    /// Forgets what is under `key`.
    async fn delete(&self, key: &str);
}

#[async_trait]
impl<C: Cache + ?Sized> Cache for Arc<C> {
    async fn get(&self, key: &str) -> Option<Bytes> {
        (**self).get(key).await
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) {
        (**self).put(key, value, ttl).await;
    }

    async fn delete(&self, key: &str) {
        (**self).delete(key).await;
    }
}
