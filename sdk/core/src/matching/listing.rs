//! Slots to choose from, for offers in `pick` mode.

use async_trait::async_trait;
use huddle_ports::Timestamp;
use huddle_schedule::disclosure::{InvalidToken, Sides, ToldSlot};
use huddle_schedule::{Interval, Match, Mode};
use huddle_syntax::{AtUri, Did};

use super::facts::{Failed, Question};
use super::scene::Scene;
use super::{Matching, wishes};
use crate::availability::{Found, Side};
use crate::booking::{Chosen, Constraints, GuestSide};
use crate::limits::secs;

/// Lists slots to choose from, and knows them again.
#[async_trait]
pub trait Slots: Send + Sync {
    /// Lists some slots of a host's offers in `pick` mode. Of each day of an offer only a few are told of, the same to
    /// everybody, and to strangers only so many answers of a week.
    async fn slots(&self, query: &SlotQuery, deadline: Timestamp)
    -> Result<Listing, ListingFailed>;

    /// The slot of a token, which this host's offers were listed with to this guest. It may have
    /// [expired](Chosen::expires): a request that took it in time can come again.
    fn chosen(&self, token: &str, host: &Did, guest: &Did) -> Result<Chosen, InvalidSlotToken>;
}

/// What slots are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotQuery {
    /// Whose.
    pub host: Did,
    /// Who asks.
    pub guest: Did,
    /// What would suit.
    pub constraints: Constraints,
    /// The one offer to look at, if only one will do.
    pub offer: Option<AtUri>,
    /// How many at most.
    pub limit: usize,
}

/// Some of the slots that suit, the best first. None, if nothing suits, or if whatever there is must not be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The slots.
    pub slots: Vec<ListedSlot>,
    /// Whether the guest's calendars were looked at.
    pub guest_side: GuestSide,
}

/// A slot to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSlot {
    /// When it is.
    pub interval: Interval,
    /// The offer or office hours that it belongs to.
    pub offer: AtUri,
    /// Takes it, for whoever has asked.
    pub token: String,
    /// Until when.
    pub expires: Timestamp,
}

/// Why no slots can be listed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListingFailed {
    /// A calendar cannot be read now, and the guest may know that.
    #[error("a connected calendar cannot be read at present")]
    CalendarUnavailable,
    /// The service's own stores do not answer.
    #[error("{0}")]
    Unanswered(String),
}

/// A token that takes no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct InvalidSlotToken(#[from] InvalidToken);

#[async_trait]
impl Slots for Matching {
    async fn slots(
        &self,
        query: &SlotQuery,
        deadline: Timestamp,
    ) -> Result<Listing, ListingFailed> {
        match self.list(query, deadline).await {
            Ok(listing) => listing,
            Err(failed) => Err(ListingFailed::Unanswered(failed.to_string())),
        }
    }

    fn chosen(&self, token: &str, host: &Did, guest: &Did) -> Result<Chosen, InvalidSlotToken> {
        let sides = Sides {
            host: host.as_str(),
            guest: guest.as_str(),
        };
        // Whether it is too late is for whoever takes the slot to say.
        let told = ToldSlot::verify(&self.key, token, sides, Timestamp::MIN)?;
        Ok(Chosen {
            offer: told.offer.parse().map_err(|_| InvalidToken::Malformed)?,
            slot: told.slot,
            expires: told.expires,
        })
    }
}

impl Matching {
    async fn list(
        &self,
        query: &SlotQuery,
        deadline: Timestamp,
    ) -> Result<Result<Listing, ListingFailed>, Failed> {
        const PICK: &[Mode] = &[Mode::Pick];
        let question = Question {
            host: &query.host,
            guest: &query.guest,
            constraints: &query.constraints,
            offer: query.offer.as_ref(),
            booking: None,
            acquainted: false,
        };
        let facts = self.facts(&question, deadline).await?;
        let listing = |slots| Listing {
            slots,
            guest_side: facts.guest_side(),
        };
        let sides = match facts.sides(&question, PICK) {
            Ok(sides) => sides,
            Err(why) => return Ok(may_know(&why).map(|()| listing(Vec::new()))),
        };
        let Some(wishes) = wishes::wishes(&query.constraints) else {
            return Ok(Ok(listing(Vec::new())));
        };
        let stranger = facts.is_stranger(&question);
        let scene = Scene {
            question: &question,
            facts: &facts,
            sides,
            wishes: &wishes,
            modes: PICK,
            narrowest: stranger.then(|| self.narrowest()),
            sample: Some(self.sample(&question, &facts, sides, PICK)),
        };
        let mut slots = scene.best(query.limit);
        if stranger {
            slots = self.told(&question, &facts, slots, query.limit).await?;
        }
        let expires = facts.now + secs(self.limits.slot_token_secs);
        let listed = |slot: &Match| {
            let offer = &facts.standing.records[slot.offer];
            self.listed(&question, offer, slot.interval, expires)
        };
        Ok(Ok(listing(slots.iter().filter_map(listed).collect())))
    }

    /// The slot with its token; `None` for an offer whose address leaves no room in one.
    fn listed(
        &self,
        question: &Question<'_>,
        offer: &AtUri,
        slot: Interval,
        expires: Timestamp,
    ) -> Option<ListedSlot> {
        let told = ToldSlot {
            offer: offer.as_str().to_owned(),
            slot,
            expires,
        };
        let sides = Sides {
            host: question.host.as_str(),
            guest: question.guest.as_str(),
        };
        Some(ListedSlot {
            interval: slot,
            offer: offer.clone(),
            token: told.sign(&self.key, sides).ok()?,
            expires,
        })
    }
}

/// Strangers do not get to know that it is a calendar of the host's.
fn may_know(why: &Found) -> Result<(), ListingFailed> {
    match why {
        Found::Unreadable(side) | Found::Delayed(side)
            if *side != (Side::Host { stranger: true }) =>
        {
            Err(ListingFailed::CalendarUnavailable)
        }
        _ => Ok(()),
    }
}
