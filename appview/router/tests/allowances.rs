//! Allowances in memory and allowances that are actors follow the same rules.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::sync::Arc;
use std::time::Duration;

use huddle_appview_router::{ActorAllowances, Allowances, MemoryAllowances};
use huddle_core::Limits;
use huddle_core::rate_limiter::{Nonce, Rate, Spend, Verdict};
use huddle_native::ActorStore;
use huddle_ports::Timestamp;
use huddle_testkit::SteppingClock;

const NOW: Timestamp = Timestamp::from_millis(1_767_268_800_000);
const EXPIRY: Duration = Duration::from_mins(5);

/// Two tokens, and one more every second.
fn spend(cost: u32, nonce: Option<&str>) -> Spend {
    Spend {
        rate: Rate {
            per_minute: 60,
            burst: 2,
        },
        cost,
        nonce: nonce.map(|text| Nonce {
            text: text.to_owned(),
            forget: NOW + EXPIRY,
        }),
    }
}

fn allowed(remaining: u32) -> Verdict {
    Verdict::Allowed { remaining }
}

fn limited(remaining: u32, secs: u64) -> Verdict {
    Verdict::Limited {
        remaining,
        retry_at: NOW + Duration::from_secs(secs),
    }
}

async fn follows_the_rules(allowances: &dyn Allowances, clock: &SteppingClock) {
    let seconds = |secs| NOW + Duration::from_secs(secs);
    // When it is, who asks, for how much, with which token, and what comes of it.
    let steps = [
        (0, "did/a", 1, Some("one"), allowed(1)),
        (0, "did/a", 1, Some("one"), Verdict::Replayed),
        (0, "did/a", 1, Some("two"), allowed(0)),
        (0, "did/a", 1, Some("three"), limited(0, 1)),
        (0, "did/b", 1, Some("four"), allowed(1)),
        (1, "did/a", 1, Some("three"), allowed(0)),
        (2, "did/a", 2, None, limited(1, 3)),
        (3, "did/a", 9, None, allowed(0)),
        (299, "did/a", 1, Some("one"), Verdict::Replayed),
        (300, "did/a", 1, Some("five"), Verdict::Replayed),
    ];
    for (number, (at, caller, cost, nonce, expect)) in steps.into_iter().enumerate() {
        clock.set(seconds(at));
        let verdict = allowances.spend(caller, spend(cost, nonce)).await.unwrap();
        assert_eq!(verdict, expect, "step {number}");
    }
}

#[tokio::test]
async fn allowances_in_memory_follow_the_rules() {
    let clock = Arc::new(SteppingClock::at(NOW));
    follows_the_rules(&MemoryAllowances::new(clock.clone()), &clock).await;
}

#[tokio::test]
async fn allowances_that_are_actors_follow_the_rules() {
    let clock = Arc::new(SteppingClock::at(NOW));
    let actors = ActorStore::in_memory(clock.clone(), Limits::default()).unwrap();
    let allowances = ActorAllowances::new(Arc::new(actors));
    follows_the_rules(&allowances, &clock).await;
    // Each has a time of its own, which does not run back: a clock that does fills no bucket.
    let spend_at = async |secs: u64| {
        clock.set(NOW + Duration::from_secs(secs));
        allowances.spend("did/c", spend(2, None)).await.unwrap()
    };
    assert_eq!(spend_at(3).await, allowed(0));
    assert_eq!(spend_at(0).await, limited(0, 5));
}
