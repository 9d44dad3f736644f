//! The actors of a model: their states as numbers, and what the real `handle` and `wake` make of them,
//! asked once for each state, command and time.

mod told;

use std::collections::HashMap;

use huddle_core::actor::{ActorName, Command, Reply, handle, wake};
use huddle_core::booking::{Booking, Phase};
use huddle_core::limits::Limits;
use huddle_core::outbox::Task;
use huddle_ports::Timestamp;
use serde_json::{Value, json};

use crate::alike::Swap;
use crate::mutations::Mutation;
use crate::sql::{Cell, Dump, Store};

/// When every model begins.
pub(crate) const START: i64 = 1_800_000_000_000;

/// Stands for any moment that has passed: an actor cannot tell one from another.
const PASSED: i64 = START - 1000;

/// Timers after that are all the same: no model gets there. Ten days from the start.
const HORIZON: i64 = START + 10 * 24 * 3_600_000;

/// The revision of every booking before a turn.
const UNCHANGED: u32 = 0;

/// When answers are forgotten, about: a day later.
const FORGET: i64 = START + 25 * 3_600_000;

/// The moment so many seconds after the start.
pub(crate) fn moment(secs: u32) -> Timestamp {
    Timestamp::from_millis(START + i64::from(secs) * 1000)
}

/// How firmly a slot is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Firmness {
    Held,
    Prepared,
    Booked,
}

/// A claim on a person's time.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) booking: String,
    pub(crate) attempt: u32,
    pub(crate) firmness: Firmness,
    pub(crate) slot: (i64, i64),
    pub(crate) guard: (i64, i64),
    due: i64,
}

/// When an actor is asked: what the clock shows, and the latest moment at which the actor has written,
/// in seconds after the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct When {
    pub(crate) clock: u32,
    pub(crate) latest: u32,
}

/// What a turn of an actor comes to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turned {
    pub(crate) state: u32,
    /// The number of the reply; of no meaning where it was woken.
    pub(crate) reply: u32,
    /// The latest moment at which the actor has now written.
    pub(crate) latest: u32,
    /// What is wrong with what it has told, if anything.
    pub(crate) fault: Option<&'static str>,
}

/// What a turn comes to, whatever the moment was at which the actor had written before, if that had passed.
#[derive(Clone, Copy)]
struct Known {
    state: u32,
    reply: u32,
    /// The latest moment at which the actor has now written, if it remembers one.
    latest: Option<i64>,
    fault: Option<&'static str>,
}

impl Known {
    fn since(self, when: When) -> Turned {
        let latest = match self.latest {
            None => 0,
            // Nothing was written.
            Some(PASSED) => when.latest,
            Some(latest) => u32::try_from((latest - START) / 1000).unwrap(),
        };
        Turned {
            state: self.state,
            reply: self.reply,
            latest,
            fault: self.fault,
        }
    }
}

impl Claim {
    fn conflicts(&self, other: &Self) -> bool {
        let overlap = |a: (i64, i64), b: (i64, i64)| a.0 < b.1 && b.0 < a.1;
        overlap(self.guard, other.slot) || overlap(self.slot, other.guard)
    }

    /// Whether there is a claim of the same attempt.
    pub(crate) fn is_among(&self, claims: &[Self]) -> bool {
        let mut claims = claims.iter();
        claims.any(|it| (&it.booking, it.attempt) == (&self.booking, self.attempt))
    }

    fn is_live(&self, now: i64) -> bool {
        self.firmness != Firmness::Held || now < self.due
    }
}

/// What the model looks at in the state of an actor.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// When it wants to be woken.
    pub(crate) due: Option<i64>,
    /// Its outbox, as numbers of tasks, in order.
    pub(crate) outbox: Vec<u32>,
    pub(crate) claims: Vec<Claim>,
    pub(crate) booking: Option<Booking>,
    /// Bookings for which it waits for a host's yes.
    pub(crate) petitions: Vec<String>,
    /// Whether it is a person whose time is kept by days.
    pub(crate) sharded: bool,
    /// Whether it has rows of its own, besides what is to be done outside and when.
    remembers: bool,
    /// Claims of different bookings that the person cannot both keep.
    conflicts: Vec<(usize, usize)>,
}

