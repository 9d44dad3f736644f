//! What is known of an account's repository, and what an event makes of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::frame::{AccountEvent, AccountStatus};
use crate::verify::{Head, Verified};
use crate::{Cid, Tid};

/// An account, as far as its events tell. A pure state: whoever holds it does what its answers ask for.
///
/// One account's events are given to it in the order of the stream. While it is [`Repository::Desynchronized`] its
/// commits [wait](CommitStep::Wait); once the repository has been fetched, they are given to it again, in the same
/// order: those that the repository has already are then [stale](CommitStep::Stale).
///
/// ```text
///            commit that follows           commit that does not, #sync of something else
///          ┌─────────┐                 ┌──────────────────────────────────────────┐
///          ▼         │                 │                                          ▼
///     ┌─────────────────┐              │          repository fetched    ┌──────────────────┐
///     │     Synced      │──────────────┘        ┌───────────────────────│  Desynchronized  │
///     └─────────────────┘◄──────────────────────┘                       └──────────────────┘
///                                                                        commits wait here
/// ```
///
/// It is kept as a short text, by [`Display`](fmt::Display) and [`FromStr`], or by serde:
///
/// ```
/// use huddle_firehose::Account;
///
/// let account = Account::new();
/// assert_eq!(account.to_string(), "active lost");
/// assert_eq!("active lost".parse(), Ok(account));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// The repository.
    pub repository: Repository,
    /// Whether what the account has published may be shown.
    pub hosting: Hosting,
}

/// How a repository stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repository {
    /// What is held is the repository at this revision.
    Synced(Head),
    /// What is held is not, or nothing is: the repository has to be fetched.
    Desynchronized {
        /// The newest revision that was taken, or that the account has vouched for; a repository that is fetched
        /// must not be older.
        at_least: Option<Tid>,
    },
}

/// Whether what an account has published may be shown.
///
/// # Whose word counts
///
/// A status is that of the account at whoever sends the stream, and need not be that at its own host
/// (`com.atproto.sync.subscribeRepos#account`): a relay that takes an account down says so while the account's own host
/// goes on giving out its repository. So each word is ended by whoever can take it back:
///
/// | what was said                                    | hosting             | ended by                                                      |
/// | ------------------------------------------------ | ------------------- | ------------------------------------------------------------- |
/// | `active`                                         | [`Self::Active`]    |                                                               |
/// | `deactivated`, or the account's own host says so | [`Self::Inactive`]  | `active`, or a repository that the own host gives out         |
/// | `takendown`, `suspended`, anything else          | [`Self::TakenDown`] | `active`                                                      |
/// | `deleted`                                        | [`Self::Deleted`]   | `active`, or a *newer* repository that the own host gives out |
/// | `desynchronized`, `throttled`                    | as it was           | they are about the sender, and no wish of the account's       |
///
/// Streams of several hosts are one stream after the other, and what came last counts: whoever names two relays trusts
/// both. After a gap a word may have been missed, and a takedown stays: what a relay says today is for
/// `com.atproto.sync.getRepoStatus` to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosting {
    /// It may.
    Active,
    /// Not for now: hide it. The account's own host gives nothing out, or will not until its owner is back.
    Inactive,
    /// Not as long as whoever sends the stream says so: hide it, whatever the account's own host gives out.
    TakenDown,
    /// Not any more: delete it. Should the account come back, nothing of before is held.
    Deleted,
}

/// What to do with a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitStep {
    /// It follows on what is held: make its changes.
    Apply,
    /// What is held has it already: do nothing.
    Stale,
    /// It does not follow: fetch the repository, and keep the commit until then.
    Resync,
    /// The repository is being fetched: keep the commit until then.
    Wait,
}

/// How a commit follows on the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// What the repository is afterwards.
    pub head: Head,
    /// The revision before.
    pub since: Option<Tid>,
    /// The root of the tree before.
    pub prev_data: Option<Cid>,
}

impl From<&Verified<'_, '_>> for Link {
    fn from(commit: &Verified<'_, '_>) -> Self {
        Self {
            head: commit.head(),
            since: commit.since(),
            prev_data: commit.prev_data(),
        }
    }
}

impl Account {
    /// An account of which nothing is held.
    pub const fn new() -> Self {
        Self {
            repository: Repository::Desynchronized { at_least: None },
            hosting: Hosting::Active,
        }
    }

    /// Takes a commit that has been verified.
    pub fn commit(&mut self, link: &Link) -> CommitStep {
        let is_first = link.since.is_none() && link.prev_data.is_none();
        match self.repository {
            Repository::Synced(current) if link.head.rev <= current.rev => CommitStep::Stale,
            // What was deleted does not come back with a commit that anybody may have kept.
            Repository::Desynchronized { at_least } if self.hosting == Hosting::Deleted => {
                if at_least.is_some_and(|at_least| link.head.rev <= at_least) {
                    CommitStep::Stale
                } else {
                    CommitStep::Wait
                }
            }
            Repository::Synced(current) if link.follows(&current) => {
                self.repository = Repository::Synced(link.head);
                CommitStep::Apply
            }
            Repository::Desynchronized { at_least: None } if is_first => {
                self.repository = Repository::Synced(link.head);
                CommitStep::Apply
            }
            Repository::Synced(_) => {
                self.lose_track(Some(link.head.rev));
                CommitStep::Resync
            }
            Repository::Desynchronized { .. } => {
                self.lose_track(Some(link.head.rev));
                CommitStep::Wait
            }
        }
    }

