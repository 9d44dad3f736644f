//! What is known of an account's repository, and what an event makes of it.
//!
//! ```text
//!            commit that follows           commit that does not, #sync of something else
//!          ┌─────────┐                 ┌──────────────────────────────────────────┐
//!          ▼         │                 │                                          ▼
//!     ┌─────────────────┐              │          repository fetched    ┌──────────────────┐
//!     │     Synced      │──────────────┘        ┌───────────────────────│  Desynchronized  │
//!     └─────────────────┘◄──────────────────────┘                       └──────────────────┘
//!                                                                        commits wait here
//! ```

use crate::frame::{AccountEvent, AccountStatus};
use crate::verify::{Head, Verified};
use crate::{Cid, Tid};

/// An account, as far as its events tell. A pure state: whoever holds it does what its answers ask for.
///
/// One account's events are given to it in the order of the stream. While it is [`Repository::Desynchronized`] its
/// commits [wait](CommitStep::Wait); once the repository has been fetched, they are given to it again, in the same
/// order: those that the repository has already are then [stale](CommitStep::Stale).
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosting {
    /// It may.
    Active,
    /// Not for now: hide it.
    Inactive,
    /// Never again: delete it.
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
            Repository::Synced(current) if link.follows(&current) => {
                self.repository = Repository::Synced(link.head);
                CommitStep::Apply
            }
            Repository::Desynchronized { at_least: None } if is_first => {
                self.repository = Repository::Synced(link.head);
                CommitStep::Apply
            }
            Repository::Synced(current) => {
                self.desynchronize(Some(current.rev));
                CommitStep::Resync
            }
            Repository::Desynchronized { .. } => CommitStep::Wait,
        }
    }

    /// Takes what the account says its repository is now, and tells whether it has to be fetched.
    pub fn sync(&mut self, head: Head) -> bool {
        match self.repository {
            Repository::Synced(current) if head == current || head.rev < current.rev => false,
            _ => {
                self.desynchronize(Some(head.rev));
                true
            }
        }
    }

    /// Takes a commit that was not verified, and whose [remedy](crate::Remedy) is to fetch the repository.
    pub fn lose_track(&mut self) {
        self.desynchronize(None);
    }

    /// Takes a repository that has been fetched, verified and put in place of what was held. Fails if it is older
    /// than what is known already: then it has to be fetched again, later or from elsewhere.
    pub fn fetched(&mut self, head: Head) -> Result<(), OutdatedRepository> {
        let newest = match self.repository {
            Repository::Synced(current) => Some(current.rev),
            Repository::Desynchronized { at_least } => at_least,
        };
        if newest.is_some_and(|newest| head.rev < newest) {
            return Err(OutdatedRepository);
        }
        self.repository = Repository::Synced(head);
        Ok(())
    }

    /// Takes a word on whether the account is hosted.
    pub fn status(&mut self, event: &AccountEvent<'_>) -> Hosting {
        self.hosting = match event.status {
            _ if event.active => Hosting::Active,
            Some(AccountStatus::Deleted) => {
                *self = Self::new();
                Hosting::Deleted
            }
            // That is about whoever sends the stream, and no wish of the account's.
            Some(AccountStatus::Desynchronized | AccountStatus::Throttled) => self.hosting,
            _ => Hosting::Inactive,
        };
        self.hosting
    }

    fn desynchronize(&mut self, newest: Option<Tid>) {
        let known = match self.repository {
            Repository::Synced(current) => Some(current.rev),
            Repository::Desynchronized { at_least } => at_least,
        };
        self.repository = Repository::Desynchronized {
            at_least: newest.max(known),
        };
    }
}

impl Default for Account {
    fn default() -> Self {
        Self::new()
    }
}

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
