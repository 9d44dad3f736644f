//! What a decision is made of: everything that has to be asked for.

use std::time::Duration;

use futures_util::future::{join, join4, join5};
use huddle_ports::Timestamp;
use huddle_schedule::hours::MAX_DAYS;
use huddle_schedule::{BookingWindow, Circle, Interval, Mode, Offer, Relationship, Zone};
use huddle_syntax::{AtUri, Did};

use super::scene::is_for;
use super::{Busy, Freshness, Matching, Sources, UnknownRelationship, offers};
use crate::actor::ActorName;
use crate::agenda::agenda;
use crate::booking::{BookingId, Constraints, GuestSide};
use crate::host_match::Engagement;
use crate::index::{self, IndexError};
use crate::preferences::{InvalidPreferences, Preferences};
use crate::transport::{Unreachable, ask};
use crate::user_connector::GetPreferences;

/// The longest that somebody keeps free around a meeting, as the lexicon has it.
const WIDEST_MARGIN: Duration = Duration::from_hours(4);

/// The longest meeting, as the lexicon has it.
const LONGEST_MEETING: Duration = Duration::from_hours(4);

/// The most offers of a host that one question looks at: the latest.
const MOST_OFFERS: usize = 100;

/// The most moments at which a meeting could start that one question looks at, over all offers.
const MOST_STARTS: u64 = 200_000;

/// As far ahead as the schedule looks.
const FARTHEST: Duration = Duration::from_hours(MAX_DAYS * 24);

/// How far from a meeting another one counts towards the same week.
const WEEK: Duration = Duration::from_hours(8 * 24);

/// What a search or a list is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) host: &'a Did,
    pub(super) guest: &'a Did,
    pub(super) constraints: &'a Constraints,
    /// The one offer to look at, if only one will do.
    pub(super) offer: Option<&'a AtUri>,
    /// What this booking has is not in its own way.
    pub(super) booking: Option<&'a BookingId>,
    /// Whether the guest is no stranger, whoever follows whom.
    pub(super) acquainted: bool,
}

/// All that a search or a list is decided by.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) now: Timestamp,
    /// The stretch of time in which a meeting may be.
    pub(super) reach: Interval,
    pub(super) standing: Standing,
    /// Of the host, and of the guest.
    pub(super) taken: [Taken; 2],
}

/// What is known of host, guest and how they stand to each other.
#[derive(Debug)]
pub(super) struct Standing {
    /// What the host offers; nothing, unless it is this service that schedules for them.
    pub(super) offers: Vec<Offer>,
    /// The records that the offers stand in, in the same order.
    pub(super) records: Vec<AtUri>,
    /// Preferences that cannot be read keep everybody from booking.
    pub(super) host: Result<Preferences, InvalidPreferences>,
    pub(super) guest: Result<Preferences, InvalidPreferences>,
    /// With the host's private list.
    pub(super) relationship: Result<Relationship, UnknownRelationship>,
}

/// When a person has no time.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) calendars: Busy,
    pub(super) engagements: Vec<Engagement>,
}

