//! Breadth first through everything that can happen, to the first thing that must not.

use std::collections::HashSet;
use std::fmt;
use std::rc::Rc;

use crate::mutations::Mutation;
use crate::scenario::{Scenario, Tour};
use crate::world::{Step, World};

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

/// Explores all of a tour.
pub(crate) fn explore(scenario: &Scenario, tour: &Tour, mutation: &'static Mutation) -> Explored {
    let mut world = World::new(scenario.clone(), *tour, mutation);
    let start = Rc::new(world.start());
    let mut seen = HashSet::from([Rc::clone(&start)]);
    let mut states = vec![start];
    let mut origins: Vec<Option<(usize, Step)>> = vec![None];
    let mut transitions = 0;
    let mut next = 0;
    let mut counterexample = None;
    'search: while next < states.len() {
        let state = Rc::clone(&states[next]);
        for (step, to) in world.steps(&state) {
            transitions += 1;
            if seen.contains(&to) {
                continue;
            }
            let problem = match world.violation(&to) {
                Some(problem) => Err((problem, Vec::new())),
                None => world.rest(&to),
            };
            let to = Rc::new(to);
            seen.insert(Rc::clone(&to));
            states.push(to);
            if states.len().is_multiple_of(NEWS) {
                println!("{}: {} states so far", scenario.name, states.len());
            }
            origins.push(Some((next, step)));
            if let Err((problem, rest)) = problem {
                counterexample = Some(Counterexample {
                    problem,
                    steps: steps_to(&world, &origins),
                    rest: rest.iter().map(|step| world.describe(step)).collect(),
                });
                break 'search;
            }
        }
        next += 1;
    }
    Explored {
        states: states.len(),
        transitions,
        turns: world.actors.turns(),
        idle: world.idle(),
        ends: world.ends.into_iter().collect(),
        counterexample,
    }
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