impl View {
    /// Whether the actor wants to be woken.
    pub(crate) fn is_due(&self, when: When) -> bool {
        let now = moment(when.clock.max(when.latest)).as_millis();
        self.due.is_some_and(|due| due <= now)
    }

    /// Two claims that count at the earliest time that the actor can still tell, and that the person
    /// cannot both keep.
    pub(crate) fn clash(&self, latest: u32) -> Option<(&Claim, &Claim)> {
        if self.sharded {
            return None;
        }
        let now = moment(latest).as_millis();
        let pairs = self.conflicts.iter();
        let mut pairs = pairs.map(|(one, other)| (&self.claims[*one], &self.claims[*other]));
        pairs.find(|(one, other)| one.is_live(now) && other.is_live(now))
    }

    /// The attempt and the slot that are confirmed.
    pub(crate) fn confirmed(&self) -> Option<(u32, (i64, i64))> {
        match &self.booking.as_ref()?.phase {
            Phase::Confirmed { attempt, place, .. } => {
                let slot = place.slot;
                let slot = (slot.start().as_millis(), slot.end().as_millis());
                Some((number(*attempt), slot))
            }
            _ => None,
        }
    }
}

/// An attempt as a number.
pub(crate) fn number(attempt: impl serde::Serialize) -> u32 {
    serde_json::from_value(serde_json::to_value(attempt).unwrap()).unwrap()
}

/// A command on its way.
pub(crate) struct Message {
    pub(crate) to: usize,
    pub(crate) command: Command,
    /// The name of the command.
    pub(crate) name: String,
}

/// Work in an outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Bring this message.
    Tell(u32),
    /// Drive this booking on, by this message.
    Resume { booking: usize, message: u32 },
}

/// Stands in for a message where an actor is woken.
const WAKE: u32 = u32::MAX;

/// The actors.
pub(crate) struct Actors {
    pub(crate) names: Vec<ActorName>,
    pub(crate) limits: Limits,
    pub(crate) mutation: &'static Mutation,
    pub(crate) store: Store,
    dumps: Vec<Dump>,
    views: Vec<View>,
    states: HashMap<Dump, u32>,
    messages: Vec<Message>,
    message_ids: HashMap<String, u32>,
    tasks: Vec<Work>,
    task_ids: HashMap<String, u32>,
    replies: Vec<Reply>,
    reply_ids: HashMap<String, u32>,
    turns: HashMap<(usize, u32, u32, When), Known>,
    removals: HashMap<(u32, u32), u32>,
    /// Whether the mutation has changed a command.
    twisted_command: bool,
    /// Whether the mutation has changed a reply.
    twisted_reply: bool,
}

impl Actors {
    pub(crate) fn new(names: Vec<ActorName>, limits: Limits, mutation: &'static Mutation) -> Self {
        let mut actors = Self {
            names,
            limits,
            mutation,
            store: Store::new(mutation.statements),
            dumps: Vec::new(),
            views: Vec::new(),
            states: HashMap::new(),
            messages: Vec::new(),
            message_ids: HashMap::new(),
            tasks: Vec::new(),
            task_ids: HashMap::new(),
            replies: Vec::new(),
            reply_ids: HashMap::new(),
            turns: HashMap::new(),
            removals: HashMap::new(),
            twisted_command: false,
            twisted_reply: false,
        };
        // Number 0 is an actor without rows.
        actors.intern(Vec::new());
        actors
    }

    pub(crate) fn view(&self, state: u32) -> &View {
        &self.views[state as usize]
    }

    pub(crate) fn message(&self, id: u32) -> &Message {
        &self.messages[id as usize]
    }

    pub(crate) fn work(&self, task: u32) -> Work {
        self.tasks[task as usize]
    }

    pub(crate) fn reply(&self, id: u32) -> &Reply {
        &self.replies[id as usize]
    }

    pub(crate) fn index(&self, name: &ActorName) -> usize {
        let index = self.names.iter().position(|known| known == name);
        index.unwrap_or_else(|| panic!("{name} is not in the model"))
    }