/// The service's own stores do not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failed {
    #[error(transparent)]
    Actor(#[from] Unreachable),
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl Facts {
    /// Whether the guest is a stranger to the host: one whom neither a meeting nor a yes makes known.
    pub(super) fn is_stranger(&self, question: &Question<'_>) -> bool {
        self.standing.is_stranger() && !question.acquainted
    }

    /// Whether the guest's calendars were looked at.
    pub(super) fn guest_side(&self) -> GuestSide {
        let [_, guest] = &self.taken;
        match guest.calendars {
            Busy::Unconnected => GuestSide::Unchecked,
            Busy::Known(_) | Busy::Unreadable | Busy::Delayed => GuestSide::Checked,
        }
    }
}

impl Standing {
    /// Leaves as many offers, the latest first, as can have [`MOST_STARTS`] within reach, but one in any case: a host
    /// cannot make a question about them expensive.
    fn keep_within_bounds(&mut self, reach: Interval) {
        let step = self
            .host
            .as_ref()
            .map_or(1, |it| it.rules.step_minutes.get());
        let minutes = reach.duration().as_secs() / 60;
        let starts_of_each = (minutes / u64::from(step)).max(1);
        let most = usize::try_from(MOST_STARTS / starts_of_each).unwrap_or(usize::MAX);
        self.offers.truncate(most.max(1));
        self.records.truncate(most.max(1));
    }

    /// Whether anything that can be booked in one of these ways is for the guest.
    pub(super) fn admits(&self, modes: &[Mode]) -> bool {
        self.relationship.as_ref().is_ok_and(|relationship| {
            let mut offers = self.offers.iter();
            offers.any(|offer| is_for(offer, *relationship, modes))
        })
    }

    /// Whether the host has done nothing to know the guest, as far as is known.
    pub(super) fn is_stranger(&self) -> bool {
        let circle = self.relationship.as_ref().map(|it| it.circle);
        circle.map_or(true, Circle::is_stranger)
    }
}

impl Matching {
    /// Asks for everything, in two rounds: what the second asks for depends on the host's preferences.
    pub(super) async fn facts(
        &self,
        question: &Question<'_>,
        deadline: Timestamp,
    ) -> Result<Facts, Failed> {
        let now = self.sources.clock.now();
        let mut standing = self
            .standing(question, now, Freshness::Recent, deadline)
            .await?;
        let reach = self.reach(question, &standing, now);
        standing.keep_within_bounds(reach);
        Ok(Facts {
            now,
            reach,
            standing,
            taken: self.taken(question, reach, deadline).await?,
        })
    }

    /// Asks what does not depend on anything else.
    pub(super) async fn standing(
        &self,
        question: &Question<'_>,
        now: Timestamp,
        freshness: Freshness,
        deadline: Timestamp,
    ) -> Result<Standing, Failed> {
        let Question { host, guest, .. } = *question;
        let Sources {
            index,
            relationships,
            ..
        } = &self.sources;
        let (offers, service, host_preferences, guest_preferences, relationship) = join5(
            index::offers::of_host(&**index, host, now),
            index::services::of(&**index, host),
            self.preferences(host),
            self.preferences(guest),
            relationships.between(host, guest, freshness, deadline),
        )
        .await;
        let is_served = service?.as_ref() == Some(&self.service);
        let host = host_preferences?;
        let is_blocked = host.as_ref().is_ok_and(|it| it.blocked.contains(guest));
        let (offers, records) = offers?
            .into_iter()
            .filter(|_| is_served)
            .filter(|stored| question.offer.is_none_or(|only| stored.uri == *only))
            .filter_map(|stored| Some((offers::stored(&stored)?, stored.uri)))
            .take(MOST_OFFERS)
            .unzip();
        Ok(Standing {
            offers,
            records,
            relationship: relationship.map(|it| Relationship {
                blocked: it.blocked || is_blocked,
                ..it
            }),
            host,
            guest: guest_preferences?,
        })
    }

    async fn preferences(
        &self,
        person: &Did,
    ) -> Result<Result<Preferences, InvalidPreferences>, Unreachable> {
        let actor = ActorName::user_connector(person);
        let document = ask(&*self.sources.actors, &actor, GetPreferences {}).await?;
        Ok(document.read())
    }

    /// Asks when host and guest have no time, as far as that can matter.
    async fn taken(
        &self,
        question: &Question<'_>,
        reach: Interval,
        deadline: Timestamp,
    ) -> Result<[Taken; 2], Failed> {
        let Question {
            host,
            guest,
            booking,
            ..
        } = *question;
        let Sources {
            actors, calendars, ..
        } = &self.sources;
        let within = reach.widened(WIDEST_MARGIN, WIDEST_MARGIN);
        let weeks = within.widened(WEEK, WEEK);
        let recent = Freshness::Recent;
        let (of_host, of_guest, hosts, guests) = join4(
            calendars.busy(host, within, booking, recent, deadline),
            calendars.busy(guest, within, booking, recent, deadline),
            agenda(&**actors, host, weeks, booking.cloned()),
            agenda(&**actors, guest, weeks, booking.cloned()),
        )
        .await;
        let taken = |calendars, engagements| Taken {
            calendars,
            engagements,
        };
        Ok([taken(of_host, hosts?), taken(of_guest, guests?)])
    }

    /// Both sides' calendars around a slot, as they are now.
    pub(super) async fn fresh(
        &self,
        question: &Question<'_>,
        slot: Interval,
        deadline: Timestamp,
    ) -> [Busy; 2] {
        let within = slot.widened(WIDEST_MARGIN, WIDEST_MARGIN);
        let ask = |person| {
            let calendars = &self.sources.calendars;
            calendars.busy(person, within, question.booking, Freshness::Fresh, deadline)
        };
        join(ask(question.host), ask(question.guest)).await.into()
    }

    /// The stretch of time in which a meeting may be.
    fn reach(&self, question: &Question<'_>, standing: &Standing, now: Timestamp) -> Interval {
        let rules = standing.host.as_ref().map(|it| &it.rules);
        let window = rules.map_or(BookingWindow::Rolling { days: 0 }, |it| it.booking_window);
        let zone = rules.map_or(Zone::UTC, |it| it.zone);
        let ahead = window.interval(zone, now).map_or(now, Interval::end);
        let Constraints {
            earliest,
            latest,
            chosen,
            ..
        } = question.constraints;
        let chosen = chosen.as_ref().map(|chosen| chosen.slot);
        let earliest = chosen.map_or(*earliest, |slot| Some(slot.start()));
        let latest = chosen.map_or(*latest, |slot| Some(slot.end()));
        let block = self.narrowest();
        let first = earliest.map_or(now, |earliest| now.max(earliest - block));
        let last = (ahead + LONGEST_MEETING).min(now + FARTHEST);
        let last = latest.map_or(last, |latest| last.min(latest + block));
        // Where no meeting can be, the question is as small as one can be: it is asked all the same.
        let reach = Interval::new(first, last).or_else(|| Interval::lasting(now, block));
        reach.unwrap_or(Interval::ALWAYS)
    }
}
