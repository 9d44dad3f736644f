//! What a model begins with: people, the bookings between them, what may be asked and what may go wrong.

use std::fmt;
use std::time::Duration;

use huddle_core::Interval;
use huddle_core::actor::{ActorName, Command};
use huddle_core::availability::{Found, Proposal};
use huddle_core::booking::{
    Approve, Asked, Booking, BookingId, Cancel, Constraints, Create, Decline, Finalize, GuestSide,
    Mode, Phase, Place, Reschedule, Terms,
};
use huddle_core::host_match::{Margins, Shard};
use huddle_core::idempotency::Key;
use huddle_core::limits::Limits;
use huddle_ports::Timestamp;
use huddle_syntax::Did;

use crate::actors::START;

/// A model before anything has happened.
#[derive(Clone)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) bookings: Vec<Plan>,
    /// People whose time is kept by days.
    pub(crate) sharded: &'static [&'static str],
    /// What is asked first, one after the other, while nothing goes wrong.
    pub(crate) prologue: Vec<Wish>,
    /// What is asked at any time.
    pub(crate) wishes: Vec<Wish>,
    /// Each is explored whole, one after the other.
    pub(crate) tours: Vec<Tour>,
    /// How bookings must be found to end, by their indices: else the model would not show what it is for.
    pub(crate) ends: &'static [&'static str],
}

/// How far a scenario is explored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tour {
    /// What the clock may show, in seconds after the start.
    pub(crate) clocks: &'static [u32],
    /// How many drivers may work on one booking at the same time.
    pub(crate) drivers: usize,
    /// How many wishes may be asked, of all.
    pub(crate) wishes: usize,
    pub(crate) trouble: Trouble,
}

impl fmt::Display for Tour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            clocks,
            drivers,
            wishes,
            trouble,
        } = self;
        write!(
            f,
            "clock {clocks:?}, {drivers} drivers, trouble {}",
            trouble.all
        )?;
        if *wishes < usize::MAX {
            write!(f, ", {wishes} wishes")?;
        }
        Ok(())
    }
}

/// How often what may go wrong; or how often it already has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Trouble {
    /// A driver dies; what it asked last is lost or comes late.
    pub(crate) deaths: u8,
    /// A message comes twice.
    pub(crate) copies: u8,
    /// A calendar is busy after all, or cannot be read.
    pub(crate) calendars: u8,
    /// The clock is set back.
    pub(crate) clocks: u8,
    /// All of these.
    pub(crate) all: u8,
}

impl Trouble {
    pub(crate) const fn at_most(all: u8, [deaths, copies, calendars, clocks]: [u8; 4]) -> Self {
        Self {
            deaths,
            copies,
            calendars,
            clocks,
            all,
        }
    }

    /// Adds what goes wrong, if that is still within `most`.
    pub(crate) fn add(self, more: Self, most: Self) -> Option<Self> {
        let sum = Self {
            deaths: self.deaths.saturating_add(more.deaths),
            copies: self.copies.saturating_add(more.copies),
            calendars: self.calendars.saturating_add(more.calendars),
            clocks: self.clocks.saturating_add(more.clocks),
            all: self.all.saturating_add(more.all),
        };
        let within = sum.deaths <= most.deaths
            && sum.copies <= most.copies
            && sum.calendars <= most.calendars
            && sum.clocks <= most.clocks
            && sum.all <= most.all;
        within.then_some(sum)
    }

    /// How often what may still go wrong, of `most`.
    pub(crate) fn left(self, most: Self) -> Self {
        let all = most.all - self.all;
        let left = |most: u8, so_far: u8| (most - so_far).min(all);
        Self {
            deaths: left(most.deaths, self.deaths),
            copies: left(most.copies, self.copies),
            calendars: left(most.calendars, self.calendars),
            clocks: left(most.clocks, self.clocks),
            all,
        }
    }
}

