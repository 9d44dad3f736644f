//! An account and its repository.

use std::collections::BTreeMap;
use std::time::Duration;

use huddle_firehose::{Cid, Tid, UnsignedCommit, car, mst};
use huddle_identity::crypto::SigningKey;
use huddle_lexicon::com::atproto::sync::subscribe_repos as stream;
use huddle_syntax::data::CidLink;
use huddle_syntax::{AtUri, Datetime, Did, Handle};

/// A version of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The address of the record.
    pub uri: AtUri,
    /// What it is at that version.
    pub cid: CidLink,
}

/// Whether an account is hosted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hosting {
    /// It is.
    Active,
    /// Its owner has put it to rest.
    Deactivated,
    /// Its host has taken it down.
    TakenDown,
    /// Its owner has deleted it.
    Deleted,
}

impl Hosting {
    /// What is told of an account that is not hosted.
    pub(super) fn status(self) -> Option<stream::AccountStatus> {
        match self {
            Self::Active => None,
            Self::Deactivated => Some(stream::AccountStatus::Deactivated),
            Self::TakenDown => Some(stream::AccountStatus::Takendown),
            Self::Deleted => Some(stream::AccountStatus::Deleted),
        }
    }
}

/// What becomes of the records at some paths; `None` takes one away.
pub(super) type Changes = BTreeMap<String, Option<Vec<u8>>>;

pub(super) struct Account {
    pub(super) did: Did,
    pub(super) handle: Handle,
    pub(super) key: SigningKey,
    pub(super) hosting: Hosting,
    /// By path: collection, slash, key.
    pub(super) records: BTreeMap<String, Vec<u8>>,
    tree: mst::NewTree,
    rev: Tid,
    /// The signed root.
    pub(super) root: Cid,
    block: Vec<u8>,
}

/// A commit, as the firehose tells of it.
pub(super) struct Commit {
    root: Cid,
    rev: Tid,
    since: Tid,
    prev_data: Cid,
    ops: Vec<stream::RepoOp>,
    blocks: Vec<u8>,
}

impl Account {
    pub(super) fn new(did: Did, handle: Handle, key: SigningKey, now: Duration) -> Self {
        let tree = mst::build(&BTreeMap::new());
        let rev = Tid::from_time(now);
        let (root, block) = sign(&did, &key, rev, tree.root);
        Self {
            did,
            handle,
            key,
            hosting: Hosting::Active,
            records: BTreeMap::new(),
            tree,
            rev,
            root,
            block,
        }
    }

    pub(super) fn rev(&self) -> Tid {
        self.rev
    }

    /// The signed root alone.
    pub(super) fn signed_root(&self) -> Vec<u8> {
        car::write(&self.root, [(&self.root, self.block.as_slice())])
    }

    /// The whole repository.
    pub(super) fn to_car(&self) -> Vec<u8> {
        self.car_of(self.records.values())
    }

    fn car_of<'a>(&'a self, records: impl Iterator<Item = &'a Vec<u8>>) -> Vec<u8> {
        let root = [(self.root, self.block.as_slice())];
        let nodes = self.tree.blocks.iter();
        let nodes = nodes.map(|(cid, node)| (*cid, node.as_slice()));
        let records = records.map(|record| (Cid::of_cbor(record), record.as_slice()));
        // Records of the same bytes are one block.
        let rest: BTreeMap<Cid, &[u8]> = nodes.chain(records).collect();
        let blocks: Vec<_> = root.into_iter().chain(rest).collect();
        car::write(&self.root, blocks.iter().map(|(cid, block)| (cid, *block)))
    }

    /// Makes these changes, and signs what comes of them.
    pub(super) fn commit(&mut self, changes: &Changes, now: Duration) -> Commit {
        let (since, prev_data) = (self.rev, self.tree.root);
        let ops: Vec<_> = changes
            .iter()
            .filter_map(|(path, record)| self.change(path, record.as_deref()))
            .collect();
        let cids = self.records.iter();
        let cids = cids.map(|(path, record)| (path.clone().into_bytes(), Cid::of_cbor(record)));
        self.tree = mst::build(&cids.collect());
        self.rev = Tid::from_time(now.max(since.since_epoch() + Duration::from_micros(1)));
        (self.root, self.block) = sign(&self.did, &self.key, self.rev, self.tree.root);
        let written = changes.values().flatten();
        Commit {
            root: self.root,
            rev: self.rev,
            since,
            prev_data,
            ops,
            blocks: self.car_of(written),
        }
    }

    /// Makes one change; `None` if there is nothing to take away.
    fn change(&mut self, path: &str, record: Option<&[u8]>) -> Option<stream::RepoOp> {
        use stream::RepoOpAction as Action;

        let before = match record {
            Some(record) => self.records.insert(path.to_owned(), record.to_vec()),
            None => Some(self.records.remove(path)?),
        };
        let action = match (&before, record) {
            (None, _) => Action::Create,
            (Some(_), Some(_)) => Action::Update,
            (Some(_), None) => Action::Delete,
        };
        let mut op = stream::RepoOp::new(action, path, record.map(CidLink::of_cbor));
        op.prev = before.as_deref().map(CidLink::of_cbor);
        Some(op)
    }
}

impl Commit {
    pub(super) fn event(self, seq: i64, repo: &Did, time: Datetime) -> stream::Commit {
        let rev = |rev: Tid| rev.to_string().parse().expect("a TID is a TID");
        let mut event = stream::Commit::new(
            seq,
            false,
            false,
            repo.clone(),
            link(self.root),
            rev(self.rev),
            Some(rev(self.since)),
            self.blocks.into(),
            self.ops,
            Vec::new(),
            time,
        );
        event.prev_data = Some(link(self.prev_data));
        event
    }
}

fn sign(did: &Did, key: &SigningKey, rev: Tid, data: Cid) -> (Cid, Vec<u8>) {
    let unsigned = UnsignedCommit {
        did: did.as_str(),
        rev,
        data,
        prev: None,
    };
    let block = unsigned.signed(&key.sign(&unsigned.to_bytes()));
    (Cid::of_cbor(&block), block)
}

pub(super) fn link(cid: Cid) -> CidLink {
    CidLink::from_bytes(&cid.to_bytes()).expect("a CID of a block is a link")
}
