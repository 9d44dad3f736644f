//! What an actor tells is what it has written: what was told to be over cannot go on when a later turn looks at an
//! earlier time.

use huddle_core::actor::{Command, Reply};
use huddle_core::booking::{Booking, Reply as BookingReply};
use huddle_core::host_match::{Command as HostMatchCommand, Reply as HostMatchReply};

use super::{View, number};

/// What is wrong with a reply of an actor, which looks so after it and whose time it was, if anything.
pub(super) fn fault(
    command: &Command,
    reply: &Reply,
    after: &View,
    now: i64,
) -> Option<&'static str> {
    match (command, reply) {
        (Command::HostMatch(command), Reply::HostMatch(reply)) => {
            keeps_what_is_over(command, reply, after, now)
                .then_some("a slot is told not to be held any more, and its hold is still there")
        }
        (_, Reply::Booking(reply)) => {
            let told = told(reply)?;
            let written = after.booking.as_ref();
            (written.map(|booking| &booking.phase) != Some(&told.phase)).then_some(
                "a booking tells where it stands, and has written that it stands elsewhere",
            )
        }
        _ => None,
    }
}

/// Whether somebody who refuses an attempt leaves its hold, that has run out, as it was.
fn keeps_what_is_over(
    command: &HostMatchCommand,
    reply: &HostMatchReply,
    after: &View,
    now: i64,
) -> bool {
    let (booking, attempt) = match (command, reply) {
        (HostMatchCommand::Hold(hold), HostMatchReply::Hold(Err(_))) => {
            (&hold.booking, hold.attempt)
        }
        (HostMatchCommand::Prepare(prepare), HostMatchReply::Prepare(Err(_))) => {
            (&prepare.booking, prepare.attempt)
        }
        _ => return false,
    };
    let mut claims = after.claims.iter();
    let over = claims.position(|claim| {
        (claim.booking.as_str(), claim.attempt) == (booking.as_str(), number(attempt))
            && !claim.is_live(now)
    });
    // Where another claim is in its way, that is what it is refused for.
    let has_rival = |index| {
        let mut conflicts = after.conflicts.iter();
        conflicts.any(|(one, other)| [*one, *other].contains(&index))
    };
    over.is_some_and(|index| !has_rival(index))
}

/// The booking as a reply of it says that it stands.
fn told(reply: &BookingReply) -> Option<&Booking> {
    match reply {
        BookingReply::Create(Ok(standing))
        | BookingReply::NextAttempt(Ok(standing))
        | BookingReply::AwaitApproval(Ok(standing))
        | BookingReply::Postpone(Ok(standing))
        | BookingReply::Refuse(Ok(standing))
        | BookingReply::Held(Ok(standing))
        | BookingReply::Finalize(Ok(standing))
        | BookingReply::Suspend(Ok(standing))
        | BookingReply::Commit(Ok(standing))
        | BookingReply::Abort(Ok(standing))
        | BookingReply::Approve(Ok(standing))
        | BookingReply::Decline(Ok(standing))
        | BookingReply::Cancel(Ok(standing))
        | BookingReply::Reschedule(Ok(standing))
        | BookingReply::Resume(Ok(standing)) => Some(&standing.booking),
        _ => None,
    }
}
