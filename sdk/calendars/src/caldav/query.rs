//! When somebody is busy: the events of a window, read and expanded here.
//!
//! Servers can also expand recurring events (RFC 4791 §9.6.5) and tell busy time themselves (§7.10). Neither is
//! relied on where events can be read: several large servers know neither, some count what was declined as busy,
//! and none knows the person's rules.

use std::borrow::Cow;
use std::time::Duration;

use huddle_ports::{Bytes, Fetch, Timestamp};
use huddle_schedule::Interval;

use super::multistatus::{Multistatus, Resource};
use super::sync::version;
use super::xml::{self, Namespace};
use super::{Access, CalDav, Depth, question};
use crate::calendar::BusyQuery;
use crate::error::CalendarError;
use crate::http::Client;
use crate::icalendar::{self, Busy, utc};
use crate::snapshot::{Snapshot, Version};

/// How much more than the window is asked for on each side. Dates and local times without a zone are in the zone of
/// the person (RFC 5545 §3.3.12), which servers do not know: they may be a day off.
const MARGIN: Duration = Duration::from_hours(24);

impl CalDav {
    /// As [`Calendar::busy`](crate::Calendar::busy).
    pub(crate) async fn busy(
        &self,
        fetch: &dyn Fetch,
        now: Timestamp,
        query: &BusyQuery<'_>,
        previous: Option<&Snapshot>,
    ) -> Result<Snapshot, CalendarError> {
        let client = self.client(fetch, now);
        if self.access == Access::FreeBusy {
            let busy = self.told_busy(&client, query).await?;
            return Ok(Snapshot::new(query, busy, now, Version::Unknown));
        }
        let known = previous.and_then(|snapshot| snapshot.for_query(query, now));
        let version = match known {
            Some((snapshot, known)) => {
                let (version, unchanged) = self.compare(&client, known).await?;
                if unchanged {
                    return Ok(snapshot.unchanged(version, now));
                }
                version
            }
            // A check for one booking is made once, and is not to take longer than it must.
            None if query.ignoring.is_some() => Version::Unknown,
            // Before the events are read: what changes in between is then read once more, not missed.
            None => version(self, &client).await?,
        };
        let busy = self.listed_busy(&client, query).await?;
        Ok(Snapshot::new(query, busy, now, version))
    }

    /// The present version, and whether it is what it was.
    async fn compare(
        &self,
        client: &Client<'_>,
        known: &Version,
    ) -> Result<(Version, bool), CalendarError> {
        if let Version::SyncToken(token) = known
            && let Some(changes) = self.changes(client.fetch, client.now, Some(token)).await?
        {
            let unchanged = changes.is_empty();
            return Ok((Version::SyncToken(changes.token), unchanged));
        }
        let present = version(self, client).await?;
        let unchanged = matches!(present, Version::CollectionTag(_)) && present == *known;
        Ok((present, unchanged))
    }

    /// The busy time of all events that may meet the window.
    async fn listed_busy(
        &self,
        client: &Client<'_>,
        query: &BusyQuery<'_>,
    ) -> Result<Busy, CalendarError> {
        let range = time_range(query.window);
        let body = format!(
            r#"<?xml version="1.0" encoding="utf-8"?><C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/><C:calendar-data/></D:prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{range}</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"#
        );
        let request = question(b"REPORT", self.collection.clone(), Depth::One, body);
        let response = client.ask(request).await?;
        match response.status.as_u16() {
            207 => {}
            200..300 => return Err(CalendarError::NotACalendar),
            _ if names_a_limit(&response.body) => return Err(CalendarError::TooLarge),
            _ => return Err(client.refusal(&response)),
        }
        let answer = Multistatus::parse(&response.body, &response.final_url)?;
        let texts = answer
            .resources
            .iter()
            .filter_map(|resource| self.event_text(resource).transpose())
            .collect::<Result<Vec<&str>, _>>()?;
        let busy = icalendar::busy(texts.into_iter().map(str::as_bytes), query);
        busy.map_err(|error| match error {
            // The server says that it is one, and shows something else as one of its events.
            CalendarError::NotACalendar => unshown(),
            other => other,
        })
    }

    /// What a resource holds; `None` of the calendar itself, which some servers name among its events. Whatever
    /// cannot be read may be time that is taken.
    fn event_text<'a>(&self, resource: &'a Resource) -> Result<Option<&'a str>, CalendarError> {
        let data = resource
            .property(Namespace::CalDav, "calendar-data")
            .map(xml::Element::raw_text);
        match (resource.status, data) {
            (None | Some(200), Some(data)) => Ok(Some(data)),
            (Some(507), _) => Err(CalendarError::TooLarge),
            (_, None) if self.is_self(&resource.url) => Ok(None),
            _ => Err(unshown()),
        }
    }

    /// The busy time of a window, as the server tells it (RFC 4791 §7.10).
    async fn told_busy(
        &self,
        client: &Client<'_>,
        query: &BusyQuery<'_>,
    ) -> Result<Busy, CalendarError> {
        let range = time_range(query.window);
        let body = format!(
            r#"<?xml version="1.0" encoding="utf-8"?><C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav">{range}</C:free-busy-query>"#
        );
        let request = question(b"REPORT", self.collection.clone(), Depth::One, body);
        let response = client.ask(request).await?;
        match response.status.as_u16() {
            200 => icalendar::free_busy(&response.body, query),
            _ if names_a_limit(&response.body) => Err(CalendarError::TooLarge),
            201..300 => Err(CalendarError::NotACalendar),
            _ => Err(client.refusal(&response)),
        }
    }
}

fn unshown() -> CalendarError {
    CalendarError::Broken(Cow::Borrowed("it lists an event and does not show it"))
}

/// The window and its margin (RFC 4791 §9.9).
fn time_range(window: Interval) -> String {
    let wide = window.widened(MARGIN, MARGIN);
    let (start, end) = (utc(wide.start()), utc(wide.end()));
    format!(r#"<C:time-range start="{start}" end="{end}"/>"#)
}

/// Whether an error says that there is more than the server gives at once (RFC 4791 §7.8).
fn names_a_limit(body: &Bytes) -> bool {
    xml::parse(body).is_ok_and(|error| {
        error.is(Namespace::Dav, "error")
            && error
                .child(Namespace::Dav, "number-of-matches-within-limits")
                .is_some()
    })
}
