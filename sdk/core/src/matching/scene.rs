//! A search of the schedule, made of what was found out.

use std::time::Duration;

use huddle_ports::Timestamp;
use huddle_schedule::disclosure::Sampling;
use huddle_schedule::{
    Calendar, Constraints, Margins, Match, Meeting, Mode, Offer, Party, Relationship, Role, Search,
    Zone,
};
use huddle_syntax::Did;
use sha2::{Digest as _, Sha256};

use super::facts::{Facts, Question};
use super::{Busy, Matching, wishes};
use crate::host_match::Engagement;
use crate::preferences::Preferences;

/// Everything that decides which slots suit.
pub(super) struct Scene<'a> {
    pub(super) question: &'a Question<'a>,
    pub(super) facts: &'a Facts,
    pub(super) sides: Sides<'a>,
    pub(super) wishes: &'a Constraints,
    pub(super) modes: &'a [Mode],
    /// The narrowest window that is answered for.
    pub(super) narrowest: Option<Duration>,
    /// The starts of each offer that are told.
    pub(super) sample: Option<Vec<Vec<Timestamp>>>,
}

/// Host and guest, where the one may be booked by the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides<'a> {
    pub(super) host: &'a Preferences,
    pub(super) guest: &'a Preferences,
    pub(super) relationship: Relationship,
}

impl Scene<'_> {
    /// The best slots, the best first.
    pub(super) fn best(&self, limit: usize) -> Vec<Match> {
        let [of_host, of_guest] = &self.facts.taken;
        let Sides {
            host,
            guest,
            relationship,
        } = self.sides;
        let [hosted, visited] = [of_host, of_guest].map(|it| meetings(&it.engagements));
        let parties = [
            Party {
                role: Role::Host,
                zone: host.rules.zone,
                calendar: calendar(&of_host.calendars),
                meetings: &hosted,
                margins: host.margins,
                caps: host.caps,
                ..Party::default()
            },
            Party {
                role: Role::Guest,
                zone: self.guest_zone(),
                calendar: calendar(&of_guest.calendars),
                meetings: &visited,
                margins: guest.margins,
                ..Party::default()
            },
        ];
        let search = Search {
            modes: self.modes,
            constraints: self.wishes,
            narrowest: self.narrowest,
            sample: self.sample.as_deref(),
            tie_break: tie_break(self.question.host, self.question.guest),
            ..Search::new(
                self.facts.now,
                &self.facts.standing.offers,
                relationship,
                &host.rules,
                &parties,
            )
        };
        search.best(limit)
    }

    /// The zone whose daytime suits the guest: the one that they name, or else their own.
    fn guest_zone(&self) -> Zone {
        let named = wishes::zone(self.question.constraints);
        named.flatten().unwrap_or(self.sides.guest.rules.zone)
    }
}

fn calendar(busy: &Busy) -> Calendar<'_> {
    match busy {
        Busy::Unconnected => Calendar::None,
        Busy::Known(busy) => Calendar::Known(busy),
        Busy::Unreadable | Busy::Delayed => Calendar::Unreadable,
    }
}

fn meetings(engagements: &[Engagement]) -> Vec<Meeting<'_>> {
    engagements.iter().map(meeting).collect()
}

fn meeting(engagement: &Engagement) -> Meeting<'_> {
    let Engagement {
        booking,
        slot,
        guard,
        held_until,
        hosted,
    } = engagement;
    let minutes =
        |margin: Duration| u16::try_from(margin.as_secs().div_ceil(60)).unwrap_or(u16::MAX);
    Meeting {
        id: booking.as_str(),
        interval: *slot,
        margins: Margins {
            before_minutes: minutes(slot.start().since(guard.start())),
            after_minutes: minutes(guard.end().since(slot.end())),
        },
        held_until: *held_until,
        hosted: *hosted,
    }
}

impl Matching {
    /// The few starts that are told of each offer that is looked at, where not all are.
    pub(super) fn sample(
        &self,
        question: &Question<'_>,
        facts: &Facts,
        sides: Sides<'_>,
        modes: &[Mode],
    ) -> Vec<Vec<Timestamp>> {
        let per_day = usize::try_from(self.limits.disclosures_per_day).unwrap_or(usize::MAX);
        let offers = facts.standing.offers.iter().zip(&facts.standing.records);
        let starts = offers.map(|(offer, record)| {
            if !is_for(offer, sides.relationship, modes) {
                return Vec::new();
            }
            let sampling = Sampling {
                host: question.host.as_str(),
                name: record.as_str(),
                offer,
                rules: &sides.host.rules,
                per_day,
            };
            sampling.starts(&self.key, facts.reach)
        });
        starts.collect()
    }
}

/// Whether an offer can be booked by somebody, in one of these ways.
pub(super) fn is_for(offer: &Offer, relationship: Relationship, modes: &[Mode]) -> bool {
    relationship.admitted_by(offer.policy) && offer.mode.is_some_and(|mode| modes.contains(&mode))
}

/// Decides between slots that are worth the same: for one guest of a host always in the same way, and not for every
/// guest in the same.
fn tie_break(host: &Did, guest: &Did) -> u64 {
    let hash = Sha256::new()
        .chain_update(host.as_str())
        .chain_update("\0")
        .chain_update(guest.as_str())
        .finalize();
    let (first, _) = hash.split_first_chunk().expect("a hash has 32 bytes");
    u64::from_be_bytes(*first)
}
