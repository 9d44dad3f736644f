//! All actors, drivers and messages together: every step that can come next, what must hold after it,
//! and how it all comes to rest when nothing goes wrong any more.

mod likeness;
mod rules;
mod trace;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use huddle_core::actor::{ActorKind, ActorName, Command, Reply};
use huddle_core::availability::{Checked, Found, Side};
use huddle_core::booking::{Reply as BookingReply, Standing};
use huddle_core::driver::{Action, Driver, Event};
use huddle_core::host_match::{Command as HostMatchCommand, Ending, Finish, Shard};

use crate::actors::{Actors, START, Turned, When, Work, moment, number};
use crate::mutations::Mutation;
use crate::scenario::{CALENDAR, CLOCK_BACK, COPY, DEATH, Scenario, Tour, Trouble, What, Wish};
use likeness::Names;

pub(crate) use likeness::Likeness;

/// How many steps rest may take: far more than any that was seen.
const STEPS_TO_REST: usize = 2000;

/// Everything that there is, at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// The number of each actor's state.
    actors: Vec<u32>,
    /// The latest moment at which each has written, in seconds since the start.
    latest: Vec<u32>,
    /// Live drivers, sorted.
    drivers: Vec<u32>,
    /// Messages whose answer nobody waits for, sorted.
    late: Vec<u32>,
    /// Seconds since the start.
    clock: u32,
    /// What has gone wrong so far.
    trouble: Trouble,
    /// How often each wish can still be asked.
    wishes: Vec<u8>,
    /// What people have answered and to what, sorted, where a mutation has them answer from that.
    answered: Vec<(u32, u32)>,
    /// The bookings and attempts that ever were confirmed, sorted.
    confirmed: Vec<(usize, u32)>,
    /// People, bookings and the highest attempt that is over for them: its claim has gone, or they were
    /// told to release it.
    over: Vec<(usize, usize, u32)>,
    /// Something that must not come about has, on the way here.
    fault: Option<&'static str>,
}

impl State {
    fn when(&self, actor: usize) -> When {
        When {
            clock: self.clock,
            latest: self.latest[actor],
        }
    }

    /// What somebody has answered a message before, where that is what they answer again.
    fn answered(&self, message: u32) -> Option<u32> {
        let mut answered = self.answered.iter();
        answered
            .find(|(to, _)| *to == message)
            .map(|(_, reply)| *reply)
    }

    fn is_over(&self, person: usize, booking: usize, attempt: u32) -> bool {
        let mut over = self.over.iter();
        over.any(|it| (it.0, it.1) == (person, booking) && attempt <= it.2)
    }

    fn end(&mut self, person: usize, booking: usize, attempt: u32) {
        if !self.is_over(person, booking, attempt) {
            self.over.retain(|it| (it.0, it.1) != (person, booking));
            insert(&mut self.over, (person, booking, attempt));
        }
    }
}

/// Something that can take a step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Driver(u32),
    Late(u32),
    Outbox { actor: usize, task: u32 },
    Wake(usize),
    Wish(usize),
    Clock,
}

/// What happened between two states.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A driver asked, and was answered. `answer` tells apart what its calendars then said.
    Answered {
        driver: u32,
        answer: usize,
        copied: bool,
    },
    /// Time was up for a driver.
    PutOff(u32),
    /// A driver asked and died.
    Died {
        driver: u32,
        late: bool,
    },
    /// A message arrived that nobody waits for.
    Late(u32),
    /// An entry of an outbox was done.
    Outbox {
        actor: usize,
        task: u32,
        kept: bool,
    },
    Wake(usize),
    Clock(u32),
    Wish {
        wish: usize,
        answer: usize,
    },
    /// A driver lets go of what it has prepared, before its booking has decided.
    ReleaseEarly(u32),
}

/// What a driver has come to, with the calendars it asked on the way.
#[derive(Clone, Debug)]
struct Branch {
    /// `None` when there is nothing left to do.
    driver: Option<u32>,
    trouble: Trouble,
}

struct Working {
    driver: Driver,
    booking: usize,
    /// What it asks next.
    message: u32,
}

