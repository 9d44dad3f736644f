//! The firehose of the reference Personal Data Server: everything that its accounts do is taken over, once, whatever
//! happens to the connection, to the server, or to whoever follows it.

use crate::node::{Peer, Program};
use async_trait::async_trait;
use huddle_appview_indexer::{Indexer, Ports};
use huddle_firehose::ingest::{
    Answer, Change, Config, Event, GapCause, Ingest, Limits, News, Outcome, Proof, Question, Source,
};
use huddle_firehose::{Account, Cid, Filter, Hosting, Repository, Tid};
use huddle_identity::{IdentityConfig, IdentityResolver};
use huddle_native::{
    Firehose, FirehosePorts, FirehoseStore, ReqwestTransport, SqliteIndex, SystemClock, SystemDns,
    WebSockets,
};
use huddle_ports::{Fetch, FetchLimits, FetchPolicy, GuardedFetch, MemoryCache, Request, Url};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

const COLLECTION: &str = "com.huddle.slotOffer";
const USER_AGENT: &str = "Huddle tests";
/// For anything that the server is to do, or that is to come of it.
const PATIENCE: Duration = Duration::from_mins(1);

/// The records of each account: CIDs by record key.
type Records = BTreeMap<String, BTreeMap<String, String>>;

/// What outlives a process that follows the stream.
#[derive(Clone, Default)]
struct Kept {
    accounts: BTreeMap<String, Account>,
    records: Records,
    cursors: BTreeMap<String, i64>,
    /// All that was delivered.
    events: Vec<Event>,
}

impl Kept {
    fn take(&mut self, event: Event) {
        if let Event::Account {
            did, news, state, ..
        } = &event
        {
            let records = self.records.entry(did.clone()).or_default();
            match news {
                News::Changes { changes, .. } => {
                    for change in changes {
                        put(records, change);
                    }
                }
                News::Repository { records: all, .. } => {
                    records.clear();
                    for change in all {
                        put(records, change);
                    }
                }
                News::Hosting(Hosting::Deleted) => drop(self.records.remove(did)),
                News::Hosting(_) | News::Identity { .. } => {}
                News::Desynchronized(why) => panic!("{did}: {why}"),
            }
            if let Some(state) = state {
                self.accounts.insert(did.clone(), *state);
            }
        }
        self.events.push(event);
    }

    /// The records of accounts that have not been deleted.
    fn held(&self) -> Records {
        let is_there = |did: &str| self.accounts[did].hosting != Hosting::Deleted;
        let mut records = self.records.clone();
        records.retain(|did, _| is_there(did));
        records
    }

    fn hosting(&self, did: &str) -> Option<Hosting> {
        Some(self.accounts.get(did)?.hosting)
    }

    fn has_heard(&self, did: &str, wanted: impl Fn(&News) -> bool) -> bool {
        self.events.iter().any(|event| {
            matches!(event, Event::Account { did: of, news, .. } if of == did && wanted(news))
        })
    }

    /// Checks that each commit was delivered once, in order, and signed.
    #[track_caller]
    fn check_commits(&self) {
        let mut newest: BTreeMap<&str, Tid> = BTreeMap::new();
        for event in &self.events {
            let Event::Account {
                did, news, proof, ..
            } = event
            else {
                continue;
            };
            let (News::Changes { rev, .. } | News::Repository { rev, .. }) = news else {
                continue;
            };
            assert_eq!(*proof, Proof::Signature);
            let before = newest.insert(did, *rev);
            let is_changes = matches!(news, News::Changes { .. });
            let follows = |before: Tid| before < *rev || before == *rev && !is_changes;
            assert!(before.is_none_or(follows), "{did}: {rev} after {before:?}");
        }
    }

    /// What was heard of an account beside its records, in order: its handles, and how it was hosted.
    fn words(&self, did: &str) -> (Vec<Option<String>>, Vec<Hosting>) {
        let (mut handles, mut hostings) = (Vec::new(), Vec::new());
        for event in &self.events {
            let Event::Account { did: of, news, .. } = event else {
                continue;
            };
            match news {
                News::Identity { handle } if of == did => handles.push(handle.clone()),
                News::Hosting(hosting) if of == did => hostings.push(*hosting),
                _ => {}
            }
        }
        (handles, hostings)
    }

