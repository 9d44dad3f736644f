//! The ports that come with no runtime keep to their contracts, and the contracts find out what does not.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use huddle_ports::{Bytes, Cache, MemoryCache, Random, Timestamp};
use huddle_testkit::contract::{self, Broken};
use huddle_testkit::{CountingRandom, SteppingClock};

/// 2026-01-01T12:00:00Z.
const NOON: Timestamp = Timestamp::from_millis(1_767_268_800_000);

fn check_cache(cache: &dyn Cache) -> Result<(), Broken> {
    contract::cache(cache).now_or_never().unwrap()
}

#[test]
fn the_cache_in_memory_keeps_to_the_contract_of_caches() {
    let cache = MemoryCache::new(Arc::new(SteppingClock::at(NOON)));
    assert_eq!(check_cache(&cache), Ok(()));
    assert!(cache.is_empty());
}

/// Knows keys only as far as a URL's query or fragment.
struct ShortKeys(MemoryCache);

fn short(key: &str) -> &str {
    key.split(['?', '#']).next().unwrap()
}

#[async_trait]
impl Cache for ShortKeys {
    async fn get(&self, key: &str) -> Option<Bytes> {
        self.0.get(short(key)).await
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) {
        self.0.put(short(key), value, ttl).await;
    }

    async fn delete(&self, key: &str) {
        self.0.delete(short(key)).await;
    }
}

#[test]
fn a_cache_that_takes_keys_for_one_another_is_found_out() {
    let cache = ShortKeys(MemoryCache::new(Arc::new(SteppingClock::at(NOON))));
    check_cache(&cache).unwrap_err();
}

#[test]
fn the_clock_that_steps_keeps_to_the_contract_of_clocks() {
    assert_eq!(contract::clock(&SteppingClock::at(NOON)), Ok(()));
    let seconds = Timestamp::from_millis(NOON.as_secs());
    contract::clock(&SteppingClock::at(seconds)).unwrap_err();
}

#[test]
fn what_counts_keeps_to_the_contract_of_randomness() {
    assert_eq!(contract::random(&CountingRandom::default()), Ok(()));
}

/// Fills no more than some platforms do at once.
struct Bounded(CountingRandom);

impl Random for Bounded {
    fn fill(&self, bytes: &mut [u8]) {
        let most = bytes.len().min(65_536);
        self.0.fill(&mut bytes[..most]);
    }
}

#[test]
fn a_source_that_leaves_bytes_as_they_were_is_found_out() {
    contract::random(&Bounded(CountingRandom::default())).unwrap_err();
}