/// The model.
pub(crate) struct World {
    pub(crate) scenario: Scenario,
    tour: Tour,
    pub(crate) actors: Actors,
    wishes: Vec<u32>,
    drivers: Vec<Working>,
    driver_ids: HashMap<String, u32>,
    branches: HashMap<(Option<u32>, u32, u32), Rc<Vec<Branch>>>,
    /// Whether a driver has released early, where a mutation has it do so.
    released_early: bool,
    names: Names,
    /// What states are like from which rest is reached, whoever takes whose place.
    restful: HashSet<Likeness>,
    /// How bookings have ended.
    pub(crate) ends: BTreeSet<String>,
}

impl World {
    pub(crate) fn new(scenario: Scenario, tour: Tour, mutation: &'static Mutation) -> Self {
        let mut actors = Actors::new(scenario.actors(), Scenario::limits(), mutation);
        let wishes = scenario
            .wishes
            .iter()
            .map(|wish| actors.send(&scenario.actor(wish), scenario.command(wish)));
        let wishes = wishes.collect();
        Self {
            names: Names::of(&scenario),
            scenario,
            tour,
            actors,
            wishes,
            drivers: Vec::new(),
            driver_ids: HashMap::new(),
            branches: HashMap::new(),
            released_early: false,
            restful: HashSet::new(),
            ends: BTreeSet::new(),
        }
    }

    /// The state after the prologue.
    pub(crate) fn start(&mut self) -> State {
        let mut state = State {
            actors: vec![0; self.actors.names.len()],
            latest: vec![0; self.actors.names.len()],
            drivers: Vec::new(),
            late: Vec::new(),
            clock: 0,
            trouble: Trouble::default(),
            wishes: self.scenario.wishes.iter().map(|wish| wish.times).collect(),
            answered: Vec::new(),
            confirmed: Vec::new(),
            over: Vec::new(),
            fault: None,
        };
        for person in self.scenario.sharded() {
            let message = self.actors.send(&person, Shard {}.into());
            state = self.arrive_with_reply(&state, message).0;
        }
        for wish in self.scenario.prologue.clone() {
            let to = self.scenario.actor(&wish);
            let message = self.actors.send(&to, self.scenario.command(&wish));
            state = self.begin(&state, message)[0].clone();
            while let Some((_, next)) = self.work(&state) {
                state = next;
            }
        }
        state
    }

    /// The parts of the mutation that have changed nothing so far.
    pub(crate) fn idle(&self) -> Vec<String> {
        let mut idle = self.actors.idle();
        if self.actors.mutation.releases_early && !self.released_early {
            idle.push("drivers that release early".into());
        }
        idle
    }

    /// All steps that can come next, and where they lead.
    pub(crate) fn steps(&mut self, state: &State) -> Vec<(Step, State)> {
        let mut steps = Vec::new();
        for part in self.parts(state) {
            self.steps_of(state, part, &mut steps);
        }
        steps
    }

    /// What can take a step.
    pub(crate) fn parts(&self, state: &State) -> Vec<Part> {
        let mut parts = vec![Part::Clock];
        for (place, driver) in state.drivers.iter().enumerate() {
            if !state.drivers[..place].contains(driver) {
                parts.push(Part::Driver(*driver));
            }
        }
        for (place, message) in state.late.iter().enumerate() {
            if !state.late[..place].contains(message) {
                parts.push(Part::Late(*message));
            }
        }
        for (actor, id) in state.actors.iter().enumerate() {
            let view = self.actors.view(*id);
            for (place, task) in view.outbox.iter().enumerate() {
                if !view.outbox[..place].contains(task) {
                    parts.push(Part::Outbox { actor, task: *task });
                }
            }
            if view.is_due(state.when(actor)) {
                parts.push(Part::Wake(actor));
            }
        }
        let wishes = state.wishes.iter().enumerate();
        parts.extend(wishes.filter(|it| *it.1 > 0).map(|it| Part::Wish(it.0)));
        parts
    }

    /// The steps that a part can take.
    pub(crate) fn steps_of(&mut self, state: &State, part: Part, steps: &mut Vec<(Step, State)>) {
        let first = steps.len();
        match part {
            Part::Driver(driver) => self.driver_steps(state, driver, steps),
            Part::Late(message) => steps.push((Step::Late(message), self.arrive(state, message))),
            Part::Outbox { actor, task } => self.outbox_steps(state, actor, task, steps),
            Part::Wake(actor) => {
                let next = self.wake(state, actor);
                steps.extend(next.map(|next| (Step::Wake(actor), next)));
            }
            Part::Wish(wish) => self.wish_steps(state, wish, steps),
            Part::Clock => self.clock_steps(state, steps),
        }
        for (_, next) in &mut steps[first..] {
            self.forget_the_past(next);
        }
    }

