//! The contract of `Cache`.

use std::time::Duration;

use huddle_ports::{Bytes, Cache};

use super::{Broken, expect};

/// Longer than any test takes.
const TTL: Duration = Duration::from_hours(1);

/// Keys that a store might take for one another, which knows them by a path, a URL or a pattern.
const KEYS: [&str; 8] = [
    "contract",
    "contract/",
    "contract/a b",
    "contract/a%20b",
    "contract?a",
    "contract#a",
    "contract*",
    "contract/ü",
];

/// Checks a cache that has room for some entries, and none under keys that begin with `contract`; leaves none. A cache
/// may forget anything; one that does so at once, and unasked, is none.
pub async fn cache(cache: &dyn Cache) -> Result<(), Broken> {
    for key in KEYS {
        expect("what never was put", cache.get(key).await, None)?;
        cache.put(key, key.into(), TTL).await;
    }
    for key in KEYS {
        let kept = cache.get(key).await;
        expect("each key has a value of its own", kept, Some(key.into()))?;
    }
    for value in [&b""[..], b"\x00\xff", b"last"] {
        let value = Bytes::from_static(value);
        cache.put(KEYS[0], value.clone(), TTL).await;
        let kept = cache.get(KEYS[0]).await;
        expect(
            "the last value takes the place of others",
            kept,
            Some(value),
        )?;
    }
    for (index, key) in KEYS.into_iter().enumerate() {
        cache.delete(key).await;
        expect("what is deleted is gone", cache.get(key).await, None)?;
        if let Some(next) = KEYS.get(index + 1) {
            let kept = cache.get(next).await;
            expect("and nothing else", kept, Some((*next).into()))?;
        }
    }
    cache.delete(KEYS[0]).await;
    Ok(())
}
