//! What shrike makes of a frame, by its own parts: parser, CAR, inversion, signature.

use shrike::car::{self, BlockRef};
use shrike::cbor::{Cid, Decoder};
use shrike::crypto::{VerifyingKey, parse_did_key};
use shrike::streaming::parse_raw_sync_frame;
use shrike::sync::invert::decode_sync_commit;
use shrike::sync::{
    RawCommit, RawSyncEvent, check_op_cids, decode_commit_car, invert_decoded_commit,
};
use std::collections::HashMap;

/// Keys of accounts, by DID.
pub type Keys = HashMap<String, Box<dyn VerifyingKey>>;

/// The keys of a JSON object of DIDs and their `did:key`.
///
/// # Panics
/// If it is none.
pub fn keys(json: &[u8]) -> Keys {
    let texts: HashMap<String, String> = serde_json::from_slice(json).expect("an object of keys");
    let key = |text: &str| parse_did_key(text).expect("a key");
    texts
        .iter()
        .map(|(did, text)| (did.clone(), key(text)))
        .collect()
}

/// Level a.
pub fn decode(frame: &[u8]) -> Option<RawSyncEvent> {
    parse_raw_sync_frame(frame).ok()
}

/// Level b: the blocks, not hashed, and the records.
pub fn read_blocks(commit: &RawCommit) -> bool {
    car::read_slice(&commit.blocks).is_ok_and(|(_, blocks)| read_records(commit, &blocks))
}

/// Level c: the blocks, hashed, and the records.
pub fn check_hashes(commit: &RawCommit) -> bool {
    car::read_slice(&commit.blocks).is_ok_and(|(_, blocks)| {
        let is_hashed =
            |block: &BlockRef<'_>| Cid::compute(block.cid.codec(), block.data) == block.cid;
        blocks.iter().all(is_hashed) && read_records(commit, &blocks)
    })
}

fn read_records(commit: &RawCommit, blocks: &[BlockRef<'_>]) -> bool {
    let mut records = commit.ops.iter().filter_map(|op| op.cid);
    records.all(|cid| {
        let block = blocks.iter().find(|block| block.cid == cid);
        block.is_some_and(|block| Decoder::new(block.data).decode().is_ok())
    })
}

/// Levels d and, with a key, e.
///
/// # Errors
/// What is wrong, in the peer's words.
pub fn verify(commit: &RawCommit, key: Option<&dyn VerifyingKey>) -> Result<(), String> {
    let decoded = decode_commit_car(commit).map_err(|error| error.to_string())?;
    let (inner, store) = (&decoded.inner, &decoded.store);
    let root = invert_decoded_commit(commit, inner, store).map_err(|error| error.to_string())?;
    if Some(root) != commit.prev_data {
        return Err("the operations do not lead to prevData".to_owned());
    }
    check_op_cids(commit, inner.data, store).map_err(|error| error.to_string())?;
    match key {
        Some(key) => inner.verify(key).map_err(|error| error.to_string()),
        None => Ok(()),
    }
}

/// What it makes of a frame in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A commit that is verified, or an event that is read.
    Taken,
    /// Not read, for this reason.
    NoFrame(String),
    /// A commit that is not verified, for this reason.
    NotVerified(String),
}

/// Judges a frame.
pub fn judge(frame: &[u8], keys: &Keys) -> Verdict {
    match parse_raw_sync_frame(frame) {
        Err(error) => Verdict::NoFrame(error.to_string()),
        Ok(RawSyncEvent::Commit(commit)) => {
            let key = keys.get(commit.repo.as_str());
            match verify(&commit, key.map(AsRef::as_ref)) {
                Ok(()) => Verdict::Taken,
                Err(error) => Verdict::NotVerified(error),
            }
        }
        Ok(RawSyncEvent::Sync(sync)) => {
            match decode_sync_commit(&sync.did, &sync.rev, &sync.blocks) {
                Ok(_) => Verdict::Taken,
                Err(error) => Verdict::NotVerified(error.to_string()),
            }
        }
        Ok(_) => Verdict::Taken,
    }
}
