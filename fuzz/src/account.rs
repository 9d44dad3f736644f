//! An account that is made here. Its secret is known, so that what fuzzing makes of its commits can be signed too: a
//! signature that does not fit is the end of a commit, whatever else is in it.

use huddle_firehose::{Cid, RepoCommit, Tid, UnsignedCommit, VerifyingKey, car, mst};
use huddle_identity::crypto::{Curve, SigningKey};
use huddle_syntax::data::{self, Bytes, CidLink, Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;

/// The account.
pub(crate) const DID: &str = "did:plc:cccccccccccccccccccccccc";

/// What it signs with.
static SECRET: LazyLock<SigningKey> = LazyLock::new(|| {
    SigningKey::from_bytes(Curve::K256, &[7; 32]).expect("the number is below the curve's order")
});

/// What its signatures are verified with.
pub(crate) static KEY: LazyLock<VerifyingKey> = LazyLock::new(|| {
    let text = SECRET.public_key().to_did_key();
    VerifyingKey::from_did_key(&text).expect("a public key is one")
});

const COLLECTION: &str = "com.example.note";

/// The notes that there are after each commit, by record key, and what they say: some are created, updated and deleted.
const HISTORY: [&[(&str, i64)]; 5] = [
    &[("a", 1)],
    &[("a", 2), ("b", 1)],
    &[("b", 1), ("c", 1)],
    &[("b", 2), ("c", 1), ("d", 1)],
    &[("b", 2), ("d", 2)],
];

/// The number of the first commit in the stream, and its time in seconds since 1970. The others follow one by one.
const FIRST_SEQ: i64 = 1000;
const FIRST_SECS: u64 = 1_700_000_000;

/// A commit of the account.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    /// The event that tells what it does.
    pub(crate) event: Vec<u8>,
    /// The event that tells only what the repository is afterwards.
    pub(crate) sync: Vec<u8>,
    /// The repository afterwards, as `getRepo` answers it.
    pub(crate) repository: Vec<u8>,
}

/// All commits of the account: the first one, and each that follows on the one before.
pub(crate) fn commits() -> Vec<Commit> {
    let numbered = (0_u32..).zip(HISTORY);
    let states: Vec<_> = numbered
        .map(|(number, notes)| State::new(number, notes))
        .collect();
    let before = std::iter::once(None).chain(states.iter().map(Some));
    let commit = |(before, state): (Option<&State>, &State)| Commit {
        event: state.event(before),
        sync: state.sync(),
        repository: state.repository(),
    };
    before.zip(&states).map(commit).collect()
}

/// Signs a commit anew; `None` if the block is no commit of the account.
pub(crate) fn sign_again(block: &[u8]) -> Option<Vec<u8>> {
    let commit = RepoCommit::read(block).ok()?;
    (commit.did == DID).then(|| {
        sign(UnsignedCommit {
            did: commit.did,
            rev: commit.rev,
            data: commit.data,
            prev: commit.prev,
        })
    })
}

fn sign(commit: UnsignedCommit<'_>) -> Vec<u8> {
    commit.signed(&SECRET.sign(&commit.to_bytes()))
}

/// The repository after one of the commits.
struct State {
    seq: i64,
    rev: Tid,
    /// By path.
    records: BTreeMap<String, Cid>,
    data: Cid,
    commit: Cid,
    signed: Vec<u8>,
    /// The nodes of the tree and the records.
    blocks: BTreeMap<Cid, Vec<u8>>,
}

impl State {
    fn new(number: u32, notes: &[(&str, i64)]) -> Self {
        let mut records = BTreeMap::new();
        let mut blocks = BTreeMap::new();
        for (rkey, says) in notes {
            let record = encode([("$type", COLLECTION.into()), ("says", (*says).into())]);
            let cid = Cid::of_cbor(&record);
            records.insert(format!("{COLLECTION}/{rkey}"), cid);
            blocks.insert(cid, record);
        }
        let leaves = records.iter();
        let leaves = leaves.map(|(path, cid)| (path.clone().into_bytes(), *cid));
        let tree = mst::build(&leaves.collect());
        blocks.extend(tree.blocks);
        let rev = Tid::from_time(Duration::from_secs(FIRST_SECS + u64::from(number)));
        let signed = sign(UnsignedCommit {
            did: DID,
            rev,
            data: tree.root,
            prev: None,
        });
        Self {
            seq: FIRST_SEQ + i64::from(number),
            rev,
            records,
            data: tree.root,
            commit: Cid::of_cbor(&signed),
            signed,
            blocks,
        }
    }

    fn repository(&self) -> Vec<u8> {
        let blocks = self.blocks.iter().map(|(cid, block)| (cid, &block[..]));
        car::write(&self.commit, self.head().chain(blocks))
    }

    fn head(&self) -> impl Iterator<Item = (&Cid, &[u8])> {
        std::iter::once((&self.commit, &self.signed[..]))
    }

    fn event(&self, before: Option<&Self>) -> Vec<u8> {
        let since = before.map_or(Value::Null, |before| before.rev.to_string().into());
        let body = [
            ("seq", self.seq.into()),
            ("repo", DID.into()),
            ("rev", self.rev.to_string().into()),
            ("since", since),
            ("time", "2023-11-14T22:13:20Z".into()),
            ("commit", link(&self.commit)),
            ("ops", self.ops(before).into()),
            ("blobs", Value::List(Vec::new())),
            ("blocks", Bytes::from(self.repository()).into()),
            ("rebase", false.into()),
            ("tooBig", false.into()),
        ];
        let prev_data = before.map(|before| ("prevData", link(&before.data)));
        event("#commit", body.into_iter().chain(prev_data))
    }

    fn ops(&self, before: Option<&Self>) -> Vec<Value> {
        let nothing = BTreeMap::new();
        let old = before.map_or(&nothing, |before| &before.records);
        let paths: BTreeSet<_> = old.keys().chain(self.records.keys()).collect();
        let changed = paths.into_iter().filter_map(|path| {
            let (prev, cid) = (old.get(path), self.records.get(path));
            let action = match (prev, cid) {
                _ if prev == cid => return None,
                (None, _) => "create",
                (_, None) => "delete",
                _ => "update",
            };
            let op = [
                ("action", action.into()),
                ("path", path.as_str().into()),
                ("cid", cid.map_or(Value::Null, link)),
            ];
            let prev = prev.map(|prev| ("prev", link(prev)));
            Some(op.into_iter().chain(prev).collect::<Map>().into())
        });
        changed.collect()
    }

    fn sync(&self) -> Vec<u8> {
        let blocks = car::write(&self.commit, self.head());
        let body = [
            ("seq", self.seq.into()),
            ("did", DID.into()),
            ("rev", self.rev.to_string().into()),
            ("time", "2023-11-14T22:13:20Z".into()),
            ("blocks", Bytes::from(blocks).into()),
        ];
        event("#sync", body)
    }
}

fn event(kind: &str, body: impl IntoIterator<Item = (&'static str, Value)>) -> Vec<u8> {
    let mut frame = encode([("t", kind.into()), ("op", 1_i64.into())]);
    frame.extend(encode(body));
    frame
}

fn encode(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Vec<u8> {
    let map: Map = fields.into_iter().collect();
    data::to_cbor(&map).expect("the fields are of the data model")
}

fn link(cid: &Cid) -> Value {
    let link = CidLink::from_bytes(&cid.to_bytes());
    link.expect("a CID of a block is a link").into()
}
