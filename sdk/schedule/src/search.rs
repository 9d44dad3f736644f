//! The match: from offers, rules, constraints and what stands in people's way to the slots that suit all.

use std::cmp::Reverse;
use std::num::NonZeroU16;
use std::time::Duration;

use chrono::{Datelike, Days, WeekdaySet};
use huddle_ports::Timestamp;

use crate::disclosure;
use crate::grid::{Stretch, bounded};
use crate::interval::{Interval, IntervalSet, advance};
use crate::local::LocalWindow;
use crate::offer::{Mode, Offer, Rules};
use crate::party::{Obstacle, Party, Place, Role, Way};
use crate::policy::Relationship;
use crate::rank::{Contender, Judge, Score, Weights, tie_break};
use crate::zone::Zone;

pub use explain::Reason;

mod explain;

/// The longest meeting that is looked for, in minutes: longer ones are left out.
const MAX_MEETING: Duration = Duration::from_secs(60 * u16::MAX as u64);

/// What would suit the guest; the default is anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraints {
    /// Shortest length that would do, in minutes. `None` is what the host likes best, or, with a `duration_max`,
    /// anything up to that.
    pub duration_min: Option<NonZeroU16>,
    /// Longest length that would do, in minutes. `None` is as `duration_min`.
    pub duration_max: Option<NonZeroU16>,
    /// The meeting starts then or later.
    pub earliest: Option<Timestamp>,
    /// The meeting ends then or earlier.
    pub latest: Option<Timestamp>,
    /// The local days on which the whole meeting is; `None` is any.
    pub days: Option<WeekdaySet>,
    /// The zone of `days` and `preferred`.
    pub zone: Zone,
    /// Times of day that would be best. Slots are ranked by it, and none is left out.
    pub preferred: Vec<LocalWindow>,
}

/// The default, for as long as one likes to borrow it.
static ANYTHING: Constraints = Constraints {
    duration_min: None,
    duration_max: None,
    earliest: None,
    latest: None,
    days: None,
    zone: Zone::UTC,
    preferred: Vec::new(),
};

/// Constraints that nothing can fulfil.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// The times are the wrong way round.
    #[error("`earliest` has to be before `latest`")]
    Times,
    /// The lengths are the wrong way round.
    #[error("the shortest length is longer than the longest")]
    Durations,
    /// No day of the week would do.
    #[error("`days` names no day of the week; leave it out to allow all")]
    Days,
}

impl Constraints {
    /// Whether anything could fulfil them.
    pub fn check(&self) -> Result<(), Contradiction> {
        if self.asked().is_none() {
            return Err(Contradiction::Times);
        }
        if self.days.is_some_and(WeekdaySet::is_empty) {
            return Err(Contradiction::Days);
        }
        match (self.duration_min, self.duration_max) {
            (Some(min), Some(max)) if min > max => Err(Contradiction::Durations),
            _ => Ok(()),
        }
    }

    fn asked(&self) -> Option<Interval> {
        let earliest = self.earliest.unwrap_or(Timestamp::MIN);
        Interval::new(earliest, self.latest.unwrap_or(Timestamp::MAX))
    }

    /// Of the lengths that a host offers those that would do, in the host's order.
    fn lengths(&self, offered: &[NonZeroU16]) -> Vec<NonZeroU16> {
        let (min, max) = match (self.duration_min, self.duration_max) {
            (None, None) => return offered.iter().take(1).copied().collect(),
            (None, Some(max)) => (NonZeroU16::MIN, max),
            (Some(min), max) => (min, max.unwrap_or(min)),
        };
        let would_do = |length: &NonZeroU16| (min..=max).contains(length);
        offered.iter().copied().filter(would_do).collect()
    }

    /// When the meeting may be, of a bounded interval.
    fn times(&self, within: Interval) -> IntervalSet {
        let Some(asked) = self.asked().and_then(|asked| asked.intersection(within)) else {
            return IntervalSet::new();
        };
        let Some(days) = self.days else {
            return asked.into();
        };
        let (first, last) = (self.zone.date(asked.start()), self.zone.date(asked.end()));
        let last = last.checked_add_days(Days::new(1)).unwrap_or(last);
        first
            .iter_days()
            .take_while(|date| *date <= last)
            .filter(|date| days.contains(date.weekday()))
            .filter_map(|date| self.zone.day(date)?.intersection(asked))
            .collect()
    }
}

