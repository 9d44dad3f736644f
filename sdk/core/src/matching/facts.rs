//! What a decision is made of: everything that has to be asked for.

use std::time::Duration;

use futures_util::future::{join, join3};
use huddle_ports::Timestamp;
use huddle_schedule::hours::MAX_DAYS;
use huddle_schedule::{BookingWindow, Circle, Interval, Mode, Offer, Relationship, Zone};
use huddle_syntax::{AtUri, Did};

use super::scene::is_for;
use super::{Busy, Connected, Freshness, Matching, UnknownRelationship, bounds, offers};
use crate::actor::ActorName;
use crate::agenda::agenda;
use crate::booking::{BookingId, Constraints, GuestSide};
use crate::host_match::Engagement;
use crate::index::{IndexError, offers as published, services};
use crate::preferences::{InvalidPreferences, Preferences};
use crate::transport::{Unreachable, ask};
use crate::user_connector::connector::GetCalendars;

/// The longest that somebody keeps free around a meeting, as the lexicon has it.
const WIDEST_MARGIN: Duration = Duration::from_hours(4);

/// The longest meeting, as the lexicon has it.
const LONGEST_MEETING: Duration = Duration::from_hours(4);

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

/// What anybody can find out about host and guest.
#[derive(Debug)]
pub(super) struct Public {
    /// What the host offers; nothing, unless it is this service that schedules for them.
    offers: Vec<published::Offer>,
    relationship: Result<Relationship, UnknownRelationship>,
}

/// What host and guest have made known to this service.
#[derive(Debug)]
struct Known {
    host: Connected,
    guest: Connected,
    /// Whether the guest has named another service to schedule for them, whose affair their calendars are.
    guest_is_elsewhere: bool,
}

/// What is known of host, guest and how they stand to each other.
#[derive(Debug)]
pub(super) struct Standing {
    /// What the host offers.
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
    fn new(question: &Question<'_>, known: &Known, public: Public) -> Self {
        let host = known.host.preferences.read();
        let is_blocked = host
            .as_ref()
            .is_ok_and(|it| it.blocked.contains(question.guest));
        let (offers, records) = public
            .offers
            .into_iter()
            .filter_map(|stored| Some((offers::stored(&stored)?, stored.uri)))
            .unzip();
        Self {
            offers,
            records,
            relationship: public.relationship.map(|it| Relationship {
                blocked: it.blocked || is_blocked,
                ..it
            }),
            host,
            // What they have set here once is not how they want to be booked elsewhere.
            guest: if known.guest_is_elsewhere {
                Ok(Preferences::default())
            } else {
                known.guest.preferences.read()
            },
        }
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
        let asked = self.asked(question, now);
        let (known, public) = join(
            self.known(question),
            self.public(question, asked, Freshness::Recent, deadline),
        )
        .await;
        let known = known?;
        let mut standing = Standing::new(question, &known, public?);
        let reach = self.bounded_reach(&mut standing, asked, now);
        Ok(Facts {
            now,
            reach,
            standing,
            taken: self.taken(question, &known, reach, deadline).await?,
        })
    }

    /// What is known for a last check of a slot, and both sides' calendars around it, as they are now.
    pub(super) async fn fresh(
        &self,
        question: &Question<'_>,
        slot: Interval,
        deadline: Timestamp,
    ) -> Result<(Standing, [Busy; 2]), Failed> {
        let known = self.known(question).await?;
        let within = slot.widened(WIDEST_MARGIN, WIDEST_MARGIN);
        let fresh = Freshness::Fresh;
        let (public, calendars) = join(
            self.public(question, slot, fresh, deadline),
            self.calendars(question, &known, within, fresh, deadline),
        )
        .await;
        let standing = Standing::new(question, &known, public?);
        Ok((standing, calendars))
    }

    /// What offers are open within a stretch of time, and how host and guest stand to each other in public.
    async fn public(
        &self,
        question: &Question<'_>,
        within: Interval,
        freshness: Freshness,
        deadline: Timestamp,
    ) -> Result<Public, IndexError> {
        let Question { host, guest, .. } = *question;
        let open = published::Open {
            host,
            service: &self.service,
            within,
            only: question.offer,
            limit: self.limits.search_offers,
        };
        let between = &self.sources.relationships;
        let (offers, relationship) = join(
            open.read(&*self.sources.index),
            between.between(host, guest, freshness, deadline),
        )
        .await;
        Ok(Public {
            offers: offers?,
            relationship,
        })
    }