    fn driver_steps(&mut self, state: &State, driver: u32, steps: &mut Vec<(Step, State)>) {
        let message = self.drivers[driver as usize].message;
        for (answer, next) in self.ask(state, driver).into_iter().enumerate() {
            if let Some(mut copied) = self.suffer(&next, COPY) {
                insert(&mut copied.late, message);
                steps.push((step(driver, answer, true), copied));
            }
            steps.push((step(driver, answer, false), next));
        }
        if let Some(mut put_off) = self.suffer(state, CALENDAR)
            && let Some(later) = self.put_off(driver)
        {
            remove(&mut put_off.drivers, driver);
            insert(&mut put_off.drivers, later);
            steps.push((Step::PutOff(driver), put_off));
        }
        // An answer that is lost is the same as a message that arrives late.
        if let Some(mut died) = self.suffer(state, DEATH) {
            remove(&mut died.drivers, driver);
            let mut late = died.clone();
            insert(&mut late.late, message);
            steps.push((
                Step::Died {
                    driver,
                    late: false,
                },
                died,
            ));
            steps.push((Step::Died { driver, late: true }, late));
        }
        if self.actors.mutation.releases_early
            && let Some(next) = self.release_early(state, driver)
        {
            self.released_early = true;
            steps.push((Step::ReleaseEarly(driver), next));
        }
    }

    fn outbox_steps(
        &mut self,
        state: &State,
        actor: usize,
        task: u32,
        steps: &mut Vec<(Step, State)>,
    ) {
        for done in self.carry(state, task) {
            let step = |kept| Step::Outbox { actor, task, kept };
            if let Some(kept) = self.suffer(&done, COPY).filter(|_| done != *state) {
                steps.push((step(true), kept));
            }
            steps.push((step(false), self.done(&done, actor, task)));
        }
    }

    fn wish_steps(&mut self, state: &State, wish: usize, steps: &mut Vec<(Step, State)>) {
        let Wish { booking, what, .. } = self.scenario.wishes[wish];
        let may_be_asked = state.wishes[wish] > 0 && self.asked(state) < self.tour.wishes;
        if !may_be_asked || !self.has_room(state, booking) {
            return;
        }
        for (answer, mut next) in self.begin(state, self.wishes[wish]).into_iter().enumerate() {
            // What changes nothing but the answers that are remembered is left out.
            let document = |state: &State| &self.actors.view(state.actors[booking]).booking;
            let has_begun = next.drivers != state.drivers
                || document(&next) != document(state)
                || next.fault.is_some();
            if has_begun || (what == What::Shard && next.actors != state.actors) {
                next.wishes[wish] -= 1;
                steps.push((Step::Wish { wish, answer }, next));
            }
        }
    }

    /// How many wishes were asked.
    fn asked(&self, state: &State) -> usize {
        let wishes = self.scenario.wishes.iter().zip(&state.wishes);
        let asked = wishes.map(|(wish, left)| usize::from(wish.times - left));
        asked.sum()
    }

    fn clock_steps(&self, state: &State, steps: &mut Vec<(Step, State)>) {
        for &clock in self.tour.clocks {
            if clock == state.clock {
                continue;
            }
            let next = if clock > state.clock {
                Some(state.clone())
            } else {
                self.suffer(state, CLOCK_BACK)
            };
            if let Some(mut next) = next {
                next.clock = clock;
                steps.push((Step::Clock(clock), next));
                if clock > state.clock {
                    break;
                }
            }
        }
    }

    /// The state in which one more thing has gone wrong.
    fn suffer(&self, state: &State, more: Trouble) -> Option<State> {
        let trouble = state.trouble.add(more, self.tour.trouble)?;
        Some(State {
            trouble,
            ..state.clone()
        })
    }

    /// Where the clock cannot go back any more, it does not matter how long ago an actor has written.
    fn forget_the_past(&self, state: &mut State) {
        if state.trouble.add(CLOCK_BACK, self.tour.trouble).is_none() {
            for latest in &mut state.latest {
                *latest = state.clock.max(*latest);
            }
        }
    }

