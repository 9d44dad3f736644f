//! The allowances of a single process.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use huddle_core::rate_limiter::{Bucket, Spend, Verdict};
use huddle_ports::{Clock, Timestamp};
use sha2::{Digest, Sha256};

use super::{Allowances, SpendError};

/// Callers that are remembered at a time, and tokens. Each takes some 150 bytes.
const MOST: usize = 262_144;

/// How much longer than it lasts a token is remembered: a clock that is set back by less lets none be used again.
const LONGER: Duration = Duration::from_mins(5);

/// What is remembered of a text, however long it is: the first half of a SHA-256, which no two are found to share.
type Key = [u8; 16];

fn key(text: &str) -> Key {
    let digest: [u8; 32] = Sha256::digest(text).into();
    digest[..16].try_into().expect("half of 32 bytes")
}

/// Allowances in memory, with the rules of the actor `RateLimiter`; but where the clock is set back, time goes on here
/// from where it was, because it is everybody's.
///
/// A caller whose bucket is full is forgotten. When there are too many others, the one whose bucket will be full
/// first is: that gives away the least. A token that could be replayed is never forgotten: when there are too
/// many, new ones are refused. No caller has more of them than their allowance lets through while one can be replayed.
pub struct MemoryAllowances {
    clock: Arc<dyn Clock>,
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    buckets: HashMap<Key, (Bucket, Timestamp)>,
    /// When buckets will be full, and whose: the first is the next to be forgotten.
    by_fullness: BTreeSet<(Timestamp, Key)>,
    nonces: HashSet<Key>,
    by_expiry: BTreeSet<(Timestamp, Key)>,
    time: Option<Time>,
}

/// How far the clock has gone forward, from what it said first.
#[derive(Clone, Copy)]
struct Time {
    now: Timestamp,
    /// What the clock said last.
    said: Timestamp,
}

impl Time {
    fn at(self, says: Timestamp) -> Self {
        Self {
            now: self.now + says.since(self.said),
            said: says,
        }
    }

    /// When it will be what the clock says at a moment, if it is not set meanwhile.
    fn until(self, moment: Timestamp) -> Timestamp {
        self.now + moment.since(self.said)
    }

    /// What the clock will say then.
    fn will_say(self, then: Timestamp) -> Timestamp {
        self.said + then.since(self.now)
    }
}

impl MemoryAllowances {
    /// Allowances that nobody has spent anything of.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::of_at_most(MOST, clock)
    }

    fn of_at_most(most: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            most,
            state: Mutex::default(),
        }
    }

    /// Nothing below can panic half way, so a poisoned lock still guards a whole state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Allowances for MemoryAllowances {
    async fn spend(&self, caller: &str, spend: Spend) -> Result<Verdict, SpendError> {
        let caller = key(caller);
        let mut state = self.lock();
        let time = state.advance(self.clock.now());
        let now = time.now;
        let bucket = match state.buckets.get(&caller) {
            Some((bucket, _)) => *bucket,
            None => Bucket::full(spend.rate, now),
        };
        let bucket = match bucket.filled(spend.rate, now).take(spend.rate, spend.cost) {
            Ok(bucket) => bucket,
            Err(Verdict::Limited {
                remaining,
                retry_at,
            }) => {
                return Ok(Verdict::Limited {
                    remaining,
                    retry_at: time.will_say(retry_at),
                });
            }
            Err(other) => return Ok(other),
        };
        if let Some(nonce) = &spend.nonce {
            let token = key(&nonce.text);
            if nonce.forget <= time.said || state.nonces.contains(&token) {
                return Ok(Verdict::Replayed);
            }
            if state.nonces.len() >= self.most {
                return Err(SpendError::Full);
            }
            state.nonces.insert(token);
            let forget = time.until(nonce.forget) + LONGER;
            state.by_expiry.insert((forget, token));
        }
        state.put(caller, bucket, bucket.full_at(spend.rate), self.most);
        Ok(Verdict::Allowed {
            remaining: bucket.tokens(),
        })
    }
}

impl State {
    /// Forgets what has run out.
    fn advance(&mut self, says: Timestamp) -> Time {
        let first = Time {
            now: says,
            said: says,
        };
        let time = self.time.map_or(first, |time| time.at(says));
        let now = time.now;
        self.time = Some(time);
        while let Some((_, nonce)) = pop_due(&mut self.by_expiry, now) {
            self.nonces.remove(&nonce);
        }
        while let Some((_, caller)) = pop_due(&mut self.by_fullness, now) {
            self.buckets.remove(&caller);
        }
        time
    }

    fn put(&mut self, caller: Key, bucket: Bucket, full_at: Timestamp, most: usize) {
        if let Some((_, full_at)) = self.buckets.remove(&caller) {
            self.by_fullness.remove(&(full_at, caller));
        }
        if self.buckets.len() >= most
            && let Some((_, first)) = self.by_fullness.pop_first()
        {
            self.buckets.remove(&first);
        }
        self.by_fullness.insert((full_at, caller));
        self.buckets.insert(caller, (bucket, full_at));
    }
}