    /// Makes believe that what is held of an account is another tree, at the same revision: only a `#sync` can tell.
    fn mistake_tree(&mut self, did: &str) {
        let account = self.accounts.get_mut(did).expect("the account is known");
        let Repository::Synced(held) = &mut account.repository else {
            panic!("{did} is {account}");
        };
        held.data = Cid::of_cbor(b"");
    }

    fn fetched(&self) -> usize {
        let is_repository = |event: &&Event| {
            let Event::Account { news, .. } = event else {
                return false;
            };
            matches!(news, News::Repository { .. })
        };
        self.events.iter().filter(is_repository).count()
    }
}

fn put(records: &mut BTreeMap<String, String>, change: &Change) {
    assert_eq!(change.collection, COLLECTION);
    match &change.record {
        Outcome::Record { cid, .. } => drop(records.insert(change.rkey.clone(), cid.to_string())),
        Outcome::Gone => drop(records.remove(&change.rkey)),
        Outcome::Refused { why, .. } => panic!("{}: {why}", change.rkey),
    }
}

/// A store that tells when something has happened.
struct Store {
    kept: watch::Sender<Kept>,
    /// Asks about accounts.
    indexer: Indexer,
}

#[async_trait]
impl FirehoseStore for Store {
    async fn answer(&self, question: Question) -> Answer {
        match question {
            Question::Account { did } => {
                let account = self.kept.borrow().accounts.get(&did).copied();
                Answer::Account { did, account }
            }
            Question::Identity { did } => {
                let found = self.indexer.identity(&did).await;
                Answer::Identity { did, found }
            }
            Question::Repository { did } => {
                let limits = FetchLimits::default();
                let car = self.indexer.repository(&did, limits).await;
                Answer::Repository { did, car }
            }
            Question::TakeOver { ticket, event } => {
                self.kept.send_modify(|kept| kept.take(event));
                Answer::TakenOver { ticket }
            }
            Question::KeepCursor { host, cursor } => {
                self.kept.send_modify(|kept| match cursor {
                    Some(cursor) => drop(kept.cursors.insert(host, cursor)),
                    None => drop(kept.cursors.remove(&host)),
                });
                Answer::CursorKept
            }
            Question::Wanted { .. } => Answer::Wanted { dids: Vec::new() },
        }
    }
}

/// The server, and people who do what they are told.
struct Publisher {
    _program: Program,
    addresses: Value,
    fetch: Arc<dyn Fetch>,
}

impl Publisher {
    fn start(peer: &Peer) -> Self {
        let mut program = peer.start("publisher.mjs", &["accounts"]);
        let dns = Arc::new(SystemDns::new().expect("the system has settings for DNS"));
        let transport = ReqwestTransport::new(dns, USER_AGENT, &[]).expect("there is TLS");
        Self {
            addresses: program.line(),
            _program: program,
            fetch: Arc::new(GuardedFetch::new(transport, FetchPolicy::development())),
        }
    }

    fn url(&self, of: &str) -> Url {
        let address = self.addresses[of].as_str().expect("an address");
        Url::parse(address).expect("a URL")
    }

    async fn tell(&self, deed: &str) -> Value {
        let url = self.url("control").join(deed).expect("a path");
        let limits = FetchLimits {
            timeout: PATIENCE,
            ..FetchLimits::default()
        };
        let answer = self
            .fetch
            .fetch(Request::post(url, "").limits(limits))
            .await;
        let answer = answer.expect("the publisher answers");
        let text = String::from_utf8_lossy(&answer.body);
        assert!(answer.status.is_success(), "{deed}: {text}");
        serde_json::from_str(&text).expect("the answer is JSON")
    }