/// A search for slots: everything that decides it, and nothing that has to be asked for.
///
/// It looks at [`MAX_DAYS`](crate::hours::MAX_DAYS) days from the first moment that could be booked. Time and memory
/// grow with the starts of slots in that time, times the people, and with the number of busy intervals.
///
/// ```
/// use huddle_ports::Timestamp;
/// use huddle_schedule::{
///     Calendar, Circle, Interval, IntervalSet, Mode, Offer, Party, Relationship, Role, Rules, Search,
///     Times, Zone,
/// };
///
/// let at = |hour: i64| Timestamp::from_millis(hour * 3_600_000);
/// let between = |from, to| Interval::new(at(from), at(to)).expect("hours go up");
/// let offers = [Offer {
///     times: Times::Once { window: between(9, 12), zone: Zone::UTC },
///     policy: Some(Circle::Anyone),
///     mode: Some(Mode::Auto),
///     durations: Vec::new(),
/// }];
/// let busy = IntervalSet::from(between(9, 11));
/// let parties = [
///     Party { role: Role::Host, ..Party::default() },
///     Party { calendar: Calendar::Known(&busy), ..Party::default() },
/// ];
/// let friends = Relationship { circle: Circle::Mutual, blocked: false };
/// let rules = Rules::default();
/// let search = Search::new(at(0), &offers, friends, &rules, &parties);
/// assert_eq!(search.best(1)[0].interval.start(), at(11));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The present moment.
    pub now: Timestamp,
    /// What the host offers.
    pub offers: &'a [Offer],
    /// How the guest stands to the host.
    pub relationship: Relationship,
    /// The ways of booking that will do.
    pub modes: &'a [Mode],
    /// The host's rules.
    pub rules: &'a Rules,
    /// Who is to come. All with [`Role::Host`] and [`Role::Guest`] have to.
    pub parties: &'a [Party<'a>],
    /// How many of those with [`Role::AnyHost`] have to.
    pub quorum: usize,
    /// What would suit the guest.
    pub constraints: &'a Constraints,
    /// Wishes for less time than this are widened, where strangers ask; see [`disclosure::widened`].
    pub narrowest: Option<Duration>,
    /// The only starts that are told of each offer, in order; `None` is all. See [`disclosure::Sampling`].
    pub sample: Option<&'a [Vec<Timestamp>]>,
    /// The booking that is to be moved: it is not in its own way.
    pub moving: Option<&'a str>,
    /// How slots are ranked.
    pub weights: &'a Weights,
    /// Decides between slots that are worth the same: another number, another order. Make it of host and guest, so
    /// that one guest gets the same order each time, and not every guest is sent to the same slot.
    pub tie_break: u64,
}

/// A slot that suits everybody who has to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// When it is.
    pub interval: Interval,
    /// Which of the offers it belongs to.
    pub offer: usize,
}

/// A slot, what it is worth, and who can come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// When it is.
    pub interval: Interval,
    /// Which of the offers it belongs to.
    pub offer: usize,
    /// Why it is ranked where it is.
    pub score: Score,
    /// Which of the parties can come.
    pub free: Vec<usize>,
}

impl<'a> Search<'a> {
    /// A search for anything that is offered in a way of booking that takes constraints, ranked as by default.
    pub fn new(
        now: Timestamp,
        offers: &'a [Offer],
        relationship: Relationship,
        rules: &'a Rules,
        parties: &'a [Party<'a>],
    ) -> Self {
        Self {
            now,
            offers,
            relationship,
            modes: &[Mode::Auto, Mode::Approve],
            rules,
            parties,
            quorum: 0,
            constraints: &ANYTHING,
            narrowest: None,
            sample: None,
            moving: None,
            weights: &Weights::DEFAULT,
            tie_break: 0,
        }
    }
}

