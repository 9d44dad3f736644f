//! A stand-in for the network: a directory of accounts, and one host of their repositories.
//!
//! The accounts are not real, and all else is: documents that name keys, trees of records, commits that are signed, and
//! the events of a firehose, which tell of each change as a PDS tells of it. So whatever reads the network, and
//! believes none of it before it has checked, can be tried out and tested without one.

mod account;
mod answer;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use data_encoding::BASE32_NOPAD;
use huddle_identity::crypto::{Curve, SigningKey};
use huddle_identity::{ServiceAuthMinter, ServiceRef, ServiceToken};
use huddle_lexicon::com::atproto::sync::subscribe_repos::{self as stream, Message};
use huddle_ports::{
    Bytes, Clock, DnsError, DnsTxt, Fetch, FetchError, Random, Request, Response, Timestamp, Url,
};
use huddle_syntax::schema::{Frame, Record};
use huddle_syntax::{AtUri, Datetime, Did, Handle, Nsid, RecordKey, data};
use sha2::{Digest as _, Sha256};

use account::Account;
pub use account::{Hosting, Version};

/// A network in memory: what was signed up and written there is all that there is.
pub struct Network {
    places: Places,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    state: Mutex<State>,
}

/// Where a [`Network`] is found.
#[derive(Clone, Debug)]
pub struct Places {
    /// The directory of `did:plc`, such as `https://plc.test`.
    pub directory: Url,
    /// The host of all repositories, such as `https://pds.test`.
    pub host: Url,
}

#[derive(Default)]
struct State {
    accounts: BTreeMap<Did, Account>,
    /// What the firehose has told: event number n is at n - 1.
    events: Vec<Bytes>,
}

/// Why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Nobody has signed up with this DID.
    #[error("no account {0} has signed up")]
    UnknownAccount(Did),
    /// The record breaks its schema.
    #[error("the record is invalid: {0}")]
    InvalidRecord(String),
}

impl Network {
    /// A network of nobody, at these places.
    pub fn new(places: Places, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self {
            places,
            clock,
            random,
            state: Mutex::default(),
        }
    }

    /// Where it is found.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// A new account with this handle and an empty repository.
    pub fn sign_up(&self, handle: &Handle) -> Did {
        let key = SigningKey::generate(Curve::K256, &*self.random);
        let mut state = self.state();
        let did = did(&format!("{handle} {}", state.accounts.len()));
        let account = Account::new(did.clone(), handle.clone(), key, self.since_epoch());
        let (identity, hosting) = (account.handle.clone(), account.hosting);
        state.accounts.insert(did.clone(), account);
        self.tell_identity(&mut state, &did, identity);
        self.tell_hosting(&mut state, &did, hosting);
        self.tell_repository(&mut state, &did);
        did
    }

    /// Gives an account another handle.
    pub fn rename(&self, did: &Did, handle: &Handle) -> Result<(), NetworkError> {
        let mut state = self.state();
        state.account(did)?.handle = handle.clone();
        self.tell_identity(&mut state, did, handle.clone());
        Ok(())
    }

    /// Gives an account another key, as one has it that moves to another host. Its repository is signed anew.
    pub fn rotate_key(&self, did: &Did) -> Result<(), NetworkError> {
        let key = SigningKey::generate(Curve::K256, &*self.random);
        let now = self.since_epoch();
        let mut state = self.state();
        let account = state.account(did)?;
        account.key = key;
        account.commit(&BTreeMap::new(), now);
        let handle = account.handle.clone();
        self.tell_identity(&mut state, did, handle);
        self.tell_repository(&mut state, did);
        Ok(())
    }

    /// Says whether an account is hosted: where it is not, its repository is not given out.
    pub fn set_hosting(&self, did: &Did, hosting: Hosting) -> Result<(), NetworkError> {
        let mut state = self.state();
        state.account(did)?.hosting = hosting;
        self.tell_hosting(&mut state, did, hosting);
        Ok(())
    }

    /// Writes a record, or another version of one.
    pub fn put<R: Record>(
        &self,
        repo: &Did,
        rkey: &RecordKey,
        record: &R,
    ) -> Result<Version, NetworkError> {
        let invalid = |problem: &dyn fmt::Display| NetworkError::InvalidRecord(problem.to_string());
        let collection: Nsid = R::NSID.parse().map_err(|error| invalid(&error))?;
        let bytes = record.to_cbor().map_err(|error| invalid(&error))?;
        self.put_bytes(repo, &collection, rkey, bytes)
    }

