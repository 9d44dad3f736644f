//! What a host offers, and by which rules.

use std::num::NonZeroU16;

use chrono::{Days, NaiveDate};
use huddle_ports::Timestamp;
use serde::{Deserialize, Serialize};

use crate::hours::OfficeHours;
use crate::interval::Interval;
use crate::policy::Circle;
use crate::zone::Zone;

/// An offer: when, for whom, and how a booking comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// When.
    pub times: Times,
    /// For whom; `None` is a policy that is unknown, and admits nobody.
    pub policy: Option<Circle>,
    /// How; `None` is a mode that is unknown, and cannot be booked.
    pub mode: Option<Mode>,
    /// Lengths of a meeting in minutes, the preferred one first; none means those of the host's [`Rules`].
    pub durations: Vec<NonZeroU16>,
}

/// When an offer stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Times {
    /// Every week.
    Weekly(OfficeHours),
    /// Once.
    Once {
        /// Then.
        window: Interval,
        /// The zone that it is shown in.
        zone: Zone,
    },
}

impl Times {
    /// The zone that the offer is made in.
    pub fn zone(&self) -> Zone {
        match self {
            Self::Weekly(hours) => hours.zone,
            Self::Once { zone, .. } => *zone,
        }
    }
}

/// How a booking comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The guest states constraints, and the best slot is held.
    Auto,
    /// The guest chooses among slots.
    Pick,
    /// The host says yes before a slot is held.
    Approve,
}

/// By which rules a host gives time away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The host's zone, in which [`BookingWindow`] counts days.
    pub zone: Zone,
    /// Lengths of a meeting in minutes where an offer names none, the preferred one first. Default: 30.
    pub durations: Vec<NonZeroU16>,
    /// Minutes from the start of one slot to that of the next, as they pass. Default: 15.
    pub step_minutes: NonZeroU16,
    /// What steps are counted from.
    pub alignment: Alignment,
    /// Least minutes from now to the start of a meeting. Default: 120.
    pub notice_minutes: u32,
    /// How far ahead a meeting may start. Default: 60 days.
    pub booking_window: BookingWindow,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            zone: Zone::UTC,
            durations: vec![const { NonZeroU16::new(30).expect("30 is not 0") }],
            step_minutes: const { NonZeroU16::new(15).expect("15 is not 0") },
            alignment: Alignment::default(),
            notice_minutes: 120,
            booking_window: BookingWindow::Rolling { days: 60 },
        }
    }
}

/// What the steps from slot to slot are counted from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Alignment {
    /// The start of the window, after all that join have joined.
    ///
    /// Weekly hours that stay open for more than a week count anew from each local Monday that is a week or more
    /// after they opened: so what is offered does not depend on how far back one looks.
    #[default]
    Window,
    /// The clock of the offer's zone: slots start where the minutes since its midnight are a multiple of the step,
    /// whenever windows open and whatever its clock is changed by.
    Clock,
}

/// How far ahead a meeting may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BookingWindow {
    /// Until the end of the host's local day so many days after today.
    Rolling {
        /// 0 is today only.
        days: u16,
    },
    /// On these local dates of the host.
    Fixed {
        /// The first.
        first: NaiveDate,
        /// The last.
        last: NaiveDate,
    },
}

impl BookingWindow {
    /// The moments at which a meeting may start; `None` if there are none.
    pub fn interval(self, zone: Zone, now: Timestamp) -> Option<Interval> {
        let after = |date: NaiveDate| {
            date.checked_add_days(Days::new(1))
                .map(|next| zone.midnight(next))
        };
        match self {
            Self::Rolling { days } => {
                let last = zone.date(now).checked_add_days(Days::new(days.into()))?;
                Interval::new(now, after(last)?)
            }
            Self::Fixed { first, last } => {
                Interval::new(zone.midnight(first).max(now), after(last)?)
            }
        }
    }
}
