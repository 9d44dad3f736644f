//! The shell of an actor: what every Durable Object does around the core's functions.

mod finalize;
mod pump;

use std::cell::Cell;
use std::time::Duration;

use huddle_core::migrations::{self, ACTOR};
use huddle_core::sql::SqlError;
use huddle_core::{
    ActorName, Command, Limits, Reply, Sql, UnknownActor, Unreachable, actor, outbox,
};
use huddle_ports::{Clock as _, Timestamp};
use worker::{Env, Method, Request, Response, State, console_error};

use crate::clock::WorkersClock;
use crate::config::{self, Misconfigured};
use crate::fault::Fault;
use crate::storage::transaction;
use crate::transport;

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
    /// What is to go wrong, because the request of last wanted it.
    fault: Cell<Option<Fault>>,
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
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    #[error(transparent)]
    Sql(#[from] SqlError),
    #[error("the platform failed: {0}")]
    Platform(#[from] worker::Error),
}

/// What an object does until somebody asks it again.
enum Rest {
    /// It wants to be woken then.
    Until(Timestamp),
    /// It waits.
    Idle,
    /// It has nothing to remember.
    Forgotten,
}

impl ActorObject {
    pub(crate) fn new(state: State, env: Env) -> Self {
        Self {
            limits: config::limits(&env),
            migrated: Cell::new(false),
            fault: Cell::new(None),
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
        let fault = Fault::asked_for(&request, &self.env)?;
        let drives = request.path() == transport::DRIVE;
        let body = request.text().await?;
        self.fault.set(fault);
        let command = serde_json::from_str(&body).map_err(Trouble::NoCommand)?;
        let reply = if drives {
            self.drive(command).await?
        } else {
            self.handle(command).await?
        };
        let reply = serde_json::to_string(&reply).map_err(Trouble::NoReply)?;
        Ok(Response::ok(reply)?)
    }

    async fn remember(&self) -> Result<Response, Trouble> {
        let name = self.name()?;
        let rest = self.turn(|sql| rest(sql, &name))?;
        self.settle(rest).await?;
        Ok(Response::empty()?)
    }

    async fn handle(&self, command: Command) -> Result<Reply, Trouble> {
        let (name, limits) = (self.name()?, self.limits()?);
        let (reply, rest) = self.turn(|sql| {
            let reply = actor::handle(sql, &name, WorkersClock.now(), limits, command)?;
            Fault::strike(self.fault.get())?;
            Ok((reply, rest(sql, &name)?))
        })?;
        self.settle(rest).await?;
        Ok(reply)
    }

    /// Does what the actor wanted to be woken for.
    ///
    /// Never fails: the platform rings a failed alarm a few times more and then never again.
    pub(crate) async fn alarm(&self) -> worker::Result<Response> {
        if let Err(trouble) = self.tend().await {
            console_error!("an alarm of {:?}: {trouble}", self.state.id().name());
        }
        Response::empty()
    }

    async fn tend(&self) -> Result<(), Trouble> {
        // An alarm that rings is no longer set. The next one stands before any work, so that the
        // object comes back from wherever this one dies.
        self.state.storage().set_alarm(ALARM_RETRY).await?;
        Fault::strike_at_alarm(self.fault.get());
        self.wake()?;
        self.pump().await?;
        let name = self.name()?;
        let rest = self.turn(|sql| rest(sql, &name))?;
        self.settle(rest).await
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
    fn turn<T>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, SqlError>,
    ) -> Result<T, Trouble> {
        let done = transaction(&self.state.storage(), |sql| {
            if !self.migrated.get() {
                migrations::migrate(sql, ACTOR)?;
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
