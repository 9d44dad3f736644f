//! What a person has given away of their time.

use huddle_schedule::Interval;
use huddle_syntax::Did;

use crate::actor::ActorName;
use crate::booking::BookingId;
use crate::host_match::{Agenda, Engagement};
use crate::transport::{ActorTransport, Unreachable, ask};

/// What `person` has given away of a stretch of time, by the start of its guards, and but for what the booking
/// has that is searched for. Whoever counts towards the most meetings of a week asks for the whole week.
///
/// The answer is bounded, and may be out of date at once: whether a slot can be had, only a hold says. It is one
/// question also where the person's time is kept by days: their own actor has a claim for each of their meetings.
pub async fn agenda(
    actors: &dyn ActorTransport,
    person: &Did,
    within: Interval,
    but: Option<BookingId>,
) -> Result<Vec<Engagement>, Unreachable> {
    let agenda = Agenda { within, but };
    ask(actors, &ActorName::host_match(person), agenda).await
}