impl Search<'_> {
    /// The best slots, the best first, no two with the same start. It costs as much to get one as to get all.
    pub fn best(&self, limit: usize) -> Vec<Match> {
        let Some(field) = Field::new(self) else {
            return Vec::new();
        };
        let shortest = field.shortest_millis();
        let asked = (self.constraints.zone, self.constraints.preferred.as_slice());
        let judge = Judge::new(self.weights, field.starts, self.parties, asked, shortest);
        let mut ranked = Vec::new();
        field.sweep(|found| {
            let score = judge.score(found.contender, &field.ways, found.places, found.comes);
            let start = found.contender.slot.start();
            let worth = Reverse(score.total(self.weights));
            ranked.push(Ranked {
                order: (worth, tie_break(self.tie_break, start), start, found.offer),
                interval: found.contender.slot,
                score,
            });
        });
        if field.offers.len() > 1 {
            ranked.sort_unstable_by_key(|ranked| (ranked.interval.start(), ranked.order));
            ranked.dedup_by_key(|ranked| ranked.interval.start());
        }
        if limit < ranked.len() {
            ranked.select_nth_unstable_by_key(limit, |ranked| ranked.order);
            ranked.truncate(limit);
        }
        ranked.sort_unstable_by_key(|ranked| ranked.order);
        let as_match = |ranked: Ranked| Match {
            interval: ranked.interval,
            offer: ranked.order.3,
            score: ranked.score,
            free: field.free(ranked.interval),
        };
        ranked.into_iter().map(as_match).collect()
    }

    fn is_told(&self, offer: usize, start: Timestamp) -> bool {
        self.sample.is_none_or(|sample| {
            let told = sample.get(offer);
            told.is_some_and(|told| told.binary_search(&start).is_ok())
        })
    }

    /// All slots of one offer after the other, by start.
    pub fn all(&self) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        if let Some(field) = Field::new(self) {
            field.sweep(|found| {
                candidates.push(Candidate {
                    interval: found.contender.slot,
                    offer: found.offer,
                });
            });
        }
        candidates
    }
}

/// A slot with its place in the order: worth, tie-break, start, offer.
#[derive(Clone, Copy, Debug)]
struct Ranked {
    order: (Reverse<u32>, u64, Timestamp, usize),
    interval: Interval,
    score: Score,
}

/// A search made ready.
#[derive(Debug)]
struct Field<'a> {
    search: &'a Search<'a>,
    /// The moments at which slots may start.
    starts: Interval,
    /// The moments at which the guest would meet.
    times: IntervalSet,
    ways: Vec<Way<'a>>,
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
struct Found<'s> {
    contender: Contender,
    offer: usize,
    places: &'s [Place],
    /// Which of the parties can come.
    comes: &'s [bool],
}

impl<'a> Field<'a> {
    /// `None` where there is no moment at which a slot may start.
    fn new(search: &'a Search<'a>) -> Option<Self> {
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

    /// The shortest meeting that can be had, in milliseconds.
    fn shortest_millis(&self) -> i64 {
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
    fn sweep(&self, mut tell: impl FnMut(Found<'_>)) {
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

    fn obstacle(&self, party: usize, slot: Interval) -> Option<Obstacle> {
        self.ways[party].obstacle(slot, &mut Place::default())
    }

    fn free(&self, slot: Interval) -> Vec<usize> {
        (0..self.ways.len())
            .filter(|party| self.obstacle(*party, slot).is_none())
            .collect()
    }
}

/// The first so many minutes from a moment.
fn slot(start: Timestamp, minutes: NonZeroU16) -> Option<Interval> {
    Interval::lasting(start, Duration::from_secs(u64::from(minutes.get()) * 60))
}

/// The moments at which the host lets a meeting start, as far as they are looked at.
fn bookable(search: &Search<'_>) -> Option<Interval> {
    let rules = search.rules;
    let window = rules.booking_window.interval(rules.zone, search.now)?;
    let noticed = search.now + Duration::from_secs(u64::from(rules.notice_minutes) * 60);
    bounded(Interval::new(window.start().max(noticed), window.end())?)
}

/// When the guest would meet, widened where a stranger would learn too much otherwise.
fn times(search: &Search<'_>, bookable: Interval) -> IntervalSet {
    let narrowest = search.narrowest.unwrap_or_default();
    let within = bookable.widened(narrowest, narrowest + MAX_MEETING);
    let times = search.constraints.times(within);
    match search.narrowest {
        Some(narrowest) => disclosure::widened(&times, narrowest),
        None => times,
    }
}

fn offered<'a>(search: &Search<'a>, offer: &'a Offer) -> &'a [NonZeroU16] {
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
