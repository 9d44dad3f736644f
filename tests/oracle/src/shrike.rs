//! What shrike makes of a frame: by its own parts, which are parser, CAR, inversion and signature, and by its stateful
//! verifier.

use async_trait::async_trait;
use shrike::car::{self, BlockRef};
use shrike::cbor::{self, Cid};
use shrike::crypto::{VerifyingKey, parse_did_key};
use shrike::identity::{Identity, IdentityError};
use shrike::repo::Commit;
use shrike::streaming::parse_raw_sync_frame;
use shrike::sync::invert::decode_sync_commit;
use shrike::sync::{
    ChainState, IdentityResolver, MemStateStore, RawCommit, RawSync, RawSyncEvent, StateStore as _,
    Verifier, VerifierOptions, VerifierPolicy, check_op_cids, decode_commit_car,
    invert_decoded_commit,
};
use shrike::syntax::Did;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::runtime::Runtime;

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
    car::read_slice(&commit.blocks).is_ok_and(|(_, blocks)| read_records(commit, &blocks).is_ok())
}

/// Level c: the blocks, hashed, and the records.
pub fn check_hashes(commit: &RawCommit) -> bool {
    car::read_slice(&commit.blocks).is_ok_and(|(_, blocks)| {
        let is_hashed =
            |block: &BlockRef<'_>| Cid::compute(block.cid.codec(), block.data) == block.cid;
        blocks.iter().all(is_hashed) && read_records(commit, &blocks).is_ok()
    })
}

/// Reads the records of a commit; those whose blocks its host has left out would have to be fetched.
fn read_records(commit: &RawCommit, blocks: &[BlockRef<'_>]) -> Result<(), String> {
    for cid in commit.ops.iter().filter_map(|op| op.cid) {
        if let Some(block) = blocks.iter().find(|block| block.cid == cid) {
            cbor::decode(block.data).map_err(|error| format!("a record: {error}"))?;
        }
    }
    Ok(())
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

/// The same of what a repository is said to be, which has no operations.
///
/// # Errors
/// What is wrong, in the peer's words.
pub fn verify_sync(sync: &RawSync, key: Option<&dyn VerifyingKey>) -> Result<(), String> {
    let commit = read_sync(sync)?;
    match key {
        Some(key) => commit.verify(key).map_err(|error| error.to_string()),
        None => Ok(()),
    }
}

fn read_sync(sync: &RawSync) -> Result<Commit, String> {
    let commit = decode_sync_commit(&sync.did, &sync.rev, &sync.blocks);
    commit.map_err(|error| error.to_string())
}

/// What it makes of a frame in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A commit that is verified and whose records are read, or another event: of this type.
    Taken(&'static str),
    /// Not read, for this reason.
    NoFrame(String),
    /// A commit that is not verified or whose records are not read, for this reason.
    NotVerified(String),
}

/// Judges frames: by the parts above, and then by its stateful verifier, which knows of each account what its event says
/// that there was before, and asks for no repository.
pub struct Judge {
    now: SystemTime,
    identities: Arc<Identities>,
    runtime: Runtime,
}

impl Judge {
    /// One that knows these keys, and takes it to be so long since 1970.
    ///
    /// # Panics
    /// If the keys are no JSON object of DIDs and their `did:key`.
    pub fn new(json: &[u8], now: Duration) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        Self {
            now: SystemTime::UNIX_EPOCH + now,
            identities: Arc::new(Identities::new(keys(json))),
            runtime: runtime.expect("a runtime without anything"),
        }
    }

    /// Judges a frame.
    pub fn judge(&self, frame: &[u8]) -> Verdict {
        let event = match parse_raw_sync_frame(frame) {
            Err(error) => return Verdict::NoFrame(error.to_string()),
            Ok(event) => event,
        };
        let (kind, verified) = match &event {
            RawSyncEvent::Commit(commit) => ("#commit", self.commit(commit)),
            RawSyncEvent::Sync(sync) => ("#sync", self.sync(sync)),
            RawSyncEvent::Account(_) => ("#account", Ok(())),
            RawSyncEvent::Identity(_) => ("#identity", Ok(())),
            RawSyncEvent::Info => ("#info", Ok(())),
        };
        match verified {
            Ok(()) => Verdict::Taken(kind),
            Err(why) => Verdict::NotVerified(why),
        }
    }

    fn commit(&self, commit: &RawCommit) -> Result<(), String> {
        verify(commit, None)?;
        let before = commit.since.zip(commit.prev_data);
        let before = before.map(|(rev, data)| ChainState {
            rev: rev.to_string(),
            data,
        });
        let verified = self.runtime.block_on(async {
            let verifier = self.verifier(&commit.repo, before).await;
            verifier.verify_commit(commit).await
        });
        match verified {
            Ok(Some(_)) => {
                let car = car::read_slice(&commit.blocks).map_err(|error| error.to_string())?;
                read_records(commit, &car.1)
            }
            Ok(None) => Err("the revision is not newer than `since`".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn sync(&self, sync: &RawSync) -> Result<(), String> {
        let commit = read_sync(sync)?;
        // Where the same tree is held at an earlier revision, it checks all there is, and has no reason to fetch.
        let before = ChainState {
            rev: FIRST_REV.to_owned(),
            data: commit.data,
        };
        let (verified, stats) = self.runtime.block_on(async {
            let verifier = self.verifier(&sync.did, Some(before)).await;
            (verifier.verify_sync(sync).await, verifier.stats())
        });
        match verified {
            Ok(_) if stats.sync_no_ops == 1 => Ok(()),
            Ok(_) => Err("the revision is not newer than the first one".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn verifier(&self, did: &Did, before: Option<ChainState>) -> Verifier {
        let store = Arc::new(MemStateStore::new());
        if let Some(before) = before {
            let saved = store.save_chain(did, before).await;
            saved.expect("there is room in memory");
        }
        let now = self.now;
        let options = VerifierOptions::new(store, self.identities.clone())
            .with_verifier_policy(VerifierPolicy::Error)
            .with_lenient_inversion(false)
            .with_now(move || now);
        Verifier::new(options)
    }
}

/// The revision before all others.
const FIRST_REV: &str = "2222222222222";

/// Accounts of which only the keys are known.
struct Identities(HashMap<String, Arc<Identity>>);

impl Identities {
    fn new(keys: Keys) -> Self {
        let identity = |(did, key): (String, _)| {
            let identity = Identity {
                did: Did::try_from(did.as_str()).expect("a DID"),
                handle: None,
                keys: HashMap::from([("#atproto".to_owned(), key)]),
                services: HashMap::new(),
            };
            (did, Arc::new(identity))
        };
        Self(keys.into_iter().map(identity).collect())
    }
}

#[async_trait]
impl IdentityResolver for Identities {
    async fn lookup_did(&self, did: &Did) -> Result<Arc<Identity>, IdentityError> {
        let found = self.0.get(did.as_str()).cloned();
        found.ok_or_else(|| IdentityError::NotFound(did.to_string()))
    }

    async fn purge(&self, _did: &Did) -> Result<(), IdentityError> {
        Ok(())
    }
}
