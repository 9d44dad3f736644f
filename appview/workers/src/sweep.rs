//! Looks after actors whose alarm was lost: the platform gives one up that it could not ring a few times.

use std::time::Duration;

use huddle_core::booking::BookingId;
use huddle_core::index::{Index as _, IndexError, Statement};
use huddle_core::sql::{Row, SqlError, Value};
use huddle_core::{ActorName, Limits};
use huddle_ports::{Clock as _, Timestamp};
use huddle_syntax::{Did, SyntaxError};
use worker::{Env, console_error};

use crate::clock::WorkersClock;
use crate::config::{Misconfigured, limits};
use crate::index::D1Index;
use crate::transport;

/// Bookings that one sweep looks after. With the two people of each, and the question to the index, it stays below the
/// 50 requests that the smallest plan allows.
const BATCH: i64 = 16;

/// How much longer than it may wait by itself a booking has to wait before somebody looks after it.
const PATIENCE: Duration = Duration::from_mins(10);

/// Why a sweep came to nothing; the next one tries again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSwept {
    #[error(transparent)]
    Misconfigured(#[from] Misconfigured),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error("the index holds something else than it should: {0}")]
    Row(#[from] SqlError),
    #[error("the index names somebody who cannot be: {0}")]
    Person(#[from] SyntaxError),
}

/// Has the actors of the bookings that wait for too long set their alarms anew. What they do then ends the wait, and
/// the next sweep meets others; a row that its booking is ahead of is not mended by this, and is met again.
pub(crate) async fn sweep(env: &Env) -> Result<(), NotSwept> {
    let statement = overdue(&limits(env)?, WorkersClock.now());
    for row in D1Index::new(env.clone()).query(statement).await? {
        for actor in actors(&row)? {
            if let Err(problem) = transport::remind(env, &actor).await {
                console_error!("{actor} cannot be reminded: {problem}");
            }
        }
    }
    Ok(())
}

/// Bookings in a state that should have ended by itself, the oldest first.
fn overdue(limits: &Limits, now: Timestamp) -> Statement {
    let before = |waits: u32| now - Duration::from_secs(waits.into()) - PATIENCE;
    let pending = limits.approval_secs.max(limits.pending_secs);
    Statement {
        sql: "SELECT id, host_did, guest_did FROM bookings \
              WHERE (status IN ('held', 'finalizing') AND updated < ?1) \
              OR (status = 'pending' AND updated < ?2) \
              ORDER BY updated LIMIT ?3",
        bindings: vec![
            Value::Integer(before(limits.hold_secs).as_millis()),
            Value::Integer(before(pending).as_millis()),
            Value::Integer(BATCH),
        ],
    }
}

fn actors(row: &Row) -> Result<[ActorName; 3], NotSwept> {
    let id: BookingId = row.get(0)?;
    let person = |column| -> Result<Did, NotSwept> { Ok(row.get::<String>(column)?.parse()?) };
    Ok([
        ActorName::booking(&id),
        ActorName::host_match(&person(1)?),
        ActorName::host_match(&person(2)?),
    ])
}
