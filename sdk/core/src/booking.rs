//! `Booking`: the life of one meeting, and the one place where it is decided.
//!
//! A booking hands out a rising *attempt* for each slot that is tried, and takes word only of the
//! present one. Confirming has two phases: the booking is *finalizing* while every participant
//! prepares, and is confirmed in the same transaction that puts the news into its outbox. Whoever
//! drives a booking may die at any point: a timer lets another go on.
//!
//! `state` is the state machine, pure; this module reads, lets it decide, and writes.

mod commands;
mod id;
mod rehearsal;
mod state;

use huddle_syntax::Did;

use crate::effects::{self, BeginEffect, EffectBegun, EndEffect, Shown, WantEffects};
use crate::host_match::{Ending, Finish, Role};
use crate::idempotency::{self, Key, Seen};
use crate::limits::secs;
use crate::outbox::Task;
use crate::sql::SqlError;
use crate::turn::Turn;

pub use commands::*;
pub use id::{Attempt, BookingId, BookingIds, InvalidBookingId};
pub(crate) use rehearsal::Rehearsal;
pub use state::{
    Asked, Booking, By, Change, Chosen, Constraints, Event, EventKind, Expiry, GuestSide, Mode,
    Next, NoMatch, Participant, Phase, Place, Stage, Standing, Terms, Waiting,
};

use state::Decision;

const PHASE_TIMER: &str = "phase";

pub(crate) fn handle(turn: &mut Turn<'_>, command: Command) -> Result<Reply, SqlError> {
    Ok(match command {
        Command::Create(command) => Reply::Create(create(turn, command)?),
        Command::NextAttempt(it) => Reply::NextAttempt(drive(turn, Booking::next_attempt, it)?),
        Command::AwaitApproval(it) => {
            Reply::AwaitApproval(drive(turn, Booking::await_approval, it)?)
        }
        Command::Postpone(it) => Reply::Postpone(drive(turn, Booking::postpone, it)?),
        Command::Refuse(it) => Reply::Refuse(drive(turn, Booking::refuse, it)?),
        Command::Held(it) => Reply::Held(drive(turn, Booking::held, it)?),
        Command::Suspend(it) => Reply::Suspend(drive(turn, Booking::suspend, it)?),
        Command::Commit(it) => Reply::Commit(drive(turn, Booking::commit, it)?),
        Command::Abort(it) => Reply::Abort(drive(turn, Booking::abort, it)?),
        Command::Resume(it) => Reply::Resume(drive(turn, Booking::resume, it)?),
        Command::Finalize(Finalize { key }) => Reply::Finalize(ask(turn, &key, Booking::finalize)?),
        Command::Approve(Approve { key }) => Reply::Approve(ask(turn, &key, Booking::approve)?),
        Command::Decline(Decline { key, reason }) => {
            Reply::Decline(ask(turn, &key, |booking, decision, by| {
                booking.decline(decision, by, reason)
            })?)
        }
        Command::Cancel(Cancel { key, reason }) => {
            Reply::Cancel(ask(turn, &key, |booking, decision, by| {
                booking.cancel(decision, by, reason);
                Ok(())
            })?)
        }
        Command::Reschedule(Reschedule {
            key,
            constraints,
            reason,
        }) => Reply::Reschedule(ask(turn, &key, |booking, decision, by| {
            booking.reschedule(decision, by, constraints, reason)
        })?),
        Command::Outcome(command) => Reply::Outcome(outcome(turn, &command)?),
        Command::Read(Read { by }) => Reply::Read(read(turn, by.as_ref())?),
        Command::BeginEffect(it) => Reply::BeginEffect(begin_effect(turn, it)?),
        Command::EndEffect(it) => Reply::EndEffect(end_effect(turn, it)?),
        Command::WantEffects(it) => Reply::WantEffects(want_effects(turn, it)?),
    })
}

fn create(
    turn: &mut Turn<'_>,
    command: Create,
) -> Result<Result<Standing, CreateRefused>, SqlError> {
    let mut decision = Decision::new(turn.now(), turn.limits());
    let Some(mut loaded) = load(turn, &mut decision)? else {
        let booking = Booking::new(&mut decision, id(turn)?, command.asked, command.body_hash);
        let new = Loaded {
            booking,
            document: None,
            shown: Shown::default(),
        };
        return store(turn, new, &decision).map(Ok);
    };
    let booking = &mut loaded.booking;
    if booking.body_hash != command.body_hash {
        return Ok(Err(CreateRefused::Mismatch));
    }
    booking.create_again(&mut decision);
    if decision.next == Next::Rest
        && let Some(retry_at) = booking.in_flight()
    {
        return Ok(Err(CreateRefused::InFlight { retry_at }));
    }
    store(turn, loaded, &decision).map(Ok)
}

