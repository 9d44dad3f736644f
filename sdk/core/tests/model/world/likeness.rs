//! Which states are alike: they differ in what no longer counts, or in who takes whose place.

use super::{State, World};
use crate::alike::{Numbers, Swap};
use crate::scenario::Scenario;

/// What is the same for states that are alike, and for no others.
pub(crate) type Likeness = Box<[u32]>;

/// What the numbers of a world's things are under other names.
pub(super) struct Names {
    pub(super) swaps: Vec<Swap>,
    actors: Numbers,
    drivers: Numbers,
    messages: Numbers,
    replies: Numbers,
}

impl Names {
    pub(super) fn of(scenario: &Scenario) -> Self {
        Self {
            swaps: Swap::all(scenario),
            actors: Numbers::default(),
            drivers: Numbers::default(),
            messages: Numbers::default(),
            replies: Numbers::default(),
        }
    }
}

impl World {
    /// What is the same for all states that are like this one.
    pub(crate) fn likeness(&mut self, state: &State) -> Likeness {
        let swaps = 0..self.names.swaps.len();
        let after = swaps.map(|swap| self.likeness_after(state, swap));
        after.min().expect("one swap changes nothing")
    }

    /// What is the same for all states that differ from this one only in what no longer counts.
    pub(crate) fn strict_likeness(&mut self, state: &State) -> Likeness {
        self.likeness_after(state, 0)
    }

    fn likeness_after(&mut self, state: &State, index: usize) -> Likeness {
        let may_ask = self.asked(state) < self.tour.wishes;
        let (things, drivers) = (&self.actors, &self.drivers);
        let names = &mut self.names;
        let swap = &names.swaps[index];
        let count = state.actors.len();
        let mut all = vec![0; 2 * count + swap.wishes.len()];
        for (actor, id) in state.actors.iter().enumerate() {
            let place = swap.actors[actor];
            let text = || things.state_text(*id, swap);
            all[place] = names.actors.of(index, *id, text);
            all[count + place] = state.latest[actor];
        }
        // Once no more may be asked, it does not matter what.
        if may_ask {
            for (wish, left) in state.wishes.iter().enumerate() {
                all[2 * count + swap.wishes[wish]] = u32::from(*left);
            }
        }
        let left = state.trouble.left(self.tour.trouble);
        all.extend(
            [
                left.deaths,
                left.copies,
                left.calendars,
                left.clocks,
                left.all,
            ]
            .map(u32::from),
        );
        // Whether the clock was ever set back is something that rules ask.
        all.extend([state.trouble.clocks > 0, state.fault.is_some()].map(u32::from));
        all.push(state.clock);
        let mut message = |id: u32| {
            let text = || things.message_text(id, swap);
            names.messages.of(index, id, text)
        };
        append(&mut all, state.late.iter().map(|id| [message(*id)]));
        let answered = state.answered.iter().map(|(id, reply)| {
            let text = || things.reply_text(*reply, swap);
            [message(*id), names.replies.of(index, *reply, text)]
        });
        append(&mut all, answered);
        let working = state.drivers.iter().map(|id| {
            let text = || swap.rename(&format!("{:?}", drivers[*id as usize].driver));
            [names.drivers.of(index, *id, text)]
        });
        append(&mut all, working);
        let place = |actor: usize| u32::try_from(swap.actors[actor]).unwrap();
        let confirmed = state.confirmed.iter();
        append(&mut all, confirmed.map(|it| [place(it.0), it.1]));
        let over = state.over.iter();
        append(&mut all, over.map(|it| [place(it.0), place(it.1), it.2]));
        all.into()
    }
}

/// Adds things that are in no order.
fn append<const N: usize>(all: &mut Vec<u32>, things: impl Iterator<Item = [u32; N]>) {
    let mut things: Vec<_> = things.collect();
    things.sort_unstable();
    all.push(u32::try_from(things.len()).unwrap());
    all.extend(things.into_iter().flatten());
}
