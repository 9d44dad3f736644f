//! How many messages to apps are on their way at a time, so that no app keeps those of others waiting.
//!
//! A process has only so many hands, and an app that does not answer keeps a hand for as long as a message may take. So
//! each person and each host has a few of them at most, and all apps together that have yet to show that they answer have a
//! few, too: whoever has many accounts, or many hosts, has no more hands by that. Who finds no hand free does not wait for
//! one, and comes again later.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use huddle_syntax::Did;

/// Messages that are on their way to one person's app; one while it has yet to show that it answers.
const TO_ONE_PERSON: usize = 2;

/// Messages that are on their way to one host.
const TO_ONE_HOST: usize = 4;

/// Messages that are on their way to apps which have yet to show that they answer.
const UNPROVEN: usize = 4;

/// Counts what is on its way; clones count together.
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<Mutex<HashMap<Lane, usize>>>);

/// What is counted by itself.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Lane {
    Person(Did),
    Host(String),
    Unproven,
}

/// A message is on its way until this is dropped.
pub(super) struct Pass {
    gate: Gate,
    lanes: Vec<Lane>,
}

impl Gate {
    /// Lets one more message through, to an app of `person` at `host`; `None` if there is no room for it now.
    pub(super) fn enter(&self, person: &Did, host: &str, is_proven: bool) -> Option<Pass> {
        let to_person = if is_proven { TO_ONE_PERSON } else { 1 };
        let mut lanes = vec![
            (Lane::Person(person.clone()), to_person),
            (Lane::Host(host.to_owned()), TO_ONE_HOST),
        ];
        if !is_proven {
            lanes.push((Lane::Unproven, UNPROVEN));
        }
        let mut under_way = self.under_way();
        let is_full = |(lane, most): &(Lane, usize)| {
            let taken = under_way.get(lane).copied().unwrap_or_default();
            taken >= *most
        };
        if lanes.iter().any(is_full) {
            return None;
        }
        let lanes: Vec<_> = lanes.into_iter().map(|(lane, _)| lane).collect();
        for lane in &lanes {
            *under_way.entry(lane.clone()).or_default() += 1;
        }
        drop(under_way);
        let gate = self.clone();
        Some(Pass { gate, lanes })
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<Lane, usize>> {
        // Whoever panicked with it has left the counts whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut under_way = self.gate.under_way();
        for lane in &self.lanes {
            if let Some(taken) = under_way.get_mut(lane) {
                *taken -= 1;
                if *taken == 0 {
                    under_way.remove(lane);
                }
            }
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(number: usize) -> Did {
        format!("did:web:{number}.example.com")
            .parse()
            .expect("a DID")
    }

    #[track_caller]
    fn check(people: usize, hosts: usize, is_proven: bool, get_through: usize) {
        let gate = Gate::default();
        let enter = |number| {
            let host = format!("{}.example", number % hosts);
            gate.enter(&person(number % people), &host, is_proven)
        };
        let passes: Vec<_> = (0..9).filter_map(enter).collect();
        assert_eq!(passes.len(), get_through);
        drop(passes);
        assert!(gate.under_way().is_empty());
    }

    #[test]
    fn nobody_has_all_hands_by_one_account_one_host_or_apps_that_never_answered() {
        check(1, 1, true, TO_ONE_PERSON);
        check(1, 9, true, TO_ONE_PERSON);
        check(1, 9, false, 1);
        check(9, 1, true, TO_ONE_HOST);
        check(9, 9, true, 9);
        check(9, 9, false, UNPROVEN);
    }

    #[test]
    fn a_message_that_has_arrived_makes_room_for_the_next() {
        let gate = Gate::default();
        let first = gate.enter(&person(0), "app.example", false);
        assert!(gate.enter(&person(0), "app.example", false).is_none());
        drop(first);
        assert!(gate.enter(&person(0), "app.example", false).is_some());
    }
}
