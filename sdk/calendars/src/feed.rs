//! Calendars that somebody publishes as one file at a secret address (RFC 5545, RFC 7986).

use std::fmt;
use std::net::IpAddr;

use huddle_ports::{Fetch, HeaderValue, Request, Response, Timestamp, Url, header};

use crate::calendar::BusyQuery;
use crate::error::CalendarError;
use crate::http::{Client, header_value, text_header};
use crate::icalendar;
use crate::snapshot::{Snapshot, Version};

/// A calendar that is published as one file. It can be read, and nothing else.
///
/// Who knows its address can read it, so the address is a credential.
#[derive(Clone, PartialEq, Eq)]
pub struct Feed {
    url: Url,
}

/// What was given is no address of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a feed has an address that begins with https:// or webcal://, without a user or a password"
)]
pub struct InvalidFeedUrl;

impl Feed {
    /// The feed at an address. `webcal` stands for `https`.
    ///
    /// `http` is for this machine alone, which only a
    /// [policy for development](huddle_ports::FetchPolicy::development) lets anybody ask: on any other way the
    /// address, which is the secret, could be read.
    pub fn new(address: &str) -> Result<Self, InvalidFeedUrl> {
        let address = address.trim();
        let (scheme, rest) = address.split_once("://").ok_or(InvalidFeedUrl)?;
        let url = match scheme.to_ascii_lowercase().as_str() {
            "https" | "http" => Url::parse(address),
            "webcal" | "webcals" => Url::parse(&format!("https://{rest}")),
            _ => return Err(InvalidFeedUrl),
        };
        let url = url.map_err(|_| InvalidFeedUrl)?;
        let is_private = url.scheme() == "https" || is_this_machine(&url);
        if !is_private || !url.username().is_empty() || url.password().is_some() || !url.has_host()
        {
            return Err(InvalidFeedUrl);
        }
        Ok(Self { url })
    }

    /// As [`Calendar::busy`](crate::Calendar::busy).
    pub(crate) async fn busy(
        &self,
        fetch: &dyn Fetch,
        now: Timestamp,
        query: &BusyQuery<'_>,
        previous: Option<&Snapshot>,
    ) -> Result<Snapshot, CalendarError> {
        let client = Client::new(fetch, None, now);
        let known = previous.and_then(|snapshot| snapshot.for_query(query, now));
        let request = conditional(self.request(), known.map(|(_, version)| version))?;
        let is_conditional = request.headers.contains_key(header::IF_NONE_MATCH)
            || request.headers.contains_key(header::IF_MODIFIED_SINCE);
        let response = client.get(request).await?;
        match (response.status.as_u16(), known) {
            (200, _) => {
                let read = icalendar::busy([&response.body[..]], query)?;
                Ok(Snapshot::new(query, read, now, validators(&response)))
            }
            (304, Some((snapshot, version))) if is_conditional => {
                Ok(snapshot.unchanged(version.clone(), now))
            }
            (201..400, _) => Err(CalendarError::NotACalendar),
            _ => Err(client.refusal(&response)),
        }
    }

    fn request(&self) -> Request {
        Request::get(self.url.clone()).header(
            header::ACCEPT,
            HeaderValue::from_static("text/calendar, */*;q=0.1"),
        )
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

impl fmt::Debug for Feed {
    /// Leaves out the path and the query, which are the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("origin", &self.url.origin().ascii_serialization())
            .finish_non_exhaustive()
    }
}

/// The request, to be answered only if the file is not of that version.
fn conditional(mut request: Request, version: Option<&Version>) -> Result<Request, CalendarError> {
    if let Some(Version::Validators {
        etag,
        last_modified,
    }) = version
    {
        if let Some(etag) = etag {
            request = request.header(header::IF_NONE_MATCH, header_value(etag)?);
        }
        if let Some(date) = last_modified {
            request = request.header(header::IF_MODIFIED_SINCE, header_value(date)?);
        }
    }
    Ok(request)
}

fn validators(response: &Response) -> Version {
    let etag = text_header(&response.headers, &header::ETAG);
    let last_modified = text_header(&response.headers, &header::LAST_MODIFIED);
    match (&etag, &last_modified) {
        (None, None) => Version::Unknown,
        _ => Version::Validators {
            etag,
            last_modified,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_url_without_a_user_and_webcal_stands_for_https() {
        for (address, expect) in [
            (
                "https://example.com/a.ics?k=1",
                Some("https://example.com/a.ics?k=1"),
            ),
            (
                " webcal://example.com/a.ics",
                Some("https://example.com/a.ics"),
            ),
            (
                "WEBCAL://example.com/a.ics",
                Some("https://example.com/a.ics"),
            ),
            ("example.com/a.ics", None),
            ("ftp://example.com/a.ics", None),
            ("http://example.com/a.ics", None),
            ("http://127.0.0.1.example.com/a.ics", None),
            ("http://10.0.0.1/a.ics", None),
            ("http://[fe80::1]/a.ics", None),
            (
                "http://localhost:8000/a.ics",
                Some("http://localhost:8000/a.ics"),
            ),
            ("http://127.0.0.1/a.ics", Some("http://127.0.0.1/a.ics")),
            ("http://[::1]/a.ics", Some("http://[::1]/a.ics")),
            ("https://user:secret@example.com/a.ics", None),
            ("https://", None),
        ] {
            let feed = Feed::new(address);
            assert_eq!(
                feed.ok().as_ref().map(|feed| feed.url.as_str()),
                expect,
                "{address}"
            );
        }
    }

    #[test]
    fn the_secret_part_of_an_address_is_not_printed() {
        let feed = Feed::new("https://example.com/secret/a.ics?key=hidden").unwrap();
        let text = format!("{feed:?}");
        assert!(text.contains("example.com"), "{text}");
        assert!(
            !text.contains("secret") && !text.contains("hidden"),
            "{text}"
        );
    }
}
