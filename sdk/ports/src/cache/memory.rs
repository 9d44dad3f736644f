//! The cache of a single process: bounded, least recently used first out.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::Cache;
use crate::{Clock, Timestamp};

/// What an entry costs beside its key and value: map nodes, a recency record and two counters.
const ENTRY_OVERHEAD_BYTES: usize = 160;

/// How much a [`MemoryCache`] may hold; whichever bound is reached first counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryCacheLimits {
    /// The most entries.
    pub max_entries: usize,
    /// The most bytes: keys, values and a fixed overhead for each entry.
    pub max_bytes: usize,
}

impl Default for MemoryCacheLimits {
    /// 10,000 entries, 32 MiB.
    fn default() -> Self {
        Self {
            max_entries: 10_000,
            max_bytes: 32 * 1024 * 1024,
        }
    }
}

/// A [`Cache`] in memory that forgets the least recently used entries when it is full.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// use huddle_ports::{Cache, Clock, MemoryCache, Timestamp};
///
/// struct Noon;
/// impl Clock for Noon {
///     fn now(&self) -> Timestamp {
///         Timestamp::from_millis(1_767_268_800_000)
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let cache = MemoryCache::new(Arc::new(Noon));
/// cache.put("greeting", "hello".into(), Duration::from_mins(1)).await;
/// assert_eq!(cache.get("greeting").await.as_deref(), Some(&b"hello"[..]));
/// # });
/// ```
pub struct MemoryCache {
    clock: Arc<dyn Clock>,
    limits: MemoryCacheLimits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: HashMap<Arc<str>, Entry>,
    /// Keys by the tick of their last use: the first is the next to go.
    by_use: BTreeMap<u64, Arc<str>>,
    tick: u64,
    bytes: usize,
}

struct Entry {
    value: Bytes,
    expires: Timestamp,
    last_use: u64,
}

impl MemoryCache {
    /// An empty cache with the default limits.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_limits(clock, MemoryCacheLimits::default())
    }

    /// An empty cache that never holds more than `limits` say.
    pub fn with_limits(clock: Arc<dyn Clock>, limits: MemoryCacheLimits) -> Self {
        Self {
            clock,
            limits,
            state: Mutex::default(),
        }
    }

    /// How many entries are held, expired ones that nobody asked for included.
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// No critical section below can panic half way, so a poisoned lock still guards a whole state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remove(&mut self, key: &str) {
        if let Some((key, entry)) = self.entries.remove_entry(key) {
            self.by_use.remove(&entry.last_use);
            self.bytes -= cost(&key, &entry.value);
        }
    }

    fn remove_least_recently_used(&mut self) {
        if let Some((_, key)) = self.by_use.pop_first()
            && let Some(entry) = self.entries.remove(&key)
        {
            self.bytes -= cost(&key, &entry.value);
        }
    }

    fn next_tick(&mut self) -> u64 {
        self.tick += 1;
        self.tick
    }
}

fn cost(key: &str, value: &Bytes) -> usize {
    key.len() + value.len() + ENTRY_OVERHEAD_BYTES
}

#[async_trait]
impl Cache for MemoryCache {
    async fn get(&self, key: &str) -> Option<Bytes> {
        let now = self.clock.now();
        let mut state = self.lock();
        let tick = state.next_tick();
        let State {
            entries, by_use, ..
        } = &mut *state;
        let entry = entries.get_mut(key)?;
        if entry.expires <= now {
            state.remove(key);
            return None;
        }
        if let Some(key) = by_use.remove(&entry.last_use) {
            by_use.insert(tick, key);
        }
        entry.last_use = tick;
        Some(entry.value.clone())
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) {
        let expires = self.clock.now() + ttl;
        let cost = cost(key, &value);
        let mut state = self.lock();
        state.remove(key);
        if cost > self.limits.max_bytes || self.limits.max_entries == 0 || ttl.is_zero() {
            return;
        }
        while state.bytes + cost > self.limits.max_bytes
            || state.entries.len() >= self.limits.max_entries
        {
            state.remove_least_recently_used();
        }
        let key: Arc<str> = key.into();
        let last_use = state.next_tick();
        state.by_use.insert(last_use, Arc::clone(&key));
        state.bytes += cost;
        state.entries.insert(
            key,
            Entry {
                value,
                expires,
                last_use,
            },
        );
    }

    async fn delete(&self, key: &str) {
        self.lock().remove(key);
    }
}

impl fmt::Debug for MemoryCache {
    /// Counts only: keys and values may be private.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("MemoryCache")
            .field("entries", &state.entries.len())
            .field("bytes", &state.bytes)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use proptest::prelude::*;

    use super::*;

    #[derive(Default)]
    struct SteppingClock(AtomicI64);

