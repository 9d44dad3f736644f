//! Long random walks, where there is too much to explore.

use crate::mutations::NONE;
use crate::scenario::Scenario;
use crate::world::{State, Step, World};

/// Steps from the start until everything begins anew.
const WALK: usize = 400;

/// A world comes to rest after so many steps, on a copy that is thrown away.
const REST: usize = 20;

/// Worlds remember what they have seen, so each is left after so many walks.
const WALKS: usize = 10;

/// After so many steps of the clock alone nothing else is left to come: all that waits for a time has had its time.
const QUIET: usize = 24;

/// `SplitMix64`: a walk is told by its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        let end = u64::try_from(end).unwrap();
        usize::try_from(z % end).unwrap()
    }
}

/// Walks so many steps through a scenario, each of which changes something, and says in how many walks.
pub(crate) fn walk(scenario: &Scenario, seed: u64, steps: usize) -> usize {
    let mut dice = Dice(seed);
    let (mut left, mut walks) = (steps, 0);
    while left > 0 {
        let mut world = World::new(scenario.clone(), scenario.tours[0], &NONE);
        for _ in 0..WALKS {
            left -= once(&mut world, &mut dice, left.min(WALK));
            walks += 1;
        }
    }
    walks
}

/// Walks from the start until nothing is left to come, so many steps at most, and says how many.
fn once(world: &mut World, dice: &mut Dice, length: usize) -> usize {
    let mut state = world.start();
    let mut taken = Vec::new();
    let mut quiet = 0;
    while taken.len() < length && quiet < QUIET {
        let Some((step, next)) = step(world, dice, &state) else {
            break;
        };
        let is_clock = matches!(step, Step::Clock(_));
        quiet = if is_clock { quiet + 1 } else { 0 };
        taken.push(step);
        state = next;
        if let Some(problem) = world.violation(&state) {
            panic!("{problem}{}", trace(world, &taken));
        }
        if taken.len().is_multiple_of(REST) {
            come_to_rest(world, &state, &taken);
        }
    }
    come_to_rest(world, &state, &taken);
    taken.len() - if quiet < QUIET { 0 } else { quiet }
}

#[track_caller]
fn come_to_rest(world: &mut World, state: &State, taken: &[Step]) {
    if let Err((problem, rest)) = world.rest(state) {
        let taken = [taken, &rest].concat();
        panic!("{problem}{}", trace(world, &taken));
    }
}

/// A step that changes something, of a part of the world that can take one, each being as likely; `None` if
/// there is none.
fn step(world: &mut World, dice: &mut Dice, state: &State) -> Option<(Step, State)> {
    let mut parts = world.parts(state);
    while !parts.is_empty() {
        let part = parts.swap_remove(dice.below(parts.len()));
        let mut steps = Vec::new();
        world.steps_of(state, part, &mut steps);
        steps.retain(|(_, next)| next != state);
        if !steps.is_empty() {
            let step = dice.below(steps.len());
            return Some(steps.swap_remove(step));
        }
    }
    None
}

fn trace(world: &World, taken: &[Step]) -> String {
    let lines = taken
        .iter()
        .map(|step| format!("\n  {}", world.describe(step)));
    lines.collect()
}
