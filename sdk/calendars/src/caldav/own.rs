//! The events that bookings have in a calendar: written, changed and removed by their `ETag`s (RFC 4791 §5.3).

use huddle_ports::{Fetch, HeaderValue, Method, Request, Response, Timestamp, Url, header};

use super::CalDav;
use super::xml::{self, Namespace};
use crate::error::CalendarError;
use crate::event::{BookingEvent, EventKey, EventState};
use crate::http::{Client, header_value, text_header, with_body};
use crate::icalendar;

const EVENT: &str = "text/calendar; charset=utf-8; component=VEVENT";

impl CalDav {
    /// As [`Calendar::event`](crate::Calendar::event).
    pub(crate) async fn event(
        &self,
        fetch: &dyn Fetch,
        now: Timestamp,
        key: &EventKey,
    ) -> Result<Option<EventState>, CalendarError> {
        self.read(&self.client(fetch, now), key).await
    }

    /// As [`Calendar::put_event`](crate::Calendar::put_event).
    pub(crate) async fn put_event(
        &self,
        fetch: &dyn Fetch,
        now: Timestamp,
        key: &EventKey,
        event: &BookingEvent<'_>,
        etag: Option<&str>,
    ) -> Result<String, CalendarError> {
        let client = self.client(fetch, now);
        let text = icalendar::write(key, event, now)?;
        let request = with_body(Method::PUT, self.event_url(key), EVENT, text);
        let (name, value) = match etag {
            Some(etag) => (header::IF_MATCH, matching(etag)?),
            None => (header::IF_NONE_MATCH, HeaderValue::from_static("*")),
        };
        let response = client.change(request.header(name, value)).await?;
        match response.status.as_u16() {
            200 | 201 | 204 => {
                if let Some(etag) = text_header(&response.headers, &header::ETAG) {
                    return Ok(etag);
                }
                // The server has made something else of it (RFC 4791 §5.3.4), or does not say.
                let state = self.read(&client, key).await?;
                Ok(state.ok_or(CalendarError::Conflict)?.etag)
            }
            // An earlier request may have done it, its answer lost.
            412 => match self.read(&client, key).await? {
                Some(state) if state.is(event) => Ok(state.etag),
                _ => Err(CalendarError::Conflict),
            },
            _ => Err(not_changed(&client, &response)),
        }
    }

    /// As [`Calendar::remove_event`](crate::Calendar::remove_event).
    pub(crate) async fn remove_event(
        &self,
        fetch: &dyn Fetch,
        now: Timestamp,
        key: &EventKey,
        etag: Option<&str>,
    ) -> Result<(), CalendarError> {
        let client = self.client(fetch, now);
        let etag = match etag {
            Some(etag) => etag.to_owned(),
            None => match self.read(&client, key).await? {
                Some(state) => state.etag,
                None => return Ok(()),
            },
        };
        let request = Request::new(Method::DELETE, self.event_url(key))
            .header(header::IF_MATCH, matching(&etag)?);
        let response = client.change(request).await?;
        match response.status.as_u16() {
            200 | 202 | 204 | 404 | 410 => Ok(()),
            // What is not there does not match either (RFC 9110 §13.1.1).
            412 if self.read(&client, key).await?.is_none() => Ok(()),
            _ => Err(not_changed(&client, &response)),
        }
    }

    async fn read(
        &self,
        client: &Client<'_>,
        key: &EventKey,
    ) -> Result<Option<EventState>, CalendarError> {
        let ask = || client.ask(Request::get(self.event_url(key)));
        let said_who = client.says_who();
        let mut response = ask().await?;
        if matches!(response.status.as_u16(), 404 | 410) && !said_who && !client.says_who() {
            // Some servers hide from strangers what there is; the calendar itself asks who asks.
            super::sync::version(self, client).await?;
            if client.says_who() {
                response = ask().await?;
            }
        }
        match response.status.as_u16() {
            200 => {
                let etag = text_header(&response.headers, &header::ETAG)
                    .ok_or(CalendarError::Broken("it gives no ETag".into()))?;
                icalendar::state(&response.body, key.uid(), etag).map(Some)
            }
            404 | 410 => Ok(None),
            201..300 => Err(CalendarError::NotACalendar),
            _ => Err(client.refusal(&response)),
        }
    }

    fn event_url(&self, key: &EventKey) -> Url {
        let url = self.collection.join(key.resource());
        url.expect("letters and digits are a relative URL")
    }
}

/// An `ETag` to compare with. Proxies that compress make it a weak one, which never matches (RFC 9110 §8.8.3.2); the
/// server knows it without that mark.
fn matching(etag: &str) -> Result<HeaderValue, CalendarError> {
    header_value(etag.strip_prefix("W/").unwrap_or(etag))
}

/// Why nothing was changed.
fn not_changed(client: &Client<'_>, response: &Response) -> CalendarError {
    match response.status.as_u16() {
        // Another version, or another event with that UID.
        409 | 412 => CalendarError::Conflict,
        403 if has_uid_elsewhere(response) => CalendarError::Conflict,
        405 | 501 => CalendarError::ReadOnly,
        _ => client.refusal(response),
    }
}

/// Whether an event with the same UID is in the calendar by another name (RFC 4791 §5.3.2.1).
fn has_uid_elsewhere(response: &Response) -> bool {
    xml::parse(&response.body).is_ok_and(|error| {
        error.is(Namespace::Dav, "error")
            && error.child(Namespace::CalDav, "no-uid-conflict").is_some()
    })
}
