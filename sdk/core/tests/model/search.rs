//! Breadth first through everything that can happen, to the first thing that must not.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt;
use std::hash::Hash;

use crate::world::{State, Step, World};

/// After so many states a search says how far it has come.
const NEWS: usize = 500_000;

/// What a search has seen.
#[derive(Debug)]
pub(crate) struct Explored {
    pub(crate) states: usize,
    pub(crate) transitions: usize,
    /// Turns of real actors.
    pub(crate) turns: usize,
    /// The parts of the mutation that have changed nothing.
    pub(crate) idle: Vec<String>,
    /// How bookings have ended.
    pub(crate) ends: Vec<String>,
    pub(crate) counterexample: Option<Counterexample>,
}

/// The shortest way to something that must not be.
#[derive(Debug)]
pub(crate) struct Counterexample {
    pub(crate) problem: String,
    /// The steps from the start.
    pub(crate) steps: Vec<String>,
    /// The steps from there, with nothing going wrong, to where the problem shows.
    pub(crate) rest: Vec<String>,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.problem)?;
        for (number, step) in self.steps.iter().enumerate() {
            writeln!(f, "{:>4}. {step}", number + 1)?;
        }
        if !self.rest.is_empty() {
            writeln!(f, "  then nothing goes wrong any more, and:")?;
        }
        // The end says as much as the whole.
        let skipped = self.rest.len().saturating_sub(40);
        for step in &self.rest[skipped..] {
            writeln!(f, "   -  {step}")?;
        }
        Ok(())
    }
}

/// Explores all of a tour, but of states that are alike only one.
pub(crate) fn explore(world: World) -> Explored {
    explore_by(world, World::likeness)
}

/// Explores all of a tour, every single state.
pub(crate) fn explore_singly(world: World) -> Explored {
    explore_by(world, |_, state| state.clone())
}

/// Explores all of a tour, but of states that are the same by `key` only one.
fn explore_by<K: Eq + Hash>(mut world: World, key: fn(&mut World, &State) -> K) -> Explored {
    let start = world.start();
    let mut seen = HashSet::from([key(&mut world, &start)]);
    let mut open = VecDeque::from([start]);
    let mut origins: Vec<Option<(usize, Step)>> = vec![None];
    let mut transitions = 0;
    let mut counterexample = None;
    let mut from = 0;
    'search: while let Some(state) = open.pop_front() {
        for (step, to) in world.steps(&state) {
            transitions += 1;
            if !seen.insert(key(&mut world, &to)) {
                continue;
            }
            origins.push(Some((from, step)));
            if origins.len().is_multiple_of(NEWS) {
                println!("{}: {} states so far", world.scenario.name, origins.len());
            }
            if let Err((problem, rest)) = problem(&mut world, &to) {
                counterexample = Some(Counterexample {
                    problem,
                    steps: steps_to(&world, &origins),
                    rest: rest.iter().map(|step| world.describe(step)).collect(),
                });
                break 'search;
            }
            open.push_back(to);
        }
        from += 1;
    }
    Explored {
        states: origins.len(),
        transitions,
        turns: world.actors.turns(),
        idle: world.idle(),
        ends: world.ends.into_iter().collect(),
        counterexample,
    }
}

/// What is wrong with a state, or with how it comes to rest, and the steps from there to where that shows.
fn problem(world: &mut World, state: &State) -> Result<(), (String, Vec<Step>)> {
    match world.violation(state) {
        Some(problem) => Err((problem, Vec::new())),
        None => world.rest(state),
    }
}

/// Finds every single state, and holds those that are alike against each other: if one is wrong the others are, and they
/// lead to states that are alike. Says how many states there are, and how many that are not alike.
pub(crate) fn compare(mut world: World) -> (usize, usize) {
    let start = world.start();
    let mut seen = HashSet::from([start.clone()]);
    let mut open = VecDeque::from([start]);
    let mut alike = HashMap::new();
    while let Some(state) = open.pop_front() {
        let mut leads_to = BTreeSet::new();
        for (_, to) in world.steps(&state) {
            leads_to.insert(world.likeness(&to));
            if seen.insert(to.clone()) {
                open.push_back(to);
            }
        }
        let likeness = world.likeness(&state);
        let found = (problem(&mut world, &state).is_err(), leads_to);
        let other = alike.entry(likeness).or_insert_with(|| found.clone());
        assert!(*other == found, "unlike others that are alike: {state:?}");
    }
    (seen.len(), alike.len())
}

/// The steps to the state that was found last.
fn steps_to(world: &World, origins: &[Option<(usize, Step)>]) -> Vec<String> {
    let mut steps = Vec::new();
    let mut origin = origins.last().and_then(Option::as_ref);
    while let Some((from, step)) = origin {
        steps.push(world.describe(step));
        origin = origins[*from].as_ref();
    }
    steps.reverse();
    steps
}