/// Carries out a command of a driver.
fn drive<C>(
    turn: &mut Turn<'_>,
    change: impl FnOnce(&mut Booking, &mut Decision<'_>, C),
    command: C,
) -> Result<Result<Standing, NotFound>, SqlError> {
    let mut decision = Decision::new(turn.now(), turn.limits());
    let Some(mut loaded) = load(turn, &mut decision)? else {
        return Ok(Err(NotFound));
    };
    change(&mut loaded.booking, &mut decision, command);
    store(turn, loaded, &decision).map(Ok)
}

/// Carries out a command of a party, once for each key.
fn ask<R>(
    turn: &mut Turn<'_>,
    key: &Key,
    change: impl FnOnce(&mut Booking, &mut Decision<'_>, Role) -> Result<(), R>,
) -> Result<Result<Standing, Refused<R>>, SqlError> {
    let mut decision = Decision::new(turn.now(), turn.limits());
    let Some(mut loaded) = load(turn, &mut decision)? else {
        return Ok(Err(Refused::NotFound));
    };
    let booking = &mut loaded.booking;
    let Some(by) = booking.role(&key.caller).filter(|_| booking.is_known()) else {
        return Ok(Err(Refused::NotFound));
    };
    let again = match idempotency::begin(turn, key)? {
        Seen::Fresh => false,
        Seen::Again => true,
        Seen::Answered(document) => {
            return Ok(Ok(Standing {
                booking: Box::new(serde_json::from_str(&document)?),
                next: Next::Rest,
            }));
        }
        Seen::Mismatch => return Ok(Err(Refused::Mismatch)),
        Seen::InFlight(retry_at) => return Ok(Err(Refused::InFlight { retry_at })),
    };
    let refused = if again {
        booking.take_over(&mut decision);
        None
    } else {
        change(booking, &mut decision, by).err()
    };
    decision.asked = true;
    let standing = store(turn, loaded, &decision)?;
    if let Some(why) = refused {
        idempotency::withdraw(turn, key)?;
        return Ok(Err(Refused::Because(why)));
    }
    Ok(Ok(standing))
}

fn outcome(turn: &mut Turn<'_>, command: &Outcome) -> Result<(), SqlError> {
    let mut decision = Decision::new(turn.now(), turn.limits());
    let ending = match load(turn, &mut decision)? {
        Some(loaded) => {
            let ending = loaded.booking.outcome(command.attempt);
            store(turn, loaded, &decision)?;
            ending
        }
        None => Some(Ending::Released),
    };
    let Some(ending) = ending else {
        return Ok(());
    };
    let finish = Finish {
        booking: id(turn)?,
        attempt: command.attempt,
        ending,
    };
    turn.send(&Task::Tell {
        to: command.asker.clone(),
        command: Box::new(finish.into()),
    })
}

fn id(turn: &Turn<'_>) -> Result<BookingId, SqlError> {
    let key = turn.name().key();
    key.parse()
        .map_err(|error: InvalidBookingId| SqlError::Store(error.to_string()))
}

fn read(turn: &mut Turn<'_>, by: Option<&Did>) -> Result<Result<Box<Booking>, NotFound>, SqlError> {
    let mut decision = Decision::new(turn.now(), turn.limits());
    let Some(loaded) = load(turn, &mut decision)? else {
        return Ok(Err(NotFound));
    };
    let booking = store(turn, loaded, &decision)?.booking;
    Ok(match by {
        Some(account) if booking.role(account).is_none() || !booking.is_known() => Err(NotFound),
        Some(_) | None => Ok(booking),
    })
}

fn begin_effect(turn: &mut Turn<'_>, command: BeginEffect) -> Result<EffectBegun, SqlError> {
    match read(turn, None)? {
        Ok(booking) => effects::begin(turn, booking, command),
        // Only what nobody was told of is ever forgotten, and that was shown nowhere.
        Err(NotFound) => Ok(EffectBegun::Brought),
    }
}

fn end_effect(turn: &mut Turn<'_>, command: EndEffect) -> Result<(), SqlError> {
    match read(turn, None)? {
        Ok(booking) => effects::end(turn, booking, command),
        Err(NotFound) => Ok(()),
    }
}

fn want_effects(turn: &mut Turn<'_>, command: WantEffects) -> Result<(), SqlError> {
    match read(turn, None)? {
        Ok(booking) => effects::want(turn, &booking, command),
        Err(NotFound) => Ok(()),
    }
}

pub(crate) fn wake(turn: &mut Turn<'_>) -> Result<(), SqlError> {
    idempotency::forget(turn)?;
    let mut decision = Decision::new(turn.now(), turn.limits());
    let Some(loaded) = load(turn, &mut decision)? else {
        return Ok(());
    };
    let booking = &loaded.booking;
    let now = turn.now();
    let forgotten = booking.phase == Phase::Unmatched
        && booking.due(turn.limits()).is_some_and(|due| due <= now);
    if forgotten {
        let actor = turn.name().as_str();
        turn.write("DELETE FROM booking WHERE actor = ?1", &[actor.into()])?;
        return Ok(());
    }
    let abandoned = booking.lease.is_some_and(|lease| lease <= now);
    if abandoned {
        decision.tasks.push(Task::Resume(booking.id.clone()));
    }
    store(turn, loaded, &decision)?;
    if abandoned {
        let again = now + secs(turn.limits().driver_lease_secs);
        turn.set_timer(PHASE_TIMER, again)?;
    }
    Ok(())
}

/// A booking as it was read, and what was read.
struct Loaded {
    booking: Booking,
    document: Option<String>,
    /// What it showed outside.
    shown: Shown,
}

/// Reads the booking, and notes what has run out.
fn load(turn: &mut Turn<'_>, decision: &mut Decision<'_>) -> Result<Option<Loaded>, SqlError> {
    let actor = turn.name().as_str();
    let rows = turn.read(
        "SELECT document FROM booking WHERE actor = ?1",
        &[actor.into()],
    )?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let document: String = row.get(0)?;
    let mut booking: Booking = serde_json::from_str(&document)?;
    let shown = Shown::of(&booking);
    booking.tick(decision);
    Ok(Some(Loaded {
        booking,
        document: Some(document),
        shown,
    }))
}

/// Writes the booking, if it has changed, with its news and its timer.
fn store(
    turn: &mut Turn<'_>,
    loaded: Loaded,
    decision: &Decision<'_>,
) -> Result<Standing, SqlError> {
    let Loaded {
        mut booking,
        document,
        shown,
    } = loaded;
    let shows_otherwise = effects::note_change(&mut booking, shown);
    let new = serde_json::to_string(&booking)?;
    let changed = document.as_ref() != Some(&new);
    if changed {
        let actor = turn.name().as_str();
        turn.write(
            "INSERT INTO booking (actor, document) VALUES (?1, ?2) \
             ON CONFLICT (actor) DO UPDATE SET document = excluded.document",
            &[actor.into(), (&new).into()],
        )?;
        match booking.due(turn.limits()) {
            Some(due) => turn.set_timer(PHASE_TIMER, due)?,
            None => turn.clear_timer(PHASE_TIMER)?,
        }
    }
    if changed || decision.asked {
        settle(turn, &booking, decision.retryable)?;
    }
    debug_assert!(
        !shows_otherwise || decision.tasks.contains(&Task::Project(booking.id.clone())),
        "what is shown otherwise is published"
    );
    for task in &decision.tasks {
        turn.send(task)?;
    }
    Ok(Standing {
        booking: Box::new(booking),
        next: decision.next,
    })
}

/// Answers the requests that are running, as soon as nobody drives the booking any more. An answer is the
/// booking as it stands, without its history: whoever wants that reads the booking.
fn settle(turn: &mut Turn<'_>, booking: &Booking, retryable: bool) -> Result<(), SqlError> {
    if retryable {
        idempotency::withdraw_running(turn)
    } else if booking.lease.is_none() {
        idempotency::answer_running(turn, || {
            let mut answer = booking.clone();
            answer.history.clear();
            Ok(serde_json::to_string(&answer)?)
        })
    } else {
        Ok(())
    }
}