    fn has_room(&self, state: &State, booking: usize) -> bool {
        let drivers = state.drivers.iter();
        let drivers = drivers.filter(|it| self.drivers[**it as usize].booking == booking);
        drivers.count() < self.tour.drivers
    }

    /// Carries a message to its actor.
    fn arrive_with_reply(&mut self, state: &State, message: u32) -> (State, u32) {
        let to = self.actors.message(message).to;
        if let Some(reply) = state.answered(message) {
            return (state.clone(), reply);
        }
        let turned = self
            .actors
            .carry_out(state.actors[to], message, state.when(to));
        let mut next = state.clone();
        self.put(&mut next, to, turned);
        let from_store = self.actors.mutation.answers_from_store;
        if from_store && self.actors.names[to].kind() == ActorKind::HostMatch {
            insert(&mut next.answered, (message, turned.reply));
        }
        if let Command::HostMatch(HostMatchCommand::Finish(finish)) =
            &self.actors.message(message).command
            && finish.ending != Ending::Confirmed
        {
            let booking = self.booking_of(finish.booking.as_str());
            next.end(to, booking, number(finish.attempt));
        }
        (next, turned.reply)
    }

    fn arrive(&mut self, state: &State, message: u32) -> State {
        let (mut next, _) = self.arrive_with_reply(state, message);
        remove(&mut next.late, message);
        next
    }

    fn put(&self, state: &mut State, actor: usize, turned: Turned) {
        let claims = |state| &self.actors.view(state).claims;
        let (before, after) = (claims(state.actors[actor]), claims(turned.state));
        for claim in after.iter().filter(|claim| !claim.is_among(before)) {
            if state.is_over(actor, self.booking_of(&claim.booking), claim.attempt) {
                state.fault = Some("time is claimed for an attempt that is over");
            }
        }
        for claim in before.iter().filter(|claim| !claim.is_among(after)) {
            state.end(actor, self.booking_of(&claim.booking), claim.attempt);
        }
        if let Some(fault) = self.turned_wrong(state, actor, turned) {
            state.fault = Some(fault);
        }
        state.actors[actor] = turned.state;
        state.latest[actor] = turned.latest;
        if let Some((attempt, _)) = self.actors.view(turned.state).confirmed() {
            insert_once(&mut state.confirmed, (actor, attempt));
        }
    }

    fn ask(&mut self, state: &State, driver: u32) -> Vec<State> {
        let message = self.drivers[driver as usize].message;
        let (mut next, reply) = self.arrive_with_reply(state, message);
        remove(&mut next.drivers, driver);
        self.branch(&next, Some(driver), reply)
    }

    /// Has a message to a booking answered, and drives on from there.
    fn begin(&mut self, state: &State, message: u32) -> Vec<State> {
        let (next, reply) = self.arrive_with_reply(state, message);
        self.branch(&next, None, reply)
    }

    fn branch(&mut self, state: &State, driver: Option<u32>, reply: u32) -> Vec<State> {
        let key = (driver, reply, state.clock);
        let branches = if let Some(known) = self.branches.get(&key) {
            Rc::clone(known)
        } else {
            let branches = Rc::new(self.advance(driver, reply, state.clock));
            self.branches.insert(key, Rc::clone(&branches));
            branches
        };
        let states = branches.iter().filter_map(|branch| {
            let mut next = self.suffer(state, branch.trouble)?;
            if let Some(driver) = branch.driver {
                insert(&mut next.drivers, driver);
            }
            Some(next)
        });
        states.collect()
    }

    /// Where a reply takes a driver, or a new one. It asks its calendars at once, as nobody else
    /// notices when it does.
    fn advance(&mut self, driver: Option<u32>, reply: u32, clock: u32) -> Vec<Branch> {
        let reply = self.actors.reply(reply).clone();
        let driver = match driver {
            Some(id) => {
                let mut driver = self.drivers[id as usize].driver.clone();
                let event = Event::Replied(Box::new(reply));
                driver
                    .advance(event, moment(clock), &self.actors.limits)
                    .unwrap_or_else(|error| panic!("{error}: {driver:?}"));
                driver
            }
            None => match standing(reply) {
                Some(standing) => Driver::new(standing),
                None => {
                    return vec![Branch {
                        driver: None,
                        trouble: Trouble::default(),
                    }];
                }
            },
        };
        let mut branches = Vec::new();
        self.ask_calendars(driver, Trouble::default(), clock, &mut branches);
        branches
    }

