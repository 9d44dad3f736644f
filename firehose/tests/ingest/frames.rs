//! Frames, repositories and keys, made for the tests.

use std::collections::BTreeMap;
use std::time::Duration;

use huddle_firehose::{Cid, Curve, Head, Tid, UnsignedCommit, VerifyingKey, car, mst};
use k256::ecdsa::signature::hazmat::PrehashSigner as _;
use k256::ecdsa::{Signature, SigningKey};
use sha2::Digest as _;

/// The time of the first revision; the clock of the tests starts after all of them.
pub(crate) const EPOCH: Duration = Duration::from_secs(1_700_000_000);
pub(crate) const START: Duration = Duration::from_hours(500_000);

/// An item of DAG-CBOR.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    Link(Cid),
    List(Vec<Item>),
    Map(Vec<(&'static str, Item)>),
}

pub(crate) fn text(text: &str) -> Item {
    Item::Text(text.to_owned())
}

impl Item {
    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        match self {
            Self::Null => to.push(0xf6),
            Self::Bool(value) => to.push(0xf4 | u8::from(*value)),
            Self::Int(value) if *value < 0 => head(1, (!*value).unsigned_abs(), to),
            Self::Int(value) => head(0, value.unsigned_abs(), to),
            Self::Text(value) => {
                head(3, value.len() as u64, to);
                to.extend_from_slice(value.as_bytes());
            }
            Self::Bytes(value) => {
                head(2, value.len() as u64, to);
                to.extend_from_slice(value);
            }
            Self::Link(cid) => {
                to.extend_from_slice(&[0xd8, 42, 0x58, 37, 0]);
                to.extend_from_slice(&cid.to_bytes());
            }
            Self::List(items) => {
                head(4, items.len() as u64, to);
                for item in items {
                    item.write(to);
                }
            }
            Self::Map(entries) => {
                let mut entries: Vec<_> = entries.iter().collect();
                entries.sort_by_key(|(key, _)| (key.len(), *key));
                head(5, entries.len() as u64, to);
                for (key, value) in entries {
                    text(key).write(to);
                    value.write(to);
                }
            }
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }
}

fn head(kind: u8, argument: u64, to: &mut Vec<u8>) {
    let kind = kind << 5;
    let bytes = argument.to_be_bytes();
    match argument {
        0..24 => to.push(kind | bytes[7]),
        24..0x100 => to.extend_from_slice(&[kind | 0x18, bytes[7]]),
        0x100..0x1_0000 => to.extend_from_slice(&[&[kind | 0x19], &bytes[6..]].concat()),
        0x1_0000..0x1_0000_0000 => to.extend_from_slice(&[&[kind | 0x1a], &bytes[4..]].concat()),
        _ => to.extend_from_slice(&[&[kind | 0x1b], &bytes[..]].concat()),
    }
}

/// A frame with this header and body.
pub(crate) fn frame(op: i64, event: Option<&str>, body: Vec<(&'static str, Item)>) -> Vec<u8> {
    let mut header = vec![("op", Item::Int(op))];
    header.extend(event.map(|event| ("t", text(event))));
    let mut bytes = Item::Map(header).to_bytes();
    Item::Map(body).write(&mut bytes);
    bytes
}

pub(crate) fn identity(seq: i64, did: &str, handle: &str) -> Vec<u8> {
    let body = vec![
        ("seq", Item::Int(seq)),
        ("did", text(did)),
        ("time", text("2026-01-01T00:00:00Z")),
        ("handle", text(handle)),
    ];
    frame(1, Some("#identity"), body)
}

pub(crate) fn account(seq: i64, did: &str, status: Option<&str>) -> Vec<u8> {
    let mut body = vec![
        ("seq", Item::Int(seq)),
        ("did", text(did)),
        ("time", text("2026-01-01T00:00:00Z")),
        ("active", Item::Bool(status.is_none())),
    ];
    body.extend(status.map(|status| ("status", text(status))));
    frame(1, Some("#account"), body)
}

pub(crate) fn unknown(seq: i64) -> Vec<u8> {
    frame(1, Some("#labels"), vec![("seq", Item::Int(seq))])
}

pub(crate) fn info(name: &str) -> Vec<u8> {
    frame(1, Some("#info"), vec![("name", text(name))])
}

pub(crate) fn error(name: &str) -> Vec<u8> {
    frame(-1, None, vec![("error", text(name))])
}

/// A signing key, by number.
pub(crate) fn signing_key(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number.max(1); 32]).expect("a small number is a key")
}

pub(crate) fn verifying_key(number: u8) -> VerifyingKey {
    let point = signing_key(number).verifying_key().to_sec1_point(true);
    let point = point.as_bytes().try_into().expect("compressed");
    VerifyingKey::from_compressed(Curve::K256, point).expect("a point of the curve")
}

/// The records of a repository, by path: only the CIDs count for the tree.
pub(crate) type Records = BTreeMap<String, Vec<u8>>;

/// A commit that an account has made, with all of the repository.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) did: String,
    pub(crate) head: Head,
    pub(crate) commit: Cid,
    pub(crate) before: Option<Head>,
    pub(crate) ops: Vec<Item>,
    /// The whole repository as CAR: more than a host would send, and not less.
    pub(crate) car: Vec<u8>,
    /// The records after it.
    pub(crate) records: Records,
    /// The number of the key that has signed it.
    pub(crate) key: u8,
}

