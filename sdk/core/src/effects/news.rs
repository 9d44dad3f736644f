//! News of a booking: by which ways a party is told, and the letter that tells it.

use huddle_ports::Timestamp;
use huddle_syntax::Did;

use super::{Channel, Effects, NotBrought, Post, WantEffect};
use crate::actor::ActorName;
use crate::booking::{Booking, Event, EventKind};
use crate::calendar_events::BookedTime;
use crate::direct_messages::DirectMessage;
use crate::host_match::Role;
use crate::index::people;
use crate::invitation::called;
use crate::mail::{CancelLink, Delivery, Letter, News, Notice, NoticeKind};
use crate::preferences::{Preferences, Way};
use crate::transport::ask;

impl Effects {
    /// Tells a party by mail, and sees to it that they are told by every other way that they want and have.
    pub(super) async fn tell(
        &self,
        booking: &Booking,
        party: Role,
        revision: u32,
    ) -> Result<(), NotBrought> {
        let notice = Notice::of(booking).filter(|notice| notice.kind.is_for(party));
        let Some(notice) = notice else {
            return Ok(());
        };
        let (person, _) = booking.asked.sides(party);
        let preferences = self.preferences_of(person).await?;
        // The others first, so that no mail server keeps them waiting.
        for (way, channel) in [
            (Way::Webhook, Channel::Webhook),
            (Way::DirectMessage, Channel::DirectMessage),
        ] {
            if preferences.are_told_by(way) && self.reaches(person, channel).await? {
                let want = WantEffect {
                    party,
                    channel,
                    revision,
                };
                ask(&*self.actors, &ActorName::booking(&booking.id), want).await?;
            }
        }
        if preferences.are_told_by(Way::Email) {
            self.tell_by_mail(booking, notice, party, revision, &preferences)
                .await?;
        }
        Ok(())
    }

    /// Whether somebody is reached by a channel that not everybody has.
    async fn reaches(&self, person: &Did, channel: Channel) -> Result<bool, NotBrought> {
        match (channel, &self.webhooks) {
            (Channel::Webhook, Some(post)) => {
                Ok(post.webhooks.of(&*self.actors, person).await?.is_some())
            }
            _ => Ok(self.are_connected(channel)),
        }
    }

    /// Tells a party by a message to their account, if they still want that.
    pub(super) async fn message(
        &self,
        booking: &Booking,
        party: Role,
        revision: u32,
    ) -> Result<(), NotBrought> {
        let notice = Notice::of(booking).filter(|notice| notice.kind.is_for(party));
        let (Some(port), Some(notice)) = (&self.direct_messages, notice) else {
            return Ok(());
        };
        let (person, other) = booking.asked.sides(party);
        let preferences = self.preferences_of(person).await?;
        if !preferences.are_told_by(Way::DirectMessage) {
            return Ok(());
        }
        let names = people::names(&*self.index, &[other]).await?;
        let message = DirectMessage {
            id: format!("{}_{revision}_{}", booking.id, party.as_str()),
            to: person.clone(),
            told: notice.kind,
            with: called(other, &names),
            slot: booking.phase.place().map(|place| place.slot),
            zone: preferences.rules.zone,
        };
        brought(port.send(&message).await)
    }

    async fn tell_by_mail(
        &self,
        booking: &Booking,
        notice: Notice,
        party: Role,
        revision: u32,
        preferences: &Preferences,
    ) -> Result<(), NotBrought> {
        let Some(post) = &self.mail else {
            return Ok(());
        };
        let (person, other) = booking.asked.sides(party);
        let Some(to) = post.addresses.confirmed(&*self.actors, person).await? else {
            return Ok(());
        };
        let names = people::names(&*self.index, &[person, other]).await?;
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

/// When a booking came to what is told of it.
pub(super) fn came_to_it(booking: &Booking, told: NoticeKind) -> Timestamp {
    let is_it = |event: &&Event| match told {
        // Where nothing suited once the host had said yes, they are asked once more.
        NoticeKind::Requested => matches!(event.kind, EventKind::Requested | EventKind::Approved),
        NoticeKind::Confirmed | NoticeKind::Moved | NoticeKind::Canceled => matches!(
            event.kind,
            EventKind::Confirmed | EventKind::Rescheduled | EventKind::Canceled
        ),
        NoticeKind::Declined => event.kind == EventKind::Declined,
        NoticeKind::Expired(_) => event.kind == EventKind::Expired,
    };
    let event = booking.history.iter().rev().find(is_it);
    event.map_or(booking.updated_at, |event| event.at)
}
