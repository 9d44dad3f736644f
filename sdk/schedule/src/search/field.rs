//! A search made ready, and the sweep over everything that might do.

use std::num::NonZeroU16;
use std::time::Duration;

use huddle_ports::Timestamp;

use super::Search;
use crate::disclosure;
use crate::grid::{Stretch, bounded};
use crate::interval::{Interval, IntervalSet, advance};
use crate::offer::Offer;
use crate::party::{Obstacle, Place, Role, Way};
use crate::rank::Contender;

/// The longest meeting that can be, in minutes.
const MAX_MEETING: Duration = Duration::from_secs(60 * u16::MAX as u64);

/// A search made ready.
#[derive(Debug)]
pub(super) struct Field<'a> {
    pub(super) search: &'a Search<'a>,
    /// The moments at which slots may start.
    pub(super) starts: Interval,
    /// The moments at which the guest would meet.
    times: IntervalSet,
    pub(super) ways: Vec<Way<'a>>,
    offers: Vec<Admitted<'a>>,
}

/// An offer that is for the guest, and the lengths of it that would do.
#[derive(Debug)]
struct Admitted<'a> {
    index: usize,
    offer: &'a Offer,
    lengths: Vec<NonZeroU16>,
}

/// A slot that suits, as the sweep comes to it.
pub(super) struct Found<'s> {
    pub(super) contender: Contender,
    pub(super) offer: usize,
    pub(super) places: &'s [Place],
    /// Which of the parties can come.
    pub(super) comes: &'s [bool],
}

impl<'a> Field<'a> {
    /// `None` where there is no moment at which a slot may start.
    pub(super) fn new(search: &'a Search<'a>) -> Option<Self> {
        let bookable = bookable(search)?;
        let times = times(search, bookable);
        let (first, last) = (times.as_slice().first()?, times.as_slice().last()?);
        let starts = Interval::new(first.start(), last.end())?.intersection(bookable)?;
        let way = |party| Way::new(party, search.now, search.moving);
        Some(Self {
            search,
            starts,
            times,
            ways: search.parties.iter().map(way).collect(),
            offers: search
                .offers
                .iter()
                .enumerate()
                .filter_map(|(index, offer)| admitted(search, index, offer))
                .collect(),
        })
    }

    /// How many offers are for the guest.
    pub(super) fn admitted(&self) -> usize {
        self.offers.len()
    }

    /// The shortest meeting that can be had, in milliseconds.
    pub(super) fn shortest_millis(&self) -> i64 {
        let lengths = self
            .search
            .offers
            .iter()
            .flat_map(|offer| offered(self.search, offer));
        lengths
            .min()
            .map_or(0, |shortest| i64::from(shortest.get()) * 60_000)
    }

    /// Tells of every slot that suits: offer by offer, by start, of each start the length that the host likes best.
    pub(super) fn sweep(&self, mut tell: impl FnMut(Found<'_>)) {
        let mut comes = vec![false; self.ways.len()];
        for Admitted {
            index,
            offer,
            lengths,
        } in &self.offers
        {
            let mut places = vec![Place::default(); self.ways.len()];
            let mut next = 0;
            for stretch in offer.stretches(self.search.rules, self.starts) {
                for start in stretch
                    .starts()
                    .filter(|start| self.search.is_told(*index, *start))
                {
                    next = advance(self.times.as_slice(), next, start);
                    let Some(time) = self.times.as_slice().get(next) else {
                        break;
                    };
                    let Some(contender) = self.first_that_suits(
                        start,
                        *time,
                        stretch,
                        lengths,
                        &mut places,
                        &mut comes,
                    ) else {
                        continue;
                    };
                    tell(Found {
                        contender,
                        offer: *index,
                        places: &places,
                        comes: &comes,
                    });
                }
            }
        }
    }

    /// The slot that starts then and suits, of the length that the host likes best.
    fn first_that_suits(
        &self,
        start: Timestamp,
        time: Interval,
        stretch: Stretch,
        lengths: &[NonZeroU16],
        places: &mut [Place],
        comes: &mut [bool],
    ) -> Option<Contender> {
        let window = stretch.window;
        lengths.iter().enumerate().find_map(|(length, minutes)| {
            let slot = slot(start, *minutes)?;
            let suits =
                window.covers(slot) && time.covers(slot) && self.suits_all(slot, places, comes);
            suits.then_some(Contender {
                slot,
                window,
                length,
            })
        })
    }

    /// Whether all who have to come can, and enough of the others.
    fn suits_all(&self, slot: Interval, places: &mut [Place], comes: &mut [bool]) -> bool {
        let mut any_hosts = 0;
        for (index, party) in self.search.parties.iter().enumerate() {
            comes[index] = self.ways[index]
                .obstacle(slot, &mut places[index])
                .is_none();
            match party.role {
                Role::AnyHost => any_hosts += usize::from(comes[index]),
                Role::Host | Role::Guest if !comes[index] => return false,
                Role::Host | Role::Guest => {}
            }
        }
        any_hosts >= self.search.quorum
    }

    pub(super) fn obstacle(&self, party: usize, slot: Interval) -> Option<Obstacle> {
        self.ways[party].obstacle(slot, &mut Place::default())
    }

    pub(super) fn free(&self, slot: Interval) -> Vec<usize> {
        (0..self.ways.len())
            .filter(|party| self.obstacle(*party, slot).is_none())
            .collect()
    }
}

/// The first so many minutes from a moment.
pub(super) fn slot(start: Timestamp, minutes: NonZeroU16) -> Option<Interval> {
    Interval::lasting(start, Duration::from_secs(u64::from(minutes.get()) * 60))
}

/// The moments at which the host lets a meeting start, as far as they are looked at.
pub(super) fn bookable(search: &Search<'_>) -> Option<Interval> {
    let rules = search.rules;
    let window = rules.booking_window.interval(rules.zone, search.now)?;
    let noticed = search.now + Duration::from_secs(u64::from(rules.notice_minutes) * 60);
    bounded(Interval::new(window.start().max(noticed), window.end())?)
}

/// When the guest would meet, in whole blocks where strangers ask.
pub(super) fn times(search: &Search<'_>, bookable: Interval) -> IntervalSet {
    // What is past or too soon is in no wish. A meeting may end after the last moment at which one may start.
    let within = bookable.widened(Duration::ZERO, MAX_MEETING);
    let times = search.constraints.times(within);
    match search.narrowest {
        Some(narrowest) => disclosure::widened(&times, narrowest),
        None => times,
    }
}

pub(super) fn offered<'a>(search: &Search<'a>, offer: &'a Offer) -> &'a [NonZeroU16] {
    if offer.durations.is_empty() {
        &search.rules.durations
    } else {
        &offer.durations
    }
}

fn admitted<'a>(search: &Search<'a>, index: usize, offer: &'a Offer) -> Option<Admitted<'a>> {
    let admits = search.relationship.admitted_by(offer.policy)
        && offer.mode.is_some_and(|mode| search.modes.contains(&mode));
    let lengths = search.constraints.lengths(offered(search, offer));
    (admits && !lengths.is_empty()).then_some(Admitted {
        index,
        offer,
        lengths,
    })
}
