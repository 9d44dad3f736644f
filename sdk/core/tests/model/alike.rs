//! What takes the place of what without anybody noticing: names that can be swapped, and the numbers that things have
//! under other names.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use huddle_core::actor::ActorName;

use crate::scenario::{Plan, Scenario, Wish, did, id};

/// Bookings that take each other's places, and people with them, in a scenario that is the same then.
pub(crate) struct Swap {
    /// The names that change, each with the one that it becomes.
    names: Vec<(String, String)>,
    /// For each actor, whose place it takes.
    pub(crate) actors: Vec<usize>,
    /// For each wish, whose place it takes.
    pub(crate) wishes: Vec<usize>,
}

impl Swap {
    /// All swaps of a scenario; the first of them changes nothing.
    pub(crate) fn all(scenario: &Scenario) -> Vec<Self> {
        let plans = &scenario.bookings;
        let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
        for _ in plans {
            let longer = orders.iter().flat_map(|order| {
                (0..plans.len()).map(move |next| [order.as_slice(), &[next]].concat())
            });
            orders = longer
                .filter(|order| places(plans, order).is_some())
                .collect();
        }
        let swaps = orders.iter().filter_map(|order| Self::new(scenario, order));
        swaps.collect()
    }

    /// Each booking takes the place that `order` says.
    fn new(scenario: &Scenario, order: &[usize]) -> Option<Self> {
        let people = places(&scenario.bookings, order)?;
        let has_days = |name: &&'static str| scenario.sharded.contains(name);
        let same_days = people.iter().all(|it| has_days(it.0) == has_days(it.1));
        let mut prologue = scenario.prologue.iter();
        let same_start = prologue.all(|wish| order[wish.booking] == wish.booking);
        let wishes: Option<Vec<usize>> = scenario
            .wishes
            .iter()
            .map(|wish| {
                let booking = order[wish.booking];
                let other = Wish { booking, ..*wish };
                scenario.wishes.iter().position(|it| *it == other)
            })
            .collect();
        let people = people
            .iter()
            .map(|it| [it.0, it.1].map(|name| did(name).to_string()));
        let bookings = order.iter().enumerate();
        let bookings =
            bookings.map(|(one, other)| [one, *other].map(|booking| id(booking).to_string()));
        let names = people.chain(bookings).filter(|[one, other]| one != other);
        let mut swap = Self {
            names: names.map(|[one, other]| (one, other)).collect(),
            actors: Vec::new(),
            wishes: wishes.filter(|_| same_days && same_start)?,
        };
        let actors = scenario.actors();
        let places = actors.iter().map(|actor| {
            let other = swap.rename(actor.as_str());
            let place = actors.iter().position(|it| it.as_str() == other);
            place.expect("all people change places with others of the scenario")
        });
        swap.actors = places.collect();
        Some(swap)
    }

    /// A text with the other names.
    pub(crate) fn rename(&self, text: &str) -> String {
        let mark = |index| format!("\0{index}\0");
        let mut renamed = text.to_owned();
        // By way of marks, so that nothing is renamed twice.
        for (index, (name, _)) in self.names.iter().enumerate() {
            renamed = renamed.replace(name, &mark(index));
        }
        for (index, (_, other)) in self.names.iter().enumerate() {
            renamed = renamed.replace(&mark(index), other);
        }
        renamed
    }
}

/// Whose place each person takes when the first bookings take the places that `order` says; `None` if that is not the
/// same.
fn places(plans: &[Plan], order: &[usize]) -> Option<BTreeMap<&'static str, &'static str>> {
    let mut places = BTreeMap::new();
    for (one, other) in plans.iter().zip(order.iter().map(|place| &plans[*place])) {
        for (person, place) in [(one.host, other.host), (one.guest, other.guest)] {
            if *places.entry(person).or_insert(place) != place {
                return None;
            }
        }
        let renamed = Plan {
            host: other.host,
            guest: other.guest,
            ..one.clone()
        };
        // Those who take part are asked in the order of their names.
        let host_first = |plan: &Plan| {
            let [host, guest] = [plan.host, plan.guest].map(|it| ActorName::host_match(&did(it)));
            host < guest
        };
        if renamed != *other || host_first(one) != host_first(other) {
            return None;
        }
    }
    let people: BTreeSet<_> = places.values().collect();
    let bookings: BTreeSet<_> = order.iter().collect();
    (people.len() == places.len() && bookings.len() == order.len()).then_some(places)
}

/// Numbers of things of one kind, by which one is the same as another under other names if they have the same number.
#[derive(Default)]
pub(crate) struct Numbers {
    by_text: HashMap<String, u32>,
    /// By the index of the swap and the thing's own number.
    known: Vec<Vec<Option<u32>>>,
}

impl Numbers {
    /// The number that a thing has after a swap, whose text is then `text`.
    pub(crate) fn of(&mut self, swap: usize, thing: u32, text: impl FnOnce() -> String) -> u32 {
        let thing = thing as usize;
        if self.known.len() <= swap {
            self.known.resize(swap + 1, Vec::new());
        }
        let known = &mut self.known[swap];
        if known.len() <= thing {
            known.resize(thing + 1, None);
        }
        if let Some(number) = known[thing] {
            return number;
        }
        let next = u32::try_from(self.by_text.len()).unwrap();
        let number = *self.by_text.entry(text()).or_insert(next);
        known[thing] = Some(number);
        number
    }
}
