//! The shell of an actor: what every Durable Object does around the core's functions.

mod drive;
mod pump;

use std::cell::Cell;
use std::time::Duration;

use huddle_core::index::IndexError;
use huddle_core::migrations::{self, ACTOR};
use huddle_core::sql::SqlError;
use huddle_core::{
    ActorName, Command, Limits, Reply, Sql, UnknownActor, Unreachable, actor, outbox,
};
use huddle_ports::{Clock as _, Timestamp};
use worker::{Env, Method, Request, Response, State};

use crate::build::{Build, Moment};
use crate::operations::count_start;
use crate::register::{self, Mark, Register};
use crate::transport;
use huddle_workers_platform::WorkersClock;
use huddle_workers_platform::storage::transaction;
use huddle_workers_platform::{Misconfigured, config, log};

/// After how long the alarm rings again if its work has not come to an end.
const ALARM_RETRY: Duration = Duration::from_secs(10);

/// The farthest that an alarm is set ahead; the object then finds nothing due and sets the next.
const ALARM_HORIZON: Duration = Duration::from_hours(365 * 24);

/// An object, and what it has learnt since it was started. Nothing of that is needed later: the
/// platform may drop the object between any two events.
#[derive(Debug)]
pub(crate) struct ActorObject {
    state: State,
    env: Env,
    limits: Result<Limits, Misconfigured>,
    /// Whether the schema of the storage is known to be this version's.
    migrated: Cell<bool>,
}