pub(crate) const DEATH: Trouble = Trouble::at_most(1, [1, 0, 0, 0]);
pub(crate) const COPY: Trouble = Trouble::at_most(1, [0, 1, 0, 0]);
pub(crate) const CALENDAR: Trouble = Trouble::at_most(1, [0, 0, 1, 0]);
pub(crate) const CLOCK_BACK: Trouble = Trouble::at_most(1, [0, 0, 0, 1]);

/// A booking that may come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) host: &'static str,
    pub(crate) guest: &'static str,
    /// Slots that suit both, the best first.
    pub(crate) slots: &'static [u8],
    /// Slots that suit both once it is to be moved.
    pub(crate) moves: &'static [u8],
    pub(crate) mode: Mode,
    /// Whether asking counts as accepting.
    pub(crate) accepted: bool,
    /// What the host keeps free after a meeting, in minutes.
    pub(crate) buffer: u64,
}

impl Plan {
    pub(crate) const fn new(host: &'static str, guest: &'static str, slots: &'static [u8]) -> Self {
        Self {
            host,
            guest,
            slots,
            moves: &[],
            mode: Mode::Auto,
            accepted: false,
            buffer: 0,
        }
    }

    fn terms(&self) -> Terms {
        Terms {
            offer: None,
            tz: "UTC".into(),
            mode: self.mode,
            guest_side: GuestSide::Checked,
        }
    }

    /// What a search finds that can read all calendars.
    pub(crate) fn found(&self, booking: &Booking) -> Found {
        let moving = matches!(booking.phase, Phase::Confirmed { .. });
        if self.mode == Mode::Approve && !booking.approved && !moving {
            return Found::NeedsApproval(self.terms());
        }
        let slots = if moving { self.moves } else { self.slots };
        let proposals = slots.iter().map(|index| Proposal {
            place: Place {
                slot: slot(*index),
                terms: self.terms(),
            },
            host: Margins {
                after: Duration::from_mins(self.buffer),
                ..Margins::default()
            },
            guest: Margins::default(),
        });
        Found::Proposals(proposals.collect())
    }
}

const HOUR: i64 = 3_600_000;

/// The slot of an index: an hour each, twenty days after the start, at 8 in the morning and later.
pub(crate) fn slot(index: u8) -> Interval {
    let start = match index {
        OVER_MIDNIGHT => MIDNIGHT - HOUR / 2,
        _ => START + (20 * 24 + i64::from(index)) * HOUR,
    };
    let [start, end] = [start, start + HOUR].map(Timestamp::from_millis);
    Interval::new(start, end).unwrap()
}

/// The midnight after the first slots.
const MIDNIGHT: i64 = START + (20 * 24 + 16) * HOUR;

/// The slot of the last half hour of a day and the first of the next.
pub(crate) const OVER_MIDNIGHT: u8 = 255;
/// The slots of the last hour of a day and of the first of the next.
pub(crate) const BEFORE_MIDNIGHT: u8 = 15;
pub(crate) const AFTER_MIDNIGHT: u8 = 16;

/// The days that slots are on.
const DAYS: [(&str, (i64, i64)); 2] = [
    ("2027-02-04", (MIDNIGHT - 24 * HOUR, MIDNIGHT)),
    ("2027-02-05", (MIDNIGHT, MIDNIGHT + 24 * HOUR)),
];

/// The actors of the days of a person that an interval meets.
pub(crate) fn days(person: &ActorName, (start, end): (i64, i64)) -> Vec<ActorName> {
    let days = DAYS.iter();
    let days = days.filter(|(_, (begins, ends))| start < *ends && *begins < end);
    days.map(|(day, _)| format!("{person}/{day}").parse().unwrap())
        .collect()
}

/// Something that a person may ask of a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// The index of the booking.
    pub(crate) booking: usize,
    pub(crate) what: What,
    /// How often, under the same key.
    pub(crate) times: u8,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Create,
    /// Under this key.
    Finalize(&'static str),
    Approve,
    Decline,
    CancelByHost,
    CancelByGuest,
    RescheduleByHost,
    RescheduleByGuest,
    /// The time of the host is to be kept by days.
    Shard,
}