    impl Clock for SteppingClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::Relaxed))
        }
    }

    fn cache(max_entries: usize, max_bytes: usize) -> (Arc<SteppingClock>, MemoryCache) {
        let clock = Arc::new(SteppingClock::default());
        let limits = MemoryCacheLimits {
            max_entries,
            max_bytes,
        };
        let cache = MemoryCache::with_limits(clock.clone(), limits);
        (clock, cache)
    }

    const MINUTE: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn an_entry_lives_until_its_time_and_not_a_millisecond_longer() {
        let (clock, cache) = cache(8, 10_000);
        cache.put("a", "1".into(), MINUTE).await;
        clock.0.store(59_999, Ordering::Relaxed);
        assert_eq!(cache.get("a").await, Some("1".into()));
        clock.0.store(60_000, Ordering::Relaxed);
        assert_eq!(cache.get("a").await, None);
        assert!(cache.is_empty());
    }

    #[tokio::test]
    async fn the_least_recently_used_entry_goes_first() {
        let (_, cache) = cache(2, 10_000);
        cache.put("a", "1".into(), MINUTE).await;
        cache.put("b", "2".into(), MINUTE).await;
        cache.get("a").await;
        cache.put("c", "3".into(), MINUTE).await;
        assert_eq!(cache.get("b").await, None);
        assert_eq!(cache.get("a").await, Some("1".into()));
        assert_eq!(cache.get("c").await, Some("3".into()));
    }

    #[tokio::test]
    async fn bytes_are_bounded_and_what_can_never_fit_is_not_kept() {
        let (_, cache) = cache(100, 3 * (ENTRY_OVERHEAD_BYTES + 11));
        for key in ["a", "b", "c", "d"] {
            cache.put(key, vec![0; 10].into(), MINUTE).await;
        }
        assert_eq!(cache.len(), 3);
        cache.put("b", vec![0; 10_000].into(), MINUTE).await;
        assert_eq!(cache.get("b").await, None, "the old value must not survive");
        assert_eq!(cache.len(), 2);
    }

    #[tokio::test]
    async fn an_entry_that_fills_the_cache_is_kept() {
        let (_, cache) = cache(1, ENTRY_OVERHEAD_BYTES + 11);
        cache.put("a", vec![0; 10].into(), MINUTE).await;
        assert_eq!(cache.len(), 1);
        cache.put("b", vec![0; 11].into(), MINUTE).await;
        assert_eq!(cache.len(), 1, "what cannot fit displaces nothing");
        assert!(cache.get("a").await.is_some());
    }

    #[tokio::test]
    async fn replacing_and_deleting_give_their_bytes_back() {
        let (_, cache) = cache(4, 10_000);
        for _ in 0..1000 {
            cache.put("a", vec![0; 100].into(), MINUTE).await;
        }
        assert_eq!(cache.len(), 1);
        assert!(!cache.is_empty());
        assert_eq!(cache.lock().bytes, 1 + 100 + ENTRY_OVERHEAD_BYTES);
        cache.delete("a").await;
        cache.delete("a").await;
        assert_eq!(cache.lock().bytes, 0);
    }

    #[tokio::test]
    async fn an_entry_without_a_lifetime_is_not_kept() {
        let (_, cache) = cache(4, 10_000);
        cache.put("a", "1".into(), Duration::ZERO).await;
        assert!(cache.is_empty());
        cache.put("a", "1".into(), Duration::MAX).await;
        assert_eq!(cache.get("a").await, Some("1".into()));
    }

    #[test]
    fn debug_prints_neither_keys_nor_values() {
        let (_, cache) = cache(4, 10_000);
        cache.lock().entries.insert(
            "secret-key".into(),
            Entry {
                value: "secret-value".into(),
                expires: Timestamp::MAX,
                last_use: 0,
            },
        );
        assert!(!format!("{cache:?}").contains("secret"));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Put(u8, usize, u64),
        Get(u8),
        Delete(u8),
        Wait(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..12u8, 0..400usize, 0..50u64).prop_map(|(k, n, t)| Step::Put(k, n, t)),
            (0..12u8).prop_map(Step::Get),
            (0..12u8).prop_map(Step::Delete),
            (0..30i64).prop_map(Step::Wait),
        ]
    }

    proptest! {
        /// Against a map that never forgets: the cache may know less, never something else, and
        /// never holds more than its limits.
        #[test]
        fn the_cache_never_lies_and_never_outgrows_its_limits(
            steps in proptest::collection::vec(step(), 0..80),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let (clock, cache) = cache(5, 1500);
                let mut truth = HashMap::new();
                for step in steps {
                    let now = clock.now();
                    match step {
                        Step::Put(key, size, ttl) => {
                            let ttl = Duration::from_millis(ttl);
                            cache.put(&key.to_string(), vec![key; size].into(), ttl).await;
                            truth.insert(key, (size, now + ttl));
                        }
                        Step::Get(key) => {
                            if let Some(value) = cache.get(&key.to_string()).await {
                                let (size, expires) = truth[&key];
                                assert_eq!(value, vec![key; size]);
                                assert!(now < expires);
                            }
                        }
                        Step::Delete(key) => {
                            cache.delete(&key.to_string()).await;
                            truth.remove(&key);
                        }
                        Step::Wait(millis) => {
                            clock.0.fetch_add(millis, Ordering::Relaxed);
                        }
                    }
                    let state = cache.lock();
                    assert!(state.entries.len() <= 5 && state.bytes <= 1500);
                    assert_eq!(state.by_use.len(), state.entries.len());
                    let bytes: usize = state.entries.iter().map(|(k, e)| cost(k, &e.value)).sum();
                    assert_eq!(state.bytes, bytes);
                }
            });
        }
    }
}
