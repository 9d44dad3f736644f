//! The meetings under way: an account is asked once however many name it, and few accounts at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use huddle_core::index::IndexError;
use huddle_syntax::Did;

use super::Met;

/// So many accounts are met at a time: twice as many as [`Requests`](crate::Requests) can ask for.
const MOST: usize = 16;

type Meeting = BoxFuture<'static, Result<Met, IndexError>>;

/// The meetings under way. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Meetings(Arc<Mutex<BTreeMap<Did, WeakShared<Meeting>>>>);

impl Meetings {
    /// The meeting with an account: the one under way or, unless there are too many, a new one.
    pub(crate) fn join<F>(&self, did: &Did, begin: impl FnOnce() -> F) -> Option<Shared<Meeting>>
    where
        F: Future<Output = Result<Met, IndexError>> + Send + 'static,
    {
        // Whoever panicked left a map that holds.
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(meeting) = under_way.get(did).and_then(WeakShared::upgrade) {
            return Some(meeting);
        }
        under_way.retain(|_, meeting| meeting.upgrade().is_some());
        if under_way.len() >= MOST {
            return None;
        }
        let meeting = begin().boxed().shared();
        under_way.insert(did.clone(), meeting.downgrade()?);
        Some(meeting)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future;

    use super::*;

    fn did(number: usize) -> Did {
        format!("did:web:host{number}.example.com").parse().unwrap()
    }

    #[test]
    fn an_account_is_met_once_however_many_name_it_and_few_at_a_time() {
        let (meetings, begun) = (Meetings::default(), Cell::new(0));
        let join = |number| {
            meetings.join(&did(number), || {
                begun.set(begun.get() + 1);
                future::pending()
            })
        };
        let mut joined: Vec<_> = (0..MOST).map(join).collect();
        joined.push(join(0));
        assert!(joined.iter().all(Option::is_some));
        assert_eq!(begun.get(), MOST, "the last one has joined the first");
        assert!(join(MOST).is_none(), "there are too many");
        drop(joined);
        assert!(join(MOST).is_some(), "and then they are over");
    }
}
