//! Turns to ask for something, to so many at the same time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Gives turns in the order in which they are asked for, but to one crowd no more than half of them, so that one that
/// takes its time does not have all.
#[derive(Debug)]
pub(super) struct Desk {
    places: usize,
    /// Whose turn it is, and of which crowds they are.
    taken: BTreeMap<String, Vec<Crowd>>,
    by_crowd: BTreeMap<Crowd, usize>,
    queue: VecDeque<(String, Vec<Crowd>)>,
}

/// Who can make others wait by taking their time together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Crowd {
    /// All about whom this host is asked.
    Host(Arc<str>),
    /// All that only a stream has named, and about whom hosts of their own choice are asked. Names of hosts cost
    /// nothing: each of them may have another one.
    Strangers,
}

/// The host that is asked for the identity of an account, where the account has chosen it: that of a `did:web`. All
/// that are a `did:plc` are in one directory.
pub(super) fn identity_host(did: &str) -> Option<&str> {
    let name = did.strip_prefix("did:web:")?;
    let (host, _) = name.split_once(':').unwrap_or((name, ""));
    Some(host)
}

impl Desk {
    pub(super) const fn new(places: usize) -> Self {
        Self {
            places,
            taken: BTreeMap::new(),
            by_crowd: BTreeMap::new(),
            queue: VecDeque::new(),
        }
    }

    /// Whether it is the account's turn. If not, it is in the queue now.
    pub(super) fn turn(&mut self, did: &str, crowds: Vec<Crowd>) -> bool {
        let is_free = self.has_place(&crowds);
        if is_free {
            self.take(did.to_owned(), crowds);
        } else {
            self.queue.push_back((did.to_owned(), crowds));
        }
        is_free
    }

    /// An account's turn is over. Returns whose is next.
    pub(super) fn leave(&mut self, did: &str) -> Option<String> {
        for crowd in self.taken.remove(did).unwrap_or_default() {
            if let Some(count) = self.by_crowd.get_mut(&crowd) {
                *count -= 1;
                if *count == 0 {
                    self.by_crowd.remove(&crowd);
                }
            }
        }
        let mut queue = self.queue.iter();
        let next = queue.position(|(_, crowds)| self.has_place(crowds))?;
        let (next, crowds) = self.queue.remove(next)?;
        self.take(next.clone(), crowds);
        Some(next)
    }

    fn has_place(&self, crowds: &[Crowd]) -> bool {
        let half = self.places.div_ceil(2);
        let has_half = |crowd| self.by_crowd.get(crowd).is_some_and(|count| *count >= half);
        self.taken.len() < self.places && !crowds.iter().any(has_half)
    }

    fn take(&mut self, did: String, crowds: Vec<Crowd>) {
        for crowd in &crowds {
            *self.by_crowd.entry(crowd.clone()).or_default() += 1;
        }
        self.taken.insert(did, crowds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(desk: &mut Desk, did: &str, host: &str) -> bool {
        desk.turn(did, vec![Crowd::Host(host.into())])
    }

    #[test]
    fn turns_come_in_the_order_in_which_they_are_asked_for() {
        let mut desk = Desk::new(2);
        assert!(desk.turn("a", vec![]) && desk.turn("b", vec![]));
        assert!(!desk.turn("c", vec![]) && !desk.turn("d", vec![]));
        assert_eq!(desk.leave("b").as_deref(), Some("c"));
        assert_eq!(desk.leave("a").as_deref(), Some("d"));
        assert_eq!(desk.leave("c"), None);
        assert!(desk.turn("e", vec![]));
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
    fn strangers_have_half_of_the_turns_whatever_their_hosts_are_called() {
        let mut desk = Desk::new(4);
        let stranger = |desk: &mut Desk, did: &str| {
            let host = Crowd::Host(did.into());
            desk.turn(did, vec![host, Crowd::Strangers])
        };
        assert!(stranger(&mut desk, "a") && stranger(&mut desk, "b"));
        assert!(!stranger(&mut desk, "c") && !stranger(&mut desk, "d"));
        assert!(turn(&mut desk, "e", "a") && turn(&mut desk, "f", "other"));
        assert!(!turn(&mut desk, "g", "third"));
        assert_eq!(desk.leave("e").as_deref(), Some("g"));
        assert_eq!(desk.leave("a").as_deref(), Some("c"));
        assert_eq!(desk.leave("f"), None);
    }

    #[test]
    fn only_a_did_web_names_its_own_host() {
        for (did, expect) in [
            ("did:web:example.com", Some("example.com")),
            ("did:web:example.com%3A8080", Some("example.com%3A8080")),
            ("did:web:example.com:one:two", Some("example.com")),
            ("did:plc:ewvi7nxzyoun6zhxrhs64oiz", None),
        ] {
            assert_eq!(identity_host(did), expect, "{did}");
        }
    }

    #[test]
    fn one_place_is_anybodys() {
        let mut desk = Desk::new(1);
        assert!(turn(&mut desk, "a", "slow"));
        assert!(!turn(&mut desk, "b", "slow"));
        assert_eq!(desk.leave("a").as_deref(), Some("b"));
    }
}
