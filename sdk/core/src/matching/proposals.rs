//! A search: what is proposed, and why nothing is.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::{Days, NaiveDate, NaiveTime, Weekday};
use huddle_ports::Timestamp;
use huddle_schedule::{Interval, Match, Mode};

use super::facts::{Facts, Failed, Question, Standing};
use super::scene::{Scene, Sides};
use super::{Busy, Matching, UnknownRelationship, wishes};
use crate::availability::{Found, Proposal, Search, Side};
use crate::booking::{Place, Terms};
use crate::host_match::{Cap, Margins, Role};
use crate::preferences::Preferences;

/// The most slots that are proposed for one search: some to fall back on, should the first be taken meanwhile.
const MOST_PROPOSALS: usize = 32;

impl<'a> Question<'a> {
    fn of(search: &'a Search) -> Self {
        let chosen = search.constraints.chosen.as_ref();
        Self {
            host: &search.host,
            guest: &search.guest,
            constraints: &search.constraints,
            offer: chosen.map(|it| &it.offer).or(search.offer.as_ref()),
            booking: search.booking.as_ref(),
            acquainted: search.acquainted,
        }
    }
}

impl Matching {
    pub(super) async fn propose(&self, search: &Search, deadline: Timestamp) -> Found {
        let found = self.try_to_propose(search, deadline).await;
        found.unwrap_or_else(|_: Failed| {
            let stranger = !search.acquainted;
            Found::Delayed(Side::Host { stranger })
        })
    }

    async fn try_to_propose(&self, search: &Search, deadline: Timestamp) -> Result<Found, Failed> {
        let question = Question::of(search);
        let facts = self.facts(&question, deadline).await?;
        let stranger = facts.is_stranger(&question);
        if let Some(until) = search.strangers_wait.filter(|_| stranger) {
            return Ok(Found::StrangersWait(until));
        }
        let modes = modes(search);
        let sides = match facts.sides(&question, modes) {
            Ok(sides) => sides,
            Err(found) => return Ok(found),
        };
        let Some(wishes) = wishes::wishes(&search.constraints) else {
            return Ok(nothing());
        };
        let chosen = search.constraints.chosen.as_deref();
        let scene = Scene {
            question: &question,
            facts: &facts,
            sides,
            wishes: &wishes,
            modes,
            narrowest: (stranger && chosen.is_none()).then(|| self.narrowest()),
            sample: stranger.then(|| self.sample(&question, &facts, sides, modes)),
        };
        let mut slots = scene.best(MOST_PROPOSALS);
        slots.retain(|slot| chosen.is_none_or(|chosen| slot.interval == chosen.slot));
        let (mut slots, waits) = for_approval(slots, search, &facts.standing);
        // What was chosen was told before.
        if stranger && chosen.is_none() {
            slots = self.told(&question, &facts, slots, 1).await?;
        }
        // What strangers are answered is about whole blocks, whatever they have asked for: they may turn it down, where
        // they are asked. To look for another slot within what they have asked for would be to answer that.
        if search.confirms {
            slots.retain(|slot| wishes::are_fulfilled(&wishes, slot.interval));
        }
        if waits && let Some(slot) = slots.first() {
            return Ok(Found::NeedsApproval(facts.terms(slot)));
        }
        let proposals = slots.iter().map(|slot| facts.proposal(slot, sides));
        Ok(Found::Proposals(proposals.collect()))
    }
}

/// Nothing suits, or whatever there is must not be known.
fn nothing() -> Found {
    Found::Proposals(Vec::new())
}

/// The ways of booking that a search takes slots from.
fn modes(search: &Search) -> &'static [Mode] {
    match search.by {
        _ if search.constraints.chosen.is_some() => &[Mode::Pick],
        Role::Host => &[Mode::Auto, Mode::Pick, Mode::Approve],
        // Whoever was never approved does not get there by moving a meeting.
        Role::Guest if search.acquainted && !search.approved => &[Mode::Auto],
        Role::Guest => &[Mode::Auto, Mode::Approve],
    }
}

