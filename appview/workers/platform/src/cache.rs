//! What was looked up, remembered in two places: in the memory of an isolate, which costs nothing to ask and is gone with
//! the isolate, and in the platform's cache of a data centre, each question of which counts as a request.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use huddle_ports::{Bytes, Cache, MemoryCache, MemoryCacheLimits, Url};
use worker::Response;
use worker::send::SendFuture;

use crate::clock::WorkersClock;

/// Nobody's host: entries are found by URL, and nothing is ever asked there.
const KEYS: &str = "https://huddle.invalid/";

/// How much an isolate remembers, which has 128 MB for everything.
const LIMITS: MemoryCacheLimits = MemoryCacheLimits {
    max_entries: 5_000,
    max_bytes: 8 << 20,
};

/// For how long an isolate remembers what it was told by the data centre: how old that is, it says itself.
const TOLD: Duration = Duration::from_mins(1);

static MEMORY: OnceLock<MemoryCache> = OnceLock::new();

fn memory() -> &'static MemoryCache {
    MEMORY.get_or_init(|| MemoryCache::with_limits(Arc::new(WorkersClock), LIMITS))
}

/// A cache that the events of one isolate share: for what is as quickly asked of whoever knows as of the data centre.
#[derive(Clone, Copy, Debug)]
pub struct IsolateCache;

#[async_trait]
impl Cache for IsolateCache {
    async fn get(&self, key: &str) -> Option<Bytes> {
        memory().get(key).await
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) {
        memory().put(key, value, ttl).await;
    }

    async fn delete(&self, key: &str) {
        memory().delete(key).await;
    }
}

/// A cache that the isolates of one data centre share, for one event. What is in the isolate's memory is not asked for
/// there, and what was not there, not again.
#[derive(Debug, Default)]
pub struct EdgeCache {
    absent: Mutex<HashSet<String>>,
}

impl EdgeCache {
    fn absent(&self) -> MutexGuard<'_, HashSet<String>> {
        self.absent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Cache for EdgeCache {
    async fn get(&self, key: &str) -> Option<Bytes> {
        if let Some(value) = IsolateCache.get(key).await {
            return Some(value);
        }
        if self.absent().contains(key) {
            return None;
        }
        let found = SendFuture::new(get(url(key)?)).await.ok().flatten();
        match &found {
            Some(value) => IsolateCache.put(key, value.clone(), TOLD).await,
            None => {
                self.absent().insert(key.to_owned());
            }
        }
        found
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) {
        self.absent().remove(key);
        IsolateCache.put(key, value.clone(), ttl).await;
        if let Some(url) = url(key) {
            // Who asks later is answered as if nothing had been kept.
            let _ = SendFuture::new(put(url, value, ttl)).await;
        }
    }

    async fn delete(&self, key: &str) {
        IsolateCache.delete(key).await;
        if let Some(url) = url(key) {
            let _ = SendFuture::new(cache().delete(url.as_str(), true)).await;
        }
    }
}

fn cache() -> worker::Cache {
    worker::Cache::default()
}

async fn get(url: Url) -> worker::Result<Option<Bytes>> {
    match cache().get(url.as_str(), true).await? {
        Some(mut response) => Ok(Some(response.bytes().await?.into())),
        None => Ok(None),
    }
}

async fn put(url: Url, value: Bytes, ttl: Duration) -> worker::Result<()> {
    let response = Response::from_bytes(value.into())?;
    let age = format!("max-age={}", ttl.as_secs());
    response.headers().set("cache-control", &age)?;
    cache().put(url.as_str(), response).await
}

fn url(key: &str) -> Option<Url> {
    let mut url = Url::parse(KEYS).ok()?;
    url.path_segments_mut().ok()?.push(key);
    Some(url)
}
