//! The platform's cache of this place: objects of other requests are not shared, what was looked up is.

use std::time::Duration;

use async_trait::async_trait;
use huddle_ports::{Bytes, Cache, Url};
use worker::Response;
use worker::send::SendFuture;

/// Nobody's host: entries are found by URL, and nothing is ever asked there.
const KEYS: &str = "https://huddle.invalid/";

/// A cache that the requests to one data centre share.
#[derive(Clone, Copy, Debug)]
pub struct EdgeCache;

#[async_trait]
impl Cache for EdgeCache {
    async fn get(&self, key: &str) -> Option<Bytes> {
        SendFuture::new(get(url(key)?)).await.ok().flatten()
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) {
        if let Some(url) = url(key) {
            // Who asks later is answered as if nothing had been kept.
            let _ = SendFuture::new(put(url, value, ttl)).await;
        }
    }

    async fn delete(&self, key: &str) {
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