fn pop_due(queue: &mut BTreeSet<(Timestamp, Key)>, now: Timestamp) -> Option<(Timestamp, Key)> {
    let due = queue.first().is_some_and(|(due, _)| *due <= now);
    due.then(|| queue.pop_first()).flatten()
}

impl fmt::Debug for MemoryAllowances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryAllowances")
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use huddle_core::rate_limiter::{Nonce, Rate};
    use huddle_testkit::SteppingClock;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_767_268_800_000);
    const ALLOWED: Result<Verdict, SpendError> = Ok(Verdict::Allowed { remaining: 0 });

    fn at_most(most: usize) -> (MemoryAllowances, Arc<SteppingClock>) {
        let clock = Arc::new(SteppingClock::at(NOW));
        (MemoryAllowances::of_at_most(most, clock.clone()), clock)
    }

    /// One request a minute.
    fn ask(
        allowances: &MemoryAllowances,
        caller: &str,
        nonce: Option<&str>,
    ) -> Result<Verdict, SpendError> {
        let spend = Spend {
            rate: Rate {
                per_minute: 1,
                burst: 1,
            },
            cost: 1,
            nonce: nonce.map(|text| Nonce {
                text: text.to_owned(),
                forget: NOW + Duration::from_mins(5),
            }),
        };
        allowances.spend(caller, spend).now_or_never().unwrap()
    }

    #[test]
    fn of_too_many_callers_the_one_who_may_ask_again_soonest_is_forgotten() {
        let (allowances, clock) = at_most(2);
        for caller in ["a", "b", "c"] {
            assert_eq!(ask(&allowances, caller, None), ALLOWED);
            clock.step(Duration::from_secs(1));
        }
        let known = ask(&allowances, "b", None);
        assert!(matches!(known, Ok(Verdict::Limited { .. })), "{known:?}");
        assert_eq!(ask(&allowances, "a", None), ALLOWED);
    }

    #[test]
    fn tokens_beyond_the_bound_are_refused_until_others_expire() {
        let (allowances, clock) = at_most(1);
        assert_eq!(ask(&allowances, "a", Some("one")), ALLOWED);
        assert_eq!(ask(&allowances, "b", Some("two")), Err(SpendError::Full));
        clock.step(Duration::from_mins(5));
        assert_eq!(
            ask(&allowances, "b", Some("two")),
            Ok(Verdict::Replayed),
            "it has expired itself"
        );
        assert_eq!(allowances.lock().nonces.len(), 1);
        clock.step(LONGER);
        assert_eq!(ask(&allowances, "c", None), ALLOWED);
        assert!(allowances.lock().nonces.is_empty());
    }

    #[test]
    fn when_the_clock_is_set_back_tokens_are_taken_and_buckets_filled_as_before() {
        let (allowances, clock) = at_most(8);
        // It is wrong by an hour, and somebody asks without a token meanwhile.
        clock.set(NOW + Duration::from_hours(1));
        assert_eq!(ask(&allowances, "anybody", None), ALLOWED);
        clock.set(NOW);
        assert_eq!(ask(&allowances, "a", Some("one")), ALLOWED);
        let retry_at = NOW + Duration::from_mins(1);
        let limited = Verdict::Limited {
            remaining: 0,
            retry_at,
        };
        assert_eq!(ask(&allowances, "a", Some("two")), Ok(limited));
        clock.set(retry_at);
        assert_eq!(ask(&allowances, "a", Some("two")), ALLOWED);
        // A token that has just run out is none again when the clock is mended.
        let expiry = NOW + Duration::from_mins(5);
        clock.set(expiry);
        assert_eq!(ask(&allowances, "b", None), ALLOWED);
        clock.set(expiry - Duration::from_mins(1));
        assert_eq!(ask(&allowances, "c", Some("one")), Ok(Verdict::Replayed));
    }

    #[test]
    fn of_a_caller_and_a_token_as_much_is_remembered_however_long_their_names_are() {
        let (allowances, _) = at_most(1);
        let (caller, token) = ("a".repeat(2000), "t".repeat(10_000));
        assert_eq!(ask(&allowances, &caller, Some(&token)), ALLOWED);
        let state = allowances.lock();
        assert!(state.buckets.keys().eq([&key(&caller)]));
        assert!(state.nonces.iter().eq([&key(&token)]));
        assert!(state.by_expiry.iter().all(|(_, kept)| *kept == key(&token)));
    }

    #[test]
    fn nothing_stays_of_callers_whose_buckets_are_full() {
        let (allowances, clock) = at_most(8);
        assert_eq!(ask(&allowances, "a", None), ALLOWED);
        clock.step(Duration::from_mins(1));
        assert_eq!(ask(&allowances, "b", None), ALLOWED);
        assert_eq!(allowances.lock().buckets.len(), 1);
        assert_eq!(allowances.lock().by_fullness.len(), 1);
    }
}
