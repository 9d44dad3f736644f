//! One calendar of a person, whatever kind it is.

use std::time::Duration;

use huddle_ports::{Fetch, Timestamp};
use huddle_schedule::busy::BusyRules;
use huddle_schedule::icalendar::Limits;
use huddle_schedule::{Interval, Zone};

use crate::caldav::{Access, CalDav};
use crate::error::CalendarError;
use crate::event::{BookingEvent, EventKey, EventState};
use crate::feed::Feed;
use crate::icalendar;
use crate::snapshot::Snapshot;

/// A calendar that a person has connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Calendar {
    /// A published file.
    Feed(Feed),
    /// A calendar on a CalDAV server.
    CalDav(CalDav),
}

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// What is asked of a calendar.
#[derive(Clone, Copy, Debug)]
pub struct BusyQuery<'a> {
    /// The window that matters.
    ///
    /// A [`Snapshot`] answers for no other time than the window that it was read for. One that moves with the clock
    /// has therefore to be rounded, as [`in_whole_days`](Self::in_whole_days) does, or nothing read before is of use.
    pub window: Interval,
    /// Which events take time.
    pub rules: BusyRules,
    /// The person's time zone: where dates and floating times are, unless the calendar says so itself.
    pub zone: Zone,
    /// The person's own mail addresses, by which they are known among attendees.
    pub addresses: &'a [&'a str],
    /// The UID of a booking whose events take no time: what is checked is whether anything *else* is in its way.
    pub ignoring: Option<&'a str>,
    /// How much of the calendar is read. One that has more is [too large](CalendarError::TooLarge), and what recurs
    /// more often takes all the time that it may take.
    pub limits: Limits,
}

impl<'a> BusyQuery<'a> {
    /// A query by the default rules and limits, with nothing left out.
    pub fn new(window: Interval, zone: Zone) -> Self {
        Self {
            window,
            rules: BusyRules::default(),
            zone,
            addresses: &[],
            ignoring: None,
            limits: icalendar::limits(),
        }
    }

    /// The same, for each whole day in UTC that the window touches: all that is asked for during one day of, say, the
    /// next four weeks is then in the snapshot of the first time.
    #[must_use]
    pub fn in_whole_days(self) -> Self {
        let past = |moment: Timestamp| moment.as_millis().rem_euclid(DAY_MILLIS);
        let before = past(self.window.start());
        let after = (DAY_MILLIS - past(self.window.end())) % DAY_MILLIS;
        let [before, after] =
            [before, after].map(|millis| Duration::from_millis(millis.unsigned_abs()));
        Self {
            window: self.window.widened(before, after),
            ..self
        }
    }

    /// The same, without the events of a booking.
    #[must_use]
    pub fn ignoring(self, uid: &'a str) -> Self {
        Self {
            ignoring: Some(uid),
            ..self
        }
    }
}

impl Calendar {
    /// When the person is busy in a window.
    ///
    /// Events are listed and expanded here, so that the person's rules apply and the events of a booking can be left
    /// out: a real event under a hold of ours still takes its time. Only a calendar that shows no events
    /// ([`Access::FreeBusy`]) is asked for busy time itself; there a hold of ours counts too.
    ///
    /// `previous` is an earlier answer. If it was to the same query, for this window or a wider one, and is not older
    /// than [`MAX_SNAPSHOT_AGE`](crate::MAX_SNAPSHOT_AGE), the server is asked whether it still holds, and it is given
    /// back if so. Without it everything is read afresh, as it has to be before a booking is confirmed.
    ///
    /// A feed takes one request, CalDAV two; one where nothing has changed, or where a booking is ignored.
    pub async fn busy(
        &self,
        fetch: &dyn Fetch,
        now: Timestamp,
        query: &BusyQuery<'_>,
        previous: Option<&Snapshot>,
    ) -> Result<Snapshot, CalendarError> {
        match self {
            Self::Feed(feed) => feed.busy(fetch, now, query, previous).await,
            Self::CalDav(calendar) => calendar.busy(fetch, now, query, previous).await,
        }
    }

    /// What the calendar has of an event of ours; `None` if it has none, because it was never written or because
    /// somebody has removed it.
    pub async fn event(
        &self,
        fetch: &dyn Fetch,
        now: Timestamp,
        key: &EventKey,
    ) -> Result<Option<EventState>, CalendarError> {
        self.writable()?.event(fetch, now, key).await
    }

    /// Writes an event: a hold, its confirmation, or either at another time. Gives its `ETag`, to be kept for the next
    /// change.
    ///
    /// `etag` is that of the event as it was last written or read; without one the event is new. To write the same
    /// again succeeds, so an answer that was lost is asked for by repeating the request as it was.
    ///
    /// # Errors
    /// [`Conflict`](CalendarError::Conflict) if the calendar has another version, or an event where none was
    /// expected, or none where one was: [`event`](Self::event) tells.
    pub async fn put_event(
        &self,
        fetch: &dyn Fetch,
        now: Timestamp,
        key: &EventKey,
        event: &BookingEvent<'_>,
        etag: Option<&str>,
    ) -> Result<String, CalendarError> {
        self.writable()?
            .put_event(fetch, now, key, event, etag)
            .await
    }

    /// Removes an event of ours; one that is not there is removed already.
    ///
    /// Without an `ETag` the event is read first, and removed as it was read.
    ///
    /// # Errors
    /// [`Conflict`](CalendarError::Conflict) if the calendar has another version, or something of somebody else's in
    /// its place.
    pub async fn remove_event(
        &self,
        fetch: &dyn Fetch,
        now: Timestamp,
        key: &EventKey,
        etag: Option<&str>,
    ) -> Result<(), CalendarError> {
        self.writable()?.remove_event(fetch, now, key, etag).await
    }

    /// Whether events can be written to it.
    pub fn is_writable(&self) -> bool {
        self.writable().is_ok()
    }

    fn writable(&self) -> Result<&CalDav, CalendarError> {
        match self {
            Self::CalDav(calendar) if calendar.access() == Access::Write => Ok(calendar),
            Self::CalDav(_) | Self::Feed(_) => Err(CalendarError::ReadOnly),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_rounded_to_the_days_that_it_touches() {
        for (start, end, expect) in [
            (0, DAY_MILLIS, (0, DAY_MILLIS)),
            (1, DAY_MILLIS, (0, DAY_MILLIS)),
            (0, DAY_MILLIS + 1, (0, 2 * DAY_MILLIS)),
            (DAY_MILLIS - 1, DAY_MILLIS + 1, (0, 2 * DAY_MILLIS)),
            (-1, 1, (-DAY_MILLIS, DAY_MILLIS)),
        ] {
            let interval = |start, end| {
                Interval::new(Timestamp::from_millis(start), Timestamp::from_millis(end)).unwrap()
            };
            let query = BusyQuery::new(interval(start, end), Zone::UTC).in_whole_days();
            assert_eq!(query.window, interval(expect.0, expect.1));
        }
        let always = BusyQuery::new(Interval::ALWAYS, Zone::UTC).in_whole_days();
        assert_eq!(always.window, Interval::ALWAYS);
    }
}