    fn ask_calendars(
        &mut self,
        driver: Driver,
        trouble: Trouble,
        clock: u32,
        branches: &mut Vec<Branch>,
    ) {
        let answers: Vec<Event> = match driver.action() {
            Action::Done => {
                branches.push(Branch {
                    driver: None,
                    trouble,
                });
                return;
            }
            Action::Ask(to, command) => {
                let driver = self.intern_driver(driver, &to, command);
                branches.push(Branch {
                    driver: Some(driver),
                    trouble,
                });
                return;
            }
            Action::Search => {
                let booking = self.actors.index(&ActorName::booking(&driver.booking().id));
                let found = self.scenario.bookings[booking].found(driver.booking());
                let whose = Side::Guest;
                let late = [Found::Unreadable(whose), Found::Delayed(whose)];
                [found].into_iter().chain(late).map(Event::Found).collect()
            }
            Action::Check(_) => {
                let unreadable =
                    [Side::Guest, Side::Host { stranger: false }].map(Checked::Unreadable);
                let answers = [Checked::Free, Checked::Busy].into_iter();
                answers.chain(unreadable).map(Event::Checked).collect()
            }
        };
        for (index, answer) in answers.into_iter().enumerate() {
            let more = if index == 0 {
                Trouble::default()
            } else {
                CALENDAR
            };
            let Some(trouble) = trouble.add(more, self.tour.trouble) else {
                continue;
            };
            let mut driver = driver.clone();
            driver
                .advance(answer, moment(clock), &self.actors.limits)
                .unwrap_or_else(|error| panic!("{error}: {driver:?}"));
            self.ask_calendars(driver, trouble, clock, branches);
        }
    }

    fn intern_driver(&mut self, driver: Driver, to: &ActorName, command: Command) -> u32 {
        let text = format!("{driver:?}");
        if let Some(id) = self.driver_ids.get(&text) {
            return *id;
        }
        let id = u32::try_from(self.drivers.len()).unwrap();
        let booking = ActorName::booking(&driver.booking().id);
        let working = Working {
            booking: self.actors.index(&booking),
            message: self.actors.send(to, command),
            driver,
        };
        self.drivers.push(working);
        self.driver_ids.insert(text, id);
        id
    }

    /// The driver that this one is once time is up, if it has anything left to tell.
    fn put_off(&mut self, driver: u32) -> Option<u32> {
        let mut later = self.drivers[driver as usize].driver.clone();
        later.put_off();
        match later.action() {
            Action::Ask(to, command) => {
                let later = self.intern_driver(later, &to, command);
                (later != driver).then_some(later)
            }
            _ => None,
        }
    }

    /// Does what an entry of an outbox wants; nothing where there is no room for one more driver.
    fn carry(&mut self, state: &State, task: u32) -> Vec<State> {
        match self.actors.work(task) {
            Work::Tell(message) => vec![self.arrive_with_reply(state, message).0],
            Work::Resume { booking, message } if self.has_room(state, booking) => {
                self.begin(state, message)
            }
            Work::Resume { .. } => Vec::new(),
        }
    }

    fn done(&mut self, state: &State, actor: usize, task: u32) -> State {
        let mut next = state.clone();
        next.actors[actor] = self.actors.without(state.actors[actor], task);
        next
    }

    /// Wakes an actor whose time has come.
    fn wake(&mut self, state: &State, actor: usize) -> Option<State> {
        let (id, when) = (state.actors[actor], state.when(actor));
        if !self.actors.view(id).is_due(when) {
            return None;
        }
        let woken = self.actors.wake(actor, id, when);
        let mut next = state.clone();
        self.put(&mut next, actor, woken);
        Some(next)
    }

    fn release_early(&mut self, state: &State, driver: u32) -> Option<State> {
        let working = &self.drivers[driver as usize];
        let Action::Ask(_, Command::Booking(huddle_core::booking::Command::Abort(abort))) =
            working.driver.action()
        else {
            return None;
        };
        let booking = working.driver.booking().clone();
        let mut next = state.clone();
        for keeper in booking.keepers(abort.attempt) {
            let finish = Finish {
                booking: booking.id.clone(),
                attempt: abort.attempt,
                ending: Ending::Released,
            };
            let message = self.actors.send(&keeper, finish.into());
            next = self.arrive_with_reply(&next, message).0;
        }
        (next != *state).then_some(next)
    }

