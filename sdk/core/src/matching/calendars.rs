//! What is asked of a person's calendars.

use async_trait::async_trait;
use huddle_ports::Timestamp;
use huddle_schedule::{Interval, IntervalSet};
use huddle_syntax::Did;

use super::Freshness;
use crate::booking::BookingId;
pub use crate::user_connector::connector::Calendars as Connected;

/// Knows when people are busy, by the calendars that they have connected.
#[async_trait]
pub trait Calendars: Send + Sync {
    /// When `person` is busy within a stretch of time. It is answered by the deadline: what takes longer is
    /// [`Busy::Delayed`].
    ///
    /// `connected` is what their actor has just told, of the events of `but` too. What `but` has put into the calendars
    /// does not count: what is asked is whether anything else is in its way.
    async fn busy(
        &self,
        person: &Did,
        connected: &Connected,
        within: Interval,
        but: Option<&BookingId>,
        freshness: Freshness,
        deadline: Timestamp,
    ) -> Busy;
}

/// When a person is busy, as far as that can be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Busy {
    /// They have connected no calendar.
    Unconnected,
    /// All their calendars were read: then.
    Known(IntervalSet),
    /// A calendar cannot be read.
    Unreadable,
    /// A calendar wants to be asked later, or has not answered by the deadline.
    Delayed,
}

/// Where nobody can connect a calendar: everybody's time is what they have not given away here.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCalendars;

#[async_trait]
impl Calendars for NoCalendars {
    async fn busy(
        &self,
        _person: &Did,
        _connected: &Connected,
        _within: Interval,
        _but: Option<&BookingId>,
        _freshness: Freshness,
        _deadline: Timestamp,
    ) -> Busy {
        Busy::Unconnected
    }
}