impl Facts {
    /// Both sides, where slots may be searched at all.
    ///
    /// The guest's own calendars come first, whoever the host is: how they stand tells nothing of the host then. Only
    /// who may book and is no stranger is put off because of them, since the host would get to see that.
    pub(super) fn sides(
        &self,
        question: &Question<'_>,
        modes: &[Mode],
    ) -> Result<Sides<'_>, Found> {
        let [of_host, of_guest] = &self.taken;
        let standing = &self.standing;
        let stranger = self.is_stranger(question);
        let admitted = standing.admits(modes);
        match of_guest.calendars {
            Busy::Delayed if admitted && !stranger => return Err(Found::Delayed(Side::Guest)),
            Busy::Delayed | Busy::Unreadable => return Err(Found::Unreadable(Side::Guest)),
            Busy::Unconnected | Busy::Known(_) => {}
        }
        let side = Side::Host { stranger };
        let relationship = match standing.relationship {
            Ok(relationship) => relationship,
            Err(UnknownRelationship::Unavailable(_)) => return Err(Found::Delayed(side)),
            Err(UnknownRelationship::NoSuchAccount(_)) => return Err(nothing()),
        };
        let (Ok(host), Ok(guest), true) = (&standing.host, &standing.guest, admitted) else {
            return Err(nothing());
        };
        match of_host.calendars {
            Busy::Delayed => Err(Found::Delayed(side)),
            Busy::Unreadable => Err(Found::Unreadable(side)),
            Busy::Unconnected | Busy::Known(_) => Ok(Sides {
                host,
                guest,
                relationship,
            }),
        }
    }

    fn terms(&self, slot: &Match) -> Terms {
        let offer = &self.standing.offers[slot.offer];
        Terms {
            offer: Some(self.standing.records[slot.offer].clone()),
            tz: offer.times.zone().name().to_owned(),
            mode: offer.mode.unwrap_or(Mode::Auto),
            guest_side: self.guest_side(),
        }
    }

    fn proposal(&self, slot: &Match, sides: Sides<'_>) -> Proposal {
        Proposal {
            place: Place {
                slot: slot.interval,
                terms: self.terms(slot),
            },
            host: Margins {
                caps: caps(sides.host, slot.interval.start()),
                ..margins(sides.host)
            },
            guest: margins(sides.guest),
        }
    }
}

/// The slots that can be had at once; where there are none, those that the host says yes to first, and that it is so.
fn for_approval(slots: Vec<Match>, search: &Search, standing: &Standing) -> (Vec<Match>, bool) {
    let at_once = |slot: &Match| {
        search.approved
            || search.by == Role::Host
            || standing.offers[slot.offer].mode != Some(Mode::Approve)
    };
    let (at_once, later): (Vec<_>, Vec<_>) = slots.into_iter().partition(at_once);
    if at_once.is_empty() && !later.is_empty() {
        (later, true)
    } else {
        (at_once, false)
    }
}

fn margins(person: &Preferences) -> Margins {
    let minutes = |minutes: u16| Duration::from_secs(u64::from(minutes) * 60);
    Margins {
        before: minutes(person.margins.before_minutes),
        after: minutes(person.margins.after_minutes),
        caps: Vec::new(),
    }
}

/// How many meetings the host has at most on the day and in the week of one that starts then.
fn caps(host: &Preferences, start: Timestamp) -> Vec<Cap> {
    let zone = host.rules.zone;
    let today = zone.date(start);
    let monday = today.week(Weekday::Mon).checked_first_day();
    let days = |first: Option<NaiveDate>, days| {
        let first = first?;
        let midnight = |date: NaiveDate| zone.instant(date.and_time(NaiveTime::MIN));
        let end = first.checked_add_days(Days::new(days))?;
        Interval::new(midnight(first), midnight(end))
    };
    let caps = [
        (host.caps.per_day, days(Some(today), 1)),
        (host.caps.per_week, days(monday, 7)),
    ];
    let cap = |(most, within): (Option<NonZeroU32>, Option<Interval>)| {
        Some(Cap {
            within: within?,
            at_most: most?.get(),
        })
    };
    caps.into_iter().filter_map(cap).collect()
}
