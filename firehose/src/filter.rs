//! What of a stream is of interest: decided before its blocks are looked at.

use crate::frame::CommitEvent;
use std::collections::HashSet;

/// Collections and accounts of interest.
///
/// A commit is wanted if it touches a collection of interest, or is of an account of interest. The accounts matter
/// where operations are verified: of an account that is indexed every commit has to be followed, since one that
/// hides an operation does not name its collection.
///
/// ```
/// use huddle_firehose::Filter;
///
/// let mut filter = Filter::new(["com.example."]);
/// assert!(filter.wants_path("com.example.note/3ke6kg3wk222b"));
/// filter.add_account("did:plc:ewvi7nxzyoun6zhxrhs64oiz");
/// assert!(filter.wants_account("did:plc:ewvi7nxzyoun6zhxrhs64oiz"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Filter {
    prefixes: Vec<Box<str>>,
    accounts: HashSet<Box<str>>,
}

impl Filter {
    /// Wants the paths that begin with one of these: `com.example.note/` is a collection, `com.example.` all that
    /// are below a domain.
    pub fn new<'p>(prefixes: impl IntoIterator<Item = &'p str>) -> Self {
        Self {
            prefixes: prefixes.into_iter().map(Into::into).collect(),
            accounts: HashSet::new(),
        }
    }

    /// Wants all commits of an account from now on.
    pub fn add_account(&mut self, did: &str) {
        self.accounts.insert(did.into());
    }

    /// Wants the commits of an account no more.
    pub fn remove_account(&mut self, did: &str) {
        self.accounts.remove(did);
    }

    /// Whether a commit is wanted.
    #[inline]
    pub fn wants(&self, event: &CommitEvent<'_>) -> bool {
        self.wants_account(event.repo) || event.ops.iter().any(|op| self.wants_path(op.path))
    }

    /// Whether an account is of interest.
    pub fn wants_account(&self, did: &str) -> bool {
        !self.accounts.is_empty() && self.accounts.contains(did)
    }

    /// Whether a path is of interest.
    pub fn wants_path(&self, path: &str) -> bool {
        self.prefixes
            .iter()
            .any(|prefix| path.starts_with(&**prefix))
    }
}
