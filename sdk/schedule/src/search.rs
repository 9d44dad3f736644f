//! The match: from offers, rules, constraints and what stands in people's way to the slots that suit all.

use std::cmp::Reverse;
use std::time::Duration;

use huddle_ports::Timestamp;

use crate::constraints::{ANYTHING, Constraints};
use crate::interval::Interval;
use crate::offer::{Mode, Offer, Rules};
use crate::party::Party;
use crate::policy::Relationship;
use crate::rank::{Judge, Score, Weights, tie_break};

use self::field::Field;

pub use self::explain::Reason;

mod explain;
mod field;

/// A search for slots: everything that decides it, and nothing that has to be asked for.
///
/// It looks at [`MAX_DAYS`](crate::hours::MAX_DAYS) days from the first moment that could be booked. Time and memory
/// grow with the starts of slots in that time, times the people, and with the number of busy intervals.
///
/// So how long it takes tells things that its answer does not: it is over at once for somebody who is blocked or not
/// admitted, and sooner for a host who is busy than for one who is free. Whoever answers strangers has to make all
/// answers take the same time, such as by sending each at a fixed time after its question.
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
///     Party { role: Role::Host, calendar: Calendar::None, ..Party::default() },
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
    /// Who is to come. All with [`Role::Host`](crate::Role::Host) and [`Role::Guest`](crate::Role::Guest) have to.
    pub parties: &'a [Party<'a>],
    /// How many of those with [`Role::AnyHost`](crate::Role::AnyHost) have to.
    pub quorum: usize,
    /// What would suit the guest.
    pub constraints: &'a Constraints,
    /// Where strangers ask, the narrowest that they can ask for: every wish is widened to whole blocks of so long a
    /// time; see [`widened`](crate::disclosure::widened).
    pub narrowest: Option<Duration>,
    /// The only starts that are told of each offer, in order; `None` is all. See [`Sampling`](crate::disclosure::Sampling).
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
        if field.admitted() > 1 {
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
