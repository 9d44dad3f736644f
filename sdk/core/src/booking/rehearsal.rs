//! A booking that is kept nowhere: what a request would come to, by the very rules that it would go by.

use huddle_ports::Timestamp;

use super::state::{Asked, Booking, Decision, Standing};
use super::{BookingId, Command, Reply};
use crate::limits::Limits;

/// The booking of a request that is only tried out.
pub(crate) struct Rehearsal(Booking);

impl Rehearsal {
    /// The booking as it would begin, and where that leaves its driver. Accepting is not rehearsed: what
    /// counts as accepted would only be confirmed once it is held.
    pub(crate) fn begin(
        id: &BookingId,
        asked: Asked,
        now: Timestamp,
        limits: &Limits,
    ) -> (Self, Standing) {
        let asked = Asked {
            accepted: false,
            ..asked
        };
        let mut decision = Decision::new(now, limits);
        let booking = Booking::new(&mut decision, id.clone(), asked, String::new());
        let standing = Standing {
            booking: Box::new(booking.clone()),
            next: decision.next,
        };
        (Self(booking), standing)
    }

    /// What the booking would answer to a report of its driver; `None` to what no driver says before
    /// anything is held.
    pub(crate) fn hear(
        &mut self,
        report: Command,
        now: Timestamp,
        limits: &Limits,
    ) -> Option<Reply> {
        Some(match report {
            Command::NextAttempt(it) => {
                Reply::NextAttempt(Ok(self.change(now, limits, Booking::next_attempt, it)))
            }
            Command::AwaitApproval(it) => {
                Reply::AwaitApproval(Ok(self.change(now, limits, Booking::await_approval, it)))
            }
            Command::Postpone(it) => {
                Reply::Postpone(Ok(self.change(now, limits, Booking::postpone, it)))
            }
            Command::Refuse(it) => Reply::Refuse(Ok(self.change(now, limits, Booking::refuse, it))),
            Command::Held(it) => Reply::Held(Ok(self.change(now, limits, Booking::held, it))),
            _ => return None,
        })
    }

    fn change<C>(
        &mut self,
        now: Timestamp,
        limits: &Limits,
        change: impl FnOnce(&mut Booking, &mut Decision<'_>, C),
        report: C,
    ) -> Standing {
        let mut decision = Decision::new(now, limits);
        change(&mut self.0, &mut decision, report);
        Standing {
            booking: Box::new(self.0.clone()),
            next: decision.next,
        }
    }
}