/// Why an object does not answer. The caller's log is the only one to read it.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("the body is no command: {0}")]
    NoCommand(#[source] serde_json::Error),
    #[error("the reply cannot be written: {0}")]
    NoReply(#[source] serde_json::Error),
    #[error("the object was not found by a name")]
    Unnamed,
    #[error(transparent)]
    UnknownActor(#[from] UnknownActor),
    #[error(transparent)]
    Misconfigured(#[from] Misconfigured),
    #[error("the command would leave something to do behind, and the register does not know")]
    Unregistered,
    #[error("the register cannot be told: {0}")]
    Register(#[source] IndexError),
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    #[error(transparent)]
    Sql(#[from] SqlError),
    #[error("the platform failed: {0}")]
    Platform(#[from] worker::Error),
}

/// What an object does until somebody asks it again.
#[derive(Clone, Copy, Debug)]
enum Rest {
    /// It wants to be woken then.
    Until(Timestamp),
    /// It waits.
    Idle,
    /// It has nothing to remember.
    Forgotten,
}

impl Rest {
    const fn until(self) -> Option<Timestamp> {
        match self {
            Self::Until(due) => Some(due),
            Self::Idle | Self::Forgotten => None,
        }
    }
}

impl ActorObject {
    /// An object that the platform starts, which it does when it is asked and not in memory.
    pub(crate) fn start(state: State, env: Env) -> Self {
        let object = Self::new(state, env);
        if let Ok(name) = object.name() {
            count_start(name.kind(), &object.env);
        }
        object
    }

    fn new(state: State, env: Env) -> Self {
        Self {
            limits: config::limits(&env),
            migrated: Cell::new(false),
            state,
            env,
        }
    }

    /// Carries out the command that is posted, and answers with the reply once it is stored: the
    /// platform holds every answer back until what was written before it is. Without a command, sees
    /// to it that the alarm is set.
    pub(crate) async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let answer = match request.method() {
            Method::Post => self.answer(request).await,
            _ => self.remember().await,
        };
        answer.or_else(|trouble| Response::error(trouble.to_string(), 500))
    }

    async fn answer(&self, mut request: Request) -> Result<Response, Trouble> {
        let drives = request.path() == transport::DRIVE;
        let waiting_since = waiting_since(&request)?;
        let body = request.text().await?;
        let command = serde_json::from_str(&body).map_err(Trouble::NoCommand)?;
        let reply = if drives {
            self.drive(command, waiting_since).await?
        } else {
            self.handle(command).await?
        };
        let reply = serde_json::to_string(&reply).map_err(Trouble::NoReply)?;
        Ok(Response::ok(reply)?)
    }

    async fn remember(&self) -> Result<Response, Trouble> {
        let (until, _) = self.come_to_rest().await?;
        Ok(Response::from_json(&until)?)
    }

    async fn handle(&self, command: Command) -> Result<Reply, Trouble> {
        let (reply, rest) = match self.carry_out(command.clone(), None) {
            Err(Trouble::Unregistered) => {
                let mark = self.enter_register().await?;
                self.carry_out(command, Some(mark))?
            }
            done => done?,
        };
        self.settle(rest).await?;
        Ok(reply)
    }

    async fn enter_register(&self) -> Result<Mark, Trouble> {
        let (name, now) = (self.name()?, WorkersClock.now());
        let entered = Register::new(&self.env).enter(&name, now).await;
        entered.map_err(Trouble::Register)
    }

    /// Carries a command out, in one transaction with the mark that the object is in the register.
    fn carry_out(&self, command: Command, mark: Option<Mark>) -> Result<(Reply, Rest), Trouble> {
        let (name, limits, now) = (self.name()?, self.limits()?, WorkersClock.now());
        self.turn(|sql| {
            let reply = actor::handle(sql, &name, now, limits, command)?;
            let rest = rest(sql, &name)?;
            let until = register::until(sql, &name, rest.until(), now)?;
            if until.is_some() {
                if let Some(mark) = mark {
                    register::leave(sql, mark)?;
                }
                register::mark(sql)?.ok_or(Trouble::Unregistered)?;
            }
            (Build::running().fault)(&name, Moment::Commit)?;
            Ok((reply, rest))
        })
    }

    /// Does what the actor wanted to be woken for.
    ///
    /// Never fails: the platform rings a failed alarm a few times more and then never again.
    pub(crate) async fn alarm(&self) -> worker::Result<Response> {
        if let Err(trouble) = self.tend().await {
            let kind = self.name().map(|name| name.kind().as_str()).ok();
            let error = trouble.to_string().into();
            log::error(
                "an alarm failed",
                [("actor", kind.into()), ("error", error)],
            );
        }
        Response::empty()
    }

    async fn tend(&self) -> Result<(), Trouble> {
        let name = self.name()?;
        (Build::running().fault)(&name, Moment::Ring)?;
        // An alarm that rings is no longer set. The next one stands before any work, so that the
        // object comes back from wherever this one dies.
        self.state.storage().set_alarm(ALARM_RETRY).await?;
        (Build::running().fault)(&name, Moment::Wake)?;
        self.wake()?;
        self.pump().await?;
        let (until, mark) = self.come_to_rest().await?;
        if let Some(mark) = mark {
            // If it comes to nothing, the sweep asks.
            let register = Register::new(&self.env);
            let noted = register.note(&name, mark, until).await;
            noted.map_err(Trouble::Register)?;
        }
        Ok(())
    }

    /// Sets the alarm for what is to be done next. Says until when the object is in the register, by which mark; without
    /// the moment, it is there for nothing.
    async fn come_to_rest(&self) -> Result<(Option<Timestamp>, Option<Mark>), Trouble> {
        let (name, now) = (self.name()?, WorkersClock.now());
        let (rest, until, mark) = self.turn(|sql| {
            let rest = rest(sql, &name)?;
            if !register::has(name.kind()) {
                return Ok((rest, None, None));
            }
            let until = register::until(sql, &name, rest.until(), now)?;
            let mark = register::mark(sql)?;
            if until.is_none() {
                register::erase(sql)?;
            }
            Ok((rest, until, mark))
        })?;
        self.settle(rest).await?;
        Ok((until, mark))
    }

    fn wake(&self) -> Result<(), Trouble> {
        let (now, limits) = (WorkersClock.now(), self.limits()?);
        self.turn(|sql| {
            // One at most: the rows of an object are those of one actor.
            for name in outbox::actors_to_wake(sql, now, 1)? {
                actor::wake(sql, &name, now, limits)?;
            }
            Ok(())
        })
    }

    /// Runs `work` in a transaction over the schema that it expects.
    fn turn<T>(&self, work: impl FnOnce(&mut dyn Sql) -> Result<T, Trouble>) -> Result<T, Trouble> {
        let kind = self.name()?.kind();
        let done = transaction(&self.state.storage(), |sql| {
            if !self.migrated.get() {
                migrations::migrate(sql, &ACTOR)?;
                if register::has(kind) {
                    register::prepare(sql)?;
                }
            }
            work(sql)
        })?;
        self.migrated.set(true);
        Ok(done)
    }

    /// Sets the alarm, in the write that the turn before it made: nothing may be awaited in between.
    async fn settle(&self, rest: Rest) -> Result<(), Trouble> {
        let storage = self.state.storage();
        match rest {
            Rest::Until(due) => {
                let ahead = due.since(WorkersClock.now()).min(ALARM_HORIZON);
                storage.set_alarm(ahead).await?;
            }
            Rest::Idle => storage.delete_alarm().await?,
            Rest::Forgotten => {
                // The alarm goes with the rest.
                self.migrated.set(false);
                storage.delete_all().await?;
            }
        }
        Ok(())
    }

    fn name(&self) -> Result<ActorName, Trouble> {
        let name = self.state.id().name().ok_or(Trouble::Unnamed)?;
        Ok(name.parse()?)
    }

    fn limits(&self) -> Result<&Limits, Misconfigured> {
        self.limits.as_ref().map_err(Misconfigured::clone)
    }
}

fn waiting_since(request: &Request) -> worker::Result<Timestamp> {
    let since = request.headers().get(transport::WAITING_SINCE)?;
    let since = since.and_then(|millis| millis.parse().ok());
    Ok(since.map_or_else(|| WorkersClock.now(), Timestamp::from_millis))
}

fn rest(sql: &mut dyn Sql, name: &ActorName) -> Result<Rest, SqlError> {
    if let Some(due) = outbox::next_due(sql)? {
        return Ok(Rest::Until(due));
    }
    let remembers = actor::remembers(sql, name)?;
    Ok(if remembers {
        Rest::Idle
    } else {
        Rest::Forgotten
    })
}