/// Makes a commit that leads from one state to another.
pub(crate) fn make(did: &str, before: Option<&Made>, records: Records, key: u8) -> Made {
    let time = before.map_or(EPOCH, |made| {
        made.head.rev.since_epoch() + Duration::from_millis(1)
    });
    made(did, before, records, key, time)
}

/// Makes a commit that changes nothing, at this time.
pub(crate) fn make_at(before: &Made, time: Duration) -> Made {
    let records = before.records.clone();
    made(&before.did, Some(before), records, before.key, time)
}

fn made(did: &str, before: Option<&Made>, records: Records, key: u8, time: Duration) -> Made {
    let cids = |records: &Records| -> BTreeMap<String, Cid> {
        let cid = |(path, bytes): (&String, &Vec<u8>)| (path.clone(), Cid::of_cbor(bytes));
        records.iter().map(cid).collect()
    };
    let (old, new) = (
        before.map(|made| cids(&made.records)).unwrap_or_default(),
        cids(&records),
    );
    let tree = mst::build(
        &new.iter()
            .map(|(path, cid)| (path.clone().into_bytes(), *cid))
            .collect(),
    );
    let rev = Tid::from_time(time);
    let block = signed(did, rev, tree.root, key);
    let commit = Cid::of_cbor(&block);
    let records_blocks = new
        .values()
        .copied()
        .zip(records.values().map(Vec::as_slice));
    let nodes = tree
        .blocks
        .iter()
        .map(|(cid, node)| (*cid, node.as_slice()));
    let blocks: Vec<_> = std::iter::once((commit, block.as_slice()))
        .chain(nodes)
        .chain(records_blocks)
        .collect();
    Made {
        did: did.to_owned(),
        head: Head {
            rev,
            data: tree.root,
        },
        commit,
        before: before.map(|made| made.head),
        ops: ops(&old, &new),
        car: car::write(&commit, blocks.iter().map(|(cid, block)| (cid, *block))),
        records,
        key,
    }
}

/// The block of a commit.
pub(crate) fn signed(did: &str, rev: Tid, data: Cid, key: u8) -> Vec<u8> {
    let unsigned = UnsignedCommit {
        did,
        rev,
        data,
        prev: None,
    };
    let digest = sha2::Sha256::digest(unsigned.to_bytes());
    let signature: Signature = signing_key(key)
        .sign_prehash(&digest)
        .expect("a digest can be signed");
    unsigned.signed(&signature.normalize_s().to_bytes().into())
}

fn ops(old: &BTreeMap<String, Cid>, new: &BTreeMap<String, Cid>) -> Vec<Item> {
    let mut paths: Vec<_> = old.keys().chain(new.keys()).collect();
    paths.sort();
    paths.dedup();
    let link = |cid: Option<&Cid>| cid.map_or(Item::Null, |cid| Item::Link(*cid));
    let op = |path: &&String| {
        let (from, to) = (old.get(*path), new.get(*path));
        let action = match (from, to) {
            (None, _) => "create",
            (_, None) => "delete",
            _ => "update",
        };
        let mut op = vec![
            ("action", text(action)),
            ("path", text(path)),
            ("cid", link(to)),
        ];
        op.extend(from.map(|cid| ("prev", Item::Link(*cid))));
        Item::Map(op)
    };
    let changed = paths
        .iter()
        .filter(|path| old.get(**path) != new.get(**path));
    changed.map(op).collect()
}

impl Made {
    /// The event of the commit.
    pub(crate) fn frame(&self, seq: i64) -> Vec<u8> {
        frame(1, Some("#commit"), self.body(seq))
    }

    pub(crate) fn body(&self, seq: i64) -> Vec<(&'static str, Item)> {
        let since = self.before.map(|head| text(&head.rev.to_string()));
        let mut body = vec![
            ("seq", Item::Int(seq)),
            ("repo", text(&self.did)),
            ("rev", text(&self.head.rev.to_string())),
            ("since", since.unwrap_or(Item::Null)),
            ("time", text("2026-01-01T00:00:00Z")),
            ("commit", Item::Link(self.commit)),
            ("ops", Item::List(self.ops.clone())),
            ("blobs", Item::List(Vec::new())),
            ("blocks", Item::Bytes(self.car.clone())),
            ("rebase", Item::Bool(false)),
            ("tooBig", Item::Bool(false)),
        ];
        body.extend(self.before.map(|head| ("prevData", Item::Link(head.data))));
        body
    }

    /// The event that says what the repository is, without saying how it came to be.
    pub(crate) fn sync(&self, seq: i64) -> Vec<u8> {
        let body = vec![
            ("seq", Item::Int(seq)),
            ("did", text(&self.did)),
            ("rev", text(&self.head.rev.to_string())),
            ("time", text("2026-01-01T00:00:00Z")),
            ("blocks", Item::Bytes(self.car.clone())),
        ];
        frame(1, Some("#sync"), body)
    }
}

/// A record of this collection.
pub(crate) fn record(collection: &str, number: i64) -> Vec<u8> {
    Item::Map(vec![("$type", text(collection)), ("n", Item::Int(number))]).to_bytes()
}