    /// The next step of a world where nothing goes wrong and the clock stands still.
    fn work(&mut self, state: &State) -> Option<(Step, State)> {
        if let Some(&message) = state.late.first() {
            return Some((Step::Late(message), self.arrive(state, message)));
        }
        if let Some(&driver) = state.drivers.first() {
            let next = self.ask(state, driver).swap_remove(0);
            return Some((step(driver, 0, false), next));
        }
        for actor in 0..state.actors.len() {
            if let Some(&task) = self.actors.view(state.actors[actor]).outbox.first() {
                let next = self.carry(state, task).swap_remove(0);
                let step = Step::Outbox {
                    actor,
                    task,
                    kept: false,
                };
                return Some((step, self.done(&next, actor, task)));
            }
        }
        (0..state.actors.len())
            .find_map(|actor| Some((Step::Wake(actor), self.wake(state, actor)?)))
    }

    /// The state when the next timer is due.
    fn pass_time(&self, state: &State) -> Option<(Step, State)> {
        let dues = state
            .actors
            .iter()
            .filter_map(|it| self.actors.view(*it).due);
        let due = dues.min()? - START;
        let clock = u32::try_from(due.div_euclid(1000) + i64::from(due.rem_euclid(1000) > 0));
        let clock = clock.ok().filter(|clock| *clock > state.clock)?;
        let mut next = state.clone();
        next.clock = clock;
        Some((Step::Clock(clock), next))
    }

    /// Lets a world come to rest in which nothing goes wrong any more. If it does not, says why not and
    /// which steps it took.
    pub(crate) fn rest(&mut self, from: &State) -> Result<(), (String, Vec<Step>)> {
        let mut state = State {
            trouble: self.tour.trouble,
            wishes: Vec::new(),
            ..from.clone()
        };
        self.forget_the_past(&mut state);
        let mut passed = Vec::new();
        let mut taken = Vec::new();
        loop {
            let likeness = self.strict_likeness(&state);
            if self.restful.contains(&likeness) {
                break;
            }
            if let Some(problem) = self.violation(&state) {
                return Err((problem, taken));
            }
            let unrest = self.unrest(&state);
            passed.push(likeness);
            let Some(unrest) = unrest else {
                self.note_ends(&state);
                break;
            };
            let next = self.work(&state).or_else(|| self.pass_time(&state));
            let Some((step, mut next)) = next.filter(|_| taken.len() < STEPS_TO_REST) else {
                return Err((format!("it never comes to rest: {unrest}"), taken));
            };
            self.forget_the_past(&mut next);
            taken.push(step);
            state = next;
        }
        self.restful.extend(passed);
        Ok(())
    }
}

fn step(driver: u32, answer: usize, copied: bool) -> Step {
    Step::Answered {
        driver,
        answer,
        copied,
    }
}

/// Where a booking stands for whoever asked; `None` for a refusal.
fn standing(reply: Reply) -> Option<Standing> {
    let Reply::Booking(reply) = reply else {
        return None;
    };
    match reply {
        BookingReply::Create(answer) => answer.ok(),
        BookingReply::Finalize(answer) => answer.ok(),
        BookingReply::Approve(answer) => answer.ok(),
        BookingReply::Decline(answer) => answer.ok(),
        BookingReply::Cancel(answer) => answer.ok(),
        BookingReply::Reschedule(answer) => answer.ok(),
        BookingReply::Resume(answer) => answer.ok(),
        _ => None,
    }
}

fn insert<T: Ord>(sorted: &mut Vec<T>, item: T) {
    let place = sorted.partition_point(|it| *it < item);
    sorted.insert(place, item);
}

fn insert_once<T: Ord>(sorted: &mut Vec<T>, item: T) {
    if let Err(place) = sorted.binary_search(&item) {
        sorted.insert(place, item);
    }
}

fn remove(items: &mut Vec<u32>, item: u32) {
    if let Some(place) = items.iter().position(|it| *it == item) {
        items.remove(place);
    }
}