    /// How many turns were run on the real actors.
    pub(crate) fn turns(&self) -> usize {
        self.turns.len()
    }

    /// The parts of the mutation that have changed nothing so far.
    pub(crate) fn idle(&self) -> Vec<String> {
        let rewrites = self.mutation.statements.iter().zip(&self.store.rewritten);
        let idle = rewrites.filter(|(_, rewritten)| !**rewritten);
        let mut idle: Vec<String> = idle
            .map(|(rewrite, _)| format!("{:?} during {}", rewrite.find, rewrite.during))
            .collect();
        if self.mutation.command.is_some() && !self.twisted_command {
            idle.push("what it makes of commands".into());
        }
        if self.mutation.reply.is_some() && !self.twisted_reply {
            idle.push("what it makes of replies".into());
        }
        idle
    }

    /// The number of a message.
    pub(crate) fn send(&mut self, to: &ActorName, command: Command) -> u32 {
        let json = serde_json::to_value(&command).unwrap();
        let text = format!("{to} {json}");
        if let Some(id) = self.message_ids.get(&text) {
            return *id;
        }
        let name = only_key(only_value(&json)).to_owned();
        let to = self.index(to);
        let message = Message { to, command, name };
        intern(&mut self.messages, &mut self.message_ids, text, message)
    }

    /// Has an actor carry out a message.
    pub(crate) fn carry_out(&mut self, state: u32, message: u32, when: When) -> Turned {
        let to = self.message(message).to;
        self.turn(to, state, message, when)
    }

    /// Wakes an actor.
    pub(crate) fn wake(&mut self, actor: usize, state: u32, when: When) -> Turned {
        self.turn(actor, state, WAKE, when)
    }

    fn turn(&mut self, actor: usize, state: u32, message: u32, when: When) -> Turned {
        // An actor cannot tell a latest moment that has passed from none.
        let latest = when.latest.max(when.clock);
        let key = (actor, state, message, When { latest, ..when });
        if let Some(known) = self.turns.get(&key) {
            return known.since(when);
        }
        let name = self.names[actor].clone();
        let limits = self.limits.clone();
        let now = moment(when.clock);
        let mut before = self.dumps[state as usize].clone();
        if self.view(state).remembers {
            let latest = if when.latest > when.clock {
                moment(when.latest).as_millis()
            } else {
                PASSED
            };
            before.push((
                self.table("actor"),
                vec![Cell::Text(name.as_str().into()), Cell::Integer(latest)],
            ));
        }
        let (after, told) = if message == WAKE {
            let (after, woken) = self
                .store
                .turn(&before, "wake", |sql| wake(sql, &name, now, &limits));
            woken.unwrap_or_else(|error| panic!("{name} does not wake: {error}"));
            (after, None)
        } else {
            let of = self.message(message).name.clone();
            let command = self.twisted(message, state);
            let (after, reply) = self.store.turn(&before, &of, |sql| {
                handle(sql, &name, now, &limits, command.clone())
            });
            let reply = reply.unwrap_or_else(|error| panic!("{name} and {command:?}: {error}"));
            (after, Some((command, reply)))
        };
        let (after, latest) = self.take_latest(after);
        let unpublished = self.unpublished(&after);
        let after = self.normalise(after);
        let state = self.intern(after);
        let (reply, fault) = match told {
            None => (0, None),
            Some((command, reply)) => {
                let now = moment(when.clock.max(when.latest)).as_millis();
                let fault = told::fault(&command, &reply, self.view(state), now);
                (self.intern_reply(&reply), fault)
            }
        };
        let fault = fault.or(unpublished);
        let known = Known {
            state,
            reply,
            latest,
            fault,
        };
        self.turns.insert(key, known);
        known.since(when)
    }

