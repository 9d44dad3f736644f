//! Accounts whose repositories could not be fetched, and when that is tried again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// An account that is left alone for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rest {
    /// How often in a row it could not be fetched.
    pub(super) times: u32,
    /// Where its repository is, as far as that is known.
    pub(super) host: Option<Arc<str>>,
    /// When it ends.
    pub(super) until: Duration,
    /// No event ends it sooner.
    pub(super) at_least_until: Duration,
    /// Whether only a stream has named it: nothing of it is held, or has been verified.
    pub(super) is_stranger: bool,
}

/// The accounts that rest, of which there are at most so many: of more than that, those are forgotten that would rest
/// for the longest time. A forgotten one is fetched when something comes from it, or when somebody asks. Strangers have
/// room of their own, a quarter as much, so that nobody else is forgotten for them.
#[derive(Debug)]
pub(super) struct Rests {
    by_did: BTreeMap<Arc<str>, Rest>,
    known: Ends,
    strangers: Ends,
}

/// When accounts end their rest, and of how many that is remembered.
#[derive(Debug)]
struct Ends {
    most: usize,
    in_order: BTreeSet<(Duration, Arc<str>)>,
}

impl Ends {
    const fn new(most: usize) -> Self {
        Self {
            most,
            in_order: BTreeSet::new(),
        }
    }

    /// Adds one. Returns who is forgotten for it.
    fn add(&mut self, until: Duration, did: Arc<str>) -> Option<Arc<str>> {
        self.in_order.insert((until, did));
        let is_full = self.in_order.len() > self.most;
        let (_, longest) = is_full.then(|| self.in_order.pop_last()).flatten()?;
        Some(longest)
    }
}

impl Rests {
    pub(super) const fn new(most: usize) -> Self {
        Self {
            by_did: BTreeMap::new(),
            known: Ends::new(most),
            strangers: Ends::new(most.div_ceil(4)),
        }
    }

    const fn ends(&mut self, is_stranger: bool) -> &mut Ends {
        if is_stranger {
            &mut self.strangers
        } else {
            &mut self.known
        }
    }

    pub(super) fn get(&self, did: &str) -> Option<&Rest> {
        self.by_did.get(did)
    }

    pub(super) fn begin(&mut self, did: &str, rest: Rest) {
        self.end(did);
        let did: Arc<str> = did.into();
        let ends = self.ends(rest.is_stranger);
        let forgotten = ends.add(rest.until, Arc::clone(&did));
        self.by_did.insert(did, rest);
        if let Some(forgotten) = forgotten {
            self.by_did.remove(&forgotten);
        }
    }

    /// Something about the account has changed, so that its repository may be had now.
    pub(super) fn hasten(&mut self, did: &str) {
        if let Some(mut rest) = self.end(did) {
            rest.until = rest.until.min(rest.at_least_until);
            self.begin(did, rest);
        }
    }

    pub(super) fn end(&mut self, did: &str) -> Option<Rest> {
        let (did, rest) = self.by_did.remove_entry(did)?;
        let ends = self.ends(rest.is_stranger);
        ends.in_order.remove(&(rest.until, did));
        Some(rest)
    }

    /// Nobody is to be fetched of whom nothing is held, and nothing may be shown.
    pub(super) fn forget_stranger(&mut self, did: &str) {
        if self.get(did).is_some_and(|rest| rest.is_stranger) {
            self.end(did);
        }
    }

    /// When the next one ends.
    pub(super) fn next_end(&self) -> Option<Duration> {
        self.first().map(|(until, _)| *until)
    }

    fn first(&self) -> Option<&(Duration, Arc<str>)> {
        let both = [&self.known, &self.strangers];
        both.into_iter()
            .filter_map(|ends| ends.in_order.first())
            .min()
    }

    /// An account whose rest is over.
    pub(super) fn next_over(&mut self, now: Duration) -> Option<(Arc<str>, Rest)> {
        let (_, did) = self.first().filter(|(until, _)| *until <= now)?;
        let did = Arc::clone(did);
        Some((Arc::clone(&did), self.end(&did)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(until_secs: u64) -> Rest {
        Rest {
            times: 1,
            host: None,
            until: Duration::from_secs(until_secs),
            at_least_until: Duration::from_secs(5),
            is_stranger: false,
        }
    }

    fn strangers(until_secs: u64) -> Rest {
        Rest {
            is_stranger: true,
            ..rest(until_secs)
        }
    }

    fn over(rests: &mut Rests, secs: u64) -> Vec<String> {
        let mut over = Vec::new();
        while let Some((did, _)) = rests.next_over(Duration::from_secs(secs)) {
            over.push(did.to_string());
        }
        over
    }

    #[test]
    fn rests_end_in_their_order() {
        let mut rests = Rests::new(10);
        for (did, until) in [("a", 30), ("b", 10), ("c", 20)] {
            rests.begin(did, rest(until));
        }
        assert_eq!(rests.next_end(), Some(Duration::from_secs(10)));
        assert_eq!(over(&mut rests, 9), [""; 0]);
        assert_eq!(over(&mut rests, 20), ["b", "c"]);
        assert_eq!(over(&mut rests, 30), ["a"]);
        assert_eq!(rests.next_end(), None);
    }

    #[test]
    fn a_rest_that_is_hastened_lasts_for_as_long_as_it_has_to() {
        let mut rests = Rests::new(10);
        rests.begin("a", rest(30));
        rests.begin("b", rest(3));
        rests.hasten("a");
        rests.hasten("b");
        rests.hasten("nobody");
        assert_eq!(over(&mut rests, 3), ["b"]);
        assert_eq!(over(&mut rests, 5), ["a"]);
    }

    #[test]
    fn a_rest_that_begins_again_or_ends_leaves_nothing_behind() {
        let mut rests = Rests::new(10);
        rests.begin("a", rest(10));
        rests.begin("a", rest(20));
        assert_eq!(over(&mut rests, 10), [""; 0]);
        assert_eq!(rests.end("a"), Some(rest(20)));
        assert_eq!(rests.next_end(), None);
    }

    #[test]
    fn of_too_many_the_ones_that_would_rest_longest_are_forgotten() {
        let mut rests = Rests::new(2);
        for (did, until) in [("a", 30), ("b", 10), ("c", 20)] {
            rests.begin(did, rest(until));
        }
        assert_eq!(rests.get("a"), None);
        assert_eq!(over(&mut rests, 99), ["b", "c"]);
    }

    #[test]
    fn strangers_have_a_quarter_as_much_room_and_nobody_else_is_forgotten_for_them() {
        let mut rests = Rests::new(4);
        for (did, until) in [("a", 30), ("b", 40), ("c", 50), ("d", 60)] {
            rests.begin(did, rest(until));
        }
        rests.begin("one", strangers(20));
        rests.begin("two", strangers(10));
        rests.begin("three", strangers(15));
        assert_eq!(over(&mut rests, 30), ["two", "a"]);
        rests.begin("four", strangers(10));
        rests.forget_stranger("four");
        rests.forget_stranger("b");
        assert_eq!(over(&mut rests, 99), ["b", "c", "d"]);
    }
}
