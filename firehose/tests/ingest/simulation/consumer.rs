//! Whoever keeps what is delivered, and somebody who watches how it is delivered.

use std::collections::{BTreeMap, BTreeSet};

use huddle_firehose::ingest::{Change, Event, News, Outcome, Proof};
use huddle_firehose::{Account, Hosting, Repository, Tid};

use super::host::Host;
use crate::frames::Records;

/// What outlives a process.
#[derive(Default)]
pub(super) struct Consumer {
    pub(super) cursors: BTreeMap<String, i64>,
    pub(super) accounts: BTreeMap<String, Kept>,
    /// Accounts whose repositories have to be fetched.
    pub(super) lost: BTreeSet<String>,
}

pub(super) struct Kept {
    state: Option<Account>,
    pub(super) records: Records,
    pub(super) hosting: Hosting,
    /// How often each handle was told.
    pub(super) handles: BTreeMap<String, usize>,
    /// How many handles there had been when the account was first held.
    pub(super) handles_before: usize,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            state: None,
            records: Records::new(),
            hosting: Hosting::Active,
            handles: BTreeMap::new(),
            handles_before: usize::MAX,
        }
    }
}

impl Consumer {
    pub(super) fn held(&self) -> impl Iterator<Item = &str> {
        self.accounts.keys().map(String::as_str)
    }

    pub(super) fn state(&self, did: &str) -> Option<Account> {
        self.accounts.get(did)?.state
    }

    /// Takes an event over, in one transaction.
    pub(super) fn take(&mut self, event: &Event, host: &Host) {
        let Event::Account {
            did,
            news,
            state,
            proof,
        } = event
        else {
            let accounts = self.accounts.iter();
            let held = accounts.filter(|(_, kept)| kept.hosting != Hosting::Deleted);
            self.lost.extend(held.map(|(did, _)| did.clone()));
            return;
        };
        let is_held = self.accounts.contains_key(did);
        if !is_held && state.is_none() {
            return;
        }
        let kept = self.accounts.entry(did.clone()).or_default();
        let handles = host.account(did).handles().len();
        kept.handles_before = kept.handles_before.min(handles);
        match news {
            News::Changes { rev, changes } => {
                assert_eq!(*proof, Proof::Signature);
                let place = host.account(did).place(*rev);
                match kept.state.map(|state| state.repository) {
                    Some(Repository::Synced(held)) => {
                        let held = host.account(did).place(held.rev);
                        assert_eq!(place, held + 1, "{did}: a commit is missing, or came twice");
                    }
                    _ => assert_eq!(place, 0, "{did}: only a first commit needs none before it"),
                }
                for change in changes {
                    put(&mut kept.records, change);
                }
            }
            News::Repository { rev, records } => {
                let at_least = match kept.state.map(|state| state.repository) {
                    Some(Repository::Synced(held)) => Some(held.rev),
                    Some(Repository::Desynchronized { at_least }) => at_least,
                    None => None,
                };
                assert!(at_least.is_none_or(|at_least| at_least <= *rev));
                kept.records.clear();
                for record in records {
                    put(&mut kept.records, record);
                }
                let hosting = state.expect("a repository has a state").hosting;
                let expect = match kept.hosting {
                    Hosting::TakenDown => Hosting::TakenDown,
                    _ => Hosting::Active,
                };
                assert_eq!(hosting, expect, "{did}");
                kept.hosting = hosting;
                self.lost.remove(did);
            }
            News::Identity { handle } => {
                let handle = handle.clone().expect("every event has one");
                *kept.handles.entry(handle).or_default() += 1;
            }
            News::Hosting(hosting) => {
                kept.hosting = *hosting;
                if *hosting == Hosting::Deleted {
                    kept.records.clear();
                    self.lost.remove(did);
                }
            }
            News::Desynchronized(_) => {
                self.lost.insert(did.clone());
            }
        }
        if let Some(state) = state {
            kept.state = Some(*state);
            if state.is_lost() && state.hosting == Hosting::Active {
                self.lost.insert(did.clone());
            }
        }
    }
}

fn put(records: &mut Records, change: &Change) {
    let path = format!("{}/{}", change.collection, change.rkey);
    match &change.record {
        Outcome::Record { bytes, .. } => drop(records.insert(path, bytes.to_vec())),
        Outcome::Gone => drop(records.remove(&path)),
        Outcome::Refused { why, .. } => panic!("{path}: {why}"),
    }
}

/// Checks what one process delivers.
#[derive(Default)]
pub(super) struct Witness {
    commits: BTreeMap<String, Tid>,
    handles: BTreeMap<String, usize>,
}

impl Witness {
    /// Sees an event, while these have not been acknowledged.
    pub(super) fn see<'e>(
        &mut self,
        event: &Event,
        waiting: impl IntoIterator<Item = &'e Event>,
        host: &Host,
    ) {
        let Event::Account { did, news, .. } = event else {
            return;
        };
        let same =
            |other: &&Event| matches!(other, Event::Account { did: other, .. } if other == did);
        assert!(
            waiting.into_iter().find(same).is_none(),
            "{did}: an event came before the one before it was done"
        );
        match news {
            News::Changes { rev, .. } => {
                let before = self.commits.insert(did.clone(), *rev);
                assert!(
                    before.is_none_or(|before| before < *rev),
                    "{did}: {rev} came late"
                );
            }
            News::Repository { rev, records } => {
                let account = host.account(did);
                let mut expect = account.records_at(account.place(*rev));
                expect.retain(|path, _| path.starts_with(super::PREFIX));
                assert_eq!(records.len(), expect.len(), "{did}");
            }
            News::Identity { handle } => {
                // The number of the handle follows on the `h`.
                let handle = handle.as_deref().and_then(|handle| handle.get(1..));
                let number = handle.and_then(|handle| handle.split('.').next());
                let number: usize = number.and_then(|n| n.parse().ok()).expect("a number");
                let before = self.handles.insert(did.clone(), number);
                assert!(
                    before.is_none_or(|before| before < number),
                    "{did}: handle {number} came late or twice"
                );
            }
            News::Hosting(_) | News::Desynchronized(_) => {}
        }
    }
}