pub(crate) fn wish(booking: usize, what: What) -> Wish {
    Wish {
        booking,
        what,
        times: 1,
    }
}

pub(crate) fn twice(booking: usize, what: What) -> Wish {
    Wish {
        times: 2,
        ..wish(booking, what)
    }
}

pub(crate) fn did(name: &str) -> Did {
    format!("did:web:{name}.example").parse().unwrap()
}

pub(crate) fn id(booking: usize) -> BookingId {
    format!("booking{booking:0>9}").parse().unwrap()
}

impl Scenario {
    /// All actors: the bookings in their order, then the people.
    pub(crate) fn actors(&self) -> Vec<ActorName> {
        let people = self
            .bookings
            .iter()
            .flat_map(|plan| [plan.host, plan.guest]);
        let mut people: Vec<ActorName> = people.map(|it| ActorName::host_match(&did(it))).collect();
        people.sort();
        people.dedup();
        let sharded = people.iter().filter(|person| self.has_days(person));
        let days = sharded.flat_map(|person| days(person, (i64::MIN, i64::MAX)));
        let days: Vec<ActorName> = days.collect();
        let bookings = (0..self.bookings.len()).map(|booking| ActorName::booking(&id(booking)));
        bookings.chain(people).chain(days).collect()
    }

    /// The people whose time is kept by days.
    pub(crate) fn sharded(&self) -> Vec<ActorName> {
        let people = self.sharded.iter();
        people.map(|it| ActorName::host_match(&did(it))).collect()
    }

    /// Whether a person's time is kept by days, or may come to be.
    fn has_days(&self, person: &ActorName) -> bool {
        let shards = |wish: &&Wish| wish.what == What::Shard;
        let may = self.wishes.iter().filter(shards);
        let mut may = may.map(|wish| ActorName::host_match(&did(self.bookings[wish.booking].host)));
        self.sharded().contains(person) || may.any(|it| it == *person)
    }

    /// The actor that a wish is asked of.
    pub(crate) fn actor(&self, wish: &Wish) -> ActorName {
        match wish.what {
            What::Shard => ActorName::host_match(&did(self.bookings[wish.booking].host)),
            _ => ActorName::booking(&id(wish.booking)),
        }
    }

    /// Small numbers, so that every way out of a search is near.
    pub(crate) fn limits() -> Limits {
        Limits {
            attempts_per_match: 2,
            ..Limits::default()
        }
    }

    /// The command that carries a wish.
    pub(crate) fn command(&self, wish: &Wish) -> Command {
        let plan = &self.bookings[wish.booking];
        let key = |caller: &str, key: &str| Key {
            caller: did(caller),
            method: format!("{:?}", wish.what),
            key: key.into(),
            body_hash: "same".into(),
        };
        let reschedule = |caller| Reschedule {
            key: key(caller, "k"),
            constraints: Constraints::default(),
            reason: None,
        };
        let cancel = |caller| Cancel {
            key: key(caller, "k"),
            reason: None,
        };
        match wish.what {
            What::Create => Create {
                asked: Asked {
                    accepted: plan.accepted,
                    ..Asked::new(did(plan.host), did(plan.guest))
                },
                body_hash: "same".into(),
            }
            .into(),
            What::Finalize(text) => Finalize {
                key: key(plan.guest, text),
            }
            .into(),
            What::Approve => Approve {
                key: key(plan.host, "k"),
            }
            .into(),
            What::Decline => Decline {
                key: key(plan.host, "k"),
                reason: None,
            }
            .into(),
            What::CancelByHost => cancel(plan.host).into(),
            What::CancelByGuest => cancel(plan.guest).into(),
            What::RescheduleByHost => reschedule(plan.host).into(),
            What::RescheduleByGuest => reschedule(plan.guest).into(),
            What::Shard => Shard {}.into(),
        }
    }
}
