//! Turns to ask for something, to so many at the same time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Gives turns in the order in which they are asked for, but to one host no more than half of them, so that one that
/// takes its time does not have all.
#[derive(Debug)]
pub(super) struct Desk {
    places: usize,
    /// Whose turn it is, and where they ask.
    taken: BTreeMap<String, Host>,
    by_host: BTreeMap<Arc<str>, usize>,
    queue: VecDeque<(String, Host)>,
}

/// Where something is asked for, where that matters.
type Host = Option<Arc<str>>;

impl Desk {
    pub(super) const fn new(places: usize) -> Self {
        Self {
            places,
            taken: BTreeMap::new(),
            by_host: BTreeMap::new(),
            queue: VecDeque::new(),
        }
    }

    /// Whether it is the account's turn. If not, it is in the queue now.
    pub(super) fn turn(&mut self, did: &str, host: Host) -> bool {
        let is_free = self.has_place(host.as_ref());
        if is_free {
            self.take(did.to_owned(), host);
        } else {
            self.queue.push_back((did.to_owned(), host));
        }
        is_free
    }

    /// An account's turn is over. Returns whose is next.
    pub(super) fn leave(&mut self, did: &str) -> Option<String> {
        if let Some(Some(host)) = self.taken.remove(did)
            && let Some(count) = self.by_host.get_mut(&host)
        {
            *count -= 1;
            if *count == 0 {
                self.by_host.remove(&host);
            }
        }
        let mut queue = self.queue.iter();
        let next = queue.position(|(_, host)| self.has_place(host.as_ref()))?;
        let (next, host) = self.queue.remove(next)?;
        self.take(next.clone(), host);
        Some(next)
    }

    fn has_place(&self, host: Option<&Arc<str>>) -> bool {
        let of_host = host.and_then(|host| self.by_host.get(host));
        let is_free = of_host.is_none_or(|count| *count < self.places.div_ceil(2));
        is_free && self.taken.len() < self.places
    }

    fn take(&mut self, did: String, host: Host) {
        if let Some(host) = &host {
            *self.by_host.entry(Arc::clone(host)).or_default() += 1;
        }
        self.taken.insert(did, host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(desk: &mut Desk, did: &str, host: &str) -> bool {
        desk.turn(did, Some(host.into()))
    }

    #[test]
    fn turns_come_in_the_order_in_which_they_are_asked_for() {
        let mut desk = Desk::new(2);
        assert!(desk.turn("a", None) && desk.turn("b", None));
        assert!(!desk.turn("c", None) && !desk.turn("d", None));
        assert_eq!(desk.leave("b").as_deref(), Some("c"));
        assert_eq!(desk.leave("a").as_deref(), Some("d"));
        assert_eq!(desk.leave("c"), None);
        assert!(desk.turn("e", None));
    }

    #[test]
    fn a_host_has_half_of_the_turns_and_others_pass_it_in_the_queue() {
        let mut desk = Desk::new(4);
        assert!(turn(&mut desk, "a", "slow") && turn(&mut desk, "b", "slow"));
        assert!(!turn(&mut desk, "c", "slow"));
        assert!(turn(&mut desk, "d", "other") && turn(&mut desk, "e", "third"));
        assert!(!turn(&mut desk, "f", "other"));
        assert_eq!(desk.leave("d").as_deref(), Some("f"));
        assert_eq!(desk.leave("a").as_deref(), Some("c"));
        assert_eq!(desk.leave("b"), None);
    }

    #[test]
    fn one_place_is_anybodys() {
        let mut desk = Desk::new(1);
        assert!(turn(&mut desk, "a", "slow"));
        assert!(!turn(&mut desk, "b", "slow"));
        assert_eq!(desk.leave("a").as_deref(), Some("b"));
    }
}