    /// What is wrong where a turn has changed a booking that its parties know of, and has left no task to show it so.
    ///
    /// More of these tasks is not modelled, and nothing in here waits for them: whoever works one off, late or twice,
    /// reads the booking as it stands, and no list goes back to an earlier revision. Tasks for effects come of that, where
    /// somebody has connected something. They bring what the booking then shows, and it is the booking that says to whom
    /// something was brought already.
    fn unpublished(&self, after: &Dump) -> Option<&'static str> {
        let [booking, outbox] = ["booking", "outbox"].map(|name| self.table(name));
        let document = self.column(booking, "document");
        let is_new = |row: &[Cell]| {
            let booking: Booking = serde_json::from_str(row[document].text()).unwrap();
            booking.is_known() && booking.revision > UNCHANGED
        };
        let mut rows = after.iter();
        let changed = rows.any(|(table, row)| *table == booking && is_new(row));
        let task = self.column(outbox, "task");
        let mut rows = after.iter();
        let published = rows.any(|(table, row)| *table == outbox && publishes(row[task].text()));
        (changed && !published)
            .then_some("a booking has changed, and what lists show of it has not")
    }

    /// The command of a message, as the mutation has an actor in this state see it.
    fn twisted(&mut self, message: u32, state: u32) -> Command {
        let command = &self.message(message).command;
        let Some(twist) = self.mutation.command else {
            return command.clone();
        };
        let json = serde_json::to_value(command).unwrap();
        let mut twisted = json.clone();
        twist(&mut twisted, self.view(state));
        self.twisted_command |= twisted != json;
        serde_json::from_value(twisted).unwrap()
    }

    /// Takes the latest moment at which the actor has written from its rows.
    fn take_latest(&self, dump: Dump) -> (Dump, Option<i64>) {
        let actor = self.table("actor");
        let column = self.column(actor, "latest");
        let (latest, rest): (Dump, Dump) = dump.into_iter().partition(|row| row.0 == actor);
        let latest = latest.first().map(|(_, row)| row[column].integer());
        (rest, latest)
    }

    /// The state of an actor once a task has gone from its outbox.
    pub(crate) fn without(&mut self, state: u32, task: u32) -> u32 {
        if let Some(known) = self.removals.get(&(state, task)) {
            return *known;
        }
        let index = self.view(state).outbox.iter().position(|it| *it == task);
        let index = index.expect("the task is in the outbox");
        let outbox = self.table("outbox");
        let mut dump = self.dumps[state as usize].clone();
        let entries = dump.iter().enumerate();
        let mut entries = entries.filter(|(_, (table, _))| *table == outbox);
        let (row, _) = entries.nth(index).unwrap();
        dump.remove(row);
        let dump = self.normalise(dump);
        let after = self.intern(dump);
        self.removals.insert((state, task), after);
        after
    }

    fn table(&self, name: &str) -> usize {
        let index = self.store.tables.iter().position(|it| it.name == name);
        index.unwrap_or_else(|| panic!("no table {name}"))
    }

    fn column(&self, table: usize, name: &str) -> usize {
        let columns = &self.store.tables[table].columns;
        let index = columns.iter().position(|it| it == name);
        index.unwrap_or_else(|| panic!("no column {name}"))
    }

    /// Makes alike what does not influence any decision.
    fn normalise(&self, mut dump: Dump) -> Dump {
        let [outbox, booking, reply, fence, timer] =
            ["outbox", "booking", "reply", "fence", "timer"].map(|name| self.table(name));
        let task = self.column(outbox, "task");
        dump.retain(|(table, row)| *table != outbox || !publishes(row[task].text()));
        let mut document = None;
        for (table, row) in &mut dump {
            if *table == booking {
                let cell = &mut row[self.column(booking, "document")];
                let mut json = serde_json::from_str(cell.text()).unwrap();
                normalise_booking(&mut json);
                // The very text that the actor would write: it tells by it whether anything has changed.
                let booking: Booking = serde_json::from_value(json).unwrap();
                let text = serde_json::to_string(&booking).unwrap();
                document = Some(text.clone());
                *cell = Cell::Text(text);
            }
        }
        for (table, row) in &mut dump {
            if *table == fence {
                row[self.column(fence, "touched")] = Cell::Integer(START);
            } else if *table == timer {
                let is_reply = row[self.column(timer, "name")].text() == "replies";
                let due = &mut row[self.column(timer, "due")];
                let alike = if is_reply {
                    FORGET
                } else {
                    due.integer().min(HORIZON)
                };
                *due = Cell::Integer(alike);
            } else if *table == outbox {
                row[self.column(outbox, "due")] = Cell::Integer(START);
            } else if *table == reply {
                row[self.column(reply, "forget")] = Cell::Integer(FORGET);
                let answer = &mut row[self.column(reply, "answer")];
                if let (Cell::Text(text), Some(document)) = (answer, &document) {
                    text.clone_from(document);
                    row[self.column(reply, "lease")] = Cell::Integer(START);
                }
            }
        }
        self.in_order(dump)
    }

    /// Puts rows in an order of their own: those of the outbox may be taken in any.
    fn in_order(&self, mut dump: Dump) -> Dump {
        let outbox = self.table("outbox");
        let id = self.column(outbox, "id");
        for (_, row) in dump.iter_mut().filter(|(table, _)| *table == outbox) {
            row[id] = Cell::Integer(0);
        }
        dump.sort();
        let sent = dump.iter_mut().filter(|(table, _)| *table == outbox);
        for (number, (_, row)) in (1..).zip(sent) {
            row[id] = Cell::Integer(number);
        }
        dump
    }

    /// The state of an actor as a text, after a swap.
    pub(crate) fn state_text(&self, state: u32, swap: &Swap) -> String {
        let mut dump = self.dumps[state as usize].clone();
        for cell in dump.iter_mut().flat_map(|(_, row)| row) {
            if let Cell::Text(text) = cell {
                *text = swap.rename(text);
            }
        }
        format!("{:?}", self.in_order(dump))
    }

    /// A message as a text, after a swap.
    pub(crate) fn message_text(&self, message: u32, swap: &Swap) -> String {
        let Message { to, command, .. } = self.message(message);
        let json = serde_json::to_string(command).unwrap();
        swap.rename(&format!("{} {json}", self.names[*to]))
    }

    /// A reply as a text, after a swap.
    pub(crate) fn reply_text(&self, reply: u32, swap: &Swap) -> String {
        swap.rename(&serde_json::to_string(self.reply(reply)).unwrap())
    }

    fn intern(&mut self, dump: Dump) -> u32 {
        if let Some(id) = self.states.get(&dump) {
            return *id;
        }
        let view = self.look_at(&dump);
        let id = u32::try_from(self.views.len()).unwrap();
        self.views.push(view);
        self.dumps.push(dump.clone());
        self.states.insert(dump, id);
        id
    }

    fn look_at(&mut self, dump: &Dump) -> View {
        let mut view = View {
            due: None,
            outbox: Vec::new(),
            claims: Vec::new(),
            booking: None,
            petitions: Vec::new(),
            sharded: false,
            remembers: false,
            conflicts: Vec::new(),
        };
        for (table, row) in dump {
            view.remembers |=
                !["outbox", "timer"].contains(&self.store.tables[*table].name.as_str());
            let cell = |name| &row[self.column(*table, name)];
            match self.store.tables[*table].name.as_str() {
                "timer" => {
                    let due = cell("due").integer();
                    view.due = Some(view.due.map_or(due, |other| other.min(due)));
                }
                "booking" => {
                    view.booking = Some(serde_json::from_str(cell("document").text()).unwrap());
                }
                "petition" => view.petitions.push(cell("booking").text().to_owned()),
                "sharded" => view.sharded = true,
                "claim" => view.claims.push(Claim {
                    booking: cell("booking").text().to_owned(),
                    attempt: u32::try_from(cell("attempt").integer()).unwrap(),
                    firmness: match cell("state").text() {
                        "held" => Firmness::Held,
                        "prepared" => Firmness::Prepared,
                        _ => Firmness::Booked,
                    },
                    slot: (cell("starts").integer(), cell("ends").integer()),
                    guard: (cell("guard_starts").integer(), cell("guard_ends").integer()),
                    due: cell("due").integer(),
                }),
                "outbox" => {
                    let text = cell("task").text().to_owned();
                    let task = self.intern_task(text);
                    view.outbox.push(task);
                }
                _ => {}
            }
        }
        for (index, one) in view.claims.iter().enumerate() {
            for (other_index, other) in view.claims.iter().enumerate().skip(index + 1) {
                if one.booking != other.booking && one.conflicts(other) {
                    view.conflicts.push((index, other_index));
                }
            }
        }
        view
    }

    fn intern_task(&mut self, text: String) -> u32 {
        if let Some(id) = self.task_ids.get(&text) {
            return *id;
        }
        let work = match serde_json::from_str(&text).unwrap() {
            Task::Tell { to, command } => Work::Tell(self.send(&to, *command)),
            Task::Resume(id) => {
                let name = ActorName::booking(&id);
                let resume = huddle_core::booking::Resume {};
                Work::Resume {
                    booking: self.index(&name),
                    message: self.send(&name, resume.into()),
                }
            }
            Task::Project(_)
            | Task::Record { .. }
            | Task::List { .. }
            | Task::Effect(_)
            | Task::ConfirmAddress { .. }
            | Task::TellDisconnected { .. } => {
                unreachable!("what is shown is not modelled")
            }
        };
        intern(&mut self.tasks, &mut self.task_ids, text, work)
    }

    fn intern_reply(&mut self, reply: &Reply) -> u32 {
        let mut json = serde_json::to_value(reply).unwrap();
        if let Some(twist) = self.mutation.reply {
            let before = json.clone();
            twist(&mut json);
            self.twisted_reply |= json != before;
        }
        normalise_reply(&mut json);
        let reply = serde_json::from_value(json.clone()).unwrap();
        let text = json.to_string();
        match self.reply_ids.get(&text) {
            Some(id) => *id,
            None => intern(&mut self.replies, &mut self.reply_ids, text, reply),
        }
    }

    /// What an actor is called in a trace.
    pub(crate) fn label(&self, actor: usize) -> &str {
        self.names[actor].as_str()
    }

    /// How a message reads in a trace.
    pub(crate) fn describe(&self, message: u32) -> String {
        let Message { to, command, name } = self.message(message);
        let json = serde_json::to_value(command).unwrap();
        let fields = only_value(only_value(&json)).as_object().unwrap();
        let told = ["attempt", "booking", "ending", "key", "slot"].iter();
        let told = told.filter_map(|field| Some(format!("{field}={}", fields.get(*field)?)));
        let told: Vec<String> = told.collect();
        format!("{name}({}) to {}", told.join(" "), self.label(*to))
    }
}

