//! What a booking keeps of its effects: what was brought, and who is at it.

use huddle_ports::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Channel, Effect, LEASE};
use crate::booking::Booking;
use crate::host_match::Role;
use crate::outbox::Task;
use crate::sql::{Binding, SqlError};
use crate::turn::Turn;

/// Begin to bring something about, unless it was brought already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeginEffect {
    /// To whom it is shown.
    pub party: Role,
    /// Where.
    pub channel: Channel,
    /// The revision that wanted it.
    pub revision: u32,
}

/// Want the booking shown as it stands: each revision of it once to each side by each channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantEffects {
    /// To whom, and where.
    pub wanted: Vec<(Role, Channel)>,
}

/// What there is to bring about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EffectBegun {
    /// Nothing.
    Brought,
    /// Somebody else is at it.
    Busy {
        /// Until then they are left alone.
        until: Timestamp,
    },
    /// The booking as it stands.
    Begun {
        /// The booking.
        booking: Box<Booking>,
        /// Since which revision it is shown like this.
        revision: u32,
        /// Until when nobody else begins, which also names who has begun.
        lease: Timestamp,
    },
}

/// Say what came of something that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndEffect {
    /// To whom it is shown.
    pub party: Role,
    /// Where.
    pub channel: Channel,
    /// The revision that was brought; `None` if nothing came of it.
    pub brought: Option<u32>,
    /// The lease that it was begun with.
    pub lease: Timestamp,
}

/// Gives the lease on what `booking`, as it stands in this turn, shows outside.
pub(crate) fn begin(
    turn: &mut Turn<'_>,
    booking: Box<Booking>,
    command: BeginEffect,
) -> Result<EffectBegun, SqlError> {
    let BeginEffect {
        party,
        channel,
        revision: asked,
    } = command;
    let (actor, now) = (turn.name().as_str(), turn.now());
    let place: [Binding<'_>; 3] = [actor.into(), party.as_str().into(), channel.as_str().into()];
    let rows = turn.read(
        "SELECT brought, lease FROM effect WHERE actor = ?1 AND party = ?2 AND channel = ?3",
        &place,
    )?;
    let (brought, lease) = match rows.first() {
        Some(row) => (row.get::<u32>(0)?, row.get::<Option<Timestamp>>(1)?),
        None => (0, None),
    };
    let wanted = booking.shown_since.of(channel);
    if wanted <= brought || asked <= brought {
        return Ok(EffectBegun::Brought);
    }
    if let Some(until) = lease.filter(|until| now < *until) {
        return Ok(EffectBegun::Busy { until });
    }
    let lease = now + LEASE;
    let [actor, party, channel] = place;
    turn.write(
        "INSERT INTO effect (actor, party, channel, brought, lease) VALUES (?1, ?2, ?3, 0, ?4) \
         ON CONFLICT (actor, party, channel) DO UPDATE SET lease = excluded.lease",
        &[actor, party, channel, lease.into()],
    )?;
    Ok(EffectBegun::Begun {
        booking,
        revision: wanted,
        lease,
    })
}

/// Leaves tasks for what is wanted brought about of `booking`, as it stands in this turn, and was not wanted before.
pub(crate) fn want(
    turn: &mut Turn<'_>,
    booking: &Booking,
    command: WantEffects,
) -> Result<(), SqlError> {
    let actor = turn.name().as_str();
    for (party, channel) in command.wanted {
        let revision = booking.shown_since.of(channel);
        let is_new = turn.write(
            "INSERT INTO effect (actor, party, channel, brought, wanted) VALUES (?1, ?2, ?3, 0, ?4) \
             ON CONFLICT (actor, party, channel) DO UPDATE SET wanted = excluded.wanted \
             WHERE wanted < excluded.wanted RETURNING 1",
            &[
                actor.into(),
                party.as_str().into(),
                channel.as_str().into(),
                revision.into(),
            ],
        )?;
        if !is_new.is_empty() {
            turn.send(&Task::Effect(Effect {
                booking: booking.id.clone(),
                party,
                channel,
                revision,
            }))?;
        }
    }
    Ok(())
}

/// Writes down what was brought, and gives the lease up. What was brought stays so, whoever says it.
///
/// What `booking` has come to show meanwhile is brought next, and at once: whoever was to bring it may have found somebody
/// at it, and come back only when the lease would be over.
pub(crate) fn end(
    turn: &mut Turn<'_>,
    booking: Box<Booking>,
    command: EndEffect,
) -> Result<(), SqlError> {
    let actor = turn.name().as_str();
    turn.write(
        "UPDATE effect SET brought = max(brought, ?4), lease = CASE WHEN lease = ?5 THEN NULL ELSE lease END \
         WHERE actor = ?1 AND party = ?2 AND channel = ?3",
        &[
            actor.into(),
            command.party.as_str().into(),
            command.channel.as_str().into(),
            command.brought.unwrap_or(0).into(),
            command.lease.into(),
        ],
    )?;
    let revision = booking.shown_since.of(command.channel);
    if command.brought.is_some_and(|brought| brought < revision) {
        turn.send(&Task::Effect(Effect {
            booking: booking.id,
            party: command.party,
            channel: command.channel,
            revision,
        }))?;
    }
    Ok(())
}