    /// Takes what the account says its repository is now, and tells whether it has to be fetched.
    pub fn sync(&mut self, head: Head) -> bool {
        match self.repository {
            Repository::Synced(current) if head == current || head.rev < current.rev => false,
            _ => {
                self.lose_track(Some(head.rev));
                true
            }
        }
    }

    /// Takes that the account has published something that could not be taken, so that its repository has to be
    /// fetched: at least of this revision, where the account has signed one.
    pub fn lose_track(&mut self, signed: Option<Tid>) {
        // Of a deleted account the revision tells what was deleted from what has been written since.
        let signed = signed.filter(|_| self.hosting != Hosting::Deleted);
        self.repository = Repository::Desynchronized {
            at_least: signed.max(self.newest()),
        };
    }

    /// Takes a repository that has been fetched from the account's own host, verified and put in place of what was
    /// held. Fails if it is older than what is known already: then it has to be fetched again, later.
    pub fn fetched(&mut self, head: Head) -> Result<(), OutdatedRepository> {
        let newest = self.newest();
        let is_old = newest.is_some_and(|newest| head.rev < newest);
        // The owner who is back has written something since, if only that.
        let is_deleted = self.hosting == Hosting::Deleted && newest == Some(head.rev);
        if is_old || is_deleted {
            return Err(OutdatedRepository);
        }
        self.repository = Repository::Synced(head);
        if self.hosting != Hosting::TakenDown {
            // The host does not give it out otherwise; an event that said so may have been missed.
            self.hosting = Hosting::Active;
        }
        Ok(())
    }

    /// Takes that the account's own host says that the account is not active.
    pub fn refused(&mut self) {
        self.lose_track(None);
        if self.hosting != Hosting::TakenDown {
            self.hosting = Hosting::Inactive;
        }
    }

    /// Takes a word of whoever sends the stream on whether the account is hosted.
    pub fn status(&mut self, event: &AccountEvent<'_>) -> Hosting {
        self.hosting = match event.status {
            _ if event.active => Hosting::Active,
            Some(AccountStatus::Deleted) => {
                self.lose_track(None);
                Hosting::Deleted
            }
            Some(AccountStatus::Deactivated) => Hosting::Inactive,
            Some(AccountStatus::Desynchronized | AccountStatus::Throttled) => self.hosting,
            Some(AccountStatus::Takendown | AccountStatus::Suspended | AccountStatus::Other(_))
            | None => Hosting::TakenDown,
        };
        self.hosting
    }

    /// Whether what is held is not known to be the repository.
    pub const fn is_lost(&self) -> bool {
        matches!(self.repository, Repository::Desynchronized { .. })
    }

    /// The newest revision that is held, or that the account has vouched for.
    const fn newest(&self) -> Option<Tid> {
        match self.repository {
            Repository::Synced(current) => Some(current.rev),
            Repository::Desynchronized { at_least } => at_least,
        }
    }
}

impl Default for Account {
    fn default() -> Self {
        Self::new()
    }
}

/// Words for a hosting, in a kept account.
const HOSTINGS: [(&str, Hosting); 4] = [
    ("active", Hosting::Active),
    ("inactive", Hosting::Inactive),
    ("takendown", Hosting::TakenDown),
    ("deleted", Hosting::Deleted),
];

/// `active synced REV ROOT`, `active lost REV` or `active lost`.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = HOSTINGS
            .iter()
            .find(|(_, hosting)| *hosting == self.hosting);
        f.write_str(word.map_or("", |(word, _)| word))?;
        match self.repository {
            Repository::Synced(Head { rev, data }) => write!(f, " synced {rev} {data}"),
            Repository::Desynchronized {
                at_least: Some(rev),
            } => write!(f, " lost {rev}"),
            Repository::Desynchronized { at_least: None } => f.write_str(" lost"),
        }
    }
}

impl FromStr for Account {
    type Err = InvalidAccount;

    fn from_str(text: &str) -> Result<Self, InvalidAccount> {
        let words: Vec<_> = text.splitn(5, ' ').collect();
        let (hosting, repository) = words.split_first().ok_or(InvalidAccount)?;
        let hosting = HOSTINGS.iter().find(|(word, _)| word == hosting);
        let rev = |rev: &str| rev.parse().map_err(|_| InvalidAccount);
        let repository = match repository {
            ["synced", at, root] => Repository::Synced(Head {
                rev: rev(at)?,
                data: root.parse().map_err(|_| InvalidAccount)?,
            }),
            ["lost", at] => Repository::Desynchronized {
                at_least: Some(rev(at)?),
            },
            ["lost"] => Repository::Desynchronized { at_least: None },
            _ => return Err(InvalidAccount),
        };
        let (_, hosting) = *hosting.ok_or(InvalidAccount)?;
        Ok(Self {
            repository,
            hosting,
        })
    }
}

impl Serialize for Account {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Not the text of an account that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an account as it is kept")]
pub struct InvalidAccount;

impl Link {
    /// Both must fit: a revision can be written by anybody, and a tree can be the same as one before.
    fn follows(&self, current: &Head) -> bool {
        self.since == Some(current.rev) && self.prev_data == Some(current.data)
    }
}

/// A repository that was fetched is older than what is known of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the repository is older than what is known of the account")]
pub struct OutdatedRepository;

#[cfg(test)]
mod tests;