    /// What host and guest prefer, which calendars they have connected, and whether the guest's are for this service to
    /// look at.
    async fn known(&self, question: &Question<'_>) -> Result<Known, Failed> {
        let of = |person| {
            let known = GetCalendars {
                event_of: question.booking.cloned(),
            };
            let actor = ActorName::user_connector(person);
            async move { ask(&*self.sources.actors, &actor, known).await }
        };
        let (host, guest, named) = join3(
            of(question.host),
            of(question.guest),
            services::of(&*self.sources.index, question.guest),
        )
        .await;
        Ok(Known {
            host: host?,
            guest: guest?,
            guest_is_elsewhere: named?.is_some_and(|appview| appview != self.service),
        })
    }

    /// When host and guest are busy, by the calendars that are for this service to look at.
    async fn calendars(
        &self,
        question: &Question<'_>,
        known: &Known,
        within: Interval,
        freshness: Freshness,
        deadline: Timestamp,
    ) -> [Busy; 2] {
        let Question { booking, .. } = *question;
        let of = |person, connected| {
            let calendars = &self.sources.calendars;
            calendars.busy(person, connected, within, booking, freshness, deadline)
        };
        let of_guest = async {
            if known.guest_is_elsewhere {
                Busy::Unconnected
            } else {
                of(question.guest, &known.guest).await
            }
        };
        join(of(question.host, &known.host), of_guest).await.into()
    }

    /// Asks when host and guest have no time, as far as that can matter.
    async fn taken(
        &self,
        question: &Question<'_>,
        known: &Known,
        reach: Interval,
        deadline: Timestamp,
    ) -> Result<[Taken; 2], Failed> {
        let Question {
            host,
            guest,
            booking,
            ..
        } = *question;
        let actors = &*self.sources.actors;
        let within = reach.widened(WIDEST_MARGIN, WIDEST_MARGIN);
        let weeks = within.widened(WEEK, WEEK);
        let ([of_host, of_guest], hosted, visited) = join3(
            self.calendars(question, known, within, Freshness::Recent, deadline),
            agenda(actors, host, weeks, booking.cloned()),
            agenda(actors, guest, weeks, booking.cloned()),
        )
        .await;
        let taken = |calendars, engagements| Taken {
            calendars,
            engagements,
        };
        Ok([taken(of_host, hosted?), taken(of_guest, visited?)])
    }

    /// The stretch of time that is asked about, as far as anybody may look ahead.
    fn asked(&self, question: &Question<'_>, now: Timestamp) -> Interval {
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
        let farthest = now + FARTHEST;
        let last = latest.map_or(farthest, |latest| farthest.min(latest + block));
        self.times(first, last, now)
    }

    /// The part of it in which a meeting may be.
    fn reach(&self, standing: &Standing, asked: Interval, now: Timestamp) -> Interval {
        let rules = standing.host.as_ref().map(|it| &it.rules);
        let window = rules.map_or(BookingWindow::Rolling { days: 0 }, |it| it.booking_window);
        let zone = rules.map_or(Zone::UTC, |it| it.zone);
        let ahead = window.interval(zone, now).map_or(now, Interval::end);
        let last = asked.end().min(ahead + LONGEST_MEETING);
        self.times(asked.start(), last, now)
    }

    /// The same, where the host's rules are made to let nobody look farther than one question may.
    fn bounded_reach(&self, standing: &mut Standing, asked: Interval, now: Timestamp) -> Interval {
        let reach = self.reach(standing, asked, now);
        let Ok(Preferences { rules, .. }) = &mut standing.host else {
            return reach;
        };
        match bounds::days_ahead(
            &standing.offers,
            rules,
            reach,
            self.limits.search_starts,
            now,
        ) {
            Some(days) => {
                if let BookingWindow::Rolling { days: own } = &mut rules.booking_window {
                    *own = days.min(*own);
                }
                self.reach(standing, asked, now)
            }
            None => reach,
        }
    }

    /// From one moment to another. Where no time is in between, the question is as small as one can be: it is asked all
    /// the same.
    fn times(&self, first: Timestamp, last: Timestamp, now: Timestamp) -> Interval {
        let times = Interval::new(first, last);
        let times = times.or_else(|| Interval::lasting(now, self.narrowest()));
        times.unwrap_or(Interval::ALWAYS)
    }
}