    /// Writes a record that need not be one, as whoever has a repository can.
    pub fn put_bytes(
        &self,
        repo: &Did,
        collection: &Nsid,
        rkey: &RecordKey,
        record: Vec<u8>,
    ) -> Result<Version, NetworkError> {
        let uri = AtUri::for_record(repo, collection, rkey);
        let cid = data::cid_for_cbor(&record);
        self.write(repo, path(collection, rkey), Some(record))?;
        Ok(Version { uri, cid })
    }

    /// Takes a record away, should there be one.
    pub fn delete(
        &self,
        repo: &Did,
        collection: &Nsid,
        rkey: &RecordKey,
    ) -> Result<(), NetworkError> {
        self.write(repo, path(collection, rkey), None)
    }

    /// A token that the account's PDS would sign for one call of `method` at `audience`.
    pub fn service_token(
        &self,
        did: &Did,
        audience: &ServiceRef,
        method: &Nsid,
    ) -> Result<ServiceToken, NetworkError> {
        let key = self.state().account(did)?.key.clone();
        let minter = ServiceAuthMinter::new(did.clone().into(), key);
        Ok(minter.mint(audience, method, self.clock.now(), &*self.random))
    }

    /// The events that a firehose sends to who knows those up to `cursor`; `None` knows none.
    pub fn events_after(&self, cursor: Option<u64>) -> Vec<Bytes> {
        let known = usize::try_from(cursor.unwrap_or(0)).unwrap_or(usize::MAX);
        let state = self.state();
        state.events.get(known..).unwrap_or_default().to_vec()
    }

    fn write(&self, repo: &Did, path: String, record: Option<Vec<u8>>) -> Result<(), NetworkError> {
        let now = self.since_epoch();
        let mut state = self.state();
        let changes = BTreeMap::from([(path, record)]);
        let commit = state.account(repo)?.commit(&changes, now);
        let event = |seq| Message::Commit(Box::new(commit.event(seq, repo, self.time())));
        state.tell(event);
        Ok(())
    }

    fn tell_identity(&self, state: &mut State, did: &Did, handle: Handle) {
        state.tell(|seq| {
            let mut event = stream::Identity::new(seq, did.clone(), self.time());
            event.handle = Some(handle);
            Message::Identity(Box::new(event))
        });
    }

    fn tell_hosting(&self, state: &mut State, did: &Did, hosting: Hosting) {
        state.tell(|seq| {
            let active = hosting == Hosting::Active;
            let mut event = stream::Account::new(seq, did.clone(), self.time(), active);
            event.status = hosting.status();
            Message::Account(Box::new(event))
        });
    }

    /// Tells what the repository is by now, without saying how it came to be.
    fn tell_repository(&self, state: &mut State, did: &Did) {
        let Some(account) = state.accounts.get(did) else {
            return;
        };
        let (rev, blocks) = (account.rev().to_string(), account.signed_root());
        let event = |seq| stream::Sync::new(seq, did.clone(), blocks.into(), rev, self.time());
        state.tell(|seq| Message::Sync(Box::new(event(seq))));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn time(&self) -> Datetime {
        Datetime::from_timestamp_millis(self.clock.now().as_millis())
            .expect("a clock shows years of four digits")
    }

    fn since_epoch(&self) -> Duration {
        self.clock.now().since(Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut network = f.debug_struct("Network");
        network
            .field("places", &self.places)
            .finish_non_exhaustive()
    }
}

impl State {
    fn account(&mut self, did: &Did) -> Result<&mut Account, NetworkError> {
        let account = self.accounts.get_mut(did);
        account.ok_or_else(|| NetworkError::UnknownAccount(did.clone()))
    }

    fn tell(&mut self, event: impl FnOnce(i64) -> Message) {
        let seq = i64::try_from(self.events.len() + 1).expect("events fit into memory");
        let frame = Frame::Message(event(seq)).encode();
        let frame = frame.expect("an event that is made here keeps to its lexicon");
        self.events.push(frame.into());
    }
}

/// Answers whatever it is asked over HTTP, wherever that is: a directory, a host, a handle's own domain.
#[async_trait]
impl Fetch for Network {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        self.answer(&request)
    }
}

/// Nothing is told of handles in DNS: their own domains say whose they are.
#[async_trait]
impl DnsTxt for Network {
    async fn txt(&self, _name: &str, _timeout: Duration) -> Result<Vec<String>, DnsError> {
        Ok(Vec::new())
    }
}

fn path(collection: &Nsid, rkey: &RecordKey) -> String {
    format!("{collection}/{rkey}")
}

/// A DID of the directory, made of whatever tells the account from others.
fn did(unique: &str) -> Did {
    let digest = Sha256::digest(unique);
    let id = BASE32_NOPAD.encode(&digest[..15]).to_lowercase();
    let did = format!("did:plc:{id}");
    did.parse().expect("24 characters of base32 are a DID")
}
