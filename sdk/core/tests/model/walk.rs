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

/// Walks so many steps through a scenario.
pub(crate) fn walk(scenario: &Scenario, seed: u64, steps: usize) {
    let mut dice = Dice(seed);
    let mut left = steps;
    while left > 0 {
        let mut world = World::new(scenario.clone(), scenario.tours[0].clone(), &NONE);
        for _ in 0..WALKS {
            let length = left.min(WALK);
            once(&mut world, &mut dice, length);
            left -= length;
        }
    }
}

fn once(world: &mut World, dice: &mut Dice, length: usize) {
    let mut state = world.start();
    let mut taken = Vec::new();
    for number in 1..=length {
        let Some((step, next)) = step(world, dice, &state) else {
            continue;
        };
        taken.push(step);
        state = next;
        if let Some(problem) = world.violation(&state) {
            panic!("{problem}{}", trace(world, &taken));
        }
        if (number % REST == 0 || number == length)
            && let Err((problem, rest)) = world.rest(&state)
        {
            taken.extend(rest);
            panic!("{problem}{}", trace(world, &taken));
        }
    }
}

/// A step of a part of the world, each being as likely; `None` if it cannot take any.
fn step(world: &mut World, dice: &mut Dice, state: &State) -> Option<(Step, State)> {
    let parts = world.parts(state);
    let part = parts[dice.below(parts.len())];
    let mut steps = Vec::new();
    world.steps_of(state, part, &mut steps);
    if steps.is_empty() {
        return None;
    }
    let step = dice.below(steps.len());
    Some(steps.swap_remove(step))
}

fn trace(world: &World, taken: &[Step]) -> String {
    let lines = taken
        .iter()
        .map(|step| format!("\n  {}", world.describe(step)));
    lines.collect()
}
