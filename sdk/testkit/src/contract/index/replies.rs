//! What is answered to requests that no actor remembers.

use huddle_core::idempotency::Key;
use huddle_core::index::replies::Seen;
use huddle_core::index::{Index, replies};
use huddle_ports::Timestamp;

use super::{batch, read};
use crate::contract::{Broken, broken, expect};

const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(super) async fn check(index: &dyn Index) -> Result<(), Broken> {
    let key = |body_hash: &str| -> Result<Key, Broken> {
        let caller = "did:web:contract.example".parse();
        Ok(Key {
            caller: caller.map_err(|error| broken("a DID", error))?,
            method: "com.huddle.putPreferences".to_owned(),
            key: "a key".to_owned(),
            body_hash: body_hash.to_owned(),
        })
    };
    let (mine, other) = (key("mine")?, key("other")?);
    let begin = async |key: &Key, now| {
        let begun = replies::begin(index, key, at(now), at(now + 10), at(now + 100)).await;
        read("a request", begun)
    };
    expect("a request is new", begin(&mine, 0).await?, Seen::Fresh)?;
    let again = begin(&mine, 9).await?;
    expect(
        "it runs until its lease ends",
        again,
        Seen::InFlight(at(10)),
    )?;
    let again = begin(&other, 11).await?;
    expect("the key is taken", again, Seen::Mismatch)?;
    let again = begin(&mine, 11).await?;
    expect("whoever ran it has not come back", again, Seen::Fresh)?;
    batch(index, vec![replies::keep(&mine, "done")]).await?;
    let again = begin(&mine, 50).await?;
    expect("it is answered", again, Seen::Answered("done".into()))?;
    batch(index, vec![replies::withdraw(&mine)]).await?;
    let again = begin(&mine, 50).await?;
    expect("an answer stays", again, Seen::Answered("done".into()))?;
    let again = begin(&other, 111).await?;
    expect("after a while the key is free", again, Seen::Fresh)?;
    batch(index, vec![replies::withdraw(&other)]).await?;
    expect("nothing came of it", begin(&mine, 112).await?, Seen::Fresh)?;
    batch(index, vec![replies::forget(at(212))]).await?;
    expect("it is forgotten", begin(&other, 113).await?, Seen::Fresh)
}
