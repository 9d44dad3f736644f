//! News of a booking: the letter, or the message to an account, that tells a party.

use huddle_ports::Timestamp;

use super::{Effects, NotBrought, Post};
use crate::booking::{Booking, Event, EventKind};
use crate::calendar_events::BookedTime;
use crate::direct_messages::DirectMessage;
use crate::host_match::Role;
use crate::invitation::called;
use crate::mail::{CancelLink, Delivery, Letter, News, Notice, NoticeKind};
use crate::preferences::Way;

impl Effects {
    /// Tells a party by a message to their account, if they still want that.
    pub(super) async fn message(
        &self,
        booking: &Booking,
        party: Role,
        revision: u32,
    ) -> Result<(), NotBrought> {
        let notice = Notice::to(booking, party);
        let (Some(port), Some(notice)) = (&self.direct_messages, notice) else {
            return Ok(());
        };
        let (person, other) = booking.asked.sides(party);
        let preferences = self.preferences_of(person).await?;
        if !preferences.are_told_by(Way::DirectMessage) {
            return Ok(());
        }
        let names = self.names(&[other]).await?;
        let message = DirectMessage {
            id: message_id(booking, party, revision),
            to: person.clone(),
            told: notice.kind,
            with: called(other, &names),
            slot: booking.phase.place().map(|place| place.slot),
            zone: preferences.rules.zone,
        };
        brought(port.send(&message).await)
    }

    /// Tells a party by mail, if they still want that.
    pub(super) async fn mail(
        &self,
        booking: &Booking,
        party: Role,
        revision: u32,
    ) -> Result<(), NotBrought> {
        let (Some(post), Some(notice)) = (&self.mail, Notice::to(booking, party)) else {
            return Ok(());
        };
        let (person, other) = booking.asked.sides(party);
        let preferences = self.preferences_of(person).await?;
        if !preferences.are_told_by(Way::Email) {
            return Ok(());
        }
        let Some(to) = post.addresses.confirmed(&*self.actors, person).await? else {
            return Ok(());
        };
        let names = self.names(&[person, other]).await?;
        let news = News {
            zone: preferences.rules.zone,
            booking: booking.clone(),
            at: came_to_it(booking, notice.kind),
            notice,
            party,
            revision,
            names,
            to,
            cancel: post.cancel_page(booking, party),
        };
        post.send(&Letter::News(Box::new(news))).await
    }
}

impl Post {
    /// Where a meeting can be called off that stands.
    fn cancel_page(&self, booking: &Booking, party: Role) -> Option<String> {
        let stands = BookedTime::of(booking).filter(|time| time.is_confirmed)?;
        let link = CancelLink {
            booking: booking.id.clone(),
            party,
            expires: stands.slot.end(),
        };
        self.links.as_ref().map(|links| links.cancel(&link))
    }

    pub(super) async fn send(&self, letter: &Letter) -> Result<(), NotBrought> {
        brought(self.mail.send(letter).await)
    }
}

fn brought(delivery: Delivery) -> Result<(), NotBrought> {
    match delivery {
        Delivery::Sent => Ok(()),
        Delivery::TryLater { after, problem } => Err(NotBrought::Later { after, problem }),
        Delivery::Refused(problem) => Err(NotBrought::Permanent(problem)),
    }
}

/// Names what is told to a side of a booking since a revision, for whoever gets it twice. It has no full stop, which
/// parts what is signed.
pub(super) fn message_id(booking: &Booking, party: Role, revision: u32) -> String {
    format!("{}_{revision}_{}", booking.id, party.as_str())
}

/// When a booking came to what is told of it.
pub(super) fn came_to_it(booking: &Booking, told: NoticeKind) -> Timestamp {
    let is_it = |event: &&Event| match told {
        // Where nothing suited once the host had said yes, they are asked once more.
        NoticeKind::Requested => matches!(event.kind, EventKind::Requested | EventKind::Approved),
        NoticeKind::Confirmed | NoticeKind::Moved | NoticeKind::Canceled => matches!(
            event.kind,
            EventKind::Confirmed | EventKind::Rescheduled | EventKind::Canceled
        ),
        NoticeKind::Withdrawn { .. } => event.kind == EventKind::Canceled,
        NoticeKind::Declined => event.kind == EventKind::Declined,
        NoticeKind::Expired(_) => event.kind == EventKind::Expired,
    };
    let event = booking.history.iter().rev().find(is_it);
    event.map_or(booking.updated_at, |event| event.at)
}