    async fn tell_who(&self, deed: &str) -> String {
        let answer = self.tell(deed).await;
        answer["did"].as_str().expect("a DID").to_owned()
    }

    async fn write(&self) -> Records {
        serde_json::from_value(self.tell("write").await).expect("records by account")
    }
}

/// A process that follows the stream, from what was kept.
struct Follower {
    store: Arc<Store>,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Follower {
    fn start(publisher: &Publisher, kept: Kept) -> Self {
        let clock = Arc::new(SystemClock);
        let dns = Arc::new(SystemDns::new().expect("the system has settings for DNS"));
        let policy = FetchPolicy::development();
        let cache = Arc::new(MemoryCache::new(clock.clone()));
        let identity = IdentityResolver::new(
            publisher.fetch.clone(),
            dns.clone(),
            cache.clone(),
            clock.clone(),
            IdentityConfig {
                plc_directory: publisher.url("plc"),
                policy: policy.clone(),
                ..IdentityConfig::default()
            },
        );
        let host = publisher.url("pds").as_str().replace("http://", "ws://");
        let mut filter = Filter::new(["com.huddle."]);
        kept.accounts.keys().for_each(|did| filter.add_account(did));
        let config = Config {
            source: Source::Repos,
            hosts: vec![host],
            limits: Limits::default(),
        };
        let ingest = Ingest::new(config, filter, &kept.cursors, 1).expect("the limits are fine");
        let indexer = Indexer::new(Ports {
            index: Arc::new(SqliteIndex::in_memory().expect("there is memory")),
            identity,
            fetch: publisher.fetch.clone(),
            cache,
            clock: clock.clone(),
            record_bytes: 64 << 10,
        });
        let store = Arc::new(Store {
            kept: watch::Sender::new(kept),
            indexer,
        });
        let ports = FirehosePorts {
            store: store.clone(),
            sockets: WebSockets::new(dns, policy, USER_AGENT, &[]).expect("there is TLS"),
            clock,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(Firehose::new(ingest, ports).run(async {
            let _ = stopped.await;
        }));
        Self { store, stop, task }
    }

    async fn until(&self, what: &str, happened: impl Fn(&Kept) -> bool) -> Kept {
        let mut kept = self.store.kept.subscribe();
        let waited = tokio::time::timeout(PATIENCE, kept.wait_for(|kept| happened(kept))).await;
        let Ok(kept) = waited else {
            panic!("{what}: {:#?}", self.store.kept.borrow().events);
        };
        kept.expect("the store is there").clone()
    }

    async fn until_held(&self, what: &str, expect: &Records) -> Kept {
        self.until(what, |kept| kept.held() == *expect).await
    }

    async fn stop(self) -> Kept {
        self.stop.send(()).expect("it runs");
        self.task.await.expect("it ends well");
        self.store.kept.borrow().clone()
    }
}

fn is_handle(expect: &str) -> impl Fn(&News) -> bool {
    move |news| matches!(news, News::Identity { handle: Some(handle) } if handle == expect)
}

/// What the server has said of an account, as it is to be heard.
fn words_sent(sent: &Value) -> (Vec<Option<String>>, Vec<Hosting>) {
    let handles = serde_json::from_value(sent["handles"].clone());
    let statuses: Vec<String> = serde_json::from_value(sent["statuses"].clone()).expect("words");
    let hosting = |status: &String| match status.as_str() {
        "active" => Hosting::Active,
        "deactivated" => Hosting::Inactive,
        other => panic!("nobody asked for {other}"),
    };
    let hostings = statuses.iter().map(hosting).collect();
    (handles.expect("handles"), hostings)
}

/// An account that comes back says by a `#sync` what its tree is. A process that believes in another one, at the same
/// revision, fetches it.
async fn check_sync(publisher: &Publisher, follower: Follower, who: &str) -> Follower {
    let mut kept = follower.stop().await;
    let (before, fetched) = (kept.clone(), kept.fetched());
    kept.mistake_tree(who);
    publisher.tell("deactivate").await;
    publisher.tell("activate").await;
    let follower = Follower::start(publisher, kept);
    let noticed = |kept: &Kept| kept.accounts == before.accounts;
    let kept = follower.until("a #sync of another tree", noticed).await;
    assert_eq!(kept.fetched(), fetched + 1, "nothing else makes it fetch");
    assert_eq!(kept.held(), before.held());
    follower
}

#[tokio::test]
async fn all_that_the_accounts_of_a_real_server_do_is_taken_over_once() {
    let Some(peer) = Peer::stage("atproto") else {
        return;
    };
    let publisher = Publisher::start(&peer);
    let follower = Follower::start(&publisher, Kept::default());
    let no_cursor = |event: &Event| {
        let Event::Gap { cause, .. } = event else {
            return false;
        };
        *cause == GapCause::NoCursor
    };
    let begun = |kept: &Kept| kept.events.iter().any(no_cursor);
    follower.until("the stream begins", begun).await;

    let expect = publisher.write().await;
    follower
        .until_held("creates, updates, deletes", &expect)
        .await;

    let alice = publisher.tell_who("rename").await;
    let renamed = |kept: &Kept| kept.has_heard(&alice, is_handle("alice-renamed.test"));
    follower.until("an identity", renamed).await;

    publisher.tell("deactivate").await;
    let hidden = |kept: &Kept| kept.hosting(&alice) == Some(Hosting::Inactive);
    follower.until("a deactivation", hidden).await;
    // It comes with a `#sync`, which says that nothing has changed.
    publisher.tell("activate").await;
    let shown = |kept: &Kept| kept.hosting(&alice) == Some(Hosting::Active);
    follower.until("an activation", shown).await;

    let cut = publisher.tell("cut").await;
    assert_ne!(cut["cut"], 0);
    let expect = publisher.write().await;
    follower.until_held("a cut connection", &expect).await;

    publisher.tell("restart").await;
    let expect = publisher.write().await;
    follower
        .until_held("a restart of the server", &expect)
        .await;

    let kept = follower.stop().await;
    assert_eq!(kept.cursors.len(), 1);
    let before = kept.events.len();
    let expect = publisher.write().await;
    let follower = Follower::start(&publisher, kept);
    let kept = follower.until_held("an absence", &expect).await;
    let again = &kept.events[before..];
    let is_gap = |event: &Event| matches!(event, Event::Gap { .. });
    assert!(!again.iter().any(is_gap), "{again:#?}");

    let follower = check_sync(&publisher, follower, &alice).await;
    let who = publisher.tell_who("delete").await;
    let deleted = |kept: &Kept| kept.hosting(&who) == Some(Hosting::Deleted);
    let kept = follower.until("a deletion", deleted).await;
    assert!(!kept.held().contains_key(&who));
    let expect = publisher.write().await;
    follower.until_held("a life after it", &expect).await;

    let sent = publisher.tell("sent").await;
    for kind in ["#account", "#commit", "#identity", "#sync"] {
        assert_ne!(sent["counts"][kind], Value::Null, "no {kind} in {sent}");
    }
    let counted = |kept: &Kept| kept.has_heard(&alice, is_handle("alice-counted.test"));
    follower.until("the last identity", counted).await;
    let kept = follower.stop().await;
    kept.check_commits();
    assert_eq!(
        kept.fetched(),
        3,
        "each account once, when it first came up, and one for its #sync"
    );
    // Her first words came with her account, before it published anything of interest.
    let (handles, hostings) = words_sent(&sent);
    let heard = (handles[1..].to_vec(), hostings[1..].to_vec());
    assert_eq!(kept.words(&alice), heard, "{sent}");
    assert_eq!(kept.words(&who), (Vec::new(), vec![Hosting::Deleted]));
    let is_synced = |account: &Account| matches!(account.repository, Repository::Synced(_));
    let synced = kept
        .accounts
        .iter()
        .filter(|(_, account)| is_synced(account));
    let synced: BTreeSet<_> = synced.map(|(did, _)| did).collect();
    assert_eq!(synced, expect.keys().collect());
}