fn intern<T>(items: &mut Vec<T>, ids: &mut HashMap<String, u32>, key: String, item: T) -> u32 {
    let id = u32::try_from(items.len()).unwrap();
    items.push(item);
    ids.insert(key, id);
    id
}

/// Whether a task has lists show a booking as it stands.
fn publishes(task: &str) -> bool {
    task.contains("\"Project\"")
}

/// The name of an enum's variant in JSON, as in `{"Hold": …}`.
fn only_key(json: &Value) -> &str {
    json.as_object().unwrap().keys().next().unwrap()
}

fn only_value(json: &Value) -> &Value {
    json.as_object().unwrap().values().next().unwrap()
}

fn normalise_booking(json: &mut Value) {
    json["history"] = json!([]);
    json["revision"] = json!(UNCHANGED);
    json["shown_since"] = json!({ "calendar": 0, "mail": 0 });
    json["sequence"] = json!(0);
    json["created_at"] = json!(START);
    // An unmatched booking is forgotten so long after it last changed.
    if json["phase"] != "Unmatched" {
        json["updated_at"] = json!(START);
    }
}

/// Keeps of a booking in a reply what a driver looks at.
fn normalise_reply(json: &mut Value) {
    match json {
        Value::Object(fields) if fields.contains_key("history") => {
            normalise_booking(json);
            json["updated_at"] = json!(START);
            json["lease"] = Value::Null;
            json["tried"] = json!(1);
            json["unmatched"] = Value::Null;
            json["attempt"] = json!(1);
        }
        Value::Object(fields) => fields.values_mut().for_each(normalise_reply),
        Value::Array(items) => items.iter_mut().for_each(normalise_reply),
        _ => {}
    }
}
